import CSystem
import Glibc
package import RasaCore

/// A file in memory that a child can inherit: what it says is on no command line and on no disk.
package final class MemoryFile: Sendable {
  package let descriptor: Int32

  package init(_ bytes: [UInt8]) throws(Failure) {
    descriptor = unsafe bytes.withUnsafeBytes {
      unsafe rasa_memory_file($0.baseAddress, $0.count)
    }
    guard descriptor >= 0 else {
      throw Failure(
        .run, "cannot make a file in memory: \(ProgramLookup.text(of: errno))",
        suggestion: "raise the limit (ulimit -n) or run fewer things at once")
    }
  }

  deinit { close(descriptor) }
}

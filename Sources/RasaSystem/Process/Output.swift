import Glibc
import RasaCore

/// The other side of a pipe or the terminal has gone: nothing is left to be said to it, so the
/// program leaves without a word, as others do that the broken pipe's signal ends.
package struct OutputClosed: Error, Hashable {
  package init() {}
  package static let exitCode: Int32 = 128 + SIGPIPE
}

/// Writes to a descriptor at once, without a buffer of its own: a token that has arrived is seen.
///
/// Throws `OutputClosed` when the reader has gone and `Failure` for everything else.
package struct Output: Sendable {
  package let descriptor: Int32

  package init(descriptor: Int32) { self.descriptor = descriptor }

  package static let standard = Output(descriptor: STDOUT_FILENO)
  package static let error = Output(descriptor: STDERR_FILENO)

  package func write(_ text: String) throws {
    var text = text
    try check(text.withUTF8 { unsafe writeAll(UnsafeRawBufferPointer($0), to: descriptor) })
  }

  package func write(_ bytes: [UInt8]) throws {
    try unsafe check(bytes.withUnsafeBytes { unsafe writeAll($0, to: descriptor) })
  }

  package func write(_ bytes: ArraySlice<UInt8>) throws {
    try unsafe check(bytes.withUnsafeBytes { unsafe writeAll($0, to: descriptor) })
  }

  private func check(_ error: Int32) throws {
    switch error {
    case 0: return
    case EPIPE: throw OutputClosed()
    // What a terminal answers whose window has been closed.
    case EIO where isDevice: throw OutputClosed()
    default:
      throw Failure(.storage, systemError: error, cannot: "write to", name)
    }
  }

  /// It is a file: what is written stays, and nobody reads along.
  package var isRegularFile: Bool {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  private var isDevice: Bool {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR
  }

  private var name: String {
    switch descriptor {
    case STDOUT_FILENO: "standard output"
    case STDERR_FILENO: "standard error"
    default: "descriptor \(descriptor)"
    }
  }
}

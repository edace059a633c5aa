import CSystem
import Glibc
package import RasaCore

/// Prepares the process before anything depends on its limits and descriptors.
package enum ProcessStart {
  /// For a run's database, connections, pipes and the files it reads.
  private static let neededFiles: UInt64 = 64
  /// More is useless, and children that close every possible descriptor would take long.
  private static let mostFiles: UInt64 = 65_536
  /// Threads reserve far more addresses than they use.
  private static let neededAddresses: UInt64 = 1 << 29

  /// Opens closed standard descriptors on /dev/null, raises soft limits and sets how memory grows. Returns why the program
  /// cannot run here, if it cannot: with less it would hang or trap later.
  package static func prepare() -> Failure? {
    rasa_prepare_heaps()
    rasa_fill_standard_descriptors()
    let files = rasa_raise_open_files(mostFiles)
    guard files >= neededFiles else {
      return Failure(
        .run, "only \(files) more files can be opened, and rasa needs \(neededFiles)",
        suggestion: "raise the limit: ulimit -n 1024")
    }
    let addresses = rasa_raise_address_space()
    guard addresses >= neededAddresses else {
      return Failure(
        .run,
        "the address space is limited to \(addresses >> 20) MB, and rasa needs "
          + "\(neededAddresses >> 20) MB",
        suggestion: "raise the limit: ulimit -v unlimited")
    }
    return nil
  }
}

/// Leaves this thread to signals; another thread ends the process.
package func waitForEnd() -> Never {
  while true { pause() }
}

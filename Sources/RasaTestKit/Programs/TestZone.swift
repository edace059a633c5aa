import RasaCore
import RasaSystem

/// Time zones for tests in which the day must not change.
package enum TestZone {
  /// Where it was about noon when the tests began.
  package static let noon: String = {
    let hour = Int(TimeSource.system.now().milliseconds / 3_600_000 % 24)
    // In these names a positive number is west of Greenwich.
    return "Etc/GMT\(hour < 12 ? "-" : "+")\(abs(hour - 12))"
  }()
}

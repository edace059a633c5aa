package import RasaCore

/// The time zones of this machine by their names, such as `Europe/Berlin`. The C library knows only the
/// zone of the process; any other is read here from the same files.
package final class Zones: Sendable {
  private let folder: String
  private let known = Locked<[String: ZoneData]>([:])

  /// Few people have budgets in more zones than this.
  private static let knownAtMost = 100
  private static let largestFile = 1_000_000

  /// - Parameter folder: where the zone files are; by default the system's own folder.
  package init(folder: String? = nil) { self.folder = folder ?? "/usr/share/zoneinfo" }

  /// Zones of the folder in `TZDIR`, as for the C library.
  package convenience init(environment: Environment) {
    let folder = environment["TZDIR"]
    self.init(folder: folder?.hasPrefix("/") == true ? folder : nil)
  }

  /// The calendar day of a moment; nil if there is no zone of that name.
  package func day(of time: Timestamp, in name: String) -> LocalDay? {
    guard let zone = zone(name) else { return nil }
    let seconds = time.wholeSeconds
    return LocalDay(seconds: seconds + zone.offset(at: seconds))
  }

  private func zone(_ name: String) -> ZoneData? {
    if let zone = known.withLock({ $0[name] }) { return zone }
    guard Self.isName(name),
      let bytes = try? FileSystem.read("\(folder)/\(name)", limit: Self.largestFile),
      let zone = ZoneData(bytes)
    else { return nil }
    known.withLock { known in
      if known.count >= Self.knownAtMost { known = [:] }
      known[name] = zone
    }
    return zone
  }

  /// Parts of letters, digits, `_`, `+` and `-`, so that no name leads out of the folder.
  static func isName(_ name: String) -> Bool {
    guard (1...255).contains(name.utf8.count) else { return false }
    return name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .allSatisfy { part in
        !part.isEmpty
          && part.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
              UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"),
              UInt8(ascii: "-"):
              true
            default: false
            }
          }
      }
  }
}

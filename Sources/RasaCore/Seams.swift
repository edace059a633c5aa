/// A moment in wall-clock time, in milliseconds since 1970 in UTC.
package struct Timestamp: Sendable, Hashable, Comparable {
  package var milliseconds: Int64
  package init(milliseconds: Int64) { self.milliseconds = milliseconds }
  package static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds < right.milliseconds
  }
}

/// A calendar day where the budget lives, as `2026-01-31`.
package struct LocalDay: Sendable, Hashable, Comparable, CustomStringConvertible {
  package var year: Int
  package var month: Int
  package var day: Int
  package init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }
  package var description: String { "\(monthText)-\(day < 10 ? "0" : "")\(day)" }
  package var monthText: String { "\(year)-\(month < 10 ? "0" : "")\(month)" }
  package static func < (left: LocalDay, right: LocalDay) -> Bool {
    (left.year, left.month, left.day) < (right.year, right.month, right.day)
  }
}

/// Time as the runtime sees it. Passed in, so that tests decide what time it is.
package struct TimeSource: Sendable {
  package var now: @Sendable () -> Timestamp
  /// The calendar day of a moment in the machine's own zone.
  package var localDay: @Sendable (Timestamp) -> LocalDay
  /// The calendar day in a zone by its name, such as `Europe/Berlin`; nil when there is no such zone.
  package var dayInZone: @Sendable (Timestamp, _ zone: String) -> LocalDay?
  /// Nanoseconds that only ever grow, for measuring.
  package var monotonic: @Sendable () -> UInt64
  /// Returns after the time has passed, or throws when the task is cancelled.
  package var sleep: @Sendable (Duration) async throws -> Void

  package init(
    now: @escaping @Sendable () -> Timestamp,
    localDay: @escaping @Sendable (Timestamp) -> LocalDay,
    dayInZone: @escaping @Sendable (Timestamp, String) -> LocalDay? = { _, _ in nil },
    monotonic: @escaping @Sendable () -> UInt64,
    sleep: @escaping @Sendable (Duration) async throws -> Void
  ) {
    self.now = now
    self.localDay = localDay
    self.dayInZone = dayInZone
    self.monotonic = monotonic
    self.sleep = sleep
  }
}

/// The name of a run, a session or a hold: sorts by the time it was made, safe in a file name.
package struct Identifier: Sendable, Hashable, CustomStringConvertible {
  package let text: String
  package init(_ text: String) { self.text = text }
  package var description: String { text }

  /// 48 bits of time and 64 bits of chance in Crockford's base 32.
  package static func make(prefix: String, at time: Timestamp, random: UInt64) -> Identifier {
    let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
    func digits(_ value: UInt64, _ count: Int) -> String {
      String((0..<count).reversed().map { alphabet[Int((value >> (UInt64($0) * 5)) & 31)] })
    }
    let milliseconds = UInt64(clamping: time.milliseconds)
    return Identifier("\(prefix)\(digits(milliseconds, 10))\(digits(random, 13))")
  }
}

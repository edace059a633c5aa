/// Time as the runtime sees it. Passed in, so that tests decide what time it is.
package struct TimeSource: Sendable {
  package var now: @Sendable () -> Timestamp
  /// The calendar day of a moment in the machine's own zone.
  package var localDay: @Sendable (Timestamp) -> LocalDay
  /// The calendar day in a zone by its name, such as `Europe/Berlin`; nil if there is no such zone.
  package var dayInZone: @Sendable (Timestamp, _ zone: String) -> LocalDay?
  /// Nanoseconds of a clock that never goes back, for measuring.
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

extension TimeSource {
  /// When a day begins in the machine's own zone: its first millisecond, wherever the clocks are changed.
  package func beginning(of day: LocalDay) -> Timestamp {
    let (begin, isBeyond) = day.ordinal.multipliedReportingOverflow(by: 86_400_000)
    if isBeyond { return Timestamp(milliseconds: day.ordinal < 0 ? .min : .max) }
    // Zones are within 26 hours of each other.
    var earlier = begin - 26 * 3_600_000
    var later = begin + 26 * 3_600_000
    while earlier + 1 < later {
      let middle = earlier + (later - earlier) / 2
      if localDay(Timestamp(milliseconds: middle)) < day {
        earlier = middle
      } else {
        later = middle
      }
    }
    return Timestamp(milliseconds: later)
  }

  /// The last millisecond of a day in the machine's own zone.
  package func end(of day: LocalDay) -> Timestamp {
    let next = beginning(of: day.advanced(byDays: 1)).milliseconds
    return Timestamp(milliseconds: next == .min ? next : next - 1)
  }
}

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

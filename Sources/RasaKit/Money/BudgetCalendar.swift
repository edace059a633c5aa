package import RasaCore

/// The calendar that limits of days and months follow: that of a zone, or the machine's own.
package struct BudgetCalendar: Sendable {
  package var time: TimeSource
  package var zone: String?

  package init(time: TimeSource, zone: String?) {
    self.time = time
    self.zone = zone
  }

  package func day(of moment: Timestamp) -> LocalDay {
    zone.flatMap { time.dayInZone(moment, $0) } ?? time.localDay(moment)
  }

  package var today: LocalDay { day(of: time.now()) }

  /// The first moment that is not before the day, to the second. No day is 12 hours from where
  /// UTC has it, and where clocks are put forward at midnight it begins at one.
  package func beginning(of day: LocalDay) -> Timestamp {
    let midnight = day.ordinal * 86_400
    var before = midnight - 2 * 86_400
    var after = midnight + 2 * 86_400
    while after - before > 1 {
      let middle = before + (after - before) / 2
      if self.day(of: Timestamp(milliseconds: middle * 1000)) < day {
        before = middle
      } else {
        after = middle
      }
    }
    return Timestamp(milliseconds: after * 1000)
  }
}

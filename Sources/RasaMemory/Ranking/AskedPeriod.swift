package import RasaCore

/// The time that a question asks about, as `in May` or `on 3 May 2021`.
package struct AskedPeriod: Sendable, Hashable {
  package var start: Timestamp
  package var end: Timestamp

  /// What happened is told within a week.
  private static let aftermath: Int64 = 7 * 86_400_000

  package init(start: Timestamp, end: Timestamp) {
    self.start = start
    self.end = end
  }

  /// Nil where it names no time. The dates that `FactDates` reads are understood.
  package init?(_ question: String, at now: Timestamp) {
    // A longer one tells something rather than asks.
    guard question.utf8.count <= 2_000 else { return nil }
    let words = FactWords.words(of: question).map(\.text)
    let today = LocalDay(seconds: now.wholeSeconds)
    for place in words.indices {
      guard let (period, count) = Period.read(words, at: place, today: today, way: .past) else {
        continue
      }
      // `may` and `march` are no months by themselves.
      let isIntroduced = place > 0 && Self.introductions.contains(words[place - 1])
      guard count > 1 || isIntroduced || words[place].utf8.contains(where: { $0 < 0x3A }) else {
        continue
      }
      start = Timestamp(milliseconds: period.start.ordinal * 86_400_000)
      end = Timestamp(milliseconds: period.end.ordinal * 86_400_000)
      return
    }
    return nil
  }

  private static let introductions: Set<String> = [
    "in", "on", "during", "since", "last", "im", "am", "seit", "en", "el", "nel", "depuis", "desde",
    "в",
  ]

  /// From 0 for another time to 1.
  func closeness(of time: Timestamp) -> Double {
    if time < start { return 0 }
    if time < end { return 1 }
    let late = time.milliseconds.subtractingReportingOverflow(end.milliseconds).partialValue
    return late < 0 ? 0 : max(0, 1 - Double(late) / Double(Self.aftermath))
  }
}

/// A calendar day in the budget's time zone, such as `2026-01-31`.
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

/// Days and moments as text and as numbers, in the Gregorian calendar.
extension LocalDay {
  /// Reads `2026-01-31`; nil for anything else, and for days that do not exist.
  package init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let day = Self.number(parts[2], digits: 2), day >= 1,
      let first = LocalDay(month: "\(parts[0])-\(parts[1])"), day <= first.daysInMonth
    else { return nil }
    self.init(year: first.year, month: first.month, day: day)
  }

  /// The first day of a month such as `2026-01`.
  package init?(month text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let year = Self.number(parts[0], digits: 4), year >= 1,
      let month = Self.number(parts[1], digits: 2), (1...12).contains(month)
    else { return nil }
    self.init(year: year, month: month, day: 1)
  }

  private static func number(_ text: Substring, digits: Int) -> Int? {
    let isNumber = text.utf8.count == digits && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    return isNumber ? Int(text) : nil
  }

  package static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  package var daysInMonth: Int {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: Self.isLeap(year) ? 29 : 28
    default: 31
    }
  }

  /// Sunday is 0.
  package var weekday: Int { Int(((ordinal + 4) % 7 + 7) % 7) }

  /// From 0.
  package var dayOfYear: Int { Int(ordinal - LocalDay(year: year, month: 1, day: 1).ordinal) }

  /// The day in UTC of a second since 1970.
  package init(seconds: Int64) {
    self.init(ordinal: seconds / 86_400 - (seconds % 86_400 < 0 ? 1 : 0))
  }

  /// Days since 1970-01-01.
  package var ordinal: Int64 {
    // Years begin in March here, so that the leap day is the last one.
    let year = Int64(self.year) - (month <= 2 ? 1 : 0)
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = Int64((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1)
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  package init(ordinal: Int64) {
    let shifted = ordinal + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
    self.init(
      year: Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0), month: month,
      day: Int(dayOfYear - (153 * shiftedMonth + 2) / 5) + 1)
  }

  package var firstOfMonth: LocalDay { LocalDay(year: year, month: month, day: 1) }

  package func advanced(byDays count: Int) -> LocalDay {
    LocalDay(ordinal: ordinal + Int64(count))
  }
}

extension Timestamp {
  /// Rounded down, so that the last moments before 1970 belong to their own day.
  package var wholeSeconds: Int64 { milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0) }

  /// As `2026-01-31T09:30:00Z`.
  package var utcText: String {
    let seconds = wholeSeconds
    let day = LocalDay(seconds: seconds)
    let second = Int(seconds - day.ordinal * 86_400)
    let parts = [second / 3600, second / 60 % 60, second % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
    return "\(day)T\(parts.joined(separator: ":"))Z"
  }
}

import RasaCore

/// How long a provider asks to be left alone.
enum RetryAfter {
  /// Prefers `retry-after-ms`, then `retry-after` as seconds or as a date.
  static func read(_ header: (String) -> String?, now: Timestamp) -> Duration? {
    if let text = header("retry-after-ms"), let milliseconds = number(text) {
      return .milliseconds(Int64(milliseconds.rounded(.up)))
    }
    guard let text = header("retry-after") else { return nil }
    if let seconds = number(text) { return .milliseconds(Int64((seconds * 1000).rounded(.up))) }
    guard let moment = date(text) else { return nil }
    return .milliseconds(max(0, moment.milliseconds - now.milliseconds))
  }

  /// A number of seconds or milliseconds that is not absurd: below a year.
  private static func number(_ text: String) -> Double? {
    guard let number = Double(text.trimmingBlanks), number >= 0 else { return nil }
    return min(number, 31_536_000)
  }

  /// Reads `Sun, 06 Nov 1994 08:49:37 GMT`.
  static func date(_ text: String) -> Timestamp? {
    let parts = text.split { $0 == " " || $0 == "," || $0 == ":" || $0 == "-" }
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    guard parts.count == 8, let day = Int64(parts[1]), (1...31).contains(day),
      let month = months.firstIndex(of: String(parts[2])), let year = Int64(parts[3]),
      (1970...9999).contains(year), let hour = Int64(parts[4]), (0...23).contains(hour),
      let minute = Int64(parts[5]), (0...59).contains(minute), let second = Int64(parts[6]),
      (0...60).contains(second), parts[7] == "GMT"
    else { return nil }
    let days = daysSince1970(year: year, month: Int64(month) + 1, day: day)
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    return Timestamp(milliseconds: seconds * 1000)
  }

  /// Days in the Gregorian calendar, counted in years that begin in March so that the leap day is
  /// the last of its year.
  private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let monthFromMarch = (month + 9) % 12
    let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
    return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
  }
}

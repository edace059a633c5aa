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

  /// When the limits of an account are full again, as the headers of every answer say. Tells less
  /// than the provider's own word: which of the limits was met is a guess. Those that have nothing
  /// left are meant, or else all.
  static func readResets(_ header: (String) -> String?, now: Timestamp) -> Duration? {
    var all: [Duration] = []
    var spent: [Duration] = []
    for (remaining, reset) in resets {
      guard let text = header(reset), let delay = duration(text) ?? moment(text, now: now) else {
        continue
      }
      all.append(delay)
      if header(remaining).flatMap(number) == 0 { spent.append(delay) }
    }
    return spent.max() ?? all.max()
  }

  private static let resets: [(remaining: String, reset: String)] =
    ["requests", "tokens"].map { ("x-ratelimit-remaining-\($0)", "x-ratelimit-reset-\($0)") }
    + ["requests", "tokens", "input-tokens", "output-tokens"].map {
      ("anthropic-ratelimit-\($0)-remaining", "anthropic-ratelimit-\($0)-reset")
    }

  /// Reads `6m0s`, `1h2m3.5s`, `120ms`, `39.27s`, and a number alone as seconds.
  static func duration(_ text: String) -> Duration? {
    var seconds = 0.0
    var rest = text.trimmingBlanks[...]
    guard !rest.isEmpty else { return nil }
    if let number = number(text) { return .milliseconds(Int64((number * 1000).rounded(.up))) }
    while !rest.isEmpty {
      let digits = rest.prefix { $0 == "." || ("0"..."9").contains($0) }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(unit.count)
      let lengths = ["d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001, "us": 1e-6, "µs": 1e-6]
      guard let number = number(String(digits)), let length = lengths[String(unit)] else {
        return nil
      }
      seconds += number * length
    }
    return .milliseconds(Int64((min(seconds, 31_536_000) * 1000).rounded(.up)))
  }

  /// Reads `2026-01-31T12:00:00Z`, and says how long that is from now.
  private static func moment(_ text: String, now: Timestamp) -> Duration? {
    let parts = text.trimmingBlanks.split { "-T:.Z".contains($0) }
    guard text.hasSuffix("Z"), parts.count >= 6,
      let year = Int(parts[0]), (1970...9999).contains(year),
      let month = Int(parts[1]), (1...12).contains(month),
      let day = Int(parts[2]), (1...31).contains(day),
      let hour = Int64(parts[3]), (0...23).contains(hour),
      let minute = Int64(parts[4]), (0...59).contains(minute),
      let second = Int64(parts[5]), (0...60).contains(second)
    else { return nil }
    let days = LocalDay(year: year, month: month, day: day).ordinal
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    return .milliseconds(min(max(0, seconds * 1000 - now.milliseconds), 31_536_000_000))
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
    guard parts.count == 8, let day = Int(parts[1]), (1...31).contains(day),
      let month = months.firstIndex(of: String(parts[2])), let year = Int(parts[3]),
      (1970...9999).contains(year), let hour = Int64(parts[4]), (0...23).contains(hour),
      let minute = Int64(parts[5]), (0...59).contains(minute), let second = Int64(parts[6]),
      (0...60).contains(second), parts[7] == "GMT"
    else { return nil }
    let days = LocalDay(year: year, month: month + 1, day: day).ordinal
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    return Timestamp(milliseconds: seconds * 1000)
  }
}

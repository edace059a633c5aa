import RasaCore

/// The rule of a zone after its last transition, in POSIX form: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct ZoneRule: Sendable, Hashable {
  private static let furthest: Int64 = 10_000_000_000_000_000

  /// Seconds ahead of UTC.
  private var standard: Int64
  private var summer: Summer?

  private struct Summer: Sendable, Hashable {
    var offset: Int64
    var begins: YearlyMoment
    var ends: YearlyMoment
  }

  func offset(at seconds: Int64) -> Int64 {
    guard let summer else { return standard }
    // Beyond any moment in milliseconds, and small enough not to overflow.
    let seconds = min(max(seconds, -Self.furthest), Self.furthest)
    let year = LocalDay(seconds: seconds + standard).year
    let yearBegins = LocalDay(year: year, month: 1, day: 1).ordinal * 86_400
    // The time of a change is local time before the change.
    let begins = yearBegins + summer.begins.seconds(in: year) - standard
    let ends = yearBegins + summer.ends.seconds(in: year) - summer.offset
    let isSummer =
      begins < ends
      ? seconds >= begins && seconds < ends : seconds >= begins || seconds < ends
    return isSummer ? summer.offset : standard
  }
}

/// A day of each year and a time of that day.
private struct YearlyMoment: Sendable, Hashable {
  enum Day: Sendable, Hashable {
    /// From 1, without counting the 29th of February.
    case ofCommonYear(Int)
    /// From 0.
    case ofYear(Int)
    /// The week counts from 1, and 5 is the last one with that weekday; Sunday is 0.
    case ofMonth(month: Int, week: Int, weekday: Int)
  }
  var day: Day
  var time: Int64

  /// Seconds after the start of the year.
  func seconds(in year: Int) -> Int64 { Int64(dayOfYear(in: year)) * 86_400 + time }

  private func dayOfYear(in year: Int) -> Int {
    switch day {
    case .ofCommonYear(let day): return day - 1 + (LocalDay.isLeap(year) && day >= 60 ? 1 : 0)
    case .ofYear(let day): return day
    case .ofMonth(let month, let week, let weekday):
      let first = LocalDay(year: year, month: month, day: 1)
      let toFirst = (weekday - first.weekday + 7) % 7
      var day = toFirst + (week - 1) * 7
      if day >= first.daysInMonth { day -= 7 }
      return first.dayOfYear + day
    }
  }
}

extension ZoneRule {
  /// Nil if the text is not such a rule.
  init?(_ text: [UInt8]) {
    var text = RuleText(text)
    guard text.takeName(), let west = text.takeTime(hours: 24) else { return nil }
    standard = -west
    guard !text.isEmpty else { return }
    guard text.takeName() else { return nil }
    var offset = standard + 3600
    if text.peek != UInt8(ascii: ",") {
      guard let west = text.takeTime(hours: 24) else { return nil }
      offset = -west
    }
    guard text.take(","), let begins = text.takeMoment(), text.take(","),
      let ends = text.takeMoment(), text.isEmpty
    else { return nil }
    summer = Summer(offset: offset, begins: begins, ends: ends)
  }
}

private struct RuleText {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isEmpty: Bool { rest.isEmpty }
  var peek: UInt8? { rest.first }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  /// Letters, or anything in angle brackets.
  mutating func takeName() -> Bool {
    if take("<") {
      guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
      let name = rest[..<end]
      rest = rest[(end + 1)...]
      return name.count >= 3
    }
    let name = rest.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
    rest = rest.dropFirst(name.count)
    return name.count >= 3
  }

  mutating func takeNumber(_ range: ClosedRange<Int>) -> Int? {
    let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard (1...3).contains(digits.count) else { return nil }
    rest = rest.dropFirst(digits.count)
    let number = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    return range.contains(number) ? number : nil
  }

  /// `[+-]hh[:mm[:ss]]`, in seconds.
  mutating func takeTime(hours: Int) -> Int64? {
    let isNegative = take("-")
    if !isNegative { _ = take("+") }
    guard let hours = takeNumber(0...hours) else { return nil }
    var seconds = hours * 3600
    for unit in [60, 1] {
      guard take(":") else { break }
      guard let part = takeNumber(0...59) else { return nil }
      seconds += part * unit
    }
    return Int64(isNegative ? -seconds : seconds)
  }

  mutating func takeMoment() -> YearlyMoment? {
    let day: YearlyMoment.Day
    if take("M") {
      guard let month = takeNumber(1...12), take("."), let week = takeNumber(1...5), take("."),
        let weekday = takeNumber(0...6)
      else { return nil }
      day = .ofMonth(month: month, week: week, weekday: weekday)
    } else if take("J") {
      guard let number = takeNumber(1...365) else { return nil }
      day = .ofCommonYear(number)
    } else {
      guard let number = takeNumber(0...365) else { return nil }
      day = .ofYear(number)
    }
    guard take("/") else { return YearlyMoment(day: day, time: 7200) }
    guard let time = takeTime(hours: 167) else { return nil }
    return YearlyMoment(day: day, time: time)
  }
}

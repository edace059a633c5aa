import RasaCore

/// The dates in a fact: since when, until when. Days are those of UTC, as nothing says where somebody was.
struct FactDates {
  struct Mark {
    enum Meaning { case since, until, inside }
    var meaning: Meaning
    /// The words that it takes, the one that introduces it included.
    var range: Range<Int>
    /// Nil for `since forever`.
    var moment: Timestamp?
    /// Whether the words can only mean a time.
    var isCertain: Bool
  }

  private(set) var marks: [Mark] = []
  private let time: Timestamp

  var since: Timestamp? { first(.since) }
  var until: Timestamp? { first(.until) }
  /// `in May`, which says since when of something that happened.
  var inside: Timestamp? { first(.inside) }
  var certainSince: Timestamp? { certain(.since) }
  var certainUntil: Timestamp? { certain(.until) }

  private func first(_ meaning: Mark.Meaning) -> Timestamp? {
    marks.first { $0.meaning == meaning && $0.moment != nil }?.moment
  }

  private func certain(_ meaning: Mark.Meaning) -> Timestamp? {
    let found = marks.filter { $0.meaning == meaning && $0.moment != nil }
    return found.count == 1 && found[0].isCertain ? found[0].moment : nil
  }

  /// Whether it is a plan for a day that is certain.
  var isAhead: Bool { certainSince.map { $0 > time } ?? false }

  init(_ words: [FactWord], learnt time: Timestamp) {
    self.time = time
    let texts = words.map(\.text)
    let today = LocalDay(seconds: time.wholeSeconds)
    var place = 0
    var from: Period?
    while place < texts.count {
      guard let (meaning, length, isStrong, way) = Self.marker(at: place, in: texts, after: from)
      else {
        // `moved to Oslo last month`
        if place > 0, let (period, used) = Period.past(texts, at: place, today: today) {
          marks.append(
            Mark(
              meaning: .inside, range: place..<(place + used), moment: period.start.start,
              isCertain: false))
          place += used
        } else {
          place += 1
        }
        continue
      }
      let begin = place + length
      guard let (period, used) = Period.read(texts, at: begin, today: today, way: way) else {
        if isStrong {
          marks.append(
            Mark(meaning: meaning, range: place..<texts.count, moment: nil, isCertain: true))
          break
        }
        place += 1
        continue
      }
      var moment: LocalDay
      switch meaning {
      case .since, .inside:
        moment = period.start
        if meaning == .since { from = period }
      case .until:
        moment = period.end
        // From May to March: that of the next year.
        if let from, !period.hasYear {
          while moment <= from.start, moment.year < 9_000 { moment.year += 1 }
        }
      }
      marks.append(
        Mark(
          meaning: meaning, range: place..<(begin + used), moment: moment.start,
          isCertain: isStrong || period.hasYear))
      place = begin + used
    }
  }

  /// A word that introduces a date, its length, and whether it can introduce nothing else.
  private static func marker(
    at place: Int, in words: [String], after from: Period?
  ) -> (Mark.Meaning, length: Int, isStrong: Bool, way: Period.Way)? {
    for (meaning, isStrong, way, phrases) in markers {
      // `to` ends a span only where one has begun.
      if meaning == .until, !isStrong, from == nil { continue }
      for phrase in phrases where place + phrase.count <= words.count {
        if words[place..<(place + phrase.count)].elementsEqual(phrase) {
          return (meaning, phrase.count, isStrong, way)
        }
      }
    }
    return nil
  }

  private static let markers:
    [(meaning: Mark.Meaning, isStrong: Bool, way: Period.Way, phrases: [[String]])] = [
      (
        .since, true, .past,
        phrases(
          "ever since, since, seit, depuis, desde hace, desde, a partir de, à partir de, начиная с")
      ),
      (
        .since, false, .near,
        phrases(
          "as of, starting in, starting, beginning, from, ab, von, de, du, dal, dall', da, dès, с, со"
        )
      ),
      (
        .until, true, .coming,
        phrases(
          "until the end of, until, till, bis zum ende, bis ende, bis zum, bis, jusqu' à, jusqu' en, jusqu' au, hasta el, hasta, fino al, fino ad, fino a, вплоть до"
        )
      ),
      (.until, false, .coming, phrases("through, to, à, au, a, al, do, до, по, -")),
      (.inside, false, .past, phrases("in, on, im, am, en, le, el, nel, a, в")),
    ]

  private static func phrases(_ list: String) -> [[String]] {
    list.split(separator: ",").map { $0.split(separator: " ").map(String.init) }
      .sorted { $0.count > $1.count }
  }
}

/// A day, a month or a year.
struct Period {
  /// Where a month without a year is looked for.
  enum Way { case past, coming, near }

  var start: LocalDay
  /// The day after it.
  var end: LocalDay
  var hasYear: Bool

  private init(start: LocalDay, end: LocalDay, hasYear: Bool = true) {
    self.start = start
    self.end = end
    self.hasYear = hasYear
  }

  private static func year(_ year: Int) -> Period {
    Period(
      start: LocalDay(year: year, month: 1, day: 1), end: LocalDay(year: year + 1, month: 1, day: 1)
    )
  }

  private static func month(_ year: Int, _ month: Int) -> Period {
    let first = LocalDay(year: year, month: month, day: 1)
    return Period(start: first, end: first.advanced(byDays: first.daysInMonth))
  }

  private static func day(_ day: LocalDay) -> Period {
    Period(start: day, end: day.advanced(byDays: 1))
  }

  /// - Returns: also how many words it takes.
  static func read(
    _ words: [String], at place: Int, today: LocalDay, way: Way
  ) -> (period: Period, words: Int)? {
    var place = place
    let begin = place
    while place < words.count, place - begin < 3, fillers.contains(words[place]) { place += 1 }
    guard place < words.count else { return nil }
    func word(_ offset: Int) -> String { place + offset < words.count ? words[place + offset] : "" }
    func found(_ period: Period?, _ count: Int) -> (Period, Int)? {
      period.map { ($0, place - begin + count) }
    }
    if let period = written(word(0)) { return found(period, 1) }
    if let period = relative(word(0), word(1), today) { return found(period.0, period.1) }
    // May, May 2021, May 3, May 3 2021
    if let month = months[word(0)] {
      if let year = yearNumber(word(1)) { return found(.month(year, month), 2) }
      if let day = dayNumber(word(1)) {
        return found(
          yearNumber(word(2)).flatMap { Self.day($0, month, day) }
            ?? nearest(month, day, today, way), yearNumber(word(2)) == nil ? 2 : 3)
      }
      let skip = fillers.contains(word(1)) ? 1 : 0
      if skip == 1, let year = yearNumber(word(2)) { return found(.month(year, month), 3) }
      return found(nearest(month, nil, today, way), 1)
    }
    // 3 May, 3rd of May 2021, 3 de mayo de 2021
    if let day = dayNumber(word(0)) {
      var next = 1
      if fillers.contains(word(next)) { next += 1 }
      guard let month = months[word(next)] else { return nil }
      next += 1
      let skip = fillers.contains(word(next)) ? 1 : 0
      if let year = yearNumber(word(next + skip)) {
        return found(Self.day(year, month, day), next + skip + 1)
      }
      return found(nearest(month, day, today, way), next)
    }
    return nil
  }

  /// `yesterday`, `last month`.
  static func past(
    _ words: [String], at place: Int, today: LocalDay
  ) -> (period: Period, words: Int)? {
    guard yesterday.contains(words[place]) || last.contains(words[place]) else { return nil }
    return relative(words[place], place + 1 < words.count ? words[place + 1] : "", today)
  }

  private static func day(_ year: Int, _ month: Int, _ day: Int) -> Period? {
    let date = LocalDay(year: year, month: month, day: day)
    return day <= date.daysInMonth ? .day(date) : nil
  }

  /// 2021, 2021-05, 2021-05-03, 3.5.2021. What `3/5/2021` means nobody knows.
  private static func written(_ word: String) -> Period? {
    if let year = yearNumber(word) { return .year(year) }
    if let day = LocalDay(word) { return .day(day) }
    if let first = LocalDay(month: word) { return .month(first.year, first.month) }
    let parts = word.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 3, let day = parts[0], let month = parts[1], let year = parts[2],
      (1...12).contains(month), (1...31).contains(day), (1900...2200).contains(year)
    else { return nil }
    return self.day(year, month, day)
  }

  private static func relative(
    _ word: String, _ next: String, _ today: LocalDay
  ) -> (Period, Int)? {
    if yesterday.contains(word) { return (.day(today.advanced(byDays: -1)), 1) }
    if todays.contains(word) { return (.day(today), 1) }
    let offset =
      last.contains(word) ? -1 : this.contains(word) ? 0 : nextWords.contains(word) ? 1 : nil
    guard let offset else { return nil }
    if years.contains(next) { return (.year(today.year + offset), 2) }
    if monthWords.contains(next) {
      let month = today.year * 12 + today.month - 1 + offset
      return (.month(month / 12, month % 12 + 1), 2)
    }
    guard let month = months[next], offset != 0,
      var period = nearest(month, nil, today, offset == -1 ? .past : .coming)
    else { return nil }
    // `next January` names its year.
    period.hasYear = true
    return (period, 2)
  }

  private static func nearest(_ month: Int, _ day: Int?, _ today: LocalDay, _ way: Way) -> Period? {
    func period(_ year: Int) -> Period? {
      var period = day.map { self.day(year, month, $0) } ?? .month(year, month)
      period?.hasYear = false
      return period
    }
    let candidates = (today.year - 1...today.year + 1).compactMap(period)
    switch way {
    case .past: return candidates.last { $0.start <= today }
    case .coming: return candidates.first { $0.end > today }
    case .near:
      return candidates.min {
        abs($0.start.ordinal - today.ordinal) < abs($1.start.ordinal - today.ordinal)
      }
    }
  }

  private static func yearNumber(_ word: String) -> Int? {
    guard word.utf8.count == 4, word.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    return Int(word).flatMap { (1900...2200).contains($0) ? $0 : nil }
  }

  private static func dayNumber(_ word: String) -> Int? {
    var digits = word.utf8.prefix { (0x30...0x39).contains($0) }.count
    guard (1...2).contains(digits), let number = Int(word.prefix(digits)),
      (1...31).contains(number)
    else { return nil }
    digits = word.utf8.count - digits
    return digits == 0 || ["st", "nd", "rd", "th", "er", "º", "°"].contains(where: word.hasSuffix)
      ? number : nil
  }

  private static let fillers: Set<String> = [
    "the", "end", "beginning", "start", "middle", "early", "late", "mid", "of", "de", "del", "di",
    "des", "ende", "anfang", "mitte", "dem", "zum", "начала", "конца",
  ]
  private static let yesterday: Set<String> = [
    "yesterday", "gestern", "hier", "ayer", "ieri", "вчера",
  ]
  private static let todays: Set<String> = [
    "today", "now", "heute", "jetzt", "hoy", "oggi", "сегодня",
  ]
  private static let last: Set<String> = ["last", "letztem", "letzten", "прошлого"]
  private static let this: Set<String> = ["this", "diesem", "этого"]
  private static let nextWords: Set<String> = ["next", "nächsten", "nächstem", "следующего"]
  private static let years: Set<String> = ["year", "jahr", "года"]
  private static let monthWords: Set<String> = ["month", "monat", "месяца"]

  static let months: [String: Int] = {
    let names = [
      "january jan januar jänner janvier enero gennaio январь января январе",
      "february feb februar feber février fevrier febrero febbraio февраль февраля феврале",
      "march mar märz maerz mars marzo март марта марте",
      "april apr avril abril aprile апрель апреля апреле",
      "may mai mayo maggio май мая мае",
      "june jun juni juin junio giugno июнь июня июне",
      "july jul juli juillet julio luglio июль июля июле",
      "august aug août aout agosto август августа августе",
      "september sep sept septembre septiembre settembre сентябрь сентября сентябре",
      "october oct oktober okt octobre octubre ottobre октябрь октября октябре",
      "november nov novembre noviembre ноябрь ноября ноябре",
      "december dec dezember dez décembre decembre diciembre dicembre декабрь декабря декабре",
    ]
    var months: [String: Int] = [:]
    for (index, line) in names.enumerated() {
      for name in line.split(separator: " ") { months[String(name)] = index + 1 }
    }
    return months
  }()
}

extension LocalDay {
  /// Its first moment, in UTC.
  fileprivate var start: Timestamp { Timestamp(milliseconds: ordinal * 86_400_000) }
}

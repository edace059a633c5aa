package import RasaCore

/// What the text of a fact says about itself, found without a model: by a table of phrases of a few languages. What is
/// not certain is left out, because a wrong slot closes a fact that still holds.
package struct FactReading: Sendable, Hashable {
  /// Another fact that this one says is true no more: `no longer lives in Rome` ends `lives in Rome`, and nothing about
  /// Oslo.
  package struct Denial: Sendable, Hashable {
    package var slot: String
    package var form: String
    package init(slot: String, form: String) {
      self.slot = slot
      self.form = form
    }
  }

  /// What it says something about, where only one thing can be true at a time: a key such as `risk_tolerance` in
  /// `risk_tolerance: low`, or a verb such as `live in`. Whose fact it is stands before it (`anna: live in`), unless
  /// it is the user's. Nil where it says nothing of the kind.
  package var slot: String?
  /// Since when it is true, and from when on no more, as far as the text says so.
  package var validFrom: Timestamp?
  package var until: Timestamp?
  /// The text in a form in which the same fact has the same form: case, spaces, punctuation and what is not seen do not
  /// count, nor in a sentence that is understood the dates, articles and whether it is `I live in` or `the user lives in`.
  package var form: String
  package var denies: Denial?
  /// `preference` or `profile`, where that is certain.
  package var kind: String?

  package init(
    slot: String? = nil, validFrom: Timestamp? = nil, until: Timestamp? = nil, form: String,
    denies: Denial? = nil, kind: String? = nil
  ) {
    self.slot = slot
    self.validFrom = validFrom
    self.until = until
    self.form = form
    self.denies = denies
    self.kind = kind
  }

  /// Longer texts are no single statement.
  private static let longestStatement = 240
  private static let longestForm = 1_000
  private static let longestRead = 20_000

  /// - Parameter time: when it was learnt, for dates without a year.
  package static func read(_ text: String, at time: Timestamp) -> FactReading {
    // A document is the same only if every byte of it is.
    guard text.utf8.count <= longestRead else { return FactReading(form: Digest.sha256(text)) }
    let words = FactWords.words(of: text)
    var form = words.lazy.map(\.text).joined(separator: " ")
    if form.utf8.count > longestForm { form = Digest.sha256(form) }
    var reading = FactReading(form: form)
    guard form.utf8.count <= longestStatement, !words.isEmpty else { return reading }
    if let pair = KeyedValue(text) {
      reading.slot = pair.slot
      reading.form = pair.form
      reading.kind = "preference"
      return reading
    }
    let dates = FactDates(words, learnt: time)
    guard FactWords.isOneStatement(text) else { return reading }
    if let statement = FactStatement(words, dates) {
      reading.form = statement.form
      reading.slot = statement.slot
      reading.denies = statement.denies
      reading.kind = statement.kind
      reading.validFrom = statement.validFrom
      reading.until = statement.until
      // Somebody does not work until April: from then on they do.
      if statement.isNegated { reading.until = nil }
    } else {
      // What was until a day that has passed is a fact about the past, and stays one.
      let isOver = dates.certainUntil.map { $0 <= time } ?? false
      reading.validFrom = isOver ? nil : dates.certainSince
      reading.until = isOver ? nil : dates.certainUntil
    }
    if let from = reading.validFrom, let until = reading.until, until <= from {
      reading.validFrom = nil
      reading.until = nil
    }
    return reading
  }

  /// The name of a slot as a model or an operator gives it; nil for one that several things can be true of at a time.
  package static func slot(named name: String) -> String? {
    let words = FactWords.words(of: String(name.prefix(80))).map(\.text)
    guard let last = words.last, words.count <= 4, !KeyedValue.canBeSeveral(last) else {
      return nil
    }
    if let verb = FactPhrases.slots[words.joined(separator: " ")] { return verb }
    return words.joined(separator: "_")
  }
}

extension FactReading {
  /// The slot of what somebody gave under a name, which has one value at a time whatever it is called; nil for a name
  /// without letters.
  package static func key(_ name: String) -> String? {
    let words = FactWords.words(of: String(name.prefix(80))).map(\.text)
    return words.isEmpty
      ? nil
      : words.joined(separator: "_").split(separator: "_").joined(separator: "_")
  }
}

/// `risk_tolerance: low`.
private struct KeyedValue {
  var slot: String
  /// The same for `risk_tolerance: low` and `Risk tolerance: LOW`.
  var form: String

  init?(_ text: String) {
    guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let key = text[..<colon]
    let after = text[text.index(after: colon)...]
    // `10:30` and `https://` are none.
    guard !key.isEmpty, key.utf8.count <= 60, let space = after.utf8.first, space <= 0x20,
      after.utf8.contains(where: { $0 > 0x20 })
    else { return nil }
    let words = key.lowercased().split { $0 == " " || $0 == "_" || $0 == "-" || $0 == "\t" }
      .map(String.init)
    guard let first = words.first, let last = words.last, words.count <= 4 else { return nil }
    guard
      words.allSatisfy({
        $0.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || ("0"..."9").contains($0) }
      }),
      first.unicodeScalars.first?.properties.isAlphabetic == true
    else { return nil }
    // A program's name for something, such as that of a preference.
    let isName =
      key.utf8.contains { $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
      && !key.utf8.contains(UInt8(ascii: " "))
    let known = words.joined(separator: " ")
    if !isName, !FactPhrases.keys.contains(known) {
      guard !Self.canBeSeveral(last) else { return nil }
      // A capital begins a sentence, a heading or a name: `Anna: …`.
      let isLower = key.unicodeScalars.first?.properties.isUppercase == false
      guard FactPhrases.leadingKeys.contains(first) || (isLower && words.count == 1) else {
        return nil
      }
    }
    slot = words.map { $0 == "favorite" ? "favourite" : $0 }.joined(separator: "_")
    let said = FactWords.words(of: String(after)).map(\.text).joined(separator: " ")
    form = "\(slot): \(said)"
  }

  /// Whether somebody can have several of it, as with friends and hobbies.
  static func canBeSeveral(_ word: String) -> Bool {
    if FactPhrases.several.contains(word) { return true }
    guard word.hasSuffix("s") else { return false }
    return !["ss", "us", "is", "as"].contains { word.hasSuffix($0) }
  }
}

/// A sentence about somebody that a phrase of the table is in.
private struct FactStatement {
  var form: String
  var slot: String?
  var denies: FactReading.Denial?
  var kind: String?
  var validFrom: Timestamp?
  var until: Timestamp?
  var isNegated = false

  init?(_ all: [FactWord], _ dates: FactDates) {
    var words = all
    var start = 0
    // `Since May she …`
    if let leading = dates.marks.first(where: { $0.range.lowerBound == 0 }) {
      start = leading.range.upperBound
      if start >= words.count { return nil }
    }
    // What comes after the first date at the end is not the object.
    let tail = dates.marks.first { $0.range.lowerBound > start }?.range.lowerBound ?? words.count
    words = Array(words[start..<tail])
    isNegated = Self.takeNegation(from: &words)
    // `will live in Paris from next January` is true from then on.
    if dates.isAhead { words.removeAll { $0.text == "will" } }
    guard !words.contains(where: { FactPhrases.doubts.contains($0.text) }) else { return nil }
    words.removeAll { FactPhrases.adverbs.contains($0.text) }
    guard let (place, length, phrase) = Self.phrase(in: words) else { return nil }
    if let favourite = Self.favourite(words[..<place]), !isNegated,
      case .either("be", _) = phrase.relation,
      let said = Self.object(Array(words[(place + length)...]), of: phrase)
    {
      kind = "preference"
      slot = favourite
      form = "\(favourite): \(said)"
      validFrom = dates.since
      until = dates.until
      return
    }
    guard let subject = Self.subject(words[..<place]) else { return nil }
    var object = Array(words[(place + length)...])
    if !phrase.closing.isEmpty {
      guard let last = object.last, phrase.closing.contains(last.text) else { return nil }
      object.removeLast()
    }
    if phrase.isDenial { isNegated.toggle() }
    guard let said = Self.object(object, of: phrase) else { return nil }
    validFrom = phrase.isEvent ? dates.since ?? dates.inside : dates.since
    until = dates.until
    let who = subject.isEmpty ? "" : "\(subject): "
    let negation = isNegated ? "not " : ""
    switch phrase.relation {
    case .one(let name, let kind):
      self.kind = kind
      form = "\(who)\(negation)\(name) \(said)"
      if isNegated {
        denies = FactReading.Denial(slot: who + name, form: "\(who)\(name) \(said)")
      } else {
        slot = who + name
      }
    case .either(let name, let kind):
      self.kind = kind
      let verb = words[place..<(place + length)].map(\.text).joined(separator: " ")
      form = "\(who)\(negation)\(FactPhrases.basicForm[verb] ?? verb) \(said)"
      slot = "\(who)\(name) \(said)"
      if name == "be", let status = Self.status(said) {
        form = "\(who)\(negation)\(status) \(said)"
        guard isNegated else {
          slot = who + status
          return
        }
        slot = nil
        denies = FactReading.Denial(slot: who + status, form: "\(who)\(status) \(said)")
      }
    case .prefer:
      kind = "preference"
      form = "\(who)\(negation)prefer \(said)"
      slot = "\(who)prefer \(Self.alternative(in: said) ?? said)"
      if isNegated, Self.alternative(in: said) != nil {
        denies = FactReading.Denial(
          slot: slot ?? "", form: "\(who)prefer \(said)")
        slot = nil
      }
    }
  }

  /// `my favourite colour` as the key that it would be.
  private static func favourite(_ words: ArraySlice<FactWord>) -> String? {
    let texts = words.map(\.text)
    guard
      let owner = FactPhrases.owners.first(where: {
        texts.starts(with: $0.split(separator: " ").map(String.init))
      })
    else { return nil }
    let key = texts.dropFirst(owner.split(separator: " ").count)
    guard (2...3).contains(key.count), let first = key.first, let last = key.last,
      FactPhrases.leadingKeys.contains(first), !KeyedValue.canBeSeveral(last)
    else { return nil }
    return key.map { $0 == "favorite" ? "favourite" : $0 }.joined(separator: "_")
  }

  /// What somebody is that nobody can be two of at a time.
  private static func status(_ said: String) -> String? {
    if let status = FactPhrases.statuses[said.prefixWord] { return status }
    let isAge = said.utf8.first.map { (0x30...0x39).contains($0) } ?? false
    return isAge && ["years old", "year old", "jahre alt"].contains(where: said.hasSuffix)
      ? "age" : nil
  }

  /// Takes out what negates the sentence. More than one such word can mean anything.
  private static func takeNegation(from words: inout [FactWord]) -> Bool {
    var isNegated = false
    for phrase in FactPhrases.negations {
      var place = 0
      while place + phrase.count <= words.count {
        if words[place..<(place + phrase.count)].map(\.text) == phrase {
          words.removeSubrange(place..<(place + phrase.count))
          isNegated = true
        } else {
          place += 1
        }
      }
    }
    for (first, second) in FactPhrases.partedNegations {
      guard let head = words.firstIndex(where: { first.contains($0.text) }),
        let tail = words[head...].firstIndex(where: { second.contains($0.text) })
      else { continue }
      words.remove(at: tail)
      words.remove(at: head)
      isNegated = true
    }
    if isNegated {
      // `does not live`: the verb is that of `live in`.
      words.removeAll { FactPhrases.helpers.contains($0.text) }
    }
    return isNegated
  }

  /// The first phrase of the table, and the longest one there.
  private static func phrase(
    in words: [FactWord]
  ) -> (place: Int, length: Int, phrase: FactPhrase)? {
    for place in words.indices.prefix(5) {
      for length in stride(from: min(4, words.count - place), through: 1, by: -1) {
        let text = words[place..<(place + length)].map(\.text).joined(separator: " ")
        if let phrase = FactPhrases.table[text] { return (place, length, phrase) }
      }
    }
    return nil
  }

  /// Whose fact it is: empty for the user's; nil where that is not certain.
  private static func subject(_ words: ArraySlice<FactWord>) -> String? {
    let text = words.map(\.text).joined(separator: " ")
    if FactPhrases.users.contains(text) { return "" }
    for owner in FactPhrases.owners where text.hasPrefix(owner + " ") {
      let relative = String(text.dropFirst(owner.count + 1))
      return FactPhrases.relatives.contains(relative) ? relative : nil
    }
    guard (1...2).contains(words.count), !FactPhrases.pronouns.contains(text),
      words.allSatisfy({ $0.isCapital && !$0.isNumber })
    else { return nil }
    return text
  }

  /// The object in words without articles; nil where there may be two of them, or none that is certain.
  private static func object(_ words: [FactWord], of phrase: FactPhrase) -> String? {
    var words = words
    if let place = words.firstIndex(where: { FactPhrases.endings.contains($0.text) }), place > 0 {
      words.removeSubrange(place...)
    }
    guard let first = words.first, (1...6).contains(words.count),
      !words.contains(where: { FactPhrases.conjunctions.contains($0.text) })
    else { return nil }
    if phrase.needsName {
      // A name, and not `fear`, `a small flat` or `der Scheidung`. Scripts without capitals have none.
      guard
        first.isCapital || first.hasNoCase
          || (first.text == "the" && words.count > 1 && words[1].isCapital)
      else { return nil }
      guard !FactPhrases.noNames.contains(first.text) else { return nil }
    }
    let told = words.map(\.text).filter { !FactPhrases.articles.contains($0) }
    return told.isEmpty ? nil : told.joined(separator: " ")
  }

  /// `dark mode` as `dark|light mode`: what can only be one of a few.
  private static func alternative(in said: String) -> String? {
    var words = said.split(separator: " ").map(String.init)
    // `tea over coffee`
    if let place = words.firstIndex(where: { FactPhrases.comparing.contains($0) }), place > 0,
      place + 1 < words.count
    {
      let sides = [
        words[..<place].joined(separator: " "), words[(place + 1)...].joined(separator: " "),
      ]
      return sides.sorted().joined(separator: "|")
    }
    guard words.count >= 2,
      let group = FactPhrases.alternatives.first(where: { $0.contains(words[0]) })
    else { return nil }
    words[0] = group.joined(separator: "|")
    return words.joined(separator: " ")
  }
}

extension String {
  fileprivate var prefixWord: String { String(prefix { $0 != " " }) }
}

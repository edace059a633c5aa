/// Collects the words of one agent or tool, field by field.
struct TermCollector {
  var reader: Tokenizer
  /// The hash in the upper bits, then field and positions: sorting brings equal terms together.
  private var found: [UInt64] = []
  private var lengths = [Int](repeating: 0, count: RelevanceField.allCases.count)

  init(reader: Tokenizer) { self.reader = reader }

  mutating func names(_ id: String, _ name: String) {
    // Every agent is an agent, so the word says nothing.
    let generic = TermHash(stem: Array("agent".utf8))
    reader.read(id)
    let ownWords = Set(reader.tokens.map(\.hash))
    takeTokens(.name, .name) { $0 == generic }
    reader.read(name)
    // A name that only repeats the ID must not count twice.
    takeTokens(.name, .name) { $0 == generic || ownWords.contains($0) }
  }

  mutating func capability(_ text: String, _ field: RelevanceField) {
    reader.read(text)
    let words = reader.tokens.filter { $0.kind == .word }
    guard words.count > 1 else { return takeTokens(field, .whole) }
    takeTokens(field, .part)
    add(TermHash(phrase: words.map(\.hash)), field, .whole)
    if words.count == 2 {
      add(reader.joined(words[0], words[1]), field, .whole)
    }
  }

  mutating func text(_ text: String, _ field: RelevanceField, isSkill: Bool = false) {
    reader.read(text)
    var places: TermVector.Places =
      switch field {
      case .name: .name
      case .capabilities, .derived: .part
      case .description: .description
      case .examples: .examples
      case .surroundings, .parameters: .surroundings
      case .prompt: .prompt
      }
    if isSkill { places.insert(.part) }
    takeTokens(field, places)
  }

  /// The words, their compounds, and each pair of adjacent ones.
  private mutating func takeTokens(
    _ field: RelevanceField, _ places: TermVector.Places,
    except isLeftOut: (TermHash) -> Bool = { _ in
      false
    }
  ) {
    var previous: TermHash?
    for token in reader.tokens {
      switch token.kind {
      case .word:
        guard !isLeftOut(token.hash) else { continue }
        add(token.hash, field, places)
        lengths[Int(field.rawValue)] += 1
        // Of a prompt single words are enough: it is long, and mentions much in passing.
        if field != .prompt, let previous {
          add(TermHash(phrase: [previous, token.hash]), field, places)
        }
        previous = token.hash
      case .compound: if !isLeftOut(token.hash) { add(token.hash, field, places) }
      case .stopWord: continue
      case .end: previous = nil
      }
    }
  }

  private mutating func add(
    _ hash: TermHash, _ field: RelevanceField, _ places: TermVector.Places
  ) {
    found.append(
      UInt64(hash.bits) << 32 | UInt64(field.rawValue) << 8 | UInt64(places.rawValue))
  }

  mutating func terms() -> [TermVector.Term] {
    found.sort()
    var terms: [TermVector.Term] = []
    terms.reserveCapacity(found.count)
    var index = 0
    while index < found.count {
      let bits = UInt32(truncatingIfNeeded: found[index] >> 32)
      var term = TermVector.Term(hash: TermHash(bits: bits), weight: 0, places: [])
      while index < found.count, UInt32(truncatingIfNeeded: found[index] >> 32) == bits {
        let number = UInt8(truncatingIfNeeded: found[index] >> 8)
        var count = 0
        while index < found.count, found[index] >> 8 == UInt64(bits) << 24 | UInt64(number) {
          term.places.formUnion(.init(rawValue: UInt8(truncatingIfNeeded: found[index])))
          count += 1
          index += 1
        }
        let field = RelevanceField.allCases[Int(number)]
        term.weight += field.weight(of: count, inLength: lengths[Int(number)])
      }
      terms.append(term)
    }
    return terms
  }
}

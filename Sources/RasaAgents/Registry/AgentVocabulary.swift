import RasaPersona
import RasaCore

/// Built by the first caller, and kept as long as the registry.
final class LazyVocabulary: Sendable {
  private let made = Locked<AgentVocabulary?>(nil)

  func of(_ registry: AgentRegistry) -> AgentVocabulary {
    if let vocabulary = made.withLock({ $0 }) { return vocabulary }
    // Outside the lock: two concurrent first callers both build it, and neither waits.
    let vocabulary = AgentVocabulary(registry.entries)
    return made.withLock { made in
      if let made { return made }
      made = vocabulary
      return vocabulary
    }
  }
}

/// The texts that fuzzy searches compare: IDs, names and the distinct words of all descriptions,
/// tags and capabilities, lowercased, with the entries of each word. So a word that ten thousand
/// agents use is compared once.
struct AgentVocabulary: Sendable {
  let ids: ScalarTexts
  let names: ScalarTexts
  let words: ScalarTexts
  /// The entries with word `n` are at `begins[n]` to `begins[n + 1]`; the bits of those that have
  /// it only as a tag or in a capability are inverted.
  private let begins: [Int32]
  private let occurrences: [Int32]

  init(_ entries: [AgentRegistry.Entry]) {
    var ids = ScalarTexts()
    var names = ScalarTexts()
    var words = DistinctTexts()
    /// Pairs of a word and an entry; a repeated word of a description counts once.
    var pairs: [(word: Int32, entry: Int32)] = []
    var lastEntry: [Int32] = []
    pairs.reserveCapacity(entries.count * 24)
    for (index, entry) in entries.enumerated() {
      let entryIndex = Int32(clamping: index)
      ids.append(entry.agent.id)
      names.append(entry.agent.name)
      func add(_ text: String, as mark: Int32) {
        forEachWord(of: text) { word in
          let number = words.number(of: word)
          if number == lastEntry.count { lastEntry.append(-1) }
          if lastEntry[number] != entryIndex {
            lastEntry[number] = entryIndex
            pairs.append((Int32(clamping: number), mark))
          }
        }
      }
      add(entry.agent.description, as: entryIndex)
      for text in entry.agent.capabilities + entry.agent.tags { add(text, as: ~entryIndex) }
    }
    var begins = [Int32](repeating: 0, count: words.texts.count + 1)
    for pair in pairs { begins[Int(pair.word) + 1] += 1 }
    for index in 1..<max(1, begins.count) { begins[index] += begins[index - 1] }
    var next = begins
    var occurrences = [Int32](repeating: 0, count: pairs.count)
    for pair in pairs {
      occurrences[Int(next[Int(pair.word)])] = pair.entry
      next[Int(pair.word)] += 1
    }
    self.ids = ids
    self.names = names
    self.words = words.texts
    self.begins = begins
    self.occurrences = occurrences
  }

  func forEachEntry(with word: Int, _ body: (Int, AgentMatch.Field) -> Void) {
    for position in begins[word]..<begins[word + 1] {
      let entry = occurrences[Int(position)]
      body(Int(entry < 0 ? ~entry : entry), entry < 0 ? .capability : .description)
    }
  }
}

/// Many short texts, one after the other, as scalar values.
struct ScalarTexts: Sendable {
  private var scalars: [UInt32] = []
  private var ends: [Int] = [0]

  var count: Int { ends.count - 1 }

  /// Lowercased.
  mutating func append(_ text: String) {
    scalars.append(contentsOf: loweredScalars(text))
    ends.append(scalars.count)
  }

  mutating func append(_ text: [UInt32]) {
    scalars.append(contentsOf: text)
    ends.append(scalars.count)
  }

  func forEach(_ body: (Int, Span<UInt32>) -> Void) {
    let all = scalars.span
    for index in 0..<count { body(index, all.extracting(ends[index]..<ends[index + 1])) }
  }

  func equals(_ index: Int, _ text: [UInt32]) -> Bool {
    let begin = ends[index]
    guard ends[index + 1] - begin == text.count else { return false }
    for offset in text.indices where scalars[begin + offset] != text[offset] { return false }
    return true
  }
}

/// Distinct texts, found by their contents.
private struct DistinctTexts {
  private(set) var texts = ScalarTexts()
  private var hashes: [UInt64] = []
  /// Numbers plus one; a power of two, at most half full.
  private var table = [Int32](repeating: 0, count: 1 << 12)

  /// The number of the text; a new text gets the next one.
  mutating func number(of text: [UInt32]) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for scalar in text { hash = (hash ^ UInt64(scalar)) &* 0x9E37_79B9_7F4A_7C15 }
    hash ^= hash >> 32
    let mask = UInt64(table.count - 1)
    var slot = Int(hash & mask)
    while table[slot] != 0 {
      let number = Int(table[slot]) - 1
      if hashes[number] == hash, texts.equals(number, text) { return number }
      slot = (slot + 1) & Int(mask)
    }
    texts.append(text)
    hashes.append(hash)
    table[slot] = Int32(clamping: hashes.count)
    if hashes.count * 2 > table.count { grow() }
    return hashes.count - 1
  }

  private mutating func grow() {
    table = [Int32](repeating: 0, count: table.count * 2)
    let mask = table.count - 1
    for (number, hash) in hashes.enumerated() {
      var slot = Int(hash & UInt64(mask))
      while table[slot] != 0 { slot = (slot + 1) & mask }
      table[slot] = Int32(clamping: number + 1)
    }
  }
}

/// The lowercased text as scalar values.
func loweredScalars(_ text: String) -> [UInt32] {
  var scalars: [UInt32] = []
  scalars.reserveCapacity(text.utf8.count)
  for byte in text.utf8 {
    guard byte < 0x80 else { return text.lowercased().unicodeScalars.map(\.value) }
    scalars.append(UInt32(byte | (isUpper(byte) ? 0x20 : 0)))
  }
  return scalars
}

/// The words of a text, lowercased: letters, digits and their marks, without the characters
/// between.
func forEachWord(of text: String, _ body: ([UInt32]) -> Void) {
  var word: [UInt32] = []
  word.reserveCapacity(32)
  // Nearly all texts are ASCII.
  guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
    for scalar in text.unicodeScalars {
      if isPartOfWord(scalar) {
        word.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars.map(\.value))
      } else if !word.isEmpty {
        body(word)
        word.removeAll(keepingCapacity: true)
      }
    }
    if !word.isEmpty { body(word) }
    return
  }
  let bytes = text.utf8.span
  for index in bytes.indices {
    let byte = bytes[index]
    let lowered = byte | 0x20
    if lowered >= UInt8(ascii: "a"), lowered <= UInt8(ascii: "z") {
      word.append(UInt32(lowered))
    } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      word.append(UInt32(byte))
    } else if !word.isEmpty {
      body(word)
      word.removeAll(keepingCapacity: true)
    }
  }
  if !word.isEmpty { body(word) }
}

private func isPartOfWord(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
    .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber:
    true
  default: false
  }
}

private func isUpper(_ byte: UInt8) -> Bool {
  byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
}

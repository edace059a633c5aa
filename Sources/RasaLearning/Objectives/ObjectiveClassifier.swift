import RasaCore

/// Tells by its words which kind of task a text is.
package struct ObjectiveClassifier: Sendable {
  package static let unknown = "unknown"

  fileprivate struct Sign: Sendable {
    var category: Int
    /// Words that follow each other, in lower case; the last may be the beginning of one.
    var words: [[UInt8]]
    var isBeginning: Bool
  }

  private let categories: [String]
  /// By the first two bytes of the first word.
  private var signs: [UInt16: [Sign]] = [:]
  /// Words of scripts that put no spaces between words: they are looked for anywhere.
  private var parts: [(category: Int, bytes: [UInt8])] = []

  /// - Parameter objectives: for each category its words, in the order in which categories win a tie.
  package init(_ objectives: [(category: String, words: [String])]) {
    categories = objectives.map(\.category)
    for (category, objective) in objectives.enumerated() {
      for entry in objective.words { add(entry, to: category) }
    }
  }

  private mutating func add(_ entry: String, to category: Int) {
    var bytes = Array(entry.lowercased().utf8)
    let isBeginning = bytes.last == UInt8(ascii: "*")
    if isBeginning { bytes.removeLast() }
    if entry.unicodeScalars.contains(where: { $0.value >= 0x2E80 }) {
      parts.append((category, bytes))
      return
    }
    let words = Self.words(of: bytes)
    guard let first = words.first else { return }
    signs[Self.key(first), default: []].append(
      Sign(category: category, words: words, isBeginning: isBeginning))
  }

  private static func key(_ word: [UInt8]) -> UInt16 {
    UInt16(word[0]) << 8 | UInt16(word.count > 1 ? word[1] : 0)
  }

  private static func words(of bytes: [UInt8]) -> [[UInt8]] {
    bytes.split { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "'"), 0x80...:
        false
      default: true
      }
    }.map(Array.init)
  }

  /// The category and the words that say so; `unknown` where none does. The task is usually said at the beginning: a
  /// word in the first hundred counts in full, and what follows a long text pasted into it only as much as that.
  package func classify(_ text: String) -> (category: String, signs: [String]) {
    let bytes = Array(String(text.prefix(utf8: Self.mostBytes)).lowercased().utf8)
    let words = Self.words(of: bytes)
    var points = Array(repeating: 0, count: categories.count)
    var found = Array(repeating: [String](), count: categories.count)
    func count(_ category: Int, _ sign: String, _ place: Int) {
      // Each word once, so that a long text does not win by repeating itself.
      guard !found[category].contains(sign) else { return }
      found[category].append(sign)
      points[category] += place < 12 ? 3 : place < 100 ? 2 : 1
    }
    for (place, word) in words.enumerated() {
      for sign in signs[Self.key(word)] ?? [] where sign.matches(words, at: place) {
        count(
          sign.category,
          words[place..<place + sign.words.count].map { String(decoding: $0, as: UTF8.self) }
            .joined(separator: " "), place)
      }
    }
    for part in parts where bytes.contains(part.bytes) {
      count(part.category, String(decoding: part.bytes, as: UTF8.self), 0)
    }
    guard let most = points.max(), most > 0, let best = points.firstIndex(of: most) else {
      return (Self.unknown, [])
    }
    return (categories[best], found[best])
  }

  private static let mostBytes = 8_192
}

extension ObjectiveClassifier.Sign {
  fileprivate func matches(_ text: [[UInt8]], at place: Int) -> Bool {
    guard place + words.count <= text.count else { return false }
    for (offset, word) in words.enumerated() {
      let found = text[place + offset]
      if offset == words.count - 1, isBeginning {
        guard found.starts(with: word) else { return false }
      } else if found != word {
        return false
      }
    }
    return true
  }
}

extension String {
  /// As many whole scalars as fit into so many bytes.
  fileprivate func prefix(utf8 count: Int) -> Substring {
    guard utf8.count > count else { return self[...] }
    var end = utf8.index(utf8.startIndex, offsetBy: count)
    while end > utf8.startIndex, utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
    return self[..<end]
  }
}

extension Array where Element == UInt8 {
  fileprivate func contains(_ part: [UInt8]) -> Bool {
    guard let first = part.first, part.count <= count else { return false }
    for start in 0...(count - part.count) where self[start] == first {
      if self[start..<start + part.count].elementsEqual(part) { return true }
    }
    return false
  }
}

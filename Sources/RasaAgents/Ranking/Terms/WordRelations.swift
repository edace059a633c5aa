import Glibc
import RasaSystem

/// Which English words are near each other in meaning, and how rare a word is: `lamp` and `bulb` where a task and an
/// agent use different words. `Scripts/words.py` makes the table and says from what.
///
/// ```
/// count of words u32 · count of pairs u32 · count × hash of the stem u32, the most frequent word first
/// for each word: its number of pairs with rarer words, then for each of those
///   4 × (its place − the place before it) + level
/// ```
/// Numbers are little-endian; those of pairs take seven bits a byte, the low ones first, and the upper bit says that more
/// follow.
package struct WordRelations: Sendable {
  private struct Near {
    var place: UInt16
    var level: UInt8
  }

  private let words: [TermHash]
  private let places: [TermHash: Int]
  /// By word: the end of its part of `near`.
  private let ends: [Int]
  private let near: [Near]

  /// How near each level is, of one for the same word.
  private static let levels = [0.33, 0.40, 0.50, 0.60]
  /// The most frequent words say nothing anyway: this far down they differ little.
  private static let flat = 10.0

  /// Nil if the bytes are not such a table.
  package init?(_ bytes: [UInt8]) {
    var reader = Reader(bytes: bytes)
    guard let count = reader.word(), let pairCount = reader.word(), count <= UInt16.max,
      UInt64(bytes.count) >= 8 + 4 * UInt64(count) + 2 * UInt64(pairCount)
    else { return nil }
    let words = (0..<Int(count)).compactMap { _ in reader.word().map(TermHash.init(bits:)) }
    var pairs: [(one: Int, other: Int, level: UInt8)] = []
    pairs.reserveCapacity(Int(pairCount))
    var degrees = [Int](repeating: 0, count: words.count)
    for one in words.indices {
      guard let pairsOfOne = reader.number() else { return nil }
      var other = one
      for _ in 0..<pairsOfOne {
        guard let number = reader.number() else { return nil }
        other += number >> 2
        guard other > one, other < words.count else { return nil }
        pairs.append((one, other, UInt8(number & 3)))
        degrees[one] += 1
        degrees[other] += 1
      }
    }
    guard pairs.count == Int(pairCount), reader.isAtEnd else { return nil }
    var next: [Int] = []
    var sum = 0
    for degree in degrees {
      next.append(sum)
      sum += degree
    }
    var near = [Near](repeating: Near(place: 0, level: 0), count: sum)
    for pair in pairs {
      near[next[pair.one]] = Near(place: UInt16(pair.other), level: pair.level)
      near[next[pair.other]] = Near(place: UInt16(pair.one), level: pair.level)
      next[pair.one] += 1
      next[pair.other] += 1
    }
    self.words = words
    self.near = near
    ends = next
    places = Dictionary(zip(words, words.indices)) { first, _ in first }
  }

  /// The words that are near a word, with how near they are, of one for the same word.
  func near(_ word: TermHash) -> [(word: TermHash, share: Double)] {
    guard let place = places[word] else { return [] }
    return near[(place == 0 ? 0 : ends[place - 1])..<ends[place]].map {
      (words[Int($0.place)], Self.levels[Int($0.level)])
    }
  }

  /// From nearly nothing for what everybody says to one for what the table does not have.
  func rarity(_ word: TermHash) -> Double {
    guard let place = places[word] else { return 1 }
    return log(Double(place) + Self.flat) / log(Double(words.count) + Self.flat)
  }

  /// The shipped table.
  package static let shipped = EmbeddedFiles.bytes(of: "models/words.bin").flatMap {
    WordRelations($0)
  }
}

private struct Reader {
  let bytes: [UInt8]
  private var place = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { place == bytes.count }

  mutating func word() -> UInt32? {
    guard bytes.count - place >= 4 else { return nil }
    defer { place += 4 }
    return UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place + 2]) << 16
      | UInt32(bytes[place + 3]) << 24
  }

  mutating func number() -> Int? {
    var value = 0
    for shift in [0, 7, 14] {
      guard place < bytes.count else { return nil }
      let byte = bytes[place]
      place += 1
      value |= Int(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }
}

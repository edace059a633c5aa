/// What is kept of an agent's words, in the bytes that `AgentTerms.note` makes and a kept index
/// holds: for each term its hash, its weight, and where it stands.
///
/// ```
/// version u8 · flags u8 · count u16 · count × hash u32, rising · count × weight u8 · count × places u8
/// ```
/// Numbers are little-endian. Any bytes can be read: those of another length or version hold nothing,
/// and others at worst the wrong terms.
struct AgentNote {
  static let version: UInt8 = 1
  static let headerSize = 4
  static let most = 4096
  /// A weight of one, as it is kept.
  static let weightUnit = 12.0

  /// Where a term stands.
  struct Places: OptionSet {
    var rawValue: UInt8
    /// It is a whole capability.
    static let whole = Places(rawValue: 1)
    /// It is a part of a longer one.
    static let part = Places(rawValue: 2)
    static let name = Places(rawValue: 4)
    static let description = Places(rawValue: 8)
    static let examples = Places(rawValue: 16)
    static let surroundings = Places(rawValue: 32)
    static let prompt = Places(rawValue: 64)

    static let capability: Places = [.whole, .part]
    /// What makes a word of a task one that counts.
    static let known: Places = [.whole, .part, .name, .description]
  }

  struct Term {
    var hash: TermHash
    var weight: Double
    var places: Places
  }

  /// The number of terms in these bytes; nil when they are no note.
  static func count(in bytes: [UInt8]) -> Int? {
    guard bytes.count >= headerSize, bytes[0] == version else { return nil }
    let count = Int(bytes[2]) | Int(bytes[3]) << 8
    return bytes.count == headerSize + 6 * count ? count : nil
  }

  static func encode(_ terms: [Term]) -> [UInt8] {
    let kept =
      terms.count > most
      ? Array(terms.sorted { $0.weight > $1.weight }.prefix(most)) : terms
    let terms = kept.sorted { $0.hash < $1.hash }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(headerSize + 6 * terms.count)
    bytes += [version, 0, UInt8(terms.count & 0xFF), UInt8(terms.count >> 8)]
    for term in terms {
      let bits = term.hash.bits
      for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }
    for term in terms {
      bytes.append(UInt8(max(1, min(255, (term.weight * weightUnit).rounded()))))
    }
    for term in terms { bytes.append(term.places.rawValue) }
    return bytes
  }
}

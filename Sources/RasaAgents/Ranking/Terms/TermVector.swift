/// What is kept of an agent's words, in the bytes that `AgentTerms.note` makes and a kept index
/// holds: for each term its hash, its weight, and where it stands; then the skills that were read from
/// its text where it declares none.
///
/// ```
/// version u8 · flags u8 · count u16 · bytes of skills u16
/// count × hash u32, rising · count × weight u8 · count × places u8 · skills, one a line
/// ```
/// Numbers are little-endian. Any bytes can be read: those of another length or version hold nothing,
/// and others at worst the wrong terms.
struct TermVector {
  static let version: UInt8 = 2
  static let headerSize = 6
  static let most = 4096
  /// A weight of one, as stored.
  static let weightUnit = 12.0

  /// The fields in which a term occurs.
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
    /// The fields that make a word of a task count.
    static let known: Places = [.whole, .part, .name, .description]
    /// The fields that say what an agent can do.
    static let skill: Places = [.whole, .part, .name, .description, .examples]
  }

  struct Flags: OptionSet {
    var rawValue: UInt8
    /// It neither declares a capability nor states its purpose.
    static let undescribed = Flags(rawValue: 1)
  }

  struct Term {
    var hash: TermHash
    var weight: Double
    var places: Places
  }

  /// The number of terms in these bytes; nil if they are not a note.
  static func count(in bytes: [UInt8]) -> Int? {
    guard bytes.count >= headerSize, bytes[0] == version else { return nil }
    let count = Int(bytes[2]) | Int(bytes[3]) << 8
    let skills = Int(bytes[4]) | Int(bytes[5]) << 8
    return bytes.count == headerSize + 6 * count + skills ? count : nil
  }

  static func flags(in bytes: [UInt8]) -> Flags {
    count(in: bytes) == nil ? [] : Flags(rawValue: bytes[1])
  }

  /// The skills that were derived from the agent's text.
  static func skills(in bytes: [UInt8]) -> [String] {
    guard let count = count(in: bytes) else { return [] }
    return bytes[(headerSize + 6 * count)...].split(separator: UInt8(ascii: "\n")).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  static func encode(_ terms: [Term], flags: Flags = [], skills: [String] = []) -> [UInt8] {
    let kept =
      terms.count > most
      ? Array(terms.sorted { $0.weight > $1.weight }.prefix(most)) : terms
    let terms = kept.sorted { $0.hash < $1.hash }
    let text = Array(skills.joined(separator: "\n").utf8.prefix(Int(UInt16.max)))
    var bytes: [UInt8] = []
    bytes.reserveCapacity(headerSize + 6 * terms.count + text.count)
    bytes += [version, flags.rawValue, UInt8(terms.count & 0xFF), UInt8(terms.count >> 8)]
    bytes += [UInt8(text.count & 0xFF), UInt8(text.count >> 8)]
    for term in terms {
      let bits = term.hash.bits
      for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }
    for term in terms {
      bytes.append(UInt8(max(1, min(255, (term.weight * weightUnit).rounded()))))
    }
    for term in terms { bytes.append(term.places.rawValue) }
    return bytes + text
  }
}

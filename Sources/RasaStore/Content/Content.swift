import RasaCore

/// The first half of a SHA-256.
typealias ContentDigest = [UInt8]

extension ContentDigest {
  static let digestLength = 16

  static func of(_ bytes: [UInt8]) -> ContentDigest {
    Array(Digest.sha256Bytes(bytes).prefix(digestLength))
  }
}

/// A value as the store keeps it: in parts, each of which is stored once however often it occurs.
///
/// A long text, and an array or object that is long even without such parts, is a *body* of its own; the value that
/// contains it refers to it by its digest. So the digest of a value covers all of its parts, and a context that
/// repeats the last twenty turns costs twenty references.
struct Content: Sendable, Hashable {
  struct Body: Sendable, Hashable {
    var bytes: [UInt8]
    /// Where digests of other bodies stand in the bytes.
    var references: [Reference]
    var digest: ContentDigest
  }

  struct Reference: Sendable, Hashable {
    var offset: Int
    /// Its place among the content's bodies.
    var body: Int
  }

  /// A short value itself; for a long one only the reference.
  var root: Body
  var isReference: Bool
  /// A body comes after those that it refers to.
  var bodies: [Body] = []
}

/// The binary format of values: a tag, then its data. Names and words that the runtime itself writes are numbers.
///
///     00 null · 01 false · 02 true · 03 double (8 bytes, lowest first) · 04 integer (zigzag)
///     05 reference: a digest where digests are made, a body's number in the file
///     06 text of 64 lower-case hexadecimal digits (32 bytes) · 07 text · 08 array · 09 object
///     0A known word (a byte) · 0B, at the start of a body: compressed, with the length before ·
///     0C text of base64, as the bytes that it stands for, with their number before ·
///     40…7F text of 0…63 bytes · 80…9F integers 0…31
///     A0…AF array of 0…15 · B0…BF object of 0…15 · C0…FF known word 0…63
///
/// Lengths and numbers are in groups of seven bits, lowest first. This form is released: tags and
/// words are added, never changed.
enum ContentTag {
  static let null: UInt8 = 0
  static let no: UInt8 = 1
  static let yes: UInt8 = 2
  static let double: UInt8 = 3
  static let integer: UInt8 = 4
  static let reference: UInt8 = 5
  static let digits: UInt8 = 6
  static let text: UInt8 = 7
  static let array: UInt8 = 8
  static let object: UInt8 = 9
  static let word: UInt8 = 10
  static let compressed: UInt8 = 11
  static let base64: UInt8 = 12
  static let shortText: UInt8 = 0x40
  static let smallInteger: UInt8 = 0x80
  static let shortArray: UInt8 = 0xA0
  static let shortObject: UInt8 = 0xB0
  static let shortWord: UInt8 = 0xC0
}

/// Documents are read with limits, so nothing deeper is written.
let deepestContent = 600

/// What an index knows of a word: 48 bits of its hash, which take few bytes in a file. Among 100,000 words two are the
/// same once in 50,000 collections.
package struct Term: Sendable, Hashable, Comparable {
  package let bits: Int64

  package init(bits: Int64) { self.bits = bits }

  /// - Parameter salt: terms of other salts are others.
  package init(_ word: some Sequence<UInt8>, salt: UInt64 = 0) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ salt
    for byte in word { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    // The low bits of such a hash depend on few bytes.
    hash = (hash ^ hash >> 32) &* 0xD6E8_FEB8_6659_FD93
    hash = (hash ^ hash >> 32) &* 0xD6E8_FEB8_6659_FD93
    bits = Int64((hash ^ hash >> 32) & 0xFFFF_FFFF_FFFF)
  }

  package static func < (one: Term, other: Term) -> Bool { one.bits < other.bits }
}

/// A word or phrase for comparison: 32 bits of its stems. Two of a thousand words collide once in
/// ten thousand registries.
package struct TermHash: Sendable, Hashable, Comparable {
  package var bits: UInt32

  package init(bits: UInt32) { self.bits = bits }

  /// Of a word, from the bytes of its stem.
  package init(stem: some Sequence<UInt8>) {
    bits = UInt32(truncatingIfNeeded: Self.mixed(Self.wide(stem)))
  }

  /// Of a phrase, from its words in any order: `reviews code` is `code review`.
  package init(phrase words: some Sequence<TermHash>) {
    var sum: UInt64 = 0x9E37_79B9_7F4A_7C15
    for word in words { sum &+= Self.mixed(UInt64(word.bits)) }
    bits = UInt32(truncatingIfNeeded: Self.mixed(sum))
  }

  package static func < (left: TermHash, right: TermHash) -> Bool { left.bits < right.bits }

  /// FNV-1a. Stored data depends on it, so it is not Swift's own.
  static func wide(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return hash
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var value = value
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

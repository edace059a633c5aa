/// Tells bytes that were damaged from whole ones. It is no protection from anybody.
package enum Checksum {
  /// Of the bytes from an offset on. Four sums run side by side, as a multiplication takes longer
  /// than what stands between two of them.
  package static func of(_ bytes: [UInt8], from start: Int = 0) -> UInt64 {
    let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
    return unsafe bytes.withUnsafeBytes { all in
      let start = min(max(0, start), all.count)
      let count = all.count - start
      var sums: (UInt64, UInt64, UInt64, UInt64) = (
        0x2545_F491_4F6C_DD1D, 0x9FB2_1C65_1E98_DF25, 0xD6E8_FEB8_6659_FD93, UInt64(count)
      )
      func word(_ offset: Int) -> UInt64 {
        unsafe UInt64(littleEndian: all.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      }
      func mixed(_ sum: UInt64, _ word: UInt64) -> UInt64 {
        let product = (sum ^ word) &* factor
        return product ^ (product >> 29)
      }
      var offset = start
      let end = start + count / 32 * 32
      while offset < end {
        sums.0 = mixed(sums.0, word(offset))
        sums.1 = mixed(sums.1, word(offset + 8))
        sums.2 = mixed(sums.2, word(offset + 16))
        sums.3 = mixed(sums.3, word(offset + 24))
        offset += 32
      }
      while offset < all.count {
        sums.0 = mixed(sums.0, UInt64(unsafe all[offset]) + 1)
        offset += 1
      }
      return mixed(mixed(mixed(mixed(factor, sums.0), sums.1), sums.2), sums.3)
    }
  }
}

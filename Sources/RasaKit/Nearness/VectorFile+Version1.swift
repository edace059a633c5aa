extension VectorFile {
  /// The checksum that files of version 1 begin with.
  static func oldChecksum(_ all: [UInt8]) -> UInt64 {
    let bytes = all.span.extracting(droppingFirst: headLength)
    var sums: [4 of UInt64] = [
      0x2545_F491_4F6C_DD1D, 0x9FB2_1C65_1E98_DF25, 0xD6E8_FEB8_6659_FD93, UInt64(bytes.count),
    ]
    func mixed(_ sum: UInt64, _ word: UInt64) -> UInt64 {
      let product = (sum ^ word) &* 0x9E37_79B9_7F4A_7C15
      return product ^ (product >> 29)
    }
    let blocks = bytes.count / 32
    for block in 0..<blocks {
      for lane in 0..<4 {
        var word: UInt64 = 0
        for byte in 0..<8 {
          word |= UInt64(bytes[block * 32 + lane * 8 + byte]) << (UInt64(byte) * 8)
        }
        sums[lane] = mixed(sums[lane], word)
      }
    }
    for place in blocks * 32..<bytes.count { sums[0] = mixed(sums[0], UInt64(bytes[place]) + 1) }
    var whole: UInt64 = 0x9E37_79B9_7F4A_7C15
    for lane in 0..<4 { whole = mixed(whole, sums[lane]) }
    return whole
  }
}

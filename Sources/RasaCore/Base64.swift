/// Base64 with padding (RFC 4648, section 4), in which providers take files and journals export them.
package enum Base64 {
  private static let signs = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let padding = UInt8(ascii: "=")
  private static let noSign: UInt8 = 0xFF

  private static let values: [UInt8] = {
    var values = [UInt8](repeating: noSign, count: 256)
    for (value, sign) in signs.enumerated() { values[Int(sign)] = UInt8(value) }
    return values
  }()

  /// The length of the text for so many bytes.
  package static func length(of count: Int) -> Int { (count + 2) / 3 * 4 }

  package static func encode(_ bytes: [UInt8]) -> String {
    let signs = signs
    var text: [UInt8] = []
    text.reserveCapacity(length(of: bytes.count))
    var index = 0
    while index + 2 < bytes.count {
      let word =
        UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8
        | UInt32(bytes[index + 2])
      text.append(signs[Int(word >> 18)])
      text.append(signs[Int(word >> 12 & 63)])
      text.append(signs[Int(word >> 6 & 63)])
      text.append(signs[Int(word & 63)])
      index += 3
    }
    let left = bytes.count - index
    if left > 0 {
      let word = UInt32(bytes[index]) << 16 | (left == 2 ? UInt32(bytes[index + 1]) << 8 : 0)
      text.append(signs[Int(word >> 18)])
      text.append(signs[Int(word >> 12 & 63)])
      text.append(left == 2 ? signs[Int(word >> 6 & 63)] : padding)
      text.append(padding)
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil for a text that `encode` would not produce, so that decoding and encoding gives the same text.
  package static func decode(_ text: String) -> [UInt8]? {
    let values = values
    let signs = text.utf8Span.span
    let count = signs.count
    guard count % 4 == 0 else { return nil }
    guard count > 0 else { return [] }
    let padded = signs[count - 1] != padding ? 0 : signs[count - 2] != padding ? 1 : 2
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count / 4 * 3)
    var word: UInt32 = 0
    for index in 0..<(count - padded) {
      let value = values[Int(signs[index])]
      guard value != noSign else { return nil }
      word = word << 6 | UInt32(value)
      if index & 3 == 3 {
        bytes.append(UInt8(truncatingIfNeeded: word >> 16))
        bytes.append(UInt8(truncatingIfNeeded: word >> 8))
        bytes.append(UInt8(truncatingIfNeeded: word))
        word = 0
      }
    }
    switch padded {
    case 1:
      guard word & 3 == 0 else { return nil }
      bytes.append(UInt8(truncatingIfNeeded: word >> 10))
      bytes.append(UInt8(truncatingIfNeeded: word >> 2))
    case 2:
      guard word & 15 == 0 else { return nil }
      bytes.append(UInt8(truncatingIfNeeded: word >> 4))
    default: break
    }
    return bytes
  }
}

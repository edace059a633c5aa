import RasaCore

/// JSON writes a character above U+FFFF as two escapes (`"\ud83d\ude42"`), and files that programs
/// write as JSON are read as YAML. libyaml refuses each half alone, so the halves are handed to it as
/// escapes of private characters that the file does not use, and are put together afterwards. The
/// text keeps its length, and with it every place.
struct SurrogateEscapes {
  /// The text to parse.
  let text: [UInt8]
  /// The private character that stands for U+D800.
  private let block: UInt32

  /// Nil for a text without such escapes, and for one that uses all private characters itself.
  init?(_ text: ArraySlice<UInt8>) {
    var places: [Int] = []
    var isFree = [true, true, true]
    let span = text.span
    var index = 0
    while index < span.count {
      let byte = span[index]
      if byte == UInt8(ascii: "\\") {
        if let value = Self.escape(span, at: index) {
          if Self.isSurrogate(value) { places.append(index) }
          if let used = Self.blocks.firstIndex(where: { $0..<$0 + 0x800 ~= value }) {
            isFree[used] = false
          }
        }
      } else if byte == 0xEE, index + 1 < span.count {
        isFree[span[index + 1] < 0xA0 ? 0 : 1] = false
      } else if byte == 0xEF, index + 1 < span.count, span[index + 1] < 0xA0 {
        isFree[2] = false
      }
      index += 1
    }
    guard !places.isEmpty, let free = isFree.firstIndex(of: true) else { return nil }
    block = Self.blocks[free]
    var bytes = Array(text)
    for place in places {
      guard let value = Self.escape(span, at: place) else { continue }
      let digits = String(
        value - 0xD800 + block, radix: 16, uppercase: bytes[place + 2] == UInt8(ascii: "D"))
      bytes.replaceSubrange(place + 2..<place + 6, with: digits.utf8)
    }
    self.text = bytes
  }

  private static let blocks: [UInt32] = [0xE000, 0xE800, 0xF000]

  private static func isSurrogate(_ value: UInt32) -> Bool { (0xD800..<0xE000).contains(value) }

  /// The value of `\uXXXX` or `\U0000XXXX`; nil when none stands there.
  private static func escape(_ span: Span<UInt8>, at index: Int) -> UInt32? {
    guard index + 1 < span.count else { return nil }
    let count: Int
    switch span[index + 1] {
    case UInt8(ascii: "u"): count = 4
    case UInt8(ascii: "U"): count = 8
    default: return nil
    }
    guard index + 2 + count <= span.count else { return nil }
    var value: UInt32 = 0
    for place in index + 2..<index + 2 + count {
      guard let digit = hexadecimalDigit(span[place]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return count == 8 && isSurrogate(value) ? nil : value
  }

  struct LoneHalf: Error {}

  /// What the file says, of a text that was parsed.
  func restored(_ parsed: String) throws(LoneHalf) -> String {
    let scalars = Array(parsed.unicodeScalars)
    let range = block..<block + 0x800
    var result = String.UnicodeScalarView()
    var index = 0
    while index < scalars.count {
      let scalar = scalars[index]
      if range.contains(scalar.value) {
        guard scalar.value < block + 0x400, index + 1 < scalars.count,
          (block + 0x400..<block + 0x800).contains(scalars[index + 1].value)
        else { throw LoneHalf() }
        let value =
          0x10000 + (scalar.value - block) << 10 + (scalars[index + 1].value - block - 0x400)
        if let whole = Unicode.Scalar(value) { result.append(whole) }
        index += 2
        continue
      }
      // Where a backslash is a letter like any other the digits stand in the text itself.
      if scalar == "\\", let digits = written(scalars, after: index) {
        result.append(contentsOf: digits.unicodeScalars)
        index += 6
        continue
      }
      result.append(scalar)
      index += 1
    }
    return String(result)
  }

  private func written(_ scalars: [Unicode.Scalar], after index: Int) -> String? {
    guard index + 6 <= scalars.count, scalars[index + 1] == "u" else { return nil }
    var value: UInt32 = 0
    for scalar in scalars[index + 2..<index + 6] {
      guard scalar.isASCII, let digit = hexadecimalDigit(UInt8(scalar.value)) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    guard (block..<block + 0x800).contains(value) else { return nil }
    let isUpper = ("A"..."F").contains(scalars[index + 2])
    return "\\u" + String(value - block + 0xD800, radix: 16, uppercase: isUpper)
  }
}

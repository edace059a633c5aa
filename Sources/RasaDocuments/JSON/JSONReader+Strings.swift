import RasaCore

/// A string as it stands in the document, between its quotes.
struct StringToken {
  var range: Range<Int>
  var hasEscapes: Bool
  var isASCII: Bool
}

extension JSONReader {
  /// The string whose opening quote stands here.
  func string(at quote: Int) throws(Failure) -> StringToken {
    let start = quote + 1
    var index = start
    var hasEscapes = false
    var seen: UInt8 = 0
    while true {
      let byte = text[index]
      seen |= byte
      switch byte {
      case UInt8(ascii: "\""):
        return StringToken(range: start..<index, hasEscapes: hasEscapes, isASCII: seen < 0x80)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        index += 2
      case 0..<0x20:
        if index < text.count {
          throw failure("a string contains a control character, which must be escaped", at: index)
        }
        throw failure("the string has no closing quote", at: quote)
      default: index += 1
      }
    }
  }

  func string(of token: StringToken) throws(Failure) -> String {
    let string =
      token.hasEscapes
      ? String(validating: try decoded(token), as: UTF8.self)
      : text.text(in: token.range, isASCII: token.isASCII)
    guard let string else { throw failure("a string is not UTF-8", at: token.range.lowerBound) }
    return string
  }

  private func decoded(_ token: StringToken) throws(Failure) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(token.range.count)
    var index = token.range.lowerBound
    while index < token.range.upperBound {
      let byte = text[index]
      index += 1
      guard byte == UInt8(ascii: "\\") else {
        decoded.append(byte)
        continue
      }
      // The scan has seen that something follows the backslash.
      let escape = text[index]
      index += 1
      switch escape {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): decoded.append(escape)
      case UInt8(ascii: "b"): decoded.append(0x08)
      case UInt8(ascii: "f"): decoded.append(0x0C)
      case UInt8(ascii: "n"): decoded.append(0x0A)
      case UInt8(ascii: "r"): decoded.append(0x0D)
      case UInt8(ascii: "t"): decoded.append(0x09)
      case UInt8(ascii: "u"):
        let scalar = try scalar(at: &index, before: token.range.upperBound)
        append(scalar, to: &decoded)
      default: throw failure("'\\' does not begin a valid escape", at: index - 2)
      }
    }
    return decoded
  }

  /// The scalar of a `\u` escape, after which the index stands; of a pair of them where the first
  /// is half a surrogate pair.
  private func scalar(at index: inout Int, before end: Int) throws(Failure) -> Unicode.Scalar {
    let first = try codeUnit(at: index, before: end)
    index += 4
    guard (0xD800..<0xDC00).contains(first) else {
      return Unicode.Scalar(first) ?? "\u{FFFD}"
    }
    guard index + 1 < end, text[index] == UInt8(ascii: "\\"),
      text[index + 1] == UInt8(ascii: "u")
    else { return "\u{FFFD}" }
    let second = try codeUnit(at: index + 2, before: end)
    guard (0xDC00..<0xE000).contains(second) else { return "\u{FFFD}" }
    index += 6
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
  }

  private func codeUnit(at index: Int, before end: Int) throws(Failure) -> UInt32 {
    guard index + 4 <= end else {
      throw failure("'\\u' is not followed by four hexadecimal digits", at: index - 2)
    }
    var unit: UInt32 = 0
    for offset in 0..<4 {
      guard let digit = hexadecimalDigit(text[index + offset]) else {
        throw failure("'\\u' is not followed by four hexadecimal digits", at: index - 2)
      }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }
}

private func append(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
  if scalar.isASCII {
    bytes.append(UInt8(truncatingIfNeeded: scalar.value))
  } else {
    bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }
}

func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}

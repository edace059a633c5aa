/// A layout of JSON.
package enum JSONStyle: Sendable {
  /// One line, members in their own order.
  case compact
  /// Two spaces, members in their own order.
  case pretty
  /// One line, members sorted by name: equal values give equal bytes, so digests are computed from this.
  case canonical
}

/// Which characters are written as `\uXXXX`.
package enum JSONEscapes: Sendable {
  /// Everything that a terminal would obey or not show, so that JSON can be printed anywhere; a parser
  /// still gets every byte. (Canonical JSON never does this.)
  case hidden
  /// Only what JSON requires: for models, which read the text as it is.
  case onlyNeeded
}

extension Value {
  package func json(
    _ style: JSONStyle = .compact, escaping escapes: JSONEscapes = .hidden
  ) -> String {
    String(decoding: jsonBytes(style, escaping: escapes), as: UTF8.self)
  }

  package func jsonBytes(
    _ style: JSONStyle = .compact, escaping escapes: JSONEscapes = .hidden
  ) -> [UInt8] {
    var writer = JSONWriter(
      style: style, escapesHidden: escapes == .hidden && style != .canonical)
    writer.bytes.reserveCapacity(128)
    writer.write(self, depth: 0)
    return writer.bytes
  }
}

private struct JSONWriter {
  let style: JSONStyle
  let escapesHidden: Bool
  var bytes: [UInt8] = []

  init(style: JSONStyle, escapesHidden: Bool) {
    self.style = style
    self.escapesHidden = escapesHidden
  }

  mutating func write(_ value: Value, depth: Int) {
    switch value {
    case .null: bytes += "null".utf8
    case .bool(let flag): bytes += (flag ? "true" : "false").utf8
    case .int(let number): bytes += String(number).utf8
    case .double(let number): write(number)
    case .string(let text): write(text)
    case .array(let elements):
      bytes.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        separate(index, depth: depth)
        write(element, depth: depth + 1)
      }
      close("]", isEmpty: elements.isEmpty, depth: depth)
    case .object(let object):
      bytes.append(UInt8(ascii: "{"))
      if style == .canonical {
        // Names that are equal to Swift are sorted by their bytes.
        let sorted = object.sorted {
          $0.key < $1.key
            || ($0.key == $1.key && $0.key.utf8.lexicographicallyPrecedes($1.key.utf8))
        }
        write(members: sorted, depth: depth)
      } else {
        write(members: object, depth: depth)
      }
      close("}", isEmpty: object.isEmpty, depth: depth)
    }
  }

  private mutating func write(members: some Sequence<(key: String, value: Value)>, depth: Int) {
    for (index, member) in members.enumerated() {
      separate(index, depth: depth)
      write(member.key)
      bytes.append(UInt8(ascii: ":"))
      if style == .pretty { bytes.append(UInt8(ascii: " ")) }
      write(member.value, depth: depth + 1)
    }
  }

  private mutating func separate(_ index: Int, depth: Int) {
    if index > 0 { bytes.append(UInt8(ascii: ",")) }
    breakLine(depth + 1)
  }

  private mutating func close(_ bracket: Unicode.Scalar, isEmpty: Bool, depth: Int) {
    if !isEmpty { breakLine(depth) }
    bytes.append(UInt8(ascii: bracket))
  }

  private mutating func breakLine(_ depth: Int) {
    guard style == .pretty else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: depth * 2))
  }

  /// JSON has no infinities; a whole number keeps its `.0` so that it reads back as it was. The
  /// two zeros are equal, so canonically they are one.
  private mutating func write(_ number: Double) {
    let number = style == .canonical && number == 0 ? 0 : number
    bytes += number.isFinite ? "\(number)".utf8 : "null".utf8
  }

  private mutating func write(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    if escapesHidden, Self.mayHoldHidden(text) {
      for scalar in text.unicodeScalars { writeEscaped(scalar) }
    } else if Self.needsEscapes(text) {
      for byte in text.utf8 { writeEscaped(byte) }
    } else {
      bytes += text.utf8
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func needsEscapes(_ text: String) -> Bool {
    text.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
  }

  /// False for nearly every text; true does not mean that there is a hidden character.
  private static func mayHoldHidden(_ text: String) -> Bool {
    text.utf8.contains { $0 >= 0x7F && mayBeginHidden($0) }
  }

  /// Delete, and the first bytes of the characters that are hidden.
  private static func mayBeginHidden(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x7F, 0xC2, 0xCD, 0xD8, 0xE1, 0xE2, 0xE3, 0xEF, 0xF0, 0xF3: true
    default: false
    }
  }

  private mutating func writeEscaped(_ scalar: Unicode.Scalar) {
    if scalar.value < 0x7F { return writeEscaped(UInt8(truncatingIfNeeded: scalar.value)) }
    guard scalar.isHidden || scalar.value == 0x2028 || scalar.value == 0x2029 else {
      bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
      return
    }
    for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { writeNumber(unit) }
  }

  private mutating func writeEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): bytes += #"\""#.utf8
    case UInt8(ascii: "\\"): bytes += #"\\"#.utf8
    case 0x0A: bytes += #"\n"#.utf8
    case 0x0D: bytes += #"\r"#.utf8
    case 0x09: bytes += #"\t"#.utf8
    case 0..<0x20: writeNumber(UInt16(byte))
    default: bytes.append(byte)
    }
  }

  private mutating func writeNumber(_ unit: UInt16) {
    let digits = Array("0123456789abcdef".utf8)
    bytes += #"\u"#.utf8
    for shift in [12, 8, 4, 0] as [UInt16] { bytes.append(digits[Int(unit >> shift & 15)]) }
  }
}

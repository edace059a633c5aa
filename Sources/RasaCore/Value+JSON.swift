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
    if let first = firstToEscape(in: text.utf8Span.span, from: 0) {
      write(Array(text.utf8), escapingFrom: first)
    } else {
      bytes += text.utf8
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Copies what lies between two escapes in one piece: a prompt has one in each line.
  private mutating func write(_ text: [UInt8], escapingFrom first: Int) {
    var start = 0
    var next: Int? = first
    while let index = next {
      bytes += text[start..<index]
      start = index + writeEscaped(text, at: index)
      next = firstToEscape(in: text.span, from: start)
    }
    bytes += text[start...]
  }

  private func firstToEscape(in text: borrowing Span<UInt8>, from start: Int) -> Int? {
    var index = start
    let count = text.count
    // Sixteen at a time while all of them are plain. The length is a constant, the bounds are checked once for each
    // block, and nothing branches, so that these are vector instructions.
    while index + 16 <= count {
      let block = text.extracting(index..<index + 16)
      var odd: UInt8 = 0
      for offset in 0..<16 { odd |= Self.isOdd(block[offset]) }
      if odd != 0 {
        for offset in 0..<16 where mayNeedEscape(block[offset]) { return index + offset }
      }
      index += 16
    }
    while index < count {
      if mayNeedEscape(text[index]) { return index }
      index += 1
    }
    return nil
  }

  /// 0 for a plain byte, 1 for one that JSON escapes or that is not ASCII. Without a branch.
  private static func isOdd(_ byte: UInt8) -> UInt8 {
    (byte &- 0x20 >= 0x5F ? 1 : 0) | (byte == UInt8(ascii: "\"") ? 1 : 0)
      | (byte == UInt8(ascii: "\\") ? 1 : 0)
  }

  /// Also of the first byte of a character that may be hidden.
  private func mayNeedEscape(_ byte: UInt8) -> Bool {
    byte < 0x7F ? Self.isOdd(byte) != 0 : escapesHidden && Self.mayBeginHidden(byte)
  }

  /// Delete, and the first bytes of the characters that are hidden.
  private static func mayBeginHidden(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x7F, 0xC2, 0xCD, 0xD8, 0xE1, 0xE2, 0xE3, 0xEF, 0xF0, 0xF3: true
    default: false
    }
  }

  /// Returns how many bytes of the text it has written.
  private mutating func writeEscaped(_ text: [UInt8], at index: Int) -> Int {
    let byte = text[index]
    guard byte >= 0x7F else {
      writeEscaped(byte)
      return 1
    }
    let length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
    let encoded = text[index..<min(index + length, text.count)]
    let scalar = String(decoding: encoded, as: UTF8.self).unicodeScalars.first ?? "\u{FFFD}"
    if scalar.isHidden || scalar.value == 0x2028 || scalar.value == 0x2029 {
      for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { writeNumber(unit) }
    } else {
      bytes += encoded
    }
    return encoded.count
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

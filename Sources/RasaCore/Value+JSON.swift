/// How a value is written as JSON.
package enum JSONStyle: Sendable {
  /// One line, members in their own order.
  case compact
  /// Two spaces, members in their own order.
  case pretty
  /// One line, members sorted by name: equal values give equal bytes, so this is what digests see.
  case canonical
}

extension Value {
  package func json(_ style: JSONStyle = .compact) -> String {
    String(decoding: jsonBytes(style), as: UTF8.self)
  }

  package func jsonBytes(_ style: JSONStyle = .compact) -> [UInt8] {
    var writer = JSONWriter(style: style)
    writer.bytes.reserveCapacity(128)
    writer.write(self, depth: 0)
    return writer.bytes
  }
}

private struct JSONWriter {
  let style: JSONStyle
  var bytes: [UInt8] = []

  init(style: JSONStyle) { self.style = style }

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
        write(members: object.sorted { $0.key < $1.key }, depth: depth)
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
    if Self.needsEscapes(text) { writeEscaped(text) } else { bytes += text.utf8 }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func needsEscapes(_ text: String) -> Bool {
    text.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
  }

  private mutating func writeEscaped(_ text: String) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes += #"\""#.utf8
      case UInt8(ascii: "\\"): bytes += #"\\"#.utf8
      case 0x0A: bytes += #"\n"#.utf8
      case 0x0D: bytes += #"\r"#.utf8
      case 0x09: bytes += #"\t"#.utf8
      case 0..<0x20:
        let digits = Array("0123456789abcdef".utf8)
        bytes += #"\u00"#.utf8
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
  }
}

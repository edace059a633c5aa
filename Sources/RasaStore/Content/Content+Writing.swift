import RasaCore

extension Content {
  /// A text of at least this length is a body. Chosen by measuring the store's size.
  static let shortestBody = 192
  /// The same for arrays and objects, without their own bodies. More of them are repeated than texts.
  static let shortestContainer = 96
  /// A whole line is hardly ever repeated, so only a long one becomes a body.
  static let shortestWhole = 1024

  /// With `asBody` a short value is a body, too.
  init(_ value: Value, asBody: Bool = false) {
    var writer = ContentWriter()
    writer.write(value, depth: 0)
    let isLong = asBody || writer.bytes.count >= Self.shortestWhole || value.isLongText
    if isLong { writer.cut(at: 0, referencesFrom: 0) }
    root = Body(bytes: writer.bytes, references: writer.references, digest: [])
    isReference = isLong
    bodies = writer.bodies
  }
}

extension Value {
  fileprivate var isLongText: Bool {
    if case .string(let text) = self { text.utf8.count >= Content.shortestBody } else { false }
  }
}

private struct ContentWriter {
  var bytes: [UInt8] = []
  var references: [Content.Reference] = []
  var bodies: [Content.Body] = []

  init() { bytes.reserveCapacity(256) }

  func isLong(_ value: Value, from start: Int) -> Bool {
    switch value {
    case .string: bytes.count - start >= Content.shortestBody
    case .array, .object: bytes.count - start >= Content.shortestContainer
    default: false
    }
  }

  /// Replaces everything from `start` on by a reference to a new body.
  mutating func cut(at start: Int, referencesFrom first: Int) {
    let content = Array(bytes[start...])
    let body = Content.Body(
      bytes: content,
      references: references[first...].map {
        Content.Reference(offset: $0.offset - start, body: $0.body)
      },
      digest: .of(content))
    bytes.removeSubrange(start...)
    references.removeSubrange(first...)
    bytes.append(ContentTag.reference)
    references.append(Content.Reference(offset: bytes.count, body: bodies.count))
    bytes += body.digest
    bodies.append(body)
  }

  private mutating func writePart(_ value: Value, depth: Int) {
    let start = bytes.count
    let first = references.count
    write(value, depth: depth)
    if isLong(value, from: start) { cut(at: start, referencesFrom: first) }
  }

  mutating func write(_ value: Value, depth: Int) {
    switch value {
    case .null: bytes.append(ContentTag.null)
    case .bool(let flag): bytes.append(flag ? ContentTag.yes : ContentTag.no)
    case .int(let number):
      if (0..<32).contains(number) {
        bytes.append(ContentTag.smallInteger + UInt8(number))
      } else {
        bytes.append(ContentTag.integer)
        bytes.appendNumber(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
      }
    case .double(let number):
      bytes.append(ContentTag.double)
      for shift in 0..<8 {
        bytes.append(UInt8(truncatingIfNeeded: number.bitPattern >> UInt64(shift * 8)))
      }
    case .string(let text): write(text)
    case .array(let elements) where depth < deepestContent:
      bytes.append(count: elements.count, short: ContentTag.shortArray, long: ContentTag.array)
      for element in elements { writePart(element, depth: depth + 1) }
    case .object(let object) where depth < deepestContent:
      bytes.append(count: object.count, short: ContentTag.shortObject, long: ContentTag.object)
      for (key, value) in object {
        write(key)
        writePart(value, depth: depth + 1)
      }
    case .array, .object: bytes.append(ContentTag.null)
    }
  }

  private mutating func write(_ text: String) {
    let count = text.utf8.count
    if count <= 32, let word = ContentWords.numbers[text] {
      if word < 64 {
        bytes.append(ContentTag.shortWord + word)
      } else {
        bytes += [ContentTag.word, word]
      }
    } else if count == 64, let digits = text.hexadecimalBytes {
      bytes.append(ContentTag.digits)
      bytes += digits
    } else if count < 64 {
      bytes.append(ContentTag.shortText + UInt8(count))
      bytes += text.utf8
    } else if count >= Self.shortestBase64, let content = Base64.decode(text) {
      // Attachments: a quarter less, and not compressible.
      bytes.append(ContentTag.base64)
      bytes.appendNumber(UInt64(content.count))
      bytes += content
    } else {
      bytes.append(ContentTag.text)
      bytes.appendNumber(UInt64(count))
      bytes += text.utf8
    }
  }

  private static let shortestBase64 = 256
}

extension [UInt8] {
  /// In groups of seven bits, the lowest first.
  mutating func appendNumber(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  fileprivate mutating func append(count: Int, short: UInt8, long: UInt8) {
    if count < 16 {
      append(short + UInt8(count))
    } else {
      append(long)
      appendNumber(UInt64(count))
    }
  }
}

extension String {
  /// The bytes of a text of lower-case hexadecimal digits; nil for any other text.
  fileprivate var hexadecimalBytes: [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    var high: UInt8?
    for byte in utf8 {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return bytes
  }
}

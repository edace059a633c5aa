import RasaCore
import RasaSQLite

/// Thrown for bytes that are not valid content: damaged, or of a later format.
struct DamagedContent: Error {}

/// A decoded body.
struct KnownBody {
  var value: Value
  var digest: ContentDigest
}

/// Decodes content from the file, in which references are numbers of bodies; `resolve` returns the body of a number.
struct ContentReader {
  private let bytes: [UInt8]
  private let resolve: (Int64, Int) throws -> KnownBody
  private var position = 0
  /// The input of the digest: the bytes with digests in place of numbers.
  private var digested: [UInt8] = []
  private var copied = 0

  /// The value, and the input of its digest.
  static func read(
    _ bytes: [UInt8], depth: Int = 0, resolve: (Int64, Int) throws -> KnownBody
  ) throws -> (value: Value, digested: [UInt8]) {
    try withoutActuallyEscaping(resolve) { resolve in
      var reader = ContentReader(bytes, resolve: resolve)
      let value = try reader.value(depth: depth)
      guard reader.position == bytes.count else { throw DamagedContent() }
      if reader.copied == 0 { return (value, bytes) }
      reader.digested += bytes[reader.copied...]
      return (value, reader.digested)
    }
  }

  /// A body's bytes, expanded if they are compressed.
  static func expanded(_ bytes: [UInt8]) throws -> [UInt8] {
    guard bytes.first == ContentTag.compressed else { return bytes }
    var reader = ContentReader(bytes) { _, _ in throw DamagedContent() }
    reader.position = 1
    let count = try reader.number()
    guard let count = Int(exactly: count),
      let expanded = Deflate.expand(Array(bytes[reader.position...]), count: count)
    else { throw DamagedContent() }
    return expanded
  }

  /// The bodies that content refers to.
  static func references(in bytes: [UInt8]) throws -> [Int64] {
    var numbers: [Int64] = []
    _ = try read(bytes) { number, _ in
      numbers.append(number)
      return KnownBody(value: .null, digest: [])
    }
    return numbers
  }

  private init(_ bytes: [UInt8], resolve: @escaping (Int64, Int) throws -> KnownBody) {
    self.bytes = bytes
    self.resolve = resolve
  }

  private mutating func value(depth: Int) throws -> Value {
    guard depth <= deepestContent else { throw DamagedContent() }
    let tag = try byte()
    switch tag {
    case ContentTag.null: return .null
    case ContentTag.no: return .bool(false)
    case ContentTag.yes: return .bool(true)
    case ContentTag.double:
      var bits: UInt64 = 0
      for shift in 0..<8 { bits |= UInt64(try byte()) << UInt64(shift * 8) }
      return .double(Double(bitPattern: bits))
    case ContentTag.integer:
      let number = try number()
      return .int(Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1))
    case ContentTag.reference: return try reference(depth: depth)
    case ContentTag.array: return try array(try count(), depth: depth)
    case ContentTag.object: return try object(try count(), depth: depth)
    case ContentTag.smallInteger..<ContentTag.shortArray:
      return .int(Int64(tag - ContentTag.smallInteger))
    case ContentTag.shortArray..<ContentTag.shortObject:
      return try array(Int(tag - ContentTag.shortArray), depth: depth)
    case ContentTag.shortObject..<ContentTag.shortWord:
      return try object(Int(tag - ContentTag.shortObject), depth: depth)
    default: return .string(try text(tag))
    }
  }

  private mutating func text(_ tag: UInt8) throws -> String {
    switch tag {
    case ContentTag.digits:
      let digits = Array("0123456789abcdef".utf8)
      let text = try take(32).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
      return String(decoding: text, as: UTF8.self)
    case ContentTag.text: return try string(try count())
    case ContentTag.base64: return Base64.encode(Array(try take(try count())))
    case ContentTag.word: return try word(Int(try byte()))
    case ContentTag.shortText..<ContentTag.smallInteger:
      return try string(Int(tag - ContentTag.shortText))
    case ContentTag.shortWord...: return try word(Int(tag - ContentTag.shortWord))
    default: throw DamagedContent()
    }
  }

  private mutating func array(_ count: Int, depth: Int) throws -> Value {
    var elements: [Value] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try value(depth: depth + 1)) }
    return .array(elements)
  }

  private mutating func object(_ count: Int, depth: Int) throws -> Value {
    var object = ValueObject()
    for _ in 0..<count {
      let key = try text(try byte())
      object[key] = try value(depth: depth + 1)
    }
    return .object(object)
  }

  private mutating func reference(depth: Int) throws -> Value {
    digested += bytes[copied..<position]
    guard let number = Int64(exactly: try number()) else { throw DamagedContent() }
    let body = try resolve(number, depth + 1)
    digested += body.digest
    copied = position
    return body.value
  }

  private func word(_ number: Int) throws -> String {
    guard number < ContentWords.all.count else { throw DamagedContent() }
    return ContentWords.all[number]
  }

  private mutating func byte() throws -> UInt8 {
    guard position < bytes.count else { throw DamagedContent() }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
    guard count <= bytes.count - position else { throw DamagedContent() }
    defer { position += count }
    return bytes[position..<position + count]
  }

  private mutating func string(_ count: Int) throws -> String {
    String(decoding: try take(count), as: UTF8.self)
  }

  /// Of elements or bytes: each takes one at least.
  private mutating func count() throws -> Int {
    guard let count = Int(exactly: try number()), count <= bytes.count - position else {
      throw DamagedContent()
    }
    return count
  }

  private mutating func number() throws -> UInt64 {
    var number: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let byte = try byte()
      number |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return number }
    }
    throw DamagedContent()
  }
}

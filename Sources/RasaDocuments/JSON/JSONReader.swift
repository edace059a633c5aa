package import RasaCore

/// Walks a JSON document without building it: the way to take a few fields out of many small ones.
///
///     var reader = try JSONReader(payload)
///     guard try reader.enterObject() else { return }
///     while let key = try reader.nextKey() {
///       switch key {
///       case "model": model = try reader.string()
///       case "usage": usage = try reader.value()
///       default: break
///       }
///     }
///     try reader.finish()
///
/// A value that is not read is skipped by the next call, so `default: break` is right. A value of
/// another type than the one asked for is skipped too, and the answer is nil or false: servers send
/// null where their documentation promises an object. What is skipped is checked for its grammar,
/// not for its escapes and its UTF-8. Each loop over members or elements has to run to its end.
package struct JSONReader {
  package enum Kind: Sendable {
    case null, bool, number, string, array, object
  }

  let text: JSONText
  private let name: String
  private(set) var position = 0
  /// Where the string that was read last began.
  private(set) var lastString = 0
  private let depthLimit: Int
  /// Whether a failure has its place, which costs a pass over the text.
  private let locatesFailures: Bool
  private var depth = 0
  /// Nothing has been read yet of the object or array just entered.
  private var justOpened = false
  /// A value is due and has not been read.
  private var valuePending = true

  package init(
    _ bytes: ArraySlice<UInt8>, named name: String = "JSON", limits: JSONLimits = JSONLimits()
  ) throws(Failure) {
    if bytes.count > limits.bytes {
      throw Failure(
        .configuration, "the JSON is larger than \(limits.bytes) bytes",
        suggestion: "send less, or raise the limit",
        at: SourceLocation(file: name, line: 0, column: 0))
    }
    text = JSONText(bytes)
    self.name = name
    depthLimit = limits.depth
    locatesFailures = true
  }

  package init(
    _ bytes: [UInt8], named name: String = "JSON", limits: JSONLimits = JSONLimits()
  ) throws(Failure) {
    try self.init(bytes[...], named: name, limits: limits)
  }

  /// A reader that only tells whether there is JSON, for trying many places of a text.
  init(trying text: JSONText, at position: Int) {
    self.text = text
    self.position = position
    lastString = text.count
    name = ""
    depthLimit = JSONLimits().depth
    locatesFailures = false
  }
}

// MARK: Objects and arrays

extension JSONReader {
  /// Steps into the object that is next; false, with the value skipped, when it is none.
  package mutating func enterObject() throws(Failure) -> Bool {
    try enter(UInt8(ascii: "{"))
  }

  /// Steps into the array that is next; false, with the value skipped, when it is none.
  package mutating func enterArray() throws(Failure) -> Bool {
    try enter(UInt8(ascii: "["))
  }

  /// The name of the next member, whose value is then due; nil at the end of the object, which has
  /// then been left.
  package mutating func nextKey() throws(Failure) -> String? {
    guard try advance(closing: UInt8(ascii: "}")) else { return nil }
    let token = try takeKey()
    valuePending = true
    return try string(of: token)
  }

  /// Whether another element is due; false at the end of the array, which has then been left.
  package mutating func nextElement() throws(Failure) -> Bool {
    guard try advance(closing: UInt8(ascii: "]")) else { return false }
    valuePending = true
    return true
  }

  /// Checks that the document is complete and that nothing follows it.
  package mutating func finish() throws(Failure) {
    if valuePending { try skip() }
    skipWhitespace()
    if depth > 0 { throw failure("the JSON was not read to its end") }
    if position < text.count { throw failure("unexpected text after the end of the JSON") }
  }

  private mutating func enter(_ opening: UInt8) throws(Failure) -> Bool {
    guard try peek() == opening else {
      try skip()
      return false
    }
    try open()
    return true
  }

  private mutating func open() throws(Failure) {
    if depth >= depthLimit {
      throw failure("the JSON is nested deeper than \(depthLimit) levels")
    }
    depth += 1
    position += 1
    justOpened = true
    valuePending = false
  }

  private mutating func advance(closing: UInt8) throws(Failure) -> Bool {
    if valuePending { try skip() }
    skipWhitespace()
    let byte = byteHere
    if byte == closing {
      position += 1
      depth -= 1
      justOpened = false
      return false
    }
    if justOpened {
      justOpened = false
    } else {
      guard byte == UInt8(ascii: ",") else {
        throw failure("expected ',' or '\(Character(Unicode.Scalar(closing)))'")
      }
      position += 1
      skipWhitespace()
    }
    return true
  }

  private mutating func takeKey() throws(Failure) -> StringToken {
    guard byteHere == UInt8(ascii: "\"") else {
      throw failure("expected the name of a member in double quotes")
    }
    let token = try takeString()
    skipWhitespace()
    guard byteHere == UInt8(ascii: ":") else { throw failure("expected ':'") }
    position += 1
    return token
  }
}

// MARK: Values

extension JSONReader {
  /// What kind of value is next, without reading it.
  package mutating func kind() throws(Failure) -> Kind {
    switch try peek() {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
    case UInt8(ascii: "n"): .null
    default: .number
    }
  }

  package mutating func string() throws(Failure) -> String? {
    guard try peek() == UInt8(ascii: "\"") else {
      try skip()
      return nil
    }
    valuePending = false
    return try string(of: takeString())
  }

  package mutating func bool() throws(Failure) -> Bool? {
    let byte = try peek()
    try skip()
    return byte == UInt8(ascii: "t") ? true : byte == UInt8(ascii: "f") ? false : nil
  }

  /// A whole number, also one written as `3.0` or as `"3"`: servers do both.
  package mutating func integer() throws(Failure) -> Int64? {
    try value().wholeNumber
  }

  package mutating func number() throws(Failure) -> Double? {
    try value().double
  }

  /// A number exactly as it is written, for amounts that no floating point may touch.
  package mutating func numberText() throws(Failure) -> String? {
    guard try kind() == .number else {
      try skip()
      return nil
    }
    valuePending = false
    return text.text(in: try takeNumber().range, isASCII: true)
  }

  /// The next value as it is, whatever its kind.
  package mutating func value() throws(Failure) -> Value {
    switch try peek() {
    case UInt8(ascii: "{"):
      try open()
      var object = ValueObject()
      while let key = try nextKey() { object[key] = try value() }
      return .object(object)
    case UInt8(ascii: "["):
      try open()
      var elements: [Value] = []
      while try nextElement() { elements.append(try value()) }
      return .array(elements)
    case UInt8(ascii: "\""):
      valuePending = false
      return .string(try string(of: takeString()))
    case UInt8(ascii: "t"):
      try take("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try take("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try take("null")
      return .null
    default:
      valuePending = false
      return try number(of: takeNumber())
    }
  }

  /// Skips the value that is due, and returns where in the document its bytes are.
  package mutating func skipRange() throws(Failure) -> Range<Int> {
    _ = try peek()
    let start = position
    try skip()
    return start..<position
  }

  package mutating func skip() throws(Failure) {
    switch try peek() {
    case UInt8(ascii: "{"):
      try open()
      while try advance(closing: UInt8(ascii: "}")) {
        _ = try takeKey()
        valuePending = true
      }
    case UInt8(ascii: "["):
      try open()
      while try nextElement() {}
    case UInt8(ascii: "\""):
      valuePending = false
      _ = try takeString()
    case UInt8(ascii: "t"): try take("true")
    case UInt8(ascii: "f"): try take("false")
    case UInt8(ascii: "n"): try take("null")
    default:
      valuePending = false
      _ = try takeNumber()
    }
  }

  private mutating func take(_ word: StaticString) throws(Failure) {
    for offset in 0..<word.utf8CodeUnitCount
    where unsafe text[position + offset] != word.utf8Start[offset] {
      throw failure("expected a JSON value")
    }
    position += word.utf8CodeUnitCount
    valuePending = false
  }

  private mutating func takeString() throws(Failure) -> StringToken {
    let token = try string(at: position)
    lastString = position
    position = token.range.upperBound + 1
    return token
  }

  private mutating func takeNumber() throws(Failure) -> NumberToken {
    let token = try number(at: position)
    position = token.range.upperBound
    return token
  }
}

// MARK: Bytes

extension JSONReader {
  private var byteHere: UInt8 { text[position] }

  private mutating func skipWhitespace() {
    while true {
      switch text[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  /// The first byte of the value that is due.
  private mutating func peek() throws(Failure) -> UInt8 {
    guard valuePending else { throw failure("expected no value here") }
    skipWhitespace()
    let byte = byteHere
    switch byte {
    case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "t"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "-"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      return byte
    default: throw failure("expected a JSON value")
    }
  }

  func failure(_ message: String, at offset: Int? = nil) -> Failure {
    guard locatesFailures else { return Failure(.configuration, message) }
    let place = offset ?? position
    let source = SourceText(text.slice, file: name)
    let ending = place >= text.count ? ", but the text ends here" : ""
    return source.failure(message + ending, suggestion: "", at: source.location(ofByte: place))
  }
}

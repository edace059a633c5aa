import RasaCore

/// An error in a guard's text, and the byte where it is.
struct ExpressionError: Error {
  var message: String
  var suggestion: String = ""
  var offset: Int
}

enum ExpressionToken: Equatable {
  case literal(Value)
  case path([String])
  case and, or, not, isIn, contains
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  case plus, minus, times, divide, remainder
  case open, close, openList, closeList, comma
  case end

  /// The token in the words of a message.
  var spelling: String {
    switch self {
    case .literal(let value): value.json()
    case .path(let names): names.joined(separator: ".")
    case .and: "and"
    case .or: "or"
    case .not: "not"
    case .isIn: "in"
    case .contains: "contains"
    case .equal: "=="
    case .notEqual: "!="
    case .less: "<"
    case .lessOrEqual: "<="
    case .greater: ">"
    case .greaterOrEqual: ">="
    case .plus: "+"
    case .minus: "-"
    case .times: "*"
    case .divide: "/"
    case .remainder: "%"
    case .open: "("
    case .close: ")"
    case .openList: "["
    case .closeList: "]"
    case .comma: ","
    case .end: "the end"
    }
  }
}

/// Splits a guard's bytes into tokens, one at a time.
struct ExpressionLexer {
  let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private func byte(_ offset: Int) -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

  /// The next token and the byte it starts at.
  mutating func next() throws(ExpressionError) -> (token: ExpressionToken, offset: Int) {
    while let byte = byte(position), PathSyntax.isSpace(byte) { position += 1 }
    let start = position
    guard let first = byte(start) else { return (.end, start) }
    if PathSyntax.startsName(first) { return (word(), start) }
    if PathSyntax.isDigit(first) { return (.literal(try number()), start) }
    if first == UInt8(ascii: "'") || first == UInt8(ascii: "\"") {
      return (.literal(.string(try quoted(by: first))), start)
    }
    return (try sign(first), start)
  }

  private mutating func sign(_ first: UInt8) throws(ExpressionError) -> ExpressionToken {
    let start = position
    let isDoubled = byte(start + 1) == UInt8(ascii: "=")
    let token: ExpressionToken
    switch first {
    case UInt8(ascii: "("): token = .open
    case UInt8(ascii: ")"): token = .close
    case UInt8(ascii: "["): token = .openList
    case UInt8(ascii: "]"): token = .closeList
    case UInt8(ascii: ","): token = .comma
    case UInt8(ascii: "+"): token = .plus
    case UInt8(ascii: "-"): token = .minus
    case UInt8(ascii: "*"): token = .times
    case UInt8(ascii: "/"): token = .divide
    case UInt8(ascii: "%"): token = .remainder
    case UInt8(ascii: "<"): token = isDoubled ? .lessOrEqual : .less
    case UInt8(ascii: ">"): token = isDoubled ? .greaterOrEqual : .greater
    case UInt8(ascii: "=") where isDoubled: token = .equal
    case UInt8(ascii: "!") where isDoubled: token = .notEqual
    case UInt8(ascii: "="):
      throw ExpressionError(
        message: "`=` is not a comparison", suggestion: "write `==`", offset: start)
    case UInt8(ascii: "!"):
      throw ExpressionError(
        message: "`!` is not an operator", suggestion: "write `not`", offset: start)
    case UInt8(ascii: "&"):
      throw ExpressionError(
        message: "`&` is not an operator", suggestion: "write `and`", offset: start)
    case UInt8(ascii: "|"):
      throw ExpressionError(
        message: "`|` is not an operator", suggestion: "write `or`", offset: start)
    default:
      let shown = first > 0x20 && first < 0x7F ? "`\(Character(Unicode.Scalar(first)))`" : "this"
      throw ExpressionError(
        message: "\(shown) is not allowed in a condition",
        suggestion: "put text in quotes, and use letters, digits and `_` in names", offset: start)
    }
    switch token {
    case .lessOrEqual, .greaterOrEqual, .equal, .notEqual: position += 2
    default: position += 1
    }
    return token
  }

  /// A keyword, a constant or a path. A hyphen is part of a name if a letter follows it, so
  /// `risk-level` is a name and `count-1` is a subtraction.
  private mutating func word() -> ExpressionToken {
    var names: [String] = []
    while true {
      let start = position
      while let current = byte(position), PathSyntax.isNamePart(current) {
        if current == UInt8(ascii: "-") {
          guard let after = byte(position + 1), PathSyntax.startsName(after) else { break }
        }
        position += 1
      }
      names.append(String(decoding: bytes[start..<position], as: UTF8.self))
      guard byte(position) == UInt8(ascii: "."), let after = byte(position + 1),
        PathSyntax.startsName(after) || PathSyntax.isDigit(after)
      else { break }
      position += 1
    }
    guard names.count == 1 else { return .path(names) }
    switch names[0] {
    case "and": return .and
    case "or": return .or
    case "not": return .not
    case "in": return .isIn
    case "contains": return .contains
    case "true": return .literal(.bool(true))
    case "false": return .literal(.bool(false))
    case "null": return .literal(.null)
    default: return .path(names)
    }
  }

  private mutating func number() throws(ExpressionError) -> Value {
    let start = position
    var isWhole = true
    func digits(from offset: Int) -> Int {
      var end = offset
      while let byte = byte(end), PathSyntax.isDigit(byte) { end += 1 }
      return end
    }
    position = digits(from: position)
    if byte(position) == UInt8(ascii: ".") {
      let end = digits(from: position + 1)
      if end > position + 1 {
        position = end
        isWhole = false
      }
    }
    if byte(position) == UInt8(ascii: "e") || byte(position) == UInt8(ascii: "E") {
      let sign = byte(position + 1)
      let isSigned = sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-")
      let first = position + (isSigned ? 2 : 1)
      let end = digits(from: first)
      if end > first {
        position = end
        isWhole = false
      }
    }
    if let after = byte(position), PathSyntax.startsName(after) || after == UInt8(ascii: ".") {
      throw ExpressionError(
        message: "a number contains something other than digits",
        suggestion: "names start with a letter", offset: position)
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let number = Int64(text) { return .int(number) }
    if !isWhole, let number = Double(text), number.isFinite { return .double(number) }
    throw ExpressionError(message: "the number \(text) is too large", offset: start)
  }

  private mutating func quoted(by quote: UInt8) throws(ExpressionError) -> String {
    let start = position
    var text: [UInt8] = []
    position += 1
    while let current = byte(position) {
      position += 1
      if current == quote { return String(decoding: text, as: UTF8.self) }
      guard current == UInt8(ascii: "\\") else {
        text.append(current)
        continue
      }
      let escape = byte(position)
      position += 1
      switch escape {
      case UInt8(ascii: "n"): text.append(0x0A)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): text.append(escape ?? quote)
      default:
        throw ExpressionError(
          message: "unknown escape in quoted text",
          suggestion: #"known escapes are \n \t \\ \" and \'"#, offset: position - 2)
      }
    }
    throw ExpressionError(
      message: "the text that starts here has no closing quote", suggestion: "close it",
      offset: start)
  }
}

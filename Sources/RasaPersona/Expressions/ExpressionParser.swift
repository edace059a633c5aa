import RasaCore

/// Reads a guard by precedence climbing. Depth is bounded, so no text can exhaust the stack.
struct ExpressionParser {
  static let longestSource = 4096
  static let deepestNesting = 64

  private var lexer: ExpressionLexer
  private var token = ExpressionToken.end
  private var offset = 0
  private var depth = 0
  private(set) var reads: [StatePath] = []
  private(set) var readOffsets: [Int] = []

  init(_ bytes: [UInt8]) { lexer = ExpressionLexer(bytes) }

  mutating func parse() throws(ExpressionError) -> Expression {
    guard lexer.bytes.count <= Self.longestSource else {
      throw ExpressionError(
        message: "the condition is longer than \(Self.longestSource) bytes",
        suggestion: "have a rule operator write a key, and test that key here", offset: 0)
    }
    try advance()
    if token == .end {
      throw ExpressionError(
        message: "the condition is empty",
        suggestion: "write one, such as `critique.verdict == \"pass\"`", offset: 0)
    }
    let expression = try expression(above: 0)
    guard token == .end else { throw unexpectedAfterValue() }
    return expression
  }

  private mutating func advance() throws(ExpressionError) {
    (token, offset) = try lexer.next()
  }

  /// An operand and all operators that bind more tightly than `power`.
  private mutating func expression(above power: Int) throws(ExpressionError) -> Expression {
    var left = try operand()
    while let (symbol, start) = try infix(above: power) {
      let right = try expression(above: symbol.power)
      left = .binary(symbol, left, right, offset: start)
      if symbol.isComparison, comparison(at: token) {
        throw ExpressionError(
          message: "comparisons cannot be chained", suggestion: "join two comparisons with `and`",
          offset: offset)
      }
    }
    return left
  }

  /// Takes the operator that comes next, if it binds more tightly than `power`.
  private mutating func infix(
    above power: Int
  ) throws(ExpressionError) -> (symbol: BinaryOperator, offset: Int)? {
    let start = offset
    if token == .not {
      guard BinaryOperator.comparisonPower > power else { return nil }
      try advance()
      switch token {
      case .isIn:
        try advance()
        return (.isNotIn, start)
      case .contains:
        try advance()
        return (.doesNotContain, start)
      default:
        throw ExpressionError(
          message: "`not` is between two values", suggestion: "write `and not`, or `not in`",
          offset: start)
      }
    }
    guard let symbol = Self.symbol(of: token), symbol.power > power else { return nil }
    try advance()
    return (symbol, start)
  }

  private func comparison(at token: ExpressionToken) -> Bool {
    token == .not || Self.symbol(of: token)?.isComparison == true
  }

  private static func symbol(of token: ExpressionToken) -> BinaryOperator? {
    switch token {
    case .or: .or
    case .and: .and
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    case .isIn: .isIn
    case .contains: .contains
    case .plus: .add
    case .minus: .subtract
    case .times: .multiply
    case .divide: .divide
    case .remainder: .remainder
    default: nil
    }
  }

  private mutating func operand() throws(ExpressionError) -> Expression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepestNesting else {
      throw ExpressionError(
        message: "the condition is nested more than \(Self.deepestNesting) levels deep",
        suggestion: "split it", offset: offset)
    }
    let start = offset
    switch token {
    case .literal(let value):
      try advance()
      return .literal(value)
    case .path(let names):
      try advance()
      let path = StatePath(names)
      if !reads.contains(path) {
        reads.append(path)
        readOffsets.append(start)
      }
      return .path(path)
    case .not:
      try advance()
      return .not(try expression(above: BinaryOperator.notPower))
    case .minus:
      try advance()
      return Self.negative(try expression(above: BinaryOperator.negativePower), offset: start)
    case .open:
      try advance()
      let inner = try expression(above: 0)
      guard token == .close else { throw unclosed("(", since: start) }
      try advance()
      return inner
    case .openList:
      try advance()
      return try list(since: start)
    default:
      throw ExpressionError(
        message: token == .end
          ? "a value is missing at the end" : "a value is expected before `\(token.spelling)`",
        offset: offset)
    }
  }

  private static func negative(_ inner: Expression, offset: Int) -> Expression {
    switch inner {
    case .literal(.int(let number)): .literal(.int(-number))
    case .literal(.double(let number)): .literal(.double(-number))
    default: .negative(inner, offset: offset)
    }
  }

  /// A list of literals becomes a single literal, so that a membership test allocates nothing.
  private mutating func list(since start: Int) throws(ExpressionError) -> Expression {
    var elements: [Expression] = []
    while token != .closeList {
      elements.append(try expression(above: 0))
      if token == .comma {
        try advance()
      } else if token != .closeList {
        throw unclosed("[", since: start)
      }
    }
    try advance()
    var values: [Value] = []
    for element in elements {
      guard case .literal(let value) = element else { return .list(elements) }
      values.append(value)
    }
    return .literal(.array(values))
  }

  private func unclosed(_ opening: String, since start: Int) -> ExpressionError {
    token == .end
      ? ExpressionError(
        message: "the `\(opening)` that opens here is never closed", suggestion: "close it",
        offset: start
      )
      : unexpectedAfterValue()
  }

  private func unexpectedAfterValue() -> ExpressionError {
    var suggestion = "operators are and or not in contains == != < <= > >= + - * / %"
    switch token {
    case .open: suggestion = "conditions have no functions"
    case .openList: suggestion = "conditions have no indexes; test lists with `contains`"
    case .path(let names) where names.count == 1:
      let word = names[0].lowercased()
      if ["and", "or", "not", "in", "contains"].contains(word) { suggestion = "write `\(word)`" }
    default: break
    }
    return ExpressionError(
      message: "an operator or the end is expected before `\(token.spelling)`",
      suggestion: suggestion,
      offset: offset)
  }
}

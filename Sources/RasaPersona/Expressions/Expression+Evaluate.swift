import RasaCore

extension Value {
  /// Whether a value counts as true in a condition: anything but null, false, zero and empty
  /// values.
  var isTrue: Bool {
    switch self {
    case .null: false
    case .bool(let flag): flag
    case .int(let number): number != 0
    case .double(let number): number != 0 && !number.isNaN
    case .string(let text): !text.isEmpty
    case .array(let elements): !elements.isEmpty
    case .object(let object): !object.isEmpty
    }
  }

  /// Equality in a condition: by value, where `1` and `1.0` are the same number.
  func matches(_ other: Value) -> Bool {
    switch (self, other) {
    case (.int(let left), .double(let right)): Double(left) == right
    case (.double(let left), .int(let right)): left == Double(right)
    case (.array(let left), .array(let right)):
      left.count == right.count && zip(left, right).allSatisfy { $0.matches($1) }
    case (.object(let left), .object(let right)):
      left.count == right.count
        && left.keys.allSatisfy { key in
          guard let mine = left[key], let other = right[key] else { return false }
          return mine.matches(other)
        }
    default: self == other
    }
  }

  /// The type in the words of a message.
  var spokenType: String {
    switch self {
    case .null: "nothing"
    case .bool: "a boolean"
    case .int, .double: "a number"
    case .string: "text"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

extension Expression {
  func value(_ read: (StatePath) -> Value) throws(ExpressionError) -> Value {
    switch self {
    case .literal(let value): return value
    case .path(let path): return read(path)
    case .list(let elements):
      var values: [Value] = []
      values.reserveCapacity(elements.count)
      for element in elements { values.append(try element.value(read)) }
      return .array(values)
    case .not(let inner): return .bool(try !inner.value(read).isTrue)
    case .negative(let inner, let offset):
      switch try inner.value(read) {
      case .null: return .null
      case .int(let number) where number != .min: return .int(-number)
      case .double(let number): return .double(-number)
      case .int: throw Self.tooLarge(offset)
      case let other:
        throw ExpressionError(message: "`-` cannot take \(other.spokenType)", offset: offset)
      }
    case .binary(.and, let left, let right, _):
      guard try left.value(read).isTrue else { return .bool(false) }
      return .bool(try right.value(read).isTrue)
    case .binary(.or, let left, let right, _):
      if try left.value(read).isTrue { return .bool(true) }
      return .bool(try right.value(read).isTrue)
    case .binary(let symbol, let left, let right, let offset):
      return try Self.apply(symbol, left.value(read), right.value(read), offset)
    }
  }

  private static func apply(
    _ symbol: BinaryOperator, _ left: Value, _ right: Value, _ offset: Int
  ) throws(ExpressionError) -> Value {
    switch symbol {
    case .equal: .bool(left.matches(right))
    case .notEqual: .bool(!left.matches(right))
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      .bool(try isOrdered(symbol, left, right, offset))
    case .isIn: .bool(try isPart(left, of: right, symbol, offset) ?? false)
    case .contains: .bool(try isPart(right, of: left, symbol, offset) ?? false)
    case .isNotIn: .bool(try isPart(left, of: right, symbol, offset).map { !$0 } ?? false)
    case .doesNotContain: .bool(try isPart(right, of: left, symbol, offset).map { !$0 } ?? false)
    case .add, .subtract, .multiply, .divide, .remainder:
      try calculate(symbol, left, right, offset)
    case .and, .or: .bool(false)  // Decided by the caller, which need not look at both sides.
    }
  }

  private static func isOrdered(
    _ symbol: BinaryOperator, _ left: Value, _ right: Value, _ offset: Int
  ) throws(ExpressionError) -> Bool {
    switch (left, right) {
    case (.null, _), (_, .null): return false
    case (.int(let first), .int(let second)): return compare(symbol, first, second)
    case (.string(let first), .string(let second)): return compare(symbol, first, second)
    default:
      guard let first = left.double, let second = right.double else {
        throw mismatch(symbol, left, right, offset)
      }
      return compare(symbol, first, second)
    }
  }

  private static func compare<Ordered: Comparable>(
    _ symbol: BinaryOperator, _ left: Ordered, _ right: Ordered
  ) -> Bool {
    switch symbol {
    case .less: left < right
    case .lessOrEqual: left <= right
    case .greater: left > right
    default: left >= right
    }
  }

  /// Nil if one side is null: such a comparison is false, and so is its `not in`.
  private static func isPart(
    _ part: Value, of whole: Value, _ symbol: BinaryOperator, _ offset: Int
  ) throws(ExpressionError) -> Bool? {
    switch (whole, part) {
    case (.null, _), (_, .null): return nil
    case (.array(let elements), _): return elements.contains { $0.matches(part) }
    case (.string(let text), .string(let piece)): return text.containsIgnoringCase(piece)
    case (.object(let object), .string(let key)): return object[key] != nil
    default:
      let isTurned = symbol == .contains || symbol == .doesNotContain
      throw mismatch(symbol, isTurned ? whole : part, isTurned ? part : whole, offset)
    }
  }

  private static func calculate(
    _ symbol: BinaryOperator, _ left: Value, _ right: Value, _ offset: Int
  ) throws(ExpressionError) -> Value {
    switch (left, right) {
    case (.null, _), (_, .null): return .null
    case (.int(let first), .int(let second)):
      if let whole = try wholeResult(symbol, first, second, offset) { return .int(whole) }
    default: break
    }
    guard let first = left.double, let second = right.double else {
      throw mismatch(symbol, left, right, offset)
    }
    let result: Double
    switch symbol {
    case .add: result = first + second
    case .subtract: result = first - second
    case .multiply: result = first * second
    case .divide: result = first / second
    default: result = first.truncatingRemainder(dividingBy: second)
    }
    if second == 0, symbol == .divide || symbol == .remainder { throw divisionByZero(offset) }
    guard result.isFinite else { throw tooLarge(offset) }
    return .double(result)
  }

  /// Nil if the quotient of whole numbers is not a whole number.
  private static func wholeResult(
    _ symbol: BinaryOperator, _ left: Int64, _ right: Int64, _ offset: Int
  ) throws(ExpressionError) -> Int64? {
    let result: (partialValue: Int64, overflow: Bool)
    switch symbol {
    case .add: result = left.addingReportingOverflow(right)
    case .subtract: result = left.subtractingReportingOverflow(right)
    case .multiply: result = left.multipliedReportingOverflow(by: right)
    default:
      if right == 0 { throw divisionByZero(offset) }
      let rest = left.remainderReportingOverflow(dividingBy: right)
      if symbol == .remainder { return rest.partialValue }
      guard rest.partialValue == 0 else { return nil }
      result = left.dividedReportingOverflow(by: right)
    }
    if result.overflow { throw tooLarge(offset) }
    return result.partialValue
  }

  private static func mismatch(
    _ symbol: BinaryOperator, _ left: Value, _ right: Value, _ offset: Int
  ) -> ExpressionError {
    ExpressionError(
      message: "`\(symbol.symbol)` cannot take \(left.spokenType) and \(right.spokenType)",
      offset: offset)
  }

  private static func divisionByZero(_ offset: Int) -> ExpressionError {
    ExpressionError(message: "a division by zero", offset: offset)
  }

  private static func tooLarge(_ offset: Int) -> ExpressionError {
    ExpressionError(message: "the number becomes too large", offset: offset)
  }
}

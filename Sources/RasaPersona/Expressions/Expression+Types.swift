import RasaCore

/// The static type of a value; nil if unknown.
private enum KnownType {
  case null, text, number, boolean, list, object

  init?(_ declared: ValueType?) {
    switch declared {
    case .text: self = .text
    case .number: self = .number
    case .boolean: self = .boolean
    case .list: self = .list
    case .object: self = .object
    case .any, nil: return nil
    }
  }

  init(_ value: Value) {
    switch value {
    case .null: self = .null
    case .bool: self = .boolean
    case .int, .double: self = .number
    case .string: self = .text
    case .array: self = .list
    case .object: self = .object
    }
  }

  var displayName: String {
    switch self {
    case .null: "nothing"
    case .boolean: "a boolean"
    case .number: "a number"
    case .text: "text"
    case .list: "a list"
    case .object: "an object"
    }
  }
}

extension Expression {
  /// Comparisons and sums that cannot work, judging by literals and declared types.
  func problems(types: (StatePath) -> ValueType?) -> [ExpressionError] {
    var problems: [ExpressionError] = []
    _ = knownType(types, &problems)
    return problems
  }

  private func knownType(
    _ types: (StatePath) -> ValueType?, _ problems: inout [ExpressionError]
  ) -> KnownType? {
    switch self {
    case .literal(let value): return KnownType(value)
    case .path(let path): return KnownType(types(path))
    case .list(let elements):
      for element in elements { _ = element.knownType(types, &problems) }
      return .list
    case .not(let inner):
      _ = inner.knownType(types, &problems)
      return .boolean
    case .negative(let inner, let offset):
      if let type = inner.knownType(types, &problems), type != .number, type != .null {
        problems.append(
          ExpressionError(message: "`-` cannot take \(type.displayName)", offset: offset))
      }
      return .number
    case .binary(let symbol, let left, let right, let offset):
      let first = left.knownType(types, &problems)
      let second = right.knownType(types, &problems)
      if let message = Self.objection(symbol, first, second) {
        problems.append(ExpressionError(message: message, offset: offset))
      } else if case .literal(let value) = right, value.double == 0,
        symbol == .divide || symbol == .remainder
      {
        problems.append(ExpressionError(message: "a division by zero", offset: offset))
      }
      switch symbol {
      case .add, .subtract, .multiply, .divide, .remainder: return .number
      default: return .boolean
      }
    }
  }

  private static func objection(
    _ symbol: BinaryOperator, _ left: KnownType?, _ right: KnownType?
  ) -> String? {
    let accepted: Bool
    switch symbol {
    case .and, .or: accepted = true
    case .equal, .notEqual:
      guard let left, let right, left != right, left != .null, right != .null else { return nil }
      let outcome = symbol == .equal ? "never" : "always"
      return "\(left.displayName) and \(right.displayName) are \(outcome) "
        + (symbol == .equal ? "equal" : "different")
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      accepted = isOrdered(left, right)
    case .isIn, .isNotIn: accepted = isPart(left, of: right)
    case .contains, .doesNotContain: accepted = isPart(right, of: left)
    case .add, .subtract, .multiply, .divide, .remainder:
      accepted = [left, right].allSatisfy { $0 == nil || $0 == .number || $0 == .null }
    }
    if accepted { return nil }
    let names = [left, right].map { $0?.displayName ?? "a value of unknown type" }
    return "`\(symbol.symbol)` cannot take \(names[0]) and \(names[1])"
  }

  private static func isOrdered(_ left: KnownType?, _ right: KnownType?) -> Bool {
    for type in [left, right] {
      switch type {
      case .boolean, .list, .object: return false
      default: break
      }
    }
    guard let left, let right, left != .null, right != .null else { return true }
    return left == right
  }

  private static func isPart(_ part: KnownType?, of whole: KnownType?) -> Bool {
    switch whole {
    case .text, .object: part == nil || part == .text || part == .null
    case .number, .boolean: false
    case .list, .null, nil: true
    }
  }
}

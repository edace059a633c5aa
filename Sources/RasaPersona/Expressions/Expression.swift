import RasaCore

/// A guard in executable form. Offsets are bytes in the guard's text, for errors.
indirect enum Expression: Sendable {
  case literal(Value)
  case path(StatePath)
  case list([Expression])
  case not(Expression)
  case negative(Expression, offset: Int)
  case binary(BinaryOperator, Expression, Expression, offset: Int)
}

enum BinaryOperator: Sendable {
  case or, and
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  case isIn, isNotIn, contains, doesNotContain
  case add, subtract, multiply, divide, remainder

  /// How tightly it binds: a higher one takes its operands first.
  var power: Int {
    switch self {
    case .or: 1
    case .and: 2
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .isIn, .isNotIn,
      .contains, .doesNotContain:
      Self.comparisonPower
    case .add, .subtract: 5
    case .multiply, .divide, .remainder: 6
    }
  }

  /// `not` takes a whole comparison: `not a == b` is `not (a == b)`.
  static let notPower = 3
  static let comparisonPower = 4
  static let negativePower = 7

  var isComparison: Bool { power == Self.comparisonPower }

  var symbol: String {
    switch self {
    case .or: "or"
    case .and: "and"
    case .equal: "=="
    case .notEqual: "!="
    case .less: "<"
    case .lessOrEqual: "<="
    case .greater: ">"
    case .greaterOrEqual: ">="
    case .isIn: "in"
    case .isNotIn: "not in"
    case .contains: "contains"
    case .doesNotContain: "not contains"
    case .add: "+"
    case .subtract: "-"
    case .multiply: "*"
    case .divide: "/"
    case .remainder: "%"
    }
  }
}

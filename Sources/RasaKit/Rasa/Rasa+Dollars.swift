package import RasaCore

extension Rasa {
  /// An amount of US dollars, exact to a trillionth of a dollar.
  ///
  /// Sums and differences saturate at the largest amount that can be held, about nine million dollars.
  public struct Dollars: Sendable, Hashable, Comparable, CustomStringConvertible,
    ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, AdditiveArithmetic
  {
    let money: Money

    init(_ money: Money) { self.money = money }

    /// Reads decimal text such as `0.075`, without rounding; nil for anything else.
    public init?(_ text: String) {
      guard let money = Money(decimal: text) else { return nil }
      self.money = money
    }

    /// The amount that a literal such as `0.10` names.
    public init(floatLiteral value: Double) { self.init(value) }
    /// The amount that a literal such as `2` names.
    public init(integerLiteral value: Int64) { self.init(Double(value)) }

    /// The nearest amount; zero for what is no number, and the largest for what is too large.
    public init(_ value: Double) {
      money = Money(Value.double(value)) ?? (value > 0 ? .max : .zero)
    }

    /// No money.
    public static let zero = Dollars(Money.zero)

    /// Whether an amount is less than another.
    public static func < (left: Dollars, right: Dollars) -> Bool { left.money < right.money }
    /// The sum of two amounts.
    public static func + (left: Dollars, right: Dollars) -> Dollars {
      Dollars(left.money + right.money)
    }
    /// What is left of an amount; less than zero when more is taken than there was.
    public static func - (left: Dollars, right: Dollars) -> Dollars {
      Dollars(left.money - right.money)
    }

    /// The amount as a floating-point number, which may be rounded.
    public var value: Double { Double(money.picoDollars) / 1e12 }
    /// All digits, such as `0.000343`.
    public var decimalText: String { money.decimalText }
    /// As people read it, such as `$0.0034`.
    public var description: String { money.displayText }
    /// As people read it, with cents, and with more digits only where they are not zero: `$2.50`.
    public var centsText: String { money.centsText }

    /// How many percent of another amount this is, rounded down; 100 of nothing.
    public func percent(of whole: Dollars) -> Int {
      guard whole > .zero else { return 100 }
      let product = UInt64(Swift.max(0, money.picoDollars)).multipliedFullWidth(by: 100)
      let divisor = UInt64(whole.money.picoDollars)
      guard product.high < divisor else { return .max }
      return Int(clamping: divisor.dividingFullWidth(product).quotient)
    }
  }
}

extension Money {
  /// With cents, and with more digits only where they are not zero.
  package var centsText: String {
    if self == .zero { return "$0.00" }
    var text = displayText
    guard let point = text.firstIndex(of: ".") else { return text }
    while text[point...].count > 3, text.last == "0" { text.removeLast() }
    return text
  }
}

/// Coded as decimal text, so that no digit is lost on the way.
extension Rasa.Dollars: Codable {
  /// Reads decimal text, or a number.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      guard let amount = Self(text) else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "\(text) is not an amount of dollars such as 0.075")
      }
      self = amount
    } else {
      self.init(try container.decode(Double.self))
    }
  }

  /// Writes decimal text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(decimalText)
  }
}

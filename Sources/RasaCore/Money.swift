/// An amount of money in trillionths of a US dollar: small enough that a single token of the
/// cheapest model is a whole number, large enough (±9.2 million dollars) for any budget.
package struct Money: Sendable, Hashable, Comparable, AdditiveArithmetic {
  package var picoDollars: Int64

  package init(picoDollars: Int64) { self.picoDollars = picoDollars }

  package static let zero = Money(picoDollars: 0)
  package static let dollar = Money(picoDollars: 1_000_000_000_000)
  package static let max = Money(picoDollars: .max)

  package static func < (left: Money, right: Money) -> Bool { left.picoDollars < right.picoDollars }

  /// Sums saturate: an absurd usage report must not trap, and an amount that large fails any limit.
  package static func + (left: Money, right: Money) -> Money {
    let (sum, overflow) = left.picoDollars.addingReportingOverflow(right.picoDollars)
    return Money(picoDollars: overflow ? (right.picoDollars > 0 ? .max : .min) : sum)
  }

  package static func - (left: Money, right: Money) -> Money {
    let (difference, overflow) = left.picoDollars.subtractingReportingOverflow(right.picoDollars)
    return Money(picoDollars: overflow ? (right.picoDollars < 0 ? .max : .min) : difference)
  }
}

extension Money {
  /// Reads decimal text such as `0.075`; nil for anything else, for more than 12 decimals that
  /// matter, and for amounts out of range. Never goes through floating point.
  package init?(decimal text: some StringProtocol) {
    var digits: Int64 = 0
    var decimals: Int? = nil
    var sawDigit = false
    var negative = false
    for (index, byte) in text.utf8.enumerated() {
      switch byte {
      case UInt8(ascii: "-") where index == 0: negative = true
      case UInt8(ascii: ".") where decimals == nil: decimals = 0
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        sawDigit = true
        let digit = Int64(byte - UInt8(ascii: "0"))
        if let count = decimals {
          if count == 12 {
            guard digit == 0 else { return nil }
            continue
          }
          decimals = count + 1
        }
        let (scaled, overflow) = digits.multipliedReportingOverflow(by: 10)
        let (sum, overflow2) = scaled.addingReportingOverflow(digit)
        guard !overflow, !overflow2 else { return nil }
        digits = sum
      default: return nil
      }
    }
    guard sawDigit else { return nil }
    for _ in (decimals ?? 0)..<12 {
      let (scaled, overflow) = digits.multipliedReportingOverflow(by: 10)
      guard !overflow else { return nil }
      digits = scaled
    }
    self.init(picoDollars: negative ? -digits : digits)
  }

  /// Reads a number from a document, where `0.10` has already become a double: its shortest
  /// decimal form is what the author wrote. A double that was computed is rounded.
  package init?(_ value: Value) {
    switch value {
    case .int(let number): self.init(decimal: String(number))
    case .double(let number):
      guard number.isFinite, abs(number) < 9_000_000 else { return nil }
      self =
        Money(decimal: "\(number)") ?? Money(picoDollars: Int64((number * 1e12).rounded()))
    case .string(let text): self.init(decimal: text)
    default: return nil
    }
  }

  /// What `count` tokens cost at this price per million, rounded up.
  package func perMillion(times count: Int64) -> Money {
    guard count > 0, picoDollars > 0 else { return .zero }
    let product = picoDollars.multipliedFullWidth(by: count)
    guard product.high < 1_000_000 / 2 else { return .max }
    let (quotient, remainder) = Int64(1_000_000).dividingFullWidth(product)
    return Money(picoDollars: quotient) + Money(picoDollars: remainder > 0 ? 1 : 0)
  }

  /// Plain decimal dollars without trailing zeros, as files and JSON carry it.
  package var decimalText: String {
    let magnitude = picoDollars.magnitude
    let (whole, fraction) = magnitude.quotientAndRemainder(dividingBy: 1_000_000_000_000)
    var text = "\(picoDollars < 0 ? "-" : "")\(whole)"
    if fraction > 0 {
      var digits = String(fraction)
      digits = String(repeating: "0", count: 12 - digits.count) + digits
      while digits.hasSuffix("0") { digits.removeLast() }
      text += "." + digits
    }
    return text
  }

  /// What a person reads: cents where there are cents, else enough digits to see the amount.
  package var displayText: String {
    if self == .zero { return "$0" }
    let magnitude = picoDollars.magnitude
    let decimals: Int
    switch magnitude {
    case 10_000_000_000_000...: decimals = 2
    case 10_000_000_000...: decimals = 4
    default: decimals = 6
    }
    var unit: UInt64 = 1
    for _ in decimals..<12 { unit *= 10 }
    let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: unit)
    let rounded = quotient + (remainder * 2 >= unit ? 1 : 0)
    if rounded == 0 { return picoDollars < 0 ? ">-$0.000001" : "<$0.000001" }
    var scale: UInt64 = 1
    for _ in 0..<decimals { scale *= 10 }
    let fraction = String(rounded % scale)
    let padding = String(repeating: "0", count: decimals - fraction.count)
    return "\(picoDollars < 0 ? "-" : "")$\(rounded / scale).\(padding)\(fraction)"
  }
}

extension Money: CustomStringConvertible {
  package var description: String { displayText }
}

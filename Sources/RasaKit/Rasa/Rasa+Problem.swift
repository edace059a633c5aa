import RasaCore

extension Rasa {
  /// Why something could not be done: what happened, where, and what to do about it.
  public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
      case run, usage, configuration, authentication, provider, budget, approval, limit, timeout
      case cancelled, storage
    }

    public var kind: Kind
    /// One sentence without a full stop.
    public var message: String
    /// What to do now; empty when there is nothing to say.
    public var suggestion: String
    /// The file that it is about, with line and column, counted from 1.
    public var file: String?
    public var line: Int?
    public var column: Int?
    /// Further lines: each attempt of several, each cause.
    public var details: [String]
    /// All of it, as a terminal shows it.
    public var description: String

    init(_ failure: Failure) {
      kind = Kind(rawValue: failure.kind.rawValue) ?? .run
      message = failure.message
      suggestion = failure.mend
      file = failure.location?.file
      line = failure.location.flatMap { $0.line > 0 ? $0.line : nil }
      column = failure.location.flatMap { $0.line > 0 ? $0.column : nil }
      details = failure.details
      description = failure.description
    }
  }

  /// US dollars, exact to a trillionth.
  public struct Dollars: Sendable, Hashable, Comparable, CustomStringConvertible,
    ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral
  {
    let money: Money

    init(_ money: Money) { self.money = money }

    /// Reads decimal text such as `0.075`, without rounding; nil for anything else.
    public init?(_ text: String) {
      guard let money = Money(decimal: text) else { return nil }
      self.money = money
    }

    public init(floatLiteral value: Double) { self.init(value) }
    public init(integerLiteral value: Int64) { self.init(Double(value)) }

    /// The nearest amount; nothing for what is no number, and the largest for what is too large.
    public init(_ value: Double) {
      money = Money(Value.double(value)) ?? (value > 0 ? .max : .zero)
    }

    public static func < (left: Dollars, right: Dollars) -> Bool { left.money < right.money }
    public static func + (left: Dollars, right: Dollars) -> Dollars {
      Dollars(left.money + right.money)
    }

    public var value: Double { Double(money.picoDollars) / 1e12 }
    /// All digits, such as `0.000343`.
    public var decimalText: String { money.decimalText }
    /// As people read it, such as `$0.0034`.
    public var description: String { money.displayText }
  }
}

extension Rasa {
  /// As `told`, without the keys that stand in the environment.
  func redacted<Result>(_ body: () throws(Failure) -> Result) throws -> Result {
    do throws(Failure) { return try body() } catch { throw Problem(house.redaction(error)) }
  }
}

/// Runs what throws our own failures so that a caller sees what is public.
func told<Result>(_ body: () throws(Failure) -> Result) throws -> Result {
  do throws(Failure) { return try body() } catch { throw Rasa.Problem(error) }
}

extension Error {
  /// What a caller sees of it.
  var told: any Error { (self as? Failure).map { Rasa.Problem($0) } ?? self }
}

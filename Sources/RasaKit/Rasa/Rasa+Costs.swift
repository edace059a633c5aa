import RasaCore
import RasaEngine
import RasaModels
import RasaPersona

extension Rasa {
  /// A day of the calendar.
  public struct Day: Sendable, Hashable, Comparable, CustomStringConvertible {
    let day: LocalDay

    init(_ day: LocalDay) { self.day = day }

    /// Reads a day such as `2026-01-31`; nil for anything else.
    public init?(_ text: String) {
      guard let day = LocalDay(text) else { return nil }
      self.day = day
    }

    /// The year, such as 2026.
    public var year: Int { day.year }
    /// The month, from 1 to 12.
    public var month: Int { day.month }
    /// The day of the month, from 1.
    public var dayOfMonth: Int { day.day }
    /// Such as `2026-01-31`.
    public var description: String { day.description }

    /// The day that is so many days later, or earlier for a negative number.
    public func advanced(byDays count: Int) -> Day { Day(day.advanced(byDays: count)) }

    /// Whether a day is before another.
    public static func < (left: Day, right: Day) -> Bool { left.day < right.day }
  }

  /// What was spent on some days, added up.
  public struct Costs: Sendable, Hashable, Codable {
    /// What spending can be added up by.
    @nonexhaustive
    public enum Key: String, Sendable, Hashable, CaseIterable, Codable {
      /// The persona or agent that asked.
      case persona
      /// The operator that asked.
      case `operator`
      /// The model that was asked, without its provider.
      case model
      /// The provider that was asked.
      case provider
      /// The day, as `2026-01-31`.
      case day
      /// The month, as `2026-01`.
      case month
      /// The ID of the run.
      case run
    }

    /// The sum over the calls that have the same keys.
    public struct Row: Sendable, Hashable, Codable {
      /// The text of each key of `Costs.keys`, in their order; empty in a total.
      public var keys: [String]
      /// How many calls were made.
      public var calls: Int64 = 0
      /// How many of them failed.
      public var failures: Int64 = 0
      /// What they cost.
      public var spent = Dollars.zero
      /// What is held for calls in flight.
      public var held = Dollars.zero
      /// Tokens of input, cached ones included.
      public var inputTokens: Int64 = 0
      /// Tokens of output, reasoning included.
      public var outputTokens: Int64 = 0
      /// Tokens of input that providers had cached.
      public var cachedTokens: Int64 = 0
      /// Tokens of input that were written to providers' caches.
      public var cacheWriteTokens: Int64 = 0
      /// Tokens of output that were reasoning.
      public var reasoningTokens: Int64 = 0
      /// How many calls have an unknown price, and count as nothing.
      public var unpricedCalls: Int64 = 0

      /// A row of these keys in which nothing was spent.
      public init(keys: [String] = []) { self.keys = keys }

      init(_ row: SpendingRow) {
        self.init(keys: row.keys)
        calls = row.calls
        failures = row.failures
        spent = Dollars(row.spent)
        held = Dollars(row.held)
        inputTokens = row.usage.input
        outputTokens = row.usage.output
        cachedTokens = row.usage.cachedInput
        cacheWriteTokens = row.usage.cacheWrites
        reasoningTokens = row.usage.reasoning
        unpricedCalls = row.unpriced
      }
    }

    /// The first day.
    public var from: Day
    /// The last day.
    public var to: Day
    /// What the rows are added up by.
    public var keys: [Key]
    /// Sorted by what was spent, the most first; by the key where `day` or `month` is the first one. Only
    /// so many are kept; `total` includes the others.
    public var rows: [Row]
    /// The sum of all calls.
    public var total: Row

    /// What was spent in these days.
    public init(from: Day, to: Day, keys: [Key], rows: [Row], total: Row) {
      self.from = from
      self.to = to
      self.keys = keys
      self.rows = rows
      self.total = total
    }
  }

  /// Which day it is in the time zone of budgets: `budget.time_zone` of `config.yaml`, else the machine's.
  public func today() async throws(RasaError) -> Day {
    try await prepared { rasa throws(Failure) in
      let configuration = try rasa.composition.configuration(onWarning: rasa.warn)
      return Day(
        BudgetCalendar(time: rasa.composition.time, zone: configuration.budget.timeZone).today)
    }
  }

  /// What was spent on the given days, those included.
  ///
  /// - Parameters:
  ///   - from: The first day; nil for today.
  ///   - to: The last day; nil for today.
  ///   - keys: What is added up separately, each key once; without any there is one row.
  ///   - owner: Only what this persona or agent spent, named as in `budget(of:)`; nil for everybody.
  ///   - model: Only calls of this model, as `model` or `provider:model`; its provider makes no difference.
  /// - Throws: A `RasaError` of code `configuration` when nothing has the owner's name, and of code `usage`
  ///   when the last day is before the first.
  public func costs(
    from: Day? = nil, to: Day? = nil, by keys: [Costs.Key] = [.persona, .model],
    of owner: String? = nil, model: String? = nil
  ) async throws(RasaError) -> Costs {
    try await redacted {
      let books = try BudgetBooks(
        composition, store, registry: { self.registered.registry }, warn: warn)
      let today = books.calendar.today
      var filter = SpendingFilter(from: from?.day ?? today, to: to?.day ?? today)
      let (first, last) = (filter.from ?? today, filter.to ?? today)
      guard first <= last else {
        throw Failure(
          .usage, "the first day is \(first), and the last one is \(last), which is before it",
          suggestion: "swap the two")
      }
      if let owner {
        let name = try await books.owner(named: owner).name
        filter.persona = name == BudgetLeg.everyone ? nil : name
      }
      filter.model = model.map { Self.plainName(of: $0, books.configuration.providers.map(\.name)) }
      var own: [SpendingKey] = []
      for key in keys {
        if let key = SpendingKey(rawValue: key.rawValue), !own.contains(key) { own.append(key) }
      }
      let rows = try await store.spending(filter, by: own)
      let total = try await store.spending(filter, by: []).first
      return Costs(
        from: Day(first), to: Day(last), keys: own.compactMap { Costs.Key(rawValue: $0.rawValue) },
        rows: rows.map { Costs.Row($0) }, total: total.map { Costs.Row($0) } ?? Costs.Row())
    }
  }

  /// The books name models without their providers.
  private static func plainName(of model: String, _ providers: [String]) -> String {
    if let colon = model.firstIndex(ofByte: ":"), providers.contains(String(model[..<colon])) {
      return String(model[model.index(after: colon)...])
    }
    return ModelConfiguration.reference(model).model
  }
}

/// Coded as text such as `2026-01-31`.
extension Rasa.Day: Codable {
  /// Reads such a text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let day = Self(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(text) is not a day such as 2026-01-31")
    }
    self = day
  }

  /// Writes such a text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

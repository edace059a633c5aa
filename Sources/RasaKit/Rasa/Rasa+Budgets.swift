import RasaCore
import RasaEngine
import RasaPersona

extension Rasa {
  /// A period that has limits of its own.
  @nonexhaustive
  public enum BudgetPeriod: String, Sendable, Hashable, CaseIterable, Codable {
    /// A day in the time zone of budgets.
    case day
    /// A calendar month in that zone.
    case month
  }

  /// What one persona or agent, or everybody together, has spent today and this month.
  public struct Budget: Sendable, Hashable, Codable, Identifiable {
    /// The balance of one day or month.
    public struct Period: Sendable, Hashable, Codable {
      /// The day as `2026-01-31`, the month as `2026-01`.
      public var name: String
      /// What was spent and counts under the limit.
      public var spent: Dollars
      /// What is held for calls in flight.
      public var held: Dollars
      /// The most that may be spent; nil where nothing limits it.
      public var limit: Dollars?
      /// Since when spending counts, in milliseconds since 1970: the beginning of the period, or the last
      /// reset in it.
      public var countedSince: Int64
      /// The day of `countedSince` in the time zone of budgets.
      public var countedSinceDay: Day

      /// What may still be spent once everything that is held has been; nil where nothing limits it.
      public var remaining: Dollars? {
        limit.map { Dollars(Balance(settled: spent.money, held: held.money).room(under: $0.money)) }
      }
      /// How much of the limit is spent, rounded down, so that 100 means that nothing is left; nil where
      /// nothing limits it.
      public var percentSpent: Int? { limit.map { spent.percent(of: $0) } }
    }

    /// The name of the persona or agent; `everyone` for all of them together.
    public var owner: String
    /// The balance of today.
    public var day: Period
    /// The balance of this month.
    public var month: Period

    /// The same as `owner`.
    public var id: String { owner }
    /// Whether there is neither a limit nor anything that was spent or is held.
    public var isEmpty: Bool {
      [day, month].allSatisfy { $0.limit == nil && $0.spent == .zero && $0.held == .zero }
    }

    /// The balance of a period.
    public subscript(period: BudgetPeriod) -> Period {
      switch period {
      case .day: day
      case .month: month
      }
    }

    /// The budget as a file: a JSON document that `Rasa.importBudget(_:named:)` reads, and that
    /// `rasa agents budget --export` writes. Amounts are numbers with all their digits.
    ///
    /// - Parameter periods: The periods that the file has.
    public func file(_ periods: Set<BudgetPeriod> = [.day, .month]) -> String {
      func amounts(_ period: Period) -> BudgetFile.Amounts {
        BudgetFile.Amounts(
          spent: period.spent.money, limit: period.limit?.money, held: period.held.money)
      }
      var file = BudgetFile(agentID: owner)
      if periods.contains(.day), let date = LocalDay(day.name) {
        file.daily = .init(date: date, amounts: amounts(day))
        file.lastResetDaily = Timestamp(milliseconds: day.countedSince)
      }
      if periods.contains(.month) {
        file.monthly = .init(month: month.name, amounts: amounts(month))
        file.lastResetMonthly = Timestamp(milliseconds: month.countedSince)
      }
      return file.text
    }
  }

  /// A correction of what counts as spent.
  public struct BudgetChange: Sendable, Hashable, Codable {
    /// Whose balance it is.
    public var owner: String
    /// The day as `2026-01-31`, or the month as `2026-01`.
    public var period: String
    /// By how much the balance has changed; less than zero after a reset.
    public var change: Dollars
  }

  /// What came of importing a budget file.
  public struct BudgetImport: Sendable, Hashable, Codable {
    /// A period of the file: what the file says was spent, and by how much that raised the balance.
    public struct Period: Sendable, Hashable, Codable {
      /// The amount in the file. At least that much counts as spent now.
      public var spent: Dollars
      /// What has changed; `$0` where as much or more counted before.
      public var change: BudgetChange
    }

    /// The periods that the file has.
    public var periods: [Period]
    /// What was not imported, and why.
    public var warnings: [String]
  }

  func budgetBooks() throws(Failure) -> BudgetBooks {
    try BudgetBooks(composition, store, registry: { self.registered.registry }, warn: warn)
  }

  /// The budgets of all personas and agents that have a limit or a balance, sorted by name, and that of
  /// everybody together as the last one.
  ///
  /// A persona whose file cannot be read is reported as a warning.
  ///
  /// - Throws: A `RasaError` of code `storage` when the database cannot be read.
  public func budgets() async throws(RasaError) -> [Budget] {
    try await redacted {
      let books = try budgetBooks()
      var budgets: [Budget] = []
      for owner in try await books.owners() { budgets.append(try await books.budget(of: owner)) }
      return budgets.filter { !$0.isEmpty }
    }
  }

  /// The budget of one persona or agent, or of everybody together.
  ///
  /// - Parameter owner: The name, alias or path of a persona, the ID of an agent, or any name that money
  ///   was spent under. Nil, like `everyone`, stands for everybody together.
  /// - Throws: A `RasaError` of code `configuration` when nothing has that name.
  public func budget(of owner: String?) async throws(RasaError) -> Budget {
    try await redacted {
      let books = try budgetBooks()
      guard let owner else { return try await books.budget(of: books.everyone) }
      return try await books.budget(of: books.owner(named: owner))
    }
  }

  /// Counts today or this month from nothing again. The books keep what was spent, and record who
  /// corrected the balance. What is held for calls in flight stays held.
  ///
  /// - Parameters:
  ///   - budget: What is reset. Its periods are the ones that are reset, also when others have begun since.
  ///   - periods: Which of them.
  /// - Returns: A change for each period, the day first.
  @discardableResult
  public func reset(
    _ budget: Budget, _ periods: Set<BudgetPeriod> = [.day, .month]
  ) async throws(RasaError) -> [BudgetChange] {
    try await redacted {
      let books = try budgetBooks()
      var changes: [BudgetChange] = []
      for period in BudgetPeriod.allCases where periods.contains(period) {
        let change = try await books.reset(budget, period)
        changes.append(
          BudgetChange(
            owner: budget.owner, period: budget[period].name, change: Dollars(change)))
      }
      return changes
    }
  }

  /// Has at least as much count as spent as a budget file says. Importing a file twice counts nothing
  /// twice. Limits are not imported: they belong in files of agents and personas.
  ///
  /// - Parameters:
  ///   - document: The file's content, as `Budget.file(_:)` returns it.
  ///   - name: What errors and warnings call it.
  /// - Throws: A `RasaError` of code `configuration` that says what is wrong with the file.
  @discardableResult
  public func importBudget(
    _ document: [UInt8], named name: String = "the budget file"
  ) async throws(RasaError) -> BudgetImport {
    try await redacted {
      let reading = BudgetFile.read(SourceDocument(bytes: document, path: name))
      let file = try reading.get()
      let books = try budgetBooks()
      let owner = try await books.importedOwner(file.agentID)
      var result = BudgetImport(periods: [], warnings: reading.warnings.map(\.description))
      func add(
        _ scope: BudgetLeg.Scope, _ period: String, _ amounts: BudgetFile.Amounts, limit: Money?,
        _ kind: String
      ) async throws {
        let change = try await books.raise(scope, to: amounts.spent)
        result.periods.append(
          BudgetImport.Period(
            spent: Dollars(amounts.spent),
            change: BudgetChange(owner: owner.title, period: period, change: Dollars(change))))
        guard let inFile = amounts.limit, inFile != limit else { return }
        let reason =
          limit.map { "that of `\(owner.title)` is \($0.centsText)" }
          ?? "`\(owner.title)` has none; limits belong in a `cost_budget` or in config.yaml"
        let warning = Warning(
          "the file's \(kind) limit of \(inFile.centsText) is not imported: \(reason)",
          at: SourceLocation(file: name, line: 0, column: 0))
        result.warnings.append(warning.description)
      }
      if let daily = file.daily {
        try await add(
          .day(owner: owner.name, daily.date), "\(daily.date)", daily.amounts, limit: owner.daily,
          "daily")
      }
      if let monthly = file.monthly {
        try await add(
          .month(owner: owner.name, monthly.month), monthly.month, monthly.amounts,
          limit: owner.monthly, "monthly")
      }
      return result
    }
  }
}

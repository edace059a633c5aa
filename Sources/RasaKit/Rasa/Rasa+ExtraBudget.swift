import RasaCore
import RasaModels

extension Rasa {
  /// Limits beside those of personas, agents and everybody, such as those of an access token.
  ///
  /// Every call of a run that has one is reserved under it as well, so calls at the same time never come to
  /// more than it allows. A resumed run keeps it. What the user lifts (`ignoresRunLimit`, `ignoresBudget`)
  /// does not lift these limits.
  public struct ExtraBudget: Sendable, Hashable {
    /// What the books and `rasa budgets` call it. It needs a colon, such as in `token:ci`: personas and agents have none.
    public var name: String
    /// The most that one run may cost.
    public var perRun: Dollars?
    /// The most that a day may cost.
    public var daily: Dollars?
    /// The most that a month may cost.
    public var monthly: Dollars?

    /// A budget without limits yet, under which spending is counted.
    public init(name: String) { self.name = name }

    var own: RasaModels.ExtraBudget {
      RasaModels.ExtraBudget(
        name: name, perRun: perRun?.money, daily: daily?.money, monthly: monthly?.money)
    }
  }

  /// What was spent and is held under a further budget, today and this month.
  ///
  /// - Parameter extra: The budget, with its limits as they are now.
  /// - Throws: A `RasaError` of code `storage` when the database cannot be read.
  public func budget(of extra: ExtraBudget) async throws(RasaError) -> Budget {
    try await redacted {
      try extra.own.check()
      return try await budgetBooks().budget(
        of: BudgetOwner(
          name: extra.name, title: extra.name, daily: extra.daily?.money,
          monthly: extra.monthly?.money))
    }
  }
}

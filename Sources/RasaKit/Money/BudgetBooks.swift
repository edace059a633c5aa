import RasaAgents
import RasaCore
import RasaEngine
import RasaPersona
import RasaStore

/// Whose limits and balances are read: a persona, an agent, a name that only the books still have, or
/// everybody together.
struct BudgetOwner {
  /// The name in the books.
  var name: String
  /// The name that people use.
  var title: String
  var daily: Money?
  var monthly: Money?
}

/// The balances in the store, with the limits that files set.
struct BudgetBooks {
  let store: any RunStore
  let composition: CompositionRoot
  /// Looks into all folders of agents when somebody first asks.
  let registry: () -> AgentRegistry
  let configuration: Configuration
  let calendar: BudgetCalendar
  let warn: (Warning) -> Void

  init(
    _ composition: CompositionRoot, _ store: any RunStore, registry: @escaping () -> AgentRegistry,
    warn: @escaping (Warning) -> Void
  ) throws(Failure) {
    self.composition = composition
    self.store = store
    self.registry = registry
    self.warn = warn
    configuration = try composition.configuration(onWarning: warn)
    calendar = BudgetCalendar(time: composition.time, zone: configuration.budget.timeZone)
  }

  // MARK: Owners

  var everyone: BudgetOwner {
    get throws(Failure) {
      BudgetOwner(
        name: BudgetLeg.everyone, title: try everyoneTitle, daily: configuration.budget.maxDaily,
        monthly: configuration.budget.maxMonthly)
    }
  }

  /// A persona may have the name that all together have otherwise.
  private var everyoneTitle: String {
    get throws(Failure) {
      try composition.library.personas().contains { $0.name == "everyone" }
        ? BudgetLeg.everyone : "everyone"
    }
  }

  private func owner(_ persona: PersonaDefinition) -> BudgetOwner {
    BudgetOwner(
      name: persona.name, title: persona.name, daily: persona.budget.maxDaily,
      monthly: persona.budget.maxMonthly)
  }

  private func owner(_ agent: Agent) -> BudgetOwner {
    var budget = agent.budget
    for limits in composition.agentSource.limits(ofAgent: agent.id) { budget.narrow(by: limits) }
    return BudgetOwner(
      name: agent.id, title: agent.id, daily: budget.maxDaily, monthly: budget.maxMonthly)
  }

  /// A persona by name, alias or path; an agent by its id; what only the books know; all together.
  func owner(named name: String) async throws -> BudgetOwner {
    let everyone = try everyone
    if name == everyone.title || name == everyone.name { return everyone }
    do throws(Failure) {
      return owner(try composition.persona(name))
    } catch {
      let personas = try composition.library.personas().map(\.name)
      let registry = registry()
      if !personas.contains(name), let id = registry.id(for: name),
        let agent = registry[id]?.agent
      {
        return owner(agent)
      }
      let known = try await namesInBooks()
      if known.contains(name) {
        if !personas.contains(name), let kept = try await keptOwner(name) { return kept }
        if personas.contains(name) { warn(Self.unread(name)) }
        return BudgetOwner(name: name, title: name)
      }
      guard !personas.contains(name), !name.hasByte("/") else { throw error }
      let nearest = nearestName(
        to: name, among: personas + registry.ids + known + [everyone.title])
      throw Failure(
        .configuration, "there is no agent or persona `\(name)`, and no costs under that name",
        suggestion: (nearest.map { "did you mean `\($0)`? " } ?? "")
          + "`rasa agents budget` shows all")
    }
  }

  /// With the limits of the copy that the latest run keeps: one that was run by its path is in no
  /// folder that is looked through. Nil when there is no such copy.
  private func keptOwner(_ name: String) async throws -> BudgetOwner? {
    guard let run = try await store.runs(RunFilter(persona: name, limit: 1)).first,
      let kept = try await store.journal(of: run.record.id).entries
        .first(where: { $0.kind == "persona.pinned" }),
      let pinned = PinnedFiles(kept.body),
      let graph = try? Graph.compile(
        pinned, named: name, engines: composition.library.engines, isOnlyRead: true)
    else { return nil }
    return owner(graph.persona)
  }

  /// All personas that have a limit or a balance, agents that have a balance, and all together.
  /// Agents come in hundreds, and most of them are never asked.
  func owners() async throws -> [BudgetOwner] {
    let library = composition.library
    var owners: [String: BudgetOwner] = [:]
    for entry in try library.personas() {
      do throws(Failure) {
        owners[entry.name] = owner(try library.persona(named: entry.name))
      } catch {
        warn(Self.unread(entry.name))
      }
    }
    for balance in try await store.balances(on: calendar.today)
    where balance.owner != BudgetLeg.everyone && owners[balance.owner] == nil {
      var owner = registry()[balance.owner].map { self.owner($0.agent) }
      if owner == nil { owner = try await keptOwner(balance.owner) }
      owners[balance.owner] = owner ?? BudgetOwner(name: balance.owner, title: balance.owner)
    }
    return owners.values.sorted { $0.name < $1.name } + [try everyone]
  }

  private static func unread(_ name: String) -> Warning {
    Warning(
      "the persona `\(name)` cannot be read, so its limits are not shown; `rasa personas validate "
        + "\(name)` says why")
  }

  private func namesInBooks() async throws -> [String] {
    let spenders = try await store.spending(SpendingFilter(), by: [.persona])
    let owners = try await store.balances(on: calendar.today).map(\.owner)
    return Set(spenders.map { $0.keys[0] } + owners).subtracting([BudgetLeg.everyone]).sorted()
  }

  /// A name in a budget file. It may be that of an agent that is not on this machine.
  func importedOwner(_ name: String) async throws -> BudgetOwner {
    let everyone = try everyone
    if name == everyone.title { return everyone }
    let isHere =
      try composition.library.personas().contains { $0.name == name } || registry()[name] != nil
    return isHere ? try await owner(named: name) : BudgetOwner(name: name, title: name)
  }

  // MARK: Balances

  func budget(of owner: BudgetOwner) async throws -> Rasa.Budget {
    let today = calendar.today
    return Rasa.Budget(
      owner: owner.title,
      day: try await period(
        .day(owner: owner.name, today), "\(today)", from: today, limit: owner.daily),
      month: try await period(
        .month(owner: owner.name, today.monthText), today.monthText, from: today.firstOfMonth,
        limit: owner.monthly))
  }

  private func period(
    _ scope: BudgetLeg.Scope, _ name: String, from day: LocalDay, limit: Money?
  ) async throws -> Rasa.Budget.Period {
    let balance = try await store.balance(of: scope)
    let reset = try await store.lastReset(of: scope)
    return Rasa.Budget.Period(
      name: name, spent: Rasa.Dollars(balance.settled), held: Rasa.Dollars(balance.held),
      limit: limit.map { Rasa.Dollars($0) },
      countedSince: (reset ?? calendar.beginning(of: day)).milliseconds,
      countedSinceDay: Rasa.Day(reset.map { calendar.day(of: $0) } ?? day))
  }

  /// Counts a period of an owner from nothing again.
  func reset(_ budget: Rasa.Budget, _ period: Rasa.BudgetPeriod) async throws -> Money {
    let everyone = try everyone
    let name = budget.owner == everyone.title ? everyone.name : budget.owner
    return try await store.adjust(
      Adjustment(
        scope: try scope(period, budget[period].name, of: name), change: .to(.zero), kind: .reset,
        by: composition.user(nil), time: composition.time.now()))
  }

  /// Has at least this much count as spent. What would change nothing leaves no trace.
  func raise(
    _ scope: BudgetLeg.Scope, to amount: Money
  ) async throws -> Money {
    guard try await store.balance(of: scope).settled < amount else { return .zero }
    return try await store.adjust(
      Adjustment(
        scope: scope, change: .atLeast(amount), kind: .import, by: composition.user(nil),
        time: composition.time.now()))
  }

  private func scope(
    _ period: Rasa.BudgetPeriod, _ name: String, of owner: String
  ) throws(Failure) -> BudgetLeg.Scope {
    switch period {
    case .day:
      guard let day = LocalDay(name) else {
        throw Failure(.usage, "\(quoted(name)) is not a day such as 2026-01-31")
      }
      return .day(owner: owner, day)
    case .month:
      guard LocalDay(month: name) != nil else {
        throw Failure(.usage, "\(quoted(name)) is not a month such as 2026-01")
      }
      return .month(owner: owner, name)
    }
  }
}

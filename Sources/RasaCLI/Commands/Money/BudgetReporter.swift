import RasaAgents
import RasaCore
import RasaEngine
import RasaKit
import RasaPersona
import RasaStore

/// The books beside the limits that files set.
struct BudgetReporter {
  let accounts: any Accounts
  let house: CompositionRoot
  let configuration: Configuration
  let calendar: BudgetCalendar
  let warn: (Warning) -> Void

  init(
    _ house: CompositionRoot, _ accounts: any Accounts, warn: @escaping (Warning) -> Void
  ) throws(Failure) {
    self.house = house
    self.accounts = accounts
    self.warn = warn
    configuration = try house.configuration(onWarning: warn)
    calendar = BudgetCalendar(time: house.time, zone: configuration.budget.timeZone)
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
      try house.library.personas().contains { $0.name == "everyone" }
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
    for limits in house.agents.limits(ofAgent: agent.id) { budget.narrow(by: limits) }
    return BudgetOwner(
      name: agent.id, title: agent.id, daily: budget.maxDaily, monthly: budget.maxMonthly)
  }

  /// A persona by name, alias or path; an agent by its id; what only the books know; all together.
  func owner(named name: String) async throws -> BudgetOwner {
    let everyone = try everyone
    if name == everyone.title || name == everyone.name { return everyone }
    do throws(Failure) {
      return owner(try house.persona(name))
    } catch {
      let personas = try house.library.personas().map(\.name)
      let agents = house.agents.found
      if !personas.contains(name), let id = agents.registry.id(for: name),
        let agent = agents.registry[id]?.agent
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
        to: name, among: personas + agents.registry.ids + known + [everyone.title])
      throw Failure(
        .configuration, "there is no agent or persona `\(name)`, and no costs under that name",
        suggestion: (nearest.map { "did you mean `\($0)`? " } ?? "")
          + "`rasa agents budget` shows all")
    }
  }

  /// With the limits of the copy that the latest run keeps: one that was run by its path is in no
  /// folder that is looked through. Nil when there is no such copy.
  private func keptOwner(_ name: String) async throws -> BudgetOwner? {
    guard let store = accounts as? any RunStore,
      let run = try await store.runs(RunFilter(persona: name, limit: 1)).first,
      let kept = try await store.journal(of: run.record.id).entries
        .first(where: { $0.kind == "persona.pinned" }),
      let pinned = PinnedFiles(kept.body),
      let graph = try? Graph.compile(pinned, named: name, engines: house.library.engines)
    else { return nil }
    return owner(graph.persona)
  }

  /// All personas that have a limit or a balance, agents that have a balance, and all together.
  /// Agents come in hundreds, and most of them are never asked.
  func owners() async throws -> [BudgetOwner] {
    let library = house.library
    var owners: [String: BudgetOwner] = [:]
    for entry in try library.personas() {
      do throws(Failure) {
        owners[entry.name] = owner(try library.persona(named: entry.name))
      } catch {
        warn(Self.unread(entry.name))
      }
    }
    for balance in try await accounts.balances(on: calendar.today)
    where balance.owner != BudgetLeg.everyone && owners[balance.owner] == nil {
      var owner = house.agents.found.registry[balance.owner].map { self.owner($0.agent) }
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

  func namesInBooks() async throws -> [String] {
    let spenders = try await accounts.spending(SpendingFilter(), by: [.persona])
    let owners = try await accounts.balances(on: calendar.today).map(\.owner)
    return Set(spenders.map { $0.keys[0] } + owners).subtracting([BudgetLeg.everyone]).sorted()
  }

  // MARK: How they stand

  func status(of owner: BudgetOwner) async throws -> BudgetStatus {
    let day = calendar.today
    return BudgetStatus(
      owner: owner, day: day,
      daily: try await period(
        .day(owner: owner.name, day), from: day, limit: owner.daily),
      monthly: try await period(
        .month(owner: owner.name, day.monthText), from: day.firstOfMonth, limit: owner.monthly))
  }

  private func period(
    _ scope: BudgetLeg.Scope, from day: LocalDay, limit: Money?
  ) async throws -> BudgetStatus.Period {
    let balance = try await accounts.balance(of: scope)
    if let adjusted = try await accounts.lastReset(of: scope) {
      return BudgetStatus.Period(
        balance: balance, limit: limit, countsFrom: adjusted,
        countsFromDay: calendar.day(of: adjusted))
    }
    return BudgetStatus.Period(
      balance: balance, limit: limit, countsFrom: calendar.beginning(of: day), countsFromDay: day)
  }
}

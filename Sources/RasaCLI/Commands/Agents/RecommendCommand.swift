import RasaAgents
import RasaCore
import RasaHTTPClient
import RasaKit
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem
import RasaTerminal

/// `rasa agents recommend`: which agents fit a task.
struct RecommendCommand {
  let house: CompositionRoot
  let store: any RunStore
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    let task = try InputReader(house: house).input(command.input)
    let recommender = try await house.recommender(history: store, onWarning: house.warn)
    let registry = try house.agentRegistry(onWarning: house.warn)
    let found = recommender.recommend(
      Recommender.Request(
        task: task, profile: command.choice("profile", of: PerformanceProfile.self),
        maxCost: command.money("max-cost"), limit: command.integer("limit") ?? 5,
        includesUnfit: command.flag("all"),
        nearness: try await nearness(to: task, among: registry, command)),
      among: registry)
    if print.isJSON {
      try print(RecommendationReport.value(of: found, among: registry))
    } else {
      let report = RecommendationReport(width: print.width, explains: command.flag("explain"))
      try print(text: report.text(of: found, among: registry, listsAll: command.flag("all")))
    }
  }

  /// Empty, and nobody is asked, unless the user has named a model for it.
  private func nearness(
    to task: String, among registry: AgentRegistry, _ command: ParsedCommand
  ) async throws -> [String: VectorSimilarity.Value] {
    let named = command.text("embeddings")
    let usual = try house.configuration(onWarning: house.warn).embeddings
    guard named != "off", let model = named.map(ModelConfiguration.reference) ?? usual else {
      return [:]
    }
    // What a project's files say of its agents is sent, and costs money.
    try await house.settleTrust()
    let house = house
    let store = store
    let client = try house.client()
    defer { client.shutdown() }
    let nearness = try EmbeddingMatcher(
      house, store: store, client: client, model: model, maxCost: command.money("max-cost"),
      onWarning: { house.warn($0) },
      say: { try? house.note("rasa: \(printable($0))\n") })
    let run = house.newIdentifier("r")
    let agents = registry.entries.map(\.agent)
    return try await interruptible { cancel in
      store.onCancelRequest(run, cancel)
      return try await nearness.find(task, among: agents, run: run)
    }
  }
}

package import RasaAgents
import RasaCore
import RasaModels
import RasaPersona

extension Rasa {
  /// Whether vectors of a provider's say which agents are related to a task, beside words.
  public struct Embeddings: Sendable, Hashable {
    enum Choice: Sendable, Hashable { case none, configured, model(String) }
    let choice: Choice

    /// Words alone; nobody is asked.
    public static let none = Embeddings(choice: .none)
    /// By the model of `embeddings` in the configuration; without one nobody is asked.
    public static let configured = Embeddings(choice: .configured)
    /// By this model: `model` or `provider:model`.
    public static func model(_ name: String) -> Embeddings { Embeddings(choice: .model(name)) }
  }

  /// What is wanted of recommendations.
  public struct RecommendOptions: Sendable {
    /// What kind of agent is wanted; nil leaves it to the task.
    public var profile: Profile?
    /// Agents whose usual answer costs more are left out, and those of unknown cost. What vectors cost is
    /// limited by it, too.
    public var maxCost: Dollars?
    /// The most agents that are returned, at least 1.
    public var limit = 5
    /// Whether agents that do not fit are listed too.
    public var includesUnfit = false
    /// Whether vectors are asked for. They cost money.
    public var embeddings = Embeddings.none
    /// Called before vectors are asked for; throws to keep that from happening.
    public var beforeAsking: (@Sendable () async throws -> Void)?
    /// Receives what a person should know before vectors are paid for.
    public var notify: (@Sendable (String) -> Void)?

    /// The best five by words.
    public init() {}
  }

  /// Which agents fit a task.
  public struct Recommendations: Sendable {
    /// The words of the task that count: those that some agent knows.
    public var requirements: [String]
    /// What kind of agent the task wants.
    public var profile: Profile
    /// Why it wants that.
    public var profileReason: String
    /// The agents that fit, the best first.
    public var agents: [Recommendation]
    /// The closest ones, where none fits.
    public var nearest: [Recommendation]
    /// How many agents were considered.
    public var considered: Int
    /// How many were left out because they cost too much.
    public var tooExpensive: Int
    /// How many were left out because nobody knows what they cost.
    public var unpriced: Int
    /// Whether no agent fits the task, though some may be listed.
    public var noneFits: Bool { !agents.contains { $0.verdict != .unfit } }
  }

  /// The model of `embeddings` in the configuration; nil where none is named.
  public func embeddingsModel() async throws(RasaError) -> String? {
    try await prepared { rasa throws(Failure) in
      try rasa.composition.configuration(onWarning: rasa.warn).embeddings?.description
    }
  }

  /// The agents that fit a task, with what the task asks for and who was left out.
  ///
  /// - Parameters:
  ///   - task: What is to be done.
  ///   - options: What is wanted.
  /// - Throws: A `RasaError` when the configuration cannot be read, or vectors were asked for and did not
  ///   come.
  public func recommendations(
    for task: String, options: RecommendOptions = RecommendOptions()
  ) async throws(RasaError) -> Recommendations {
    try await redacted {
      let recommender = try await composition.recommender(history: store, onWarning: warn)
      let registry = try composition.narrowed(registered.registry, onWarning: warn)
      let found = recommender.recommend(
        Recommender.Request(
          task: task, profile: options.profile?.own, maxCost: options.maxCost?.money,
          limit: max(1, options.limit), includesUnfit: options.includesUnfit,
          nearness: try await nearness(to: task, among: registry, options)),
        among: registry)
      return Recommendations(found, among: registry)
    }
  }

  private func nearness(
    to task: String, among registry: AgentRegistry, _ options: RecommendOptions
  ) async throws -> [String: VectorSimilarity.Value] {
    let model: ModelReference?
    switch options.embeddings.choice {
    case .none: model = nil
    case .configured: model = try composition.configuration(onWarning: warn).embeddings
    case .model(let name): model = ModelConfiguration.reference(name)
    }
    guard let model else { return [:] }
    // What a project's files say of its agents is sent, and costs money.
    try await options.beforeAsking?()
    let matcher = try EmbeddingMatcher(
      composition, store: store, client: try services.client, model: model,
      maxCost: options.maxCost?.money, onWarning: { self.warn($0) },
      say: options.notify ?? { _ in })
    let run = composition.newIdentifier("r")
    let agents = registry.agents
    return try await services.cancellable(run) {
      try await matcher.find(task, among: agents, run: run)
    }
  }
}

extension Rasa.Recommendations {
  package init(_ found: RasaAgents.Recommendations, among registry: AgentRegistry) {
    func listed(_ found: [RasaAgents.Recommendation]) -> [Rasa.Recommendation] {
      found.compactMap { it in registry[it.agent].map { Rasa.Recommendation(it, $0) } }
    }
    requirements = found.requirements
    profile = Rasa.Profile(rawValue: found.complexity.profile.rawValue) ?? .balanced
    profileReason = found.complexity.reason
    agents = listed(found.agents)
    nearest = listed(found.nearest)
    considered = found.among
    tooExpensive = found.tooExpensive
    unpriced = found.unpriced
  }
}

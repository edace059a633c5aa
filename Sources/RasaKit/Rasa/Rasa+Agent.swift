import RasaCore
import RasaPersona

extension Rasa {
  /// What matters most in choosing a model.
  @nonexhaustive
  public enum Profile: String, Sendable, Hashable, CaseIterable, Codable {
    /// Quick answers to simple work.
    case speed
    /// A good answer at a fair price.
    case balanced
    /// Work that has to be reasoned out.
    case thinking
    /// Work in which mistakes are expensive.
    case expert

    var own: PerformanceProfile { PerformanceProfile(rawValue: rawValue) ?? .balanced }
  }

  /// How much a model that thinks first is to think.
  @nonexhaustive
  public enum Effort: String, Sendable, Hashable, CaseIterable, Codable {
    /// A little.
    case low
    /// As models do by themselves.
    case medium
    /// As much as it takes.
    case high
  }

  /// An agent: who it is, what it can do, which models it wants, and the words of its prompt.
  ///
  /// For what only a file can declare (loops, triggers, sandboxes), use `register(markdown:)`.
  public struct Agent: Sendable, Hashable, Identifiable {
    /// Kebab-case, such as `api-design-agent`.
    public var id: String
    /// What people call it.
    public var name: String
    /// What it does and when to use it; it is recommended by these words.
    public var description: String
    /// Its prompt. Nil for one that was found in files, whose words are read when it runs.
    public var prompt: String?
    /// The folder or field of work that it belongs to, such as `core`.
    public var category: String?
    /// Words that it is found by.
    public var tags: [String] = []
    /// What it can do, such as `api_design`.
    public var capabilities: [String] = []
    /// Requests that somebody would really write to it.
    public var exampleQueries: [String] = []
    /// Ids of agents that go well before or after it.
    public var worksWellWith: [String] = []
    /// As `model` or `provider:model`.
    public var model: String?
    /// Asked when `model` does not answer.
    public var fallbackModel: String?
    /// Asked only when the run allows premium models.
    public var premiumModel: String?
    /// What matters most in choosing a model; nil leaves it to the configuration.
    public var profile: Profile?
    /// How much a model that thinks first is to think; nil leaves it to the profile.
    public var effort: Effort?
    /// How many tokens a usual answer takes, in and out together.
    public var estimatedTokens: Int?
    /// How many tasks it may work on at once, over all processes of the user.
    public var maxConcurrentTasks: Int?
    /// What one run of it may cost, and all of them on one day.
    public var maxCost: Dollars?
    /// What all of its runs may cost on one day.
    public var maxDailyCost: Dollars?
    /// What its prompt says where a name in double braces has no value.
    public var defaults: [String: String] = [:]
    /// The file that it was read from.
    public private(set) var file: String?
    /// `registered`, `shipped`, or the folder that it was found in.
    public private(set) var origin = "registered"

    /// An agent of the program's own. Its name is its id where none is given.
    public init(id: String, name: String? = nil, description: String, prompt: String) {
      self.id = id
      self.name = name ?? id
      self.description = description
      self.prompt = prompt
    }

    init(_ agent: RasaPersona.Agent, prompt: String? = nil) {
      id = agent.id
      name = agent.name
      description = agent.description
      self.prompt = prompt
      category = agent.category
      tags = agent.tags
      capabilities = agent.capabilities
      exampleQueries = agent.exampleQueries
      worksWellWith = agent.worksWellWith
      let own = agent.model.map { ModelReference(engine: agent.engine, model: $0) }
      model = (agent.models.primary ?? own)?.description
      fallbackModel = agent.models.fallback?.description
      premiumModel = agent.models.premium?.description
      profile = agent.profile.flatMap { Profile(rawValue: $0.rawValue) }
      effort = agent.effort.flatMap { Effort(rawValue: $0.rawValue) }
      estimatedTokens = agent.estimatedTokens
      maxConcurrentTasks = agent.maxConcurrentTasks
      maxCost = agent.budget.maxPerExecution.map { Dollars($0) }
      maxDailyCost = agent.budget.maxDaily.map { Dollars($0) }
      for (key, value) in agent.defaults { defaults[key] = value.promptText }
      origin = agent.files.origin
      if origin != RegisteredAgents.origin { file = agent.files.config ?? agent.files.prompt }
    }
  }
}

extension Rasa.Agent {
  /// The agent as a file says it: everything goes through the one reader of agents.
  var markdown: String {
    var fields: [(String, Value)] = [
      ("name", .string(id)), ("display_name", .string(name)), ("description", .string(description)),
    ]
    func add(_ key: String, _ text: String?) {
      if let text { fields.append((key, .string(text))) }
    }
    func add(_ key: String, _ texts: [String]) {
      if !texts.isEmpty { fields.append((key, .array(texts.map(Value.string)))) }
    }
    func add(_ key: String, _ members: [(String, Value)]) {
      if !members.isEmpty { fields.append((key, .object(ValueObject(members)))) }
    }
    func member(_ key: String, _ text: String?) -> [(String, Value)] {
      text.map { [(key, .string($0))] } ?? []
    }
    add("category", category)
    add("tags", tags)
    add("capabilities", capabilities)
    add("example_queries", exampleQueries)
    add("works_well_with", worksWellWith)
    add(
      "recommended_models",
      member("primary", model) + member("fallback", fallbackModel)
        + member("premium", premiumModel))
    add("performance_profile", profile?.rawValue)
    add("reasoning_effort", effort?.rawValue)
    if let estimatedTokens { fields.append(("estimated_tokens", .int(Int64(estimatedTokens)))) }
    if let maxConcurrentTasks {
      fields.append(("max_concurrent_tasks", .int(Int64(maxConcurrentTasks))))
    }
    add(
      "cost_budget",
      member("max_per_execution", maxCost?.decimalText)
        + member("max_daily", maxDailyCost?.decimalText))
    add(
      "defaults", defaults.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
    let lines = fields.map { "\($0): \(FrontMatterText.value($1))" }
    return (["---"] + lines + ["---", prompt ?? ""]).joined(separator: "\n")
  }
}

extension FrontMatterText {
  /// A value on one line that YAML reads as exactly this.
  fileprivate static func value(_ value: Value) -> String {
    switch value {
    case .array(let elements):
      "[" + elements.map { Self.value($0) }.joined(separator: ", ") + "]"
    case .object(let object):
      "{"
        + object.map { "\(scalar(.string($0.key), isInList: true)): \(Self.value($0.value))" }
        .joined(separator: ", ") + "}"
    default: scalar(value, isInList: true)
    }
  }
}

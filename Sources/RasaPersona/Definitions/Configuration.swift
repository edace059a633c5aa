package import RasaCore

/// The content of a user's or a project's `config.yaml`.
package struct Configuration: Sendable {
  package var providers: [ProviderDefinition] = []
  /// The model if a persona recommends none.
  package var model: ModelReference?
  package var profile: PerformanceProfile?
  package var budget = GlobalBudget()
  package var network = NetworkDefinition()
  package var flush = FlushPolicy.full
  /// The embedding model for recommending agents; nil for none.
  package var embeddings: ModelReference?
  /// How recall compares meanings.
  package var memory = MemoryDefaults()
  package var learning = LearningSettings()
  /// Which agents are visible and may be delegated to: the user's list, and the project's.
  package var narrowing = AgentNarrowing()
  /// What is asked at points of every run: the user's hooks, then the project's.
  package var hooks: [HookDefinition] = []
  /// Rules about tools: the user's own.
  package var policy: [ToolRule] = []
  /// Rules of the project's file, which forbid or ask where the user's would not.
  package var projectPolicy: [ToolRule] = []
  /// The tools that the user's file declares; those of the project's are in `ofProject`.
  package var tools: [ToolDeclaration] = []
  /// What the project's file contributes; nil if there is none.
  package var ofProject: ProjectSettings?
  package init() {}
}

/// When what is written to the database is on the disk.
package enum FlushPolicy: String, Sendable, Hashable, CaseIterable {
  /// Before anything is done that rests on it.
  case full
  /// Within a second: a power failure may lose that much, and the end of a process nothing.
  case relaxed
}

/// How what is remembered is found, where a persona says nothing else.
package struct MemoryDefaults: Sendable, Hashable {
  /// The model whose vectors recall compares; nil for words alone.
  package var embeddings: ModelReference?
  /// How long recall waits for the vector of a question.
  package var milliseconds = 800
  /// How long the program stays for vectors of what was said, once an answer is complete.
  package var lingerMilliseconds = 1_000
  package init() {}
}

/// What is learnt from how runs go.
package struct LearningSettings: Sendable, Hashable {
  /// Whether there is a record of how each run went.
  package var isEnabled = true
  /// Nil where no models are asked how good answers are.
  package var evaluation: EvaluationSettings?
  /// Sets of weights that a share of the runs each is scored with, in the order of the file; the rest has the standard one.
  package var weights: [WeightSet] = []
  package init() {}
}

/// Which runs models are asked about, who is asked, and what that may cost.
package struct EvaluationSettings: Sendable, Hashable {
  /// Names that stand for no agent: the model that judges, and the one that says what kind of task it was.
  package static let judge = "judge"
  package static let classifier = "classifier"

  package var maxDaily: Money?
  package var maxMonthly: Money?
  /// The share of the runs that came to their end, from 0 to 1.
  package var share = 0.2
  /// In the order in which they are asked: agents, `judge`, `classifier`.
  package var evaluators = [judge, "critical-reviewer", "holistic-reviewer"]
  /// The judge's and the classifier's model; nil for a recommended one.
  package var model: ModelReference?
  /// Whether the model that wrote an answer may judge it.
  package var allowsSameModel = false
  package init() {}
}

/// What counts how much in a score, for a share of the runs.
package struct WeightSet: Sendable, Hashable {
  package var name: String
  /// From 0 to 1.
  package var share: Double
  /// From 0 to 1, by the name of a criterion or `efficiency`; what is missing is as in the standard set.
  package var values: [String: Double]
}

/// Settings of a project's file that choose the model or provider.
package struct ProjectSettings: Sendable {
  package var document: SourceDocument
  package var model: ModelReference?
  package var profile: PerformanceProfile?
  package var tools: [ToolDeclaration] = []
}

/// A provider as data: a new one is an entry in a file.
package struct ProviderDefinition: Sendable {
  /// The wire format.
  package enum Dialect: String, Sendable, Hashable, CaseIterable {
    case openAI = "openai"
    case anthropic, gemini, ollama
  }

  /// How an OpenAI-compatible server wants the output capped.
  package enum MaxTokensField: String, Sendable, Hashable, CaseIterable {
    case maxTokens = "max_tokens"
    case maxCompletionTokens = "max_completion_tokens"
  }

  /// How a schema reaches the server: enforced, as "some JSON" with the schema in the prompt, or
  /// in the prompt alone.
  package enum StructuredOutput: String, Sendable, Hashable, CaseIterable {
    case jsonSchema = "json_schema"
    case jsonObject = "json_object"
    case prompt
  }

  /// How closely OpenAI's models look at an image, which decides what it costs.
  package enum ImageDetail: String, Sendable, Hashable, CaseIterable { case low, high }

  package var name: String
  package var dialect: Dialect
  package var baseURL: String
  /// Whether its models accept images and PDFs; nil if the catalogue decides.
  package var takesImages: Bool?
  package var takesPDFs: Bool?
  package var imageDetail: ImageDetail?
  /// The name of the environment variable with the key; the key itself is in no file.
  package var keyVariable: String?
  /// The header that carries the key, if it is not the dialect's own.
  package var keyHeader: String?
  package var headers: [(name: String, value: String)]
  /// Added to every address, such as `api-version`.
  package var query: [(name: String, value: String)]
  package var maxTokensField: MaxTokensField?
  package var structuredOutput: StructuredOutput?
  /// The vendor whose catalogue entries apply, such as `openai` for Azure.
  package var vendor: String?
  package var defaultModel: String?
  /// It runs on this machine, so models without a price are free. Nil: if its address is this
  /// machine's.
  package var isLocal: Bool?
  /// Seconds.
  package var connectTimeout: Double?
  package var firstContentTimeout: Double?
  package var idleTimeout: Double?
  package var location: SourceLocation
  /// Whether it comes from a project's file instead of the user's own.
  package var isProject = false

  package init(
    name: String, dialect: Dialect = .openAI, baseURL: String, keyVariable: String? = nil,
    keyHeader: String? = nil, headers: [(name: String, value: String)] = [],
    query: [(name: String, value: String)] = [], maxTokensField: MaxTokensField? = nil,
    structuredOutput: StructuredOutput? = nil, vendor: String? = nil, defaultModel: String? = nil,
    isLocal: Bool? = nil, firstContentTimeout: Double? = nil, idleTimeout: Double? = nil,
    location: SourceLocation = SourceLocation(file: "", line: 0, column: 0)
  ) {
    self.name = name
    self.dialect = dialect
    self.baseURL = baseURL
    self.keyVariable = keyVariable
    self.keyHeader = keyHeader
    self.headers = headers
    self.query = query
    self.maxTokensField = maxTokensField
    self.structuredOutput = structuredOutput
    self.vendor = vendor
    self.defaultModel = defaultModel
    self.isLocal = isLocal
    self.firstContentTimeout = firstContentTimeout
    self.idleTimeout = idleTimeout
    self.location = location
  }
}

/// How providers are reached.
package struct NetworkDefinition: Sendable, Hashable {
  /// A setting and its source, for messages.
  package struct Setting: Sendable, Hashable {
    package var value: String
    package var location: SourceLocation
  }

  /// Empty or `none` for no proxy, overriding the environment.
  package var proxy: Setting?
  package var noProxy: Setting?
  package var proxiesLoopback = false
  package var caFile: Setting?
  package var caFolder: Setting?
  package var http2 = false
  package init() {}
}

/// The limits that all personas and agents share.
package struct GlobalBudget: Sendable, Hashable {
  package var maxPerExecution: Money?
  package var maxDaily: Money?
  package var maxMonthly: Money?
  /// The time zone of days and months; nil for the machine's.
  package var timeZone: String?
  /// Per million tokens: the price assumed, under a limit, for a model whose price is unknown.
  package var unknownInputPrice: Money?
  package var unknownOutputPrice: Money?
  /// Per second of such a model's work.
  package var unknownPricePerSecond: Money?
  package init() {}
}

package import RasaCore

package enum OperatorKind: String, Sendable, Hashable, CaseIterable {
  case llm, tool, human, memory, rule, agent
}

/// The type that an operator declares for a key it writes.
package enum ValueType: String, Sendable, Hashable, CaseIterable {
  case text, number, boolean, list, object, any
}

package struct Write: Sendable, Hashable {
  package var key: String
  package var type: ValueType
  package init(key: String, type: ValueType) {
    self.key = key
    self.type = type
  }
}

/// An operator: a function from declared `reads` to declared `writes`.
package struct OperatorDefinition: Sendable {
  package var name: String
  package var kind: OperatorKind
  /// The frame it runs in unless the persona sets another one.
  package var frame: String?
  package var description: String
  package var reads: [StatePath]
  /// Those of `reads` that may be missing (marked with `?` in the file); any other read that
  /// nothing writes earlier is an error.
  package var optionalReads: Set<StatePath>
  /// In the order of the file. An `llm` operator with a single text write stores its answer there;
  /// with an output schema the whole object goes to the only write, or each member to the write
  /// with its name.
  package var writes: [Write]
  package var profile: PerformanceProfile?
  package var maxTokens: Int?
  package var temperature: Double?
  /// How much a reasoning model should reason; nil lets the profile decide.
  package var effort: ReasoningEffort?
  package var prompt: Template?
  /// For `kind: human`: the question to the user, whose answer is written. Nil for an operator that
  /// shows a person the text of others.
  package var ask: Template?
  /// The answer to use if nobody may be asked.
  package var standardAnswer: Value?
  /// A JSON Schema; nil means text.
  package var output: Value?
  package var then: [Route]
  package var review: ReviewPolicy
  package var onError: ErrorPolicy
  /// Seconds for the whole operator.
  package var timeout: Double?
  package var uncertain: UncertainPolicy { didSet { saysUncertain = true } }
  /// Whether `uncertain` was said: otherwise a tool with side effects has a person decide.
  package private(set) var saysUncertain = false
  /// For `kind: rule`: applied in order.
  package var rules: [Rule]
  /// For `kind: rule`: a text assembled from the texts of other operators.
  package var compose: Composition?
  /// For `kind: memory`: recall or remember.
  package var memory: MemoryAction?
  /// For `kind: llm`: tools and operators it may call. For `kind: tool`: the tool.
  package var tools: [String]
  /// For `kind: llm`: the skills that it is offered; nil for those of its persona. `all` stands for all there are.
  package var skills: [String]?
  /// For `kind: llm`: whether it is shown the project's `AGENTS.md`; nil for what its persona says.
  package var seesProject: Bool?
  /// For `kind: tool`: what the tool is called with; empty for what the operator reads.
  package var arguments: [ToolArgument] = []
  /// How far a model may go with `tools`.
  package var toolLimits = ToolLimits()
  /// For `kind: llm`: whether the model may ask the user something while it works.
  package var mayAsk = false
  /// Whether the list may name tools that only the program it was written for has. They are left out.
  package var hasForeignTools = false
  /// For `kind: agent`: the persona or agent to run. The prompt is then its question; by default it
  /// gets everything that the operator reads.
  package var agent: String?
  /// What is added below the prompt, each under a heading, if it has a value.
  package var sections: [StatePath] = []
  /// What the prompt inserts at paths that have no value in the state.
  package var defaults = ValueObject()
  /// Names in the prompt that are left unchanged if they have no value: braces in an agent's prompt
  /// may be code.
  package var looseNames: Set<StatePath> = []
  /// Whether the persona's instructions are the prompt, as long as none of its names has a value.
  package var isInstructions = false
  /// Whether a name in the prompt without a value is an error instead of empty.
  package var isStrict = false
  /// Whether it receives the attachments of the input, if it reads the input.
  package var takesAttachments = true
  package var location: SourceLocation

  package init(
    name: String, kind: OperatorKind, frame: String? = nil, description: String = "",
    reads: [StatePath] = [], optionalReads: Set<StatePath> = [], writes: [Write] = [],
    profile: PerformanceProfile? = nil,
    maxTokens: Int? = nil, temperature: Double? = nil, prompt: Template? = nil,
    output: Value? = nil, then: [Route] = [], review: ReviewPolicy = .never,
    onError: ErrorPolicy = ErrorPolicy(), timeout: Double? = nil,
    uncertain: UncertainPolicy = .retry, rules: [Rule] = [], compose: Composition? = nil,
    memory: MemoryAction? = nil, tools: [String] = [], agent: String? = nil,
    location: SourceLocation = SourceLocation(file: "", line: 0, column: 0)
  ) {
    self.name = name
    self.kind = kind
    self.frame = frame
    self.description = description
    self.reads = reads
    self.optionalReads = optionalReads
    self.writes = writes
    self.profile = profile
    self.maxTokens = maxTokens
    self.temperature = temperature
    self.prompt = prompt
    self.output = output
    self.then = then
    self.review = review
    self.onError = onError
    self.timeout = timeout
    self.uncertain = uncertain
    self.rules = rules
    self.compose = compose
    self.memory = memory
    self.tools = tools
    self.agent = agent
    self.location = location
  }
}

/// What may follow an operator: go to an operator or frame, or have a person review the output.
package struct Route: Sendable {
  package enum Action: Sendable, Hashable {
    case to(String)
    /// A person reviews `subject`: a key of the state, by default what the operator wrote.
    case review(subject: String?)
  }
  package var when: Guard?
  package var action: Action
  package var atMost: Int?
  /// Frames that are skipped on the way back.
  package var skip: [String] = []
  /// Whether `to` names a frame that an agent returns to by its `loop_behavior`.
  package var isLoop = false
  package var location: SourceLocation

  package init(
    when: Guard? = nil, action: Action, atMost: Int? = nil, skip: [String] = [],
    location: SourceLocation = SourceLocation(file: "", line: 0, column: 0)
  ) {
    self.when = when
    self.action = action
    self.atMost = atMost
    self.skip = skip
    self.location = location
  }
}

package enum ReviewPolicy: Sendable {
  case never, always
  case when(Guard)
}

/// What happens when an operator fails: the number of further attempts, and the action after the
/// last.
package struct ErrorPolicy: Sendable, Hashable {
  package enum Otherwise: Sendable, Hashable {
    case fail, skip
    case run(String)
  }
  package var retry: Int
  package var otherwise: Otherwise
  package init(retry: Int = 0, otherwise: Otherwise = .fail) {
    self.retry = retry
    self.otherwise = otherwise
  }
}

/// What to do on resume with an effect that was in flight at a crash.
package enum UncertainPolicy: String, Sendable, Hashable, CaseIterable {
  case retry, ask, fail
}

/// One rule of a `rule` operator. All its changes apply if the guard is true, or if there is none.
package struct Rule: Sendable {
  package var when: Guard?
  /// Keys to set: templates for text, any other value unchanged.
  package var set: [(key: String, value: RuleValue)]
  /// Text to append to keys.
  package var append: [(key: String, text: Template)]
  /// Plain text replacements in a key's text, in order.
  package var replace: [(key: String, from: String, to: String)]

  package init(
    when: Guard? = nil, set: [(key: String, value: RuleValue)] = [],
    append: [(key: String, text: Template)] = [],
    replace: [(key: String, from: String, to: String)] = []
  ) {
    self.when = when
    self.set = set
    self.append = append
    self.replace = replace
  }
}

package enum RuleValue: Sendable {
  case literal(Value)
  case template(Template)
  /// The value at a path, whatever its type (written as a template with a single placeholder).
  case path(StatePath)
}

/// Text assembled from the texts of other operators, in order. The heading of a part that is
/// missing or empty is omitted. Because it is data, its start can be shown before its end exists.
package struct Composition: Sendable, Hashable {
  package struct Part: Sendable, Hashable {
    package var from: StatePath
    package var heading: String?
    package init(from: StatePath, heading: String? = nil) {
      self.from = from
      self.heading = heading
    }
  }
  package var key: String
  package var parts: [Part]
  package init(key: String, parts: [Part]) {
    self.key = key
    self.parts = parts
  }
}

package enum MemoryAction: String, Sendable, Hashable, CaseIterable {
  /// Writes the memories of persona and user that match the input.
  case recall
  /// Stores the facts from the key it reads.
  case remember
}

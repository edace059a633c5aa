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
  /// The frame it runs in unless the persona says otherwise.
  package var frame: String?
  package var description: String
  package var reads: [StatePath]
  /// Those of `reads` that may be missing (written with a `?` in the file); any other read that
  /// nothing writes before is an error.
  package var optionalReads: Set<StatePath>
  /// In the order of the file. An `llm` operator with one text write puts its answer there; with an
  /// output schema the whole object goes to the only write, or each member to the write of its name.
  package var writes: [Write]
  package var profile: PerformanceProfile?
  package var maxTokens: Int?
  package var temperature: Double?
  /// How much a thinking model is to think; nil leaves it to the profile.
  package var effort: ReasoningEffort?
  package var prompt: Template?
  /// For `kind: human`: what the user is asked for, whose answer is written. Nil for an operator that
  /// shows a person what others wrote.
  package var ask: Template?
  /// The answer that counts when nobody may be asked.
  package var standardAnswer: Value?
  /// A JSON Schema; nil means text.
  package var output: Value?
  package var then: [Route]
  package var review: ReviewPolicy
  package var onError: ErrorPolicy
  /// Seconds for the whole operator.
  package var timeout: Double?
  package var uncertain: UncertainPolicy
  /// For `kind: rule`: applied in order.
  package var rules: [Rule]
  /// For `kind: rule`: text put together from what other operators wrote.
  package var compose: Composition?
  /// For `kind: memory`: which of the two it does.
  package var memory: MemoryAction?
  /// For `kind: llm`: tools and operators it may call. For `kind: tool`: the tool.
  package var tools: [String]
  /// For `kind: agent`: the persona or agent it runs. The prompt is then what that is asked; without
  /// one it is everything that the operator reads.
  package var agent: String?
  /// What is added below the prompt, each under a heading, where there is anything.
  package var sections: [StatePath] = []
  /// What the prompt inserts where the state has nothing, at the same paths.
  package var defaults = ValueObject()
  /// Names in the prompt that stay as they are written where nothing gives them a value: in an
  /// agent's prompt braces may be somebody's code.
  package var looseNames: Set<StatePath> = []
  /// Whether the persona's instructions are the prompt, as long as nothing gives a name in it a value.
  package var isInstructions = false
  /// Whether a name in the prompt that has no value is an error, and not empty.
  package var isStrict = false
  /// Whether it is shown what is attached to the input, where it reads the input.
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

/// What may happen after an operator: go to an operator or frame, or let a person see the output.
package struct Route: Sendable {
  package enum Action: Sendable, Hashable {
    case to(String)
    /// A person sees `subject`: a key of the state, by default what the operator wrote.
    case review(subject: String?)
  }
  package var when: Guard?
  package var action: Action
  package var atMost: Int?
  /// Frames that are left out on the way from there to here again.
  package var skip: [String] = []
  /// Whether `to` names a frame that an agent goes back to by its `loop_behavior`.
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

/// What happens when an operator fails: so many further tries, and then.
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

/// One rule of a `rule` operator. All its changes happen when the guard holds (or there is none).
package struct Rule: Sendable {
  package var when: Guard?
  /// Keys to set: templates for text, any other value as it stands.
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
  /// The value at a path, whatever its type (written as a template that is one placeholder only).
  case path(StatePath)
}

/// Text made of what other operators wrote, in order. A part that is missing or empty leaves its
/// heading out too. Because it is data, its beginning can be shown before its end exists.
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
  /// Puts what is remembered of persona and user and fits the input into the written key.
  case recall
  /// Keeps the facts in the read key.
  case remember
}

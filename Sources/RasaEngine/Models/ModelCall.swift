package import RasaCore
package import RasaPersona

/// What an operator asks of a model. It names no model: that is the gate's decision.
package struct ModelRequest: Sendable, Hashable {
  package var messages: [ChatMessage]
  /// JSON Schema of the answer; nil means text.
  package var schema: Value?
  /// What the model may ask to have called.
  package var tools: [ToolDefinition]
  /// False where tools are named only because the conversation tells of them.
  package var allowsToolCalls = true
  /// What the answer has to call; nil leaves that to the model.
  package var requiredCall: RequiredCall?
  /// Nil leaves it to the gate, which asks for it where the profile is `thinking`.
  package var effort: ReasoningEffort?
  /// What the schema is called on the wire: the operator's name.
  package var name: String
  package var maxTokens: Int?
  /// Hold at least this many tokens for the answer, because an earlier one was cut at fewer.
  package var room: Int64?
  /// Set if this continues an answer that was cut: only the same model is asked.
  package var continuation: Continuation?
  package var temperature: Double?
  /// The share of the likeliest tokens that are chosen from.
  package var topP: Double?
  /// Texts that end the answer, and are no part of it.
  package var stop: [String] = []
  package var profile: PerformanceProfile?
  /// Seconds for the whole call; nil leaves it to the provider's timers.
  package var timeout: Double?
  /// What the run was asked, for the mock, which does not understand prompts.
  package var input: String
  package var preferences: ValueObject
  /// Which of the messages are the conversation so far, whose oldest turns may be left out; nil where none are.
  package var history: RequestHistory?
  /// What reads on in the results of tools. Where it is there, the oldest of them may be cut to their beginnings.
  package var reader: ToolDefinition?

  package init(
    messages: [ChatMessage], schema: Value? = nil, tools: [ToolDefinition] = [],
    effort: ReasoningEffort? = nil, name: String = "", maxTokens: Int? = nil,
    temperature: Double? = nil, profile: PerformanceProfile? = nil, timeout: Double? = nil,
    input: String = "", preferences: ValueObject = ValueObject()
  ) {
    self.tools = tools
    self.effort = effort
    self.input = input
    self.preferences = preferences
    self.messages = messages
    self.schema = schema
    self.name = name
    self.maxTokens = maxTokens
    self.temperature = temperature
    self.profile = profile
    self.timeout = timeout
  }
}

extension ModelRequest {
  /// Whether the answer may be the wish to have tools called.
  package var mayCallTools: Bool { !tools.isEmpty && allowsToolCalls }

  /// The images and documents in all messages, in order.
  package var attachments: [Attachment] { messages.flatMap(\.attachments) }
}

/// That a tool has to be called.
package enum RequiredCall: Sendable, Hashable {
  case any
  case named(String)
}

/// An answer that was cut, for the model that wrote it to go on with.
package struct Continuation: Sendable, Hashable {
  package var provider: String
  package var model: String
  /// The answer so far.
  package var text: String
  /// The tokens that it took.
  package var tokens: Int64
  package init(provider: String, model: String, text: String, tokens: Int64) {
    self.provider = provider
    self.model = model
    self.text = text
    self.tokens = tokens
  }
}

/// Who asks, for the ledger and the journal.
package struct CallContext: Sendable {
  package var run: Identifier
  package var key: EffectKey
  /// The persona whose budget pays.
  package var persona: String
  package var models: RecommendedModels
  /// Nil where neither operator nor persona says anything.
  package var profile: PerformanceProfile?
  package var budget: CostBudget
  /// The dollars that the whole run may take.
  package var runLimit: Money?
  /// An attempt at this call whose outcome was never known: the provider is asked the same again
  /// and may recognise it; nil for a new call.
  package var doubt: UncertainCall?
  /// What is done about a call whose outcome is not known.
  package var uncertain = UncertainPolicy.retry
  /// What one run of the persona is counted under, where it is a part of another run.
  package var execution: Identifier?
  /// Who had the persona run, from the nearest on: their limits hold as well.
  package var above: [BudgetHolder] = []

  package init(
    run: Identifier, key: EffectKey, persona: String,
    models: RecommendedModels = RecommendedModels(), profile: PerformanceProfile? = nil,
    budget: CostBudget = CostBudget(), runLimit: Money? = nil,
    doubt: UncertainCall? = nil
  ) {
    self.run = run
    self.key = key
    self.persona = persona
    self.models = models
    self.profile = profile
    self.budget = budget
    self.runLimit = runLimit
    self.doubt = doubt
  }
}

/// A persona or agent whose limits apply to a call.
package struct BudgetHolder: Sendable, Hashable {
  package var persona: String
  package var budget: CostBudget
  package var runLimit: Money?
  /// What one run of the persona is counted under.
  package var execution: Identifier
  package init(persona: String, budget: CostBudget, runLimit: Money?, execution: Identifier) {
    self.persona = persona
    self.budget = budget
    self.runLimit = runLimit
    self.execution = execution
  }
}

extension CallContext {
  /// Everyone whose limits apply, from the one that calls to the one that the user runs.
  package var payers: [BudgetHolder] {
    [
      BudgetHolder(
        persona: persona, budget: budget, runLimit: runLimit, execution: execution ?? run)
    ] + above
  }
}

/// Token counts as billed: `input` includes `cachedInput` and `cacheWrites`, `output` includes
/// `reasoning`.
package struct Usage: Sendable, Hashable {
  package var input: Int64
  package var output: Int64
  /// Input that the provider had already read.
  package var cachedInput: Int64
  /// Input that the provider kept for later, where that has a price of its own.
  package var cacheWrites: Int64
  package var reasoning: Int64
  /// False when the provider said nothing and the counts are our estimate.
  package var isReported: Bool

  package init(
    input: Int64 = 0, output: Int64 = 0, cachedInput: Int64 = 0, cacheWrites: Int64 = 0,
    reasoning: Int64 = 0, isReported: Bool = true
  ) {
    self.cacheWrites = cacheWrites
    self.input = input
    self.output = output
    self.cachedInput = cachedInput
    self.reasoning = reasoning
    self.isReported = isReported
  }
}

extension Usage {
  /// Counts come from outside, so sums saturate.
  package mutating func add(_ other: Usage) {
    func sum(_ left: Int64, _ right: Int64) -> Int64 {
      let (sum, overflow) = left.addingReportingOverflow(right)
      return overflow ? .max : sum
    }
    input = sum(input, other.input)
    output = sum(output, other.output)
    cachedInput = sum(cachedInput, other.cachedInput)
    cacheWrites = sum(cacheWrites, other.cacheWrites)
    reasoning = sum(reasoning, other.reasoning)
    isReported = isReported && other.isReported
  }
}

/// What arrives while a model answers.
package enum ModelEvent: Sendable, Hashable {
  /// A model was chosen and is about to be asked.
  case started(provider: String, model: String)
  case text(String)
  /// Reasoning shown apart, never part of the answer.
  case reasoning(String)
  /// The stream broke and starts again: what was shown of this answer no longer counts.
  case restarted(reason: String)
  /// What was shown of this answer was no part of it: the model was thinking.
  case retracted(reason: String)
  /// The stream broke where nothing can be taken back; the next model continues what was shown.
  case continued(after: String)
  /// The model that is about to be asked is not the one that was named or asked first.
  case fellBack(ModelFallback, to: String)
  /// Other holds stand in the way of this call's reservation: it waits for them.
  case waiting(reason: String)
  /// Something about the call that its reader has to know: an impossible count, a limit lifted.
  case noticed(String)
  /// The model that is about to be asked has no room for the whole conversation.
  case trimmed(HistoryCut)
}

/// How an answer ended. Journals and JSON contain the raw values.
package enum FinishReason: String, Sendable, Hashable, CaseIterable {
  case stop
  /// The model reached the cap that was sent, or its own maximum.
  case length
  /// The provider's content filter stopped it.
  case filtered
  /// The model declined to answer.
  case refused
  /// It ended in good order, without text and without tool calls.
  case empty
  case toolCalls = "tool_calls"
  /// We stopped reading: the metered cost reached the hold, or the answer outgrew memory.
  case cutOff = "cut_off"

  /// Reads a journal's value, those of earlier versions included.
  package init?(recorded text: String) {
    guard let reason = Self(rawValue: text) ?? (text == "cutOff" ? .cutOff : nil) else {
      return nil
    }
    self = reason
  }

  /// The answer is all that the model had to say.
  package var isWhole: Bool { self == .stop || self == .toolCalls }
  /// There is an answer, and its end is missing.
  package var isCut: Bool { self == .length || self == .cutOff }
  /// There is no answer; operators handle it as a failure.
  package var isNoAnswer: Bool { self == .filtered || self == .refused || self == .empty }
}

package struct ModelAnswer: Sendable, Hashable {
  package var text: String
  package var toolCalls: [ToolCall]
  /// Only what has to be handed back with the tool calls.
  package var reasoning: [ReasoningPart]
  package var provider: String
  package var model: String
  package var usage: Usage
  package var cost: Money
  package var finish: FinishReason
  /// True for the mock: the answer is labelled wherever it is shown.
  package var isMock: Bool
  /// The cap that was sent, in tokens; nil when none was.
  package var cap: Int64?
  /// The most tokens that the answer may have in all, by its operator or its model; nil when neither
  /// is known. An answer that ends with `length` below it was cut by what could be held.
  package var ceiling: Int64?
  /// Set when another model answered than the one that was asked first.
  package var fallback: ModelFallback?
  /// What failed attempts at this call cost before the answer came.
  package var wasted: Money = .zero
  /// The tokens that each of the request's attachments was reckoned at, in order.
  package var attachmentTokens: [Int64] = []
  /// Why a model declined that was asked for a client, in its own words; never a part of the answer.
  package var refusal = ""
  /// False if the price of the model is unknown.
  package var isPriceKnown = true

  package init(
    text: String, toolCalls: [ToolCall] = [], reasoning: [ReasoningPart] = [], provider: String,
    model: String, usage: Usage, cost: Money, finish: FinishReason = .stop, isMock: Bool = false,
    cap: Int64? = nil, ceiling: Int64? = nil, fallback: ModelFallback? = nil
  ) {
    self.cap = cap
    self.ceiling = ceiling
    self.fallback = fallback
    self.toolCalls = toolCalls
    self.reasoning = reasoning
    self.text = text
    self.provider = provider
    self.model = model
    self.usage = usage
    self.cost = cost
    self.finish = finish
    self.isMock = isMock
  }
}

extension ModelAnswer {
  /// Who answered, as `provider:model`.
  package var source: String { "\(provider):\(model)" }
}

/// Another model answers than the one that was named or asked first.
package struct ModelFallback: Sendable, Hashable {
  /// The value of `insteadOf` if no model was named.
  package static let anyModel = "a model"

  /// `provider:model`.
  package var insteadOf: String
  /// Why that one did not answer, as one clause.
  package var because: String
  package init(insteadOf: String, because: String) {
    self.insteadOf = insteadOf
    self.because = because
  }
}

/// The only door to a model: chooses one, reserves its money, asks it, settles.
///
/// The gate writes the call's intent with its reservation, and its result with its settlement, in
/// one transaction each; both events are made by the caller so that the journal stays the domain's.
package protocol ModelGate: Sendable {
  /// `onEvent` is awaited; a run puts a `RunBuffer` in front of whoever may be slow to read.
  /// Cancelling the task ends the call at the peer, settles what was used and throws
  /// `CancellationError`.
  func answer(
    _ request: ModelRequest, for context: CallContext,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> ModelAnswer

  /// What identifies the request: SHA-256 over everything that can change the answer.
  func digest(of request: ModelRequest, for context: CallContext) -> String

  /// Settles an attempt whose outcome will never be known, at what was held for it: the provider may
  /// have done the work. The line `call.uncertain` says what was decided.
  func giveUp(_ call: UncertainCall, of run: Identifier, decision: UncertainPolicy) async throws

  /// What the call is expected to cost at most, and on which model, without asking anyone.
  func estimate(_ request: ModelRequest, for context: CallContext) async throws -> CallEstimate

  /// The same with so many more tokens in the prompt.
  func estimate(
    _ request: ModelRequest, for context: CallContext, beside tokens: Int64
  ) async throws -> CallEstimate

  /// The context window of the first candidate, in tokens; nil if it is unknown. Sends no request.
  func window(for context: CallContext) async -> Int64?

  /// The request as the model that would be asked first would get it.
  func fitted(_ request: ModelRequest, for context: CallContext) async throws -> ModelRequest

  /// Throws when no model could be asked because of what is attached. Nothing is sent.
  func admit(_ request: ModelRequest, for context: CallContext) async throws
}

extension ModelGate {
  package func admit(_ request: ModelRequest, for context: CallContext) async throws {}

  package func window(for context: CallContext) async -> Int64? { nil }

  package func fitted(
    _ request: ModelRequest, for context: CallContext
  ) async throws -> ModelRequest { request }

  /// For gates that take no money.
  package func estimate(
    _ request: ModelRequest, for context: CallContext, beside tokens: Int64
  ) async throws -> CallEstimate {
    var estimate = try await estimate(request, for: context)
    estimate.inputTokens += tokens
    return estimate
  }
}

/// An attempt that was in flight when its process ended: its intent is recorded, its outcome is not.
package struct UncertainCall: Sendable, Hashable {
  package var key: EffectKey
  package var reservation: Identifier
  package var provider: String
  package var model: String
  /// What is held for it.
  package var amount: Money
  /// The key that the provider recognises it by.
  package var idempotencyKey: String
  /// The cap that was sent, in tokens; nil when none was.
  package var cap: Int64?
  /// What the gate had given up of the request's usual form, in its own words.
  package var adaptations: String
  /// How many turns of the conversation were sent; nil for all that the request has.
  package var turns: Int?

  package init(
    key: EffectKey, reservation: Identifier, provider: String, model: String, amount: Money,
    idempotencyKey: String, cap: Int64? = nil, adaptations: String = ""
  ) {
    self.cap = cap
    self.adaptations = adaptations
    self.key = key
    self.reservation = reservation
    self.provider = provider
    self.model = model
    self.amount = amount
    self.idempotencyKey = idempotencyKey
  }
}

package struct CallEstimate: Sendable, Hashable {
  package var provider: String
  package var model: String
  package var inputTokens: Int64
  package var outputTokens: Int64
  package var cost: Money
  /// False when the price of the model is not known; `cost` is then zero.
  package var isPriceKnown: Bool
  /// False when nobody says how long the answer may become, or what an attachment counts as:
  /// `outputTokens` is then what is likely.
  package var isBounded: Bool
  /// What each of the request's attachments is reckoned at, in order; a part of `inputTokens`.
  package var attachmentTokens: [Int64] = []
  /// The tokens that the model reads and writes at most in one call; nil where nobody knows.
  package var window: Int64?
  package init(
    provider: String, model: String, inputTokens: Int64, outputTokens: Int64, cost: Money,
    isPriceKnown: Bool, isBounded: Bool = true
  ) {
    self.isBounded = isBounded
    self.provider = provider
    self.model = model
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.cost = cost
    self.isPriceKnown = isPriceKnown
  }
}

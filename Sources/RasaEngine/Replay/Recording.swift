package import RasaCore
package import RasaPersona

/// A run as it met the outside: all that it was told, and what it came to. With it the run can be
/// gone through again without a model, a tool, a clock or a person.
package struct Recording: Sendable, Hashable {
  /// The version of the file's form.
  package static let version: Int64 = 1

  package var start: RunStart
  package var startedAt: Timestamp
  /// How the run was asked for: profile, model and the like, by the name of the option.
  package var options: ValueObject
  /// Session turns and notes that it was opened with.
  package var context: Value
  /// What a fork changed, and after which step; nil for the beginning.
  package var changes: [Change]
  /// In the order in which they counted.
  package var effects: [Effect]
  package var expected: Expectation
  /// The persona and its operators as they stood.
  package var files: PinnedFiles

  package init(
    start: RunStart, startedAt: Timestamp, options: ValueObject = ValueObject(),
    context: Value = .null, changes: [Change] = [], effects: [Effect] = [],
    expected: Expectation = Expectation(), files: PinnedFiles = PinnedFiles()
  ) {
    self.start = start
    self.startedAt = startedAt
    self.options = options
    self.context = context
    self.changes = changes
    self.effects = effects
    self.expected = expected
    self.files = files
  }
}

extension Recording {
  package struct Change: Sendable, Hashable {
    package var after: Step?
    package var key: String
    package var value: Value
  }

  /// Something that came from outside.
  package enum Effect: Sendable, Hashable {
    case call(Call)
    case question(Asked)
    case recall(Recalled)
    /// The tools that an operator had.
    case offer(ToolOffer)
  }

  package struct Call: Sendable, Hashable {
    package enum Outcome: Sendable, Hashable {
      case answer(ModelAnswer)
      /// What a tool returned.
      case tool(ToolResult)
      /// What a tool had to know before it did anything.
      case inputRequired(ToolInputRequest)
      case failure(Failure)
      /// Whether it was done is not known, and it was not to be asked for again: nothing gets around that.
      case inDoubt(Failure)
      /// The run stopped before it had an answer.
      case cutOff
    }
    package var key: EffectKey
    /// Milliseconds after the run's start at which the outcome was there.
    package var after: Int64
    /// Nil when the file does not say: then it is not compared.
    package var request: RecordedRequest?
    /// What the journal of the run identified the request by.
    package var digest: String?
    package var outcome: Outcome
  }

  package struct Asked: Sendable, Hashable {
    /// Questions that nobody answered in time are put again; they count as one, the first.
    package var key: EffectKey
    package var after: Int64
    package var payload: Value
    /// Nil for a question that still waits.
    package var answer: HumanAnswer?
    /// Why the run ended with it: nobody could be asked.
    package var failure: Failure?

    package var payloadDigest: String { Digest.sha256(payload.jsonBytes(.canonical)) }
  }

  package struct Recalled: Sendable, Hashable {
    package var step: Step
    /// Nil when the run stopped before they were there.
    package var memories: Value?
  }

  /// The expected end of a run.
  package struct Expectation: Sendable, Hashable {
    /// `done`, `failed`, or `parked` for one that stopped before its end.
    package var status: RunRecord.Status
    package var output: Value
    /// Kind and message count; the rest is kept so that it can be thrown again.
    package var failure: Failure?
    /// What operators wrote, without the output.
    package var state: ValueObject
    /// The operators whose outcomes counted, in order.
    package var path: [Step]
    package var calls: Int64
    package var cost: Money

    package init(
      status: RunRecord.Status = .parked, output: Value = .null, failure: Failure? = nil,
      state: ValueObject = ValueObject(), path: [Step] = [], calls: Int64 = 0, cost: Money = .zero
    ) {
      self.status = status
      self.output = output
      self.failure = failure
      self.state = state
      self.path = path
      self.calls = calls
      self.cost = cost
    }
  }
}

/// What of a request can change the answer and is the operator's doing.
package struct RecordedRequest: Sendable, Hashable {
  package var messages: [ChatMessage]
  package var schema: Value?
  package var maxTokens: Int?
  package var temperature: Double?
  package var profile: PerformanceProfile?

  package init(_ request: ModelRequest) {
    messages = request.messages
    schema = request.schema
    maxTokens = request.maxTokens
    temperature = request.temperature
    profile = request.profile
  }

  /// What a tool is used with.
  init(_ use: ToolUse) {
    self.init(
      messages: [ChatMessage(.tool, use.arguments.json(.canonical))], schema: nil, maxTokens: nil,
      temperature: nil, profile: nil)
  }

  init(
    messages: [ChatMessage], schema: Value?, maxTokens: Int?, temperature: Double?,
    profile: PerformanceProfile?
  ) {
    self.messages = messages
    self.schema = schema
    self.maxTokens = maxTokens
    self.temperature = temperature
    self.profile = profile
  }
}

extension Recording.Effect {
  /// The operator's pass that it belongs to; of a question, whether it is a review is not known.
  var step: Step {
    switch self {
    case .call(let call): call.key.step
    case .question(let asked): asked.key.step
    case .recall(let recalled): recalled.step
    case .offer(let offer): offer.key.step
    }
  }

  var isQuestion: Bool { if case .question = self { true } else { false } }
}

extension EffectKey {
  /// The label without the round that it was asked in.
  var labelInAnyRound: Substring { label.prefix { $0 != "@" } }

  /// The same question, however often it was put.
  var firstOccurrence: EffectKey {
    var key = self
    key.occurrence = 1
    return key
  }
}

extension Step {
  /// `frame:visit/operator`, with `@round` where there was more than one.
  package var place: String {
    "\(frame):\(visit)/\(operatorName)" + (round == 1 ? "" : "@\(round)")
  }

  package init?(place text: String) {
    guard let slash = text.lastIndex(of: "/"),
      let colon = text[..<slash].lastIndex(of: ":"),
      let visit = Int(text[text.index(after: colon)..<slash])
    else { return nil }
    let name = text[text.index(after: slash)...]
    let parts = name.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count <= 2, !parts[0].isEmpty else { return nil }
    var round = 1
    if parts.count == 2 {
      guard let number = Int(parts[1]) else { return nil }
      round = number
    }
    self.init(
      frame: String(text[..<colon]), visit: visit, operatorName: String(parts[0]), round: round)
  }
}

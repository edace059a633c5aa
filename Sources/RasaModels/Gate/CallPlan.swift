import RasaCore
import RasaEngine
import RasaPersona

/// What is the same for every attempt at one call.
struct CallPlan: Sendable {
  var request: ModelRequest
  var context: CallContext
  /// Of the whole request, with all of the conversation.
  var size: RequestSize
  /// What of the request has room in the window of the model that is being asked.
  var fitted: FittedRequest?
  /// What the user attached, which the model has to take.
  let attachments: [Attachment]
  /// What tools returned besides text: a model that does not take it is told that it is there.
  let returned: [Attachment]
  var profile: PerformanceProfile
  /// SHA-256 of the request, journalled instead of the prompt.
  var digest: String
  /// When the whole call has to be over, in nanoseconds of the monotonic clock.
  var deadline: UInt64?
  /// Set while another model is asked than the one that was named or asked first.
  var fallback: ModelFallback?
  /// The tokens of an answer that cannot be cut off, all of which are held or none.
  var wholeAnswer: Int64?
  /// It costs nothing, whatever its model does.
  var isFree = false
  /// The part of a broken answer that was shown, for the next model to continue.
  var begun: BrokenAnswer?

  init(
    _ request: ModelRequest, _ context: CallContext, _ options: GateOptions, startedAt now: UInt64
  ) {
    self.request = request
    self.context = context
    attachments = request.messages.filter { $0.role != .tool }.flatMap(\.attachments)
    returned = request.messages.filter { $0.role == .tool }.flatMap(\.attachments)
    let schema = request.schema?.json(.canonical) ?? ""
    size = RequestSize(request, schema: schema)
    profile = Self.profile(request, context, options)
    digest = Self.digest(request, context, options, schema: schema)
    deadline = request.timeout.flatMap { seconds in
      guard seconds.isFinite else { return nil }
      return now.advanced(by: .milliseconds(Int64(min(max(seconds, 0), 1_000_000) * 1000)))
    }
  }

  /// Has the answer gone on with that broke after `text`, where what is shown cannot be taken back and
  /// what was said so far is worth it.
  mutating func goOn(
    with text: String, after problem: ProviderProblem, _ original: ModelRequest,
    _ options: GateOptions
  ) {
    let canGoOn =
      options.finishesBrokenAnswers && !problem.isNoAnswer && !text.isEmpty
      && original.schema == nil && original.tools.isEmpty
    begun = canGoOn ? BrokenAnswer(text: text) : nil
    request = begun?.request(original) ?? original
    fitted = nil
    size = RequestSize(request, schema: original.schema?.json(.canonical) ?? "")
  }

  /// What the user says now, else the operator or persona, else the configuration.
  private static func profile(
    _ request: ModelRequest, _ context: CallContext, _ options: GateOptions
  ) -> PerformanceProfile {
    options.profile ?? request.profile ?? context.profile ?? options.usualProfile ?? .balanced
  }

  /// Over everything that can change the answer: the words, the form that is asked for, and which
  /// models may give it. Every text is preceded by its length, so that no two requests give the same
  /// bytes.
  static func digest(
    _ request: ModelRequest, _ context: CallContext, _ options: GateOptions, schema: String
  ) -> String {
    var bytes: [UInt8] = []
    func add(_ text: String) {
      bytes += "\(text.utf8.count):".utf8
      bytes += text.utf8
    }
    for message in request.messages {
      add(message.role.rawValue)
      add(message.text)
      for call in message.toolCalls { add(call.value.json(.canonical)) }
      if let id = message.toolCallID { add(id) }
      if message.isError { add("error") }
      for attachment in message.attachments {
        add(attachment.type.rawValue)
        add(attachment.digest)
        // A PDF is sent with its name.
        if attachment.kind == .pdf { add(attachment.name) }
      }
    }
    add(schema)
    for tool in request.tools {
      add(tool.name)
      add(tool.description)
      add(tool.parameters.json(.canonical))
    }
    if !request.tools.isEmpty, !request.allowsToolCalls { add("no tool calls") }
    if let effort = request.effort { add(effort.rawValue) }
    add(request.maxTokens.map { "\($0)" } ?? "")
    add(request.temperature.map { "\($0)" } ?? "")
    let models = context.models
    let named = [options.model ?? models.primary, models.fallback, models.premium]
    for model in options.model == nil ? named : Array(named.prefix(1)) {
      add(model?.description ?? "")
    }
    for wish in [models.modelClass?.rawValue, models.costTier?.rawValue, models.engine] {
      if let wish { add(wish) }
    }
    if models.anyEngine { add("any_engine") }
    add(profile(request, context, options).rawValue)
    // What few requests have comes last, and only where it is there: the others keep their digests.
    if let topP = request.topP { add("top_p \(topP)") }
    for text in request.stop { add("stop \(text)") }
    switch request.requiredCall {
    case .any: add("required")
    case .named(let name): add("required \(name)")
    case nil: break
    }
    for model in options.alternatives { add("or \(model)") }
    return Digest.sha256(bytes)
  }

  /// The limits that a call falls under: the run's, the persona's day and month, and everyone's. An
  /// agent that works for others has a run of its own inside theirs.
  func legs(on day: LocalDay, options: GateOptions, ignoringBudget: Bool) -> [BudgetLeg] {
    let shared = options.budget
    func unless(_ isLifted: Bool, _ limit: Money?) -> Money? { isLifted ? nil : limit }
    func periods(_ owner: String, _ daily: Money?, _ monthly: Money?) -> [BudgetLeg] {
      [
        BudgetLeg(scope: .day(owner: owner, day), limit: unless(ignoringBudget, daily)),
        BudgetLeg(
          scope: .month(owner: owner, day.monthText), limit: unless(ignoringBudget, monthly)),
      ]
    }
    let payers = context.payers
    var legs: [BudgetLeg] = []
    var counted: Set<String> = []
    for (place, payer) in payers.enumerated() {
      let isWhole = place == payers.count - 1
      let limits = [
        unless(options.force || ignoringBudget, payer.budget.maxPerExecution),
        unless(ignoringBudget, payer.runLimit),
        isWhole ? unless(options.force || ignoringBudget, shared.maxPerExecution) : nil,
        isWhole ? options.maxCost : nil, isWhole ? options.extra?.perRun : nil,
      ]
      legs.append(
        BudgetLeg(scope: .execution(payer.execution), limit: limits.compactMap(\.self).min()))
      if counted.insert(payer.persona).inserted {
        legs += periods(payer.persona, payer.budget.maxDaily, payer.budget.maxMonthly)
      }
    }
    if let extra = options.extra {
      legs += [
        BudgetLeg(scope: .day(owner: extra.name, day), limit: extra.daily),
        BudgetLeg(scope: .month(owner: extra.name, day.monthText), limit: extra.monthly),
      ]
    }
    return legs + periods(BudgetLeg.everyone, shared.maxDaily, shared.maxMonthly)
  }
}

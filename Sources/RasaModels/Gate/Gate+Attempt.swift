import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaSystem

enum AttemptOutcome: Sendable {
  case answered(ModelAnswer)
  /// `hasShown` when a part of the answer had been handed on.
  case failed(ProviderProblem, hasShown: Bool, policy: BudgetPolicy)

  /// Whether no provider has said anything to the request.
  var isUnanswered: Bool {
    guard case .failed(let problem, _, _) = self else { return false }
    return problem.isBelowHTTP || problem.kind == .budget || problem.kind == .unknownPrice
      || problem.kind == .unfit
  }
}

extension Gate {
  /// One attempt at one model: hold, ask, read, settle. Asked again at once, without the part of
  /// the request that the server does not know, when that is why it refused.
  func attempt(
    _ contender: Candidate, _ plan: inout CallPlan, _ books: inout CallBooks,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> AttemptOutcome {
    let candidate: Candidate
    do {
      candidate = try await resolved(contender, plan)
    } catch let problem as ProviderProblem {
      doubt(contender, after: problem)
      await note(problem, at: contender)
      return .failed(problem, hasShown: false, policy: .reject)
    }
    if let problem = obstacle(of: candidate, plan) {
      return .failed(problem, hasShown: false, policy: .reject)
    }
    warnOfUnknownAttachments(plan, candidate)
    var call = WireCall(
      request: plan.request, model: candidate.model ?? "", cap: nil,
      effort: effort(for: plan, candidate), isThinking: candidate.facts?.isThinking == true,
      inputEstimate: estimate(plan, candidate).likely, quirks: quirks(of: candidate))
    call.context = candidate.facts?.context
    call.imageDetail = candidate.imageDetail
    call.expectedOutput = outputRoom(for: plan, candidate).start
    if candidate.settings?.dialect == .anthropic { call.requiredCap = AnthropicMessages.usualCap }
    if let doubt = plan.context.doubt {
      // The provider recognises a request by its key and its body, so that has to be as it was.
      let quirks = WireQuirks(candidate.settings ?? .mock, adaptations: doubt.adaptations)
      if let quirks, doubt.provider == candidate.provider, doubt.model == call.model {
        call.quirks = quirks
      } else {
        plan.context.doubt = nil
      }
    }
    var triedOtherField = false
    while true {
      if let deadline = plan.deadline, time.monotonic() >= deadline { throw plan.tooLate }
      let isDoubt = plan.context.doubt != nil
      let outcome: AttemptOutcome
      switch try await reserve(plan, candidate, call, &books, onEvent: onEvent) {
      case .refused(let problem, let policy):
        guard isDoubt else { return .failed(problem, hasShown: false, policy: policy) }
        // There may be room for less, as a new request.
        plan.context.doubt = nil
        call.quirks = quirks(of: candidate)
        continue
      case .held(let hold):
        call.cap = hold.cap
        outcome = try await perform(
          call, at: candidate, plan, under: hold, &books, onEvent: onEvent)
      }
      guard case .failed(let problem, _, _) = outcome else { return outcome }
      // What is asked after this is not what was asked before, unless nobody has answered.
      if !outcome.isUnanswered { plan.context.doubt = nil }
      if call.quirks.adapt(to: problem, triedOtherField: &triedOtherField) {
        remember(call.quirks, of: candidate)
      } else if isDoubt, problem.kind == .rejected {
        // It may only be the old key that is refused.
        call.quirks = quirks(of: candidate)
      } else {
        return outcome
      }
    }
  }

  private func perform(
    _ call: WireCall, at candidate: Candidate, _ plan: CallPlan, under hold: consuming Hold,
    _ books: inout CallBooks, onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> AttemptOutcome {
    var reading = Reading(startedAt: time.monotonic())
    do {
      try await onEvent(.started(provider: candidate.provider, model: call.model))
      try await read(&reading, call, from: candidate, plan, under: &hold, onEvent: onEvent)
    } catch let problem as ProviderProblem {
      doubt(candidate, after: problem)
      let observation = observation(of: problem, at: candidate)
      if let observation { state.withLock { $0.note(observation) } }
      books.wasted += try await settle(
        hold, plan, candidate, model: call.model, reading, after: problem, outcome: .failed,
        reason: problem.kind.rawValue, message: problem.message,
        partial: reading.transcript.text, observation)
      return .failed(problem, hasShown: reading.transcript.hasContent, policy: .reject)
    } catch let failure as Failure {
      // It was broken off on this side, as by a full disk, and may have been answered whole: who goes on
      // asks under the same key.
      books.wasted += try await settle(
        hold, plan, candidate, model: call.model, reading, outcome: .cancelled,
        reason: "cancelled", message: failure.message, partial: reading.transcript.text)
      throw failure
    } catch {
      books.wasted += try await settle(
        hold, plan, candidate, model: call.model, reading, outcome: .cancelled,
        reason: "cancelled", message: "the call was cancelled", partial: reading.transcript.text)
      throw error
    }
    let (usage, cost) = used(reading, hold)
    let rest = reading.transcript.text
    var answer = ModelAnswer(
      text: plan.begun.map { $0.text + $0.new(in: rest) } ?? rest, toolCalls: reading.toolCalls,
      reasoning: reading.reasoning,
      provider: candidate.provider, model: call.model, usage: usage,
      cost: cost, finish: reading.finish, isMock: candidate.isMock, cap: hold.cap,
      ceiling: ceiling(of: reading, usage, plan, candidate, hold),
      fallback: plan.fallback)
    answer.attachmentTokens = hold.estimate.attached
    faultPoint("call.complete")
    let notices = notices(about: reading, usage, cost, answer, hold)
    var observation = observation(of: reading, usage, plan, at: candidate, under: hold)
    observation?.adapted = adaptedForm(call, plan, at: candidate)
    if let observation { state.withLock { $0.note(observation) } }
    try await ledger.settle(
      Settlement(
        reservation: hold.reservation, actual: answer.cost, usage: usage, outcome: .answered,
        observation: observation),
      recording: [resultEntry(plan, hold.reservation, answer, notices: notices)])
    settlements.note()
    await clearProvider(of: candidate)
    for notice in notices { try await onEvent(.noticed(notice)) }
    return .answered(answer)
  }

  /// The most that the answer may have in all. Thoughts are not the operator's text: where they took
  /// more than was reckoned with, what is wanted still comes on top of them.
  private func ceiling(
    of reading: Reading, _ usage: Usage, _ plan: CallPlan, _ candidate: Candidate,
    _ hold: borrowing Hold
  ) -> Int64? {
    let most = candidate.facts?.maxOutput
    guard let ceiling = hold.ceiling, let wanted = plan.request.maxTokens,
      willThink(candidate, plan), reading.finish.isCut
    else { return hold.ceiling }
    if reading.transcript.text.isEmpty { return most }
    let (sum, overflow) = usage.reasoning.addingReportingOverflow(Int64(wanted))
    return min(max(ceiling, overflow ? .max : sum), most ?? .max)
  }

  /// What an attempt has used, and what that costs. A request that never left costs nothing.
  func used(_ reading: Reading, _ hold: borrowing Hold) -> (usage: Usage, cost: Money) {
    guard hold.trace.isSent else { return (Usage(isReported: false), .zero) }
    let usage = Usage.settled(
      reading.usage, estimate: hold.estimate, transcript: reading.transcript, cap: hold.cap,
      isComplete: reading.isComplete)
    let end = time.monotonic()
    let seconds = end > reading.startedAt ? Double(end - reading.startedAt) / 1e9 : 0
    return (usage, hold.price.cost(of: usage) + hold.price.cost(seconds: seconds))
  }

  /// Settles what did not become an answer. It runs to its end even when the caller's task has been
  /// cancelled: the money has been spent either way.
  ///
  /// A request that was refused costs nothing, and neither does one that something else than a model
  /// answered; one that was left waiting may well have been worked on. Returns what it has cost.
  func settle(
    _ hold: borrowing Hold, _ plan: CallPlan, _ candidate: Candidate, model: String,
    _ reading: Reading, after problem: ProviderProblem? = nil, outcome: Settlement.Outcome,
    reason: String, message: String, partial: String, _ observation: ModelObservation? = nil
  ) async throws -> Money {
    let isFree =
      problem.map { problem in
        reading.isAccepted
          ? problem.isForeign && !reading.transcript.hasContent : problem.kind != .timeout
      } ?? false
    let (usage, cost) = isFree ? (Usage(isReported: false), Money.zero) : used(reading, hold)
    let settlement = Settlement(
      reservation: hold.reservation, actual: cost, usage: usage, outcome: outcome,
      observation: observation)
    let entry = failureEntry(
      plan, settlement, provider: candidate.provider, model: model, reason: reason,
      message: message, partial: partial)
    let ledger = ledger
    try await Task { try await ledger.settle(settlement, recording: [entry]) }.value
    settlements.note()
    return cost
  }
}

/// How far one attempt has come.
struct Reading: Sendable {
  var startedAt: UInt64
  /// The provider has taken the request on.
  var isAccepted = false
  var firstContentAt: UInt64?
  var transcript = Transcript()
  var usage: ReportedUsage?
  var toolCalls: [ToolCall] = []
  var reasoning: [ReasoningPart] = []
  var finish = FinishReason.stop
  /// The answer came to its own end, so what the provider counted is all of it.
  var isComplete = false

  init(startedAt: UInt64) { self.startedAt = startedAt }
}

import RasaCore
import RasaEngine
import RasaPersona
import RasaSystem

enum AttemptOutcome: Sendable {
  case answered(ModelAnswer)
  /// `hasShown` when a part of the answer had been handed on.
  case failed(ProviderProblem, hasShown: Bool, policy: BudgetPolicy)

  /// Whether no provider has said anything to the request.
  var isUnanswered: Bool {
    guard case .failed(let problem, _, _) = self else { return false }
    return problem.kind == .connection || problem.kind == .budget || problem.kind == .unknownPrice
  }
}

extension Gate {
  /// One attempt at one model: hold, ask, read, settle. Asked again at once, without the part of
  /// the request that the server does not know, when that is why it refused.
  func attempt(
    _ contender: Candidate, _ plan: CallPlan,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> AttemptOutcome {
    let candidate: Candidate
    do {
      candidate = try await resolved(contender, plan)
    } catch let problem as ProviderProblem {
      await note(problem, at: contender)
      return .failed(problem, hasShown: false, policy: .reject)
    }
    let isThinking = candidate.facts?.isThinking == true
    var call = WireCall(
      request: plan.request, model: candidate.model ?? "", cap: 0,
      effort: plan.request.effort ?? (isThinking && plan.profile == .thinking ? .medium : nil),
      isThinking: isThinking, inputEstimate: estimate(plan, candidate).likely,
      quirks: quirks(of: candidate))
    var triedOtherField = false
    while true {
      if let deadline = plan.deadline, time.monotonic() >= deadline { throw plan.tooLate }
      let outcome: AttemptOutcome
      switch try await reserve(plan, candidate, model: call.model) {
      case .refused(let problem, let policy):
        return .failed(problem, hasShown: false, policy: policy)
      case .held(let hold):
        call.cap = hold.cap
        outcome = try await perform(call, at: candidate, plan, under: hold, onEvent: onEvent)
      }
      guard case .failed(let problem, _, _) = outcome else { return outcome }
      guard call.quirks.adapt(to: problem, triedOtherField: &triedOtherField) else {
        return outcome
      }
      let quirks = call.quirks
      state.withLock { $0.remember(quirks, of: candidate.key) }
    }
  }

  private func quirks(of candidate: Candidate) -> WireQuirks {
    guard let settings = candidate.settings else { return WireQuirks(.mock) }
    return state.withLock { $0.quirks(of: candidate.key) } ?? WireQuirks(settings)
  }

  private func perform(
    _ call: WireCall, at candidate: Candidate, _ plan: CallPlan, under hold: consuming Hold,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> AttemptOutcome {
    var reading = Reading(startedAt: time.monotonic())
    do {
      try await onEvent(.started(provider: candidate.provider, model: call.model))
      try await read(&reading, call, from: candidate, plan, under: &hold, onEvent: onEvent)
    } catch let problem as ProviderProblem {
      let observation = observation(of: problem, at: candidate)
      if let observation { state.withLock { $0.note(observation) } }
      try await settle(
        hold, plan, candidate, model: call.model, usage: reading.usage(after: problem, hold),
        outcome: .failed, reason: problem.kind.rawValue, message: problem.message,
        partial: reading.transcript.text, observation)
      return .failed(problem, hasShown: reading.transcript.bytes > 0, policy: .reject)
    } catch let failure as Failure {
      try await settle(
        hold, plan, candidate, model: call.model, usage: reading.usage(hold), outcome: .failed,
        reason: failure.kind.rawValue, message: failure.message,
        partial: reading.transcript.text)
      throw failure
    } catch {
      try await settle(
        hold, plan, candidate, model: call.model, usage: reading.usage(hold), outcome: .cancelled,
        reason: "cancelled", message: "the call was cancelled", partial: reading.transcript.text)
      throw error
    }
    let usage = reading.usage(hold)
    let rest = reading.transcript.text
    let answer = ModelAnswer(
      text: plan.begun.map { $0.text + $0.new(in: rest) } ?? rest, toolCalls: reading.toolCalls,
      reasoning: reading.reasoning,
      provider: candidate.provider, model: call.model, usage: usage,
      cost: hold.price.cost(of: usage), finish: reading.finish, isMock: candidate.isMock,
      fallback: plan.fallback)
    faultPoint("call.complete")
    let observation = observation(of: reading, usage, at: candidate, under: hold)
    if let observation { state.withLock { $0.note(observation) } }
    try await ledger.settle(
      Settlement(
        reservation: hold.reservation, actual: answer.cost, usage: usage, outcome: .answered,
        observation: observation),
      recording: [resultEntry(plan, hold.reservation, answer)])
    await clearProvider(of: candidate)
    return .answered(answer)
  }

  /// Settles what did not become an answer. It runs to its end even when the caller's task has been
  /// cancelled: the money has been spent either way.
  func settle(
    _ hold: borrowing Hold, _ plan: CallPlan, _ candidate: Candidate, model: String,
    usage: Usage, outcome: Settlement.Outcome, reason: String, message: String, partial: String,
    _ observation: ModelObservation? = nil
  ) async throws {
    let settlement = Settlement(
      reservation: hold.reservation, actual: hold.price.cost(of: usage), usage: usage,
      outcome: outcome, observation: observation)
    let entry = failureEntry(
      plan, settlement, provider: candidate.provider, model: model, reason: reason,
      message: message, partial: partial)
    let ledger = ledger
    try await Task { try await ledger.settle(settlement, recording: [entry]) }.value
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

  init(startedAt: UInt64) { self.startedAt = startedAt }

  /// What the attempt used, as far as can be known.
  func usage(_ hold: borrowing Hold) -> Usage {
    Usage.settled(usage, estimate: hold.estimate, transcript: transcript, cap: hold.cap)
  }

  /// A request that was refused, or never arrived, costs nothing. One that was left waiting may
  /// well have been worked on.
  func usage(after problem: ProviderProblem, _ hold: borrowing Hold) -> Usage {
    isAccepted || problem.kind == .timeout ? usage(hold) : Usage(isReported: false)
  }
}

package import RasaCore
package import RasaEngine
package import RasaHTTPClient
package import RasaPersona

/// The only door to a model: chooses one, holds its money, asks it, settles.
package final class Gate: ModelGate {
  let configuration: ModelConfiguration
  let catalogue: Catalogue
  let ledger: any Ledger
  let client: HTTPClient
  let time: TimeSource
  let random: @Sendable () -> UInt64
  let options: GateOptions
  let onWarning: @Sendable (Warning) -> Void
  let state = Locked(GateState())

  /// `time.monotonic` has to count nanoseconds of `CLOCK_MONOTONIC`, which the HTTP client's
  /// deadlines are in. `onWarning` is told each thing once.
  package init(
    configuration: ModelConfiguration, catalogue: Catalogue, ledger: any Ledger,
    client: HTTPClient, time: TimeSource, random: @escaping @Sendable () -> UInt64,
    options: GateOptions = GateOptions(),
    onWarning: @escaping @Sendable (Warning) -> Void = { _ in }
  ) {
    self.configuration = configuration
    self.catalogue = catalogue
    self.ledger = ledger
    self.client = client
    self.time = time
    self.random = random
    self.options = options
    self.onWarning = onWarning
  }

  package func answer(
    _ request: ModelRequest, for context: CallContext,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> ModelAnswer {
    var plan = CallPlan(request, context, options, startedAt: time.monotonic())
    let chain = try await chain(for: request, context)
    var contenders = inOrderOfAvailability(chain.candidates).map { Contender(candidate: $0) }
    let retries = RetryPolicy(base: options.retryDelay, longest: options.longestRetryDelay)
    var broken: String? = nil
    // A sleep may end a little early by another clock; what was waited for is then due all the same.
    var waitedFor: UInt64 = 0
    for round in 0..<max(1, options.rounds) {
      var index = 0
      while index < contenders.count {
        defer { index += 1 }
        guard contenders[index].isReady(at: max(waitedFor, time.monotonic())),
          !contenders[index].candidate.isStandIn || contenders.lackTheirModels
        else { continue }
        // What was shown of a broken answer is taken back before the next one begins.
        if let reason = broken {
          try await onEvent(.restarted(reason: reason))
          broken = nil
        }
        let outcome = try await attempt(contenders[index].candidate, plan, onEvent: onEvent)
        // What is asked after this is not what was asked before, unless nobody has answered.
        if !outcome.isUnanswered { plan.context.idempotencyKey = nil }
        switch outcome {
        case .answered(let answer): return answer
        case .failed(let problem, let hasShown, let policy):
          if hasShown { broken = problem.message }
          contenders[index].note(
            problem, longestDelay: options.longestRetryDelay, at: time.monotonic())
          if problem.condemnsProvider {
            let provider = contenders[index].candidate.provider
            for other in contenders.indices where contenders[other].candidate.provider == provider {
              contenders[other].isOut = true
            }
          }
          if problem.kind == .rejected { throw failure(plan, contenders, chain) }
          if problem.kind == .budget {
            if policy == .reject || policy == .warn { throw failure(plan, contenders, chain) }
            if policy == .mock { contenders.append(Contender(candidate: .mock)) }
          }
        }
      }
      let left = contenders.filter { !$0.isOut && !($0.candidate.isStandIn && $0.problems.isEmpty) }
      guard let earliest = left.map(\.notBefore).min(), round + 1 < options.rounds else { break }
      let pause = retries.delay(round: round, random: random())
      waitedFor = max(earliest, time.monotonic().advanced(by: pause))
      try await wait(until: waitedFor, plan)
    }
    throw failure(plan, contenders, chain)
  }

  package func digest(of request: ModelRequest, for context: CallContext) -> String {
    CallPlan.digest(
      request, context, options, schema: request.schema?.json(.canonical) ?? "")
  }

  package func giveUp(
    _ call: UncertainCall, of run: Identifier, decision: UncertainPolicy
  ) async throws {
    try await ledger.settle(
      Settlement(
        reservation: call.reservation, actual: call.amount, usage: Usage(isReported: false),
        outcome: .uncertain),
      recording: [uncertainEntry(call, of: run, decision)])
  }

  package func estimate(
    _ request: ModelRequest, for context: CallContext
  ) async throws -> CallEstimate {
    let plan = CallPlan(request, context, options, startedAt: time.monotonic())
    let chain = try await chain(for: request, context)
    guard var candidate = inOrderOfAvailability(chain.candidates).first else {
      throw failure(plan, [], chain)
    }
    if candidate.model == nil, let resolved = try? await resolved(candidate, plan) {
      candidate = resolved
    }
    let listed = state.withLock { $0.listed[candidate.provider] } ?? []
    let price = candidate.price(on: time.localDay(time.now()), listed: listed)
    let cap = cap(for: plan, candidate)
    return CallEstimate(
      provider: candidate.provider, model: candidate.model ?? "default",
      inputTokens: plan.estimate.tokens, outputTokens: cap,
      cost: price?.cost(input: plan.estimate.tokens, output: cap) ?? .zero,
      isPriceKnown: price != nil)
  }

  func warn(_ message: String) {
    if state.withLock({ $0.isNew(warning: message) }) { onWarning(Warning(message)) }
  }

  // MARK: The chain

  private func chain(
    for request: ModelRequest, _ context: CallContext
  ) async throws -> Selection.Chain {
    let configuration = try await effectiveConfiguration()
    let latencies = state.withLock { $0 }
    let selection = Selection(
      configuration: configuration, options: options, catalogue: catalogue,
      today: time.localDay(time.now()), firstContent: { latencies.firstContent(of: $0) })
    return try selection.chain(for: context.models, profile: request.profile ?? context.profile)
  }

  /// Models that failed lately come last; they are still asked when nothing else is left.
  private func inOrderOfAvailability(_ candidates: [Candidate]) -> [Candidate] {
    let now = time.monotonic()
    let state = state.withLock { $0 }
    return candidates.filter { !state.isUnavailable($0.key, at: now) }
      + candidates.filter { state.isUnavailable($0.key, at: now) }
  }

  private func wait(until moment: UInt64, _ plan: CallPlan) async throws {
    let now = time.monotonic()
    guard moment > now else { return }
    if let deadline = plan.deadline, moment >= deadline { throw plan.tooLate }
    try await time.sleep(.nanoseconds(Int64(clamping: moment - now)))
  }
}

/// One model of the chain and how it has fared in this call.
struct Contender: Sendable {
  var candidate: Candidate
  var isOut = false
  /// Until when the provider asked to be left alone, in nanoseconds of the monotonic clock.
  var notBefore: UInt64 = 0
  var problems: [ProviderProblem] = []

  init(candidate: Candidate) { self.candidate = candidate }

  func isReady(at now: UInt64) -> Bool { !isOut && notBefore <= now }

  mutating func note(_ problem: ProviderProblem, longestDelay: Duration, at now: UInt64) {
    problems.append(problem)
    // A stream that breaks twice will break again, and each time is paid for.
    let breaks = problems.count { $0.kind == .brokenStream }
    let asked = problem.retryAfter ?? .zero
    isOut = !problem.isTransient || breaks > 1 || asked > longestDelay
    notBefore = now.advanced(by: asked)
  }
}

extension [Contender] {
  /// Whether all that was asked for by name is unknown where it was asked for.
  fileprivate var lackTheirModels: Bool {
    allSatisfy { $0.candidate.isStandIn || $0.problems.last?.kind == .modelNotFound }
  }
}

extension CallPlan {
  var tooLate: Failure {
    let name = request.name.isEmpty ? "the call" : request.name
    return Failure(
      .timeout, "\(name) took longer than its \(request.timeout ?? 0) seconds",
      mend: "raise the operator's timeout, or choose a faster model")
  }
}

package import RasaCore
package import RasaEngine
package import RasaHTTPClient
package import RasaPersona

/// The only door to a model: chooses one, holds its money, asks it, settles.
package final class Gate: ModelGate {
  let configuration: ModelConfiguration
  let catalogue: Catalogue
  let ledger: any Ledger
  let history: (any ModelHistory)?
  let client: HTTPClient
  let time: TimeSource
  let random: @Sendable () -> UInt64
  let options: GateOptions
  let onWarning: @Sendable (Warning) -> Void
  let onSelection: (@Sendable (SelectionReport) -> Void)?
  /// What is shared with the gates of other runs.
  let state: Locked<GateState>
  let settlements: Settlements
  let own = Locked(Own())

  /// What is this run's alone.
  struct Own: Sendable {
    var warned: Set<String> = []
    /// The configuration with what was found by looking, once that has been done.
    var found: ModelConfiguration?
  }

  /// `time.monotonic` has to count nanoseconds of `CLOCK_MONOTONIC`, which the HTTP client's
  /// deadlines are in. `onWarning` is told each thing once; `onSelection`, before each call, why
  /// which models are asked. What is learnt goes into `memory`, which the gates of one process share,
  /// and into the history, for other processes.
  package init(
    configuration: ModelConfiguration, catalogue: Catalogue, ledger: any Ledger,
    history: (any ModelHistory)? = nil, client: HTTPClient, time: TimeSource,
    random: @escaping @Sendable () -> UInt64,
    options: GateOptions = GateOptions(), memory: GateMemory = GateMemory(),
    onWarning: @escaping @Sendable (Warning) -> Void = { _ in },
    onSelection: (@Sendable (SelectionReport) -> Void)? = nil
  ) {
    state = memory.state
    settlements = memory.settlements
    self.history = history
    self.onSelection = onSelection
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
    var books = CallBooks()
    do {
      var answer = try await answer(request, for: context, &books, onEvent: onEvent)
      answer.wasted = books.wasted
      return answer
    } catch var failure as Failure {
      failure.spent += books.wasted
      throw failure
    }
  }

  private func answer(
    _ request: ModelRequest, for context: CallContext, _ books: inout CallBooks,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> ModelAnswer {
    var plan = CallPlan(request, context, options, startedAt: time.monotonic())
    await recall()
    let chain = try await chain(plan)
    var contenders = inOrderOfAvailability(chain.candidates)
    plan.context.doubt = contenders.placeFirst(plan.context.doubt)
    for place in contenders.indices where contenders[place].candidate.facts == nil {
      guard let model = contenders[place].candidate.model else { continue }
      contenders[place].candidate.facts = try catalogue.facts(for: model)
    }
    if let onSelection { onSelection(try await report(plan, chain, contenders)) }
    let retries = RetryPolicy(base: options.retryDelay, longest: options.longestRetryDelay)
    var broken: String? = nil
    var noAnswers = 0
    // A sleep may end a little early by another clock; what was waited for is then due all the same.
    var waitedFor: UInt64 = 0
    for round in 0..<max(1, options.rounds) {
      var index = 0
      while index < contenders.count {
        defer { index += 1 }
        guard contenders[index].isReady(at: max(waitedFor, time.monotonic())),
          !contenders[index].candidate.isStandIn || contenders.lackTheirModels
        else { continue }
        if let reason = broken {
          if plan.begun == nil {
            // What was shown of a broken answer is taken back before the next one begins.
            try await onEvent(.restarted(reason: reason))
          } else {
            try await onEvent(.wentOn(after: reason))
          }
          broken = nil
        }
        let fallback = fallback(to: contenders[index], among: contenders, chain, plan)
        plan.fallback = fallback
        let display = Locked(
          AttemptDisplay(
            announces: fallback != nil && !chain.isMockOnly, begun: plan.begun))
        @Sendable func show(_ shown: (announced: String?, event: ModelEvent?)) async throws {
          if let fallback, let name = shown.announced {
            try await onEvent(.fellBack(fallback, to: name))
          }
          if let event = shown.event { try await onEvent(event) }
        }
        let outcome = try await attempt(contenders[index].candidate, &plan, &books) { event in
          try await show(display.withLock { $0.show(event) })
        }
        switch outcome {
        case .answered(let answer):
          try await show(display.withLock { $0.finish() })
          return answer
        case .failed(let problem, let hasShown, let policy):
          if hasShown {
            broken = problem.message
            plan.goOn(with: display.withLock { $0.text }, after: problem, request, options)
          }
          contenders[index].note(
            problem, longestDelay: options.longestRetryDelay, at: time.monotonic())
          if problem.condemnsProvider {
            let provider = contenders[index].candidate.provider
            for other in contenders.indices where contenders[other].candidate.provider == provider {
              contenders[other].isOut = true
            }
          }
          if problem.kind == .rejected,
            !mayLieInAttachments(plan, contenders[index].candidate)
          {
            throw failure(plan, contenders, chain)
          }
          if problem.kind == .tooLong { contenders.putLargerWindowsFirst(after: index) }
          if problem.isNoAnswer {
            // It was paid for. A second model may do better; who asks on and on pays on and on.
            noAnswers += 1
            if noAnswers > 1 { throw failure(plan, contenders, chain) }
          }
          if problem.kind == .budget {
            switch policy {
            case .reject, .warn: throw failure(plan, contenders, chain)
            case .mock:
              for other in contenders.indices { contenders[other].isOut = true }
              contenders.append(Contender(candidate: .mock))
            case .downgrade:
              let refused = contenders[index].candidate
              for other in contenders.indices where other > index {
                if !isCheaper(contenders[other].candidate, than: refused, plan) {
                  contenders[other].isOut = true
                }
              }
            }
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
    settlements.note()
  }

  package func estimate(
    _ request: ModelRequest, for context: CallContext
  ) async throws -> CallEstimate {
    try await estimate(request, for: context, beside: 0)
  }

  package func estimate(
    _ request: ModelRequest, for context: CallContext, beside more: Int64
  ) async throws -> CallEstimate {
    let plan = CallPlan(request, context, options, startedAt: time.monotonic())
    await recall()
    let chain = try await chain(plan)
    var contenders = inOrderOfAvailability(chain.candidates)
    for index in contenders.indices {
      if let problem = obstacle(of: contenders[index].candidate, plan) {
        contenders[index].problems.append(problem)
      }
    }
    // A stand-in is for what a server does not know, and not for what is attached.
    guard
      var candidate = contenders.first(where: { $0.problems.isEmpty && !$0.candidate.isStandIn })?
        .candidate
    else {
      throw failure(plan, contenders, chain)
    }
    if candidate.model == nil, let resolved = try? await resolved(candidate, plan) {
      candidate = resolved
    }
    let price = price(of: candidate)
    let room = outputRoom(for: plan, candidate)
    let output = room.ceiling ?? room.start
    let input = self.estimate(plan, candidate)
    let tokens = input.tokens + more
    let cost = price.map { price in
      price.cost(input: tokens, output: output) + price.cost(seconds: paidSeconds(plan, price))
    }
    var estimate = CallEstimate(
      provider: candidate.provider, model: candidate.model ?? "default",
      inputTokens: tokens, outputTokens: output, cost: cost ?? .zero, isPriceKnown: price != nil,
      isBounded: room.ceiling != nil
        && candidate.bounds(plan.attachments))
    estimate.attachmentTokens = input.attached
    return estimate
  }

  /// Why which models would be asked, without asking any.
  package func explain(
    _ request: ModelRequest, for context: CallContext
  ) async throws -> SelectionReport {
    let plan = CallPlan(request, context, options, startedAt: time.monotonic())
    await recall()
    let chain = try await chain(plan)
    return try await report(plan, chain, inOrderOfAvailability(chain.candidates))
  }

  private static let mostWarnings = 1_000

  func warn(_ message: String) {
    let isNew = own.withLock { own in
      own.warned.count < Self.mostWarnings && own.warned.insert(message).inserted
    }
    if isNew { onWarning(Warning(message)) }
  }

  // MARK: The chain

  func chain(_ plan: CallPlan) async throws -> Selection.Chain {
    let configuration = try await effectiveConfiguration()
    let state = state.withLock { $0 }
    let selection = Selection(
      configuration: configuration, options: options, catalogue: catalogue,
      today: day(at: time.now()), standing: { state.standing($0) })
    if let begun = plan.request.continuation {
      return try selection.chain(goingOnWith: begun)
    }
    return try selection.chain(for: plan.context.models, profile: plan.profile)
  }

  /// Models that failed lately come last, and those that failed again and again after them. They are
  /// still asked when nothing else is left; the latter once only. A stand-in is for what none of the
  /// others knows.
  func inOrderOfAvailability(_ candidates: [Candidate]) -> [Contender] {
    let now = time.now()
    let state = state.withLock { $0 }
    var ready: [Contender] = []
    var failing: [Contender] = []
    var open: [Contender] = []
    for candidate in candidates {
      var contender = Contender(candidate: candidate)
      guard let obstacle = state.obstacle(candidate.key, at: now) else {
        ready.append(contender)
        continue
      }
      contender.obstacle = obstacle
      if let until = obstacle.unavailableUntil,
        obstacle.reason == ProviderProblem.Kind.rateLimit.rawValue
      {
        // It asked to be left alone for a while, and a short while can be waited for.
        let left = Duration.milliseconds(max(0, until.milliseconds - now.milliseconds))
        if left <= options.longestRetryDelay {
          contender.notBefore = time.monotonic().advanced(by: left)
        }
      }
      contender.hasOneTry = obstacle.isOpen(at: now)
      if contender.hasOneTry { open.append(contender) } else { failing.append(contender) }
    }
    let all = ready + failing + open
    return all.filter { !$0.candidate.isStandIn } + all.filter(\.candidate.isStandIn)
  }

  func price(of candidate: Candidate) -> Price? {
    let listed = candidate.settings.flatMap { settings in
      state.withLock { $0.listed(by: settings) }
    }
    return candidate.price(on: day(at: time.now()), listed: listed ?? [])
  }

  /// Whether a call would cost less there. What nobody knows the price of may do so.
  private func isCheaper(_ other: Candidate, than refused: Candidate, _ plan: CallPlan) -> Bool {
    guard let price = price(of: other), let dear = self.price(of: refused) else { return true }
    func cost(_ price: Price, _ candidate: Candidate) -> Money {
      price.cost(
        input: estimate(plan, candidate).tokens, output: outputRoom(for: plan, candidate).start)
    }
    return cost(price, other) < cost(dear, refused)
  }

  func wait(until moment: UInt64, _ plan: CallPlan) async throws {
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
  /// What spoke against it before this call; nil for nothing.
  var obstacle: ModelStanding?
  /// It is only tried to see whether it has recovered.
  var hasOneTry = false
  /// Until when the provider asked to be left alone, in nanoseconds of the monotonic clock.
  var notBefore: UInt64 = 0
  var problems: [ProviderProblem] = []

  init(candidate: Candidate) { self.candidate = candidate }

  func isReady(at now: UInt64) -> Bool { !isOut && notBefore <= now }

  mutating func note(_ problem: ProviderProblem, longestDelay: Duration, at now: UInt64) {
    problems.append(problem)
    // A stream that breaks twice will break again, and each time is paid for.
    let breaks = problems.count { $0.kind == .brokenStream || $0.kind == .idle }
    let asked = problem.retryAfter ?? .zero
    isOut = !problem.isTransient || hasOneTry || breaks > 1 || asked > longestDelay
    notBefore = now.advanced(by: asked)
  }
}

extension [Contender] {
  /// What was too long for one model may fit another whose window is known to be larger, and hardly
  /// one whose window is known to be no larger.
  fileprivate mutating func putLargerWindowsFirst(after index: Int) {
    guard let window = self[index].candidate.facts?.context else { return }
    func rank(_ contender: Contender) -> Int {
      guard let other = contender.candidate.facts?.context else { return 1 }
      return other > window ? 0 : 2
    }
    let rest = self[(index + 1)...].enumerated()
      .sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
    replaceSubrange((index + 1)..., with: rest.map(\.element))
  }

  /// Puts the model first that is in doubt about an earlier attempt, and returns the doubt; nil when
  /// that model is not to be asked any more, so that nobody could recognise the request.
  fileprivate mutating func placeFirst(_ doubt: UncertainCall?) -> UncertainCall? {
    guard let doubt,
      let place = firstIndex(where: {
        $0.candidate.provider == doubt.provider && $0.candidate.model ?? doubt.model == doubt.model
      })
    else { return nil }
    var first = remove(at: place)
    first.candidate.model = doubt.model
    insert(first, at: 0)
    return doubt
  }

  /// Whether all that was asked for by name is unknown where it was asked for.
  fileprivate var lackTheirModels: Bool {
    allSatisfy { $0.candidate.isStandIn || $0.problems.last?.kind == .modelNotFound }
  }
}

extension CallPlan {
  var title: String { request.name.isEmpty ? "the call" : request.name }

  /// What the operator's needs are known by.
  var operatorName: String { request.name.isEmpty ? context.key.operatorName : request.name }

  var tooLate: Failure {
    return Failure(
      .timeout, "\(title) took longer than its \(secondsText(request.timeout ?? 0)) seconds",
      mend: "raise the operator's timeout, or choose a faster model")
  }
}

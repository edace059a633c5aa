package import RasaCore
package import RasaEngine
package import RasaHTTPClient
import RasaPersona
import RasaSystem

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
    var books = CallAccounting()
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
    _ request: ModelRequest, for context: CallContext, _ books: inout CallAccounting,
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
            try await onEvent(.continued(after: reason))
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
          if options.servesClient, display.withLock({ $0.hasShown }) {
            throw brokenOff(contenders[index].candidate, problem)
          }
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
          if problem.kind == .tooLong {
            contenders.putLargerWindowsFirst(after: index) {
              $0.facts?.context ?? window(of: $0).known
            }
          }
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
              contenders.append(CandidateModel(candidate: .mock))
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

  /// Why which models would be asked, without asking any.
  package func explain(
    _ request: ModelRequest, for context: CallContext
  ) async throws -> SelectionReport {
    let plan = CallPlan(request, context, options, startedAt: time.monotonic())
    await recall()
    let chain = try await chain(plan)
    return try await report(plan, chain, inOrderOfAvailability(chain.candidates))
  }

  // MARK: One attempt

  /// One attempt at one model: hold, ask, read, settle. Asked again at once, without the part of
  /// the request that the server does not know, when that is why it refused.
  func attempt(
    _ contender: Candidate, _ plan: inout CallPlan, _ books: inout CallAccounting,
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
    plan.fitted = fit(plan, candidate)
    try await tell(of: plan.fitted, onEvent)
    var call = WireCall(
      request: (plan.fitted?.request ?? plan.request).shown(to: candidate),
      model: candidate.model ?? "", cap: nil,
      effort: effort(for: plan, candidate), isThinking: candidate.facts?.isThinking == true,
      inputEstimate: estimate(plan, candidate).likely, quirks: quirks(of: candidate))
    call.context = window(of: candidate).known
    call.imageDetail = candidate.imageDetail
    call.expectedOutput = outputRoom(for: plan, candidate).start
    if candidate.settings?.dialect == .anthropic { call.requiredCap = AnthropicMessages.usualCap }
    if let doubt = plan.context.doubt {
      // The provider recognises a request by its key and its body, so that has to be as it was.
      let quirks = WireQuirks(candidate.settings ?? .mock, adaptations: doubt.adaptations)
      if let quirks, doubt.provider == candidate.provider, doubt.model == call.model,
        let fitted = fit(plan, candidate, asIn: doubt)
      {
        call.quirks = quirks
        plan.fitted = fitted
        call.request = fitted.request.shown(to: candidate)
      } else {
        plan.context.doubt = nil
      }
    }
    var triedOtherField = false
    var hasCutFurther = false
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
      guard case .failed(var problem, let hasShown, let policy) = outcome else { return outcome }
      if hasShown, options.servesClient { return outcome }
      // What is asked after this is not what was asked before, unless nobody has answered.
      if !outcome.isUnanswered { plan.context.doubt = nil }
      if problem.kind == .tooLong {
        problem.sent = plan.fitted?.sent
        learnWindow(from: problem, plan, candidate, &call.quirks)
        if !hasCutFurther, !hasShown, let smaller = fit(plan, candidate, after: problem) {
          hasCutFurther = true
          plan.fitted = smaller
          call.request = smaller.request.shown(to: candidate)
          call.inputEstimate = estimate(plan, candidate).likely
          call.context = window(of: candidate).known
          try await tell(of: smaller, onEvent)
          continue
        }
        if !hasCutFurther, !hasShown, candidate.settings?.dialect == .ollama {
          // It is the window that was asked for which is too small, and not the model's.
          hasCutFurther = true
          call.inputEstimate *= 2
          continue
        }
        return .failed(problem, hasShown: hasShown, policy: policy)
      }
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
    _ books: inout CallAccounting, onEvent: @Sendable (ModelEvent) async throws -> Void
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
    answer.refusal = reading.refusal
    answer.isPriceKnown = hold.isPriceKnown
    faultPoint("call.complete")
    let notices = notices(about: reading, usage, cost, answer, hold)
    var observation = observation(of: reading, usage, plan, at: candidate, under: hold)
    observation?.adapted = adaptedForm(call, plan, at: candidate)
    if let observation { state.withLock { $0.note(observation) } }
    var settlement = Settlement(
      reservation: hold.reservation, actual: answer.cost, usage: usage, outcome: .answered,
      observation: observation)
    // Where a call in doubt is simply sent again, with its key, that is worth less than a flush.
    settlement.mayWait = plan.context.uncertain == .retry
    try await settle(
      settlement, recording: resultEntry(plan, hold.reservation, answer, notices: notices))
    await clearProvider(of: candidate)
    for notice in notices { try await onEvent(.noticed(notice)) }
    return .answered(answer)
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
  func inOrderOfAvailability(_ candidates: [Candidate]) -> [CandidateModel] {
    let now = time.now()
    let state = state.withLock { $0 }
    var ready: [CandidateModel] = []
    var failing: [CandidateModel] = []
    var open: [CandidateModel] = []
    for candidate in candidates {
      var contender = CandidateModel(candidate: candidate)
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

  func wait(until moment: UInt64, _ plan: CallPlan) async throws {
    let now = time.monotonic()
    guard moment > now else { return }
    if let deadline = plan.deadline, moment >= deadline { throw plan.tooLate }
    try await time.sleep(.nanoseconds(Int64(clamping: moment - now)))
  }
}

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

extension CallPlan {
  var title: String { request.name.isEmpty ? "the call" : request.name }

  /// What the operator's needs are known by.
  var operatorName: String { request.name.isEmpty ? context.key.operatorName : request.name }

  var tooLate: Failure {
    return Failure(
      .timeout, "\(title) took longer than its \(secondsText(request.timeout ?? 0)) seconds",
      suggestion: "raise the operator's timeout, or choose a faster model")
  }
}

import RasaAgents
import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaModels
import RasaPersona
import RasaStore

// MARK: What can be run

extension Rasa {
  /// A persona or an agent that was read and checked. It can be run any number of times, and its files are
  /// not read again.
  public struct Runnable: Sendable {
    let rasa: Rasa
    let graph: Graph
    /// What the journal and the reader of the answer are told of how it was chosen.
    var notices: [RunNotice] = []
    /// The model that is asked before the others it recommends.
    var preferredModel: String?
    /// How it was chosen: kept when a run of it begins.
    var decision: StoredDecision?

    /// The name of the persona, or the ID of the agent.
    public var name: String { graph.persona.name }

    /// Its frames and operators.
    public var details: PersonaDetails { PersonaDetails(graph) }

    /// What is odd about it, given the preferences of a run.
    public func warnings(given preferences: Pairs<String> = [:]) -> [String] {
      var options = RunOptions()
      options.preferences = preferences
      return graph.warnings(given: options.plan("").preferences)
        .map { rasa.composition.redaction($0.description) }
    }

    /// The files that have changed since it was read.
    public func changedFiles() -> [String] {
      PinnedFiles(graph.pinned).map { rasa.composition.changes(since: $0) } ?? []
    }
  }

  /// An agent that was chosen for a task.
  public struct Choice: Sendable {
    /// The agent.
    public var runnable: Runnable
    /// The choice with everything that it rests on. It is kept when the run begins.
    public var route: Route
    /// The choice and its reason, as one sentence.
    public var sentence: String
    /// The choice as JSON documents have it.
    public var notice: Notice
    /// What was odd about settings and agents.
    public var warnings: [String]
  }

  /// Gets the database and the connections ready in the background, so that the first run finds them open.
  ///
  /// - Throws: A `RasaError` when the network's settings are wrong.
  public func warmUp() throws(RasaError) {
    try redacted { () throws(Failure) in
      let client = try services.client
      store.prepare()
      client.prepare()
    }
  }

  /// The executor of the thread on which models' answers arrive. A process that has nothing else to do than
  /// one run saves switches of threads when its task prefers it.
  ///
  /// - Throws: A `RasaError` when the network's settings are wrong.
  public var networkExecutor: any TaskExecutor {
    get throws(RasaError) {
      try redacted { () throws(Failure) in try services.executor }
    }
  }

  /// Reads and checks a persona by name, alias or the path of its file.
  public func prepare(persona name: String) async throws(RasaError) -> Runnable {
    try await prepared { rasa throws(Failure) in
      try rasa.checkNarrowing()
      return Runnable(rasa: rasa, graph: try rasa.composition.graph(name))
    }
  }

  /// Reads and checks an agent by ID, name or the path of its file.
  public func prepare(agent id: String) async throws(RasaError) -> Runnable {
    try await prepared { rasa throws(Failure) in
      try rasa.checkNarrowing()
      return Runnable(rasa: rasa, graph: try rasa.composition.graph(agent: id))
    }
  }

  /// Chooses the agent and the model that are likeliest to do a task well, and reads the agent. The decision is kept
  /// when a run of it begins.
  ///
  /// - Throws: What `route(_:options:)` throws.
  public func prepare(
    bestFor task: String, options: RunOptions = RunOptions()
  ) async throws(RasaError) -> Choice {
    try await redacted {
      try checkNarrowing()
      let warnings = WarningLog(composition.redaction)
      let made = try await decide(task, RouteOptions(options), onWarning: { warnings.add($0) })
      let notice = made.notice
      var runnable = Runnable(
        rasa: self, graph: try composition.graph(agent: made.recommendation.agent),
        notices: [notice])
      runnable.preferredModel = made.isUsualModel ? nil : made.route.chosen.model
      runnable.decision = made.stored
      return Choice(
        runnable: runnable, route: made.route, sentence: notice.message, notice: Notice(notice),
        warnings: warnings.all)
    }
  }

  /// An allow list that matches no agent is an error, even if this run does not need it.
  private func checkNarrowing() throws(Failure) {
    if !composition.askedNarrowing.isEmpty { _ = try composition.agentRegistry { _ in } }
  }
}

// MARK: Before a run

extension Rasa.Runnable {
  /// Every call that a run would make, priced. No model is called.
  ///
  /// - Parameters:
  ///   - input: The question or task.
  ///   - options: How the run is to go.
  ///   - explains: Whether each call says why its models would be asked.
  ///   - warn: Receives warnings.
  public func forecast(
    _ input: String, options: Rasa.RunOptions = Rasa.RunOptions(), explains: Bool = false,
    warn: @escaping @Sendable (String) -> Void = { _ in }
  ) async throws(RasaError) -> Rasa.Forecast {
    try await rasa.redacted {
      let redaction = rasa.composition.redaction
      return Rasa.Forecast(
        try await rasa.services.rehearse(
          graph, plan(input, options), explains: explains,
          onWarning: { warn(redaction($0.description)) }))
    }
  }

  /// The most that the attachments of a run add to its cost, for every operator that receives them and every
  /// loop. Nil if no operator receives them.
  public func attachmentForecast(
    _ input: String, options: Rasa.RunOptions,
    warn: @escaping @Sendable (String) -> Void = { _ in }
  ) async throws(RasaError) -> Rasa.AttachmentForecast? {
    try await rasa.redacted {
      let redaction = rasa.composition.redaction
      let plan = plan(input, options)
      let gate = try rasa.services.gate(
        plan.gate, onWarning: { warn(redaction($0.description)) }, onlyEstimates: true)
      var start = rasa.services.start(graph, plan)
      let calls = graph.rehearse(start, profile: plan.gate.profile)
      start.attachments = []
      let others = graph.rehearse(start, profile: plan.gate.profile)
      var forecast = Rasa.AttachmentForecast()
      for ((call, with), without) in zip(
        zip(calls, try await gate.costs(of: calls)), try await gate.costs(of: others))
      where !call.request.attachments.isEmpty {
        let estimate = with.estimate
        forecast.tokens += Int(clamping: estimate.attachmentTokens.reduce(0, +)) * call.most
        forecast.cost += Rasa.Dollars(with.total - without.total)
        forecast.knowsPrices = forecast.knowsPrices && estimate.isPriceKnown
        forecast.isBounded = forecast.isBounded && estimate.isBounded
        let name = "\(estimate.provider):\(estimate.model)"
        if !forecast.models.contains(name) { forecast.models.append(name) }
      }
      return forecast.models.isEmpty ? nil : forecast
    }
  }

  /// A run that has an ID and has not begun.
  ///
  /// - Parameters:
  ///   - input: What it is asked.
  ///   - options: How the run is to go.
  ///   - approve: Decides what a person is asked, as in `Rasa.run(persona:)`.
  public func ready(
    _ input: String, options: Rasa.RunOptions = Rasa.RunOptions(),
    approve: Rasa.ApprovalHandler? = nil
  ) throws(RasaError) -> Rasa.ReadyRun {
    guard input.utf8.contains(where: { $0 > 0x20 }) else {
      throw RasaError(.usage, "the input is empty", suggestion: "say what is to be done")
    }
    let given = try options.givenContext(for: graph)
    let plan = plan(input, options)
    var begun = rasa.services.start(graph, plan)
    var around: [Warning] = []
    do throws(Failure) {
      let found = try rasa.composition.surroundings(of: graph) { around.append($0) }
      // Rules that cannot be read are told before anything is paid for.
      if graph.mayUseTools { _ = try rasa.composition.policy() }
      begun.surroundings = found.context
      for (name, value) in given { begun.surroundings[name] = value }
      begun.notices += found.notices
    } catch {
      throw RasaError(rasa.composition.redaction(error))
    }
    if graph.recalls { rasa.services.store.prepareToRead() }
    let (graph, start) = (graph, begun)
    var ready = Rasa.ReadyRun(
      start.run, rasa, plan, approve, graph.warnings(given: plan.preferences), around: around
    ) { runner, observer in
      try await runner.run(graph, start, observer: observer)
    }
    ready.memory = ConversationCare(graph)
    ready.asksForFeedback = graph.persona.asksForFeedback
    return ready
  }

  private func plan(_ input: String, _ options: Rasa.RunOptions) -> RunPlan {
    var plan = options.plan(input)
    plan.agents = rasa.composition.askedNarrowing.lists.flatMap(\.patterns)
    plan.notices = notices
    if options.model == nil { plan.gate.preferred = preferredModel }
    plan.decision = decision
    return plan
  }
}

extension Rasa {
  /// The most that attachments add to the cost of a run.
  public struct AttachmentForecast: Sendable, Hashable {
    /// Their tokens in all calls together.
    public var tokens = 0
    /// Their cost in dollars, for models with a known price.
    public var cost = Dollars.zero
    /// Whether the prices of all models are known.
    public var knowsPrices = true
    /// Whether this is an upper bound. Otherwise it is an estimate.
    public var isBounded = true
    /// The models that would receive them, as `provider:model`.
    public var models: [String] = []
  }

  /// Why these models are asked, in this order.
  public struct ModelSelection: Sendable, Hashable {
    /// The lines that `--explain-selection` prints.
    public var text: String
    /// The same as JSON documents have it.
    public var json: JSON

    init(_ report: SelectionReport) {
      text = report.text
      json = JSON(report.value)
    }

    static func reader(
      _ explain: (@Sendable (ModelSelection) -> Void)?
    ) -> (@Sendable (SelectionReport) -> Void)? {
      guard let explain else { return nil }
      return { explain(ModelSelection($0)) }
    }
  }
}

// MARK: A run that can begin

extension Rasa {
  /// A run that has an ID and has not begun, or one that this process has claimed to resume it.
  ///
  /// ``run(_:)`` performs it and reports to an ``Observer``. ``start()`` returns a ``Run``, which is a sequence of
  /// events.
  public struct ReadyRun: Sendable {
    /// The run's ID.
    public let id: String
    /// Whether its persona wants the user to be asked for stars after the answer: `feedback: ask`.
    public internal(set) var asksForFeedback = false
    let rasa: Rasa
    let plan: RunPlan
    let approve: ApprovalHandler?
    var memory: ConversationCare?
    private let first: [Warning]
    /// Those of `first` that `Runnable.warnings(given:)` does not have.
    private let around: [Warning]
    private let leave: (@Sendable () async -> Void)?
    private let perform:
      @Sendable (Runner, @escaping RunObserver) async throws -> RasaEngine.RunResult

    init(
      _ id: Identifier, _ rasa: Rasa, _ plan: RunPlan, _ approve: ApprovalHandler?,
      _ warnings: [Warning] = [], around: [Warning] = [],
      leave: (@Sendable () async -> Void)? = nil,
      perform:
        @escaping @Sendable (Runner, @escaping RunObserver) async throws -> RasaEngine.RunResult
    ) {
      self.id = id.text
      self.rasa = rasa
      self.plan = plan
      self.approve = approve
      first = warnings + around
      self.around = around
      self.leave = leave
      self.perform = perform
    }

    /// Starts the run and returns it.
    public func start() async throws(RasaError) -> Run {
      let warnings = WarningLog(rasa.composition.redaction, first)
      let runner: Runner
      do throws(RasaError) {
        runner = try rasa.runner(plan, of: Identifier(id), approve, warnings)
      } catch {
        await leave?()
        throw error
      }
      return Run(id: id, of: rasa, warnings, runner, perform)
    }

    /// Performs the run in a task of its own and returns its result. Cancelling the caller's task parks the run, and
    /// `Rasa.cancel(_:)`, also in another process, ends it.
    ///
    /// - Parameter observer: Receives each event when it happens.
    /// - Throws: A `RasaError`, what the observer throws, and `CancellationError`.
    public func run(_ observer: Observer) async throws -> RunResult {
      let state = Locked<(task: Task<RunResult, any Error>?, isCancelled: Bool)>((nil, false))
      let task = Task {
        try await run(observer) {
          let task = state.withLock { state in
            state.isCancelled = true
            return state.task
          }
          task?.cancel()
        }
      }
      let isCancelled = state.withLock { state in
        state.task = task
        return state.isCancelled
      }
      if isCancelled { task.cancel() }
      return try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        task.cancel()
      }
    }

    /// Performs the run in the caller's task and returns its result. Cancelling that task parks the run.
    ///
    /// - Parameters:
    ///   - observer: Receives each event when it happens.
    ///   - onCancel: Called when the run is cancelled elsewhere, such as by `Rasa.cancel(_:)` in another process.
    ///     It must cancel the task.
    /// - Throws: A `RasaError`, what the observer throws, and `CancellationError`.
    public func run(
      _ observer: Observer, onCancel: @escaping @Sendable () -> Void
    ) async throws -> RunResult {
      let redaction = rasa.composition.redaction
      let warnings = WarningLog(redaction, first)
      for warning in around { observer.warn?(redaction(warning.description)) }
      var takesNow: (@Sendable (RunProgress) -> Bool)?
      if let observerTakesNow = observer.takesNow {
        takesNow = { observerTakesNow(Observation($0)) }
      }
      let runner: Runner
      do {
        runner = try rasa.services.runner(
          plan,
          people: CallerApprovalHandler(
            run: Identifier(id), user: rasa.composition.user(plan.user), approve: approve),
          onWarning: { warning in
            warnings.add(warning)
            observer.warn?(redaction(warning.description))
          },
          onSelection: ModelSelection.reader(observer.explain), readerTakesNow: takesNow)
      } catch {
        await leave?()
        throw RasaError(error, { redaction($0) })
      }
      rasa.store.onCancelRequest(Identifier(id), onCancel)
      let observe = observer.observe
      let journaled = JournalingObserver { try await observe(Observation($0)) }
      if !observer.waitsForJournal { try await journaled.release() }
      do {
        let result = try await perform(runner) { try await journaled.emit($0) }
        try await journaled.release()
        return RunResult(result, run: id, warnings: warnings.all)
      } catch let failure as Failure {
        try? await journaled.release()
        throw RasaError(redaction(failure))
      } catch {
        try? await journaled.release()
        throw error
      }
    }
  }

  /// A run that continues where its journal ends. This process has it from now on, so it has to be carried
  /// out.
  ///
  /// - Parameters:
  ///   - id: The run.
  ///   - options: What is to be different from here on; the rest is as the run began.
  ///   - approve: Decides what a person is asked.
  /// - Throws: What `resume(_:)` throws.
  public func ready(
    toResume id: String, options: RunOptions = RunOptions(), approve: ApprovalHandler? = nil
  ) async throws(RasaError) -> ReadyRun {
    try await redacted {
      let found = try await archive.find(id)
      try RunSummary(found).checkResumable()
      try composition.requireTrust()
      let taken = try await services.takeUp(found.id, isPinned: options.usesPinnedFiles)
      var plan = options.plan("")
      plan.agents = composition.askedNarrowing.lists.flatMap(\.patterns)
      plan = plan.goingOn(with: taken.start?.options ?? ValueObject())
      let user = composition.user(options.user)
      let services = services
      var ready = ReadyRun(found.id, self, plan, approve, leave: { await services.leave(taken) }) {
        runner, observer in
        try await runner.resume(
          taken.graph, taken.history, inheriting: taken.origin, by: user, observer: observer)
      }
      ready.memory = ConversationCare(taken.graph)
      ready.asksForFeedback = taken.graph.persona.asksForFeedback
      return ready
    }
  }

  /// A fork that has not begun: its cost can be looked at first.
  public struct ReadyFork: Sendable {
    /// The run.
    public let run: ReadyRun
    /// The run that it is a fork of.
    public let origin: String
    private let fork: PreparedFork

    init(_ fork: PreparedFork, _ rasa: Rasa, _ approve: ApprovalHandler?) {
      self.fork = fork
      origin = fork.start.fork?.run.text ?? ""
      var run = ReadyRun(fork.start.run, rasa, fork.plan, approve) { runner, observer in
        try await runner.run(fork.graph, fork.start, inheriting: fork.origin, observer: observer)
      }
      run.asksForFeedback = fork.graph.persona.asksForFeedback
      self.run = run
    }

    /// Says what is taken over, and prices the rest. Nobody is asked.
    ///
    /// - Parameters:
    ///   - warn: Gets what is odd about settings.
    ///   - explain: Gets for each call why which models would be asked.
    public func forecast(
      warn: @escaping @Sendable (String) -> Void = { _ in },
      explain: (@Sendable (ModelSelection) -> Void)? = nil
    ) async throws(RasaError) -> ForkForecast {
      let rasa = run.rasa
      return try await rasa.redacted {
        let redaction = rasa.composition.redaction
        let cost = try await rasa.services.cost(
          of: fork,
          people: CallerApprovalHandler(run: fork.start.run, user: "", approve: nil),
          onWarning: { warn(redaction($0.description)) },
          onSelection: ModelSelection.reader(explain))
        return ForkForecast(
          reusedCalls: cost.forecast.reused, saved: Dollars(cost.forecast.saved),
          mostCalls: cost.calls, mostCost: Dollars(cost.most), knowsPrices: cost.isPriced,
          isComplete: cost.forecast.isComplete, asks: cost.forecast.rest.map(\.operatorName))
      }
    }
  }

  /// A new run that reuses every answer of another one whose request is the same.
  public func ready(
    forkOf id: String, _ options: ForkOptions = ForkOptions(), approve: ApprovalHandler? = nil
  ) async throws(RasaError) -> ReadyFork {
    try await redacted {
      let origin = try await archive.find(id).id
      var plan = options.run.plan("")
      plan.agents = composition.askedNarrowing.lists.flatMap(\.patterns)
      return ReadyFork(
        try await services.prepare(options.plan(of: origin), plan), self, approve)
    }
  }
}

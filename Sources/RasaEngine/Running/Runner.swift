package import RasaCore
package import RasaPersona

/// What a run needs from outside.
package struct RunDependencies: Sendable {
  package var gate: any ModelGate
  package var journal: any Journal
  package var memory: any MemoryStore
  package var approvalHandler: any ApprovalHandler
  package var time: TimeSource
  package var limits: any TaskLimits
  /// What operators of kind `tool`, and models, can have done.
  package var tools: any ToolSource = FixedTools()
  package var policy: any ToolPolicy = StandardToolPolicy()
  /// What asks hooks, and has those of the user; nil where there is nothing that could.
  package var hooks: (any HookRunner)?
  /// What people have granted for sessions and runs.
  package var grants: any GrantStore = NoGrants()
  /// Makes vectors of questions; nil where recall goes by words alone.
  package var vectors: (any QuestionVectors)?
  /// Takes out of a failure what no journal may keep.
  package var redact: Redaction

  package init(
    gate: any ModelGate, journal: any Journal, memory: any MemoryStore,
    approvalHandler: any ApprovalHandler,
    time: TimeSource, limits: any TaskLimits = NoTaskLimits(), redact: Redaction = Redaction([:])
  ) {
    self.redact = redact
    self.limits = limits
    self.gate = gate
    self.journal = journal
    self.memory = memory
    self.approvalHandler = approvalHandler
    self.time = time
  }
}

package struct RunOptions: Sendable {
  /// Overrides what operators and persona say.
  package var profile: PerformanceProfile?
  /// The most tokens of the conversation that any model is shown, whatever its window.
  package var historyTokens: Int64 = ConversationContext.mostTokens
  /// Notes that are put into the context.
  package var notes: Int
  /// When it is set, one operator runs at a time: of those that are due the one with the lowest
  /// number. What comes of the run is the same either way.
  package var rank: (@Sendable (Step) -> Int)?
  /// How long the run may take, whatever the persona says.
  package var seconds: Double?
  /// Whether text is held back until it is known that the model calls no tools after it: where nothing that was shown
  /// can be taken back.
  package var holdsToolRounds = false
  /// What the record of how a run went says beside its journal; nil for a run that gets no record. It is asked for at
  /// the end, once the answer is out.
  package var assess: (@Sendable (RunStart) -> PerformanceFacts?)?
  /// Whether the observer would take this without waiting for its reader; what it would not waits in a
  /// `RunBuffer`. Nil for one that never waits for anybody.
  package var readerTakesNow: (@Sendable (RunProgress) -> Bool)?

  package init(
    profile: PerformanceProfile? = nil, notes: Int = 50,
    rank: (@Sendable (Step) -> Int)? = nil, seconds: Double? = nil
  ) {
    self.seconds = seconds
    self.profile = profile
    self.notes = notes
    self.rank = rank
  }
}

package struct RunResult: Sendable {
  package var session: String?
  /// Null for a run that has been parked.
  package var output: Value
  package var state: State
  package var cost: Money
  package var usage: Usage
  package var steps: Int
  package var calls: Int
  /// True when any model that contributed was the mock.
  package var usedMock: Bool
  /// Why the mock answered, where that was not asked for by name.
  package var mockReason: String?
  /// The models that answered, as `provider:model`, each once.
  package var answeredBy: [String] = []
  /// The first answer that came from another model than the one that was named or asked first.
  package var fallback: ModelFallback?
  /// The questions that a parked run waits for; empty for one that has come to its end.
  package var waitsFor: [Approval] = []
  /// What a reader of the output has to know about it, in the order in which it happened.
  package var notices: [RunNotice] = []
  /// What was attached to the input.
  package var attachments: [AttachmentReport] = []
  /// Files that tools have returned to operators of kind `tool`.
  package var files: [Attachment] = []
}

extension RunResult {
  /// How the answer ended: `stop` unless the end of a text that went into it is missing.
  package var finish: FinishReason {
    let cut = notices.first { $0.kind == .cut }
    return cut?.facts["finish"]?.string.flatMap { FinishReason(recorded: $0) } ?? .stop
  }

  /// How often models were asked to go on with an answer that was cut.
  package var continued: Int {
    let counts = notices.filter { $0.kind == .continued }.map { $0.facts["continued"]?.int ?? 0 }
    return Int(clamping: counts.reduce(0) { min($0 + $1, 1_000_000) })
  }
}

/// Drives a machine: performs what is due, at the same time where the machine allows it, and feeds
/// the outcomes back, until the run has ended.
package struct Runner: Sendable {
  package var dependencies: RunDependencies
  package var options: RunOptions

  package init(_ dependencies: RunDependencies, options: RunOptions = RunOptions()) {
    self.dependencies = dependencies
    self.options = options
  }

  /// Runs from the beginning. A fork is such a run with the effects of its origin.
  package func run(
    _ graph: Graph, _ start: RunStart, inheriting origin: Origin? = nil,
    observer: @escaping RunObserver = { _ in }
  ) async throws -> RunResult {
    let slot = try await dependencies.acquireSlot(of: graph)
    defer { withExtendedLifetime(slot) {} }
    try await admit(graph, start)
    return try await read(start.run, by: observer) { runner, observer in
      var driver = runner.driver(graph, start, origin, observer)
      do {
        try await driver.open(origin)
        return try await driver.runToEnd()
      } catch {
        throw await driver.closeAfter(error)
      }
    }
  }

  /// Resumes a run that this process has claimed, from where its journal ends. The graph must
  /// be that of the persona with which it began.
  package func resume(
    _ graph: Graph, _ history: RunHistory, inheriting origin: Origin? = nil, by: String,
    observer: @escaping RunObserver = { _ in }
  ) async throws -> RunResult {
    guard let start = try history.start else {
      throw Failure(
        .storage, "the journal of \(history.record.id) does not begin with its start",
        suggestion: "begin anew with `rasa run`")
    }
    let slot = try await dependencies.acquireSlot(of: graph)
    defer { withExtendedLifetime(slot) {} }
    return try await read(start.run, by: observer) { runner, observer in
      var driver = runner.driver(graph, start, origin, observer)
      do {
        try await driver.reopen(history, by: by)
        return try await driver.runToEnd()
      } catch {
        throw await driver.closeAfter(error)
      }
    }
  }

  /// Performs a run whose reader may be slower than it. Returns when the run is in the journal and the
  /// reader has all of it.
  private func read(
    _ run: Identifier, by observer: @escaping RunObserver,
    _ perform: (Runner, @escaping RunObserver) async throws -> RunResult
  ) async throws -> RunResult {
    guard let takesNow = options.readerTakesNow else { return try await perform(self, observer) }
    let buffer = RunBuffer(observer, takesNow: takesNow)
    var runner = self
    runner.dependencies.approvalHandler = DrainingApprovalHandler(
      approvalHandler: dependencies.approvalHandler, buffer: buffer)
    let result: RunResult
    do {
      result = try await perform(runner) { progress in try await buffer.emit(progress) }
    } catch {
      try? await buffer.finish()
      throw error
    }
    do {
      try await buffer.finish()
    } catch is CancellationError {
      throw Failure(
        .cancelled, "the run had come to its end before its reader had all of it",
        suggestion: "`rasa runs show \(run)` shows what came of it")
    }
    return result
  }

  /// Checks before the run begins that every operator that sees the attachments has a model that
  /// accepts them, so that no run fails at its third call.
  private func admit(_ graph: Graph, _ start: RunStart) async throws {
    guard !start.attachments.media.isEmpty else { return }
    for call in graph.rehearse(start, profile: options.profile)
    where !call.request.attachments.isEmpty {
      try await dependencies.gate.admit(call.request, for: call.context)
    }
  }

  private func driver(
    _ graph: Graph, _ start: RunStart, _ origin: Origin?, _ emit: @escaping RunObserver
  ) -> RunDriver {
    var graph = graph
    var changes: [Step: [Update]] = [:]
    if let fork = start.fork, let origin {
      changes = origin.steps(writing: fork.changes)
      graph.expectWrites(changes)
    }
    var dependencies = dependencies
    if !graph.persona.tools.isEmpty {
      dependencies.tools = dependencies.tools.declaring(graph.persona.tools)
    }
    let waits = dependencies.outputWaits(of: graph)
    var driver = RunDriver(
      machine: RunMachine(graph: graph), start: start, options: options,
      dependencies: dependencies,
      runState: SharedRunState(
        parts: waits ? [] : graph.outputParts,
        seconds: options.seconds ?? graph.persona.limits.seconds,
        startedAt: dependencies.time.monotonic()), emit: waits ? withoutDrafts(emit) : emit,
      recorded: RecordedEffects(
        inherited: origin?.effects, recallsTheSame: origin?.start.asksTheSame(as: start) ?? true),
      changes: changes)
    driver.outputWaits = waits
    if graph.mayAsk { driver.folded = FoldedEvents() }
    return driver
  }
}

extension RunDependencies {
  /// Whether hooks see the output before anybody else does: nothing of it can be shown while it is written then.
  func outputWaits(of graph: Graph) -> Bool {
    if graph.persona.hooks.contains(where: { $0.point == .beforeOutput }) { return true }
    guard let hooks else { return false }
    return !hooks.hooks(at: HookPlace(.beforeOutput, step: HookPlace.ofRun(in: nil))).isEmpty
  }
}

/// Keeps from the observer what an output is made of, before it may be shown.
func withoutDrafts(_ emit: @escaping RunObserver) -> RunObserver {
  { progress in
    switch progress {
    case .textArrived, .reasoning: break
    default: try await emit(progress)
    }
  }
}

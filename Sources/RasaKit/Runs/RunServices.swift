package import RasaCore
package import RasaEngine
package import RasaHTTPClient
package import RasaModels
import RasaPersona
package import RasaStore
import RasaSystem
package import RasaTools

/// The parts of a run that can be used for more than one: a chat and a program keep them.
package struct RunServices: Sendable {
  package let composition: CompositionRoot
  package let store: any RunStore
  private let network: Network
  /// The tools of all runs of this process.
  package let tools: ToolBox

  /// Connections to providers, made when they are first needed.
  private final class Network: Sendable {
    private let made = Locked<HTTPClient?>(nil)

    func client(_ composition: CompositionRoot) throws(Failure) -> HTTPClient {
      if let client = made.withLock({ $0 }) { return client }
      // The configuration is read without the lock.
      let new = try composition.client()
      return made.withLock { client in
        if let client { return client }
        client = new
        return new
      }
    }

    func shutdown() {
      made.withLock { client in
        defer { client = nil }
        return client
      }?.shutdown()
    }
  }

  /// Starts what takes time in the background: the store and the HTTP client get ready while the
  /// persona is read.
  package init(_ composition: CompositionRoot) throws(Failure) {
    try self.init(composition, composition.store())
  }

  package init(_ composition: CompositionRoot, _ store: any RunStore) throws(Failure) {
    self.init(lazily: composition, store)
    let client = try network.client(composition)
    store.prepare()
    client.prepare()
  }

  /// Nothing is opened or started before it is used.
  ///
  /// - Parameter onWarning: is told of programs that run without a sandbox.
  package init(
    lazily composition: CompositionRoot, _ store: any RunStore,
    onWarning: @escaping @Sendable (Warning) -> Void = { _ in }
  ) {
    self.composition = composition
    self.store = store
    let network = Network()
    self.network = network
    tools = composition.toolBox(onWarning: onWarning) { () throws(Failure) in
      try network.client(composition)
    }
  }

  package var client: HTTPClient {
    get throws(Failure) { try network.client(composition) }
  }

  /// Where a run works that is alone in its process: see `LoopExecutor`.
  package var executor: any TaskExecutor {
    get throws(Failure) { try client.executor }
  }

  package func close() async {
    await tools.end()
    await store.close()
    network.shutdown()
  }
}

/// How one run is to go.
package struct RunPlan: Sendable {
  package var input: String
  package var attachments: [Attachment] = []
  package var preferences = ValueObject()
  package var session: String?
  package var user: String?
  package var gate = GateOptions()
  package var maxSeconds: Int?
  /// The moment of which it recalls; nil for now.
  package var asOf: Timestamp?
  /// The agents that `--agents` leaves.
  package var agents: [String] = []
  /// Tools of the program that asks, which it uses itself.
  package var clientTools: [ToolDescription] = []
  /// The name of that program's token; nil for none.
  package var client: String?
  /// Whether it is a trial of an evaluation, and no work that somebody wanted done.
  package var isEvaluation = false
  /// Whether a server carries it out, and resumes it after a restart.
  package var isServed = false
  /// Notices about how this run came about, for the journal and for the reader of the answer.
  package var notices: [RunNotice] = []
  /// The decision that chose the agent.
  package var decision: StoredDecision?

  package init(input: String = "") { self.input = input }
}

extension RunPlan {
  /// What a run keeps of it, so that it is resumed under the same options. A limit that was lifted once
  /// is not lifted again.
  package var kept: ValueObject {
    var kept = ValueObject()
    if let model = gate.model { kept["model"] = .string(model.description) }
    if let preferred = gate.preferred { kept["preferred_model"] = .string(preferred) }
    if let profile = gate.profile { kept["profile"] = .string(profile.rawValue) }
    if gate.premium { kept["premium"] = true }
    if let most = gate.maxCost { kept["max_cost"] = .string(most.decimalText) }
    if let extra = gate.extra { kept["budget"] = extra.value }
    if let maxSeconds { kept["max_seconds"] = .int(Int64(maxSeconds)) }
    if let asOf { kept[RunStart.asOfOption] = .int(asOf.milliseconds) }
    if isEvaluation { kept[RunStart.evaluationOption] = true }
    if isServed { kept[RunStart.servedOption] = true }
    if !agents.isEmpty { kept["agents"] = .array(agents.map(Value.string)) }
    if !clientTools.isEmpty {
      kept[RunStart.clientToolsOption] = .array(clientTools.map(\.body))
    }
    if let client { kept["client"] = .string(client) }
    return kept
  }

  /// The plan with what a run has kept where nothing else is said now.
  package func goingOn(with kept: ValueObject) -> RunPlan {
    var plan = self
    if gate.model == nil {
      plan.gate.model = kept["model"]?.string.map(ModelConfiguration.reference)
    }
    if gate.preferred == nil { plan.gate.preferred = kept["preferred_model"]?.string }
    if gate.profile == nil {
      plan.gate.profile = kept["profile"]?.string.flatMap { PerformanceProfile(rawValue: $0) }
    }
    if kept["premium"]?.bool == true { plan.gate.premium = true }
    if gate.maxCost == nil {
      plan.gate.maxCost = kept["max_cost"]?.string.flatMap { Money(decimal: $0) }
    }
    if gate.extra == nil { plan.gate.extra = kept["budget"].flatMap(ExtraBudget.init) }
    if asOf == nil { plan.asOf = RunStart.asOf(in: kept) }
    if agents.isEmpty { plan.agents = (kept["agents"]?.array ?? []).compactMap(\.string) }
    if maxSeconds == nil { plan.maxSeconds = kept["max_seconds"]?.int.map { Int(clamping: $0) } }
    return plan
  }
}

extension RunServices {
  package func start(_ graph: Graph, _ plan: RunPlan) -> RunStart {
    var start = RunStart(
      run: composition.newIdentifier("r"), persona: graph.persona.name, personaDigest: graph.digest,
      session: plan.session, user: composition.user(plan.user), input: plan.input,
      preferences: plan.preferences, options: plan.kept, attachments: plan.attachments)
    start.notices = plan.notices
    start.decision = plan.decision
    return start
  }

  package func gate(
    _ options: GateOptions, onWarning: @escaping @Sendable (Warning) -> Void,
    onSelection: (@Sendable (SelectionReport) -> Void)? = nil, onlyEstimates: Bool = false
  ) throws(Failure) -> Gate {
    try options.extra?.check()
    return try composition.gate(
      ledger: store, history: store, client: client, options: options, onWarning: onWarning,
      onSelection: onSelection, onlyEstimates: onlyEstimates)
  }

  package func runner(
    _ plan: RunPlan, people: any ApprovalHandler, onWarning: @escaping @Sendable (Warning) -> Void,
    onSelection: (@Sendable (SelectionReport) -> Void)? = nil, onlyEstimates: Bool = false,
    readerTakesNow: (@Sendable (RunProgress) -> Bool)? = nil
  ) throws(Failure) -> Runner {
    var surroundings = RunDependencies(
      gate: try gate(
        plan.gate, onWarning: onWarning, onSelection: onSelection, onlyEstimates: onlyEstimates),
      journal: store, memory: store, approvalHandler: people, time: composition.time,
      limits: composition.taskLimits(onWait: onWarning), redact: composition.redaction)
    let network = network
    let launcher = composition.launcher(onWarning: onWarning)
    surroundings.hooks = try composition.hookClient(launcher) { [composition] in
      try network.client(composition)
    }
    surroundings.tools = ToolsWithSkills(
      others: tools, skills: composition.skillTools(launcher))
    surroundings.policy = LaterPolicy { [composition] () throws(Failure) in
      try composition.policy(onWarning: onWarning)
    }
    surroundings.grants = store
    surroundings.vectors = questionVectors(plan, onWarning: onWarning)
    var options = RunOptions(
      profile: plan.gate.profile, seconds: plan.maxSeconds.map(Double.init))
    options.readerTakesNow = readerTakesNow
    options.assess = { start in assess(start) }
    options.holdsToolRounds = plan.gate.finishesBrokenAnswers
    return Runner(surroundings, options: options)
  }
}

// MARK: Resuming

/// A run that this process has taken over, ready to go on.
package struct TakenUpRun: Sendable {
  package var graph: Graph
  package var history: RunHistory
  package var start: RunStart?
  package var origin: Origin?
}

extension RunServices {
  /// Claims a run that no process owns. A run that cannot be resumed is left as it was.
  package func takeUp(_ run: Identifier, isPinned: Bool) async throws -> TakenUpRun {
    let history = try await store.claim(run)
    do {
      let graph = try graph(of: history, isPinned: isPinned)
      composition.noteSkillFolders(of: graph)
      return TakenUpRun(
        graph: graph, history: history,
        start: try history.start, origin: try await origin(of: history))
    } catch {
      try? await store.close(run, RunEnding(history.record.status.whenLeft), [])
      throw error
    }
  }

  /// Leaves a run that was taken over as it was found.
  package func leave(_ taken: TakenUpRun) async {
    let record = taken.history.record
    try? await store.close(record.id, RunEnding(record.status.whenLeft), [])
  }

  /// The graph for resuming a run: that of its pinned files, unless they have changed since.
  package func graph(of history: RunHistory, isPinned: Bool) throws(Failure) -> Graph {
    let record = history.record
    let kept = history.entries.first { $0.kind == "persona.pinned" }
    guard let pinned = kept.flatMap({ PinnedFiles($0.body) }) else {
      let graph = try composition.graph(record.persona)
      guard graph.digest == record.personaDigest else {
        throw changed(
          record, [], suggestion: "this run was started by an earlier version and has no copy; ")
      }
      return graph
    }
    let changes = isPinned ? [] : composition.changes(since: pinned)
    guard changes.isEmpty else {
      throw changed(
        record, changes, suggestion: "`--pinned` uses the run's own copy; ")
    }
    return try Graph.compile(
      pinned, named: record.persona, engines: composition.library.engines,
      under: composition.library)
  }

  private func changed(_ record: RunRecord, _ files: [String], suggestion: String) -> Failure {
    Failure(
      .configuration, "the persona `\(record.persona)` has changed since \(record.id) began",
      suggestion: suggestion
        + "`rasa runs fork \(record.id)` starts a new run with the current persona",
      details: files.map { "changed: \($0)" })
  }

  /// What a resumed fork still reuses of its origin.
  private func origin(of history: RunHistory) async throws -> Origin? {
    guard let fork = try history.start?.fork,
      let record = try await store.run(fork.run.text)?.record
    else { return nil }
    let entries = try await store.entries(of: fork.run)
    return try Origin(RunHistory(record: record, entries: entries), upTo: fork.sequence)
  }
}

extension RunRecord.Status {
  /// What a run is again that was taken over and could not go on.
  fileprivate var whenLeft: RunRecord.Status { self == .running ? .parked : self }
}

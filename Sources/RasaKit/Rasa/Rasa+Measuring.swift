import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem

extension Rasa {
  /// Where the measured runs keep their journals.
  public enum MeasuredJournal: String, Sendable, Hashable, Codable, CaseIterable {
    /// Nowhere; money is held and settled all the same.
    case nowhere = "none"
    /// In memory.
    case memory
    /// In a database of its own, which is deleted afterwards.
    case full
  }

  /// What runs of a persona took.
  public struct Measurement: Sendable, Hashable {
    /// The persona.
    public var persona: String
    /// How many runs were measured.
    public var runs: Int
    /// Where their journals were kept.
    public var journal: MeasuredJournal
    /// The operators that one run performs.
    public var steps: Int
    /// The calls to models of one run.
    public var calls: Int
    /// The microseconds that each run took.
    public var wall: [Double]
    /// The microseconds that all of them took together.
    public var total: Double
    /// The microseconds of processor time of all of them.
    public var processorTime: Double
    /// What they cost.
    public var cost: Dollars
  }

  /// Runs a persona again and again in this process, and returns what that took. One run comes before those that are
  /// measured. Questions to people are approved.
  ///
  /// - Parameters:
  ///   - name: The persona.
  ///   - input: What it is asked; nil for its first example.
  ///   - runs: How many runs are measured.
  ///   - parallel: How many of them run at once.
  ///   - journal: Where their journals are kept.
  ///   - asksModels: Whether models are asked, which costs money. Otherwise each call is answered at once.
  ///   - model: The model that is asked, instead of those that are recommended.
  /// - Throws: A `RasaError` when there is no such persona, or a run fails.
  public func measure(
    persona name: String, input: String? = nil, runs: Int = 20, parallel: Int = 1,
    journal: MeasuredJournal = .memory, asksModels: Bool = false, model: String? = nil
  ) async throws(RasaError) -> Measurement {
    try await redacted {
      let graph = try composition.graph(name)
      let client = try composition.client()
      defer { client.shutdown() }
      let input = input ?? graph.persona.exampleQueries.first ?? "What is there to know?"
      let bench = try await PersonaBench(
        executor: client.executor, composition: composition, graph: graph, input: input,
        journal: journal,
        gate: asksModels
          ? { ledger, history in
            var options = GateOptions()
            options.model = model.map(ModelConfiguration.reference)
            return try self.composition.gate(
              ledger: ledger, history: history, client: client, options: options,
              onWarning: { self.warn($0) })
          } : { _, _ in InstantGate() })
      do {
        let measured = try await bench.measure(runs, parallel: parallel)
        await bench.close()
        return Measurement(
          persona: graph.persona.name, runs: runs, journal: journal, steps: measured.steps,
          calls: measured.calls, wall: measured.wall, total: measured.total,
          processorTime: measured.cpu, cost: Dollars(measured.cost))
      } catch {
        await bench.close()
        throw error
      }
    }
  }
}

/// Runs one persona again and again in one process.
private struct PersonaBench {
  struct Measured {
    /// Microseconds of each run.
    var wall: [Double] = []
    /// Microseconds of all runs together.
    var cpu = 0.0
    var total = 0.0
    var steps = 0
    var calls = 0
    var cost = Money.zero

    mutating func add(_ run: (wall: Double, result: RunResult)) {
      wall.append(run.wall)
      steps = run.result.steps
      calls = run.result.calls
      cost += run.result.cost
    }
  }

  /// One run alone is where its answers arrive, as with `rasa run`.
  let executor: any TaskExecutor
  let composition: CompositionRoot
  let graph: Graph
  let input: String
  private let dependencies: RunDependencies
  private let durable: (store: any RunStore, path: String)?

  init(
    executor: any TaskExecutor, composition: CompositionRoot, graph: Graph, input: String,
    journal: Rasa.MeasuredJournal, gate: (any Ledger, any ModelHistory) throws -> any ModelGate
  ) async throws {
    self.executor = executor
    self.composition = composition
    self.graph = graph
    self.input = input
    let approver = Approver()
    let memory = MemoryRunStore(time: composition.time)
    if journal == .full {
      try FileSystem.makeFolder(composition.folders.data)
      let path = "\(composition.folders.data)/bench-\(composition.newIdentifier("b")).db"
      let store = composition.store(at: path)
      durable = (store, path)
      dependencies = RunDependencies(
        gate: try gate(store, store), journal: store, memory: store, approvalHandler: approver,
        time: composition.time)
    } else {
      durable = nil
      let isKept = journal != .nowhere
      dependencies = RunDependencies(
        gate: try gate(isKept ? memory : NoJournal(ledger: memory), memory),
        journal: isKept ? memory : NoJournal(ledger: memory), memory: memory,
        approvalHandler: approver,
        time: composition.time)
    }
  }

  /// One run comes before those that count: it warms connections and caches.
  func measure(_ runs: Int, parallel: Int) async throws -> Measured {
    let runner = Runner(dependencies)
    _ = try await once(runner)
    var measured = Measured()
    let cpu = ProcessTime.microseconds()
    let begin = composition.time.monotonic()
    if parallel == 1 {
      try await withTaskExecutorPreference(executor) {
        for _ in 0..<runs { measured.add(try await once(runner)) }
      }
    } else {
      try await withThrowingTaskGroup(of: (Double, RunResult).self) { group in
        for _ in 0..<min(parallel, runs) { group.addTask { try await once(runner) } }
        var started = min(parallel, runs)
        while let result = try await group.next() {
          measured.add(result)
          if started < runs {
            started += 1
            group.addTask { try await once(runner) }
          }
        }
      }
    }
    measured.total = Double(composition.time.monotonic() - begin) / 1000
    measured.cpu = ProcessTime.microseconds() - cpu
    return measured
  }

  private func once(_ runner: Runner) async throws -> (Double, RunResult) {
    let start = RunStart(
      run: composition.newIdentifier("r"), persona: graph.persona.name, personaDigest: graph.digest,
      user: "bench", input: input)
    let begin = composition.time.monotonic()
    let result = try await runner.run(graph, start)
    return (Double(composition.time.monotonic() - begin) / 1000, result)
  }

  func close() async {
    guard let durable else { return }
    await durable.store.close()
    for ending in ["", "-wal", "-shm", ".queue"] {
      try? FileSystem.removeFile(durable.path + ending)
    }
  }
}

/// Approves everything: nobody is there to be asked in a measurement.
private struct Approver: ApprovalHandler {
  func decide(_ question: Question) async throws -> HumanAnswer? {
    question.form == .answer
      ? HumanAnswer(.answer, text: question.standard ?? .string("an answer"), by: "bench")
      : HumanAnswer(.approve, by: "bench")
  }
}

/// Keeps no lines; money is held and settled all the same.
private final class NoJournal: Journal, Ledger {
  private let ledger: any Ledger
  private let asked = Locked<[String: RasaEngine.Approval]>([:])

  init(ledger: any Ledger) { self.ledger = ledger }

  func reserve(
    _ request: ReservationRequest, recording entries: [JournalEntry]
  ) async throws -> ReservationOutcome { try await ledger.reserve(request, recording: []) }
  func settle(_ settlement: Settlement, recording entries: [JournalEntry]) async throws {
    try await ledger.settle(settlement, recording: [])
  }
  func headroom(_ legs: [BudgetLeg]) async throws -> Money? { try await ledger.headroom(legs) }
  func confirm(_ run: Identifier) async throws { try await ledger.confirm(run) }

  func open(_ run: RunRecord, _ entries: [JournalEntry]) {}
  func claim(_ run: Identifier) async throws -> RunHistory {
    throw Failure(.usage, "there is no run \(run)")
  }
  func record(_ entries: [JournalEntry]) {}
  func append(_ entries: [JournalEntry]) async throws {}
  func ask(
    _ approval: RasaEngine.Approval, recording entries: [JournalEntry]
  ) async throws -> RasaEngine.Approval {
    asked.withLock { $0[approval.id] = approval }
    return approval
  }
  func answer(_ approval: String, _ answer: HumanAnswer) async throws -> AnswerReceipt {
    asked.withLock { $0.removeValue(forKey: approval) }.map { .accepted($0) } ?? .unknown
  }
  func close(_ run: Identifier, _ ending: RunEnding, _ entries: [JournalEntry]) async throws {}
  func entries(of run: Identifier) async throws -> [JournalEntry] { [] }
}

/// A gate that answers at once and free of charge with the mock's answer, for measuring the runtime alone.
private struct InstantGate: ModelGate {
  func answer(
    _ request: ModelRequest, for context: CallContext,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> ModelAnswer {
    let text = request.mockValue?.json() ?? "ok"
    try await onEvent(.text(text))
    return ModelAnswer(
      text: text, provider: "instant", model: "instant", usage: Usage(), cost: .zero, isMock: true)
  }

  func digest(of request: ModelRequest, for context: CallContext) -> String { "" }

  func giveUp(_ call: UncertainCall, of run: Identifier, decision: UncertainPolicy) async throws {}

  func estimate(_ request: ModelRequest, for context: CallContext) async throws -> CallEstimate {
    CallEstimate(
      provider: "instant", model: "instant", inputTokens: 0, outputTokens: 0, cost: .zero,
      isPriceKnown: true)
  }
}

import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaKit
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem

/// `rasa bench graph|run`: what a persona costs the runtime, measured on the user's own machine.
struct BenchCommand {
  let composition: CompositionRoot
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    let asksModels = command.path.last == "run"
    let graph = try composition.graph(command.text("persona") ?? "")
    if asksModels { try await composition.settleTrust() }
    let input =
      command.text("input") ?? graph.persona.exampleQueries.first ?? "What is there to know?"
    let runs = command.integer("runs") ?? 20
    let place = command.text("journal") ?? "memory"
    let client = try composition.client()
    defer { client.shutdown() }
    let bench = try await Bench(
      executor: client.executor, composition: composition, graph: graph, input: input,
      journal: place,
      gate: asksModels
        ? { ledger, history in
          var options = GateOptions()
          options.model = command.text("model").map(ModelConfiguration.reference)
          return try composition.gate(
            ledger: ledger, history: history, client: client, options: options, onWarning: { _ in })
        } : { _, _ in InstantGate() })
    do {
      let measured = try await bench.measure(runs, parallel: command.integer("parallel") ?? 1)
      try show(measured, graph, runs, place)
    } catch {
      await bench.close()
      throw error
    }
    await bench.close()
  }

  private func show(
    _ measured: Bench.Measured, _ graph: Graph, _ runs: Int, _ journal: String
  ) throws {
    let wall = measured.wall.median
    let cpu = measured.cpu / Double(max(1, runs))
    if print.isJSON {
      return try print([
        "persona": .string(graph.persona.name), "runs": .int(Int64(runs)),
        "journal": .string(journal), "steps": .int(Int64(measured.steps)),
        "calls": .int(Int64(measured.calls)), "wall_us_median": .double(wall),
        "cpu_us_mean": .double(cpu), "wall_us_min": .double(measured.wall.min() ?? 0),
        "wall_us_max": .double(measured.wall.max() ?? 0),
        "total_us": .double(measured.total),
        "largest_memory_kb": .int(Int64(ProcessMemory.largestKilobytes())),
        "cost_usd": .string(measured.cost.decimalText),
      ])
    }
    try print(
      text: """
        \(graph.persona.name): \(runs) runs of \(measured.steps) steps and \(measured.calls) calls, \
        journal \(journal)
        wall  \(microseconds(wall)) a run (median), \(microseconds(wall / Double(max(1, measured.steps)))) a step
        cpu   \(microseconds(cpu)) a run
        all   \(microseconds(measured.total)), memory at most \(ProcessMemory.largestKilobytes() / 1024) MB

        """)
  }

  private func microseconds(_ value: Double) -> String {
    value >= 1000
      ? "\((value / 10).rounded() / 100) ms" : "\((value * 10).rounded() / 10) µs"
  }
}

/// Runs one persona again and again in one process.
private struct Bench {
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
  private let surroundings: RunDependencies
  private let durable: (store: any RunStore, path: String)?

  init(
    executor: any TaskExecutor, composition: CompositionRoot, graph: Graph, input: String,
    journal: String, gate: (any Ledger, any ModelHistory) throws -> any ModelGate
  ) async throws {
    self.executor = executor
    self.composition = composition
    self.graph = graph
    self.input = input
    let people = Approver()
    let memory = MemoryRunStore(time: composition.time)
    if journal == "full" {
      try FileSystem.makeFolder(composition.folders.data)
      let path = "\(composition.folders.data)/bench-\(composition.newIdentifier("b")).db"
      let store = composition.store(at: path)
      durable = (store, path)
      surroundings = RunDependencies(
        gate: try gate(store, store), journal: store, memory: store, approvalHandler: people,
        time: composition.time)
    } else {
      durable = nil
      let isKept = journal != "none"
      surroundings = RunDependencies(
        gate: try gate(isKept ? memory : NoJournal(ledger: memory), memory),
        journal: isKept ? memory : NoJournal(ledger: memory), memory: memory,
        approvalHandler: people,
        time: composition.time)
    }
  }

  /// One run comes before those that count: it warms connections and caches.
  func measure(_ runs: Int, parallel: Int) async throws -> Measured {
    let runner = Runner(surroundings)
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
  private let asked = Locked<[String: Approval]>([:])

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
  func ask(_ approval: Approval, recording entries: [JournalEntry]) async throws -> Approval {
    asked.withLock { $0[approval.id] = approval }
    return approval
  }
  func answer(_ approval: String, _ answer: HumanAnswer) async throws -> AnswerReceipt {
    asked.withLock { $0.removeValue(forKey: approval) }.map { .accepted($0) } ?? .unknown
  }
  func close(_ run: Identifier, _ ending: RunEnding, _ entries: [JournalEntry]) async throws {}
  func entries(of run: Identifier) async throws -> [JournalEntry] { [] }
}

extension [Double] {
  fileprivate var median: Double {
    isEmpty ? 0 : sorted()[count / 2]
  }
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

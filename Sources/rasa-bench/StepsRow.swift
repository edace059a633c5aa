import Glibc
import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit

/// The runtime alone: a persona of four frames whose operators do nothing, performed through the
/// runner with a journal in memory. The floor is a bare array append for each step, which is what
/// keeping the result costs anyone.
extension Row {
  static let steps = Row("no-op operator, per step") { bench, row in
    var perStep: [Int: Double] = [:]
    for steps in [10, 100, 1_000, 10_000] {
      let graph = try graph(steps: steps)
      let runner = Runner(.nothing)
      let repeats = max(5, 20_000 / steps)
      var times: [Double] = []
      for _ in 0...repeats {
        let start = RunStart(
          run: Identifier("r"), persona: "noop", personaDigest: graph.digest, input: "x")
        let begin = now()
        let result = try await runner.run(graph, start)
        guard result.steps >= steps else { throw Failure(.run, "only \(result.steps) steps") }
        times.append(Double(now() - begin) / 1000 / Double(result.steps))
      }
      perStep[steps] = Array(times.dropFirst()).median
    }
    let worst = perStep.values.max() ?? 0
    let flat = (perStep[10_000] ?? 0) / (perStep[100] ?? 1)
    let table = perStep.sorted { $0.key < $1.key }
      .map { "\($0.key): \($0.value.short) µs" }.joined(separator: ", ")
    return RowResult(
      name: row.name, measured: "\((perStep[1_000] ?? 0).short) µs", floor: "-", ratio: flat,
      target: "≤ 5 µs (aim 2), flat", isMet: worst <= 5 && flat <= 1.5,
      notes: "steps in one run: \(table); ratio is 10,000 against 100")
  }

  /// A whole short run: what is paid at its beginning and end, beside its steps.
  static let wholeRun = Row("whole run of 4 no-op operators") { bench, row in
    let graph = try graph(of: ["a", "b", "c", "d"].map { [$0] }, loops: 1, limit: 100)
    let runner = Runner(.nothing)
    var times: [Double] = []
    for _ in 0..<5_000 {
      let start = RunStart(
        run: Identifier("r"), persona: "noop", personaDigest: graph.digest, input: "x")
      let begin = now()
      let result = try await runner.run(graph, start)
      guard result.steps == 5 else { throw Failure(.run, "\(result.steps) steps, and not 5") }
      times.append(Double(now() - begin) / 1000)
    }
    let median = Array(times.dropFirst(500)).median
    return RowResult(
      name: row.name, measured: "\(median.short) µs", floor: "-", ratio: median / 15,
      target: "≤ 15 µs", isMet: median <= 15, notes: "and one rule that writes the output")
  }

  /// Four frames that share the operators out and loop until there were enough steps.
  private static func graph(steps: Int) throws -> Graph {
    let counts = [("a", 3), ("b", 3), ("c", 2), ("d", 2)]
    return try graph(
      of: counts.map { name, count in (0..<count).map { "\(name)\($0)" } },
      loops: max(1, steps / 10), limit: steps * 2 + 100)
  }

  /// - Parameter frames: the names of the operators of each.
  private static func graph(of frames: [[String]], loops: Int, limit: Int) throws -> Graph {
    let names = ["a", "b", "c", "d"]
    var operators: [OperatorDefinition] = []
    for (name, own) in zip(names, frames) {
      for place in own {
        operators.append(
          OperatorDefinition(
            name: "op_\(place)", kind: .memory, frame: name, reads: ["input"],
            writes: [Write(key: "key_\(place)", type: .any)]))
      }
    }
    operators.append(
      OperatorDefinition(
        name: "output", kind: .rule, frame: "d", writes: [Write(key: "output", type: .text)],
        rules: [Rule(set: [("output", .literal("done"))])]))
    let frames = names.enumerated().map { index, name in
      FrameDefinition(
        name: name, kind: .session,
        next: index == 3 && loops > 1 ? [Transition(to: "a", atMost: loops - 1)] : [])
    }
    return try Graph.compile(
      PersonaDefinition(
        name: "noop", frames: frames, operators: operators,
        limits: RunLimits(steps: limit))
    ) { name throws(Failure) in throw Failure(.configuration, "no operator `\(name)`") }
  }

  private static func now() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

extension RunDependencies {
  /// Nothing outside: no model, no person, a journal in an array.
  fileprivate static var nothing: RunDependencies {
    let store = ArrayStore()
    return RunDependencies(
      gate: NoGate(), journal: store, memory: store, approvalHandler: NoApprovalHandler(),
      time: .standing)
  }
}

extension TimeSource {
  fileprivate static let standing = TimeSource(
    now: { Timestamp(milliseconds: 0) },
    localDay: { _ in LocalDay(year: 2000, month: 1, day: 1) }, monotonic: { 0 },
    sleep: { try await Task.sleep(for: $0) })
}

private struct NoGate: ModelGate {
  func answer(
    _ request: ModelRequest, for context: CallContext,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> ModelAnswer { throw Failure(.run, "no model is asked here") }
  func digest(of request: ModelRequest, for context: CallContext) -> String { "" }
  func giveUp(_ call: UncertainCall, of run: Identifier, decision: UncertainPolicy) async throws {}
  func estimate(_ request: ModelRequest, for context: CallContext) async throws -> CallEstimate {
    throw Failure(.run, "no model is asked here")
  }
}

private struct NoApprovalHandler: ApprovalHandler {
  func decide(_ question: Question) async throws -> HumanAnswer? {
    throw Failure(.approval, "nobody is asked here")
  }
}

private final class ArrayStore: Journal, MemoryStore {
  private let entries = Locked<[JournalEntry]>([])
  func open(_ run: RunRecord, _ entries: [JournalEntry]) { record(entries) }
  func record(_ new: [JournalEntry]) { entries.withLock { $0 += new } }
  func append(_ new: [JournalEntry]) async throws { record(new) }
  func claim(_ run: Identifier) async throws -> RunHistory {
    throw Failure(.run, "no run is resumed here")
  }
  func ask(_ approval: Approval, recording entries: [JournalEntry]) async throws -> Approval {
    approval
  }
  func answer(_ approval: String, _ answer: HumanAnswer) async throws -> AnswerReceipt {
    .unknown
  }
  func close(_ run: Identifier, _ ending: RunEnding, _ new: [JournalEntry]) async throws {
    // One run's journal is kept at a time, as a process that has ended its run would.
    entries.withLock { $0.removeAll(keepingCapacity: true) }
  }
  func entries(of run: Identifier) async throws -> [JournalEntry] { entries.withLock { $0 } }
  func turns(of session: SessionID, limit: Int) async throws -> [SessionTurn] { [] }
  func notes(of session: SessionID, limit: Int) async throws -> [WorkingNote] { [] }
  func search(_ query: MemoryQuery) async throws -> [RecalledItem] { [] }
  func items(_ filter: MemoryFilter, before: Int64?, limit: Int) async throws -> [MemoryItem] { [] }
}

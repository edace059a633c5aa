import RasaCore
import RasaEngine
import RasaStore
import RasaSystem
import RasaTestKit

/// What it takes until a step of a run is on the disk, against a bare flush of the same disk and a
/// bare SQLite commit of the same bytes.
extension Row {
  /// As long as a paragraph that an operator wrote.
  private static let stepText = String(repeating: "The order book carries the price. ", count: 18)

  private static func step(_ run: Identifier, _ number: Int) -> JournalEntry {
    let outcome = OperatorOutcome.wrote([
      Update(StatePath("draft"), .string("\(run) \(number) \(stepText)"))
    ])
    return RunEvent.operatorFinished(
      Step(frame: "session_frame", visit: number, operatorName: "respond"), outcome
    ).entry(of: run, at: TimeSource.system.now())
  }

  private static func record(_ run: Identifier) -> RunRecord {
    RunRecord(
      id: run, session: nil, persona: "bench", personaDigest: "", user: "bench", input: "x",
      startedAt: TimeSource.system.now())
  }

  /// Appends that many steps to a run of its own, one after the other; nanoseconds for each.
  private static func append(
    _ count: Int, to store: any RunStore, run: Identifier
  ) async throws -> [Double] {
    store.open(record(run), [])
    try await store.append([step(run, 0)])
    var times: [Double] = []
    for number in 1...count {
      let entry = step(run, number)
      let start = TimeSource.system.monotonic()
      try await store.append([entry])
      times.append(Double(TimeSource.system.monotonic() - start))
    }
    return times
  }

  static let durableStep = Row("durable operator step, p50") { bench, row in
    let folder = ScratchDirectory()
    let store = openStore(at: folder.file("rasa.db"), time: .system)
    let bytes = step(Identifier("r0"), 0).body.jsonBytes().count
    func floor(_ kind: String) async throws -> Double {
      let run = try await ProgramRun.run(
        bench.floor("floor-durable"), [kind, folder.path, "\(bytes)", "500"])
      let times = run.text.split(separator: "\n").compactMap { Double($0) }
      guard times.count == 500 else { throw Failure(.run, "no floor: \(run.errorText)") }
      return times.median / 1000
    }
    var steps: [Double] = []
    var commits: [Double] = []
    var flushes: [Double] = []
    for round in 0..<9 {
      steps.append(
        try await append(500, to: store, run: Identifier("r\(round)")).median / 1000)
      commits.append(try await floor("commit"))
      flushes.append(try await floor("fdatasync"))
    }
    await store.close()
    let (ours, commit, flush) = (steps.median, commits.median, flushes.median)
    return RowResult(
      name: row.name, measured: "\(ours.short) µs", floor: "\(commit.short) µs (SQLite)",
      ratio: ours / commit, target: "≤ 1.3 ×, ≤ fsync + 1 ms",
      isMet: ours <= 1.3 * commit && ours <= flush + 1000,
      notes: "\(bytes) bytes a step; a bare fdatasync takes \(flush.short) µs")
  }

  static let manyWriters = Row("64 runs at once: commits") { bench, row in
    // Each in a file of its own, for the same time, so that neither tidies up after the other.
    func rate(_ runs: Int, _ count: Int) async throws -> Double {
      let folder = ScratchDirectory()
      let store = openStore(at: folder.file("rasa.db"), time: .system)
      try await store.append([])
      let start = TimeSource.system.monotonic()
      try await withThrowingTaskGroup { group in
        for number in 0..<runs {
          group.addTask {
            _ = try await append(count, to: store, run: Identifier("r\(number)"))
          }
        }
        try await group.waitForAll()
      }
      let time = Double(TimeSource.system.monotonic() - start) / 1e9
      await store.close()
      return Double(runs * count) / time
    }
    let (many, one) = try await bench.paired(
      5, { try await rate(64, 200) }, { try await rate(1, 2000) })
    return RowResult(
      name: row.name, measured: "\(Int(many)) steps/s", floor: "\(Int(one)) steps/s (one)",
      ratio: many / one, target: "≥ 5 × a single run", isMet: many >= 5 * one, notes: "")
  }

  /// A run that asks a person about its draft, and is let go of until there is an answer.
  private static func park(_ run: Identifier, in store: any RunStore) async throws {
    func entry(_ event: RunEvent) -> JournalEntry {
      event.entry(of: run, at: TimeSource.system.now())
    }
    let start = RunStart(run: run, persona: "bench", personaDigest: "", input: "x")
    store.open(record(run), [entry(.started(start)), step(run, 1)])
    let key = EffectKey(frame: "session_frame", visit: 1, operatorName: "hitl", label: "review")
    let question = Question(
      key: key, title: "May this go out?", subject: StatePath("draft"),
      payload: .string("\(run) \(stepText)"))
    let approval = Approval(run: run, question: question, askedAt: TimeSource.system.now())
    _ = try await store.ask(approval, recording: [entry(.asked(approval))])
    try await store.close(
      run, RunEnding(.parked), [entry(.parked(Parking(.approval, waitsFor: [approval.id])))])
  }

  static let parkedRuns = Row("10,000 parked runs: list") { bench, row in
    let home = ScratchDirectory()
    let store = openStore(at: home.file("rasa.db"), time: .system)
    // In groups, so that their commits are shared.
    for group in 0..<100 {
      try await withThrowingTaskGroup { tasks in
        for number in 0..<100 {
          tasks.addTask { try await park(Identifier("r\(group)-\(number)"), in: store) }
        }
        try await tasks.waitForAll()
      }
    }
    await store.close()
    let environment = bench.environment.merging(["RASA_HOME": home.path]) { $1 }
    func list(_ arguments: [String], times: Int) async throws -> (time: Double, text: String) {
      var walls: [Double] = []
      for _ in 0..<times {
        let run = try MeasuredRun.run(
          bench.rasa, ["runs", "list"] + arguments, environment: environment, folder: home.path)
        guard run.exitCode == 0, run.bytes > 0 else {
          throw Failure(.run, "rasa runs list ended with \(run.exitCode)")
        }
        walls.append(Double(run.wall) / 1e6)
      }
      let memory = try await ProgramRun.run(
        bench.floor("peak-memory"), [bench.rasa, "runs", "list"] + arguments,
        environment: environment, folder: home.path)
      let megabytes = (Double(memory.text.prefix { $0 != "\n" }) ?? 0) / 1024
      return (walls.median, "\(walls.median.short) ms and \(megabytes.short) MB")
    }
    let page = try await list([], times: 15)
    let parked = try await list(["--status", "parked", "--json"], times: 15)
    let all = try await list(["--limit", "10000"], times: 3)
    let worst = max(page.time, parked.time)
    return RowResult(
      name: row.name, measured: "\(worst.short) ms", floor: "-", ratio: worst / 50,
      target: "≤ 50 ms, no process alive", isMet: worst <= 50,
      notes: "`runs list` \(page.text), `--status parked` \(parked.text), all of them \(all.text); "
        + "a parked run itself is rows on the disk and no process")
  }
}

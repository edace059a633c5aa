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
    _ count: Int, to store: SQLiteStore, run: Identifier
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
    let folder = try ScratchDirectory()
    let store = SQLiteStore(path: folder.file("rasa.db"), time: .system)
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
      let folder = try ScratchDirectory()
      let store = SQLiteStore(path: folder.file("rasa.db"), time: .system)
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

  static let parkedRuns = Row("10,000 parked runs: list") { bench, row in
    let home = try ScratchDirectory()
    let store = SQLiteStore(path: home.file("rasa.db"), time: .system)
    // In groups, so that their commits are shared.
    for group in 0..<100 {
      try await withThrowingTaskGroup { tasks in
        for number in 0..<100 {
          tasks.addTask {
            let run = Identifier("r\(group)-\(number)")
            store.open(
              record(run),
              [
                RunEvent.started(
                  RunStart(run: run, persona: "bench", personaDigest: "", input: "x")
                ).entry(of: run, at: TimeSource.system.now())
              ])
            try await store.append([step(run, 1)])
            try await store.close(
              run, RunEnding(.parked),
              [
                RunEvent.parked(Parking(.interrupted)).entry(of: run, at: TimeSource.system.now())
              ])
          }
        }
        try await tasks.waitForAll()
      }
    }
    await store.close()
    var memory: [Double] = []
    func list(_ arguments: String...) throws -> Double {
      let run = try MeasuredRun.run(
        bench.rasa, ["runs", "list"] + arguments,
        environment: bench.environment.merging(["RASA_HOME": home.path]) { $1 },
        folder: home.path)
      guard run.exitCode == 0, run.bytes > 0 else {
        throw Failure(.run, "rasa runs list ended with \(run.exitCode)")
      }
      memory.append(Double(run.largestMemoryKilobytes) / 1024)
      return Double(run.wall) / 1e6
    }
    var page: [Double] = []
    var parked: [Double] = []
    for _ in 0..<15 {
      page.append(try list())
      parked.append(try list("--status", "parked", "--json"))
    }
    let worst = max(page.median, parked.median)
    return RowResult(
      name: row.name, measured: "\(worst.short) ms", floor: "-", ratio: worst / 50,
      target: "≤ 50 ms, no process alive", isMet: worst <= 50,
      notes: "`runs list` \(page.median.short) ms, `runs list --status parked --json` "
        + "\(parked.median.short) ms; a parked run is rows on the disk, the list takes "
        + "\(memory.median.short) MB")
  }
}

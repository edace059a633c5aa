import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem
import RasaTestKit

/// What stands between an operator's wish and the first byte that is sent: choosing a model,
/// estimating, holding the money.
extension Row {
  /// A prompt as operators write it: a few kilobytes of words.
  private static let request = ModelRequest(
    messages: [
      ChatMessage(.system, "You are a careful analyst."),
      ChatMessage(.user, String(repeating: "The order book carries the price. ", count: 100)),
    ], name: "respond", maxTokens: 400)

  private static func context(_ number: Int) -> CallContext {
    CallContext(
      run: Identifier("r0"),
      key: EffectKey(
        frame: "session_frame", visit: number, operatorName: "respond", label: "call"),
      persona: "bench",
      models: RecommendedModels(
        primary: ModelReference(engine: "openai", model: "t1-d0"),
        fallback: ModelReference(engine: "openai", model: "t2-d0")),
      budget: CostBudget(
        maxPerExecution: .max, maxDaily: .max, maxMonthly: .max, policy: .reject))
  }

  private static let catalogue = Catalogue(
    shipped: Array(
      """
      {"models": {
        "t1-d0": {"vendor": "openai", "prices": [{"input": "1", "output": "2"}]},
        "t2-d0": {"vendor": "openai", "prices": [{"input": "1", "output": "2"}]}
      }}
      """.utf8))

  /// Microseconds from the call of the gate until it turns to the provider.
  private static func added(
    _ count: Int, _ bench: Bench, ledger: any Ledger, history: any ModelHistory
  ) async throws -> [Double] {
    let client = HTTPClient()
    defer { client.shutdown() }
    let gate = Gate(
      configuration: ModelConfiguration(
        providers: [try .openAI(baseURL: "\(bench.baseURL)/v1", key: "sk-none")]),
      catalogue: catalogue, ledger: ledger, history: history, client: client, time: .system,
      random: { .random(in: .min ... .max) })
    var times: [Double] = []
    for number in 0...count {
      let begun = TimeSource.system.monotonic()
      let asked = Locked<UInt64>(0)
      _ = try await gate.answer(request, for: context(number)) { event in
        if case .started = event { asked.withLock { $0 = TimeSource.system.monotonic() } }
      }
      if number > 0 { times.append(Double(asked.withLock { $0 } - begun) / 1000) }
    }
    return times
  }

  private static func open(_ journal: any Journal) async throws {
    journal.open(
      RunRecord(
        id: Identifier("r0"), session: nil, persona: "bench", personaDigest: "", user: "bench",
        input: "x", startedAt: TimeSource.system.now()), [])
  }

  static let gateInMemory = Row("gate before the first byte, memory") { bench, row in
    let store = MemoryRunStore(time: .system)
    try await open(store)
    let times = try await added(1_000, bench, ledger: store, history: store)
    return RowResult(
      name: row.name, measured: "\(times.median.short) µs", floor: "", ratio: 0,
      target: "≤ 50 µs", isMet: times.median <= 50,
      notes: "a prompt of 3.4 kB, two models, limits for run, day and month")
  }

  static let gateDurable = Row("gate before the first byte, durable") { bench, row in
    let folder = ScratchDirectory()
    let store = openStore(at: folder.file("rasa.db"), time: .system)
    try await open(store)
    var ours: [Double] = []
    var flushes: [Double] = []
    for _ in 0..<5 {
      ours.append(try await added(300, bench, ledger: store, history: store).median)
      let run = try await ProgramRun.run(
        bench.floor("floor-durable"), ["fdatasync", folder.path, "600", "300"])
      flushes.append(run.text.split(separator: "\n").compactMap { Double($0) }.median / 1000)
    }
    await store.close()
    let (added, flush) = (ours.median, flushes.median)
    return RowResult(
      name: row.name, measured: "\(added.short) µs", floor: "\(flush.short) µs (fdatasync)",
      ratio: added / flush, target: "≤ fsync + 200 µs", isMet: added <= flush + 200, notes: "")
  }

  /// A provider that lists 1,000 models, all of them priced and measured, and a persona that names
  /// three of them: another three for each choice.
  static let selection = Row("selection among 1,000 models") { bench, row in
    let entries = (0..<1_000).map { number in
      #""model-\#(number)": {"vendor": "openai", "prices": [{"input": "\#(number % 17).5", "output": "\#(number % 23).25"}]}"#
    }
    let catalogue = Catalogue(
      shipped: Array("{\"models\": {\(entries.joined(separator: ",\n"))}}".utf8))
    let store = MemoryRunStore(time: .system)
    let now = TimeSource.system.now()
    try await store.observe(
      (0..<1_000).map { number in
        ModelObservation(
          key: ModelKey(provider: "openai", model: "model-\(number)"), time: now,
          outcome: number % 7 == 0
            ? .failed(reason: "server", until: Timestamp(milliseconds: now.milliseconds + 60_000))
            : .answered, firstContent: Int64(number * 37 % 1_000) * 1_000_000, tokensPerSecond: 80)
      })
    let client = HTTPClient()
    defer { client.shutdown() }
    let gate = Gate(
      configuration: ModelConfiguration(
        providers: [try .openAI(baseURL: "\(bench.baseURL)/v1", key: nil)]),
      catalogue: catalogue, ledger: store, history: store, client: client, time: .system,
      random: { 0 })
    func time(_ round: Int) async throws -> [Double] {
      var times: [Double] = []
      for number in 0..<333 {
        var context = context(number)
        context.models = RecommendedModels(
          primary: ModelReference(model: "model-\(number * 3)"),
          fallback: ModelReference(model: "model-\(number * 3 + 1)"),
          premium: ModelReference(model: "model-\(number * 3 + 2)"))
        context.profile = PerformanceProfile.allCases[(number + round) % 4]
        let begun = TimeSource.system.monotonic()
        _ = try await gate.estimate(request, for: context)
        times.append(Double(TimeSource.system.monotonic() - begun) / 1000)
      }
      return times
    }
    let first = try await time(0)
    let times = try await time(1)
    return RowResult(
      name: row.name, measured: "\(times.median.short) µs", floor: "", ratio: 0,
      target: "≤ 200 µs", isMet: times.median <= 200,
      notes: "three models each time, price and estimate included; p99 "
        + "\(times.percentile(99).short) µs, and when the catalogue is read for the first time "
        + "\(first.median.short) µs")
  }
}

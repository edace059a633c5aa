import RasaCore
import RasaEngine
import RasaLearning
import RasaStore
import RasaSystem
import RasaTestKit

/// Records of how runs went, and what is asked of them.
extension Row {
  static let performance: [Row] = [runRecord, leaderboard]

  private static let today = LocalDay(year: 2026, month: 1, day: 31)

  /// A run of a persona that asks models eight times, in a conversation of ten turns.
  private static func work(_ run: Identifier, in store: any RunStore) async throws {
    let now = TimeSource.system.now()
    let text = String(repeating: "a sentence of an answer, \(run). ", count: 50)
    let start = RunStart(
      run: run, persona: "analyst", personaDigest: "d", user: "bench", input: text)
    store.open(
      RunRecord(
        id: run, session: nil, persona: "analyst", personaDigest: "d", user: "bench", input: text,
        startedAt: now),
      [
        RunEvent.started(start).entry(of: run, at: now),
        RunEvent.contextOpened([
          "session": .array(
            (0..<10).map {
              ["input": .string("\($0) \(text)"), "output": .string("\(text) \($0)")]
            })
        ]).entry(of: run, at: now),
      ])
    for number in 0..<8 {
      let step = Step(frame: "session_frame", visit: 1, operatorName: "operator\(number)")
      let attempt = Identifier("\(run)-\(number)")
      let key = step.effect("call")
      var intent = ModelIntent(provider: "p", model: "m")
      intent.held = Money(picoDollars: 1_000_000)
      try await store.append([
        EffectEvent(
          .model, key,
          .intent(EffectIntent(attempt: attempt, request: "d", subject: .model(intent)))
        ).entry(of: run, at: now),
        EffectEvent(
          .model, key,
          .result(
            .answer(
              ModelAnswer(
                text: "\(number) \(text)", provider: "p", model: "m",
                usage: Usage(input: 900, output: 300), cost: Money(picoDollars: 500_000))),
            attempt: attempt)
        ).entry(of: run, at: now),
        RunEvent.operatorFinished(
          step, .wrote([Update(StatePath("draft"), .string("\(number) \(text)"))])
        ).entry(of: run, at: now),
      ])
    }
  }

  private static let runRecord = Row("the record of how a run went") { bench, row in
    let home = ScratchDirectory()
    let store = openStore(at: home.file("rasa.db"), time: .system)
    var number = 0
    func close(_ facts: PerformanceFacts?) async throws -> Double {
      number += 1
      let run = Identifier("r\(number)")
      try await work(run, in: store)
      var ending = RunEnding(.done)
      ending.performance = facts
      let end = RunEvent.finished(output: "x").entry(of: run, at: TimeSource.system.now())
      let clock = ContinuousClock()
      let began = clock.now
      try await store.close(run, ending, [end])
      return (clock.now - began) / Duration.milliseconds(1)
    }
    let facts = PerformanceFacts(category: "analysis", complexity: 3, day: today)
    let (with, without) = try await bench.paired(
      200, { try await close(facts) }, { try await close(nil) })
    guard try await store.records(of: nil, limit: 1_000).count == 201 else {
      throw Failure(.run, "not every run has its record")
    }
    await store.close()
    let more = with - without
    return RowResult(
      name: row.name, measured: "\(more.short) ms more", floor: "\(without.short) ms", ratio: more,
      target: "≤ 1 ms, after the answer is out", isMet: more <= 1,
      notes: "ending a run of 27 lines and 8 calls durably, with and without its record")
  }

  /// A year of a hundred agents.
  private static let leaderboard = Row("leaderboard over 1,000,000 records") { bench, row in
    let count = 1_000_000
    let home = ScratchDirectory()
    let store = openStore(at: home.file("rasa.db"), time: .system)
    let categories = ["research", "analysis", "writing", "planning", "code", "chat"]
    var numbers = SeededNumbers(seed: 1)
    for first in stride(from: 0, to: count, by: 20_000) {
      let records = (first..<first + 20_000).map { number in
        let agent = Int(numbers.next() % 100)
        var run = RunPerformance(
          run: Identifier("r\(number)"), agent: "agent-\(agent)", user: nil,
          category: categories[(agent + Int(numbers.next() % 2)) % categories.count], complexity: 2,
          status: numbers.next() % 20 == 0 ? .failed : .done, finish: "stop",
          day: today.advanced(byDays: -Int(numbers.next() % 365)),
          endedAt: Timestamp(milliseconds: Int64(number)))
        run.model = "p:m\(agent % 3)"
        run.cost = Money(picoDollars: Int64(numbers.next() % 50_000_000_000))
        run.milliseconds = Int64(numbers.next() % 60_000)
        run.outputTokens = 400
        if numbers.next() % 4 == 0 { run.stars = Int(numbers.next() % 5) + 1 }
        return StoredPerformance(performance: run, score: run.score(ScoringWeights()))
      }
      _ = try await store.importPerformance(records) { ScoringWeights(name: $0) }
    }
    func asked(_ from: LocalDay?) async throws -> Double {
      var times: [Double] = []
      for _ in 0..<15 {
        let clock = ContinuousClock()
        let began = clock.now
        func sums(_ from: LocalDay?, _ to: LocalDay?) async throws -> [String: PerformanceSums] {
          let rows = try await store.performance(
            PerformanceQuery(from: from, to: to, by: [.agent]))
          return Dictionary(rows.map { ($0.keys[0], $0.sums) }) { first, _ in first }
        }
        let all = try await sums(from, nil)
        let standings = RasaLearning.standings(
          all.map { (agent: $0, sums: $1) }, by: .score,
          recent: try await sums(today.advanced(byDays: -6), today),
          before: try await sums(today.advanced(byDays: -13), today.advanced(byDays: -7)))
        guard standings.count == 100 else { throw Failure(.run, "an agent is missing") }
        times.append((clock.now - began) / Duration.milliseconds(1))
      }
      return times.median
    }
    let all = try await asked(nil)
    let month = try await asked(today.advanced(byDays: -29))
    let year = try await asked(today.advanced(byDays: -300))
    await store.close()
    let worst = max(all, month, year)
    return RowResult(
      name: row.name, measured: "\(worst.short) ms", floor: "–", ratio: 0, target: "≤ 50 ms",
      isMet: worst <= 50,
      notes: "of 100 agents with trends: all time \(all.short), 30 days \(month.short), 300 days "
        + "\(year.short) ms")
  }
}

import RasaCore
import RasaEngine
import RasaLearning
import RasaTestKit
import Testing

@testable import RasaStore

private let weights: @Sendable (String) -> ScoringWeights = { ScoringWeights(name: $0) }
private let day = LocalDay(year: 2026, month: 1, day: 31)

private func facts(_ category: String = "research", on day: LocalDay = day) -> PerformanceFacts {
  PerformanceFacts(category: category, complexity: 3, day: day)
}

private func open(_ run: String, in store: any RunStore, user: String = "ann") {
  var opened = record(run)
  opened.user = user
  let start = RunStart(
    run: opened.id, persona: "analyst", personaDigest: "d1", user: user, input: "What about AMD?")
  store.open(opened, [RunEvent.started(start).entry(of: opened.id, at: opened.startedAt)])
}

private func end(
  _ run: String, _ status: RunRecord.Status = .done, in store: any RunStore,
  _ facts: PerformanceFacts = facts(), after milliseconds: Int64 = 2000
) async throws {
  var ending = RunEnding(status)
  ending.performance = facts
  let event: RunEvent =
    status == .done
    ? .finished(output: "x")
    : status == .parked ? .parked(Parking(.interrupted)) : .failed(Failure(.budget, "no money"))
  try await store.close(
    Identifier(run), ending,
    [event.entry(of: Identifier(run), at: Timestamp(milliseconds: 1000 + milliseconds))])
}

private func peer(_ name: String, _ score: Double?) -> Judgement {
  .evaluation(
    RunEvaluation(
      kind: .peer, name: name, model: "p:m", criteria: Quality(score.map { [.clarity: $0] } ?? [:]),
      score: score, feedback: "could be clearer", cost: .zero, time: Timestamp(milliseconds: 9)))
}

extension PerformanceStore {
  fileprivate func total(
    _ from: LocalDay? = nil, _ to: LocalDay? = nil
  ) async throws -> PerformanceSums {
    try await performance(PerformanceQuery(from: from, to: to, by: [])).first?.sums
      ?? PerformanceSums()
  }
}

@Suite struct `The record of how a run went` {
  @Test(arguments: StoreKind.allCases)
  func `is written with its end, whatever that is`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    for (run, status) in [("r1", RunRecord.Status.done), ("r2", .failed), ("r3", .parked)] {
      open(run, in: store)
      try await end(run, status, in: store)
    }
    let done = try #require(try await store.performance(of: "r1"))
    #expect(done.performance.agent == "analyst" && done.performance.user == "ann")
    #expect(done.performance.category == "research" && done.performance.complexity == 3)
    #expect(done.performance.finish == "stop" && done.performance.milliseconds == 2000)
    #expect(done.score.overall == nil && done.score.basis == .nothing)
    #expect(done.score.isSuccess == true)
    let failed = try #require(try await store.performance(of: "r2"))
    #expect(failed.performance.finish == "budget" && failed.score.overall == 0)
    #expect(failed.score.isSuccess == false && failed.score.basis == .failure)
    // It has not come to its end.
    #expect(try await store.performance(of: "r3") == nil)
    #expect(try await store.requestCancel("r3", facts()) == .cancelled)
    let cancelled = try #require(try await store.performance(of: "r3"))
    #expect(cancelled.performance.status == .cancelled && cancelled.score.isSuccess == nil)
    let sums = try await store.total()
    #expect(sums[.runs] == 3 && sums[.done] == 1 && sums[.failed] == 1 && sums[.cancelled] == 1)
    #expect(sums.tried == 2 && sums[.succeeded] == 1 && sums[.scored] == 0)
  }

  @Test(arguments: StoreKind.allCases)
  func `is replaced when a run that failed is resumed`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    open("r1", in: store)
    try await end("r1", .failed, in: store)
    _ = try await store.claim("r1")
    try await end("r1", in: store, after: 5000)
    let sums = try await store.total()
    #expect(sums[.runs] == 1 && sums[.failed] == 0 && sums[.done] == 1)
    #expect(try await store.records(of: nil, limit: 9).count == 1)
  }

  @Test(arguments: StoreKind.allCases)
  func `is not written by a process that has lost the run`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let other = try await fixture.gone(with: "r1")
    fixture.lapse()
    _ = try await fixture.store.claim("r1")
    await #expect(throws: Failure.self) { try await end("r1", in: other) }
    #expect(try await fixture.store.performance(of: "r1") == nil)
    #expect(try await fixture.store.total()[.runs] == 0)
  }

  @Test(arguments: StoreKind.allCases)
  func `takes stars and judgements, the last of each`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    open("r1", in: store)
    try await end("r1", in: store)
    let rated = try #require(
      try await store.judge("r1", .stars(4, comment: "good", by: "ann"), weights: weights))
    // 0.8 × 4/5 + 0.2 × 1
    #expect(rated.score.overall == 0.84 && rated.score.basis == .stars && rated.comment == "good")
    _ = try await store.judge("r1", peer("critical", 0.5), weights: weights)
    _ = try await store.judge("r1", peer("holistic", 1), weights: weights)
    let again = try #require(try await store.judge("r1", peer("critical", 0.4), weights: weights))
    #expect(again.performance.peers == 0.7 && again.score.basis == .peers)
    #expect(try await store.evaluations(of: "r1").map(\.name) == ["critical", "holistic"])
    // What cannot be read as a judgement is missing, and no middle value.
    let missing = try #require(try await store.judge("r1", peer("critical", nil), weights: weights))
    #expect(missing.performance.peers == 1)
    let sums = try await store.total()
    #expect(sums[.rated] == 1 && sums[.stars] == 4 && sums[.peered] == 1 && sums[.runs] == 1)
    let taken = try await store.judge("r1", .stars(nil, comment: "", by: "ann"), weights: weights)
    #expect(taken?.comment == "" && taken?.performance.stars == nil)
    #expect(try await store.total()[.rated] == 0)
    #expect(try await store.judge("r9", .stars(1, comment: "", by: ""), weights: weights) == nil)
  }

  @Test(arguments: StoreKind.allCases)
  func `outlives its run, and its user's name and words do not`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    for run in ["r1", "r2"] {
      open(run, in: store)
      try await end(run, in: store)
      _ = try await store.judge(
        Identifier(run), .stars(2, comment: "about me", by: "ann"), weights: weights)
      _ = try await store.judge(Identifier(run), peer("critical", 0.5), weights: weights)
      try await store.keep(
        StoredDecision(
          id: Identifier("d-\(run)"), time: Timestamp(milliseconds: 5), run: Identifier(run),
          user: "ann", content: ["task": "What about AMD?", "chosen": "analyst"]))
    }
    _ = try await store.deleteRuns(["r1"])
    let deleted = try #require(try await store.performance(of: "r1"))
    #expect(deleted.comment == "" && deleted.performance.stars == 2)
    #expect(deleted.performance.user == "ann")
    #expect(try await store.evaluations(of: "r1").map(\.feedback) == [""])
    #expect(
      try await store.decisions(from: nil, to: nil, after: 0, limit: 9).map { $0.content["task"] }
        == [.null, "What about AMD?"])
    _ = try await store.forgetUser("ann")
    for run in ["r1", "r2"] {
      let left = try #require(try await store.performance(of: Identifier(run)))
      #expect(left.performance.user == nil && left.comment == "")
    }
    let decisions = try await store.decisions(from: nil, to: nil, after: 0, limit: 9)
    #expect(
      decisions.map(\.user) == ["", ""] && decisions.map { $0.content["task"] } == [.null, .null])
    #expect(decisions.map { $0.content["chosen"] } == ["analyst", "analyst"])
    #expect(decisions[0].outcome?.performance.stars == 2)
    #expect(try await store.total()[.runs] == 2)
  }

  @Test(arguments: StoreKind.allCases)
  func `is joined to the decision that its run was opened with`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    func decision(_ number: Int, run: Identifier? = nil) -> StoredDecision {
      StoredDecision(
        id: Identifier("d\(number)"), time: Timestamp(milliseconds: Int64(number)), run: run,
        user: "ann", content: ["chosen": .int(Int64(number))])
    }
    func begin(_ run: String, by made: StoredDecision) {
      var opened = record(run)
      opened.decision = made
      let start = RunStart(
        run: opened.id, persona: "analyst", personaDigest: "d1", user: "ann", input: "x")
      store.open(opened, [RunEvent.started(start).entry(of: opened.id, at: opened.startedAt)])
    }
    try await store.keep(decision(1))
    begin("r2", by: decision(2))
    try await store.append([entry("r2", "a")])
    begin("r3", by: decision(3))
    try await end("r3", .failed, in: store)
    // A second run of the same choice leaves the first one's decision as it is.
    begin("r4", by: decision(3))
    try await end("r4", in: store)
    open("r5", in: store)
    try await end("r5", in: store)
    let all = try await store.decisions(from: nil, to: nil, after: 0, limit: 9)
    #expect(all.map(\.id) == ["d1", "d2", "d3"] && all.map(\.run) == [nil, "r2", "r3"])
    #expect(all.map(\.content) == [["chosen": 1], ["chosen": 2], ["chosen": 3]])
    #expect(all.map(\.user) == ["ann", "ann", "ann"])
    #expect(all.map { $0.outcome?.score.isSuccess } == [nil, nil, false])
    #expect(all[2].outcome?.performance.agent == "analyst")
    // In pages, and of some days.
    let first = try await store.decisions(from: nil, to: nil, after: 0, limit: 2)
    let rest = try await store.decisions(
      from: nil, to: nil, after: first.last?.number ?? 0, limit: 2)
    #expect(first + rest == all)
    #expect(
      try await store.decisions(
        from: Timestamp(milliseconds: 2), to: Timestamp(milliseconds: 2), after: 0, limit: 9
      ).map(\.id) == ["d2"])
    #expect(try await store.routedRuns(from: day, to: day).map(\.performance.run) == ["r3"])
    let next = day.advanced(byDays: 1)
    #expect(try await store.routedRuns(from: next, to: next).isEmpty)
  }

  @Test(arguments: StoreKind.allCases)
  func `is evaluated by one process at a time, and again when that one is gone`(
    kind: StoreKind
  ) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    var wanted = facts()
    wanted.evaluations = ["critical", "holistic"]
    for (run, status) in [("r1", RunRecord.Status.done), ("r2", .failed)] {
      open(run, in: store)
      try await end(run, status, in: store, wanted)
    }
    // A run that failed has no answer.
    #expect(try await store.pendingEvaluations().count == 2)
    let first = try await store.takeEvaluations(limit: 1, lease: .seconds(60))
    #expect(first.map(\.name) == ["critical"] && first.map(\.attempts) == [1])
    let second = try await fixture.another("two").takeEvaluations(limit: 9, lease: .seconds(60))
    #expect(second.map(\.name) == ["holistic"])
    #expect(try await store.takeEvaluations(limit: 9, lease: .seconds(60)).isEmpty)
    fixture.time.pass(seconds: 61)
    let again = try await store.takeEvaluations(limit: 9, lease: .seconds(60))
    #expect(again.map(\.name) == ["critical", "holistic"] && again.map(\.attempts) == [2, 2])
    try await store.putBackEvaluation(of: "r1", "critical")
    let back = try await store.takeEvaluations(limit: 9, lease: .seconds(60))
    #expect(back.map(\.name) == ["critical"] && back.map(\.attempts) == [3])
    _ = try await store.judge("r1", peer("critical", 0.5), weights: weights)
    try await store.endEvaluation(of: "r1", "holistic")
    #expect(try await store.pendingEvaluations().isEmpty)
  }

  @Test(arguments: StoreKind.allCases)
  func `is not evaluated where the mock answered`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    var wanted = facts()
    wanted.evaluations = ["judge"]
    open("r1", in: store)
    let key = EffectKey(frame: "f", visit: 1, operatorName: "one", label: "call", occurrence: 1)
    let phases: [EffectEvent.Phase] = [
      .intent(
        EffectIntent(
          attempt: "h1", request: "d", idempotencyKey: nil,
          subject: .model(ModelIntent(provider: "mock", model: "mock")))),
      .result(
        .answer(
          ModelAnswer(
            text: "t", provider: "mock", model: "mock", usage: Usage(input: 1, output: 1),
            cost: .zero, finish: .stop, isMock: true), notices: []), attempt: "h1"),
    ]
    try await store.append(
      phases.map {
        EffectEvent(.model, key, $0).entry(of: "r1", at: Timestamp(milliseconds: 1100))
      })
    try await end("r1", in: store, wanted)
    #expect(try await store.pendingEvaluations().isEmpty)
  }

  @Test(arguments: StoreKind.allCases)
  func `takes the runs in which it was judged with it when it is deleted`(
    kind: StoreKind
  ) async throws {
    let store = Fixture(kind).store
    var wanted = facts()
    wanted.evaluations = ["judge", "critical", "holistic"]
    open("r1", in: store)
    try await end("r1", in: store, wanted)
    let judging = ["judge", "critical", "holistic"].map { Identifier.ofEvaluation($0, of: "r1") }
    #expect(Set(judging).count == 3)
    for run in judging.prefix(2) {
      open(run.text, in: store)
      try await end(run.text, in: store)
    }
    _ = try await store.judge("r1", peer("critical", 0.5), weights: weights)
    // Its process is at work.
    open(judging[2].text, in: store)
    try await store.append([entry(judging[2].text, "a")])
    #expect(try await store.deleteRuns(["r1"]) == ["r1"])
    #expect(try await store.run(judging[0].text) == nil)
    #expect(try await store.run(judging[1].text) == nil)
    #expect(try await store.run(judging[2].text) != nil)
    // What it says is about a text that is gone.
    _ = try await store.judge("r1", peer("holistic", 0.9), weights: weights)
    let left = try await store.evaluations(of: "r1")
    #expect(left.map(\.name) == ["critical", "holistic"] && left.map(\.feedback) == ["", ""])
    #expect(left.map(\.score) == [0.5, 0.9])
  }

  @Test(arguments: StoreKind.allCases)
  func `moves to another kind of task`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    open("r1", in: store)
    try await end("r1", in: store)
    _ = try await store.judge(
      "r1", .kind(category: "tax", complexity: 9, by: "classifier"), weights: weights)
    let rows = try await store.performance(PerformanceQuery(by: [.category]))
    #expect(rows.map(\.keys) == [["tax"]])
    #expect(try await store.performance(of: "r1")?.performance.complexity == 5)
  }

  @Test(arguments: StoreKind.allCases)
  func `goes to the new name of an agent, with all sums`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    for run in ["r1", "r2"] {
      open(run, in: store)
      try await end(run, in: store)
    }
    _ = try await store.judge("r1", .stars(4, comment: "", by: "ada"), weights: weights)
    #expect(try await store.renameAgent("nobody", to: "broker") == 0)
    #expect(try await store.renameAgent("analyst", to: "broker") == 2)
    // Some of the new name are there already.
    open("r3", in: store)
    try await end("r3", in: store)
    #expect(try await store.renameAgent("analyst", to: "broker") == 1)
    let query = PerformanceQuery(by: [.agent, .day])
    let rows = try await store.performance(query)
    #expect(rows.map { $0.keys[0] } == ["broker"] && rows[0].sums[.runs] == 3)
    let nodes = try await store.nodes(of: nil, from: nil, to: nil)
    #expect(nodes.allSatisfy { $0.agent == "broker" })
    _ = try await store.rebuildStatistics(weights: weights)
    #expect(try await store.performance(query) == rows)
    #expect(try await store.nodes(of: nil, from: nil, to: nil) == nodes)
  }

  @Test(arguments: StoreKind.allCases)
  func `tells what judges said where people gave stars`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    for run in ["r1", "r2"] {
      open(run, in: store)
      try await end(run, in: store)
      guard case .evaluation(var said) = peer("critical", 0.5) else { return }
      said.others = ["depth": 0.25]
      _ = try await store.judge(Identifier(run), .evaluation(said), weights: weights)
    }
    _ = try await store.judge("r1", .stars(4, comment: "", by: "ada"), weights: weights)
    _ = try await store.judge("r1", peer("silent", nil), weights: weights)
    #expect(
      try await store.ratedEvaluations() == [
        RatedEvaluation(name: "critical", model: "p:m", score: 0.5, stars: 4)
      ])
    #expect(try await store.evaluations(of: "r2").map(\.others) == [["depth": 0.25]])
  }

  @Test(arguments: StoreKind.allCases)
  func `counts runs under way for their agents`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    open("r1", in: fixture.store)
    open("r2", in: fixture.store)
    try await fixture.store.append([entry("r1", "a"), entry("r2", "a")])
    #expect(try await fixture.store.runsInFlight() == ["analyst": 2])
    try await end("r2", in: fixture.store)
    #expect(try await fixture.store.runsInFlight() == ["analyst": 1])
    fixture.lapse()
    #expect(try await fixture.another("two").runsInFlight() == [:])
  }
}

/// Runs of all kinds, at random.
private struct RandomRuns {
  var numbers: SeededNumbers

  mutating func one(_ number: Int) -> StoredPerformance {
    func pick<Element>(_ all: [Element]) -> Element {
      all[Int(numbers.next() % UInt64(all.count))]
    }
    var run = RunPerformance(
      run: Identifier("i\(number)"), agent: pick(["a", "b", "c"]), user: pick(["ann", nil]),
      category: pick(["code", "chat"]), complexity: 1 + number % 5,
      status: pick([.done, .done, .done, .failed, .cancelled]),
      finish: pick(["stop", "length"]),
      day: LocalDay(year: 2025, month: 11, day: 20).advanced(byDays: Int(numbers.next() % 90)),
      endedAt: Timestamp(milliseconds: Int64(numbers.next() % 1_000_000)))
    run.model = pick(["p:small", "p:large", ""])
    run.isMock = pick([true, false])
    run.inputTokens = Int64(numbers.next() % 5000)
    run.outputTokens = Int64(numbers.next() % 5000)
    run.cost = Money(picoDollars: Int64(numbers.next() % 2_000_000_000_000))
    run.isCostKnown = pick([true, true, false])
    run.milliseconds = Int64(numbers.next() % 300_000)
    run.firstTokenMilliseconds = pick([nil, 400, 1200])
    run.quality = Quality([.accuracy: Double(numbers.next() % 11) / 10])
    run.peers = pick([nil, 0.3, 0.77])
    run.stars = pick([nil, 1, 5])
    run.weights = pick(["standard", "other"])
    for name in ["f", "respond", "respond"] where pick([true, false]) {
      var use = NodeUse(pick([.frame, .operator, .model]), name)
      use.milliseconds = Int64(numbers.next() % 90_000)
      use.tokens = Int64(numbers.next() % 900)
      use.cost = Money(picoDollars: Int64(numbers.next() % 900_000))
      use.error = pick([nil, nil, "timeout"])
      run.nodes.append(use)
    }
    return StoredPerformance(
      performance: run, score: run.score(ScoringWeights(name: run.weights)))
  }
}

@Suite struct `Statistics of runs` {
  @Test(arguments: 1...6)
  func `are the same when they are kept and when they are made anew`(seed: UInt64) async throws {
    let (kept, plain) = (Fixture(.sqlite).store, Fixture(.memory).store)
    var runs = RandomRuns(numbers: SeededNumbers(seed: seed))
    let all = (0..<120).map { runs.one($0) }
    for store in [kept, plain] {
      #expect(try await store.importPerformance(all, weights: weights) == 120)
      #expect(try await store.importPerformance(Array(all.prefix(5)), weights: weights) == 0)
    }
    for _ in 0..<80 {
      let run = Identifier("i\(runs.numbers.next() % 120)")
      let judgement: Judgement =
        switch runs.numbers.next() % 3 {
        case 0: .stars(Int(runs.numbers.next() % 5) + 1, comment: "x", by: "ann")
        case 1: .stars(nil, comment: "", by: "ann")
        default: peer("p\(runs.numbers.next() % 3)", Double(runs.numbers.next() % 101) / 100)
        }
      for store in [kept, plain] {
        #expect(try await store.judge(run, judgement, weights: weights) != nil)
      }
    }
    var queries: [PerformanceQuery] = []
    for keys in [
      [], [.agent], [.agent, .category], [.model], [.weights], [.day], [.agent, .month],
    ]
      as [[PerformanceQuery.Key]]
    {
      queries.append(PerformanceQuery(by: keys))
      queries.append(PerformanceQuery(agent: "a", category: "code", by: keys))
      guard !keys.contains(.month) else { continue }
      for _ in 0..<6 {
        let from = LocalDay(year: 2025, month: 11, day: 1)
          .advanced(byDays: Int(runs.numbers.next() % 120))
        let to = from.advanced(byDays: Int(runs.numbers.next() % 100))
        queries.append(PerformanceQuery(model: "p:small", from: from, to: to, by: keys))
        queries.append(PerformanceQuery(from: from, by: keys))
        queries.append(PerformanceQuery(to: to, by: keys))
      }
    }
    func look(_ store: any RunStore) async throws -> [[PerformanceRow]] {
      var found: [[PerformanceRow]] = []
      for query in queries {
        // When the first and last were is kept by days, and of what has been replaced too.
        found.append(
          try await store.performance(query).map {
            PerformanceRow(keys: $0.keys, sums: $0.sums, firstAt: day0, lastAt: day0)
          })
      }
      return found
    }
    let day0 = Timestamp(milliseconds: 0)
    let expected = try await look(plain)
    #expect(try await look(kept) == expected)
    let nodes = try await plain.nodes(of: nil, from: nil, to: nil)
    #expect(try await kept.nodes(of: nil, from: nil, to: nil) == nodes)
    let from = LocalDay(year: 2025, month: 12, day: 3)
    let some = try await plain.nodes(of: "b", from: from, to: nil)
    #expect(try await kept.nodes(of: "b", from: from, to: nil) == some)
    #expect(try await kept.rebuildStatistics(weights: weights) == 120)
    #expect(try await look(kept) == expected)
    #expect(try await kept.nodes(of: nil, from: nil, to: nil) == nodes)
    let (one, other) = (
      try await kept.records(of: "a", limit: 99), try await plain.records(of: "a", limit: 99)
    )
    #expect(one.map(\.performance) == other.map(\.performance))
    #expect(one.map(\.score.overall) == other.map(\.score.overall))
    #expect(one.map(\.score.reward.points) == other.map(\.score.reward.points))
  }
}

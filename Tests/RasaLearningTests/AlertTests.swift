import RasaCore
import Testing

@testable import RasaLearning

@Suite("Alerts") struct AlertTests {
  /// Runs with scores that lie around a value, of which every so-many-th fails.
  private func sums(
    _ count: Int, score: Double? = nil, cost: Double = 0.01, seconds: Double = 2, failing: Int = 0
  ) -> PerformanceSums {
    var sums = PerformanceSums()
    for number in 0..<count {
      let isFailed = failing > 0 && number % failing == 0
      var run = RunPerformance(
        run: Identifier("r\(number)"), agent: "a", user: nil, category: "code", complexity: 2,
        status: isFailed ? .failed : .done, finish: "stop",
        day: LocalDay(year: 2026, month: 1, day: 1), endedAt: Timestamp(milliseconds: 0))
      let spread = [-0.1, 0, 0.1][number % 3]
      run.milliseconds = Int64(seconds * (1 + spread) * 1000)
      run.cost = Money(picoDollars: Int64(cost * (1 + spread) * 1e12))
      if let score { run.quality = Quality([.accuracy: score + spread]) }
      sums = sums + PerformanceSums(run, run.score(ScoringWeights()))
    }
    return sums
  }

  private func kinds(_ before: PerformanceSums, _ after: PerformanceSums) -> [String] {
    alerts([PerformanceChange(agent: "a", .agent(before: before, after: after))])
      .map(\.kind.rawValue).sorted()
  }

  @Test("a score that fell is reported with what it was and what it rests on")
  func score() throws {
    let found = alerts([
      PerformanceChange(
        agent: "a", .agent(before: sums(40, score: 0.8), after: sums(20, score: 0.6)))
    ])
    let alert = try #require(found.first { $0.kind == .score })
    #expect(alert.before.fixed(2) == "0.84" && alert.after.fixed(2) == "0.68")
    #expect(alert.runsBefore == 40 && alert.runsAfter == 20 && alert.p < 0.001)
  }

  @Test("what became better, changed little, or rests on little is no alert")
  func quiet() {
    #expect(kinds(sums(40, score: 0.6), sums(20, score: 0.8)) == [])
    #expect(kinds(sums(400, score: 0.80), sums(400, score: 0.77)) == [])
    #expect(kinds(sums(40, score: 0.8), sums(4, score: 0.3)) == [])
    #expect(kinds(sums(40), sums(0)) == [])
  }

  @Test("costs, times and failures that rose are reported")
  func others() {
    #expect(kinds(sums(40, cost: 0.01), sums(20, cost: 0.02)) == ["cost"])
    #expect(kinds(sums(40, seconds: 2), sums(20, seconds: 3)) == ["time"])
    #expect(kinds(sums(60), sums(60, failing: 3)).contains("success"))
  }

  @Test("a slow and a failing node are named")
  func nodes() {
    func uses(_ count: Int, seconds: Double, failing: Int = 0) -> NodeSums {
      var sums = NodeSums()
      for number in 0..<count {
        var use = NodeUse(.tool, "search")
        use.milliseconds = Int64(seconds * 1000) + Int64(number % 3) * 100
        use.error = failing > 0 && number % failing == 0 ? "timeout" : nil
        sums.add(use)
      }
      return sums
    }
    let key = NodeKey(.tool, "search")
    let found = alerts([
      PerformanceChange(
        agent: "a",
        .node(key, before: uses(50, seconds: 1), after: uses(50, seconds: 2, failing: 2)))
    ])
    #expect(Set(found.map(\.kind)) == [.nodeTime, .nodeFailures])
    #expect(found.allSatisfy { $0.subject == "tool search" })
  }

  @Test("of a hundred agents with nothing but chance hardly any is reported")
  func chance() {
    var numbers = SystemNumbers(state: 7)
    let changes = (0..<100).map { number in
      func random(_ count: Int) -> PerformanceSums {
        var sums = PerformanceSums()
        for index in 0..<count {
          var run = RunPerformance(
            run: Identifier("r\(number)-\(index)"), agent: "a", user: nil, category: "code",
            complexity: 2, status: numbers.next() % 5 == 0 ? .failed : .done, finish: "stop",
            day: LocalDay(year: 2026, month: 1, day: 1), endedAt: Timestamp(milliseconds: 0))
          run.milliseconds = Int64(numbers.next() % 4000)
          run.cost = Money(picoDollars: Int64(numbers.next() % 20_000_000_000))
          run.quality = Quality([.accuracy: Double(numbers.next() % 1000) / 1000])
          sums = sums + PerformanceSums(run, run.score(ScoringWeights()))
        }
        return sums
      }
      return PerformanceChange(agent: "a\(number)", .agent(before: random(40), after: random(20)))
    }
    #expect(alerts(changes).count <= 2)
  }
}

/// Numbers that look random, the same in every run (Marsaglia's xorshift).
private struct SystemNumbers {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state >> 11
  }
}

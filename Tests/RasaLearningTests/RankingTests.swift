import RasaCore
import RasaTestKit
import Testing

@testable import RasaLearning

private func sums(
  done: Int, failed: Int = 0, score: Double? = nil, cost: String = "0.01", seconds: Double = 2,
  spread: Double = 0
) -> PerformanceSums {
  var sums = PerformanceSums()
  for number in 0..<(done + failed) {
    var run = RunPerformance(
      run: Identifier("r\(number)"), agent: "a", user: nil, category: "code", complexity: 2,
      status: number < done ? .done : .failed, finish: "stop",
      day: LocalDay(year: 2026, month: 1, day: 1), endedAt: Timestamp(milliseconds: 0))
    run.milliseconds = Int64(seconds * 1000)
    run.cost = Money(decimal: cost) ?? .zero
    if let score {
      run.quality = Quality([.accuracy: score + (number % 2 == 0 ? spread : -spread)])
    }
    sums = sums + PerformanceSums(run, run.score(ScoringWeights()))
  }
  return sums
}

@Suite("Ranks") struct RankingTests {
  private func ranked(
    _ all: [(String, PerformanceSums)], by measure: RankMeasure = .score
  ) -> [Standing] {
    standings(all.map { (agent: $0.0, sums: $0.1) }, by: measure, recent: [:], before: [:])
  }

  @Test("the better mean score stands first, whoever has more runs")
  func order() {
    let found = ranked([
      ("many", sums(done: 300, score: 0.6)), ("good", sums(done: 20, score: 0.9)),
    ])
    #expect(found.map(\.agent) == ["good", "many"] && found.map(\.rank) == [1, 2])
  }

  @Test("three runs have no rank, however good they are")
  func few() {
    let found = ranked([("new", sums(done: 3, score: 1)), ("old", sums(done: 300, score: 0.7))])
    #expect(found.map(\.agent) == ["old", "new"] && found.map(\.rank) == [1, nil])
  }

  @Test("figures that leave open which is better say so")
  func open() {
    let found = ranked([
      ("a", sums(done: 6, score: 0.75, spread: 0.2)), ("b", sums(done: 6, score: 0.7, spread: 0.2)),
      ("c", sums(done: 40, score: 0.2, spread: 0.02)),
    ])
    #expect(found.map(\.agent) == ["a", "b", "c"])
    #expect(found.map(\.ranks) == [1...2, 1...2, 3...3])
  }

  @Test("a failed run has a score of nothing, whether or not anybody judges the others")
  func failures() {
    #expect(sums(done: 5, failed: 5, score: 0.8).meanScore?.fixed(2) == "0.42")
    #expect(sums(done: 5, failed: 5).meanScore == nil)
    #expect(sums(done: 5, failed: 5).successRate == 0.5)
  }

  @Test("less is better for cost and time")
  func less() {
    let all = [
      ("dear", sums(done: 9, cost: "0.5", seconds: 1)),
      ("cheap", sums(done: 9, cost: "0.001", seconds: 9)),
    ]
    #expect(ranked(all, by: .cost).map(\.agent) == ["cheap", "dear"])
    #expect(ranked(all, by: .speed).map(\.agent) == ["dear", "cheap"])
    #expect(ranked(all, by: .cost).first?.estimate?.value == 0.001)
  }

  @Test("equal figures go by runs, then by the cost of a point, then by name")
  func ties() {
    let found = ranked([
      ("z", sums(done: 9, score: 0.8)), ("y", sums(done: 9, score: 0.8, cost: "0.001")),
      ("x", sums(done: 30, score: 0.8)),
    ])
    #expect(found.map(\.agent) == ["x", "y", "z"])
  }

  @Test("a trend takes enough runs in both weeks")
  func trends() {
    func trend(_ recent: PerformanceSums, _ before: PerformanceSums) -> Standing.Trend? {
      standings(
        [(agent: "a", sums: recent + before)], by: .score, recent: ["a": recent],
        before: ["a": before]
      ).first?.trend
    }
    #expect(trend(sums(done: 9, score: 0.9), sums(done: 9, score: 0.7)) == .better)
    #expect(trend(sums(done: 9, score: 0.5), sums(done: 9, score: 0.7)) == .worse)
    #expect(trend(sums(done: 9, score: 0.71), sums(done: 9, score: 0.7)) == .steady)
    #expect(trend(sums(done: 2, score: 0.9), sums(done: 9, score: 0.7)) == .unknown)
  }
}

@Suite("Kinds of tasks") struct ObjectiveTests {
  private let classifier = ObjectiveClassifier([
    ("tax", ["tax*", "pay off", "naïve"]), ("code", ["bug", "script*"]), ("say", ["你好"]),
  ])

  @Test(
    "are recognised by words, beginnings of words, and words beside each other",
    arguments: [
      ("Are my TAXES due?", "tax"), ("syntax", "unknown"), ("It will pay, off and on", "tax"),
      ("debugging", "unknown"), ("a bug in two scripts", "code"), ("", "unknown"),
      ("我说你好吗", "say"), ("a naïve idea", "tax"), ("pay", "unknown"), ("…", "unknown"),
    ])
  func words(task: String, category: String) {
    #expect(classifier.classify(task).category == category)
  }

  @Test("what the task says first counts more than what is pasted below it")
  func place() {
    let pasted = String(repeating: "lorem ipsum ", count: 200) + "bug script bug"
    #expect(classifier.classify("tax return: " + pasted).category == "tax")
  }

  @Test("the words that say so are named, each once")
  func signs() {
    #expect(classifier.classify("bug, bug and Script").signs == ["bug", "script"])
  }

  @Test("a long text that ends within a letter is no trap")
  func cut() {
    for length in 8_180...8_200 {
      _ = classifier.classify(String(repeating: "x", count: length) + "éé你好")
    }
  }
}

@Suite("Intervals of rounded numbers") struct RoundedSumTests {
  /// Sums over runs whose times and costs lie around a mean, by about as much as their spread.
  private func sums(
    _ count: Int, seconds: Double, dollars: Double, spread: Double, _ numbers: inout SeededNumbers
  ) -> PerformanceSums {
    var sums = PerformanceSums()
    for number in 0..<count {
      // Uniform, so that the mean is what it is meant to be.
      let factor = 1 + spread * (Double(numbers.upTo(2_000_001)) / 1_000_000 - 1)
      var run = RunPerformance(
        run: Identifier("r\(number)"), agent: "a", user: nil, category: "code", complexity: 2,
        status: .done, finish: "stop", day: LocalDay(year: 2026, month: 1, day: 1),
        endedAt: Timestamp(milliseconds: 0))
      run.milliseconds = Int64((seconds * factor * 1000).rounded())
      run.cost = Money(picoDollars: Int64(dollars * factor * 1e12))
      sums = sums + PerformanceSums(run, run.score(ScoringWeights()))
    }
    return sums
  }

  @Test(
    "cover the mean, however small the numbers and however close together",
    arguments: [
      (30, 5.0, 0.002, 0.15), (10, 20, 0.000_03, 0.5), (200, 0.06, 0.000_3, 0.8),
      (50, 90, 0.05, 0.02), (6, 1, 0.000_2, 0.3),
    ])
  func coverage(count: Int, seconds: Double, dollars: Double, spread: Double) throws {
    var numbers = SeededNumbers(seed: 7)
    var (times, costs) = (0, 0)
    for _ in 0..<400 {
      let sums = sums(count, seconds: seconds, dollars: dollars, spread: spread, &numbers)
      let time = try #require(sums.estimate(.speed)?.interval)
      let cost = try #require(sums.estimate(.cost)?.interval)
      times += time.low <= seconds && seconds <= time.high ? 1 : 0
      costs += cost.low <= dollars && dollars <= cost.high ? 1 : 0
    }
    // 95 % of 400, less three standard errors.
    #expect(times >= 367, "\(times)")
    #expect(costs >= 367, "\(costs)")
  }
}

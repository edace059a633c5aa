import RasaCore
import RasaTestKit
import Testing

@testable import RasaLearning

private func set(
  _ name: String, accuracy: Double = 0.35, relevance: Double = 0.25, completeness: Double = 0.25,
  clarity: Double = 0.15, efficiency: Double = 0.2
) -> ScoringWeights {
  var weights = ScoringWeights(name: name)
  weights.quality.accuracy = accuracy
  weights.quality.relevance = relevance
  weights.quality.completeness = completeness
  weights.quality.clarity = clarity
  weights.quality.efficiency = efficiency
  return weights
}

private func run(
  _ id: String, _ quality: [Quality.Criterion: Double] = [:], stars: Int? = nil,
  status: RunPerformance.Status = .done
) -> RunPerformance {
  var run = RunPerformance(
    run: Identifier(id), agent: "a", user: nil, category: "code", complexity: 2, status: status,
    finish: "stop", day: LocalDay(year: 2026, month: 1, day: 1),
    endedAt: Timestamp(milliseconds: 0))
  run.milliseconds = 1000
  run.quality = Quality(quality)
  run.stars = stars
  return run
}

@Suite("Which set of weights a run has") struct WeightAssignmentTests {
  @Test(
    "each set has its share of the runs, and the standard one the rest",
    arguments: [
      [0.5], [0.1, 0.2], [1.0], [0.0, 0.7], [0.25, 0.25, 0.5], [],
    ])
  func shares(shares: [Double]) {
    let assignment = WeightAssignment(
      shares.enumerated().map { (weights: set("s\($0)"), share: $1) })
    var counts: [String: Int] = [:]
    var numbers = SeededNumbers(seed: 16)
    let count = 20_000
    for _ in 0..<count {
      let id = Identifier("r" + String(numbers.next(), radix: 36))
      let name = assignment.weights(for: id).name
      #expect(assignment.weights(for: id).name == name)
      counts[name, default: 0] += 1
    }
    for (index, share) in shares.enumerated() {
      // Four standard errors.
      let reach = 4 * (share * (1 - share) / Double(count)).squareRoot()
      let found = Double(counts["s\(index)"] ?? 0) / Double(count)
      #expect((found - share).magnitude <= reach)
    }
    let rest = 1 - shares.reduce(0, +)
    #expect((Double(counts["standard"] ?? 0) / Double(count) - rest).magnitude <= 0.015)
  }

  @Test("IDs that differ little have nothing to do with each other")
  func neighbours() {
    let assignment = WeightAssignment([(weights: set("half"), share: 0.5)])
    let names = (0..<2_000).map { assignment.weights(for: Identifier("r\($0)")).name }
    #expect((900...1_100).contains(names.count { $0 == "half" }))
    let changes = zip(names, names.dropFirst()).count { $0 != $1 }
    #expect((900...1_100).contains(changes))
  }

  @Test("a set that there is no more counts like the standard one, under its own name")
  func gone() {
    #expect(WeightAssignment([])["old"] == ScoringWeights(name: "old"))
  }
}

@Suite("Sets of weights on the same runs") struct WeightComparisonTests {
  private let accurate = set("accurate", accuracy: 1, relevance: 0, completeness: 0, clarity: 0)

  @Test("runs are scored with each set, and compared one by one")
  func paired() throws {
    var comparison = WeightComparison([
      set("standard", efficiency: 0),
      set("b", accuracy: 1, relevance: 0, completeness: 0, clarity: 0, efficiency: 0),
    ])
    comparison.add(run("r1", [.accuracy: 1, .relevance: 0.5, .completeness: 0.5, .clarity: 0.5]))
    comparison.add(run("r2", [.accuracy: 0.5, .relevance: 0.5, .completeness: 0.5, .clarity: 0.5]))
    // Nobody has judged it, it failed, it was cancelled: it has no score that weights could change.
    comparison.add(run("r3"))
    comparison.add(run("r4", [.accuracy: 1], status: .failed))
    comparison.add(run("r5", [.accuracy: 1], status: .cancelled))
    let (first, second) = (comparison.result(0), comparison.result(1))
    #expect(first.score?.count == 2 && first.difference == nil)
    // .35 + .65 × .5, and .5.
    #expect(first.score?.value.fixed(4) == "0.5875")
    #expect(second.score?.value.fixed(4) == "0.7500")
    #expect(second.difference?.value.fixed(4) == "0.1625")
    let interval = try #require(second.difference?.interval)
    #expect(interval.low < 0.1625 && interval.high > 0.1625)
  }

  @Test("the set that agrees better with people's stars is found, and nothing is said of too few")
  func stars() throws {
    var comparison = WeightComparison([ScoringWeights(), accurate])
    var numbers = SeededNumbers(seed: 3)
    for number in 0..<60 {
      if number == 19 { #expect(comparison.result(1).agreement == nil) }
      let stars = 1 + numbers.upTo(5)
      // Accuracy follows the stars; the rest is chance.
      let chance = { Double(numbers.upTo(101)) / 100 }
      comparison.add(
        run(
          "r\(number)",
          [
            .accuracy: Double(stars) / 5, .relevance: chance(), .completeness: chance(),
            .clarity: chance(),
          ], stars: stars))
    }
    #expect(comparison.starredRuns == 60)
    let (first, second) = (comparison.result(0), comparison.result(1))
    let (standard, own) = (try #require(first.agreement), try #require(second.agreement))
    #expect(own > 0.99 && standard < 0.9 && first.probability == nil)
    #expect(try #require(second.probability) < 0.001)
  }

  @Test("a score that was made of stars says nothing about agreement")
  func circular() {
    var comparison = WeightComparison([ScoringWeights(), accurate])
    for number in 0..<50 { comparison.add(run("r\(number)", stars: 1 + number % 5)) }
    #expect(comparison.result(0).score?.count == 50)
    #expect(comparison.starredRuns == 0 && comparison.result(1).agreement == nil)
  }

  @Test("the same set twice differs in nothing")
  func same() {
    var comparison = WeightComparison([ScoringWeights(), set("copy")])
    for number in 0..<40 {
      comparison.add(run("r\(number)", [.accuracy: Double(number) / 40], stars: 1 + number % 5))
    }
    let copy = comparison.result(1)
    #expect(copy.difference?.value == 0 && copy.probability == 1)
  }
}

@Suite("Rank correlation") struct RankCorrelationTests {
  @Test(
    "of lists that are known",
    arguments: [
      ([1.0, 2, 3, 4, 5], [2.0, 4, 6, 8, 100], "1.0000"), ([1, 2, 3], [3, 2, 1], "-1.0000"),
      // Σd² = 8: 1 − 6·8 ÷ (5·24).
      ([1, 2, 3, 4, 5], [3, 1, 2, 5, 4], "0.6000"),
      // Ties share their ranks: (1.5, 1.5, 3, 4) against (1, 2, 3.5, 3.5).
      ([1, 1, 2, 3], [1, 2, 3, 3], "0.8889"),
    ])
  func known(first: [Double], second: [Double], expected: String) {
    #expect(rankCorrelation(first, second)?.fixed(4) == expected)
  }

  @Test("is missing where nothing rises or falls")
  func missing() {
    #expect(rankCorrelation([1, 1, 1], [1, 2, 3]) == nil && rankCorrelation([1], [1]) == nil)
    #expect(rankCorrelation([], []) == nil && rankCorrelation([1, 2], [1]) == nil)
  }

  @Test("Williams's test")
  func williams() throws {
    // The R package psych has the same: r.test(103, .4, .5, .1) is t = −.89, p = .37.
    let p = try #require(probability(ofCorrelations: 0.4, 0.5, between: 0.1, count: 103))
    #expect((p - 0.37).magnitude < 0.006, "\(p)")
    #expect(probability(ofCorrelations: 0.5, 0.5, between: 0.3, count: 50) == 1)
    #expect(probability(ofCorrelations: 0.4, 0.5, between: 0.1, count: 3) == nil)
    #expect(try #require(probability(ofCorrelations: 1, 0.2, between: 0.2, count: 50)) < 0.001)
  }
}

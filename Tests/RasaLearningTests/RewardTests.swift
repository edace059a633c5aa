import RasaCore
import Testing

@testable import RasaLearning

@Suite("Scores and rewards of a run") struct RewardTests {
  @Test("the score weighs accuracy, relevance, completeness, clarity and efficiency")
  func overall() {
    let weights = QualityWeights()
    let quality = Quality([.accuracy: 1, .relevance: 0.8, .completeness: 0.6, .clarity: 0.4])
    let mean = quality.mean(weights) ?? 0
    #expect(mean.fixed(4) == "0.7600")
    #expect(weights.overall(quality: mean, efficiency: 0.5).fixed(4) == "0.7080")
  }

  @Test("what nobody has judged is missing, and nothing is made of it")
  func missing() {
    #expect(Quality().mean(QualityWeights()) == nil)
    #expect(
      Quality([.accuracy: 0.9, .clarity: .nan, .relevance: 1.5]).mean(QualityWeights()) == 0.9)
    #expect(
      Quality.mean(of: [Quality([.accuracy: 1]), Quality([.accuracy: 0.5, .clarity: 1])])
        == Quality([.accuracy: 0.75, .clarity: 1]))
  }

  @Test(
    "efficiency is 10,000 by tokens and seconds, at most 1",
    arguments: [
      (1_000, 10.0, 1.0), (2_000, 10, 0.5), (10_000, 100, 0.01), (0, 5, 1), (500, 0, 1),
      (-3, 10, 1), (1_000, -1, 1),
    ] as [(Int64, Double, Double)])
  func efficiency(tokens: Int64, seconds: Double, score: Double) {
    #expect(efficiencyScore(tokens: tokens, seconds: seconds) == score)
  }

  private func money(_ text: String) -> Money { Money(decimal: text) ?? .zero }

  @Test("a completed run earns for completion, quality, speed, efficiency, stars and peers")
  func rewards() {
    let reward = RewardWeights().reward(
      for: Reward.Facts(
        isCompleted: true, hasFailed: false, overall: 0.9, efficiency: 0.5, seconds: 20,
        cost: money("0.02"), stars: 4, peers: 0.8))
    #expect(
      reward.terms.map(\.kind) == [
        .completion, .quality, .speed, .efficiency, .satisfaction, .peers,
      ])
    // 10 + 45 + 10 + 15 + 32 + 20
    #expect(reward.points == 132)
  }

  @Test("a failed run earns nothing for completion, and loses for failure, cost, time and stars")
  func penalties() {
    let reward = RewardWeights().reward(
      for: Reward.Facts(
        isCompleted: false, hasFailed: true, overall: 0, efficiency: 0.1, seconds: 185,
        cost: money("0.57"), stars: 1))
    #expect(reward.terms.map(\.points) == [8, -30, -7, -6, -30])
    #expect(reward.points == -65)
  }

  @Test("no time and no cost are no trap")
  func zero() {
    let reward = RewardWeights().reward(
      for: Reward.Facts(isCompleted: true, hasFailed: false, seconds: 0, cost: .zero))
    #expect(reward.points == 30)
  }
}

@Suite("Wilson's interval") struct IntervalTests {
  @Test(
    "agrees with published figures",
    arguments: [
      (0, 10, "0.000", "0.278"), (5, 10, "0.237", "0.763"), (10, 10, "0.722", "1.000"),
      (81, 263, "0.255", "0.366"), (0, 0, "0.000", "1.000"),
    ])
  func wilson(successes: Int, count: Int, low: String, high: String) {
    let interval = Interval.wilson(successes: successes, of: count)
    #expect(interval.low.fixed(3) == low)
    #expect(interval.high.fixed(3) == high)
  }
}

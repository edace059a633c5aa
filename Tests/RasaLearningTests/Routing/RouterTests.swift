import RasaCore
import RasaTestKit
import Testing

@testable import RasaLearning

@Suite struct RouterTests {
  private func probabilities(_ beliefs: [(Double, Double, Double, Double)]) -> [Double] {
    BestArm.probabilities(
      beliefs.map {
        BelievedValue(
          rate: BetaDistribution(alpha: $0.0, beta: $0.1), weight: $0.2, penalty: $0.3)
      })
  }

  @Test func `the probability of being the best is that of numerical integration`() {
    // By adaptive quadrature.
    let cases: [([(Double, Double, Double, Double)], [Double])] = [
      ([(2, 1, 1, 0), (1, 2, 1, 0)], [5.0 / 6, 1.0 / 6]),
      ([(1, 1, 1, 0), (1, 1, 1, 0), (1, 1, 1, 0)], [1.0 / 3, 1.0 / 3, 1.0 / 3]),
      ([(8, 3, 1, 0), (5, 6, 1, 0)], [0.91510, 0.08490]),
      (
        [(8, 3, 1, 0), (5, 6, 1, 0), (2, 2, 0.9, 0.02), (40, 20, 1, 0.05)],
        [0.71748, 0.04340, 0.08052, 0.15860]
      ),
      ([(800, 200, 1, 0), (4, 1, 1, 0)], [0.41021, 0.58979]),
      ([(30, 10, 0.8, 0), (20, 20, 1, 0.01), (1, 1, 1, 0.1)], [0.61932, 0.08671, 0.29397]),
    ]
    for (beliefs, expected) in cases {
      for (one, other) in zip(probabilities(beliefs), expected) {
        #expect((one - other).magnitude < 0.004, "\(one) \(other) of \(beliefs)")
      }
    }
  }

  @Test func `probabilities of any beliefs sum up to one`() {
    var numbers = SeededNumbers(seed: 7)
    for _ in 0..<300 {
      let count = 1 + numbers.upTo(40)
      let beliefs = (0..<count).map { _ in
        (
          Double(1 + numbers.upTo(5000)) / Double(1 + numbers.upTo(5000)),
          Double(1 + numbers.upTo(100_000)) / Double(1 + numbers.upTo(100)),
          Double(numbers.upTo(11)) / 10, Double(numbers.upTo(100)) / 50
        )
      }
      let found = probabilities(beliefs)
      #expect(found.allSatisfy { (0...1).contains($0) })
      #expect((found.reduce(0, +) - 1).magnitude < 1e-9)
    }
    #expect(probabilities([]) == [])
    #expect(probabilities([(0, 0, 0, 0)]) == [1])
    #expect(probabilities([(.infinity, 1, 1, 0), (1, 1, 1, 0)]).allSatisfy { $0.isFinite })
  }

  // MARK: Decisions

  private func tally(_ succeeded: Int, of runs: Int, cost: Double? = nil, seconds: Double? = nil)
    -> RoutingTally
  {
    var tally = RoutingTally()
    for run in 0..<runs {
      tally.add(RoutingOutcome(succeeded: run < succeeded, cost: cost, seconds: seconds))
    }
    return tally
  }

  private func decide(
    _ arms: [RoutingArm], _ policy: RoutingPolicy = RoutingPolicy(), maxCost: Double? = nil,
    maxSeconds: Double? = nil, seed: UInt64 = 1
  ) -> RoutingDecision {
    Router(policy).decide(
      RoutingTask(
        text: "t", category: "code", maxCost: maxCost, maxSeconds: maxSeconds, seed: seed),
      among: arms, at: Timestamp(milliseconds: 0))
  }

  private func arm(
    _ name: String, _ runs: RoutingTally = RoutingTally(), relevance: Double? = 80,
    load: Double = 0, price: Double? = 0.01
  ) -> RoutingArm {
    RoutingArm(
      agent: name, model: "m", relevance: relevance, load: load, price: price, inCategory: runs,
      overall: runs)
  }

  @Test func `the plain rule multiplies relevance, success and what is free`() {
    let arms = [
      arm("a", tally(9, of: 10), relevance: 60), arm("b", tally(6, of: 10), relevance: 90),
      arm("c", tally(10, of: 10), relevance: 90, load: 0.5),
    ]
    let scores = decide(arms, .plain).assessments.map(\.score)
    for (score, expected) in zip(scores, [0.6 * 0.9, 0.9 * 0.6, 0.9 * 0.5]) {
      #expect((score - expected).magnitude < 1e-9)
    }
    #expect(decide(arms, .plain).chosen == 0)
  }

  @Test func `without exploration a rate is trusted from five runs on`() {
    var policy = RoutingPolicy()
    policy.explores = false
    let four = decide([arm("a", tally(0, of: 4))], policy).assessments[0]
    let none = decide([arm("a")], policy).assessments[0]
    let five = decide([arm("a", tally(0, of: 5))], policy).assessments[0]
    #expect(four.success.mean == none.success.mean && !four.isTrusted)
    #expect(five.success.mean < none.success.mean && five.isTrusted)
  }

  @Test func `what is too expensive, too slow, unpriced or busy is not chosen, and says why`() {
    let decision = decide(
      [
        arm("dear", tally(9, of: 9, cost: 1)), arm("slow", tally(9, of: 9, seconds: 90)),
        arm("unpriced", price: nil), arm("busy", load: 1), arm("fine"),
      ], maxCost: 0.1, maxSeconds: 30)
    #expect(decision.chosen == 4)
    #expect(decision.assessments.map(\.probability) == [0, 0, 0, 0, 1])
    let reasons = decision.assessments.map { $0.exclusion?.text ?? "" }
    #expect(reasons[0].contains("more than $0.1000"))
    #expect(reasons[1].contains("more than 30.0 s"))
    #expect(reasons[2] == "its cost is unknown" && reasons[3].contains("places"))
    #expect(decision.order.first == 4)
    #expect(decide([arm("busy", load: 1)]).chosen == nil)
    #expect(decide([]).chosen == nil)
  }

  @Test func `each arm has a chance, and choices come as often as their probability says`() {
    let arms = [arm("good", tally(90, of: 100)), arm("fair", tally(80, of: 100)), arm("new")]
    let probabilities = decide(arms).assessments.map(\.probability)
    #expect(probabilities.allSatisfy { $0 >= 0.02 / 3 })
    var counts = [0, 0, 0]
    for seed in 0..<4000 as Range<UInt64> { counts[decide(arms, seed: seed).chosen ?? 0] += 1 }
    for (count, probability) in zip(counts, probabilities) {
      #expect((Double(count) / 4000 - probability).magnitude < 0.03)
    }
    #expect(decide(arms, seed: 5) == decide(arms, seed: 5))
  }

  @Test func `runs of other categories count as a few of this one`() {
    var other = arm("a", RoutingTally())
    other.overall = tally(100, of: 100)
    let known = decide([other]).assessments[0].success
    #expect(known.alpha + known.beta == RoutingPolicy().pooling)
    #expect(known.mean > 0.95)
  }

  @Test
  func `while nothing is known, what fits best is chosen, and the others have a small chance`() {
    let arms = [
      arm("cheap", relevance: 85, price: 0), arm("fit", relevance: 95, price: 0.2),
      arm("fit too", relevance: 95, price: 0.001),
    ]
    let decision = decide(arms)
    #expect(decision.assessments[1].probability > 0.98)
    #expect((decision.assessments.map(\.probability).reduce(0, +) - 1).magnitude < 1e-12)
    #expect(decision.assessments.allSatisfy { $0.probability > 0 })
    var settled = RoutingPolicy()
    settled.explores = false
    #expect(decide(arms, settled).assessments.map(\.probability) == [0, 1, 0])
    // One that is at work already is a worse choice than it would be else.
    #expect(
      decide([arm("fit", relevance: 95, load: 0.5), arm("free", relevance: 80)], settled).chosen
        == 1)
    // From the first run on there is something to weigh.
    let known = decide([arm("fit", tally(0, of: 3), relevance: 95), arm("other", relevance: 90)])
    #expect(known.assessments[1].probability > 0.5)
  }

  // MARK: Policies

  @Test func `a policy is read from a mapping`() throws {
    let policy = try RoutingPolicy(["explores": false, "worth": 0.5, "trusted_from": 3])
    #expect(!policy.explores && policy.worth == 0.5 && policy.trustedFrom == 3)
    #expect(policy.floor == RoutingPolicy().floor)
    #expect(try RoutingPolicy(policy.value) == policy)
    #expect(policy.digest != RoutingPolicy().digest)
  }

  @Test(
    arguments: [
      (["wroth": 1], "did you mean `worth`?"), (["floor": 2], "write a number from 0 to 1"),
      (["explores": "perhaps"], "write true or false"), (["worth": 0], "is worth"),
      ([1], "mapping"),
    ] as [(Value, String)])
  func `a wrong policy says what to write`(value: Value, expected: String) {
    #expect {
      try RoutingPolicy(value)
    } throws: { "\($0)".contains(expected) }
  }
}

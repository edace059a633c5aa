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
}

import RasaLearning
import Testing

@Suite("Trials before and after a change")
struct PairedComparisonTests {
  private func pairs(_ onlyBefore: Int, _ onlyAfter: Int, both: Int = 0) -> PairedComparison {
    var pairs = PairedComparison()
    for _ in 0..<onlyBefore { pairs.add(before: true, after: false) }
    for _ in 0..<onlyAfter { pairs.add(before: false, after: true) }
    for _ in 0..<both { pairs.add(before: true, after: true) }
    return pairs
  }

  @Test(
    "McNemar's exact test is the two-sided binomial test of the changed pairs",
    arguments: [
      (0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (0, 6, 0.03125),
      (3, 3, 1.0), (1, 9, 0.021484375), (2, 8, 0.109375),
    ])
  func probability(_ before: Int, _ after: Int, _ expected: Double) {
    #expect(abs(pairs(before, after).probability - expected) < 1e-12)
  }

  @Test("a thousand changed pairs are no trouble")
  func many() {
    #expect(pairs(1000, 0).probability < 1e-200)
    #expect(abs(pairs(500, 500).probability - 1) < 1e-9)
  }

  @Test("the interval has the difference in it, is symmetric, and holds for no pairs at all")
  func interval() {
    let worse = pairs(8, 2, both: 10)
    #expect(abs(worse.difference + 0.3) < 1e-12)
    #expect(worse.interval.low < -0.3 && worse.interval.high > -0.3)
    let better = pairs(2, 8, both: 10)
    #expect(abs(better.interval.high + worse.interval.low) < 1e-12)
    #expect(pairs(0, 0).interval.low < 0 && pairs(0, 0).interval.high > 0)
  }
}

import RasaLearning
import Testing

/// Expected figures are those of R and SciPy.
@Suite struct StatisticsTests {
  private func isClose(_ left: Double, _ right: Double, _ tolerance: Double = 1e-9) -> Bool {
    (left - right).magnitude <= tolerance
  }

  @Test(arguments: [
    (0.5, 2.0, 3.0, 0.6875), (0.1, 0.5, 0.5, 0.2048327646991335), (0.9, 10.0, 2.0, 0.6973568802),
    (0.3, 300.0, 700.0, 0.5036711828607681),
  ])
  func `the incomplete beta function`(x: Double, a: Double, b: Double, expected: Double) {
    #expect(isClose(regularizedIncompleteBeta(x, a, b), expected, 1e-11))
    #expect(isClose(regularizedIncompleteBeta(1 - x, b, a), 1 - expected, 1e-11))
  }

  @Test func `the incomplete beta function of whole numbers is a binomial sum`() {
    // I(x; a, b) is the probability of at least a successes among a + b − 1.
    let x = 0.37
    let failures = 0.63
    let four = 15 * x * x * x * x * failures * failures
    let five = 6 * x * x * x * x * x * failures
    let six = x * x * x * x * x * x
    #expect(isClose(regularizedIncompleteBeta(x, 4, 3), four + five + six, 1e-13))
  }

  @Test func `a beta distribution's density belongs to its cumulative probability`() {
    for beta in [
      BetaDistribution(alpha: 1, beta: 1), BetaDistribution(alpha: 8.5, beta: 2.25),
      BetaDistribution(alpha: 400, beta: 90),
    ] {
      for rate in [0.2, 0.5, 0.8] {
        let step = 1e-5
        let slope = (beta.cumulative(rate + step) - beta.cumulative(rate - step)) / (2 * step)
        #expect(isClose(slope, beta.density(rate), 1e-4 * max(1, beta.density(rate))))
      }
      for probability in [0.025, 0.5, 0.975] {
        #expect(isClose(beta.cumulative(beta.quantile(probability)), probability, 1e-9))
      }
    }
    #expect(isClose(BetaDistribution(alpha: 3, beta: 1).mean, 0.75))
    #expect(isClose(BetaDistribution(alpha: 3, beta: 1).variance, 0.0375))
  }

  @Test(arguments: [
    (1.0, 12.706204736), (2.0, 4.302652730), (10.0, 2.228138852), (30.0, 2.042272456),
    (1000.0, 1.962339081),
  ])
  func `Student's critical values`(degrees: Double, expected: Double) {
    let distribution = StudentT(degreesOfFreedom: degrees)
    #expect(isClose(distribution.criticalValue(twoSided: 0.05), expected, 1e-8))
    #expect(isClose(distribution.twoSided(-expected), 0.05, 1e-9))
  }

  @Test func `a mean with its interval`() throws {
    let sample = Sample([2, 4, 4, 4, 5, 5, 7, 9])
    #expect(sample.mean == 5)
    #expect(isClose(try #require(sample.variance), 32.0 / 7))
    let interval = try #require(sample.interval)
    #expect(isClose(interval.low, 3.2125122, 1e-6))
    #expect(isClose(interval.high, 6.7874878, 1e-6))
    let fromSums = Sample(count: 8, sum: 40, sumOfSquares: 232)
    #expect(isClose(fromSums.squares, sample.squares))
    #expect(Sample([1]).interval == nil)
    #expect(Sample().mean == 0)
  }

  @Test func `Welch's test`() throws {
    let first = Sample([
      27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4,
    ])
    let second = Sample([
      27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 24.4,
    ])
    let comparison = try #require(MeanComparison(first, second))
    #expect(comparison.isSignificant)
    #expect(isClose(comparison.p, 0.008071938172194903, 1e-9))
    #expect(isClose(comparison.interval.low, 0.7986439248746979, 1e-8))
    #expect(isClose(comparison.interval.high, 4.868022741791966, 1e-8))
    #expect(try #require(MeanComparison(first, first)).p == 1)
  }

  @Test func `means without spread differ or do not`() throws {
    #expect(try #require(MeanComparison(Sample([1, 1]), Sample([1, 1]))).p == 1)
    #expect(try #require(MeanComparison(Sample([1, 1]), Sample([2, 2]))).p == 0)
    #expect(MeanComparison(Sample([1]), Sample([2, 2])) == nil)
  }

  @Test func `small rates are compared exactly`() throws {
    // Fisher's lady: three of four against one of four.
    let tea = try #require(RateComparison(successes: 1, of: 4, and: 3, of: 4))
    #expect(isClose(tea.p, 34.0 / 70, 1e-9))
    let other = try #require(RateComparison(successes: 8, of: 10, and: 1, of: 6))
    #expect(isClose(other.p, 0.034965034965, 1e-9))
    #expect(other.isSignificant)
  }

  @Test func `large rates are compared by the normal distribution`() throws {
    // Newcombe's example: 56 of 70 and 48 of 80, a difference of .2 from .0524 to .3339.
    let comparison = try #require(RateComparison(successes: 48, of: 80, and: 56, of: 70))
    #expect(isClose(comparison.difference, 0.2))
    #expect(isClose(comparison.interval.low, 0.0524, 1e-4))
    #expect(isClose(comparison.interval.high, 0.3339, 1e-4))
    #expect(isClose(comparison.p, 0.00804508136819658, 1e-9))
    #expect(RateComparison(successes: 3, of: 2, and: 0, of: 1) == nil)
    #expect(RateComparison(successes: 0, of: 0, and: 0, of: 1) == nil)
    #expect(try #require(RateComparison(successes: 0, of: 9, and: 0, of: 9)).p == 1)
  }
}

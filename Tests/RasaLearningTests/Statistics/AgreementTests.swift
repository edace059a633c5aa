import RasaLearning
import Testing

@Suite struct `How far a judge agrees with people` {
  @Test func `is not said of few runs`() {
    let few = Agreement((1...9).map { (Double($0) / 9, $0 % 5 + 1) })
    #expect(few.runs == 9 && few.correlation == nil && few.interval == nil && few.bias == nil)
  }

  @Test func `is a correlation with its interval, and a bias`() throws {
    let pairs = [1, 2, 3, 4, 5, 1, 2, 3, 4, 5].map { (score: Double($0) / 5 - 0.1, stars: $0) }
    let same = Agreement(pairs)
    #expect(try #require(same.correlation) > 0.999_999)
    #expect(abs(try #require(same.bias) + 0.1) < 1e-9)
    #expect(try #require(same.interval).low > 0.999)
    let turned = Agreement(pairs.map { ($0.score, 6 - $0.stars) })
    #expect(try #require(turned.correlation) < -0.999_999)
  }

  @Test func `has the figures of a worked example`() throws {
    let scores = [0.2, 0.8, 0.5, 0.5, 0.2, 0.8, 0.5, 0.5, 0.2, 0.8]
    let stars = [1, 5, 3, 3, 2, 4, 2, 4, 3, 3]
    let found = Agreement(Array(zip(scores, stars)).map { (score: $0.0, stars: $0.1) })
    let correlation = try #require(found.correlation)
    let interval = try #require(found.interval)
    // Calculated apart.
    #expect(abs(correlation - 0.700_140) < 1e-5, "\(correlation)")
    #expect(abs(interval.low - 0.126_104) < 1e-4 && abs(interval.high - 0.922_919) < 1e-4)
  }

  @Test func `is not said of somebody who always says the same`() {
    let found = Agreement((0..<20).map { (0.7, $0 % 5 + 1) })
    #expect(found.correlation == nil && found.interval == nil && found.bias != nil)
  }
}

import RasaCore
import RasaPersona
import Testing

@testable import RasaAgents

/// The example that the persona system's own document prints:
///
/// ```
/// Task: "Design a REST API for user management"
/// Requirements: [api, design, rest, user-management]
/// api-design-agent [api, design, rest, api-design]          30 (exact matches)      Score: 85
/// arch-agent       [architecture, design, system-design]     5 (partial match)      Score: 45
/// code-agent       [code, implementation]                    0 (no match)
/// ```
///
/// The points are its formula's, but for `arch-agent`: it has the capability `design` to the letter,
/// which is an exact match, 10 and not 5. The scores are not. With the formula as printed (points, and
/// 40 more at most for profile, cost and availability) 85 cannot be reached: 30 + 40 is 70. They are
/// reached when points are taken as a share of what the four requirements could give: 30 of 40 is 75,
/// and 10 of 40 is 25; then 10 and 20 are left for the other three terms, of which the document says
/// nothing. Here they are shares too, but of the requirements that some agent knows: none of the three
/// mentions user management, so it lowers no score.
@Suite("The printed example")
struct SeedExampleTests {
  private let task = "Design a REST API for user management"
  private let agents = registry(
    agent("api-design-agent", ["api", "design", "rest", "api-design"], profile: .balanced),
    agent("arch-agent", ["architecture", "design", "system-design"], profile: .thinking),
    agent("code-agent", ["code", "implementation"]))

  private var recommender: Recommender {
    var recommender = Recommender.plain
    recommender.estimatedCost = { agent in
      switch agent.id {
      case "api-design-agent": Money(decimal: "0.05")
      case "arch-agent": Money(decimal: "0.15")
      default: nil
      }
    }
    return recommender
  }

  @Test func givesTheSamePointsAndOrder() throws {
    let found = recommender.all(task, among: agents)
    #expect(found.requirements == ["design", "rest", "api"])
    #expect(found.agents.map(\.agent) == ["api-design-agent", "arch-agent"])
    #expect(
      found.agents[0].matchLines == ["design: exact design", "rest: exact rest", "api: exact api"])
    #expect(found.agents[1].matchLines == ["design: exact design"])
    #expect(recommender.one("code-agent", for: task, among: agents) == nil)
  }

  @Test func itsScoresAreSharesOfFourRequirements() throws {
    let knowing = registry(agents.entries.map(\.agent) + [agent("user-agent", ["user-management"])])
    let found = recommender.all("design, REST, API, management", among: knowing).agents
    let share = Dictionary(uniqueKeysWithValues: found.map { ($0.agent, $0.skills) })
    #expect(share["api-design-agent"] == 75)
    #expect(share["arch-agent"] == 25)
    #expect(share["code-agent"] == nil)
  }

  @Test func itsOtherTermsAreTheseHere() throws {
    let found = recommender.all(task, among: agents).agents
    #expect(found.map(\.skills.tenths) == [100, 33.3])
    // “Design” suggests the thinking profile. Each term is scaled by how well the agent fits.
    func whole(_ term: (Recommendation) -> Recommendation.Term) -> [Double] {
      found.map { (100 * term($0).value / $0.capability.value).tenths }
    }
    #expect(whole(\.profile) == [12, 20])
    #expect(whole(\.cost) == [3.3, 2.1])
    #expect(whole(\.availability) == [5, 5])
    // One of five words is covered, too few for a recommendation for the whole task.
    #expect(found.map(\.verdict) == [.recommended, .not])
  }
}

extension Double {
  fileprivate var tenths: Double { (self * 10).rounded() / 10 }
}

import RasaCore
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaAgents

@Suite("Properties of every ranking")
struct RankingPropertyTests {
  /// Agents and a task made of few words, so that they overlap.
  private struct Case {
    var agents: [Agent] = []
    var task: String
    var recommender: Recommender
    private static let words = [
      "design", "api", "code", "review", "test", "data", "report", "mail", "plan", "cost", "risk",
      "größe", "設計", "frontEnd", "sql_query", "unit-test", "",
    ]

    init(_ chance: inout SeededNumbers) {
      func phrase(_ most: Int) -> String {
        (0..<chance.upTo(most + 1)).map { _ in Self.words[chance.upTo(Self.words.count)] }
          .joined(separator: chance.happens(oneIn: 3) ? "-" : " ")
      }
      for index in 0..<(1 + chance.upTo(12)) {
        var agent = Agent(id: "agent-\(index)", name: phrase(2), description: phrase(6))
        agent.capabilities = (0..<chance.upTo(4)).map { _ in phrase(3) }
        agent.exampleQueries = (0..<chance.upTo(3)).map { _ in phrase(5) }
        agent.profile = PerformanceProfile.allCases.randomElement(using: &chance)
        agents.append(agent)
      }
      task = phrase(9)
      recommender = Recommender(related: RelatedTerms(["code, test", "mail: report, plan"]))
      let seed = chance.next()
      recommender.estimatedCost = { agent in
        let number = TermHash.wide(agent.id.utf8) ^ seed
        return number % 3 == 0 ? nil : Money(picoDollars: Int64(number % 5_000_000_000_000))
      }
      recommender.availability = { agent in
        [.available, .unknown, .unavailable][Int((TermHash.wide(agent.id.utf8) ^ seed) % 3)]
      }
    }
  }

  private func forEachCase(_ count: Int = 400, _ body: (Case, inout SeededNumbers) throws -> Void)
    rethrows
  {
    for seed in 0..<UInt64(count) {
      var chance = SeededNumbers(seed: seed)
      try body(Case(&chance), &chance)
    }
  }

  @Test func everyTermIsWithinItsBounds() {
    forEachCase { sample, _ in
      for it in sample.recommender.all(sample.task, among: registry(sample.agents)).agents {
        for term in [it.capability, it.profile, it.cost, it.availability] {
          #expect((0...term.most).contains(term.value))
        }
        #expect(it.capability.most + it.profile.most + it.cost.most + it.availability.most == 140)
        #expect((0...100).contains(it.relevance))
        #expect(it.verdict == .not || it.score >= 30)
        #expect(it.verdict != .recommended || it.score >= 50)
        #expect(it.verdict == .not || it.capability.value > 0)
        #expect((0...100).contains(it.skills))
      }
    }
  }

  @Test func theMatchesAddUpToTheShareOfSkills() {
    forEachCase { sample, _ in
      let found = sample.recommender.all(sample.task, among: registry(sample.agents))
      for it in found.agents where !found.requirements.isEmpty {
        let points = it.matches.reduce(0) { $0 + $1.kind.points }
        let share = 100 * points / Double(10 * found.requirements.count)
        #expect(abs(share - it.skills) < 1e-9)
      }
    }
  }

  @Test func theOrderDoesNotDependOnHowAgentsAreGiven() {
    forEachCase { sample, chance in
      let found = sample.recommender.all(sample.task, among: registry(sample.agents))
      let shuffled = sample.recommender.all(
        sample.task, among: registry(sample.agents.shuffled(using: &chance)))
      #expect(found == shuffled)
      for (one, next) in zip(found.agents, found.agents.dropFirst()) {
        #expect(one.score > next.score || (one.score == next.score && one.agent < next.agent))
      }
    }
  }

  /// Also where it is only the prompt that has the words of the task.
  @Test func noRecommendedAgentStandsBehindOneThatIsNot() {
    forEachCase { sample, chance in
      var entries = sample.agents.map {
        AgentRegistry.Entry(agent: $0, relevance: AgentTerms.note($0, prompt: ""))
      }
      let prompt = String(repeating: sample.task + " ", count: 1 + chance.upTo(3))
      let quiet = agent("quiet", [])
      entries.append(.init(agent: quiet, relevance: AgentTerms.note(quiet, prompt: prompt)))
      let found = sample.recommender.all(sample.task, among: AgentRegistry(entries)).agents
      let order: [Recommendation.Verdict] = [.recommended, .acceptable, .not]
      let places = found.compactMap { order.firstIndex(of: $0.verdict) }
      #expect(places == places.sorted())
      for one in found { #expect((one.score >= 30) == (one.verdict != .not)) }
    }
  }

  @Test func theFirstFewAreTheFirstOfAll() {
    forEachCase { sample, chance in
      let all = sample.recommender.all(sample.task, among: registry(sample.agents))
      let limit = 1 + chance.upTo(4)
      let few = sample.recommender.recommend(
        .init(task: sample.task, limit: limit, includesUnfit: true), among: registry(sample.agents))
      #expect(few.agents == Array(all.agents.prefix(limit)))
    }
  }

  @Test func anotherAgentChangesSkillsOnlyByTheWordsThatItKnows() {
    forEachCase { sample, _ in
      let before = sample.recommender.all(sample.task, among: registry(sample.agents))
      let stranger = agent("zz-stranger", ["zymurgy"], description: "Brews in the cellar.")
      let after = sample.recommender.all(
        sample.task, among: registry(sample.agents + [stranger]))
      func skills(_ found: Recommendations) -> [String: Double] {
        Dictionary(uniqueKeysWithValues: found.agents.map { ($0.agent, $0.skills) })
      }
      #expect(skills(before) == skills(after))
      #expect(before.requirements == after.requirements)
    }
  }

  @Test func priceIsAskedOfFewWhereFewAreWanted() {
    let asked = Locked(0)
    var recommender = Recommender.plain
    recommender.estimatedCost = { _ in
      asked.withLock { $0 += 1 }
      return nil
    }
    let agents = (0..<2_000).map { agent("agent-\($0)", [$0 < 5 ? "api-design" : "api"]) }
    let found = recommender.recommend(.init(task: "api design", limit: 3), among: registry(agents))
    #expect(found.agents.count == 3)
    #expect(asked.withLock { $0 } < 50)
  }
}

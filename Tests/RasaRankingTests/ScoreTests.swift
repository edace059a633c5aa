import RasaCore
import RasaPersona
import Testing

@testable import RasaRanking

@Suite("The score of an agent for a task")
struct ScoreTests {
  private func capability(_ task: String, _ capabilities: [String]) -> Double? {
    Recommender.plain.one("it", for: task, among: registry(agent("it", capabilities)))?.capability
      .value
  }

  @Test(
    arguments: [
      ("design", ["design"], 100),
      ("Designing!", ["DESIGN"], 100),
      ("code", ["code-generation"], 50),
      ("generate code", ["code-generation"], 200.0 / 3),
      ("system design", ["system_design"], 200.0 / 3),
      ("system design", ["systemDesign"], 200.0 / 3),
      ("system design", ["system-design", "system", "design"], 100),
      ("frontend", ["front-end"], 100),
      ("front end", ["frontend"], 100),
      ("code nobodyKnowsThis", ["code"], 100),
      ("review of the code", ["code-review"], 200.0 / 3),
      ("design or build", ["design", "test"], 100),
    ] as [(String, [String], Double)])
  func countsExactAndPartialMatches(task: String, capabilities: [String], expected: Double) throws {
    let value = try #require(capability(task, capabilities))
    #expect(abs(value - expected) < 1e-9, "\(value)")
  }

  @Test func aRelatedWordCountsTwoOfTen() throws {
    let recommender = Recommender(related: RelatedTerms(["bug, defect"]))
    let agents = registry(
      agent("fixer", ["defect-tracking"]), agent("namer", [], description: "Names bugs."))
    let fixer = try #require(recommender.one("fixer", for: "bug", among: agents))
    #expect(fixer.capability.value == 20)
    #expect(fixer.matchLines == ["bug: related defect-tracking"])
    let namer = try #require(recommender.one("namer", for: "bug", among: agents))
    #expect(namer.matchLines == ["bug: related its description"])
    #expect(namer.verdict == .not, "what is only described is no capability")
  }

  @Test func whatNobodyKnowsCanStillBeRelated() throws {
    let recommender = Recommender(related: RelatedTerms(["bug, defect"]))
    let found = recommender.all("bug", among: registry(agent("fixer", ["defect"])))
    #expect(found.requirements == ["bug"])
    #expect(found.agents.first?.capability.value == 20)
  }

  @Test func everyRequirementIsExplained() throws {
    let agents = registry(
      agent("writer", ["code", "unit-testing"], name: "Quick Writer", description: "Checks style."))
    let found = Recommender.plain.all("quick code tests with style", among: agents)
    #expect(found.requirements == ["quick", "code", "tests", "style"])
    #expect(
      found.agents.first?.matchLines == [
        "quick: related its name", "code: exact code", "tests: partial unit-testing",
        "style: related its description",
      ])
    #expect(found.agents.first?.capability.reason == "19 of 40 points")
  }

  @Test(arguments: [
    (PerformanceProfile.speed, 20.0), (.balanced, 12), (.thinking, 5), (.expert, 0),
  ])
  func theProfileCountsByItsDistance(profile: PerformanceProfile, expected: Double) {
    let agents = registry(agent("it", ["code"], profile: profile))
    let found = Recommender.plain.recommend(
      .init(task: "code", profile: .speed, includesUnfit: true), among: agents)
    #expect(found.agents.first?.profile.value == expected)
  }

  @Test(arguments: [
    ("rename a file quickly", PerformanceProfile.speed), ("write a letter", .balanced),
    ("design a system", .thinking), ("a thorough and quick analysis", .expert),
    ("", .balanced), (String(repeating: "and more words ", count: 30), .thinking),
  ])
  func theTaskSaysWhichProfileItWants(task: String, expected: PerformanceProfile) {
    #expect(TaskComplexity(of: task).profile == expected)
  }

  @Test(arguments: [
    ("0", 10.0), ("0.0000001", 10), ("0.0001", 10), ("0.001", 7.5), ("0.01", 5), ("0.1", 2.5),
    ("1", 0), ("1000", 0),
  ])
  func whatCostsLessScoresMore(dollars: String, expected: Double) {
    let term = CostEfficiency.term(of: agent("it"), cost: Money(decimal: dollars))
    #expect(abs(term.value - expected) < 1e-6)
  }

  @Test func anUnknownPriceCountsNeitherWayAndSaysSo() {
    var it = agent("it")
    it.models.primary = ModelReference(engine: "openai", model: "new-one")
    let term = CostEfficiency.term(of: it, cost: nil)
    #expect(term.value == 5)
    #expect(term.reason == "no price is known for openai:new-one, which counts neither way")
  }

  @Test(arguments: [
    (Recommendation.Availability.available, 10.0), (.unknown, 5), (.unavailable, 0),
  ])
  func availabilityCounts(state: Recommendation.Availability, expected: Double) {
    var recommender = Recommender.plain
    recommender.availability = { _ in state }
    let found = recommender.all("code", among: registry(agent("it", ["code"])))
    #expect(found.agents.first?.availability.value == expected)
  }

  @Test func fiftyIsRecommendedAndThirtyAcceptable() {
    // 12 or 20 for the profile, 5 for the unknown cost, 5 for the unknown availability.
    let agents = registry(
      agent("most", ["alpha", "beta"]), agent("some", ["alpha-one", "gamma"]),
      agent("none", [], description: "alpha beta gamma delta"), agent("little", ["delta"]))
    let found = Recommender.plain.all("alpha, beta, gamma, delta", among: agents)
    let verdicts = Dictionary(uniqueKeysWithValues: found.agents.map { ($0.agent, $0.verdict) })
    #expect(verdicts["most"] == .recommended)
    #expect(verdicts["some"] == .recommended)
    #expect(verdicts["none"] == .not)
    let thin = registry(
      agent("most", ["a1", "a2", "a3", "a4", "a5"]), agent("thin", ["a1"], profile: .expert))
    let acceptable = Recommender.plain.one("thin", for: "a1, a2, a3, a4, a5", among: thin)
    #expect(acceptable?.verdict == .acceptable, "\(acceptable?.score ?? 0)")
  }

  @Test func withoutACapabilityNothingIsAcceptable() {
    let agents = registry(
      agent("words", [], name: "code review design", description: "code review design"))
    let found = Recommender.plain.recommend(.init(task: "code review design"), among: agents)
    #expect(found.isEmpty)
    #expect(
      Recommender.plain.one("words", for: "code review design", among: agents)?.verdict == .not)
  }

  @Test func whatCostsTooMuchIsLeftOutAndCounted() {
    var recommender = Recommender.plain
    recommender.estimatedCost = { agent in
      agent.id == "dear" ? .dollar : agent.id == "cheap" ? Money(decimal: "0.01") : nil
    }
    let agents = registry(
      agent("cheap", ["code"]), agent("dear", ["code"]), agent("unknown", ["code"]))
    let found = recommender.recommend(
      .init(task: "code", maxCost: Money(decimal: "0.01")), among: agents)
    #expect(found.agents.map(\.agent) == ["cheap"])
    #expect(found.tooExpensive == 1)
    #expect(found.unpriced == 1)
    #expect(recommender.all("code", among: agents).agents.count == 3)
  }

  @Test func partnersAreThoseThatThereAre() {
    var first = agent("first", ["code"])
    first.worksWellWith = ["second", "missing"]
    let found = Recommender.plain.all("code", among: registry(first, agent("second", ["review"])))
    #expect(found.agents.first?.partners == ["second"])
  }

  @Test func workflowsTellWhichOfTwoIsMeant() {
    var one = agent("aa", ["planning"])
    var two = agent("bb", ["planning"])
    one.typicalWorkflows = ["Wedding"]
    two.typicalWorkflows = ["Move of an office"]
    let found = Recommender.plain.all("planning the office move", among: registry(one, two))
    #expect(found.agents.map(\.agent) == ["bb", "aa"])
  }
}

import RasaCore
import RasaPersona
import Testing

@testable import RasaAgents

@Suite("The score of an agent for a task")
struct ScoreTests {
  private func skills(_ task: String, _ capabilities: [String]) -> Double? {
    Recommender.plain.one("it", for: task, among: registry(agent("it", capabilities)))?.skills
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
    let value = try #require(skills(task, capabilities))
    #expect(abs(value - expected) < 1e-9, "\(value)")
  }

  @Test func aRelatedWordCountsTwoOfTen() throws {
    let recommender = Recommender(related: RelatedTerms(["bug, defect"]))
    let agents = registry(agent("fixer", ["defect-tracking"]))
    let fixer = try #require(recommender.one("fixer", for: "bug", among: agents))
    #expect(fixer.skills == 20)
    #expect(fixer.matchLines == ["bug: related defect-tracking"])
  }

  @Test func describedSkillsDoNotCountBesideDeclaredOnes() throws {
    let agents = registry(agent("namer", ["naming"], description: "Names bugs."))
    let namer = try #require(Recommender.plain.one("namer", for: "bug", among: agents))
    #expect(namer.matchLines == ["bug: related its description"])
    #expect(namer.skills == 20)
  }

  @Test func unknownWordsCanStillBeRelated() throws {
    let recommender = Recommender(related: RelatedTerms(["bug, defect"]))
    let found = recommender.all("bug", among: registry(agent("fixer", ["defect"])))
    #expect(found.requirements == ["bug"])
    #expect(found.agents.first?.skills == 20)
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
    #expect(
      found.agents.first?.capability.reason.hasSuffix("its skills score 19 of 40 points") == true)
  }

  @Test(arguments: [
    (PerformanceProfile.speed, 20.0), (.balanced, 12), (.thinking, 5), (.expert, 0),
  ])
  func theProfileCountsByItsDistance(profile: PerformanceProfile, expected: Double) {
    let agents = registry(agent("it", ["code"], profile: profile))
    let found = Recommender.plain.recommend(
      .init(task: "code", profile: .speed, includesUnfit: true), among: agents)
    let first = found.agents.first
    #expect(
      abs((first?.profile.value ?? 0) - expected * (first?.capability.value ?? 0) / 100) < 1e-9)
  }

  @Test(arguments: [
    ("rename a file quickly", PerformanceProfile.speed), ("write a letter", .balanced),
    ("design a system", .thinking), ("a thorough and quick analysis", .expert),
    ("", .balanced), (String(repeating: "and more words ", count: 30), .thinking),
  ])
  func theProfileIsDerivedFromTheTask(task: String, expected: PerformanceProfile) {
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

  @Test func anUnknownPriceIsNeutralAndSaysSo() {
    var it = agent("it")
    it.models.primary = ModelReference(engine: "openai", model: "new-one")
    let term = CostEfficiency.term(of: it, cost: nil)
    #expect(term.value == 5)
    #expect(
      term.reason
        == "the price of openai:new-one is unknown, which counts neither for nor against it")
  }

  @Test(arguments: [
    (Recommendation.Availability.available, 10.0), (.unknown, 5), (.unavailable, 0),
  ])
  func availabilityCounts(state: Recommendation.Availability, expected: Double) {
    var recommender = Recommender.plain
    recommender.availability = { _ in state }
    let found = recommender.all("code", among: registry(agent("it", ["code"])))
    let first = found.agents.first
    #expect(
      abs((first?.availability.value ?? 0) - expected * (first?.capability.value ?? 0) / 100) < 1e-9
    )
  }

  @Test func fiftyIsRecommendedAndThirtyAcceptable() {
    let agents = registry(
      agent("most", ["alpha", "beta", "gamma", "delta"]), agent("some", ["alpha", "beta"]),
      agent("little", ["delta"]), agent("none", ["epsilon"]))
    let found = Recommender.plain.all("alpha, beta, gamma, delta", among: agents)
    for it in found.agents {
      let expected: Recommendation.Verdict =
        it.score >= 50 ? .recommended : it.score >= 30 ? .acceptable : .not
      #expect(it.verdict == expected, "\(it.agent)")
    }
    #expect(found.agents.map(\.agent) == ["most", "some", "little"])
    #expect(Set(found.agents.map(\.verdict)).count > 1)
  }

  @Test func wordsOnlyInThePromptMakeNoAgentAcceptable() {
    let it = agent("it", ["zymurgy"])
    let agents = AgentRegistry([
      .init(agent: it, relevance: AgentTerms.note(it, prompt: "code review design code review"))
    ])
    let found = Recommender.plain.recommend(.init(task: "code review design"), among: agents)
    #expect(found.isEmpty)
    #expect(found.nearest.map(\.agent) == ["it"])
  }

  @Test(
    arguments: [
      ("by its id", agent("code-reviewer"), ""),
      ("by its name", agent("cr", name: "Code Reviewer"), ""),
      ("by its description", agent("cr", description: "Reviews code."), ""),
      ("by its examples", agent("cr", examples: ["Review this code"]), ""),
      ("by a heading", agent("cr"), "You help.\n\n## Code Review\n\nBe kind."),
    ] as [(String, Agent, String)])
  func skillsAreReadWhereNoneAreDeclared(how: String, it: Agent, prompt: String) {
    let others = (0..<9).map { agent("other-\($0)", ["topic-\($0)"]) }
    let entries = others.map { ($0, "") } + [(it, prompt)]
    let agents = AgentRegistry(
      entries.map { .init(agent: $0.0, relevance: AgentTerms.note($0.0, prompt: $0.1)) })
    let found = Recommender.plain.recommend(.init(task: "code review"), among: agents)
    let first = found.agents.first ?? found.nearest.first
    #expect(first?.agent == it.id, "\(how)")
    #expect((first?.skills ?? 0) >= 50, "\(how)")
    #expect(first?.matches.contains { $0.kind != .related } == true, "\(how)")
  }

  @Test func genericHeadingsAndFencesAreNotSkills() {
    let it = agent("agent")
    let prompt = """
      # Role
      ## Output Format
      ```
      # kubernetes
      ```
      ## Core Expertise: Threat Modeling
      ## How you should go about each and every one of the many long tasks that come your way today
      """
    #expect(
      AgentTerms.derivedSkills(in: AgentTerms.note(it, prompt: prompt)) == ["threat-modeling"])
    #expect(
      AgentTerms.derivedSkills(in: AgentTerms.note(agent("it", ["code"]), prompt: prompt)).isEmpty)
  }

  /// Files of a collection without metadata do not displace an agent that has it.
  @Test func agentsThatStateTheirPurposeComeFirst() {
    let wall = (0..<100).map { agent("review-\($0)") }
    let shipped = agent(
      "code-reviewer", ["code-review"], description: "Reviews a diff and says what must change.")
    let found = Recommender.plain.recommend(
      .init(task: "Review this diff"), among: registry(wall + [shipped]))
    #expect(found.agents.first?.agent == "code-reviewer")
  }

  @Test func fewAgentsThatAllKnowTheWordFitAllTheSame() {
    let agents = registry(agent("one", ["code-review"]), agent("two", ["code-review"]))
    let found = Recommender.plain.recommend(.init(task: "code review"), among: agents)
    #expect(found.agents.map(\.agent) == ["one", "two"])
  }

  @Test func whatDoesNotFitGainsNothingByBeingCheap() {
    var recommender = Recommender.plain
    recommender.estimatedCost = { $0.id == "cheap" ? .zero : .dollar }
    recommender.availability = { $0.id == "cheap" ? .available : .unavailable }
    let agents = registry(
      agent("fit", ["database-migration", "schema-design"]), agent("cheap", ["design"]),
      agent("other", ["poetry"]))
    let found = recommender.all("plan the database migration and schema design", among: agents)
    #expect(found.agents.map(\.agent) == ["fit", "cheap"])
    #expect((found.agents.last?.cost.value ?? 10) < 10)
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

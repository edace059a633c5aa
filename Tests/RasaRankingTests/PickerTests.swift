import RasaCore
import RasaPersona
import Testing

@testable import RasaRanking

@Suite("The agent that is picked")
struct PickerTests {
  private let picker = AgentPicker(.plain)
  private let agents = registry(
    agent("api-design-agent", ["api", "rest", "api-design"]), agent("writer", ["writing"]))

  @Test func isTheBestAndSaysWhy() throws {
    let pick = try picker.pick(.init(task: "Design a REST API"), among: agents)
    #expect(pick.agent.id == "api-design-agent")
    #expect(pick.sentence == "api-design-agent fits best (score 105: api-design, rest, api)")
  }

  @Test(arguments: ["", "   ", "sing a song", "the of and"])
  func isNoneWhereNoneFits(task: String) {
    let failure = #expect(throws: Failure.self) {
      try picker.pick(.init(task: task), among: agents)
    }
    #expect(failure?.kind == .configuration)
    #expect(failure?.message == "no agent fits this task")
    #expect(failure?.mend.contains("--agent") == true)
  }

  @Test func theFailureTellsOfTheCost() {
    let failure = #expect(throws: Failure.self) {
      try picker.pick(.init(task: "writing", maxCost: .zero), among: agents)
    }
    #expect(failure?.message == "no agent fits this task at that cost")
    #expect(failure?.mend.hasPrefix("raise --max-cost") == true)
  }

  @Test func withoutAgentsThereIsNoChoice() {
    let failure = #expect(throws: Failure.self) {
      try picker.pick(.init(task: "writing"), among: registry())
    }
    #expect(failure?.message == "there is no agent to choose from")
  }
}

@Suite("Agents near to a task by their vectors")
struct NearnessTests {
  private let agents = [agent("coder", ["code"]), agent("mailer", ["mail"])]

  @Test func countAsRelated() {
    let near = Nearness.find([1, 0, 0.1], among: ["coder": [1, 0, 0.1], "mailer": [0, 1, 0.1]])
    let found = Recommender.plain.recommend(
      .init(task: "Quelltext prüfen", nearness: near), among: registry(agents))
    #expect(found.agents.map(\.agent) == ["coder"])
    #expect(found.agents.first?.capability.value == 20)
    #expect(found.agents.first?.capability.reason == "related (1.00 near)")
  }

  @Test func countForRequirementsThatTheWordsDoNotMeet() {
    let found = Recommender.plain.recommend(
      .init(task: "code, mail", nearness: ["coder": 0.9]), among: registry(agents))
    let coder = found.agents.first { $0.agent == "coder" }
    #expect(coder?.capability.value == 60)
    #expect(coder?.matchLines == ["code: exact code", "mail: related the agent as a whole"])
    #expect(coder?.matches.map(\.kindText) == ["exact", "related (0.90 near)"])
    #expect(found.agents.first { $0.agent == "mailer" }?.capability.value == 50)
  }

  /// What is usual for a model cannot be told from a few; of many, those count that stand out.
  @Test(
    arguments: [
      ([0.1, 0.54, 0.56, 0.9], [0.56, 0.9]), ([0.7, 0.71, 0.72], [0.7, 0.71, 0.72]),
      (Array(repeating: 0.7, count: 40) + [0.75, 0.9], [0.9]),
      (Array(repeating: 0.02, count: 40) + [0.19], []),
      (Array(repeating: 0.05, count: 40) + [0.4], [0.4]),
    ] as [([Double], [Double])])
  func standOut(cosines: [Double], expected: [Double]) {
    let threshold = Nearness.threshold(of: cosines)
    #expect(cosines.filter { $0 >= threshold } == expected)
  }

  @Test(
    arguments: [
      ([1, 0], [1, 0], 1.0), ([1, 0], [0, 1], 0), ([1, 0], [-1, 0], -1), ([2, 2], [0.5, 0.5], 1),
      ([0, 0], [1, 0], nil), ([1], [1, 0], nil), ([], [], nil), ([.nan, 1], [1, 1], nil),
      ([.infinity, 1], [1, 1], nil),
    ] as [([Float], [Float], Double?)])
  func cosines(left: [Float], right: [Float], expected: Double?) {
    let cosine = Nearness.cosine(left, right)
    if let expected {
      #expect(abs((cosine ?? .nan) - expected) < 1e-6)
    } else {
      #expect(cosine == nil)
    }
  }

  @Test func nothingIsNearToNothing() {
    #expect(Nearness.find([], among: ["coder": [1]]).isEmpty)
    #expect(Nearness.find([1], among: [:]).isEmpty)
    #expect(Nearness.find([1, 0], among: ["coder": [1], "mailer": [0, 0]]).isEmpty)
  }
}

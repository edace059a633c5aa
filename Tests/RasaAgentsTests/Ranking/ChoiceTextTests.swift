import RasaCore
import RasaPersona
import Testing

@testable import RasaAgents

@Suite("What is said of a choice")
struct ChoiceTextTests {
  private let agents = registry(
    agent("api-design-agent", ["api", "rest", "api-design"]), agent("writer", ["writing"]))

  private func failure(_ task: String, among agents: AgentRegistry) -> Failure? {
    let found = Recommender.plain.recommend(.init(task: task), among: agents)
    return found.isEmpty ? found.failure : nil
  }

  @Test func namesWhatSpeaksForTheBest() throws {
    let found = Recommender.plain.recommend(.init(task: "Design a REST API"), among: agents).agents
    let sentence = try #require(found.first).choice(over: Array(found.dropFirst()))
    #expect(sentence.hasPrefix("chose api-design-agent ("))
    #expect(sentence.hasSuffix("), no other agent fits: api-design, rest, api"))
  }

  @Test func namesTheAgentsItIsChosenOver() throws {
    let several = registry(
      agent("code-reviewer", ["code-review"], description: "Reviews code."),
      agent("security-reviewer", ["security-review"], description: "Reviews code for holes."),
      agent("writer", ["writing"]))
    let found = Recommender.plain.recommend(.init(task: "review my code"), among: several).agents
    #expect(found.map(\.agent) == ["code-reviewer", "security-reviewer"])
    let sentence = found[0].choice(over: [found[1]])
    #expect(
      sentence.hasPrefix(
        "chose code-reviewer (\(found[0].shownScore)) over security-reviewer "
          + "(\(found[1].shownScore)): "), "\(sentence)")
  }

  @Test func theFailureNamesTheNearest() {
    let failure = failure(
      "writing off a debt that a tenant in Brno owes us since spring", among: agents)
    #expect(failure?.details.first?.hasPrefix("closest, but below 30: writer (") == true)
  }

  @Test(arguments: ["", "   ", "sing a song", "the of and"])
  func isNoneWhereNoneFits(task: String) {
    let failure = failure(task, among: agents)
    #expect(failure?.kind == .configuration)
    #expect(failure?.message == "no agent fits this task")
    #expect(failure?.suggestion.contains("--agent") == true)
  }

  @Test func withoutAgentsThereIsNoChoice() {
    #expect(
      failure("writing", among: registry())?.message == "there is no agent to choose from")
  }
}

@Suite("Agents near to a task by their vectors")
struct NearnessTests {
  private let agents = [agent("coder", ["code"]), agent("mailer", ["mail"])]

  @Test func countAsRelated() {
    let near = VectorSimilarity.find(
      [1, 0, 0.1], among: ["coder": [1, 0, 0.1], "mailer": [0, 1, 0.1]])
    let found = Recommender.plain.recommend(
      .init(task: "Quelltext prüfen", nearness: near), among: registry(agents))
    #expect(found.agents.map(\.agent) == ["coder"])
    #expect(found.agents.first?.skills == 20)
    #expect(
      found.agents.first?.capability.reason
        == "related (1.00 near), though no agent knows a word of the task")
  }

  @Test func countForRequirementsThatTheWordsDoNotMeet() {
    let near = VectorSimilarity.Value(cosine: 0.9, deviations: 4)
    let found = Recommender.plain.recommend(
      .init(task: "code, mail", nearness: ["coder": near]), among: registry(agents))
    let coder = found.agents.first { $0.agent == "coder" }
    #expect(coder?.skills == 60)
    #expect(coder?.matchLines == ["code: exact code", "mail: related the agent as a whole"])
    #expect(coder?.matches.map(\.kindText) == ["exact", "related (0.90 near)"])
    #expect(found.agents.first { $0.agent == "mailer" }?.skills == 50)
  }

  /// A model's usual similarity cannot be estimated from a few agents; among many, outliers count.
  @Test(
    arguments: [
      ([0.1, 0.54, 0.56, 0.9], [0.56, 0.9]), ([0.7, 0.71, 0.72], [0.7, 0.71, 0.72]),
      (Array(repeating: 0.7, count: 40) + [0.75, 0.9], [0.9]),
      (Array(repeating: 0.02, count: 40) + [0.19], []),
      (Array(repeating: 0.05, count: 40) + [0.4], [0.4]),
    ] as [([Double], [Double])])
  func standOut(cosines: [Double], expected: [Double]) {
    let (mean, deviation) = VectorSimilarity.spread(of: cosines)
    let near = cosines.filter {
      VectorSimilarity.Value(cosine: $0, deviations: ($0 - mean) / deviation).isNear
    }
    #expect(near == expected)
  }

  /// Such models give cosines between 0.6 and 0.9 only, so the distance from the others decides.
  @Test(arguments: [0.0, 0.4])
  func countByHowFarTheyStandOutAndNotByTheCosine(offset: Double) {
    let many = (0..<40).map { agent("agent-\($0)", ["code-\($0)"]) }
    func cosine(_ place: Int) -> Double {
      offset + 0.3 + (place == 7 ? 0.2 : Double(place % 5) * 0.01)
    }
    // The task is the first axis; an agent's vector has the given cosine with it.
    let vectors = Dictionary(
      uniqueKeysWithValues: many.indices.map { place in
        let cosine = cosine(place)
        return (many[place].id, [Float(cosine), Float((1 - cosine * cosine).squareRoot())])
      })
    let near = VectorSimilarity.find([1, 0], among: vectors)
    #expect(near.filter { $0.value.isNear }.map(\.key) == ["agent-7"])
    // The words fit several agents equally; equal vectors must not hide the one that stands out.
    let found = Recommender.plain.recommend(
      .init(task: "code", includesUnfit: true, nearness: near), among: registry(many))
    #expect(found.agents.first?.agent == "agent-7")
  }

  @Test func addToTheWordScore() throws {
    let near = VectorSimilarity.Value(cosine: 0.5, deviations: 3)
    let without = try #require(
      Recommender.plain.one("coder", for: "code, mail", among: registry(agents)))
    let with = try #require(
      Recommender.plain.recommend(
        .init(task: "code, mail", includesUnfit: true, nearness: ["coder": near]),
        among: registry(agents)
      ).agents.first { $0.agent == "coder" })
    #expect(with.capability.value > without.capability.value)
    #expect(with.relevance == without.relevance)
  }

  @Test(
    arguments: [
      ([1, 0], [1, 0], 1.0), ([1, 0], [0, 1], 0), ([1, 0], [-1, 0], -1), ([2, 2], [0.5, 0.5], 1),
      ([0, 0], [1, 0], nil), ([1], [1, 0], nil), ([], [], nil), ([.nan, 1], [1, 1], nil),
      ([.infinity, 1], [1, 1], nil),
    ] as [([Float], [Float], Double?)])
  func cosines(left: [Float], right: [Float], expected: Double?) {
    let cosine = VectorSimilarity.cosine(left, right)
    if let expected {
      #expect(abs((cosine ?? .nan) - expected) < 1e-6)
    } else {
      #expect(cosine == nil)
    }
  }

  @Test func nothingIsNearToNothing() {
    #expect(VectorSimilarity.find([], among: ["coder": [1]]).isEmpty)
    #expect(VectorSimilarity.find([1], among: [:]).isEmpty)
    #expect(VectorSimilarity.find([1, 0], among: ["coder": [1], "mailer": [0, 0]]).isEmpty)
  }
}

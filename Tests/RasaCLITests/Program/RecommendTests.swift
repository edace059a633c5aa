import RasaCore
import RasaDocuments
import RasaPersona
import RasaAgents
import RasaKit
import RasaTestKit
import Testing

@testable import RasaCLI

@Suite("rasa: agents that fit a task")
struct RecommendTests {
  private func program() throws -> RasaProgram {
    var rasa = try RasaProgram()
    // A vendor whose prices are known; nobody is asked.
    rasa.environment["LLM_PROVIDER"] = "openai"
    rasa.environment["OPENAI_API_KEY"] = "sk-made-up"
    try rasa.home.write(
      """
      ---
      name: zymurgist
      display_name: Zymurgist
      description: Brews small beer in the cellar.
      capabilities: [zymurgy, cellar-brewing]
      works_well_with: [maltster, nobody-there]
      performance_profile: thinking
      recommended_models: {primary: gpt-4o-mini}
      estimated_tokens: 2000
      ---
      You brew.
      """, to: "agents/zymurgist.md")
    try rasa.home.write(
      """
      ---
      name: maltster
      description: Steeps barley for zymurgy.
      ---
      You malt.
      """, to: "agents/craft/maltster.md")
    return rasa
  }

  @Test("the best comes first, in the form of the design")
  func text() async throws {
    let rasa = try program()
    let run = try await rasa.run("agents", "recommend", "Plan", "cellar", "brewing zymurgy")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(
      run.text.hasPrefix(
        """
        Recommended Agents:
        1. zymurgist (Score: 
        """))
    for line in [
      "   - Capabilities: zymurgy, cellar-brewing", "   - Performance: thinking",
      "   - Estimated Cost: $0.00", "   - Works well with: maltster",
    ] {
      #expect(run.text.contains(line), "\(run.text)")
    }
    #expect(run.text.contains("   - Parts: capability "))
    #expect(!run.text.contains("maltster (Score"), "it has one word of the task")
  }

  @Test("every term is explained on request")
  func explained() async throws {
    let rasa = try program()
    let run = try await rasa.run(
      "agents", "recommend", "--explain", "--all", "--profile", "speed", "cellar brewing zymurgy")
    for part in [
      "10 exact: cellar brewing by cellar-brewing", "5 partial: cellar by cellar-brewing",
      "10 exact: zymurgy by zymurgy", "of 20: speed is wanted (it was asked for)",
      "a typical answer costs about $0.00", "gpt-4o-mini was not asked recently",
      "5 partial: zymurgy by its description", "maltster (Score: ", "maltster, as its text says",
      "`rasa agents enhance maltster` proposes some", "Looked for among",
    ] {
      #expect(run.text.contains(part), "\(part) is not in\n\(run.text)")
    }
  }

  @Test("programs get every term")
  func json() async throws {
    let rasa = try program()
    let run = try await rasa.run(
      "agents", "recommend", "--json", "--limit", "1", "-", input: "zymurgy\n")
    let value = try JSON.parse(run.output)
    #expect(value["requirements"] == ["zymurgy"])
    let first = value["recommendations"].array?.first ?? .null
    #expect(value["recommendations"].array?.count == 1)
    #expect(first["agent"] == "zymurgist")
    #expect(first["verdict"] == "recommended")
    #expect(first["skills"].double == 100)
    #expect(value["none_fits"] == false)
    #expect(first["matches"].array?.first?["kind"] == "exact")
    #expect(first["works_well_with"] == ["maltster"])
    let sum = ["capability", "profile_match", "cost_efficiency", "availability"]
      .compactMap { first[$0]["value"].double }.reduce(0, +)
    #expect(abs(sum - (first["score"].double ?? 0)) < 1e-9)
  }

  @Test("if no agent fits it says what to do, and that is not a failure")
  func nothing() async throws {
    let rasa = try program()
    let strange = try await rasa.run("agents", "recommend", "xyzzy plugh")
    #expect(strange.exitCode == 0)
    #expect(strange.text.contains("fits this task") && strange.text.contains("rasa agents create"))
    let dear = try await rasa.run("agents", "recommend", "--max-cost", "0", "zymurgy")
    #expect(dear.exitCode == 0)
    #expect(dear.text.contains("Raise --max-cost"), "\(dear.text)")
    let json = try await rasa.run("agents", "recommend", "--json", "xyzzy plugh")
    #expect(try JSON.parse(json.output)["recommendations"] == [])
    #expect(try JSON.parse(json.output)["none_fits"] == true)
    let empty = try await rasa.run("agents", "recommend", "  ")
    #expect(empty.exitCode == 2)
  }

  @Test(
    "the printed order is that of the printed score, and the examples in the help find an agent")
  func examples() async throws {
    let rasa = try RasaProgram()
    for task in ["Fix my typos", "Review this diff", "Design a REST API for invoices"] {
      let run = try await rasa.run("agents", "recommend", "--json", "--all", task)
      let found = try JSON.parse(run.output)
      #expect(found["none_fits"] == false, "\(task)")
      let scores = found["recommendations"].array?.compactMap { $0["score"].double } ?? []
      #expect(scores == scores.sorted(by: >), "\(task)")
      for it in found["recommendations"].array ?? [] {
        let verdict = it["verdict"].string
        #expect(verdict != "recommended" || (it["score"].double ?? 0) >= 50)
        #expect(verdict != "acceptable" || (it["score"].double ?? 0) >= 30)
      }
    }
    for match in ["contains", "fuzzy"] {
      let word = match == "fuzzy" ? "kuberntes" : "kubernetes"
      let run = try await rasa.run("agents", "search", word, "--match", match, "--json")
      #expect(
        try JSON.parse(run.output).array?.contains { $0["id"] == "devops-engineer" } == true,
        "\(run.text)")
    }
  }

  @Test("among tasks that no agent is for, few find one")
  func noneFits() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run("agents", "recommend", "how do I get red wine out of a carpet")
    #expect(run.exitCode == 0)
    #expect(run.text.hasPrefix("None of 52 agents fits this task."), "\(run.text)")
    #expect(!run.text.contains("Recommended Agents"))
  }

  @Test("no line is wider than a narrow terminal", arguments: [40, 60, 80])
  func narrow(width: Int) {
    var agent = Agent(id: "zymurgist", name: "Zymurgist", description: "Brews in the cellar.")
    agent.capabilities = (0..<12).map { "capability-number-\($0)" } + ["zymurgy"]
    let registry = AgentRegistry([.init(agent: agent)])
    let found = Recommender(related: RelatedTerms()).recommend(
      .init(task: "zymurgy in the cellar, and not too expensive"), among: registry)
    let text = RecommendationReport(width: width, explains: true).text(
      of: Rasa.Recommendations(found, among: registry))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= width }, "\(text)")
    #expect(text.contains("capability-number-11"))
  }
}

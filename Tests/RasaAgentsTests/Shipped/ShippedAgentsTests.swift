import RasaAgents
import RasaCore
import RasaPersona
import RasaTestKit
import Testing

@Suite struct ShippedAgentsTests {
  private let scratch: ScratchDirectory
  private let library: AgentLibrary
  private let found: DiscoveredAgents
  private var agents: [Agent] { found.registry.entries.map(\.agent) }

  init() throws {
    // From an empty folder, only shipped agents are found.
    scratch = ScratchDirectory()
    library = AgentLibrary(
      AgentDiscovery(AgentRoots(project: scratch.path, home: scratch.path)))
    found = library.found
  }

  @Test func allAreFoundWithoutAWarning() {
    #expect(agents.count >= 40)
    #expect(found.failures.isEmpty)
    #expect(found.warnings.isEmpty)
    #expect(found.broken.isEmpty)
    #expect(found.shadowed.isEmpty)
    #expect(agents.allSatisfy { $0.files.origin == "shipped" })
  }

  @Test func theyAreOfSixCategories() {
    let count = Dictionary(grouping: agents, by: \.category).mapValues(\.count)
    #expect(
      Set(count.keys) == ["engineering", "data", "writing", "operations", "business", "quality"])
    // Those who judge answers are two.
    #expect(count.allSatisfy { $0.value >= 5 || $0.key == "quality" && $0.value == 2 })
  }

  /// The file of an agent is named after its id.
  @Test func eachIsCalledAsItsFileIs() {
    for agent in agents {
      let file = "shipped:agents/\(agent.category ?? "")/\(agent.id)"
      #expect(agent.files.prompt == "\(file).md")
      #expect(agent.files.config == nil || agent.files.config == "\(file).toml")
    }
    #expect(agents.count { $0.files.config != nil } >= 5)
  }

  /// Includes what only `validate` checks: neighbours, triggers, names in prompts.
  @Test func eachPassesStrictValidation() throws {
    let validation = AgentValidation(
      agents: Dictionary(uniqueKeysWithValues: agents.map { ($0.id, $0) }), isStrict: true
    ) { path, documents throws(Failure) in
      throw Failure(.configuration, "\(documents.fileName) inserts \(path)")
    }
    for agent in agents {
      let documents = try #require(try library.documents(ofAgent: agent.id))
      let findings = validation.findings(on: documents, AgentLoader.load(documents))
      #expect(findings.failures.isEmpty)
      #expect(findings.warnings.isEmpty)
    }
  }

  @Test func eachHasTheFieldsForRecommendation() {
    let ids = Set(agents.map(\.id))
    for agent in agents {
      let id = agent.id
      #expect(agent.name != id, "\(id) has no name for people")
      #expect((40...200).contains(agent.description.count), "the description of \(id)")
      #expect((5...10).contains(agent.capabilities.count), "the capabilities of \(id)")
      #expect((3...5).contains(agent.exampleQueries.count), "the examples of \(id)")
      #expect(!agent.tags.isEmpty && !agent.typicalWorkflows.isEmpty, "\(id)")
      #expect(!agent.worksWellWith.isEmpty && !agent.worksWellWith.contains(id), "\(id)")
      #expect(ids.isSuperset(of: agent.worksWellWith), "the neighbours of \(id)")
      #expect(agent.profile != nil && agent.estimatedTokens != nil, "\(id)")
    }
    #expect(Set(agents.map(\.description)).count == agents.count)
  }

  /// Shipped agents have to work with any provider, and must not surprise anyone with a bill.
  @Test func noneNeedsAProviderAndAllHaveABudget() throws {
    let most = try #require(Money(decimal: "0.50"))
    for agent in agents {
      #expect(agent.engine == nil && agent.model == nil, "\(agent.id)")
      #expect(agent.models.primary == nil, "\(agent.id)")
      let budget = try #require(agent.budget.maxPerExecution, "\(agent.id) has no budget")
      #expect(budget > .zero && budget <= most, "\(agent.id)")
    }
    #expect(agents.filter { $0.trigger != nil }.map(\.id) == ["newsletter-writer"])
    #expect(agents.allSatisfy { $0.loop == nil })
  }
}

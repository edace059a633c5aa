import RasaKit
import Testing

@Suite("Agents of a program") struct RegisteringTests {
  @Test func areFoundBesideThoseInFiles() async throws {
    let kit = try Kit(files: [
      "project/agents/core/planner.md":
        "---\nname: planner\ndescription: Plans work in steps.\n---\nYou plan.\n",
      "home/agents/planner.md":
        "---\nname: planner\ndescription: Another planner.\n---\nYou plan.\n",
      "project/agents/broken.toml": "[agent]\nid = @\n",
    ])
    try await kit.rasa.register(Kit.writer)
    let found = await kit.rasa.discover()
    let ids = Set(found.agents.map(\.id))
    #expect(ids.isSuperset(of: ["planner", "note-writer"]))
    #expect(found.shadowed.map(\.id) == ["planner"])
    #expect(found.problems.map(\.line) == [2] && found.problems.map(\.column) == [6])
    #expect(found.problems.first?.file?.hasSuffix("broken.toml") == true)
    let planner = await kit.rasa.agent("planner")
    #expect(planner?.category == "core" && planner?.description == "Plans work in steps.")
    #expect(planner?.file?.hasSuffix("planner.md") == true && planner?.prompt == nil)
    await kit.rasa.close()
  }

  @Test func areReadBackUnchanged() async throws {
    let kit = try Kit()
    var agent = Kit.writer
    agent.description = "Says: \"notes\" # with\tall: 'quotes'\nand lines, é 中 😀 \u{2028}x"
    agent.category = "writing/notes"
    agent.exampleQueries = ["What is new, and why?", "- item"]
    agent.worksWellWith = ["planner"]
    agent.fallbackModel = "ollama:llama3:8b"
    agent.premiumModel = "anthropic:claude-opus-4-1"
    agent.profile = .thinking
    agent.effort = .high
    agent.estimatedTokens = 1_500
    agent.maxConcurrentTasks = 2
    agent.maxCost = Rasa.Dollars("0.10")
    agent.maxDailyCost = 2.5
    agent.defaults = ["language": "no: \"x\"", "tone": "true"]
    agent.prompt = "---\nNot front matter: {{language}}\n"
    try await kit.rasa.register(agent)
    #expect(await kit.rasa.agent("note-writer") == agent)
  }

  @Test func takeAPlaceOnlyWhenThatIsSaid() async throws {
    let kit = try Kit()
    try await kit.rasa.register(Kit.writer)
    let problem = await #expect(throws: RasaError.self) { try await kit.rasa.register(Kit.writer) }
    #expect(problem?.code == .configuration && problem?.suggestion.isEmpty == false)
    try await kit.rasa.register(
      markdown: "---\nname: note-writer\ndescription: Writes other notes.\n---\nOther.\n",
      replacing: true)
    #expect(await kit.rasa.agent("note-writer")?.description == "Writes other notes.")
    #expect(kit.rasa.unregister(id: "note-writer") && !kit.rasa.unregister(id: "note-writer"))
    #expect(await kit.rasa.agent("note-writer") == nil)
  }

  @Test func areRegisteredByManyAtOnceWhileOthersRead() async throws {
    let kit = try Kit()
    func agent(_ id: String) -> Rasa.Agent {
      Rasa.Agent(id: id, name: id, description: "Does what \(id) does.", prompt: "Do.")
    }
    let before = await kit.rasa.agents().count
    let successes = await withTaskGroup(of: Int.self) { group in
      for writer in 0..<4 {
        group.addTask {
          var count = 0
          for index in 0..<10 {
            if (try? await kit.rasa.register(agent("shared-\(index)"))) != nil { count += 1 }
            _ = try? await kit.rasa.register(agent("own-\(writer)-\(index)"))
          }
          return count
        }
      }
      for _ in 0..<2 {
        group.addTask {
          // Whoever reads has a whole list, sorted, whatever is added meanwhile.
          for _ in 0..<20 {
            let ids = await kit.rasa.agents().map(\.id)
            if ids != ids.sorted() || ids.count < before { return 1_000 }
          }
          return 0
        }
      }
      return await group.reduce(0, +)
    }
    #expect(successes == 10)
    #expect(await kit.rasa.agents().count == before + 10 + 4 * 10)
  }

  @Test func areReadFromTOML() async throws {
    let kit = try Kit()
    let agent = try await kit.rasa.register(
      toml: """
        [agent]
        id = "arch-agent"
        name = "Architecture Agent"
        description = "Defines system architecture and technical design decisions"
        prompt_path = "arch.md"
        engine = "gemini"
        model = "gemini-2.0-flash-exp"
        """, prompt: "---\ncapabilities: [system_design]\n---\nYou are an architect.\n")
    #expect(agent.id == "arch-agent" && agent.model == "gemini:gemini-2.0-flash-exp")
    #expect(agent.capabilities == ["system_design"])
    #expect(agent.prompt == "You are an architect.\n")
  }

  @Test func areRefusedWithLineAndColumnWhenTheyAreBroken() async throws {
    let kit = try Kit()
    let problem = await #expect(throws: RasaError.self) {
      try await kit.rasa.register(toml: "[agent]\nid = \"x\"\nid = \"y\"\n", prompt: "x")
    }
    #expect(problem?.line == 3 && problem?.file == "registered:agent.toml")
    await #expect(throws: RasaError.self) {
      try await kit.rasa.register(markdown: "no front matter")
    }
    var nameless = Kit.writer
    nameless.id = "../x"
    nameless.prompt = nil
    await #expect(throws: RasaError.self) { try await kit.rasa.register(nameless) }
  }

  @Test func areSearchedFilteredAndSorted() async throws {
    let kit = try Kit()
    for (id, category) in [("alpha-zz", "b"), ("beta-zz", "a"), ("gamma-zz", "b")] {
      var agent = Rasa.Agent(id: id, description: "Does zz things well.", prompt: "Do.")
      agent.category = category
      agent.tags = ["zz"]
      try await kit.rasa.register(agent)
    }
    func ids(_ filter: Rasa.Filter, _ sorting: [Rasa.SortField] = []) async -> [String] {
      await kit.rasa.agents(filter, sortedBy: sorting).map(\.id)
    }
    let zz = Rasa.Filter(tags: ["zz"])
    #expect(await ids(zz) == ["alpha-zz", "beta-zz", "gamma-zz"])
    #expect(await ids(zz, [.category, .name]) == ["beta-zz", "alpha-zz", "gamma-zz"])
    #expect(await ids(Rasa.Filter(search: "gama-zz", mode: .fuzzy)).first == "gamma-zz")
    #expect(await ids(Rasa.Filter(search: "ALPHA-zz", mode: .exact)) == ["alpha-zz"])
    #expect(await ids(Rasa.Filter(search: "zz", category: "a", tags: ["zz"])) == ["beta-zz"])
    #expect(
      Set(await ids(Rasa.Filter(search: "beta-zz", category: "nowhere", logic: .any)))
        .contains("beta-zz"))
  }
}

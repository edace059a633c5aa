import RasaCore
import RasaPersona
import Testing

/// Precedence between the forms of an agent's files: a test for each rule.
@Suite struct AgentRuleTests {
  // MARK: Identity

  @Test(arguments: [
    ("name: arch-agent", "arch-agent", "arch-agent"),
    ("agent_id: arch-agent", "arch-agent", "arch-agent"),
    ("agent_id: arch-agent\nname: Architecture Agent", "arch-agent", "Architecture Agent"),
    ("name: arch-agent\ndisplay_name: Architecture Agent", "arch-agent", "Architecture Agent"),
    ("id: arch-agent\nname: Architecture Agent", "arch-agent", "Architecture Agent"),
  ])
  func aMarkdownFileHasItsIdentityInEitherSpelling(lines: String, id: String, name: String) throws {
    let reading = AgentReading.load(markdown: AgentReading.markdown(lines), fileName: "other")
    let agent = try reading.get().agent
    #expect(agent.id == id && agent.name == name)
    #expect(reading.warnings.isEmpty)
  }

  @Test(arguments: [
    ("name: Architecture Agent", "architecture-agent", "Architecture Agent"),
    ("name: arch_agent", "arch-agent", "arch_agent"),
    ("name: ArchAgent\ndisplay_name: The Architect", "arch-agent", "The Architect"),
    ("agent_id: Arch Agent\nname: Architecture Agent", "arch-agent", "Architecture Agent"),
  ])
  func aNameThatIsNotAnIDIsConvertedWithAWarning(lines: String, id: String, name: String) throws {
    let reading = AgentReading.load(markdown: AgentReading.markdown(lines))
    let agent = try reading.get().agent
    #expect(agent.id == id && agent.name == name)
    #expect(reading.warns("is not a valid ID; it is read as `\(id)`"))
  }

  @Test(arguments: ["description: Designs.", "name: \"\"", "name: \"!!!\""])
  func aMarkdownFileWithoutANameIsCalledAsItsFileIs(lines: String) throws {
    let reading = AgentReading.load(markdown: AgentReading.markdown(lines), fileName: "Arch Agent")
    #expect(try reading.get().agent.id == "arch-agent")
    #expect(reading.warns("is named `arch-agent` after its file", at: "a.md:1:1"))
  }

  @Test func aNameThatNothingCanBeMadeOfIsAnError() {
    let reading = AgentReading.load(markdown: AgentReading.markdown("name: \"…\""), fileName: "…")
    #expect(reading.fails("no `name`", at: "a.md:1:1"))
  }

  @Test(arguments: [
    ("agent_id: other-agent", "is of `other-agent`, but the agent is `arch-agent`", "a.md:2:11"),
    ("name: other-agent", "is of `other-agent`, but the agent is `arch-agent`", "a.md:2:7"),
    ("name: The Architect", "calls the agent `The Architect`", "a.md:2:7"),
    ("name: arch-agent\ndisplay_name: The Architect", "calls the agent `The", "a.md:3:15"),
  ])
  func theTOMLOverridesTheIdentityWithAWarning(lines: String, words: String, place: String) throws {
    let reading = AgentReading.load(
      toml: AgentReading.toml(), markdown: AgentReading.markdown(lines))
    let agent = try reading.get().agent
    #expect(agent.id == "arch-agent" && agent.name == "Architecture Agent")
    #expect(reading.warns(words, at: place))
    #expect(reading.warnings.count == 1)
  }

  @Test(arguments: [
    "name: arch-agent", "agent_id: arch-agent", "name: Architecture Agent",
    "agent_id: arch-agent\nname: Architecture Agent",
    "name: arch-agent\ndisplay_name: Architecture Agent",
  ])
  func frontMatterWithTheSameIdentityIsNotReported(lines: String) throws {
    let reading = AgentReading.load(
      toml: AgentReading.toml(), markdown: AgentReading.markdown(lines))
    #expect(try reading.get().agent.name == "Architecture Agent")
    #expect(reading.warnings.isEmpty)
  }

  @Test func aTOMLFileWithoutAnIDTakesItFromTheFrontMatter() throws {
    let reading = AgentReading.load(
      toml: "[agent]\nname = \"A\"\nprompt_path = \"a.md\"\n",
      markdown: AgentReading.markdown("name: arch-agent"))
    #expect(try reading.get().agent.id == "arch-agent")
    #expect(reading.warns("no `id`; `arch-agent` is taken"))
  }

  // MARK: Models

  @Test(arguments: [
    ("gpt-4o", "gemini", "gpt-4o"), ("openai:gpt-4o", "openai", "gpt-4o"),
    ("llama3:8b", "gemini", "llama3:8b"), ("ollama:llama3:8b", "ollama", "llama3:8b"),
    ("{engine: ollama, model: 'llama3:8b'}", "ollama", "llama3:8b"),
    ("{model: gpt-4o}", "gemini", "gpt-4o"), ("house:big", "house", "big"),
  ])
  func anEngineIsSplitOffIfKnownOtherwiseTheAgentsEngineIsUsed(
    text: String, engine: String, model: String
  ) throws {
    let reading = AgentLoader.load(
      AgentDocuments(
        prompt: SourceDocument(
          bytes: Array(
            AgentReading.markdown(
              "name: a\nengine: gemini\nrecommended_models:\n  primary: \(text)"
            ).utf8), path: "a.md"), fileName: "a"),
      engines: AgentLoader.builtInEngines.union(["house"]))
    let expected = ModelReference(engine: engine, model: model)
    #expect(try reading.get().agent.models.primary == expected)
  }

  @Test func anUnknownEngineIsNotSplitOff() throws {
    let agent = try AgentReading.alone("recommended_models: {primary: \"house:big\"}").get().agent
    #expect(agent.models.primary == ModelReference(model: "house:big"))
  }

  @Test func theAgentsOwnModelComesFirstIfNoneIsRecommended() throws {
    let agent = try AgentReading.both(
      "engine = \"gemini\"\nmodel = \"gemini-1.5-pro\"", "recommended_models: {fallback: gpt-4o}")
    #expect(agent.models.primary == ModelReference(engine: "gemini", model: "gemini-1.5-pro"))
    #expect(agent.models.fallback == ModelReference(engine: "gemini", model: "gpt-4o"))
  }

  @Test func anEngineInTheModelItselfCounts() throws {
    let reading = AgentReading.load(
      toml: AgentReading.toml("engine = \"gemini\"\nmodel = \"openai:gpt-4o\""), markdown: "x")
    let agent = try reading.get().agent
    #expect(agent.engine == "openai" && agent.model == "gpt-4o")
    #expect(reading.warns("`engine` is `gemini`, but `model` names `openai`", at: "a.toml:7:9"))
  }

  @Test func modelsWithoutRolesAreTakenInOrder() throws {
    let reading = AgentReading.alone("recommended_models: [a, b]")
    let models = try reading.get().agent.models
    #expect(models.primary?.model == "a" && models.fallback?.model == "b" && models.premium == nil)
    #expect(reading.warns("is read as `primary`, `fallback`", at: "a.md:4:21"))
  }

  // MARK: Profile

  private static let performance = "[agent.persona.performance]\nprofile = \"expert\""
  private static let depth = "performance_profile: {thinking_depth: high}"
  private static let priority =
    "recommended_models: {primary: {engine: gemini, model: g, priority: speed}}"

  @Test(arguments: [
    ("", "", nil), ("", "performance_profile: speed", PerformanceProfile.speed),
    (performance, "performance_profile: speed", .speed), (performance, "", .expert),
    (performance, priority, .expert), (performance, depth, .expert),
    ("", priority + "\n" + depth, .speed), ("", depth, .thinking),
    ("", "performance_profile: {thinking_depth: low}", .speed),
    ("", "performance_profile: {thinking_depth: medium}", .balanced),
    ("", "performance_profile: {output_volume: high}", nil),
    ("performance_profile = \"thinking\"", priority, .thinking),
  ])
  func theProfileIsTheWordThenTheTOMLsThenThePrioritysThenTheDepths(
    toml: String, frontMatter: String, expected: PerformanceProfile?
  ) throws {
    let lines = frontMatter.isEmpty ? "name: arch-agent" : frontMatter
    #expect(try AgentReading.both(toml, lines).profile == expected)
  }

  // MARK: Persona

  @Test func aPersonaOutsideTheAgentIsReadWithAWarning() throws {
    let reading = AgentReading.load(
      toml: AgentReading.toml(
        "[persona.models]\nprimary = \"gpt-4o\"\n[persona.performance]\nprofile = \"speed\""),
      markdown: "x")
    let agent = try reading.get().agent
    #expect(agent.models.primary?.model == "gpt-4o" && agent.profile == .speed)
    #expect(reading.warns("`[persona]` is read as `[agent.persona]`"))
  }

  @Test func aPersonaInsideTheAgentOverridesOneOutside() throws {
    let reading = AgentReading.load(
      toml: AgentReading.toml(
        "[agent.persona.models]\nprimary = \"one\"\n[persona.models]\nprimary = \"two\""),
      markdown: "x")
    #expect(try reading.get().agent.models.primary?.model == "one")
    #expect(reading.warns("`[persona]` is ignored"))
  }

  // MARK: Merging

  @Test func theFrontMatterOverridesFieldByField() throws {
    let reading = AgentReading.load(
      toml: AgentReading.toml(
        """
        engine = "gemini"
        model = "gemini-1.5-pro"
        tags = ["old"]
        color = "blue"
        [agent.capabilities]
        cost_tier = "high"
        max_concurrent_tasks = 3
        [agent.loop_behavior]
        steps = 2
        max_iterations = 5
        [agent.persona.models]
        primary = "one"
        fallback = "two"
        [agent.cost_budget]
        max_daily = 5
        policy = "warn"
        [agent.constraints]
        language = "en"
        size = 1
        """),
      markdown: AgentReading.markdown(
        """
        description: Designs more.
        tags: [new]
        cost_tier: low
        loop_behavior: {max_iterations: 2}
        recommended_models: {primary: three}
        cost_budget: {max_daily: 1, max_monthly: 9}
        constraints: {size: 2}
        """))
    let agent = try reading.get().agent
    #expect(reading.warnings.isEmpty)
    #expect(agent.description == "Designs more." && agent.tags == ["new"] && agent.color == "blue")
    #expect(agent.models.costTier == .low && agent.maxConcurrentTasks == 3)
    #expect(agent.loop?.steps == 2 && agent.loop?.maxIterations == 2)
    #expect(agent.models.primary?.model == "three" && agent.models.fallback?.model == "two")
    #expect(agent.budget.maxDaily == Money(decimal: "1") && agent.budget.policy == .warn)
    #expect(agent.budget.maxMonthly == Money(decimal: "9"))
    #expect(agent.constraints == ["language": "en", "size": 2])
  }

  @Test func capabilitiesAreLimitsAsATableAndSkillsAsAList() throws {
    let agent = try AgentReading.both(
      "[agent.capabilities]\nmodel_class = \"fast\"\nmax_concurrent_tasks = 2",
      "capabilities: [design, planning]")
    #expect(agent.models.modelClass == .fast && agent.maxConcurrentTasks == 2)
    #expect(agent.capabilities == ["design", "planning"])
    let swapped = try AgentReading.both(
      "capabilities = [\"design\"]", "capabilities: {model_class: reasoning}")
    #expect(swapped.models.modelClass == .reasoning && swapped.capabilities == ["design"])
  }

  @Test(arguments: CostTier.allCases)
  func thereAreFourCostTiers(tier: CostTier) throws {
    let agent = try AgentReading.both(
      "[agent.capabilities]\ncost_tier = \"\(tier.rawValue)\"",
      "recommended_models: {primary: {model: m, cost_tier: \(tier.rawValue)}}")
    #expect(agent.models.costTier == tier)
    #expect(agent.models.notes.values.first?.costTier == tier)
  }

  @Test(arguments: [("core", "core"), ("rad-agents/design", "rad-agents/design"), (nil, "written")])
  func theFoldersAreTheCategoryOtherwiseTheFilesField(folder: String?, expected: String) throws {
    let reading = AgentReading.load(
      markdown: AgentReading.markdown("name: a\ncategory: written"), category: folder)
    #expect(try reading.get().agent.category == expected)
    #expect(reading.warnings.isEmpty)
  }

  @Test func anAgentInTheRootHasNoCategory() throws {
    #expect(try AgentReading.both("", "name: arch-agent").category == nil)
  }

  // MARK: Prompt

  @Test func anAgentWithoutItsPromptIsKeptWithAWarning() throws {
    let reading = AgentReading.load(toml: AgentReading.toml())
    let loaded = try reading.get()
    #expect(loaded.prompt == nil && loaded.agent.files.prompt == nil)
    #expect(loaded.agent.id == "arch-agent")
    #expect(reading.warns("`prompts/arch-agent.md` does not exist", at: "a.toml:5:15"))
  }

  @Test func theFrontMatterIsNotPartOfThePrompt() throws {
    let loaded = try AgentReading.load(
      toml: AgentReading.toml(),
      markdown: AgentReading.markdown("name: arch-agent", body: "\nYou design.\n---\nMore.\n")
    ).get()
    #expect(loaded.prompt?.text.trimmedForTest == "You design.\n---\nMore.")
    #expect(loaded.prompt.map { $0.location.line > 3 } == true)
  }

  @Test(arguments: [
    "tags:\n  - [unclosed", "tags:\n  - 'unclosed", "tags:\n  - &x [*x]",
    "- a\n- b",
  ])
  func aBrokenFrontMatterCostsTheFrontMatterAlone(lines: String) throws {
    let reading = AgentReading.load(
      toml: AgentReading.toml("tags = [\"kept\"]"), markdown: AgentReading.markdown(lines))
    let loaded = try reading.get()
    #expect(loaded.agent.tags == ["kept"] && loaded.prompt?.text.contains("You design") == true)
    let reported = reading.warnings.first { $0.message.contains("the front matter cannot be read") }
    #expect(reported?.location.map { $0.file == "a.md" && $0.line > 1 && $0.column > 0 } == true)
    let alone = AgentReading.load(markdown: AgentReading.markdown(lines), fileName: "arch-agent")
    #expect(try alone.get().agent.id == "arch-agent")
    #expect(alone.warns("the front matter cannot be read"))
  }

  @Test func aMarkdownFileWithoutFrontMatterIsAPromptCalledAsItsFileIs() throws {
    let reading = AgentReading.load(markdown: "# Read me\n")
    #expect(try reading.get().agent.id == "arch-agent")
    #expect(reading.warns("no front matter", at: "a.md:1:1"))
    #expect(AgentReading.load(markdown: " \n").fails("no front matter", at: "a.md:1:1"))
  }

  // MARK: Sandbox

  @Test(arguments: [
    "type: docker\n  network: closed\n  profile: restrictive",
    "sandbox_type: docker\n  network_mode: isolated\n  profile: restricted",
    "type: Docker\n  sandbox_type: Docker\n  network: none\n  profile: restricted",
  ])
  func aSandboxIsReadInEitherSpelling(lines: String) throws {
    let agent = try AgentReading.alone("sandbox:\n  \(lines)").get().agent
    #expect(
      agent.sandbox == SandboxDefinition(type: "docker", profile: .restrictive, network: .closed))
  }

  // MARK: Limits

  @Test func aLoopWithoutABoundGetsOneWithAWarning() throws {
    let reading = AgentReading.alone("loop_behavior: {steps: 2}")
    #expect(try reading.get().agent.loop?.maxIterations == 5)
    #expect(reading.warns("no `max_iterations`; 5 is used", at: "a.md:4:16"))
  }
}

extension String {
  fileprivate var trimmedForTest: String {
    String(drop { $0.isNewline }.reversed().drop { $0.isNewline }.reversed())
  }
}

import RasaCore
import RasaPersona
import Testing

/// The forms of an agent's files, and every field of each.
@Suite struct AgentFormTests {
  static let everyTOMLField = """
    [agent]
    id = "arch-agent"
    name = "Architecture Agent"
    description = "Defines system architecture and technical design decisions"
    prompt_path = "prompts/agents/core/arch-agent.md"
    mirror_path = "mirror/arch-agent.md"
    engine = "gemini" # optional
    model = "gemini-2.0-flash-exp" # optional
    reasoning_effort = "medium" # optional: low, medium, high

    [agent.loop_behavior] # optional
    steps = 2
    max_iterations = 5
    skip = ["step-1", "step-3"]

    [agent.trigger_behavior] # optional
    trigger_agent_id = "code-agent"

    [agent.capabilities] # optional
    model_class = "reasoning" # fast, balanced, reasoning
    cost_tier = "high" # low, medium, high
    max_concurrent_tasks = 3

    [agent.persona] # optional
    [agent.persona.models]
    primary = "gemini-2.0-flash-thinking"
    fallback = "gemini-2.0-flash-exp"
    premium = "gemini-1.5-pro"

    [agent.persona.performance]
    profile = "thinking" # speed, balanced, thinking, expert
    estimated_tokens = 2000

    [agent.sandbox] # optional
    type = "docker"
    image = "rust:latest"
    profile = "restricted"
    network_mode = "isolated"

    """

  static let everyFrontMatterField = """
    ---
    name: arch-agent
    display_name: Architecture Agent
    category: engineering
    color: blue
    description: Defines system architecture and technical design decisions

    recommended_models:
      primary:
        engine: gemini
        model: gemini-2.0-flash-thinking
        priority: thinking
        cost_tier: high
      fallback:
        engine: gemini
        model: gemini-2.0-flash-exp
        priority: balanced
        cost_tier: medium
      premium:
        engine: gemini
        model: gemini-1.5-pro
        priority: expert
        cost_tier: premium

    performance_profile:
      thinking_depth: high
      iteration_speed: medium
      context_requirements: extensive
      output_volume: high

    capabilities:
      - system_design
      - architecture_decisions
      - technology_selection

    quality_gates:
      - code_review
      - architecture_review

    works_well_with:
      - code-agent
      - review-agent

    typical_workflows: [new service, migration]
    tags: [design, architecture]
    tools: [search, read_file]
    constraints: {max_files: 10, language: en}
    example_queries: ["Design a REST API, and say why"]
    cost_budget: {max_per_execution: 0.10, max_daily: 5.00, max_monthly: 100.00, policy: downgrade}
    defaults: {audience: engineers}
    strict: true
    ---
    You design systems for {{audience}}.
    """

  @Test func tomlAlone() throws {
    let reading = AgentReading.load(
      toml: Self.everyTOMLField, markdown: "You design systems.\n", category: "core")
    let loaded = try reading.get()
    let agent = loaded.agent
    #expect(reading.warnings.isEmpty)
    #expect(agent.id == "arch-agent" && agent.name == "Architecture Agent")
    #expect(agent.description == "Defines system architecture and technical design decisions")
    #expect(agent.category == "core")
    #expect(agent.engine == "gemini" && agent.model == "gemini-2.0-flash-exp")
    #expect(agent.effort == .medium)
    #expect(agent.loop?.steps == 2 && agent.loop?.maxIterations == 5)
    #expect(agent.loop?.skip == ["step-1", "step-3"] && agent.loop?.when == nil)
    #expect(agent.trigger?.agent == "code-agent")
    #expect(agent.models.modelClass == .reasoning && agent.models.costTier == .high)
    #expect(agent.maxConcurrentTasks == 3 && agent.capabilities.isEmpty)
    #expect(
      agent.models.primary == ModelReference(engine: "gemini", model: "gemini-2.0-flash-thinking"))
    #expect(
      agent.models.fallback == ModelReference(engine: "gemini", model: "gemini-2.0-flash-exp"))
    #expect(agent.models.premium == ModelReference(engine: "gemini", model: "gemini-1.5-pro"))
    #expect(agent.profile == .thinking && agent.estimatedTokens == 2000)
    #expect(
      agent.sandbox
        == SandboxDefinition(
          type: "docker", image: "rust:latest", profile: .restrictive, network: .closed))
    #expect(agent.files == AgentFiles(config: "a.toml", prompt: "a.md", origin: "./agents"))
    #expect(loaded.prompt?.text == "You design systems.\n")
    #expect(loaded.prompt?.location == SourceLocation(file: "a.md", line: 1, column: 1))
  }

  @Test func markdownAlone() throws {
    let reading = AgentReading.load(markdown: Self.everyFrontMatterField)
    let loaded = try reading.get()
    let agent = loaded.agent
    #expect(reading.warnings.isEmpty)
    #expect(agent.id == "arch-agent" && agent.name == "Architecture Agent")
    #expect(agent.category == "engineering" && agent.color == "blue")
    let thinking = ModelReference(engine: "gemini", model: "gemini-2.0-flash-thinking")
    let flash = ModelReference(engine: "gemini", model: "gemini-2.0-flash-exp")
    let pro = ModelReference(engine: "gemini", model: "gemini-1.5-pro")
    #expect(
      [agent.models.primary, agent.models.fallback, agent.models.premium] == [thinking, flash, pro])
    #expect(
      agent.models.notes == [
        thinking: ModelNote(priority: .thinking, costTier: .high),
        flash: ModelNote(priority: .balanced, costTier: .medium),
        pro: ModelNote(priority: .expert, costTier: .premium),
      ])
    #expect(agent.profile == .thinking)
    #expect(agent.traits.thinkingDepth == .high && agent.traits.iterationSpeed == .medium)
    #expect(agent.traits.contextRequirements == .extensive && agent.traits.outputVolume == .high)
    #expect(
      agent.capabilities == ["system_design", "architecture_decisions", "technology_selection"])
    #expect(agent.qualityGates == ["code_review", "architecture_review"])
    #expect(agent.worksWellWith == ["code-agent", "review-agent"])
    #expect(agent.typicalWorkflows == ["new service", "migration"])
    #expect(agent.tags == ["design", "architecture"] && agent.tools == ["search", "read_file"])
    #expect(agent.constraints == ["max_files": 10, "language": "en"])
    #expect(agent.exampleQueries == ["Design a REST API, and say why"])
    #expect(agent.budget.maxPerExecution == Money(decimal: "0.1"))
    #expect(agent.budget.maxDaily == Money(decimal: "5"))
    #expect(agent.budget.maxMonthly == Money(decimal: "100"))
    #expect(agent.budget.policy == .downgrade)
    #expect(agent.defaults == ["audience": "engineers"] && agent.isStrict)
    #expect(loaded.prompt?.text == "You design systems for {{audience}}.")
    #expect(loaded.prompt?.location.file == "a.md")
    #expect(agent.files == AgentFiles(config: nil, prompt: "a.md", origin: "./agents"))
  }

  @Test func bothFiles() throws {
    let reading = AgentReading.load(
      toml: Self.everyTOMLField, markdown: Self.everyFrontMatterField, category: "core")
    let agent = try reading.get().agent
    #expect(reading.warnings.isEmpty)
    #expect(agent.category == "core")
    #expect(agent.loop != nil && agent.trigger != nil && agent.sandbox != nil)
    #expect(agent.capabilities.count == 3 && agent.maxConcurrentTasks == 3)
    #expect(agent.models.notes.count == 3 && agent.models.modelClass == .reasoning)
  }

  @Test func theFormWithAgentID() throws {
    let reading = AgentReading.load(
      markdown: AgentReading.markdown(
        """
        agent_id: arch-agent
        name: Architecture Agent
        recommended_models:
          primary: gemini-2.0-flash-thinking
          fallback: gemini-2.0-flash-exp
          premium: gemini-1.5-pro
        capabilities: [architecture, design, planning, system-design]
        performance_profile: thinking
        cost_budget:
          max_per_execution: 0.10
          max_daily: 5.00
          max_monthly: 100.00
        """))
    let agent = try reading.get().agent
    #expect(agent.id == "arch-agent" && agent.name == "Architecture Agent")
    #expect(agent.models.primary == ModelReference(model: "gemini-2.0-flash-thinking"))
    #expect(agent.profile == .thinking && agent.capabilities.count == 4)
    #expect(agent.budget.maxMonthly == Money(decimal: "100"))
    #expect(reading.warnings.isEmpty)
  }

  @Test func frontMatterCanHaveEveryFieldOfTOML() throws {
    let reading = AgentReading.alone(
      """
      engine: gemini
      model: gemini-2.0-flash-exp
      reasoning_effort: high
      model_class: fast
      cost_tier: low
      max_concurrent_tasks: 2
      limits: {steps: 9, seconds: 900, cost: 0.25, depth: 2}
      estimated_tokens: 500
      loop_behavior: {steps: 1, max_iterations: 2, skip: [review], when: critique.verdict == "no"}
      trigger_behavior: {trigger_agent_id: code-agent, when: approved}
      sandbox: {type: podman, network: open}
      """)
    let agent = try reading.get().agent
    #expect(reading.warnings.isEmpty)
    #expect(agent.engine == "gemini" && agent.effort == .high)
    #expect(agent.models.modelClass == .fast && agent.models.costTier == .low)
    #expect(agent.maxConcurrentTasks == 2 && agent.estimatedTokens == 500)
    #expect(
      agent.limits
        == AgentLimits(steps: 9, seconds: 900, cost: Money(decimal: "0.25"), depth: 2))
    #expect(
      agent.limits.whole
        == RunLimits(steps: 9, seconds: 900, cost: Money(decimal: "0.25"), depth: 2))
    #expect(agent.loop?.when == "critique.verdict == \"no\"" && agent.trigger?.when == "approved")
    #expect(agent.sandbox == SandboxDefinition(type: "podman", network: .open))
  }

  @Test(arguments: [
    ("model: sonnet", "sonnet"), ("model: opus", "opus"), ("model: haiku", "haiku"),
    ("model: inherit", nil), ("model: gpt-4o", "gpt-4o"),
  ])
  func asOtherToolsWriteThem(model: String, expected: String?) throws {
    let reading = AgentReading.load(
      markdown: AgentReading.markdown(
        """
        name: code-reviewer
        description: Use this agent after code was written. It looks at what changed.
        tools: Read, Grep, Bash(git diff:*, git log:*)
        \(model)
        color: red
        """))
    let agent = try reading.get().agent
    #expect(reading.warnings.isEmpty)
    #expect(agent.id == "code-reviewer" && agent.name == "code-reviewer" && agent.color == "red")
    #expect(agent.tools == ["Read", "Grep", "Bash(git diff:*, git log:*)"])
    #expect(agent.model == expected && agent.engine == nil)
    #expect(agent.models.primary == expected.map { ModelReference(model: $0) })
  }

  @Test func fieldsOfOtherToolsAreReportedAndIgnored() throws {
    let reading = AgentReading.alone(
      "mode: subagent\ntemperature: 0.1\ntools: {write: false, read: true}")
    #expect(try reading.get().agent.tools == ["read"])
    let agent = try reading.get().agent
    #expect(agent.id == "arch-agent" && agent.files.kind == .opencode)
    #expect(agent.temperature == 0.1 && agent.unused == ["mode", "tools"])
    #expect(
      agent.unusedNotice?.message
        == "`mode` and `tools` of the agent `arch-agent` mean nothing here yet: it answers by its "
        + "prompt alone")
    // One notice about all of them, and none if there are none.
    #expect(reading.warnings.isEmpty)
    #expect(try AgentReading.alone("tools: []").get().agent.unusedNotice == nil)
  }

  @Test func memoryIsAMappingHereAndAWordInOtherTools() throws {
    let agent = try AgentReading.alone("memory: {keep: user, recall: {items: 3}}").get().agent
    var expected = MemorySettings(keep: .user)
    expected.recall.items = 3
    #expect(agent.memory == expected && agent.unused.isEmpty)
    let other = try AgentReading.alone("memory: project").get().agent
    #expect(other.memory == nil && other.unused == ["memory"])
    let table = try AgentReading.both("[agent.memory]\nkeep = \"session\"", "strict: true")
    #expect(table.memory?.keep == .session)
    let wrong = AgentReading.alone("memory: {keep: everybody}")
    #expect(wrong.failures.first?.message.contains("`keep` must be `user`") == true)
  }
}

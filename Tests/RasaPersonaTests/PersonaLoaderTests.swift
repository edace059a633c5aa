import RasaCore
import RasaDocuments
import RasaPersona
import Testing

@Suite struct PersonaLoaderTests {
  @Test func everyFieldIsRead() throws {
    let reading = try Loading.personaReading(
      """
      name: analyst
      alias: ana
      description: Analyses.
      frames: [stateless_frame, session_frame]
      operators: [preference_agent, critic_agent]
      domain_frames: [market_frame]
      domain_operators: [explain_operator]
      prompt_style: detailed
      metadata: {tone: calm, sources: [A, B], ratio: 0.5}
      example_queries: [What now?]
      recommended_models: {primary: "openai:gpt-4o", fallback: "llama3:8b", premium: o1}
      performance_profile: thinking
      cost_budget: {max_per_execution: 0.10, max_daily: 5.00, max_monthly: "100", policy: downgrade}
      capabilities: [valuation]
      tools: {search: {kind: http, url: "https://example.com/{word}"}}
      limits: {steps: 32, seconds: 90.5, cost: 0.000000000001, depth: 2}
      """)
    let persona = try reading.get()
    #expect(reading.warnings.isEmpty)
    #expect(persona.name == "analyst" && persona.alias == "ana")
    #expect(persona.description == "Analyses." && persona.promptStyle == "detailed")
    #expect(persona.frames.map(\.name) == ["stateless_frame", "session_frame", "market_frame"])
    #expect(persona.frames.map(\.kind) == [.stateless, .session, .stateless])
    #expect(persona.frames.allSatisfy { $0.operators == nil && $0.next.isEmpty })
    #expect(
      persona.operators.map(\.name) == ["preference_agent", "critic_agent", "explain_operator"])
    #expect(persona.metadata.keys == ["tone", "sources", "ratio"])
    #expect(persona.metadata["ratio"] == 0.5 && persona.exampleQueries == ["What now?"])
    #expect(persona.models.primary == ModelReference(engine: "openai", model: "gpt-4o"))
    #expect(persona.models.fallback == ModelReference(model: "llama3:8b"))
    #expect(persona.models.premium == ModelReference(model: "o1"))
    #expect(persona.profile == .thinking && persona.capabilities == ["valuation"])
    #expect(
      persona.budget
        == CostBudget(
          maxPerExecution: Money(decimal: "0.1"), maxDaily: Money(decimal: "5"),
          maxMonthly: Money(decimal: "100"), policy: .downgrade))
    #expect(persona.tools.map(\.name) == ["search"] && persona.tools[0].kindName == "http")
    #expect(
      persona.limits
        == RunLimits(steps: 32, seconds: 90.5, cost: Money(picoDollars: 1), depth: 2))
  }

  @Test func theLeastIsANameADescriptionAndAFrame() throws {
    let persona = try Loading.persona("frames: [session_frame]").get()
    #expect(persona.operators.isEmpty && persona.promptStyle == "default")
    #expect(persona.limits == RunLimits() && persona.budget == CostBudget())
    #expect(persona.models == RecommendedModels() && persona.profile == nil)
    #expect(persona.tools.isEmpty && persona.alias == nil)
  }

  @Test(
    arguments: [
      ("state_stack: [session_frame]", ["session_frame"], [FrameKind.session]),
      ("state_stack: [a]\ndomain_frames: [b]", ["a", "b"], [.stateless, .stateless]),
      (
        "frames: [short_term_memory_frame, long_term_memory_frame, persona_frame]",
        ["short_term_memory_frame", "long_term_memory_frame", "persona_frame"],
        [.shortTerm, .longTerm, .stateless]
      ),
      ("domain_frames: [b]", ["b"], [.stateless]),
    ])
  func legacyFrames(lines: String, names: [String], kinds: [FrameKind]) throws {
    let reading = try Loading.persona(lines)
    let persona = try reading.get()
    #expect(persona.frames.map(\.name) == names && persona.frames.map(\.kind) == kinds)
    #expect(reading.warnings.isEmpty)
  }

  @Test func framesInTheMappedForm() throws {
    let persona = try Loading.persona(
      """
      frames:
        - name: first
          kind: session
          operators: [respond, critic_agent]
          next:
            - {to: second, when: critique.verdict == "pass", at_most: 3}
            - end
          parallel: [left, right]
        - {name: second, next: first, operators: [{name: compose}, respond]}
        - left
        - {name: right, kind: short_term, operators: []}
      operators: [respond]
      """
    ).get()
    #expect(persona.frames.map(\.name) == ["first", "second", "left", "right"])
    #expect(persona.frames.map(\.kind) == [.session, .stateless, .stateless, .shortTerm])
    #expect(
      persona.frames.map(\.operators)
        == [["respond", "critic_agent"], ["compose", "respond"], nil, []])
    #expect(persona.frames[0].next.map(\.to) == ["second", "end"])
    #expect(persona.frames[0].next.map(\.atMost) == [3, nil])
    #expect(persona.frames[0].next[0].when?.source == "critique.verdict == \"pass\"")
    #expect(persona.frames[1].next.map(\.to) == ["first"])
    #expect(persona.frames[0].parallel == ["left", "right"])
    #expect(persona.operators.map(\.name) == ["respond", "critic_agent", "compose"])
  }

  @Test func anEntryCanChangeFieldsOfALibraryOperator() throws {
    let persona = try Loading.persona(
      """
      frames: [session_frame]
      operators:
        - name: critic_agent
          max_tokens: 200
          then: [{when: critique.verdict == "revise", to: respond, at_most: 1}]
      """
    ).get()
    let shipped = try Shipped.library.operatorDefinition(named: "critic_agent")
    let critic = try #require(persona.operators.first)
    #expect(critic.maxTokens == 200 && critic.then.map(\.atMost) == [1])
    #expect(critic.reads == shipped.reads && critic.writes == shipped.writes)
    #expect(critic.prompt == shipped.prompt && critic.output == shipped.output)
    #expect(critic.profile == .thinking && critic.kind == .llm && critic.frame == "session_frame")
    #expect(critic.location.file == "p.yaml" && critic.location.line == 5)
  }

  @Test func anEntryWithAKindIsThePersonasOwn() throws {
    let persona = try Loading.persona(
      """
      frames: [session_frame]
      operators:
        - {name: respond, kind: rule, rules: [{set: {draft: Hello}}]}
        - {name: echo, kind: llm, reads: [input], writes: [draft], prompt: "{{input}}"}
      """
    ).get()
    #expect(persona.operators.map(\.kind) == [.rule, .llm])
    #expect(persona.operators[0].prompt == nil)
  }

  @Test(
    arguments: [
      ("primary: gpt-4o", nil, "gpt-4o"), ("primary: \"llama3:8b\"", nil, "llama3:8b"),
      ("primary: \"ollama:llama3:8b\"", "ollama", "llama3:8b"),
      ("primary: \"anthropic:claude\"", "anthropic", "claude"),
      ("primary: \"gemini:g\"", "gemini", "g"), ("primary: \"mock:m\"", "mock", "m"),
      (
        "primary: {engine: gemini, model: g-2, priority: thinking, cost_tier: high}", "gemini",
        "g-2"
      ),
      ("primary: {model: \"openai:gpt-4o\"}", "openai", "gpt-4o"),
      ("primary: {engine: ollama, model: \"openai:x\"}", "ollama", "openai:x"),
      ("primary: {engine: groq, model: llama}", "groq", "llama"),
    ] as [(String, String?, String)])
  func modelsAreNamedInSeveralWays(line: String, engine: String?, model: String) throws {
    let persona = try Loading.persona("frames: [a]\nrecommended_models: {\(line)}").get()
    #expect(persona.models.primary == ModelReference(engine: engine, model: model))
  }

  @Test(
    arguments: [
      ("performance_profile: expert", .expert),
      ("performance_profile: {thinking_depth: low}", .speed),
      ("performance_profile: {thinking_depth: medium}", .balanced),
      (
        "performance_profile: {thinking_depth: high, iteration_speed: low, output_volume: high}",
        .thinking
      ),
      ("recommended_models: {primary: {model: m, priority: speed}}", .speed),
      (
        "performance_profile: {thinking_depth: high}\n"
          + "recommended_models: {primary: {model: m, priority: speed}}", .speed
      ),
      (
        "performance_profile: expert\nrecommended_models: {primary: {model: m, priority: speed}}",
        .expert
      ),
      ("performance_profile: {iteration_speed: low}", nil), ("alias: x", nil),
    ] as [(String, PerformanceProfile?)])
  func profilesAreAWordOrAMapping(lines: String, profile: PerformanceProfile?) throws {
    #expect(try Loading.persona("frames: [a]\n" + lines).get().profile == profile)
  }

  static let mistakes: [Mistake] = [
    Mistake("- a", "1:1", "a persona must be a mapping"),
    Mistake("description: d\nframes: [a]", "1:1", "no `name`"),
    Mistake("name: p\nframes: [a]", "1:1", "no `description`"),
    Mistake("name: P\ndescription: d\nframes: [a]", "1:7", "must be a name"),
    Mistake(short("alias: A b"), "4:8", "must be a name"),
    Mistake("name: p\ndescription: d", "1:1", "no frames", suggestion: "frames: [session_frame]"),
    Mistake("name: p\ndescription: d\nframes: []", "3:9", "no frames"),
    Mistake("name: p\ndescription: d\nframes: a", "3:9", "must be a list of frames"),
    Mistake("name: p\ndescription: d\nframes: [a, a]", "3:13", "`a` is listed twice"),
    Mistake("name: p\ndescription: d\nframes: [A]", "3:10", "must be a name"),
    Mistake("name: p\ndescription: d\nframes: [{kind: session}]", "3:10", "has no `name`"),
    Mistake("name: p\ndescription: d\nframes: [{name: a, kind: sesion}]", "3:26", "`session`"),
    Mistake(short("state_stack: [b]"), "4:14", "both are given"),
    Mistake(
      "name: p\ndescription: d\nframes: [{name: a, next: [{when: x}]}]", "3:27",
      "no target"),
    Mistake(
      "name: p\ndescription: d\nframes: [{name: a, next: [{to: b, when: x ==}]}]", "3:45",
      "value is missing"),
    Mistake(
      "name: p\ndescription: d\nframes: [{name: a, parallel: b}]", "3:30", "list of frames"),
    Mistake(
      short("operators: [critic_agnt]"), "4:13", "no operator `critic_agnt`",
      suggestion: "did you mean `critic_agent`?"),
    Mistake(short("operators: [zzz]"), "4:13", "no operator `zzz`", suggestion: "available: alt_"),
    Mistake(short("operators: [{name: zzz}]"), "4:20", "no operator", suggestion: "needs a `kind`"),
    Mistake(short("operators: [{kind: llm}]"), "4:13", "has no `name`"),
    Mistake(short("operators: [respond, respond]"), "4:22", "`respond` is listed twice"),
    Mistake(short("operators: [respond]\ndomain_operators: [respond]"), "5:20", "twice"),
    Mistake(short("operators: respond"), "4:12", "must be a list of operators"),
    Mistake(short("operators: [{name: respond, max_tokens: x}]"), "4:41", "whole number"),
    Mistake(
      short("operators: [{name: respond, prompt: \"{{mood}}\"}]"), "4:38", "inserts `mood`"),
    Mistake(short("metadata: [a]"), "4:11", "`metadata` must be a mapping"),
    Mistake(short("example_queries: [1]"), "4:19", "must be text"),
    Mistake(short("prompt_style: 1"), "4:15", "must be text"),
    Mistake(short("capabilities: {a: b}"), "4:15", "list of texts"),
    Mistake(short("performance_profile: fast"), "4:22", "`speed`, `balanced`"),
    Mistake(short("performance_profile: {thinking_depth: deep}"), "4:39", "`low`, `medium`"),
    Mistake(short("recommended_models: gpt-4o"), "4:21", "must be a mapping"),
    Mistake(short("recommended_models: {fallback: a}"), "4:21", "no `primary`"),
    Mistake(short("recommended_models: {primary: [a]}"), "4:31", "`primary` must be text"),
    Mistake(short("recommended_models: {primary: {engine: openai}}"), "4:31", "not name a model"),
    Mistake(short("recommended_models: {primary: \"openai:\"}"), "4:31", "a model such as"),
    Mistake(short("cost_budget: 5"), "4:14", "must be a mapping"),
    Mistake(short("cost_budget: {max_daily: much}"), "4:26", "an amount in dollars"),
    Mistake(short("cost_budget: {max_daily: -1}"), "4:26", "an amount in dollars"),
    Mistake(short("cost_budget: {max_daily: 1e3}"), "4:26", "an amount in dollars"),
    Mistake(short("cost_budget: {max_daily: 0.0000000000001}"), "4:26", "an amount in dollars"),
    Mistake(short("cost_budget: {policy: refuse}"), "4:23", "`reject`, `downgrade`"),
    Mistake(short("limits: {steps: 0}"), "4:17", "from 1 to 1000000"),
    Mistake(short("limits: {seconds: no}"), "4:19", "a number from"),
    Mistake(short("limits: {depth: 65}"), "4:17", "from 1 to 64"),
    Mistake(short("limits: {cost: free}"), "4:16", "an amount in dollars"),
  ]

  private static func short(_ line: String) -> String {
    "name: p\ndescription: d\nframes: [a]\n" + line
  }

  @Test(arguments: mistakes)
  func mistakesAreReportedWithTheirLocation(mistake: Mistake) throws {
    let reading = try Loading.personaReading(mistake.text)
    #expect(reading.definition == nil)
    #expect(mistake.isTold(by: reading.failures), "\(reading.failures)")
  }

  @Test func mistakesInLibraryOperatorsKeepTheirOwnPlace() throws {
    let operators = MemorySource(
      folder: "operators", files: ["broken": Array("name: broken\nkind: llm\nwrites: [a]".utf8)])
    let library = Library(personas: [], operators: [operators])
    let text = "name: p\ndescription: d\nframes: [Bad]\noperators: [broken]"
    let reading = library.readPersona(
      SourceDocument(bytes: Array(text.utf8), path: "p.yaml"), beside: operators)
    #expect(
      Set(reading.failures.compactMap { $0.location?.description })
        == ["p.yaml:3:10", "operators/broken.yaml:1:1"])
  }

  @Test func unknownKeysWarnWithASuggestion() throws {
    let reading = try Loading.persona(
      """
      frames: [{name: a, nxt: end}]
      operator: [respond]
      limits: {step: 3}
      cost_budget: {max_dayly: 3}
      """)
    let persona = try reading.get()
    #expect(
      reading.warnings.map(\.description) == [
        "p.yaml:3:20: `nxt` is unknown in a frame and ignored; did you mean `next`?",
        "p.yaml:4:1: `operator` is unknown in a persona and ignored; "
          + "did you mean `operators`?",
        "p.yaml:5:10: `step` is unknown in `limits` and ignored; did you mean `steps`?",
        "p.yaml:6:15: `max_dayly` is unknown in `cost_budget` and ignored; "
          + "did you mean `max_daily`?",
      ])
    #expect(Set(persona.warnings) == Set(reading.warnings))
  }
}

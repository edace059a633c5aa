import RasaCore
import RasaPersona
import Testing

/// The names of personas, operators and agents, and their problems, all reported at once.
@Suite struct NamesAndProblemsTests {
  private static func library(
    personas: [String: String] = [:], operators: [String: String] = [:]
  ) -> Library {
    Library(
      personas: [MemorySource(files: personas.mapValues { Array($0.utf8) })],
      operators: [
        MemorySource(folder: "operators", files: operators.mapValues { Array($0.utf8) })
      ])
  }

  private static let persona = "description: d\nframes: [session_frame]\n"

  // MARK: Names

  @Test("the name of a file counts, so that no two files of a folder share a budget")
  func fileNames() throws {
    let library = Self.library(
      personas: [
        "copy_a": "name: original\n" + Self.persona, "copy_b": "name: original\n" + Self.persona,
      ])
    for name in ["copy_a", "copy_b"] {
      let reading = try library.readPersona(named: name)
      #expect(reading.definition?.name == name)
      #expect(reading.warnings.first?.description.hasPrefix("personas/\(name).yaml:1:7: ") == true)
    }
  }

  @Test("an operator's name is that of its file, and a different one inside is reported")
  func operatorNames() throws {
    let rule = "kind: rule\nrules: [{set: {draft: x}}]\n"
    let library = Self.library(operators: ["one": rule, "two": "name: three\n" + rule])
    #expect(try library.readOperator(named: "one").definition?.name == "one")
    #expect(try library.readOperator(named: "one").warnings.isEmpty)
    let two = try library.readOperator(named: "two")
    #expect(two.definition?.name == "two")
    #expect(
      two.warnings.map(\.description) == [
        "operators/two.yaml:1:7: the file is named `two` but calls itself `three`; `two` is used"
      ])
  }

  @Test(
    "an invalid name is reported with a valid one",
    arguments: [
      ("Stock Analyst", "write `stock_analyst`: "), ("stock-Analyst", "write `stock-analyst`: "),
      ("Prüfer", "write `prufer`: "), ("コード", "names consist of"), ("C#", "write `c_sharp`: "),
    ])
  func names(name: String, suggestion: String) throws {
    let reading = try Loading.personaReading("name: \"\(name)\"\n" + Self.persona)
    #expect(reading.failures.first?.suggestion.hasPrefix(suggestion) == true, "\(reading.failures)")
  }

  @Test("an alias that two personas share, or that is another one's name, is reported")
  func aliases() throws {
    let library = Self.library(personas: [
      "a": "name: a\nalias: b\n" + Self.persona, "b": "name: b\nalias: x\n" + Self.persona,
      "c": "name: c\nalias: x\n" + Self.persona, "d": "name: d\nalias: own\n" + Self.persona,
    ])
    let reported = try library.sharedNames()
    #expect(reported.keys.sorted() == ["a", "c"])
    #expect(reported["a"]?.first?.message.contains("the name of a persona") == true)
    #expect(
      reported["c"]?.first?.description.hasPrefix("personas/c.yaml:2:8: the alias `x`") == true)
    #expect(reported["c"]?.first?.message.contains("that of `b`") == true)
  }

  // MARK: All problems at once

  @Test("a repeated key is an error that hides no other problem")
  func repeatedKeys() throws {
    let reading = try Loading.personaReading(
      "name: p\nname: q\nDescription: d\nframes: [sesion_frame]\nodd: 1\n")
    #expect(reading.failures.map { $0.location?.line } == [1, 2, 4])
    #expect(reading.warnings.map { $0.location?.line } == [3, 5])
  }

  @Test("errors hide no warnings, and a suggestion is shown below its problem")
  func errorsAndWarnings() throws {
    let reading = try Loading.personaReading(
      "name: caps\nDescription: d\nFrames: [session_frame]\noperators: []\n")
    #expect(reading.failures.count == 2)
    #expect(
      reading.warnings.map(\.message) == [
        "`Description` is unknown in a persona and ignored; did you mean `description`?",
        "`Frames` is unknown in a persona and ignored; did you mean `frames`?",
      ])
    let failure = #expect(throws: Failure.self) { try reading.get() }
    let lines = failure?.description.split(separator: "\n").map(String.init) ?? []
    let suggestion = lines.firstIndex { $0.contains("→ add `description: …`") } ?? .max
    let second = lines.firstIndex { $0.contains("has no frames") } ?? .min
    #expect(suggestion < second)
  }

  @Test("a broken operator does not hide other problems of its persona")
  func brokenOperator() throws {
    let library = Self.library(
      personas: [
        "p": "name: p\ndescription: d\nframes: [session_frame]\noperators: [bad]\n"
          + "limits: {steps: 0}\n"
      ],
      operators: ["bad": "kind: nothing\nreads: 3\ntimeout: no\n"])
    let reading = try library.readPersona(named: "p")
    #expect(
      reading.failures.compactMap { $0.location?.description }.sorted() == [
        "operators/bad.yaml:1:7", "operators/bad.yaml:2:8", "operators/bad.yaml:3:10",
        "personas/p.yaml:5:17",
      ])
    #expect(reading.partial?.operators.map(\.name) == ["bad"])
  }

  // MARK: Frames

  @Test(
    "a typo in a frame's name is an error instead of a frame without memory",
    arguments: [
      ("frames: [stateless_frame, sesion_frame]", "3:27", "did you mean `session_frame`?"),
      ("frames: [{name: long_tern_frame}]", "3:17", "did you mean `long_term_frame`?"),
      ("state_stack: [sesion]", "3:15", "did you mean `session`?"),
    ])
  func frames(line: String, place: String, suggestion: String) throws {
    let reading = try Loading.persona(line)
    #expect(reading.failures.map { $0.location?.description } == ["p.yaml:\(place)"])
    #expect(reading.failures.first?.suggestion.hasPrefix(suggestion) == true)
  }

  @Test(
    "a frame with another name sets its kind, or is reported by validation",
    arguments: [
      ("frames: [market_frame]", ["market_frame"]), ("frames: [{name: sesion, kind: session}]", []),
      ("frames: [{name: step, agent: someone}]", []), ("frames: [persona_frame]", []),
    ])
  func vagueFrames(line: String, names: [String]) throws {
    let persona = try Loading.persona(line).get()
    #expect(persona.frames.filter(\.isKindAssumed).map(\.name) == names)
    #expect(persona.vagueFrames.count == names.count)
  }

  // MARK: Prompts

  @Test(
    "an empty prompt is an error",
    arguments: ["prompt: ''", "prompt: \"  \\n\\t\"", "prompt: |\n\n  \n"])
  func emptyPrompts(line: String) throws {
    let reading = try Loading.operatorReading(
      "name: o\nkind: llm\nreads: [input]\nwrites: {draft: text}\n\(line)")
    #expect(reading.failures.map(\.message) == ["the prompt is empty"])
  }

  @Test(
    "an agent's prompt of blanks and comments is empty",
    arguments: [
      ("", true), ("\n \t\n", true), ("<!-- write it here -->\n", true),
      ("<!-- one --> <!-- two\n -->\n", true), ("<!-- one --> x", false), ("x", false),
      ("<!-- never closed", false),
    ])
  func blankPrompts(text: String, isBlank: Bool) {
    let place = SourceLocation(file: "a.md", line: 1, column: 1)
    #expect(AgentPrompt(text: text, location: place).isBlank == isBlank)
  }
}

/// Words and fields as in files of other tools.
@Suite struct AgentWordTests {
  @Test(
    "engines and profiles by the words that people use",
    arguments: [
      ("engine: claude", "anthropic", nil), ("engine: anthropic-claude", "anthropic", nil),
      ("engine: GPT", "openai", nil), ("engine: google", "google", nil),
      ("performance_profile: fast", nil, .speed), ("performance_profile: Cheap", nil, .speed),
      ("performance_profile: quality", nil, .thinking), ("performance_profile: speed", nil, .speed),
      ("persona: {performance: {profile: fast}}", nil, .speed),
    ] as [(String, String?, PerformanceProfile?)])
  func words(line: String, engine: String?, profile: PerformanceProfile?) throws {
    let reading = AgentReading.alone(line)
    let agent = try reading.get().agent
    #expect(agent.engine == engine && agent.profile == profile)
    let isOurs = line.hasSuffix("speed") || line.hasSuffix("google")
    #expect(reading.warnings.isEmpty == isOurs, "\(reading.warnings)")
  }

  @Test("a configured engine takes precedence over the usual meaning of its name")
  func configuredEngines() throws {
    let documents = AgentDocuments(
      prompt: SourceDocument(
        bytes: Array(AgentReading.markdown("name: a\nengine: claude").utf8), path: "a.md"),
      fileName: "a")
    let engines = AgentLoader.builtInEngines.union(["claude"])
    #expect(try AgentLoader.load(documents, engines: engines).get().agent.engine == "claude")
  }

  @Test("of a list of models the first is tried first, the second as a fallback")
  func models() throws {
    let reading = AgentReading.alone("model: [Claude Opus 4.5, openai:gpt-4o]")
    let models = try reading.get().agent.models
    #expect(models.primary == ModelReference(model: "Claude Opus 4.5"))
    #expect(models.fallback == ModelReference(engine: "openai", model: "gpt-4o"))
    #expect(reading.warns("`model` is a list", at: "a.md:4:8"))
    #expect(try AgentReading.alone("model: [inherit]").get().agent.models.primary == nil)
    #expect(try AgentReading.alone("model: []").get().agent.models.primary == nil)
  }

  @Test(
    "turns bound how often an agent answers",
    arguments: [("max_turns: 1", 1), ("maxTurns: '2'", 2), ("steps: 9", 9), ("maxSteps: 3", 3)])
  func turns(line: String, turns: Int) throws {
    var agent = try AgentReading.alone("\(line)\nquality_gates: [tests]").get().agent
    #expect(agent.maxTurns == turns)
    agent.loop = LoopBehavior(steps: 1, maxIterations: 5, when: "input == 'x'")
    let prompt = AgentPrompt(
      text: "Do it.", location: SourceLocation(file: "a.md", line: 1, column: 1))
    let persona = try agent.persona(
      Agent.Parts(
        prompt: prompt, template: try agent.template(prompt),
        insert: { path throws(Failure) in throw Failure(.configuration, path) },
        operatorNamed: { name throws(Failure) in
          var definition = try Shipped.library.operatorDefinition(named: name)
          definition.then = []
          return definition
        }))
    let review = persona.operators.first { $0.name == "quality_review" }
    let revise = review?.then.first { $0.atMost != nil }
    #expect(revise?.atMost == (turns > 1 ? min(2, turns - 1) : nil))
    let decision = persona.operators.first { $0.name == "loop_decision" }
    #expect(decision?.then.first?.atMost == (turns > 1 ? min(5, turns - 1) : nil))
  }

  @Test("proposals use the author's own words, and no unavailable model")
  func proposals() {
    var agent = Agent(
      id: "postgres-expert", name: "Postgres Expert", description: "Helps with databases.")
    agent.model = "sonnet"
    agent.models.primary = ModelReference(model: "sonnet")
    let prompt = """
      You know PostgreSQL.

      ## Focus areas

      - **Query optimization**: plans and indexes
      - Partitioning
      - Logical replication
      - Always ask before you drop a table, a view or an index.

      ## Output format

      - Short lists
      """
    let proposals = AgentProposal.byRules(for: agent, prompt: prompt)
    let capabilities = proposals.first { $0.key == "capabilities" }
    let skills = capabilities?.value.array?.compactMap(\.string) ?? []
    #expect(skills.contains("database-design"))
    for own in ["query-optimization", "partitioning", "logical-replication"] {
      #expect(skills.contains(own), "\(skills)")
    }
    #expect(!skills.contains("short-lists") && skills.count <= 8)
    #expect(!proposals.contains { $0.key == "recommended_models" })
    agent.engine = "anthropic"
    agent.models.primary = ModelReference(engine: "anthropic", model: "sonnet")
    #expect(
      AgentProposal.byRules(for: agent, prompt: prompt).contains { $0.key == "recommended_models" })
  }
}

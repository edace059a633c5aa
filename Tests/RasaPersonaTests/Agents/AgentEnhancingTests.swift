import RasaCore
import RasaPersona
import RasaTestKit
import Testing

/// Missing fields of an agent are proposed from its own text and added to its file.
@Suite struct AgentEnhancingTests {
  private func agent(_ id: String, _ description: String = "") -> Agent {
    Agent(id: id, description: description)
  }

  private func proposed(
    _ key: String, for agent: Agent, prompt: String = "", model: ModelReference? = nil
  ) -> Value? {
    AgentProposal.byRules(for: agent, prompt: prompt, model: model).first { $0.key == key }?.value
  }

  // MARK: Rules

  @Test(arguments: [
    ("api-design-agent", "API Design Agent"), ("code", "Code"), ("ui-3d-tester", "UI 3d Tester"),
  ])
  func theNameForPeopleIsMadeOfTheID(id: String, name: String) {
    #expect(proposed("display_name", for: agent(id)) == .string(name))
  }

  @Test(arguments: [
    ("rest-helper", "Designs REST APIs for services.", "", ["api-design"]),
    (
      "x", "Reviews pull requests and finds vulnerabilities.", "",
      ["code-review", "security-review"]
    ),
    ("x", "Helps.", "Translate it. Translated texts. A translation.", ["translation"]),
    ("summarizer", "", "", ["summarization"]),
    ("tea-sommelier-agent", "Knows about tea.", "", ["tea-sommelier"]),
    ("agent", "", "", ["agent"]),
  ])
  func capabilitiesAreThoseThatTheWordsTell(
    id: String, description: String, prompt: String, expected: [String]
  ) {
    let value = proposed("capabilities", for: agent(id, description), prompt: prompt)
    #expect((value?.array ?? []).compactMap(\.string).prefix(expected.count) == expected[...])
  }

  @Test(arguments: [
    ("Designs system architecture and plans migrations.", "thinking"),
    ("Quick formatting of source files.", "speed"),
    ("Reads contracts for legal risks.", "expert"), ("Talks about tea.", "balanced"),
  ])
  func theProfileFitsTheWork(description: String, profile: String) {
    #expect(
      proposed("performance_profile", for: agent("x", description)) == .string(profile))
  }

  @Test func examplesAreThoseThatTheDescriptionQuotes() {
    let text = "Use it. <example>user: \"Check my PR\"</example> user: 'And \"this\"' user: \"cut"
    #expect(proposed("example_queries", for: agent("x", text)) == ["Check my PR", "And \"this\""])
  }

  @Test func modelsAreProposedOnlyWhereOneIsNamed() {
    var agent = agent("x")
    #expect(proposed("recommended_models", for: agent) == nil)
    let named = ModelReference(engine: "openai", model: "gpt-4o")
    #expect(
      proposed("recommended_models", for: agent, model: named) == ["primary": "openai:gpt-4o"])
    agent.engine = "gemini"
    agent.model = "g"
    agent.models.primary = ModelReference(engine: "gemini", model: "g")
    #expect(proposed("recommended_models", for: agent) == ["primary": "gemini:g"])
    agent.models.fallback = named
    #expect(proposed("recommended_models", for: agent) == nil)
  }

  @Test func whatIsSaidIsNotProposed() throws {
    let agent = try AgentReading.load(markdown: AgentFormTests.everyFrontMatterField).get().agent
    #expect(AgentProposal.byRules(for: agent, prompt: "Review code.").isEmpty)
  }

  // MARK: Files

  private static let proposals = [
    AgentProposal(key: "display_name", value: "Arch: the #1", reason: ""),
    AgentProposal(key: "capabilities", value: ["design", "no", "3d"], reason: ""),
    AgentProposal(key: "recommended_models", value: ["primary": "openai:gpt-4o"], reason: ""),
    AgentProposal(key: "example_queries", value: ["Design it, please", "- why?"], reason: ""),
  ]

  private static let lines = [
    "display_name: \"Arch: the #1\"", "capabilities: [design, \"no\", \"3d\"]",
    "recommended_models:", "  primary: openai:gpt-4o", "example_queries:",
    "  - Design it, please", "  - \"- why?\"", "",
  ]

  private func enhanced(_ bytes: [UInt8]) throws -> [UInt8] {
    try FrontMatterEdit.adding(
      Self.proposals, to: SourceDocument(bytes: bytes, path: "a.md"),
      identity: [AgentProposal(key: "agent_id", value: "arch-agent", reason: "")])
  }

  @Test(arguments: ["\n", "\r\n"])
  func fieldsAreAddedBelowTheExistingOnes(end: String) throws {
    let before = ["---", "# mine", "name: arch-agent", "odd:   [ 1,2 ]  # kept"]
    let after = ["---", "", "You design. ---", "{{input}}"]
    let text = (before + after).joined(separator: end)
    let expected = (before + Self.lines.dropLast() + after).joined(separator: end)
    #expect(String(decoding: try enhanced(Array(text.utf8)), as: UTF8.self) == expected)
  }

  @Test func aPromptWithoutFrontMatterGetsOne() throws {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let text = try enhanced(mark + Array("You design.\n".utf8))
    #expect(Array(text.prefix(3)) == mark)
    let expected =
      "---\nagent_id: arch-agent\n\(Self.lines.joined(separator: "\n"))---\nYou design.\n"
    #expect(String(decoding: text.dropFirst(3), as: UTF8.self) == expected)
  }

  @Test func aFieldWithoutAValueGetsOneInItsPlace() throws {
    let text = "---\ncapabilities:\nname: a\n---\nx\n"
    let bytes = try FrontMatterEdit.adding(
      [Self.proposals[1]], to: SourceDocument(bytes: Array(text.utf8), path: "a.md"), identity: [])
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == "---\ncapabilities: [design, \"no\", \"3d\"]\nname: a\n---\nx\n")
  }

  @Test func nothingIsOverwritten() throws {
    let document = SourceDocument(bytes: Array("---\ncapabilities: []\n---\nx".utf8), path: "a.md")
    #expect(try FrontMatterEdit.new(Self.proposals, in: document).count == 3)
    #expect(throws: Failure.self) {
      try FrontMatterEdit.adding(Self.proposals, to: document, identity: [])
    }
  }

  @Test(arguments: ["---\n{name: a}\n---\nx", "---\nname: a\nx"])
  func whatLinesCannotBeAddedToIsRefused(text: String) {
    #expect { try enhanced(Array(text.utf8)) } throws: { ($0 as? Failure)?.location != nil }
  }

  /// Any text that a model or a person proposes is read back as it was meant.
  @Test(arguments: 0..<4)
  func anyTextIsReadBackUnchanged(seed: UInt64) throws {
    var random = SeededNumbers(seed: seed)
    let pieces = [
      "a", "B", " ", ":", "#", "-", "'", "\"", "\\", "{", "[", ",", "&", "*", "!", "%", "@", "`",
      "?", "|", ">", "é", "分", "🙂", "0", ".5", "true", "null", "~", "=", "\u{85}", "\u{2028}",
    ]
    for _ in 0..<200 {
      let texts = (0..<3).map { _ in
        "x" + (0..<random.upTo(8)).map { _ in pieces[random.upTo(pieces.count)] }.joined()
      }
      let list = Value.array(texts.map { .string($0) })
      let proposals = [
        AgentProposal(key: "display_name", value: .string(texts[0]), reason: ""),
        AgentProposal(key: "capabilities", value: list, reason: ""),
        AgentProposal(key: "recommended_models", value: ["primary": .string(texts[1])], reason: ""),
      ]
      #expect(throws: Never.self, "\(texts)") {
        try FrontMatterEdit.adding(
          proposals, to: SourceDocument(bytes: Array("---\nname: a\n---\nx".utf8), path: "a.md"),
          identity: [])
      }
    }
  }

  // MARK: Drafts

  private func documents(_ draft: AgentDraft, _ form: AgentDraft.Form) -> AgentDocuments {
    let files = draft.files(form)
    return AgentDocuments(
      config: form == .toml
        ? SourceDocument(bytes: Array(files[0].text.utf8), path: files[0].name) : nil,
      prompt: files.last.map { SourceDocument(bytes: Array($0.text.utf8), path: $0.name) },
      fileName: draft.id)
  }

  @Test(
    "A draft without a description is not ready, and a described one tells the model so",
    arguments: AgentDraft.Form.allCases)
  func drafts(form: AgentDraft.Form) throws {
    func findings(_ draft: AgentDraft) -> [String] {
      let documents = documents(draft, form)
      return AgentValidation(agents: [:]) { (path, _) throws(Failure) in
        throw Failure(.configuration, path)
      }.findings(on: documents, AgentLoader.load(documents)).failures.map(\.message)
    }
    #expect(
      findings(AgentDraft(id: "api-designer"))
        == ["the description is still the placeholder of a new agent"])
    let described = AgentDraft(id: "a", description: "Designs interfaces that last for years.")
    #expect(findings(described).isEmpty)
    #expect(
      described.files(form).last?.text.contains("Designs interfaces that last for years.\n") == true
    )
  }

  @Test(arguments: AgentDraft.Form.allCases)
  func aDraftIsValid(form: AgentDraft.Form) throws {
    for draft in [
      AgentDraft(id: "api-designer", description: "Designs interfaces that last for years."),
      AgentDraft(
        id: "x", name: "X: \"quoted\" \\ #1", description: "Says \"no\": twice,\tor more often.",
        capabilities: ["no", "a b"], model: ModelReference(engine: "openai", model: "gpt-4o"),
        profile: .expert),
    ] {
      let documents = documents(draft, form)
      let reading = AgentLoader.load(documents)
      let agent = try reading.get().agent
      #expect(agent.id == draft.id && agent.name == draft.name)
      #expect(agent.description == draft.description && agent.capabilities == draft.capabilities)
      #expect(agent.models.primary == draft.model && agent.profile == draft.profile)
      let findings = AgentValidation(agents: [:], isStrict: true) {
        (path, _) throws(Failure) in throw Failure(.configuration, path)
      }.findings(on: documents, reading)
      #expect(findings.failures.isEmpty && findings.warnings.isEmpty, "\(findings)")
    }
  }
}

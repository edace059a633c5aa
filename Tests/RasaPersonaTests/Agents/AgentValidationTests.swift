import RasaCore
import RasaPersona
import Testing

/// Problems of agents that only validation finds.
@Suite struct AgentValidationTests {
  private static let good =
    "description: Designs systems that many people use.\ncapabilities: [design]"

  /// One Markdown agent among others, with names that its prompt can insert.
  private func findings(
    _ lines: String = good, body: String = "You design systems.\n", others: [Agent] = [],
    files: Set<String> = [], isStrict: Bool = false
  ) -> AgentValidation.Findings {
    let text = AgentReading.markdown("name: arch-agent\n\(lines)", body: body)
    let documents = AgentDocuments(
      prompt: SourceDocument(bytes: Array(text.utf8), path: "a.md"), fileName: "arch-agent")
    return findings(documents, others, files, isStrict)
  }

  private func findings(
    _ documents: AgentDocuments, _ others: [Agent] = [], _ files: Set<String> = [],
    _ isStrict: Bool = false
  ) -> AgentValidation.Findings {
    let reading = AgentLoader.load(documents)
    var agents = Dictionary(others.map { ($0.id, $0) }) { first, _ in first }
    if let agent = reading.definition?.agent { agents[agent.id] = agent }
    return AgentValidation(agents: agents, isStrict: isStrict) {
      (path, _) throws(Failure) in
      guard files.contains(path) else {
        throw Failure(.configuration, "there is no file `\(path)`", suggestion: "create it")
      }
      return SourceDocument(bytes: Array("text".utf8), path: path)
    }.findings(on: documents, reading)
  }

  private func agent(_ id: String, triggers: String? = nil, when: String? = nil) -> Agent {
    var agent = Agent(id: id)
    agent.trigger = triggers.map { TriggerBehavior(agent: $0, when: when) }
    return agent
  }

  @Test func aGoodAgentHasNothingToTell() {
    let findings = findings(
      Self.good + "\nworks_well_with: [b]\ntrigger_behavior: b", others: [agent("b")])
    #expect(findings.failures.isEmpty && findings.warnings.isEmpty)
  }

  @Test(arguments: [
    (Self.good + "\ntrigger_behavior: arch-agent", [], "arch-agent -> arch-agent"),
    (Self.good + "\ntrigger_behavior: b", [("b", "arch-agent")], "arch-agent -> b -> arch-agent"),
    (
      Self.good + "\ntrigger_behavior: b", [("b", "c"), ("c", "arch-agent")],
      "arch-agent -> b -> c -> arch-agent"
    ),
  ])
  func triggersThatGoRoundAreAnError(
    lines: String, others: [(String, String)], way: String
  ) throws {
    let failures = findings(lines, others: others.map { agent($0.0, triggers: $0.1) }).failures
    let failure = try #require(failures.first)
    #expect(failures.count == 1 && failure.message.hasSuffix(way))
    #expect(failure.location?.description == "a.md:5:19" && failure.excerpt != nil)
  }

  @Test func aCycleThatACanEndByAConditionIsAWarning() {
    let findings = findings(
      Self.good + "\ntrigger_behavior: {trigger_agent_id: b, when: draft}",
      others: [agent("b", triggers: "arch-agent")])
    #expect(findings.failures.isEmpty)
    #expect(findings.warnings.map(\.message).joined().contains("arch-agent -> b -> arch-agent"))
  }

  @Test func aCycleOfOthersIsTheirs() {
    let findings = findings(
      Self.good + "\ntrigger_behavior: b",
      others: [agent("b", triggers: "c"), agent("c", triggers: "b")])
    #expect(findings.failures.isEmpty && findings.warnings.isEmpty)
  }

  @Test func anUnknownAgentToTriggerIsAnError() {
    let failures = findings(
      Self.good + "\ntrigger_behavior: code-agnt", others: [agent("code-agent")]
    ).failures
    #expect(failures.first?.message.contains("there is no such agent") == true)
    #expect(failures.first?.suggestion == "did you mean `code-agent`?")
  }

  @Test func anUnknownNeighbourIsAWarning() {
    let findings = findings(
      Self.good + "\nworks_well_with: [Code Agent, reviwer]",
      others: [agent("code-agent"), agent("reviewer")])
    #expect(findings.failures.isEmpty)
    #expect(
      findings.warnings.map(\.description) == [
        "a.md:5:1: `works_well_with` names `reviwer`, but there is no such agent; did you mean "
          + "`reviewer`?"
      ])
  }

  @Test(arguments: [
    ("capabilities: [a]", "no description"),
    ("capabilities: [a]\ndescription: Designs.", "too short for recommendations"),
    ("description: Designs systems that many use.", "no `capabilities`"),
  ])
  func whatRecommendationNeedsIsAWarning(lines: String, words: String) {
    let findings = findings(lines)
    #expect(findings.failures.isEmpty && findings.warnings.count == 1)
    #expect(findings.warnings.first?.message.contains(words) == true)
  }

  // MARK: Prompt

  @Test func aMissingPromptIsAnErrorAndNoWarningBesides() {
    let documents = AgentDocuments(
      config: SourceDocument(
        bytes: Array(
          AgentReading.toml("capabilities = [\"a\"]").utf8), path: "a.toml"),
      fileName: "arch-agent")
    let findings = findings(documents)
    #expect(
      findings.failures.map(\.message) == ["the prompt `prompts/arch-agent.md` does not exist"])
    #expect(findings.failures.first?.location?.description == "a.toml:5:15")
    #expect(!findings.warnings.contains { $0.message.contains("does not exist") })
  }

  @Test(arguments: ["", "\n \n"])
  func anEmptyPromptIsAnError(body: String) {
    #expect(findings(body: body).failures.map(\.message) == ["the agent's prompt is empty"])
  }

  @Test func namesWithAValueAreKnown() {
    let names = [
      "input", "task", "query", "user_input", "name", "id", "description", "category",
      "preferences.tone", "context.session", "metadata.domain", "audience", "audience.age",
    ]
    let findings = findings(
      Self.good + "\ndefaults: {audience: {age: 3}, dotted.name: x}",
      body: (names + ["dotted.name"]).map { "{{\($0)}}" }.joined(separator: "\n"))
    #expect(findings.failures.isEmpty && findings.warnings.isEmpty)
  }

  @Test func bracesOfOtherToolsAreText() {
    let findings = findings(body: "{{#each items}} {{ 1 + 2 }} {{/each}}\n")
    #expect(findings.failures.isEmpty && findings.warnings.count == 3)
  }

  @Test func namesWithoutAValueAreListedWithTheirPlaces() {
    let body = "One {{first}}.\nTwo {{ inptu }} {{first}}.\n"
    let lenient = findings(body: body)
    #expect(lenient.failures.isEmpty)
    #expect(
      lenient.warnings.map { $0.location?.description } == ["a.md:6:5", "a.md:7:5"])
    #expect(lenient.warnings.last?.message.contains("did you mean `input`?") == true)
    #expect(lenient.warnings.last?.message.contains("so it is left as it is") == true)
    let demanding = findings(Self.good + "\nstrict: true", body: body)
    #expect(demanding.failures.isEmpty && demanding.warnings.count == 2)
    #expect(demanding.warnings.last?.message.contains("a run without one fails") == true)
    let strict = findings(body: body, isStrict: true)
    #expect(strict.warnings.isEmpty && strict.failures.count == 2)
    #expect(strict.failures.first?.excerpt == "One {{first}}.")
  }

  @Test func filesThatArePutInMustBeThere() {
    let body = "{{file:style.md}}\n{{file:data/x.rs:code}} {{file:gone.md:markdown}}\n"
    #expect(findings(body: body, files: ["style.md", "data/x.rs", "gone.md"]).failures.isEmpty)
    let failures = findings(body: body, files: ["style.md"]).failures
    #expect(
      failures.map { $0.location?.description } == ["a.md:7:1", "a.md:7:25"])
    #expect(failures.allSatisfy { $0.message.contains("there is no file") })
  }
}

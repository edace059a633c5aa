import RasaCore
import RasaPersona
import Testing

/// Files as people really write them: read if the intent is clear, with a warning about what was
/// assumed; otherwise refused with the location.
@Suite struct AgentBadInputTests {
  // MARK: What is wrong

  @Test(arguments: [
    Mistake("[agent]\nid = \"\"\nname = \"A\"\nprompt_path = \"p\"", "2:6", "`id` is empty"),
    Mistake(
      "[agent]\nid = \"Arch_Agent\"\nname = \"A\"\nprompt_path = \"p\"", "2:6",
      "lowercase words joined by hyphens", suggestion: "did you mean `arch-agent`?"),
    Mistake(
      "[agent]\nid = \"a--b\"\nname = \"A\"\nprompt_path = \"p\"", "2:6", "joined by hyphens",
      suggestion: "`a-b`"),
    Mistake("[agent]\nid = \"a\"\nname = \"\"\nprompt_path = \"p\"", "3:8", "`name` is empty"),
    Mistake(
      "[agent]\nid = \"a\"\nname = \"A\"\nprompt_path = \"\"", "4:15", "`prompt_path` is empty"),
    Mistake("[agents]\nid = \"a\"", "1:1", "no `[agent]`"),
    Mistake(
      short("engine = \"gemni\""), "5:10", "there is no engine `gemni`",
      suggestion: "did you mean `gemini`?"),
    Mistake(
      short("[agent.loop_behavior]\nsteps = 0\nmax_iterations = 1"), "6:9", "`steps` must be"),
    Mistake(
      short("[agent.loop_behavior]\nsteps = 1\nmax_iterations = -2"), "7:18",
      "`max_iterations` must be"),
    Mistake(
      short("[agent.capabilities]\nmax_concurrent_tasks = 0"), "6:24",
      "`max_concurrent_tasks` must be a whole number above 0"),
    Mistake(short("reasoning_effort = \"hgih\""), "5:20", "`low`, `medium`", suggestion: "`high`"),
    Mistake(
      short("[agent.trigger_behavior]\ntrigger_agent_id = \"Code Agent\""), "6:20",
      "an agent's ID",
      suggestion: "`code-agent`"),
    Mistake(short("[agent.sandbox]\ntype = \"dokcer\""), "6:8", "`docker`", suggestion: "`docker`"),
    Mistake(
      short("[agent.sandbox]\ntype = \"docker\"\nnetwork = \"open\"\nnetwork_mode = \"closed\""),
      "8:16", "mean the same but differ"),
    Mistake(short("[agent.cost_budget]\nmax_daily = \"much\""), "6:13", "an amount in dollars"),
    Mistake(short("tags = {a = 1}"), "5:8", "`tags` must be a list"),
    Mistake(
      short("[agent.loop_behavior]\nsteps = 1\nmax_iterations = 1\nwhen = \"a ==\""), "8:", ""),
  ])
  func isReportedWithItsLocation(mistake: Mistake) {
    let reading = AgentReading.load(toml: mistake.text + "\n", markdown: "x")
    let isTold = reading.failures.contains { failure in
      failure.message.contains(mistake.message) && failure.suggestion.contains(mistake.suggestion)
        && failure.location.map { "\($0.line):\($0.column)".hasPrefix(mistake.place) } == true
        && failure.location?.file == "a.toml"
    }
    #expect(isTold, "\(reading.failures)")
    #expect(reading.definition == nil)
  }

  @Test func allProblemsInBothFilesAreReportedAtOnce() {
    let reading = AgentReading.load(
      toml: "[agent]\nid = \"A B\"\nengine = \"none\"\n",
      markdown: AgentReading.markdown("performance_profile: fastest\nmax_concurrent_tasks: none"))
    #expect(
      reading.failures.compactMap { $0.location?.description } == [
        "a.md:2:22", "a.md:3:23", "a.toml:1:1", "a.toml:1:1", "a.toml:2:6", "a.toml:3:10",
      ])
    #expect(reading.failures.allSatisfy { $0.excerpt?.isEmpty == false })
  }

  @Test func tomlThatIsNoneIsRefusedWithItsPlace() {
    let reading = AgentReading.load(toml: "[agent]\nid = \"a\nname = 1\n", markdown: "x")
    #expect(reading.failures.count == 1)
    #expect(reading.failures.first?.location.map { $0.line == 2 || $0.line == 3 } == true)
  }

  // MARK: Front matter as people write it

  @Test func unquotedColonsInADescription() throws {
    let reading = AgentReading.load(
      markdown: AgentReading.markdown(
        "name: arch-agent\ndescription: Use it when: a system is designed\ntags: [a]"))
    let agent = try reading.get().agent
    #expect(agent.description == "Use it when: a system is designed" && agent.tags == ["a"])
    #expect(reading.warnings.count == 1)
  }

  @Test func colonsInAListMakeItsElementsText() throws {
    let reading = AgentReading.alone("example_queries:\n  - Design: a REST API\n  - Plain")
    #expect(try reading.get().agent.exampleQueries == ["Design: a REST API", "Plain"])
    #expect(reading.warns("put it in quotes", at: "a.md:5:5"))
  }

  @Test func tabsThatIndent() throws {
    let reading = AgentReading.alone("tags:\n\t- a\n\t- b")
    #expect(try reading.get().agent.id == "arch-agent")
    #expect(!reading.warnings.isEmpty)
  }

  @Test(arguments: ["\r\n", "\n", "\r"])
  func lineEndsOfEverySystem(end: String) throws {
    let text = AgentReading.markdown("name: arch-agent\ntags: [a]").split(
      separator: "\n", omittingEmptySubsequences: false
    ).joined(separator: end)
    let loaded = try AgentReading.load(markdown: text).get()
    #expect(loaded.agent.id == "arch-agent" && loaded.agent.tags == ["a"])
    #expect(loaded.prompt?.text.contains("You design systems.") == true)
  }

  @Test func aByteOrderMark() throws {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let reading = AgentReading.load(
      tomlBytes: mark + AgentReading.toml().utf8,
      markdownBytes: mark + AgentReading.markdown("tags: [a]").utf8)
    #expect(try reading.get().agent.tags == ["a"])
    #expect(reading.warnings.isEmpty)
  }

  @Test func commasInPlaceOfAList() throws {
    let reading = AgentReading.alone("capabilities: design, planning , review\nworks_well_with: b")
    let agent = try reading.get().agent
    #expect(agent.capabilities == ["design", "planning", "review"] && agent.worksWellWith == ["b"])
    #expect(reading.warns("is read as a list of 3", at: "a.md:4:15"))
    #expect(reading.warnings.count == 1)
  }

  @Test func sentencesKeepTheirCommas() throws {
    let agent = try AgentReading.alone("example_queries: Design it, please").get().agent
    #expect(agent.exampleQueries == ["Design it, please"])
  }

  @Test func aHugeDescriptionIsCut() throws {
    let text = String(repeating: "design ", count: 10_000)
    let reading = AgentReading.load(
      markdown: AgentReading.markdown("name: a\ndescription: \(text)"))
    #expect(try reading.get().agent.description.count == 4_000)
    #expect(reading.warns("the description has 69999 characters", at: "a.md:3:14"))
  }

  @Test func numbersInQuotesAndTextWithout() throws {
    let reading = AgentReading.alone(
      "max_concurrent_tasks: \"3\"\nestimated_tokens: 2000.0\ntags: [2024, true, 1.50]\ncolor: 7")
    let agent = try reading.get().agent
    #expect(agent.maxConcurrentTasks == 3 && agent.estimatedTokens == 2000)
    #expect(agent.tags == ["2024", "true", "1.50"] && agent.color == "7")
    #expect(reading.warns("is text and is read as the number 3", at: "a.md:4:23"))
    #expect(reading.warnings.count == 1)
  }

  @Test func unknownFieldsAreReportedWithASuggestion() throws {
    let reading = AgentReading.alone("capabilites: [a]\nrecomended_models: {primary: m}")
    #expect(try reading.get().agent.capabilities.isEmpty)
    #expect(reading.warns("did you mean `capabilities`?", at: "a.md:4:1"))
    #expect(reading.warns("did you mean `recommended_models`?", at: "a.md:5:1"))
  }

  @Test func fieldsWithoutAValueAreNotSaid() throws {
    let agent = try AgentReading.both(
      "tags = [\"a\"]", "tags:\nmodel:\nrecommended_models:\ncapabilities: ~")
    #expect(agent.tags == ["a"] && agent.models == RecommendedModels())
  }

  @Test func theHeadingOfATOMLFileMayBeMissing() throws {
    let reading = AgentReading.load(
      toml: "id = \"a\"\nname = \"A\"\nprompt_path = \"p\"\n", markdown: "x")
    #expect(try reading.get().agent.id == "a")
    #expect(reading.warns("have no heading"))
  }

  @Test func aPromptThatIsNotTextIsRefused() {
    let reading = AgentReading.load(
      tomlBytes: Array(AgentReading.toml().utf8), markdownBytes: [0x2D, 0xFF, 0xFE, 0x00])
    #expect(reading.failures.count == 1 && reading.failures[0].location?.file == "a.md")
  }
}

private func short(_ lines: String) -> String {
  "[agent]\nid = \"a\"\nname = \"A\"\nprompt_path = \"p\"\n" + lines
}

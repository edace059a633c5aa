import RasaCore
import RasaKit
import RasaSystem
import RasaTestKit
import Testing

@Suite("Agents' files for a program", .timeLimit(.minutes(1))) struct AgentVerbTests {
  private static let writer = """
    ---
    name: note-writer
    display_name: Note Writer
    description: Writes release notes that users like to read.
    category: writing
    capabilities: [release_notes]
    cost_budget: {max_daily: 2.50}
    works_well_with: [nobody-here]
    ---
    You write release notes.

    """

  private func kit(_ files: [String: String] = [:]) throws -> Kit {
    try Kit(
      files: ["home/agents/note-writer.md": Self.writer, "project/.keep": ""]
        .merging(files) { $1 })
  }

  @Test func areSearchedWithTheReasonAndSortedBothWays() async throws {
    let kit = try kit()
    let found = try await kit.rasa.search(Rasa.Filter(search: "note-writer", mode: .exact))
    #expect(found.map(\.id) == ["note-writer"])
    #expect(found.first?.match?.field == "id" && found.first?.match?.closeness == 1)
    #expect(found.first?.json["match"]["field"].string == "id")
    #expect(found.first?.format == .rasa && found.first?.format.name == "rasa agent")
    let all = try await kit.rasa.search(sortedBy: Rasa.SortOrder.parse("-id"))
    #expect(all.map(\.id) == all.map(\.id).sorted(by: >) && all.count > 2)
    #expect(all.first?.match == nil && all.first?.json["match"].isNull == true)
    let error = #expect(throws: RasaError.self) { try Rasa.SortOrder.parse("nme") }
    #expect(error?.code == .usage && error?.suggestion.contains("name") == true)
    await kit.rasa.close()
  }

  @Test func haveAPageWithPromptWarningsAndTheFilesTheyReplace() async throws {
    let kit = try kit(["project/agents/note-writer.md": Self.writer])
    let details = try await kit.rasa.details(ofAgent: "Note Writer")
    #expect(details.agent.id == "note-writer" && details.agent.maxDailyCost == 2.5)
    #expect(details.prompt == "You write release notes.\n")
    #expect(details.shadowed == [kit.folder.file("home/agents/note-writer.md")])
    #expect(details.json["cost_budget"]["max_daily"].string == "2.5")
    let error = await #expect(throws: RasaError.self) {
      _ = try await kit.rasa.details(ofAgent: "note-wrter")
    }
    #expect(error?.suggestion.contains("note-writer") == true)
    await kit.rasa.close()
  }

  @Test func areCheckedTogetherWithFileLineAndColumn() async throws {
    let kit = try kit([
      "drafts/one.md":
        "---\nname: one\ndescription: Does the first half of it.\ncapabilities: [x]\n"
        + "works_well_with: [two]\n---\nDo it.\n",
      "drafts/two.md": "---\nname: two\ndescription: Does the second half of it.\n"
        + "capabilities: [x]\ntrigger_behavior: {trigger_agent_id: nobody-here}\n---\nDo it.\n",
    ])
    let found = try await kit.rasa.validateAgents([kit.folder.file("drafts") + "/"])
    #expect(found.files.count == 2 && !found.isValid)
    let one = try #require(found.files.first { $0.file.hasSuffix("one.md") })
    #expect(one.isValid && one.agent == "one" && one.warnings.isEmpty)
    let two = try #require(found.files.first { $0.file.hasSuffix("two.md") })
    #expect(two.problems.first?.line == 5 && two.problems.first?.column != nil)
    let own = try await kit.rasa.validateAgents(["note-writer"])
    let warning = try #require(
      own.files.first?.warnings.first { $0.message.contains("nobody-here") })
    #expect(warning.line == 8 && warning.description.hasPrefix("\(own.files[0].file):8:"))
    #expect(own.isValid)
    #expect(try await kit.rasa.validateAgents(["note-writer"], isStrict: true).isValid == false)
    await kit.rasa.close()
  }

  @Test func areCreatedInBothForms() async throws {
    let kit = try kit()
    var agent = try Rasa.NewAgent(id: "code-reader")
    agent.description = "Reads code and says what it does."
    agent.category = "engineering/reading"
    let files = try await kit.rasa.create(agent)
    #expect(
      files == [kit.folder.file("project/agents/engineering/reading/code-reader.md")])
    #expect(try await kit.rasa.validateAgents(files).isValid)
    agent.form = .toml
    await #expect(throws: RasaError.self) { try await kit.rasa.create(agent) }
    let both = try await kit.rasa.create(agent, replacing: true)
    #expect(both.count == 2 && both.allSatisfy(FileSystem.exists))
    agent.category = "../outside"
    await #expect(throws: RasaError.self) { try await kit.rasa.create(agent) }
    let error = #expect(throws: RasaError.self) { try Rasa.NewAgent(id: "Code Reader") }
    #expect(error?.suggestion.contains("code-reader") == true)
    await kit.rasa.close()
  }

  @Test func areEnhancedWithoutLosingWhatSomebodyWroteMeanwhile() async throws {
    let kit = try kit()
    let file = kit.folder.file("home/agents/note-writer.md")
    let proposed = try await kit.rasa.enhancement(ofAgent: "note-writer")
    #expect(proposed.file == file && proposed.before == Self.writer)
    #expect(proposed.proposals.contains { $0.key == "tags" })
    #expect(proposed.after.contains("tags:"))
    #expect(proposed.after.hasSuffix("---\nYou write release notes.\n"))
    try await kit.rasa.apply(proposed)
    let error = await #expect(throws: RasaError.self) { try await kit.rasa.apply(proposed) }
    #expect(error?.code == .configuration)
    #expect(try await kit.rasa.enhancement(ofAgent: file).proposals.allSatisfy { $0.key != "tags" })
    let shipped = await #expect(throws: RasaError.self) {
      _ = try await kit.rasa.enhancement(ofAgent: "code-reviewer")
    }
    #expect(shipped?.code == .usage)
    await kit.rasa.close()
  }

  @Test func areDescribedByAModelOnlyAfterTheCallerAgreed() async throws {
    let kit = try kit()
    struct Refused: Error {}
    var options = Rasa.EnhanceOptions()
    options.asksModel = true
    options.beforeAsking = { throw RasaError(.approval, "nobody agreed") }
    let error = await #expect(throws: RasaError.self) {
      _ = try await kit.rasa.enhancement(ofAgent: "note-writer", options: options)
    }
    #expect(error?.message == "nobody agreed" && error?.code == .approval)
    #expect(try await kit.rasa.runs().isEmpty)
    options.beforeAsking = nil
    let notices = Notices()
    options.notify = { notices.add($0) }
    _ = try await kit.rasa.enhancement(ofAgent: "note-writer", options: options)
    #expect(notices.all.count == 1 && notices.all[0].hasPrefix("asking "))
    #expect(try await kit.rasa.runs().map(\.persona) == ["agent_describer"])
    await kit.rasa.close()
  }

  @Test func areImportedFromOtherToolsWithWhatCameOfEach() async throws {
    let kit = try kit([
      "other/.claude/agents/reader.md":
        "---\nname: reader\ndescription: Reads what it is given.\nhooks: {}\n---\nRead it.\n"
    ])
    let target = Rasa.Destination.folder(kit.folder.file("imported"))
    let source = kit.folder.file("other")
    let dry = try await kit.rasa.importAgents(from: source, to: target, isDryRun: true)
    #expect(dry.items.map(\.status) == [.written] && dry.isDryRun)
    #expect(!FileSystem.exists(kit.folder.file("imported/reader.md")))
    let first = try await kit.rasa.importAgents(from: source, to: target)
    #expect(first.items.map(\.status) == [.written] && first.problems.isEmpty)
    #expect(first.items.first?.format.id == "claude")
    #expect(first.items.first?.file == kit.folder.file("imported/reader.md"))
    #expect(
      try await kit.rasa.importAgents(from: source, to: target).items.map(\.status) == [.unchanged])
    try kit.folder.write("mine", to: "imported/reader.md")
    #expect(
      try await kit.rasa.importAgents(from: source, to: target).items.map(\.status) == [.exists])
    #expect(try kit.folder.read("imported/reader.md") == "mine")
    await kit.rasa.close()
  }

  @Test func areRecommendedWithEverybodyWhoWasLeftOut() async throws {
    let kit = try kit()
    let found = try await kit.rasa.recommendations(for: "Write the release notes")
    #expect(found.considered > 2 && !found.noneFits && found.nearest.isEmpty)
    let best = try #require(found.agents.first { $0.agent.id == "note-writer" })
    #expect(best.skills > 0 && best.shownScore == Int(best.score))
    #expect(best.matches.allSatisfy { $0.points > 0 && $0.kindText == $0.kind })
    var options = Rasa.RecommendOptions()
    options.includesUnfit = true
    options.limit = 1_000
    let all = try await kit.rasa.recommendations(for: "Write the release notes", options: options)
    #expect(all.agents.count > found.agents.count && !all.noneFits)
    let none = try await kit.rasa.recommendations(for: "how do I get red wine out of a carpet")
    #expect(none.noneFits && none.agents.isEmpty && !none.nearest.isEmpty)
    options.embeddings = .model("openai:text-embedding-3-small")
    options.beforeAsking = { throw RasaError(.approval, "nobody agreed") }
    let error = await #expect(throws: RasaError.self) {
      _ = try await kit.rasa.recommendations(for: "Write", options: options)
    }
    #expect(error?.message == "nobody agreed")
    await kit.rasa.close()
  }

  @Test func areNamedForCompletionWithoutCreatingADatabase() async throws {
    let kit = try kit([
      "home/personas/greeter.yaml":
        "name: greeter\nalias: hello\ndescription: Greets.\nframes: [stateless_frame]\n"
    ])
    #expect(try await kit.rasa.names(.agents).contains { $0.name == "note-writer" })
    let personas = try await kit.rasa.names(.personas)
    #expect(personas.contains { $0.name == "hello" && $0.meaning == "greeter, by its alias" })
    #expect(try await kit.rasa.names(.owners).last?.name == "everyone")
    for kind in [Rasa.NameKind.runs, .sessions, .approvals] {
      #expect(try await kit.rasa.names(kind).isEmpty)
    }
    #expect(try await kit.rasa.names(.models).last?.name == "mock")
    #expect(!FileSystem.exists(kit.rasa.folders.database))
    await kit.rasa.close()
  }

  @Test func areWatched() async throws {
    let kit = try kit()
    let watch = try await kit.rasa.watchAgents()
    #expect(watch.discovery.agents.contains { $0.id == "note-writer" })
    try kit.folder.write(
      Self.writer.replacing("note-writer", with: "memo-writer"), to: "home/agents/memo-writer.md")
    let change = try #require(await watch.next())
    #expect(change.added == ["memo-writer"] && change.changed.isEmpty && change.removed.isEmpty)
    #expect(try await kit.rasa.search().contains { $0.id == "memo-writer" })
    watch.stop()
    #expect(await watch.next() == nil)
    await kit.rasa.close()
  }
}

/// What was told, from any thread.
private final class Notices: Sendable {
  private let told = Locked<[String]>([])
  func add(_ text: String) { told.withLock { $0.append(text) } }
  var all: [String] { told.withLock { $0 } }
}

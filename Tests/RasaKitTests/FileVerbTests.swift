import RasaKit
import RasaSystem
import RasaTestKit
import Testing

@Suite("Definitions for a program", .timeLimit(.minutes(1))) struct DefinitionVerbTests {
  private static let persona = """
    name: greeter
    alias: hello
    description: Greets whoever comes.
    frames: [stateless_frame]

    """

  @Test func listsPersonasAndOperatorsWithWhatIsBroken() async throws {
    let kit = try Kit(files: [
      "home/personas/greeter.yaml": Self.persona,
      "home/personas/broken.yaml": "name: broken\ndescription: Breaks.\nframes: 3\n",
      "home/operators/critic.yaml": "name: critic\nkind: lllm\n",
    ])
    let personas = try await kit.rasa.personas()
    let greeter = try #require(personas.first { $0.name == "greeter" })
    #expect(greeter.alias == "hello" && greeter.description == "Greets whoever comes.")
    #expect(greeter.origin == kit.folder.file("home/personas"))
    let reports = try await kit.rasa.validatePersonas(["broken", "hello"])
    #expect(reports.map(\.name) == ["broken", "hello"])
    #expect(reports.map(\.isValid) == [false, true])
    let problem = try #require(reports.first?.problems.first)
    #expect(problem.file == kit.folder.file("home/personas/broken.yaml") && problem.line == 3)
    #expect(problem.json["where"]["line"].int == 3)
    #expect((reports.last?.mostCalls ?? 0) > 0)
    let critic = try #require(try await kit.rasa.operators().first { $0.name == "critic" })
    #expect(!critic.isValid && critic.kind == nil)
    let checked = try await kit.rasa.validateOperators(["critic"])
    #expect(checked.first?.problems.first?.line == 2)
    await kit.rasa.close()
  }

  @Test func showsAPersonaAsDataOutlineAndDiagrams() async throws {
    let kit = try Kit(files: ["home/personas/greeter.yaml": Self.persona])
    let details = try await kit.rasa.details(ofPersona: "hello")
    #expect(details.name == "greeter" && details.json["name"].string == "greeter")
    #expect(details.outline.contains("stateless_frame") && details.dot.hasPrefix("digraph"))
    #expect(details.diagram.hasPrefix("flowchart"))
    let error = await #expect(throws: RasaError.self) {
      _ = try await kit.rasa.definition(ofOperator: "nobody")
    }
    #expect(error?.code == .configuration)
    await kit.rasa.close()
  }

  @Test func writesAStarterOnceUnlessItReplacesIt() async throws {
    let kit = try Kit(files: ["project/.keep": ""])
    let files = try await kit.rasa.createStarter(named: "first")
    #expect(files.map(FileSystem.exists) == [true, true])
    #expect(try await kit.rasa.validatePersonas(["first"]).first?.isValid == true)
    await #expect(throws: RasaError.self) { try await kit.rasa.createStarter(named: "first") }
    try await kit.rasa.createStarter(named: "first", replacing: true)
    for name in ["-first", "First", "", String(repeating: "a", count: 65)] {
      let error = await #expect(throws: RasaError.self) {
        try await kit.rasa.createStarter(named: name)
      }
      #expect(error?.code == .usage, "\(name)")
    }
    await kit.rasa.close()
  }

  @Test func copiesADefinitionUnderAnotherName() async throws {
    let kit = try Kit(files: ["home/personas/greeter.yaml": Self.persona, "project/.keep": ""])
    let copy = try await kit.rasa.copy(.persona, named: "greeter", as: "welcomer")
    #expect(copy.files.map(\.path) == ["welcomer.yaml"] && copy.warnings.count == 1)
    #expect(copy.files[0].text.contains("name: welcomer\n"))
    let target = Rasa.Destination.folder(kit.folder.file("copies"))
    #expect(try await kit.rasa.write(copy, to: target).map(\.isWritten) == [true])
    #expect(try await kit.rasa.write(copy, to: target).map(\.isWritten) == [false])
    try kit.folder.write("name: mine\n", to: "copies/welcomer.yaml")
    await #expect(throws: RasaError.self) { try await kit.rasa.write(copy, to: target) }
    #expect(try kit.folder.read("copies/welcomer.yaml") == "name: mine\n")
    await #expect(throws: RasaError.self) {
      _ = try await kit.rasa.copy(.agent, named: "code-reviewer", as: "Not An Id")
    }
    await kit.rasa.close()
  }
}

@Suite("A project's trust for a program", .timeLimit(.minutes(1))) struct TrustVerbTests {
  @Test func isAskedForGivenAndTakenAway() async throws {
    let kit = try Kit(files: [
      "home/personas/greeter.yaml": "name: greeter\nframes: [stateless_frame]\n",
      "project/personas/greeter.yaml":
        "name: greeter\ndescription: Mine.\nframes: [stateless_frame]\n",
    ])
    let changes = try #require(try await kit.rasa.untrustedChanges())
    #expect(changes.lines.count == 1 && changes.changedFiles.isEmpty && !changes.isEmpty)
    #expect(changes.refusal.code == .configuration)
    try await kit.rasa.trust(changes)
    #expect(try await kit.rasa.untrustedChanges() == nil)
    let trusted = try await kit.rasa.trustedProjects()
    #expect(trusted.map(\.folder) == [changes.folder])
    #expect(trusted.first?.files == ["personas/greeter.yaml"])
    // What changes afterwards is not what was agreed to.
    try kit.folder.write(
      "name: greeter\ndescription: Another.\nframes: [stateless_frame]\n",
      to: "project/personas/greeter.yaml")
    #expect(
      try await kit.rasa.untrustedChanges()?.changedFiles == ["personas/greeter.yaml"])
    kit.rasa.trustProjectOnce()
    #expect(try await kit.rasa.untrustedChanges() == nil)
    #expect(try await kit.rasa.distrust(project: changes.folder) == changes.folder)
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.distrust(project: changes.folder)
    }
    #expect(error?.code == .usage)
    await kit.rasa.close()
  }
}

@Suite("What works here, for a program", .timeLimit(.minutes(1))) struct DiagnosisTests {
  @Test func namesWhatIsBrokenAndWhatToDo() async throws {
    let kit = try Kit(files: [
      "home/personas/broken.yaml": "name: broken\nframes: [nowhere]\n"
    ])
    let found = await kit.rasa.diagnose()
    #expect(
      found.map(\.subject).filter {
        ["files", "database", "personas", "network", "calendar"].contains($0)
      }
        == ["files", "database", "personas", "network", "calendar"])
    let personas = try #require(found.first { $0.subject == "personas" })
    #expect(personas.status == .note && personas.text.contains("broken"))
    #expect(personas.error == nil && !personas.suggestion.isEmpty)
    await kit.rasa.close()
    // A database that cannot be opened is an error that a program can throw.
    let other = try Kit(files: ["home/rasa.db": String(repeating: "no database ", count: 400)])
    let database = try #require(
      await other.rasa.diagnose().first { $0.subject == "database" })
    #expect(database.status == .broken && database.error?.code == .storage)
    await other.rasa.close()
  }
}

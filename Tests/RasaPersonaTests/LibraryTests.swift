import RasaCore
import RasaPersona
import Testing

@Suite struct LibraryTests {
  private static func persona(
    _ name: String, alias: String? = nil, describedAs description: String = "d"
  ) -> [UInt8] {
    let alias = alias.map { "alias: \($0)\n" } ?? ""
    return Array(
      "name: \(name)\n\(alias)description: \(description)\nframes: [session_frame]\n".utf8)
  }

  @Test func theFirstPlaceWithANameWins() throws {
    let own = MemorySource(
      label: "mine", folder: "mine",
      files: ["a": Self.persona("a", describedAs: "own"), "b": Self.persona("b")])
    let shipped = MemorySource(
      label: "shipped", folder: "shipped", files: ["a": Self.persona("a"), "c": Self.persona("c")])
    let library = Library(personas: [own, shipped], operators: [])
    #expect(try library.persona(named: "a").description == "own")
    #expect(try library.persona(named: "a").location.file == "mine/a.yaml")
    #expect(try library.persona(named: "c").location.file == "shipped/c.yaml")
    let entries = try library.personas()
    #expect(entries.map(\.name) == ["a", "b", "c"])
    #expect(entries.map(\.origin) == ["mine", "mine", "shipped"])
    #expect(entries.map(\.shadows) == [["shipped"], [], []])
  }

  @Test func oneFileIsReadForOneName() throws {
    let files = ["a": Self.persona("a"), "b": Self.persona("b", alias: "bee"), "c": [0xFF]]
    let source = MemorySource(files: files)
    let library = Library(personas: [source], operators: [])
    _ = try library.persona(named: "b")
    #expect(source.reads.withLock { $0 } == ["b"])
  }

  @Test func anAliasIsFoundDespiteBrokenFiles() throws {
    let files = ["a": [0xFF], "b": Self.persona("b", alias: "bee")]
    let library = Library(personas: [MemorySource(files: files)], operators: [])
    #expect(try library.persona(named: "bee").name == "b")
  }

  @Test(
    arguments: [
      ("strategic_stock_analist", "did you mean `strategic_stock_analyst`? available: contract_"),
      ("zzz", "available: contract_reviewer, feature_workshop"),
      ("../personas/support_triage", "available:"), ("", "available:"), ("a\u{0}b", "available:"),
    ])
  func anUnknownPersonaIsReportedWithTheAvailableOnes(name: String, suggestion: String) {
    let failure = #expect(throws: Failure.self) { try Shipped.library.persona(named: name) }
    #expect(failure?.exitCode == 3)
    #expect(failure?.suggestion.contains(suggestion) == true, "\(failure?.suggestion ?? "")")
  }

  @Test func anUnknownOperatorIsReportedWithTheAvailableOnes() {
    let failure = #expect(throws: Failure.self) {
      try Shipped.library.operatorDefinition(named: "respnd")
    }
    #expect(failure?.message == "there is no operator `respnd`")
    #expect(failure?.suggestion.hasPrefix("did you mean `respond`?") == true)
  }

  @Test func shippedPersonasHaveAliases() throws {
    #expect(try Shipped.library.persona(named: "oncall").name == "incident_responder")
    #expect(try Shipped.library.persona(named: "triage").name == "support_triage")
  }

  @Test func filesAreGivenAsTheyStand() throws {
    let persona = try Shipped.library.personaDocument(named: "oncall")
    #expect(persona.path == "personas/incident_responder.yaml")
    #expect(persona.bytes.starts(with: Array("# Helps whoever is on call".utf8)))
    let critic = try Shipped.library.operatorDocument(named: "critic_agent")
    #expect(critic.path == "operators/critic_agent.yaml")
    #expect(throws: Failure.self) { try Shipped.library.operatorDocument(named: "../respond") }
  }

  @Test func aNameThatDiffersFromTheFilesIsReported() throws {
    let library = Library(
      personas: [MemorySource(files: ["a": Self.persona("other")])], operators: [])
    let reading = try library.readPersona(named: "a")
    #expect(reading.definition?.name == "a")
    #expect(
      reading.warnings.map(\.description) == [
        "personas/a.yaml:1:7: the file is named `a` but calls itself `other`; `a` is used"
      ])
  }

  @Test func brokenYAMLIsAFailureOfThatFile() {
    let library = Library(
      personas: [MemorySource(files: ["a": Array("name: [".utf8)])], operators: [])
    let failure = #expect(throws: Failure.self) { try library.persona(named: "a") }
    #expect(failure?.location?.file == "personas/a.yaml")
    #expect(failure?.kind == .configuration)
  }

  @Test func aByteOrderMarkIsNotAColumn() throws {
    let bytes = [0xEF, 0xBB, 0xBF] + Array("name: Bad\ndescription: d\nframes: [a]\n".utf8)
    let library = Library(personas: [], operators: [])
    let reading = library.readPersona(
      SourceDocument(bytes: bytes, path: "p.yaml"), beside: MemorySource())
    #expect(reading.failures.map { $0.location?.description } == ["p.yaml:1:7"])
  }
}

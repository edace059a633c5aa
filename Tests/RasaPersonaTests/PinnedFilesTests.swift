import RasaCore
import RasaPersona
import Testing

@Suite struct PinnedFilesTests {
  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static let persona = text(
    """
    name: tester
    alias: tee
    description: d — “quoted”
    frames: [session_frame]
    operators: [critic]
    """)
  private static let critic = text(
    """
    name: critic
    kind: llm
    description: d
    reads: [input]
    writes: {draft: text}
    prompt_path: prompts/critic.md
    """)

  private static func library() -> Library {
    Library(
      personas: [
        MemorySource(files: ["tester": persona, "another": text("name: another\n")])
      ],
      operators: [
        MemorySource(
          folder: "operators", files: ["critic": critic, "unused": critic],
          siblings: ["prompts/critic.md": text("Judge {{input}}.")])
      ])
  }

  private static func pinned(_ name: String) throws -> PinnedFiles {
    let recorder = FileRecorder()
    let library = recorder.recording(library())
    _ = try library.persona(named: name)
    _ = try library.operatorDefinition(named: "critic")
    return recorder.files(of: ["tester"]) { "/here/\($0)" }
  }

  /// A resumed run uses its own copy of the persona, and the limits are found by the name alone.
  @Test func stayUnderTheLimitsOfTheUser() throws {
    var library = try Self.pinned("tester").library
    library.limits = { name in
      name == "tester" ? CostBudget(maxDaily: Money(decimal: "0.5"), policy: .downgrade) : nil
    }
    let budget = try library.persona(named: "tester").budget
    #expect(budget.maxDaily == Money(decimal: "0.5"))
    #expect(budget.policy == .downgrade)
  }

  @Test(
    arguments: [
      (CostBudget(maxDaily: Money(decimal: "5"), policy: .warn), "1", BudgetPolicy.reject),
      (CostBudget(maxDaily: Money(decimal: "0.1"), policy: .mock), "0.1", .mock),
      (CostBudget(policy: .mock), "1", .reject),
    ])
  func ofTwoLimitsTheTighterOneHolds(
    budget: CostBudget, daily: String, policy: BudgetPolicy
  ) {
    var narrowed = budget
    narrowed.narrow(by: CostBudget(maxDaily: Money(decimal: "1"), policy: .reject))
    #expect(narrowed.maxDaily == Money(decimal: daily) && narrowed.policy == policy)
    var same = budget
    same.narrow(by: CostBudget())
    #expect(same == budget)
  }

  @Test(arguments: ["tester", "tee"]) func areThoseThatWereRead(_ name: String) throws {
    let pinned = try Self.pinned(name)
    #expect(
      pinned.files.map(\.path) == [
        "/here/operators/critic.yaml", "/here/operators/prompts/critic.md",
        "/here/personas/tester.yaml",
      ])
    #expect(pinned.persona(named: "tester")?.name == "tester")
  }

  @Test func canBeKeptAndReadBack() throws {
    let pinned = try #require(PinnedFiles(try Self.pinned("tester").value))
    #expect(pinned == (try Self.pinned("tester")))
    #expect(PinnedFiles(.null) == nil)
    #expect(PinnedFiles(["files": "x"]) == nil)
    #expect(PinnedFiles(["files": [["kind": "unheard of"]]]) == PinnedFiles())
  }

  @Test func areALibraryOfTheirOwn() throws {
    let library = try Self.pinned("tester").library
    #expect(try library.persona(named: "tester").description == "d — “quoted”")
    #expect(try library.persona(named: "tee").name == "tester")
    let critic = try library.operatorDefinition(named: "critic")
    #expect(critic.prompt?.source == "Judge {{input}}.")
    #expect(throws: Failure.self) { try library.operatorDefinition(named: "unused") }
    #expect(throws: Failure.self) { try library.persona(named: "another") }
  }
}

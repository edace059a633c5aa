import RasaCore
import RasaPersona
import Testing

@Suite("`memory` of a persona")
struct MemorySettingsTests {
  private static let frames = "frames: [session_frame, short_term_frame, long_term_frame]\n"

  @Test func everySettingIsRead() throws {
    let reading = try Loading.persona(
      Self.frames + """
        memory:
          keep: user
          search: [user, persona]
          recall: {items: 6, tokens: 1200}
          extract: {model: "openai:gpt-4o-mini", max_cost: 0.002}
          embeddings: "nano:e5:small"
          expires: {plan: 30, event: 0.5}
          notes: {items: 20, days: 7, tokens: 800}
          summarise: true
        """)
    let memory = try reading.get().memory
    #expect(reading.warnings.isEmpty)
    #expect(memory.keep == .user && memory.search == [.user, .persona])
    #expect(memory.recall == RecallBounds(items: 6, tokens: 1200))
    #expect(
      memory.extract
        == MemoryModel(
          model: ModelReference(engine: "openai", model: "gpt-4o-mini"),
          maxCost: Money(picoDollars: 2_000_000_000)))
    #expect(memory.embeddings == ModelReference(engine: "nano", model: "e5:small"))
    #expect(memory.expires == ["plan": 30, "event": 0.5])
    #expect(memory.notes == NoteBounds(items: 20, days: 7, tokens: 800))
    #expect(memory.summary == MemoryModel())
    #expect(memory.valueObject.keys.count == 8)
  }

  @Test func aModelAloneHasTheUsualBudget() throws {
    let memory = try Loading.persona(
      Self.frames + "memory: {extract: gpt-4o-mini, summarise: llama3.2}"
    ).get().memory
    #expect(memory.extract == MemoryModel(model: ModelReference(model: "gpt-4o-mini")))
    #expect(memory.summary == MemoryModel(model: ModelReference(model: "llama3.2")))
  }

  @Test func whatIsNotSaidIsAsUsual() throws {
    for line in [
      "", "memory: {}", "memory: {summarise: false, extract: false}",
      "memory: {search: [session, user, persona]}",
    ] {
      let memory = try Loading.persona(Self.frames + line).get().memory
      #expect(memory == MemorySettings() && memory.valueObject.isEmpty)
    }
    #expect(
      try Loading.persona(Self.frames + "memory: {search: persona}").get().memory.search
        == [.persona])
  }

  static let mistakes: [Mistake] = [
    Mistake("memory: user", "4:9", "`memory` must be a mapping, but is the text `user`"),
    Mistake(
      "memory: {keep: users}", "4:16", "`keep` must be `user`, `persona` or `session`",
      suggestion: "did you mean `user`?"),
    Mistake(
      "memory: {search: [user, presona]}", "4:25", "`search` must be",
      suggestion: "did you mean `persona`?"),
    Mistake(
      "memory: {search: []}", "4:18", "`search` names no scope", suggestion: "recall: {items: 0}"),
    Mistake("memory: {recall: 8}", "4:18", "`recall` must be a mapping"),
    Mistake("memory: {recall: {items: -1}}", "4:26", "`items` must be a whole number from 0"),
    Mistake("memory: {recall: {tokens: many}}", "4:27", "`tokens` must be a whole number from 0"),
    Mistake(
      "memory: {extract: true}", "4:19", "`extract` must be a model or `{model, max_cost}`"),
    Mistake(
      "memory: {extract: {max_cost: 0.01}}", "4:19", "`extract` does not name a model",
      suggestion: "add `model: …`"),
    Mistake(
      "memory: {extract: {model: m, max_cost: -1}}", "4:40",
      "`max_cost` must be an amount in dollars"),
    Mistake(
      "memory: {embeddings: e5}", "4:22", "`embeddings` must be a provider and its model",
      suggestion: "ollama:nomic-embed-text"),
    Mistake(
      "memory: {embeddings: \"x:\"}", "4:22", "`embeddings` must be a provider and its model"),
    Mistake("memory: {expires: [plan]}", "4:19", "`expires` must be a mapping of kinds of facts"),
    Mistake("memory: {expires: {plan: 0}}", "4:26", "`expires` must be a number of days"),
    Mistake("memory: {expires: {a b: 1}}", "4:25", "`a b` is no kind of fact"),
    Mistake("memory: {notes: {days: x}}", "4:24", "`days` must be a number"),
    Mistake("memory: {summarise: 3}", "4:21", "`summarise` must be `true`, a model"),
  ]

  @Test(arguments: mistakes)
  func mistakesAreToldWithTheirPlace(_ mistake: Mistake) throws {
    let reading = try Loading.persona(Self.frames + mistake.text)
    #expect(mistake.isTold(by: reading.failures), "\(reading.failures)")
    #expect(reading.failures.count == 1)
  }

  @Test(
    arguments: [
      ("memory: {kepp: user}", "`kepp` is unknown in `memory` and ignored; did you mean `keep`?"),
      ("memory: {recall: {item: 3}}", "did you mean `items`?"),
      ("memory: {keep: session, search: [user]}", "it is never recalled"),
      ("memory: {expires: {plans: 3}}", "did you mean `plan`?"),
    ])
  func whatCannotBeMeantIsAWarning(line: String, expected: String) throws {
    let warnings = try Loading.persona(Self.frames + line).warnings
    #expect(warnings.count == 1 && warnings[0].message.contains(expected), "\(warnings)")
    #expect(warnings.first?.location?.line == 4)
  }

  @Test func settingsWithoutTheirFrameHaveNoEffect() throws {
    let warnings = try Loading.persona(
      "frames: [stateless]\nmemory: {keep: user, notes: {items: 3}, summarise: true}"
    ).warnings.map(\.message)
    #expect(warnings.count == 3)
    for (index, kind) in ["long_term", "short_term", "session"].enumerated() {
      #expect(warnings.count > index && warnings[index].contains("no frame of kind `\(kind)`"))
    }
  }
}

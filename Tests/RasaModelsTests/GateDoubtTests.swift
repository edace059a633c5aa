import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

/// What the gate does so that nothing is paid for twice.
@Suite struct GateDoubtTests {
  @Test func tellsTheProviderWhatToRecogniseTheRequestBy() async throws {
    let setting = try GateSetting([.text("a"), .text("b")])
    _ = try await setting.ask()
    var again = CallContext.test()
    again.idempotencyKey = "h-of-before"
    _ = try await setting.ask(.plain, again)
    let keys = setting.provider.requests.map { $0.header("idempotency-key") }
    #expect(keys == [setting.ledger.state.reservations[0].id.text, "h-of-before"])
    let intents = setting.ledger.entries.filter { $0.kind == "call.intent" }
    #expect(intents.map(\.body["idempotency"]) == [.null, "h-of-before"])
  }

  @Test func doesNotUseAnOldKeyForAFurtherTry() async throws {
    let setting = try GateSetting([
      Script.text("").with {
        $0.status = 500; $0.limit = 1
      }, .text("a"),
    ]) { _ in
    } options: {
      $0.retryDelay = .zero
    }
    var context = CallContext.test()
    context.idempotencyKey = "h-of-before"
    _ = try await setting.ask(.plain, context)
    let keys = setting.provider.requests.map { $0.header("idempotency-key") ?? "" }
    #expect(keys.count == 2)
    #expect(keys.first == "h-of-before")
    #expect(keys.last == setting.ledger.state.reservations[1].id.text)
  }

  @Test func keepsAnOldKeyUntilSomebodyAnswers() async throws {
    let setting = try GateSetting([
      Script.text("").with {
        $0.closesBeforeHeaders = true; $0.limit = 1
      }, .text("a"),
    ]) { _ in
    } options: {
      $0.retryDelay = .zero
    }
    var context = CallContext.test()
    context.idempotencyKey = "h-of-before"
    _ = try await setting.ask(.plain, context)
    let keys = Set(setting.provider.requests.map { $0.header("idempotency-key") ?? "" })
    #expect(keys == ["h-of-before"])
  }

  @Test func settlesACallInDoubtAtWhatWasHeldForIt() async throws {
    let setting = try GateSetting()
    let id = Identifier("h-lost")
    let request = ReservationRequest(
      id: id, run: CallContext.run, key: CallContext.test().key, persona: "tester",
      operatorName: "respond", provider: "openai", model: "cheap",
      amount: Money(picoDollars: 77), legs: [], leaseEnds: Timestamp(milliseconds: 0))
    _ = try await setting.ledger.reserve(request, recording: [])
    let call = UncertainCall(
      key: request.key, reservation: id, provider: "openai", model: "cheap",
      amount: request.amount, idempotencyKey: id.text)
    try await setting.gate.giveUp(call, of: CallContext.run, decision: .retry)
    let settlement = try #require(setting.ledger.settlements.first)
    #expect(settlement.outcome == .uncertain)
    #expect(settlement.actual == request.amount)
    let entry = try #require(setting.ledger.entries.first)
    #expect(entry.kind == "call.uncertain")
    #expect(entry.body["decision"] == "retry")
    #expect(entry.body["reservation"] == "h-lost")
  }

  @Test func keepsWhatHadComeOfABrokenAnswer() async throws {
    let setting = try GateSetting([
      Script.tokens(["half ", "of ", "it"]).with {
        $0.breaking = (2, .close); $0.limit = 1
      },
      .text("whole"),
    ]) { _ in
    } options: {
      $0.retryDelay = .zero
    }
    let answer = try await setting.ask()
    #expect(answer.text == "whole")
    let failed = setting.ledger.entries.filter { $0.kind == "call.failed" }
    #expect(failed.map(\.body["partial"]) == ["half of "])
  }

  @Test func tellsRequestsApartByEverythingThatCanChangeTheAnswer() throws {
    let setting = try GateSetting()
    let base = setting.gate.digest(of: .plain, for: .test())
    #expect(base == setting.gate.digest(of: .plain, for: .test()))
    let changes: [(ModelRequest, CallContext)] = [
      (ModelRequest(messages: [ChatMessage(.user, "Say something else.")]), .test()),
      (ModelRequest(messages: [ChatMessage(.system, "Say something.")]), .test()),
      (.plain.with { $0.schema = ["type": "object"] }, .test()),
      (.plain.with { $0.maxTokens = 5 }, .test()),
      (.plain.with { $0.temperature = 0.5 }, .test()),
      (.plain, .test("dear")), (.plain, .test(fallback: "dear")),
      (.plain, .test(profile: .speed)),
    ]
    var seen: Set<String> = [base]
    for (request, context) in changes {
      #expect(seen.insert(setting.gate.digest(of: request, for: context)).inserted)
    }
    // How long it may take, and in which run it is asked, changes no answer.
    let elsewhere = CallContext(
      run: Identifier("run-2"), key: CallContext.test().key, persona: "tester",
      models: CallContext.test().models)
    #expect(base == setting.gate.digest(of: .plain.with { $0.timeout = 9 }, for: elsewhere))
  }
}

extension ModelRequest {
  fileprivate func with(_ change: (inout ModelRequest) -> Void) -> ModelRequest {
    var copy = self
    change(&copy)
    return copy
  }
}

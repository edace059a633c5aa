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
    again.doubt = .before()
    _ = try await setting.ask(.plain, again)
    let keys = setting.provider.requests.map { $0.header("idempotency-key") }
    #expect(keys == [setting.ledger.state.reservations[0].id.text, "h-of-before"])
    let intents = setting.ledger.entries.filter { $0.kind == "call.intent" }
    #expect(intents.map(\.body["idempotency"]) == [.null, "h-of-before"])
  }

  /// Where somebody has to decide about a call in doubt, none may come to be in doubt to spare a flush.
  @Test(arguments: UncertainPolicy.allCases)
  func settlesLaterOnlyWhatIsSimplySentAgain(policy: UncertainPolicy) async throws {
    let setting = try GateSetting([.text("a")])
    var context = CallContext.test()
    context.uncertain = policy
    _ = try await setting.ask(.plain, context)
    #expect(setting.ledger.settlements.map(\.outcome) == [.answered])
    #expect(setting.ledger.settlements.map(\.mayWait) == [policy == .retry])
  }

  @Test func settlesAFailureAtOnce() async throws {
    let setting = try GateSetting([Script.error(503).for(model: "cheap").once(), .text("ok")])
    _ = try await setting.ask(.plain, .test("cheap", fallback: "thinker"))
    let settlements = setting.ledger.settlements
    #expect(settlements.contains { $0.outcome == .failed })
    #expect(settlements.allSatisfy { $0.mayWait == ($0.outcome == .answered) })
  }

  @Test func asksAgainWithTheBodyThatTheKeyWasMadeFor() async throws {
    let setting = try GateSetting([.text("a")])
    var context = CallContext.test("cheap", fallback: "dear")
    context.doubt = .before("dear", adaptations: "max_completion_tokens no_temperature")
    var request = ModelRequest.plain
    request.maxTokens = 500
    request.temperature = 0.5
    let answer = try await setting.ask(request, context)
    let sent = try #require(setting.provider.requests.first)
    #expect(sent.model == "dear" && sent.idempotencyKey == "h-of-before")
    #expect(sent.json["max_completion_tokens"] == 77 && sent.json["max_tokens"].isNull)
    #expect(sent.json["temperature"].isNull)
    #expect(answer.cap == 77)
    #expect(setting.ledger.state.reservations.map(\.amount) == [UncertainCall.before().amount])
    // What was sent without a cap is sent without one again.
    context.doubt = .before("dear", cap: nil)
    _ = try await setting.ask(request, context)
    #expect(setting.provider.requests.last?.cap == nil)
  }

  @Test func takesANewKeyWhereTheBodyCannotBeTheSame() async throws {
    let provider: [Script] = [.text("a")]
    // Another model is named, or there is no room for what was held.
    let named = try GateSetting(
      provider, options: { $0.model = ModelReference(engine: "openai", model: "cheap") })
    var context = CallContext.test("dear")
    context.doubt = .before("dear")
    _ = try await named.ask(.plain, context)
    let poor = try GateSetting(provider)
    context = .test("cheap", budget: CostBudget(maxDaily: Money(picoDollars: 800_000_000)))
    context.doubt = .before()
    _ = try await poor.ask(.plain, context)
    // A later version may have changed what is given up.
    let strange = try GateSetting(provider)
    context = .test("cheap")
    context.doubt = .before(adaptations: "unheard_of")
    _ = try await strange.ask(.plain, context)
    for setting in [named, poor, strange] {
      #expect(setting.askedModels == ["cheap"])
      let key = setting.provider.requests[0].idempotencyKey
      #expect(key == setting.ledger.state.reservations.last?.id.text)
      #expect(setting.provider.requests[0].cap != 77)
    }
  }

  /// A provider that knows the key from another body refuses it: asked anew at once, not in the next
  /// process.
  @Test func takesANewKeyWhereTheOldOneIsRefused() async throws {
    let refusal = Script.error(
      400, "Keys for idempotent requests can only be used with the same body"
    )
    .with { $0.matches = { $0.idempotencyKey == "h-of-before" } }
    let setting = try GateSetting([refusal, .text("a")])
    var context = CallContext.test()
    context.doubt = .before()
    #expect(try await setting.ask(.plain, context).text == "a")
    let keys = setting.provider.requests.map { $0.idempotencyKey ?? "" }
    #expect(keys == ["h-of-before", setting.ledger.state.reservations[1].id.text])
    #expect(setting.ledger.settlements.map { $0.actual > .zero } == [false, true])
  }

  @Test func writesDownWhatTheBodyWasMadeOf() async throws {
    let refusal = Script.error(400, "Unsupported parameter: 'max_tokens'").with {
      $0.matches = { !$0.json["max_tokens"].isNull }
    }
    let setting = try GateSetting([refusal, .text("a")])
    _ = try await setting.ask(.plain, .test("bounded"))
    let journal = setting.ledger.entries.filter { $0.kind == "call.intent" }
    let calls = EffectLog([journal[1]]).uncertain
    #expect(calls.map(\.cap) == [5_000])
    #expect(calls.map(\.adaptations) == ["max_completion_tokens"])
    _ = try await setting.ask(.plain, .test("cheap", fallback: "thinker"))
    let open = try #require(setting.ledger.entries.last { $0.kind == "call.intent" })
    #expect(EffectLog([open]).uncertain.map(\.cap) == [nil])
  }

  /// A call in doubt that is made again, and fails once more before it is answered.
  private func askedAgain(failing: (inout Script) -> Void) async throws -> GateSetting {
    var broken = Script.text("").once()
    failing(&broken)
    let setting = try GateSetting([broken, .text("a")]) { _ in
    } options: {
      $0.retryDelay = .zero
    }
    var context = CallContext.test()
    context.doubt = .before()
    _ = try await setting.ask(.plain, context)
    return setting
  }

  @Test func doesNotUseAnOldKeyForAFurtherTry() async throws {
    let setting = try await askedAgain { $0.status = 500 }
    let keys = setting.provider.requests.map { $0.header("idempotency-key") ?? "" }
    #expect(keys.count == 2)
    #expect(keys.first == "h-of-before")
    #expect(keys.last == setting.ledger.state.reservations[1].id.text)
  }

  @Test func keepsAnOldKeyUntilSomebodyAnswers() async throws {
    let setting = try await askedAgain { $0.closesBeforeHeaders = true }
    let keys = Set(setting.provider.requests.map { $0.header("idempotency-key") ?? "" })
    #expect(keys == ["h-of-before"])
  }

  @Test func settlesACallInDoubtAtWhatWasHeldForIt() async throws {
    let setting = try GateSetting()
    let id = Identifier("h-lost")
    let request = ReservationRequest(
      id: id, run: CallContext.run, key: CallContext.test().key, persona: "tester",
      operatorName: "respond", provider: "openai", model: "cheap",
      amount: Money(picoDollars: 77), legs: [])
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

  @Test func asksUnderTheSameKeyWhatThisSideBrokeOff() async throws {
    let setting = try GateSetting([Script.text("whole").rememberingKeys()])
    let full = Failure(.run, "no room left on the disk")
    let thrown = await #expect(throws: Failure.self) {
      _ = try await setting.gate.answer(.plain, for: .test()) { event throws(Failure) in
        if case .text = event { throw full }
      }
    }
    #expect(thrown?.message == full.message)
    let failed = try #require(setting.ledger.entries.first { $0.kind == "call.failed" })
    #expect(failed.body["message"].string == full.message)

    // Whoever goes on with that journal.
    var context = CallContext.test()
    context.doubt = EffectLog(setting.ledger.entries).doubt(at: context.key)
    #expect(context.doubt != nil)
    #expect(try await setting.ask(.plain, context).text == "whole")
    #expect(Set(setting.provider.requests.map(\.idempotencyKey)).count == 1)
    #expect(setting.provider.requests.filter(\.isBilled).count == 1)
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

extension UncertainCall {
  /// An attempt of another process.
  fileprivate static func before(
    _ model: String = "cheap", cap: Int64? = 77, adaptations: String = ""
  ) -> UncertainCall {
    UncertainCall(
      key: CallContext.test().key, reservation: Identifier("h-of-before"), provider: "openai",
      model: model,
      amount: Money(picoDollars: 900_000_000), idempotencyKey: "h-of-before", cap: cap,
      adaptations: adaptations)
  }
}

extension ModelRequest {
  fileprivate func with(_ change: (inout ModelRequest) -> Void) -> ModelRequest {
    var copy = self
    change(&copy)
    return copy
  }
}

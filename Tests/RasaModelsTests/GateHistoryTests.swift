import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

/// What one process has learnt of models serves the next: two gates over one ledger.
@Suite struct GateHistoryTests {
  private func next(_ scripts: [Script], after first: GateSetting) throws -> GateSetting {
    try GateSetting(scripts, ledger: first.ledger, clock: first.clock)
  }

  @Test func avoidsWhatFailedInAnotherProcess() async throws {
    let context = CallContext.test("cheap", fallback: "thinker")
    let first = try GateSetting([Script.error(503).for(model: "cheap"), .text("ok")])
    _ = try await first.ask(.plain, context)
    let second = try next([.text("ok")], after: first)
    #expect(try await second.ask(.plain, context).model == "thinker")
    first.clock.advance(by: .seconds(301))
    let third = try next([.text("ok")], after: first)
    #expect(try await third.ask(.plain, context).model == "cheap")
  }

  @Test func waitsForAProviderThatAskedAnotherProcessToWait() async throws {
    let first = try GateSetting(
      [.tooManyRequests(retryAfter: 15)], options: { $0.rounds = 1 })
    _ = try await first.failure()
    let second = try next([.text("ok")], after: first)
    #expect(try await second.ask().text == "ok")
    let slept = try #require(second.clock.sleeps.first)
    #expect(slept > .seconds(1) && slept <= .seconds(15))
  }

  @Test func asksOnceOnlyWhereTheCircuitIsOpen() async throws {
    let first = try GateSetting([.error(503)])
    _ = try await first.failure()
    #expect(first.provider.requests.count == 3)
    let second = try next([.error(503)], after: first)
    _ = try await second.failure()
    #expect(second.provider.requests.count == 1)
    // It has recovered, and is trusted again.
    let third = try next([.text("ok")], after: first)
    #expect(try await third.ask().text == "ok")
    let fourth = try next([Script.error(503).once(), .text("ok")], after: first)
    #expect(try await fourth.ask().text == "ok")
  }

  @Test func keepsAwayFromAProviderThatRefusedTheKey() async throws {
    let other = try ScriptedProvider.start([.text("from Ollama")])
    let ledger = MemoryLedger()
    let clock = TestClock()
    func setting(_ scripts: [Script], key: String) throws -> GateSetting {
      try GateSetting(
        scripts, key: key, ledger: ledger, clock: clock,
        configure: { try? $0.providers.append(.ollama(host: other.baseURL)) })
    }
    let context = CallContext.test("cheap", fallback: "thinker", premium: "ollama:llama3")
    _ = try await setting([.error(401)], key: "sk-first-key").ask(.plain, context)
    let again = try setting([.text("ok")], key: "sk-first-key")
    #expect(try await again.ask(.plain, context).provider == "ollama")
    // Another key is another matter.
    let renewed = try setting([.text("ok")], key: "sk-second-key")
    #expect(try await renewed.ask(.plain, context).provider == "openai")
  }

  @Test func choosesTheFastestByWhatWasMeasured() async throws {
    let first = try GateSetting([.text("ok")])
    for model in ["cheap", "thinker"] { _ = try await first.ask(.plain, .test(model)) }
    let standings = try await first.ledger.standings()
    #expect(standings.count == 2)
    #expect(standings.allSatisfy { ($0.firstContent ?? 0) > 0 && $0.calls == 1 })
    // What this machine took for it says nothing, so the figures that count are given.
    let ledger = MemoryLedger()
    let measured = standings.map { standing in
      ModelObservation(
        key: standing.key, time: standing.seenAt, outcome: .answered,
        firstContent: standing.key.model == "cheap" ? 900_000_000 : 100_000_000)
    }
    try await ledger.observe(measured)
    let second = try GateSetting([.text("ok")], ledger: ledger, clock: first.clock)
    let context = CallContext.test("cheap", fallback: "thinker", profile: .speed)
    #expect(try await second.ask(.plain, context).model == "thinker")
  }

  @Test func neverEstimatesFewerTokensThanBytesUntilItHasCounted() async throws {
    let words = String(repeating: "the quick brown fox jumps over the dog\n", count: 30)
    let request = ModelRequest(messages: [ChatMessage(.user, words)], name: "respond")
    let setting = try GateSetting([
      Script.text("ok").with { $0.usage = .exactly(prompt: 300, completion: 1) }
    ])
    let before = try await setting.gate.estimate(request, for: .test()).inputTokens
    #expect(before >= Int64(words.utf8.count))
    for _ in 0..<5 { _ = try await setting.ask(request) }
    let after = try await setting.gate.estimate(request, for: .test()).inputTokens
    #expect(after < before / 2)
    #expect(after >= 300 * 3 / 2)
    // Another kind of text has not been counted yet.
    let numbers = String(repeating: "3.14159 2.71828\n", count: 30)
    let dense = ModelRequest(messages: [ChatMessage(.user, numbers)], name: "respond")
    #expect(
      try await setting.gate.estimate(dense, for: .test()).inputTokens >= Int64(numbers.utf8.count))
  }

  @Test func trustsNoCountThatWasExceeded() async throws {
    let words = String(repeating: "the quick brown fox jumps over the dog\n", count: 30)
    let request = ModelRequest(messages: [ChatMessage(.user, words)], name: "respond")
    let setting = try GateSetting([
      Script.text("ok").with { $0.usage = .exactly(prompt: 300, completion: 1) }.with {
        $0.limit = 5
      },
      Script.text("ok").with { $0.usage = .exactly(prompt: 1_100, completion: 1) },
    ])
    for _ in 0..<6 { _ = try await setting.ask(request) }
    let estimate = try await setting.gate.estimate(request, for: .test()).inputTokens
    #expect(estimate >= Int64(words.utf8.count))
  }

  @Test(arguments: [
    ("the quick brown fox", TextKind.prose), ("{\"a\": [1, 2, 3.5]}", .dense),
    ("Zażółć gęślą jaźń, łódź, źdźbło", .foreign), ("日本語のテキスト", .foreign),
    (String(repeating: "qjzxkvbw", count: 10), .dense), ("", .prose),
  ])
  func knowsWhatKindOfTextItIs(_ row: (text: String, kind: TextKind)) {
    let request = ModelRequest(messages: [ChatMessage(.user, row.text)])
    #expect(RequestSize(request, schema: "").kind == row.kind)
  }

  @Test func explainsItsChoiceTermByTerm() async throws {
    let setting = try GateSetting([Script.error(503).for(model: "cheap"), .text("ok")])
    let budget = CostBudget(maxDaily: Money(decimal: "1") ?? .zero)
    let context = CallContext.test(
      "cheap", fallback: "thinker", premium: "gemini:pro", budget: budget)
    _ = try await setting.ask(.plain, context)
    _ = try await setting.ask(.plain, context)
    let report = try #require(setting.reports.withLock { $0 }.last)
    #expect(report.purpose == "respond")
    #expect(report.choices.prefix(2).map(\.model) == ["thinker", "cheap"])
    let thinker = report.choices[0].terms.joined(separator: "\n")
    #expect(thinker.contains("fallback of tester"))
    #expect(thinker.contains("first content after"))
    #expect(thinker.contains("available, seen"))
    #expect(thinker.contains("fits the $"))
    #expect(report.choices[1].terms.contains { $0.contains("unavailable (server)") })
    #expect(report.left.contains { $0.contains("gemini:pro") })
  }
}

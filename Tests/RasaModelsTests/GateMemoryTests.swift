import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

/// What one run's gate learns serves the next run's: in one process through the memory that they share,
/// over processes through the history.
@Suite struct GateMemoryTests {
  private static let refusal = Script.error(400, "Unsupported value: 'temperature'").with {
    $0.matches = { !$0.json["temperature"].isNull }
  }

  private static var warm: ModelRequest {
    var request = ModelRequest.plain
    request.temperature = 0.5
    return request
  }

  /// Whether each request had a temperature.
  private func tries(_ provider: ScriptedProvider) -> [Bool] {
    provider.requests.map { !$0.json["temperature"].isNull }
  }

  @Test func costsOneRefusedRequestInAProcess() async throws {
    let memory = GateMemory()
    let first = try GateSetting([Self.refusal, .text("a")], memory: memory)
    // Each with a ledger of its own, so that nothing goes through the history.
    let second = try GateSetting(memory: memory, provider: first.provider)
    _ = try await first.ask(Self.warm)
    #expect(try await second.ask(Self.warm).text == "a")
    #expect(tries(first.provider) == [true, false, false])
    let apart = try GateSetting(provider: first.provider)
    _ = try await apart.ask(Self.warm)
    #expect(tries(first.provider) == [true, false, false, true, false])
  }

  @Test func costsOneRefusedRequestInAllProcesses() async throws {
    let first = try GateSetting([Self.refusal, .text("a")])
    _ = try await first.ask(Self.warm)
    func next() throws -> GateSetting {
      try GateSetting(ledger: first.ledger, clock: first.clock, provider: first.provider)
    }
    _ = try await next().ask(Self.warm)
    _ = try await next().ask(Self.warm)
    #expect(tries(first.provider) == [true, false, false, false])
    // Another key may be another account, and its models' tastes are learnt for themselves.
    let other = try GateSetting(
      key: "sk-other", ledger: first.ledger, clock: first.clock, provider: first.provider)
    _ = try await other.ask(Self.warm)
    #expect(tries(first.provider).suffix(2) == [true, false])
  }

  @Test func sendsTheWholeRequestAgainAfterAWhile() async throws {
    let first = try GateSetting([Self.refusal.once(), .text("a")])
    _ = try await first.ask(Self.warm)
    func next() throws -> GateSetting {
      try GateSetting(ledger: first.ledger, clock: first.clock, provider: first.provider)
    }
    first.clock.advance(by: .seconds(7 * 86_400 - 60))
    _ = try await next().ask(Self.warm)
    #expect(tries(first.provider) == [true, false, false])
    // The server takes it by now, and that is remembered as well.
    first.clock.advance(by: .seconds(120))
    let later = try next()
    _ = try await later.ask(Self.warm)
    _ = try await later.ask(Self.warm)
    _ = try await next().ask(Self.warm)
    #expect(tries(first.provider) == [true, false, false, true, true, true])
    #expect(try await first.ledger.standings().allSatisfy { $0.adapted == nil })
  }

  /// A refusal that has another reason than the part it names teaches nothing lasting.
  @Test func remembersOnlyWhatWasAccepted() async throws {
    let first = try GateSetting([.error(400, "temperature and everything else is wrong")])
    _ = try await first.failure(Self.warm)
    #expect(tries(first.provider) == [true, false])
    let second = try GateSetting(
      [.text("a")], ledger: first.ledger, clock: first.clock)
    _ = try await second.ask(Self.warm)
    #expect(tries(second.provider) == [true])
  }

  @Test func believesNothingOfAnotherServerOfThatName() async throws {
    let memory = GateMemory()
    let first = try GateSetting([Self.refusal, .text("a")], memory: memory)
    _ = try await first.ask(Self.warm)
    let moved = try GateSetting(
      [.text("b")], ledger: first.ledger, clock: first.clock, memory: memory)
    _ = try await moved.ask(Self.warm)
    #expect(tries(moved.provider) == [true])
  }

  /// What is asked again under an old key says nothing of what is taken today.
  @Test func learnsNothingFromARepeatedRequest() async throws {
    let first = try GateSetting([Self.refusal, .text("a")])
    _ = try await first.ask(Self.warm)
    var again = CallContext.test()
    again.doubt = UncertainCall(
      key: again.key, reservation: Identifier("h-1"), provider: "openai", model: "cheap",
      amount: Money(picoDollars: 1_000_000_000), idempotencyKey: "h-of-before", cap: 77,
      adaptations: "no_temperature no_usage")
    let second = try GateSetting(
      ledger: first.ledger, clock: first.clock, provider: first.provider)
    _ = try await second.ask(Self.warm, again)
    #expect(first.provider.requests.last?.idempotencyKey == "h-of-before")
    #expect(try await first.ledger.standings().map(\.adapted?.words) == ["no_temperature"])
  }

  // MARK: What is there

  @Test func asksForAListOnceAndAgainWhenItIsOld() async throws {
    let memory = GateMemory()
    let clock = TestClock()
    let provider = try ScriptedProvider.start([.text("a")], models: ["first"])
    func ask() async throws {
      let setting = try GateSetting(clock: clock, memory: memory, provider: provider)
      _ = try await setting.ask(.plain, .test(nil))
    }
    let lists = { provider.requests.count { $0.path.hasSuffix("/models") } }
    try await ask()
    try await ask()
    #expect(lists() == 1)
    clock.advance(by: .seconds(301))
    try await ask()
    #expect(lists() == 2)
  }

  /// A server that was started before its Ollama does not answer with the mock for ever.
  @Test func findsAnOllamaThatIsStartedLater() async throws {
    let memory = GateMemory()
    let clock = TestClock()
    let gone = try ScriptedProvider.start()
    gone.stop()
    func setting() throws -> GateSetting {
      try GateSetting(
        clock: clock, memory: memory,
        configure: { $0 = ModelConfiguration() },
        options: {
          $0.usualOllama = "127.0.0.1:\(gone.port)"
          $0.probeTimeout = .seconds(20)
        })
    }
    let early = try setting()
    #expect(try await early.ask().isMock)
    let ollama = try ScriptedProvider.start([.text("found")], models: ["qwen3:4b"], port: gone.port)
    clock.advance(by: .seconds(6))
    #expect(try await setting().ask().text == "found")
    // A run stays with what it found when it began.
    #expect(try await early.ask().isMock)
    let found = try setting()
    #expect(try await found.ask().text == "found")
    #expect(ollama.requests.filter { $0.path == "/api/tags" }.count == 1)
    // It is looked for again once it could not be reached.
    ollama.stop()
    await #expect(throws: Failure.self) { try await found.ask() }
    #expect(try await setting().ask().isMock)
  }

  /// Two runs under one limit: what the first settles is what the second waits for, and it is told.
  @Test func wakesACallOfAnotherRunThatWaitsForMoney() throws {
    let memory = GateMemory()
    let first = try GateSetting(memory: memory)
    let second = try GateSetting(memory: memory)
    let before = second.gate.settlements.count
    first.gate.settlements.note()
    #expect(second.gate.settlements.count == before + 1)
  }
}

import RasaCore
import RasaHTTPClient
import RasaTestKit
import Testing

/// What the provider does with a request that comes again.
@Suite struct IdempotencyTests {
  private func ask(
    _ provider: ScriptedProvider, key: String?, model: String = "scripted"
  ) async throws -> String {
    var request = HTTPRequest.chat(provider, model: model, stream: false)
    if let key { request.headers.append(("Idempotency-Key", key)) }
    return try await HTTPClient().send(request).body.text()
  }

  @Test func aKeyThatWasAnsweredGetsTheSameAnswerAndIsBilledOnce() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("first").rememberingKeys().once(), Script.text("second").rememberingKeys(),
    ])
    for (key, says) in [("k1", "first"), ("k2", "second"), ("k1", "first"), (nil, "second")] {
      #expect(try await ask(provider, key: key).contains(says))
    }
    let lines = provider.requests
    #expect(lines.map(\.idempotencyKey) == ["k1", "k2", "k1", nil])
    #expect(lines.map(\.isCompleted) == [true, true, true, true])
    #expect(lines.map(\.isRepeat) == [false, false, true, false])
    #expect(lines.map(\.isBilled) == [true, true, false, true])
  }

  @Test func brokenAnswersAreRepeatedAndErrorsCostNothing() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("half of it").rememberingKeys().broken(after: 1, .close).once(),
      Script.error(500).rememberingKeys().once(), Script.text("whole").rememberingKeys(),
    ])
    let broken = HTTPRequest.chat(provider)
    await #expect(throws: (any Error).self) {
      var request = broken
      request.headers.append(("Idempotency-Key", "k"))
      _ = try await HTTPClient().send(request).body.text()
    }
    _ = try await ask(provider, key: "k")
    #expect(try await ask(provider, key: "k").contains("whole"))
    let lines = provider.requests
    #expect(lines.map(\.isRepeat) == [false, false, false])
    #expect(lines.map(\.isBilled) == [false, false, true])
  }

  @Test func aKeyOfAnotherRequestIsRefused() async throws {
    let provider = try ScriptedProvider.start([Script.text("one").rememberingKeys()])
    _ = try await ask(provider, key: "k")
    #expect(try await ask(provider, key: "k", model: "other").contains("another request"))
    #expect(provider.requests.map(\.status) == [200, 400])
    #expect(provider.requests.map(\.isBilled) == [true, false])
  }

  @Test func scriptsRememberNoKeysByDefault() async throws {
    let provider = try ScriptedProvider.start([.text("one")])
    for _ in 0..<2 { _ = try await ask(provider, key: "k") }
    #expect(provider.requests.map(\.isBilled) == [true, true])
  }
}

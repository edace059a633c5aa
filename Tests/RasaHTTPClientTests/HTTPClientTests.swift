import RasaCore
import RasaHTTPClient
import RasaTestKit
import Testing

@Suite struct StreamingTests {
  @Test func streamArrivesInOrderAndComplete() async throws {
    let provider = try ScriptedProvider.start([.words(5_000)])
    let response = try await HTTPClient().send(.chat(provider))
    #expect(response.status == 200)
    #expect(response.headers.first(named: "Content-Type") == "text/event-stream; charset=utf-8")
    let text = try await response.body.text()
    // Opening, finish, usage and terminator besides the tokens.
    #expect(text.count(of: "data: ") == 5_000 + 4)
    #expect(text.hasSuffix("data: [DONE]\n\n"))
    let request = try await provider.waitForEnd(ofRequest: 0)
    #expect(request.outcome == .completed)
    #expect(request.tokensSent == 5_000)
  }

  @Test(arguments: [
    Script.Chunking.whole, .everyByte, .split(at: [1, 5, 6, 7, 100, 301]),
  ])
  func bytesAreTheSameHoweverTheyAreCut(_ chunking: Script.Chunking) async throws {
    let whole = Script.text("Grüße, 世界 und 🚀 zum Mond")
    let provider = try ScriptedProvider.start([
      whole.once(), whole.with { $0.chunking = chunking },
    ])
    let client = HTTPClient()
    let expected = try await client.send(.chat(provider)).body.text()
    let text = try await client.send(.chat(provider)).body.text()
    #expect(expected.contains("世界 "))
    #expect(
      text == expected.replacing("chatcmpl-0", with: "chatcmpl-1"))
  }

  @Test func bodyWithALengthArrives() async throws {
    let provider = try ScriptedProvider.start([.text("whole answer")])
    let response = try await HTTPClient().send(.chat(provider, stream: false))
    #expect(try await response.body.text().contains("whole answer"))
    #expect(try await response.body.next() == nil)
  }

  @Test func errorDocumentsHaveTheirStatus() async throws {
    let provider = try ScriptedProvider.start([.tooManyRequests(retryAfter: 7)])
    let response = try await HTTPClient().send(.chat(provider))
    #expect(response.status == 429)
    #expect(response.headers.first(named: "Retry-After") == "7")
    let bytes = try await response.body.collect(limit: 1_000)
    #expect(String(decoding: bytes, as: UTF8.self).contains("rate_limit_exceeded"))
  }

  @Test func longErrorDocumentsAreCut() async throws {
    let script = Script.error(500).with { $0.document = Array(repeating: 65, count: 1_000_000) }
    let provider = try ScriptedProvider.start([script])
    let response = try await HTTPClient().send(.chat(provider))
    #expect(try await response.body.collect(limit: 100) == Array(repeating: 65, count: 100))
  }

  /// The connection stands by then, also one that was used before.
  @Test func aRequestCanBeHeldBackAtTheLastMoment() async throws {
    let provider = try ScriptedProvider.start([.text("an answer")])
    let client = HTTPClient()
    let (asked, may) = (Locked(0), Locked(false))
    func request() -> HTTPRequest {
      var request = HTTPRequest.chat(provider, stream: false)
      request.maySend = {
        asked.withLock { $0 += 1 }
        return may.withLock { $0 }
      }
      return request
    }
    func refused() async {
      let error = await #expect(throws: HTTPError.self) { try await client.send(request()) }
      #expect(error?.code == .withheld)
    }
    await refused()
    may.withLock { $0 = true }
    #expect(try await client.send(request()).body.text().contains("an answer"))
    may.withLock { $0 = false }
    await refused()
    #expect(asked.withLock { $0 } >= 3)
    #expect(provider.requests.count == 1)
  }

  @Test func manyStreamsShareOneLoop() async throws {
    let provider = try ScriptedProvider.start([
      .words(50).with { $0.tokenDelay = .milliseconds(2) }
    ])
    let client = HTTPClient()
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<100 {
        group.addTask { try await client.send(.chat(provider)).body.text().count(of: "data: ") }
      }
      for try await count in group { #expect(count == 54) }
    }
    #expect(provider.requests.count == 100)
  }

  @Test func oneConnectionServesRequestsInSequence() async throws {
    let provider = try ScriptedProvider.start()
    let client = HTTPClient()
    for _ in 0..<10 { _ = try await client.send(.chat(provider)).body.text() }
    #expect(provider.requests.count == 10)
    #expect(provider.connections == 1)
  }

  @Test func twoReadersOfOneBodyAreRefused() async throws {
    let provider = try ScriptedProvider.start([.words(10).broken(after: 0, .silence)])
    let body = try await HTTPClient().send(.chat(provider)).body
    // Whichever comes second is turned away, and then the other is let go.
    let codes = await withTaskGroup(of: HTTPError.Code?.self) { group in
      for _ in 0..<2 {
        group.addTask {
          do { _ = try await body.next() } catch { return (error as? HTTPError)?.code }
          return nil
        }
      }
      var codes: [HTTPError.Code?] = []
      for await code in group {
        codes.append(code)
        body.cancel()
      }
      return codes
    }
    #expect(codes == [.other, .cancelled])
  }
}

@Suite struct BackpressureTests {
  @Test func anUnreadBodyPausesThePeer() async throws {
    let total = 120_000
    let provider = try ScriptedProvider.start([.words(total).once()])
    let client = HTTPClient()
    let body = try await client.send(.chat(provider)).body
    // Requests that pass by show that time goes on and nothing more is taken from the first.
    func bytesSentAfterMoreRequests() async throws -> Int {
      for _ in 0..<50 { _ = try await client.send(.chat(provider)).body.text() }
      return provider.requests[0].bytesSent
    }
    _ = try await bytesSentAfterMoreRequests()
    let before = try await bytesSentAfterMoreRequests()
    let after = try await bytesSentAfterMoreRequests()
    #expect(before == after)
    #expect(provider.requests[0].outcome == .answering)
    #expect(provider.requests[0].tokensSent < total)

    let first = try #require(try await body.next())
    #expect(first.count <= 512 * 1024)
    var end = first
    while let chunk = try await body.next() { end = end.suffix(100) + chunk }
    #expect(String(decoding: end.suffix(100), as: UTF8.self).hasSuffix("data: [DONE]\n\n"))
    #expect(try await provider.waitForEnd(ofRequest: 0).tokensSent == total)
  }
}

@Suite struct EndingTests {
  private static let endless = Script.words(1_000_000).with { $0.tokenDelay = .milliseconds(1) }

  @Test func cancellingTheTaskReachesThePeer() async throws {
    let provider = try ScriptedProvider.start([Self.endless])
    let client = HTTPClient()
    let task = Task { try await client.send(.chat(provider)).body.text() }
    try await provider.wait(for: "tokens", request: 0) { $0.tokensSent > 3 }
    task.cancel()
    try await provider.waitForDisconnect(ofRequest: 0)
    await #expect(throws: HTTPError.self) { try await task.value }
  }

  @Test func cancellingBeforeTheHeadersReachesThePeer() async throws {
    let provider = try ScriptedProvider.start([
      .words(1).with { $0.headersDelay = .seconds(3_600) }
    ])
    let client = HTTPClient()
    let task = Task { try await client.send(.chat(provider)) }
    try await provider.waitForRequests(1)
    task.cancel()
    try await provider.waitForDisconnect(ofRequest: 0)
    await #expect(performing: { try await task.value }, throws: { code($0) == .cancelled })
  }

  @Test func cancellingTheBodyReachesThePeer() async throws {
    let provider = try ScriptedProvider.start([Self.endless])
    let body = try await HTTPClient().send(.chat(provider)).body
    #expect(try await body.next() != nil)
    body.cancel()
    body.cancel()
    try await provider.waitForDisconnect(ofRequest: 0)
    await #expect(performing: { try await body.next() }, throws: { code($0) == .cancelled })
  }

  @Test func droppingTheBodyReachesThePeer() async throws {
    let provider = try ScriptedProvider.start([Self.endless])
    let client = HTTPClient()
    do { _ = try await client.send(.chat(provider)) }
    try await provider.waitForDisconnect(ofRequest: 0)
  }

  @Test func lateHeadersEndTheRequest() async throws {
    let provider = try ScriptedProvider.start([
      .words(1).with { $0.headersDelay = .seconds(3_600) }
    ])
    let client = HTTPClient()
    let request = HTTPRequest.chat(provider, headerDeadline: deadline(.milliseconds(300)))
    await #expect(performing: { try await client.send(request) }, throws: { code($0) == .timeout })
    // On a machine that is slow enough the request has not even left.
    if !provider.requests.isEmpty { try await provider.waitForDisconnect(ofRequest: 0) }
  }

  /// Whether anything has left is known exactly, however the request ends.
  @Test func tellsWhetherTheRequestHasLeft() async throws {
    let silent = try SilentListener()
    let unreached = HTTPClient(
      configuration: HTTPClientConfiguration(connectTimeout: .milliseconds(200)))
    let unsent = RequestTrace()
    let greeting = HTTPRequest(url: "https://127.0.0.1:\(silent.port)/v1", trace: unsent)
    await #expect(
      performing: { try await unreached.send(greeting) },
      throws: { ($0 as? HTTPError)?.message == "the TLS handshake was not answered within 200 ms" })
    #expect(!unsent.isSent)
    let cancelled = RequestTrace()
    var waiting = greeting
    waiting.trace = cancelled
    let request = waiting
    let task = Task { try await HTTPClient().send(request) }
    await silent.waitForConnection()
    task.cancel()
    await #expect(throws: HTTPError.self) { try await task.value }
    #expect(!cancelled.isSent)

    let provider = try ScriptedProvider.start([
      .words(1).with { $0.headersDelay = .seconds(3_600) }
    ])
    let sent = RequestTrace()
    var chat = HTTPRequest.chat(provider)
    chat.trace = sent
    let asked = chat
    let call = Task { try await HTTPClient().send(asked) }
    try await provider.waitForRequests(1)
    #expect(sent.isSent)
    call.cancel()
    _ = await call.result
  }

  @Test func silenceEndsTheBodyAtTheDeadline() async throws {
    let provider = try ScriptedProvider.start([.words(10).broken(after: 3, .silence)])
    let body = try await HTTPClient().send(.chat(provider)).body
    var received = ""
    await #expect(
      performing: {
        while let chunk = try await body.next(deadline: deadline(.milliseconds(100))) {
          received += String(decoding: chunk, as: UTF8.self)
        }
      }, throws: { code($0) == .timeout })
    #expect(received.count(of: "data: ") == 4)
    try await provider.waitForDisconnect(ofRequest: 0)
  }

  @Test func chunksDoNotMoveTheCallersDeadline() async throws {
    let provider = try ScriptedProvider.start([Self.endless])
    let body = try await HTTPClient().send(.chat(provider)).body
    let end = deadline(.milliseconds(50))
    await #expect(
      performing: { while try await body.next(deadline: end) != nil {} },
      throws: { code($0) == .timeout })
    try await provider.waitForDisconnect(ofRequest: 0)
  }

  @Test func nearerDeadlineOfALaterWaitCounts() async throws {
    let provider = try ScriptedProvider.start([.words(10).broken(after: 3, .silence)])
    let client = HTTPClient()
    let other = Task {
      try await client.send(.chat(provider)).body.collect(
        limit: 1_000_000, deadline: deadline(.seconds(3_600)))
    }
    try await provider.waitForRequests(1)
    let body = try await client.send(.chat(provider)).body
    await #expect(
      performing: { while try await body.next(deadline: deadline(.milliseconds(20))) != nil {} },
      throws: { code($0) == .timeout })
    other.cancel()
    _ = await other.result
  }

  @Test func shutdownEndsEverything() async throws {
    let provider = try ScriptedProvider.start([Self.endless])
    let client = HTTPClient()
    let tasks = (0..<5).map { _ in
      Task { try await client.send(.chat(provider)).body.text() }
    }
    for index in 0..<5 {
      try await provider.wait(for: "tokens", request: index) { $0.tokensSent > 0 }
    }
    client.shutdown()
    client.shutdown()
    for task in tasks {
      await #expect(performing: { try await task.value }, throws: { code($0) == .cancelled })
    }
    for index in 0..<5 { try await provider.waitForDisconnect(ofRequest: index) }
    await #expect(
      performing: { try await client.send(.chat(provider)) }, throws: { code($0) == .cancelled })
  }

  @Test func shutdownBeforeAnyRequestIsNothing() {
    HTTPClient().shutdown()
    let client = HTTPClient()
    client.prepare()
    client.shutdown()
  }

  @Test func bodyKeepsItsClientAlive() async throws {
    let provider = try ScriptedProvider.start([.words(100)])
    var client: HTTPClient? = HTTPClient()
    let body = try #require(try await client?.send(.chat(provider))).body
    client = nil
    #expect(try await body.text().hasSuffix("data: [DONE]\n\n"))
  }
}

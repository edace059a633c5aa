import RasaCore
import RasaKit
import RasaTestKit
import Testing

@Suite("A streamed request that is passed on", .timeLimit(.minutes(1)))
struct ForwardedStreamTests {
  private static let body =
    #"{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true},"max_tokens":50,"#
    + #""messages":[{"role":"user","content":"Hi"}]}"#

  private static func event(_ text: String) -> String {
    #"data: {"choices":[{"index":0,"delta":{"content":"\#(text)"}}]}"# + "\n\n"
  }
  private static let finish =
    #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"# + "\n\n"
  private static let usage =
    #"data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":3}}"# + "\n\n"

  private struct Gone: Error {}

  /// Keeps what arrives, and refuses it from a given part on.
  private actor Reader {
    private(set) var status = 0
    private(set) var bytes: [UInt8] = []
    private var parts = 0
    private let most: Int

    init(parts most: Int = .max) { self.most = most }

    func take(_ part: Rasa.ProviderPart) throws {
      guard parts < most else { throw Gone() }
      parts += 1
      switch part {
      case .head(let status, _): self.status = status
      case .bytes(let more): bytes += more
      }
    }
  }

  /// A `Rasa` whose provider is a server that answers with these bytes.
  private struct Raw {
    let folder: ScratchDirectory
    let server: RawServer
    let rasa: Rasa

    init(_ answer: String, keepsOpen: Bool = false, config: String? = nil) throws {
      folder = ScratchDirectory()
      if let config { try folder.write(config, to: "home/config.yaml") }
      server = try RawServer([answer], keepsOpen: keepsOpen)
      var configuration = Rasa.Configuration(home: folder.file("home"))
      configuration.environment = [
        "OPENAI_BASE_URL": server.baseURL + "/v1", "OPENAI_API_KEY": "sk-of-the-house",
      ]
      rasa = try Rasa(configuration)
    }

    func close() async {
      await rasa.close()
      withExtendedLifetime((folder, server)) {}
    }
  }

  private func request() -> Rasa.ProviderRequest {
    Rasa.ProviderRequest(
      model: "openai:gpt-4o-mini", path: "/chat/completions", body: Array(Self.body.utf8))
  }

  private static func stream(_ body: String, length: Int? = nil) -> String {
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
      + (length.map { "Content-Length: \($0)\r\n" } ?? "") + "\r\n" + body
  }

  /// The one call of the newest run: what it came to and what is still held.
  private func booked(_ rasa: Rasa) async throws -> (
    call: Rasa.LedgerCall, run: Rasa.RunSummary, events: [Rasa.JournalLine]
  ) {
    let run = try #require(try await rasa.runs().first)
    let calls = try await rasa.calls(ofRun: run.id)
    #expect(calls.count == 1)
    return (try #require(calls.first), run, try await rasa.events(ofRun: run.id))
  }

  @Test(
    "is answered with the exact bytes of the stream, and paid by its own count",
    arguments: [
      "\n", "\r\n",
    ])
  func exactBytes(lineEnding: String) async throws {
    let text =
      ": a comment\n\n" + Self.event("Hel") + "event: odd\nid: 7\ndata:{}\n\n" + Self.event("lo")
      + Self.finish + Self.usage + "data: [DONE]\n\n"
    let body =
      lineEnding == "\n"
      ? text
      : text.split(
        separator: "\n", omittingEmptySubsequences: false
      ).joined(separator: lineEnding)
    let raw = try Raw(Self.stream(body, length: body.utf8.count))
    let reader = Reader()
    let call = try await raw.rasa.forward(request()) { try await reader.take($0) }
    #expect(await reader.bytes == Array(body.utf8))
    #expect(call.inputTokens == 11 && call.outputTokens == 3 && call.finish == "stop")
    let books = try await booked(raw.rasa)
    #expect(books.call.outcome == "answered" && books.call.cost == call.cost)
    #expect(books.call.status == "settled")
    await raw.close()
  }

  @Test("is whole where it has said how it ended, though its provider leaves the connection open")
  func leftOpen() async throws {
    let body = Self.event("Hello") + Self.finish + Self.usage
    let raw = try Raw(
      Self.stream(body, length: body.utf8.count + 1_000), keepsOpen: true,
      config: "providers:\n  openai: {timeouts: {idle: 0.2}}\n")
    let reader = Reader()
    let call = try await raw.rasa.forward(request()) { try await reader.take($0) }
    #expect(await reader.bytes == Array(body.utf8))
    #expect(call.problem == nil && call.finish == "stop" && call.outputTokens == 3)
    #expect(try await booked(raw.rasa).call.outcome == "answered")
    await raw.close()
  }

  @Test("that breaks off is an error, and what had come is paid and kept")
  func brokenOff() async throws {
    let kit = try Kit(provider: [
      Script.text("One two three four").broken(after: 2, .close)
    ])
    let reader = Reader()
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.forward(request()) { try await reader.take($0) }
    }
    #expect(error?.code == .provider)
    let shown = String(decoding: await reader.bytes, as: UTF8.self)
    #expect(shown.contains("One ") && shown.contains("two "))
    let books = try await booked(kit.rasa)
    let cost = try #require(books.call.cost)
    #expect(books.call.outcome == "failed" && books.call.status == "settled")
    #expect(cost > 0 && cost < books.call.held)
    #expect(books.run.status == .failed)
    let failure = try #require(books.events.first { $0.kind == "call.failed" })
    #expect("\(failure.body)".contains("One two "))
    await kit.rasa.close()
  }

  @Test("ends at the provider when its reader leaves, and is paid as far as it had come")
  func readerLeaves() async throws {
    let kit = try Kit(provider: [
      Script.words(40).with {
        $0.chunking = .eachEvent
        $0.breaking = (20, .silence)
      }
    ])
    // The head alone: the bytes may come in one piece.
    let reader = Reader(parts: 1)
    await #expect(throws: RasaError.self) {
      try await kit.rasa.forward(request()) { try await reader.take($0) }
    }
    try await kit.provider?.waitForDisconnect(ofRequest: 0)
    let books = try await booked(kit.rasa)
    let cost = try #require(books.call.cost)
    #expect(books.call.outcome == "cancelled" && books.call.status == "settled")
    #expect(cost > 0 && cost < books.call.held)
    #expect(books.run.status == .cancelled)
    let failure = try #require(books.events.first { $0.kind == "call.failed" })
    #expect("\(failure.body)".contains("the reader of the answer stopped"))
    await kit.rasa.close()
  }

  @Test("is paid by the provider's count where its reader leaves with the last bytes")
  func readerLeavesAtEnd() async throws {
    let body = Self.event("Hel") + Self.event("lo") + Self.finish + Self.usage + "data: [DONE]\n\n"
    let raw = try Raw(Self.stream(body, length: body.utf8.count))
    // Takes the head alone: the bytes come in one piece, or the first of them is refused.
    let reader = Reader(parts: 1)
    await #expect(throws: RasaError.self) {
      try await raw.rasa.forward(request()) { try await reader.take($0) }
    }
    let books = try await booked(raw.rasa)
    #expect(books.call.outcome == "cancelled" && (books.call.cost ?? 0) > 0)
    #expect("\(books.call.usage)".contains("11"))
    await raw.close()
  }

  @Test("costs nothing where the provider refuses it, though nobody reads the refusal")
  func refusalUnread() async throws {
    let document = #"{"error": {"message": "slow down"}}"#
    let raw = try Raw(
      "HTTP/1.1 429 Too Many Requests\r\nContent-Length: \(document.utf8.count)\r\n\r\n" + document)
    let reader = Reader(parts: 0)
    await #expect(throws: RasaError.self) {
      try await raw.rasa.forward(request()) { try await reader.take($0) }
    }
    let books = try await booked(raw.rasa)
    #expect(books.call.cost == 0 && books.call.status == "settled")
    #expect(books.call.outcome == "cancelled")
    await raw.close()
  }

  @Test("shows no key in what is kept of an error that repeats it", arguments: [401, 200])
  func keyRepeated(status: Int) async throws {
    let document = #"{"error": {"message": "no account for sk-of-the-house"}}"#
    let body = status == 200 ? "data: \(document)\n\n" : document
    let raw = try Raw(
      "HTTP/1.1 \(status) X\r\nContent-Type: "
        + (status == 200 ? "text/event-stream" : "application/json")
        + "\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
    let reader = Reader()
    let call = try await raw.rasa.forward(request()) { try await reader.take($0) }
    #expect(await reader.bytes == Array(body.utf8))
    let problem = try #require(call.problem)
    #expect(problem.contains("no account for ***"))
    let events = try await booked(raw.rasa).events
    #expect(!events.contains { "\($0.body)".contains("sk-of-the-house") })
    await raw.close()
  }

  @Test("is cancelled with the task that waits for it, and nothing stays held")
  func cancelled() async throws {
    let kit = try Kit(provider: [Script.words(40).broken(after: 5, .silence)])
    let rasa = kit.rasa
    let request = request()
    let (arrived, arrival) = AsyncStream<Void>.makeStream()
    let task = Task {
      try await rasa.forward(request) { part in
        if case .bytes = part { arrival.yield() }
      }
    }
    for await _ in arrived { break }
    task.cancel()
    let error = await #expect(throws: RasaError.self) { try await task.value }
    #expect(error?.code == .cancelled)
    try await kit.provider?.waitForDisconnect(ofRequest: 0)
    let books = try await booked(rasa)
    #expect(books.call.outcome == "cancelled" && books.call.status == "settled")
    #expect((books.call.cost ?? 0) > 0 && books.run.status == .cancelled)
    await rasa.close()
  }
}

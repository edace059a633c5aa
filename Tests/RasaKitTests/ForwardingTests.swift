import RasaCore
import RasaKit
import RasaTestKit
import Testing

@Suite("A request that is passed on", .timeLimit(.minutes(1))) struct ForwardingTests {
  /// Spaces and members as nobody here would write them: not a byte is changed.
  private static let body =
    #"{ "model":"gpt-4o-mini",  "stream" : false, "max_tokens": 50,"x_unknown":[1 ,2],"#
    + #" "messages":[ {"content":"Hi  there","role":"user"} ] }"#
  private static let answer =
    #"{ "id": "c1",  "choices":[{"index":0, "message":{"role":"assistant","content":"Hello."},"#
    + #" "finish_reason":"stop"}], "usage":{"prompt_tokens":11,"completion_tokens":3},"odd" : null }"#

  private actor Parts {
    private(set) var status = 0
    private(set) var headers: [String] = []
    private(set) var bytes: [UInt8] = []

    func note(_ part: Rasa.ProviderPart) {
      switch part {
      case .head(let status, let headers):
        self.status = status
        self.headers = headers.map { "\($0.name.lowercased()): \($0.value)" }
      case .bytes(let more): bytes += more
      }
    }
  }

  private func rasa(_ folder: ScratchDirectory, _ url: String) throws -> Rasa {
    var configuration = Rasa.Configuration(home: folder.file("home"))
    configuration.environment = ["OPENAI_BASE_URL": url + "/v1", "OPENAI_API_KEY": "sk-own"]
    return try Rasa(configuration)
  }

  private func request(_ body: String = body) -> Rasa.ProviderRequest {
    var request = Rasa.ProviderRequest(
      model: "openai:gpt-4o-mini", path: "/chat/completions", body: Array(body.utf8))
    request.headers = [
      (name: "X-Trace", value: "7"), (name: "Authorization", value: "Bearer sk-of-a-client"),
    ]
    return request
  }

  @Test("arrives byte for byte, with the provider's own key, and is paid and journalled")
  func passedOn() async throws {
    let kit = try Kit(provider: [.text("Hello.")])
    let parts = Parts()
    let call = try await kit.rasa.forward(request()) { await parts.note($0) }
    let received = try #require(kit.provider?.requests.first)
    #expect(received.body == Array(Self.body.utf8))
    #expect(received.headers.first { $0.name.lowercased() == "x-trace" }?.value == "7")
    let keys = received.headers.filter { $0.name.lowercased() == "authorization" }.map(\.value)
    #expect(keys == ["Bearer sk-test"])
    #expect(call.cost > 0 && call.finish == "stop" && call.problem == nil)
    let books = try await kit.rasa.calls(ofRun: call.run)
    #expect(books.map(\.cost) == [call.cost] && books.map(\.outcome) == ["answered"])
    let kinds = try await kit.rasa.events(ofRun: call.run).map(\.kind)
    #expect(kinds == ["run.started", "call.intent", "call.result", "run.finished"])
    #expect(try await kit.rasa.run(withID: call.run).status == .done)
    await kit.rasa.close()
  }

  @Test("is answered with the provider's exact bytes")
  func answered() async throws {
    let server = try RawServer([
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Odd: yes\r\n"
        + "Content-Length: \(Self.answer.utf8.count)\r\n\r\n" + Self.answer
    ])
    let folder = ScratchDirectory()
    let rasa = try rasa(folder, server.baseURL)
    let parts = Parts()
    let call = try await rasa.forward(request()) { await parts.note($0) }
    #expect(await parts.bytes == Array(Self.answer.utf8))
    #expect(await parts.status == 200)
    #expect(await parts.headers.contains("x-odd: yes"))
    #expect(call.inputTokens == 11 && call.outputTokens == 3 && call.cost > 0)
    await rasa.close()
    withExtendedLifetime((folder, server)) {}
  }

  @Test("costs nothing where the provider refuses it, and the refusal is passed on as it is")
  func refusedThere() async throws {
    let document = #"{"error": {"message": "slow  down","type":"rate_limit"}}"#
    let server = try RawServer([
      "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 9\r\n"
        + "Content-Length: \(document.utf8.count)\r\n\r\n" + document
    ])
    let folder = ScratchDirectory()
    let rasa = try rasa(folder, server.baseURL)
    let parts = Parts()
    let call = try await rasa.forward(request()) { await parts.note($0) }
    #expect(await parts.bytes == Array(document.utf8))
    #expect(await parts.status == 429)
    #expect(call.status == 429 && call.cost == 0 && call.problem?.contains("slow") == true)
    #expect(try await rasa.calls(ofRun: call.run).map(\.outcome) == ["failed"])
    await rasa.close()
    withExtendedLifetime((folder, server)) {}
  }

  @Test("is not sent without money for it, or if its cost is unknown")
  func refusedHere() async throws {
    let kit = try Kit(provider: [])
    var poor = request()
    poor.maxCost = Rasa.Dollars("0.000000001")
    let budget = await #expect(throws: RasaError.self) {
      try await kit.rasa.forward(poor) { _ in }
    }
    #expect(budget?.code == .budget)
    var elsewhere = request()
    elsewhere.path = "/files"
    let usage = await #expect(throws: RasaError.self) {
      try await kit.rasa.forward(elsewhere) { _ in }
    }
    #expect(usage?.code == .usage)
    let body = Self.body.replacing("gpt-4o-mini", with: "gpt-4o")
    let dearer = await #expect(throws: RasaError.self) {
      try await kit.rasa.forward(request(body)) { _ in }
    }
    #expect(dearer?.code == .usage && dearer?.message.contains("`gpt-4o`") == true)
    let broken = await #expect(throws: RasaError.self) {
      try await kit.rasa.forward(request("{")) { _ in }
    }
    #expect(broken?.code == .usage)
    #expect(kit.provider?.requests.isEmpty == true)
    await kit.rasa.close()
  }

  private static func unbounded(_ members: String, _ content: String = "\"Hi\"") -> String {
    #"{"model":"gpt-4o-mini",\#(members)"messages":[{"role":"user","content":\#(content)}]}"#
  }

  /// gpt-4o-mini writes 16,384 tokens at most, which cost $0.0098304.
  @Test("holds all of an answer that nothing can cut off, or is not sent")
  func whole() async throws {
    let kit = try Kit(provider: [.text("Hello."), .text("Hello.")])
    var asked = request(Self.unbounded(""))
    asked.maxCost = Rasa.Dollars("0.009")
    let refused = await #expect(throws: RasaError.self) {
      try await kit.rasa.forward(asked) { _ in }
    }
    #expect(refused?.code == .budget)
    asked.maxCost = Rasa.Dollars("0.011")
    let call = try await kit.rasa.forward(asked) { _ in }
    let held = try await kit.rasa.calls(ofRun: call.run).first?.held ?? 0
    #expect(held >= 0.0098304 && held <= 0.011)
    // A stream is cut off at what it has.
    var streamed = request(Self.unbounded(#""stream":true,"#))
    streamed.maxCost = Rasa.Dollars("0.002")
    _ = try await kit.rasa.forward(streamed) { _ in }
    #expect(kit.provider?.requests.count == 2)
    await kit.rasa.close()
  }

  @Test(
    "reckons texts by their length, and files by what they are",
    arguments: [
      // Without a blank, and no file.
      (String(repeating: "漢字", count: 5_000), 10_000, 40_000),
      (String(repeating: "a=b;", count: 5_000), 5_000, 30_000),
    ])
  func texts(_ text: String, least: Int, most: Int) async throws {
    let input = try await estimatedInput(of: "\"\(text)\"")
    #expect((least...most).contains(input), "\(input)")
  }

  /// The tokens that the content of a message is reckoned at.
  private func estimatedInput(of content: String) async throws -> Int {
    let kit = try Kit(provider: [.text("Hello.")])
    let call = try await kit.rasa.forward(
      request(Self.unbounded(#""max_tokens":10,"#, content))
    ) { _ in }
    let intent = try await kit.rasa.events(ofRun: call.run).first { $0.kind == "call.intent" }
    await kit.rasa.close()
    return try #require(intent?.body["estimate"]["input"].int)
  }

  @Test(
    "reckons a file that is named or enclosed as one",
    arguments: [
      (#"{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}"#, 2_000),
      (#"{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}"#, 2_000),
      (
        #"{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0\#(String(repeating: "A", count: 80_000))"}}"#,
        10_000
      ),
    ])
  func files(_ part: String, least: Int) async throws {
    let input = try await estimatedInput(of: "[\(part)]")
    // As long as nobody has counted, a word is reckoned at its bytes.
    #expect(input >= least && input <= 8 * least, "\(input)")
  }
}

import RasaCore
import RasaDocuments
import RasaHTTPClient
import RasaKit
import RasaTestKit
import Testing

@testable import RasaServer

@Suite("MCP over HTTP", .timeLimit(.minutes(2)))
struct MCPOverHTTPTests {
  private static let json = "application/json"
  private static let both = "application/json, text/event-stream"

  private struct Setting {
    let home = ScratchDirectory()
    let provider: ScriptedProvider
    let rasa: Rasa
    let server: Server
    let client = HTTPClient()

    init(_ scripts: [Script] = []) throws {
      provider = try ScriptedProvider.start(scripts, models: ["gpt-4o-mini"])
      try Personas.write(to: home)
      rasa = try Rasa(
        home: home.path, project: home.path,
        environment: [
          "HOME": home.path, "USER": "ada", "PATH": "/usr/bin:/bin",
          "OPENAI_BASE_URL": provider.openAIBaseURL, "OPENAI_API_KEY": "sk-test",
          "LLM_MODEL": "gpt-4o-mini",
        ])
      var settings = ServerSettings()
      settings.port = 0
      settings.token = "the-token-of-these-tests"
      server = try Server.start(rasa, settings)
    }

    func send(
      _ method: String, _ body: [UInt8], _ headers: [(name: String, value: String)],
      token: String = "the-token-of-these-tests"
    ) async throws -> HTTPResponse {
      try await client.send(
        HTTPRequest(
          method: method, url: "http://127.0.0.1:\(server.port)/mcp",
          headers: headers + [
            ("Authorization", "Bearer \(token)"), ("Content-Type", "application/json"),
          ], body: body, allowsPlainHTTP: true))
    }

    /// A request of the stateless era with the headers that belong to it, or others.
    func ask(
      _ method: String, _ params: Value = modern(), accept: String = both,
      headers: [String: String?] = [:]
    ) async throws -> HTTPResponse {
      var all = ["MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method, "Accept": accept]
      if let name = params["name"].string ?? params["taskId"].string { all["Mcp-Name"] = name }
      for (name, value) in headers { all[name] = value }
      let message: Value = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": params]
      return try await send(
        "POST", message.jsonBytes(.compact),
        all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }

    func inSession(
      _ message: Value, _ session: String?, token: String = "the-token-of-these-tests"
    ) async throws -> HTTPResponse {
      var headers = [("Accept", both)].map { (name: $0.0, value: $0.1) }
      if let session { headers.append(("Mcp-Session-Id", session)) }
      return try await send("POST", message.jsonBytes(.compact), headers, token: token)
    }

    func close() async {
      await server.stop(grace: .seconds(1))
      await rasa.close()
    }
  }

  private let call = RasaServerTests.call("single", "How is it?")

  @Test("answers with an object, or with a stream of progress and the answer")
  func forms() async throws {
    let setting = try Setting([.text("All is well."), .text("All is well.")])
    let object = try await setting.ask("tools/call", modern(call), accept: Self.json)
    #expect(
      object.status == 200 && object.headers.first(named: "content-type") == "application/json")
    #expect(try await object.document()["result"].texts == ["All is well."])
    let stream = try await setting.ask("tools/call", modern(call, progress: 7))
    #expect(stream.headers.first(named: "content-type") == "text/event-stream")
    let messages = try await stream.messages()
    #expect(messages.first?["params"]["progressToken"] == 7)
    #expect(messages.last?["result"].texts == ["All is well."], "\(messages)")
    await setting.close()
  }

  @Test(
    "refuses a request whose headers say something else than its body",
    arguments: [
      ["MCP-Protocol-Version": nil], ["MCP-Protocol-Version": "2025-11-25"], ["Mcp-Method": nil],
      ["Mcp-Method": "tools/list"], ["Mcp-Name": nil], ["Mcp-Name": "other"],
      ["Mcp-Name": "=?base64?####?="],
    ] as [[String: String?]])
  func mismatches(headers: [String: String?]) async throws {
    let setting = try Setting()
    let response = try await setting.ask("tools/call", modern(call), headers: headers)
    #expect(response.status == 400)
    #expect(try await response.document()["error"]["code"].int == -32_020)
    #expect(setting.provider.requests.isEmpty)
    await setting.close()
  }

  @Test("reads names in base64")
  func base64() async throws {
    let setting = try Setting([.text("All is well.")])
    let name = "=?base64?\(Base64.encode(Array("single".utf8)))?="
    let response = try await setting.ask("tools/call", modern(call), headers: ["Mcp-Name": name])
    #expect(try await response.messages().last?["result"].texts == ["All is well."])
    await setting.close()
  }

  @Test(
    "tells the kinds of errors apart by their status",
    arguments: [
      ("tools/list", modern(version: "1900-01-01"), "1900-01-01", 400, -32_022),
      ("tools/list", .emptyObject, "2026-07-28", 400, -32_602),
      ("nothing", modern(), "2026-07-28", 404, -32_601),
      ("tasks/get", modern(["taskId": "x"]), "2026-07-28", 400, -32_021),
    ] as [(String, Value, String, Int, Int64)])
  func statuses(
    method: String, params: Value, version: String, status: Int, code: Int64
  ) async throws {
    let setting = try Setting()
    let response = try await setting.ask(method, params, headers: ["MCP-Protocol-Version": version])
    #expect(response.status == status)
    #expect(try await response.document()["error"]["code"].int == code)
    await setting.close()
  }

  @Test("wants a token, and nothing but messages")
  func access() async throws {
    let setting = try Setting()
    let body: Value = ["jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": modern()]
    let bytes = body.jsonBytes(.compact)
    #expect(
      try await setting.send("POST", bytes, [], token: "another-token-of-nobody").status == 401)
    #expect(try await setting.send("POST", Array("{".utf8), []).status == 400)
    #expect(try await setting.send("POST", Array("[]".utf8), []).status == 400)
    #expect(try await setting.send("GET", [], []).status == 405)
    await setting.close()
  }

  @Test("stops the run of a client that hangs up")
  func hangingUp() async throws {
    let stuck = Script.text("One moment please").with { $0.breaking = (after: 1, .silence) }
    let setting = try Setting([stuck])
    let response = try await setting.ask("tools/call", modern(call, progress: 1))
    _ = try await setting.provider.waitForRequests(1)
    response.body.cancel()
    _ = try await setting.provider.waitForDisconnect(ofRequest: 0)
    await setting.close()
    #expect(setting.provider.requests.count == 1)
  }

  @Test("asks with input_required, and goes on with the same request")
  func approval() async throws {
    let setting = try Setting([.text("Draft.")])
    let request = RasaServerTests.call("careful-writer", "Write")
    let first = try await setting.ask("tools/call", modern(request, capabilities: asks))
    let asked = try #require(try await first.messages().last)["result"]
    let key = try #require(asked["inputRequests"].object?.keys.first)
    let answer: Value = .object([key: ["action": "accept", "content": ["decision": "approve"]]])
    let second = try await setting.ask(
      "tools/call", modern(request.with(asked, answer), capabilities: asks), accept: Self.json)
    #expect(try await second.document()["result"].texts == ["Draft."])
    await setting.close()
  }

  // MARK: The era of initialize

  @Test("keeps a session, asks on the stream of a call, and ends with DELETE")
  func session() async throws {
    let setting = try Setting([.text("Draft.")])
    let hello = try await setting.inSession(
      [
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": ["protocolVersion": "2025-06-18", "capabilities": asks],
      ], nil)
    let session = try #require(hello.headers.first(named: "mcp-session-id"))
    #expect(try await hello.document()["result"]["protocolVersion"] == "2025-06-18")
    let initialized = try await setting.inSession(
      ["jsonrpc": "2.0", "method": "notifications/initialized"], session)
    #expect(initialized.status == 202)
    let call = try await setting.inSession(
      [
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": .object(RasaServerTests.call("careful-writer", "Write")),
      ], session)
    var reader = EventReader(call)
    let question = try #require(try await reader.next())
    #expect(question["method"] == "elicitation/create")
    let answered = try await setting.inSession(
      [
        "jsonrpc": "2.0", "id": question["id"],
        "result": ["action": "accept", "content": ["decision": "approve"]],
      ], session)
    #expect(answered.status == 202)
    let result = try #require(try await reader.next())
    #expect(result["id"] == 1 && result["result"].texts == ["Draft."], "\(result)")
    #expect(try await reader.next() == nil)

    let ping: Value = ["jsonrpc": "2.0", "id": 2, "method": "ping"]
    #expect(try await setting.inSession(ping, nil).status == 400)
    #expect(try await setting.inSession(ping, "made-up").status == 404)
    #expect(
      try await setting.send("DELETE", [], [("Mcp-Session-Id", session)]).status == 204)
    #expect(try await setting.inSession(ping, session).status == 404)
    await setting.close()
  }

  @Test("ends a call that is cancelled without an answer")
  func cancelling() async throws {
    let stuck = Script.text("One moment please").with { $0.breaking = (after: 1, .silence) }
    let setting = try Setting([stuck])
    let hello = try await setting.inSession(
      [
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": ["protocolVersion": "2025-03-26"],
      ],
      nil)
    let session = try #require(hello.headers.first(named: "mcp-session-id"))
    let call = try await setting.inSession(
      ["jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": .object(call)], session)
    _ = try await setting.provider.waitForRequests(1)
    _ = try await setting.inSession(
      ["jsonrpc": "2.0", "method": "notifications/cancelled", "params": ["requestId": 1]], session)
    #expect(try await call.messages().isEmpty)
    _ = try await setting.provider.waitForDisconnect(ofRequest: 0)
    await setting.close()
  }
}

extension HTTPResponse {
  fileprivate func bytes() async throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let chunk = try await body.next() { bytes += chunk }
    return bytes
  }

  fileprivate func document() async throws -> Value { try JSON.parse(await bytes()) }

  fileprivate func messages() async throws -> [Value] {
    var reader = EventReader(self)
    var messages: [Value] = []
    while let message = try await reader.next() { messages.append(message) }
    return messages
  }
}

/// The messages of a stream of events, one after the other.
private struct EventReader {
  private let body: HTTPBody
  private var rest: [UInt8] = []

  init(_ response: HTTPResponse) { body = response.body }

  mutating func next() async throws -> Value? {
    while true {
      let text = String(decoding: rest, as: UTF8.self)
      if let end = text.firstRange(ofBytes: "\n\n") {
        let event = String(text[..<end.lowerBound])
        rest = Array(text[end.upperBound...].utf8)
        for line in event.split(separator: "\n") where line.hasPrefix("data: ") {
          return try JSON.parse(String(line.dropFirst(6)))
        }
        continue
      }
      guard let chunk = try await body.next() else { return nil }
      rest += chunk
    }
  }
}

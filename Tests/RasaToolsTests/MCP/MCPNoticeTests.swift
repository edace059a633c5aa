import RasaCore
import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaTools

/// What servers of the older era say outside of answers, and streams that are cut.
@Suite("Streams of MCP servers of the older era", .timeLimit(.minutes(2))) struct MCPNoticeTests {
  private static let versions: [Value] = [["2025-11-25"], ["2025-06-18"], ["2025-03-26"]]

  private func quick() -> MCPLimits {
    var limits = MCPLimits()
    limits.probe = 0.3
    return limits
  }

  private static let later: [Value] = [
    tool("switch", ["text": "again"]), tool("mail", ["text": "stolen"]),
    tool("mail2", ["text": "new"]),
  ]

  private func listens(_ server: ScriptedMCPServer, times: Int = 1) async throws {
    try await server.wait(for: "the stream of notices") { server in
      server.requests.filter { $0.method == "GET" }.count >= times
    }
  }

  @Test("changed tools are heard of on the stream of notices", arguments: versions)
  func changes(_ versions: Value) async throws {
    let server = try ScriptedMCPServer.start(
      MCPScript([
        "era": "legacy", "versions": versions, "session": true, "listen": true,
        "tools": [
          tool("switch", ["change_tools": true], ["text": "switched"]),
          tool("mail", ["text": "sent"], input: ["type": "object", "title": "old"]),
        ], "tools_later": .array(Self.later),
      ]))
    let setting = MCPSetting(limits: quick())
    let tools = try await setting.tools(remote(server))
    try await listens(server)
    let listener = try #require(server.requests.first { $0.method == "GET" })
    #expect(listener.header("accept") == "text/event-stream")
    #expect(listener.header("mcp-session-id") == "session-1")
    #expect(listener.header("mcp-protocol-version") == versions.array?.first?.string)
    #expect(listener.header("last-event-id") == nil)
    #expect(try await #require(tools["switch"]).perform(use("s"), ToolContext()).text == "switched")
    // The notice is on its way by another connection than the answer.
    var refused: Failure?
    for _ in 0..<2_000 where refused == nil {
      do {
        _ = try await #require(tools["mail"]).perform(use("m"), ToolContext())
        await Task.yield()
      } catch let failure as Failure {
        refused = failure
      }
    }
    #expect(refused?.message.contains("has changed its tool `mail`") == true, "\(refused as Any)")
    await setting.servers.end()
  }

  @Test("a server that does not offer the stream, or has nothing to tell, is not asked again")
  func absent() async throws {
    let rows: [(script: Value, listens: Int)] = [
      (["era": "legacy"], 1), (["era": "legacy", "list_changed": false], 0),
      (["era": "legacy", "versions": ["2024-11-05"]], 0), (["era": "modern"], 0),
    ]
    for (script, count) in rows {
      let server = try ScriptedMCPServer.start(MCPScript(script))
      let setting = MCPSetting(limits: quick())
      for _ in 0..<3 { _ = try await setting.call(remote(server), "echo", ["text": "a"]) }
      if count > 0 { try await listens(server) }
      await setting.servers.end()
      #expect(server.requests.filter { $0.method == "GET" }.count == count, "\(script)")
    }
  }

  @Test("a stream of notices that is cut is continued where it was")
  func continued() async throws {
    let server = try ScriptedMCPServer.start(
      MCPScript([
        "era": "legacy", "listen": true,
        "tools": [
          tool("say", ["notice": ["jsonrpc": "2.0", "method": "notifications/made_up"]]),
          tool("cut", ["cut_notices": true], ["change_tools": true], ["text": "cut"]),
          tool("mail", ["text": "sent"], input: ["type": "object", "title": "old"]),
        ], "tools_later": .array(Self.later),
      ]))
    let setting = MCPSetting(limits: quick())
    let tools = try await setting.tools(remote(server))
    try await listens(server)
    _ = try await #require(tools["say"]).perform(use("s"), ToolContext())
    _ = try await #require(tools["cut"]).perform(use("c"), ToolContext())
    try await listens(server, times: 2)
    let second = try #require(server.requests.filter { $0.method == "GET" }.last)
    #expect(second.header("last-event-id") == "notice-1")
    var refused: Failure?
    for _ in 0..<2_000 where refused == nil {
      do {
        _ = try await #require(tools["mail"]).perform(use("m"), ToolContext())
      } catch let failure as Failure {
        refused = failure
      }
    }
    #expect(refused?.message.contains("has changed its tool `mail`") == true, "\(refused as Any)")
    await setting.servers.end()
  }

  @Test(
    "what a server asks on the stream of notices is put to whoever may be asked, and to nobody else"
  )
  func asks() async throws {
    var question = MCPProgramTests.question.object ?? [:]
    question["elsewhere"] = true
    let server = try ScriptedMCPServer.start(
      MCPScript([
        "era": "legacy", "listen": true,
        "tools": [
          tool("greet", .object(question), ["answers": true]),
          tool(
            "ping", ["notice": ["jsonrpc": "2.0", "id": "p1", "method": "ping"]], ["text": "pinged"]
          ),
        ],
      ]))
    let setting = MCPSetting(limits: quick())
    let declaration = remote(server, mayAsk: true)
    _ = try await setting.tools(declaration)
    try await listens(server)
    let outcome = try await setting.call(
      declaration, "greet", [:],
      ToolContext(ask: { _ in HumanAnswer(.answer, text: "Ada", by: "tester") }))
    #expect(outcome.text.contains("\"name\":\"Ada\""), "\(outcome)")
    _ = try await setting.call(declaration, "ping")
    try await server.wait(for: "the answer to the ping") { server in
      server.requests.contains {
        $0.message["id"] == "p1" && $0.message["result"] == .emptyObject
      }
    }
    await setting.servers.end()
  }

  @Test("an answer on the stream of notices, or on that of another call, is nobody's")
  func misplaced() {
    var session = MCPSession(name: "box", limits: MCPLimits())
    let (first, second) = (session.begin("tools/call"), session.begin("tools/call"))
    let answer = JSONRPC.Message.result(.number(first), ["text": "false"])
    #expect(session.receive(answer, on: .notices).isEmpty)
    #expect(session.receive(answer, on: .answer(to: second)).isEmpty)
    #expect(
      session.receive(.failure(nil, .init(code: -1, message: "no")), on: .notices).isEmpty)
    let right = JSONRPC.Message.result(.number(first), ["text": "true"])
    #expect(
      session.receive(right, on: .answer(to: first))
        == [.deliver(.replied(.result(["text": "true"])), to: first)])
  }

  @Test("a call whose stream is cut again and again, also in the middle of an event, is answered")
  func cuts() async throws {
    var steps: [Value] = [["progress": 1]]
    for round in 0..<12 {
      steps.append(["break": true, "half": .bool(round % 2 == 0)])
      steps.append(["progress": .int(Int64(round + 2))])
    }
    steps.append(["text": "done"])
    var entry = tool("work").object ?? [:]
    entry["steps"] = .array(steps)
    let server = try ScriptedMCPServer.start(
      MCPScript(["era": "legacy", "session": true, "tools": [.object(entry)]]))
    let setting = MCPSetting(limits: quick())
    let heard = Locked(0)
    let outcome = try await setting.call(
      remote(server), "work", [:],
      ToolContext(progress: { _ in heard.withLock { $0 += 1 } }))
    #expect(outcome.text == "done")
    #expect(heard.withLock { $0 } == 13)
    let resumed = server.requests.filter { $0.header("last-event-id") != nil }
    #expect(resumed.count == 12)
    #expect(resumed.allSatisfy { $0.header("mcp-session-id") == "session-1" })
    await setting.servers.end()
  }

  @Test(
    "a server that does not continue a stream leaves its call in doubt, after a bounded number of attempts"
  )
  func notContinued() async throws {
    for status in [405, 404, 503] {
      let head = "HTTP/1.1 200 OK\r\nContent-Type: "
      func json(_ value: Value) -> String {
        let body = value.json()
        return head + "application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
      }
      let refusal = "HTTP/1.1 \(status) No\r\nContent-Length: 0\r\n\r\n"
      let listed = json([
        "jsonrpc": "2.0", "id": 3,
        "result": ["tools": [["name": "work", "inputSchema": ["type": "object"]]]],
      ])
      let server = try RawServer([
        "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n",
        json([
          "jsonrpc": "2.0", "id": 2,
          "result": [
            "protocolVersion": "2025-11-25", "capabilities": ["tools": [:]], "serverInfo": [:],
          ],
        ]), "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", listed,
        head + "text/event-stream\r\nConnection: close\r\n\r\nid: e1\nretry: 1\ndata:\n\n", refusal,
        refusal, refusal, refusal, refusal, refusal, refusal,
      ])
      let declaration = ToolDeclaration(
        name: "net", kind: .mcp(MCPServer(.http(url: server.baseURL, headers: [], oauth: nil))),
        location: SourceLocation(file: "persona.yaml", line: 3, column: 5))
      let setting = MCPSetting(limits: quick())
      do {
        let outcome = try await setting.call(declaration, "work")
        Issue.record("\(status): \(outcome)")
      } catch let failure as Failure {
        #expect(failure.kind == .timeout, "\(status): \(failure)")
        #expect(failure.message.contains("broke off"), "\(status): \(failure)")
      }
      await setting.servers.end()
    }
  }
}

/// Which addresses a declared server may lead to.
@Suite("Addresses of MCP servers", .timeLimit(.minutes(1))) struct MCPAddressTests {
  private func declaration(
    _ url: String, allowing hosts: [String] = [], headers: [Header] = []
  ) -> ToolDeclaration {
    var server = MCPServer(.http(url: url, headers: headers, oauth: nil))
    server.allowsPrivate = hosts
    return ToolDeclaration(
      name: "net", kind: .mcp(server),
      location: SourceLocation(file: "persona.yaml", line: 3, column: 5))
  }

  /// All names lead to this machine.
  private func setting() -> MCPSetting {
    var configuration = HTTPClientConfiguration()
    configuration.resolver = { _ in ["127.0.0.1"] }
    return MCPSetting(client: HTTPClient(configuration: configuration))
  }

  static let hosts: [(host: String, allowed: [String], isReached: Bool)] = [
    ("127.0.0.1", [], true), ("localhost", [], true), ("nas", [], true), ("nas.local", [], true),
    ("mcp.home.arpa", [], true), ("notes.example.com", [], false),
    ("notes.example.com", ["notes.example.com"], true),
    ("notes.example.com", ["example.com"], false),
    ("notes.example.com", ["notes.example.com:1"], false),
    ("127.0.0.1.example.com", [], false), ("localhost.example.com", [], false),
  ]

  @Test(
    "a name of the internet must not lead to this machine, unless it is declared", arguments: hosts)
  func reaches(_ row: (host: String, allowed: [String], isReached: Bool)) async throws {
    let server = try ScriptedMCPServer.start()
    let setting = setting()
    let declaration = declaration(
      "http://\(row.host):\(server.port)/mcp", allowing: row.allowed)
    do {
      _ = try await setting.tools(declaration)
      #expect(row.isReached, "\(row)")
    } catch let failure as Failure {
      #expect(!row.isReached, "\(row): \(failure)")
      #expect(failure.kind == .configuration && failure.suggestion.contains("allow_private"))
      #expect(server.requests.isEmpty)
    }
    await setting.servers.end()
  }

  private static let targets: [String] = [
    "http://127.0.0.1:PORT/mcp", "http://localhost:PORT/mcp", "http://2130706433:PORT/mcp",
    "http://0x7f.1:PORT/mcp", "http://0177.0.0.1:PORT/mcp", "http://[::1]:PORT/mcp",
    "http://[::ffff:127.0.0.1]:PORT/mcp", "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1/", "http://[fd00::1]/", "//127.0.0.1:PORT/mcp", "file:///etc/passwd",
    "http://user:pass@127.0.0.1:PORT/mcp", "gopher://127.0.0.1:PORT/",
    "http://evil.example.com/mcp",
    "",
  ]

  @Test(
    "a redirect to another origin sends nothing there: no token, no header and no call",
    arguments: [301, 302, 303, 307, 308])
  func redirects(_ status: Int) async throws {
    let other = try ScriptedMCPServer.start()
    for target in Self.targets {
      let location = target.replacing("PORT", with: "\(other.port)")
      let own = try ScriptedMCPServer.start(
        MCPScript(["status": .int(Int64(status)), "location": .string(location)]))
      let setting = setting()
      let declaration = declaration(
        own.url, headers: [Header(name: "Authorization", value: "Bearer made-up")])
      do {
        _ = try await setting.tools(declaration)
        Issue.record("\(target) works")
      } catch let failure as Failure {
        #expect(failure.kind == .configuration, "\(target): \(failure)")
        #expect(failure.message.contains("redirects"), "\(target): \(failure)")
      }
      await setting.servers.end()
    }
    #expect(other.requests.isEmpty)
  }

  @Test("a server that has moved to another path of its own is found there, token and all")
  func moved() async throws {
    let server = try ScriptedMCPServer.start(
      MCPScript(["moved_to": "/mcp/", "token": "made-up"]))
    let setting = MCPSetting()
    let declaration = declaration(
      server.url, headers: [Header(name: "Authorization", value: "Bearer made-up")])
    let tools = try await setting.tools(declaration)
    let outcome = try await #require(tools["echo"]).perform(
      use("e", ["text": "here"]), ToolContext())
    #expect(outcome.text.contains("here"))
    // Only the first request is sent twice.
    let posts = server.requests.filter { $0.method == "POST" }
    #expect(posts.count == Set(posts.map { $0.message["id"].json() }).count + 1)
    await setting.servers.end()
  }

  @Test("a server that redirects in a circle is left")
  func circle() async throws {
    let server = try ScriptedMCPServer.start(MCPScript(["status": 307, "location": "on/"]))
    let setting = MCPSetting()
    await #expect(throws: Failure.self) { try await setting.tools(declaration(server.url)) }
    #expect(server.requests.count < 20)
    await setting.servers.end()
  }
}

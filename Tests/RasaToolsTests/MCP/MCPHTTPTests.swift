import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaTools

/// Servers over HTTP, on real sockets, in both eras.
@Suite("MCP servers over HTTP", .timeLimit(.minutes(2))) struct MCPHTTPTests {
  static let eras: [Value] = [
    ["era": "both"], ["era": "modern"], ["era": "modern", "page_size": 1],
    ["era": "legacy"], ["era": "legacy", "session": true],
    ["era": "legacy", "probe": "page"], ["era": "legacy", "probe": "not_found"],
    ["era": "legacy", "probe": "silent"], ["era": "legacy", "versions": ["2025-03-26"]],
  ]

  private func quick() -> MCPLimits {
    var limits = MCPLimits()
    limits.probe = 0.3
    return limits
  }

  @Test("lists and calls tools in every era", arguments: eras)
  func works(_ script: Value) async throws {
    let server = try ScriptedMCPServer.start(MCPScript(script))
    let setting = MCPSetting(limits: quick())
    let tools = try await setting.tools(remote(server))
    #expect(Set(tools.keys) == ["echo", "add", "slow"])
    let add = try #require(tools["add"])
    let outcome = try await add.perform(use("mcp:net/add", ["a": 1, "b": 2]), ToolContext())
    #expect(outcome == .result(ToolResult([.text("3")], structured: ["sum": 3])), "\(outcome)")
    let slow = try await #require(tools["slow"]).perform(use("mcp:net/slow"), ToolContext())
    #expect(slow.text == "done")
    await setting.servers.end()
    let isModern = script["era"] != "legacy"
    let calls = server.requests.filter { $0.message["method"] == "tools/call" }
    #expect(calls.count == 2)
    for call in calls {
      #expect(call.header("accept") == "application/json, text/event-stream")
      #expect(call.header("mcp-method") == (isModern ? "tools/call" : nil))
      #expect(call.header("mcp-protocol-version")?.hasPrefix("202") == true)
      #expect(
        call.header("mcp-session-id") == (script["session"] == true ? "session-1" : nil))
    }
    #expect(server.requests.contains { $0.method == "DELETE" } == (script["session"] == true))
  }

  @Test("a session that the server has forgotten is begun again")
  func lostSession() async throws {
    let server = try ScriptedMCPServer.start(
      MCPScript(["era": "legacy", "session": true, "forget_after": 2]))
    let setting = MCPSetting(limits: quick())
    let tools = try await setting.tools(remote(server))
    let echo = try #require(tools["echo"])
    for index in 0..<6 {
      let outcome = try await echo.perform(
        use("mcp:net/echo", ["text": .string("\(index)")]), ToolContext())
      #expect(outcome.text == "{\"text\":\"\(index)\"}")
    }
    #expect(server.requests.filter { $0.message["method"] == "initialize" }.count > 1)
    await setting.servers.end()
  }

  @Test("a stream that breaks is continued in the older era, and in doubt in the stateless one")
  func breaks() async throws {
    for era in ["legacy", "modern"] as [Value] {
      let server = try ScriptedMCPServer.start(
        MCPScript([
          "era": era,
          "tools": [tool("work", ["progress": 1], ["break": true], ["text": "done"])],
        ]))
      let setting = MCPSetting(limits: quick())
      if era == "legacy" {
        #expect(try await setting.call(remote(server), "work").text == "done")
        #expect(server.requests.contains { $0.header("last-event-id")?.isEmpty == false })
      } else {
        do {
          let outcome = try await setting.call(remote(server), "work")
          Issue.record("\(outcome)")
        } catch let failure as Failure {
          #expect(failure.kind == .timeout, "\(failure)")
          #expect(failure.message.contains("not known whether"))
        }
      }
      await setting.servers.end()
    }
  }

  @Test("progress and questions come on the stream of their call")
  func questions() async throws {
    let server = try ScriptedMCPServer.start(
      MCPScript([
        "era": "legacy", "session": true,
        "tools": [tool("greet", ["progress": 1], MCPProgramTests.question, ["answers": true])],
      ]))
    let setting = MCPSetting(limits: quick())
    let heard = Locked(0)
    let outcome = try await setting.call(
      remote(server, mayAsk: true), "greet", [:],
      ToolContext(
        progress: { _ in heard.withLock { $0 += 1 } },
        ask: { _ in HumanAnswer(.answer, text: "Ada", by: "tester") }))
    #expect(outcome.text.contains("\"name\":\"Ada\""), "\(outcome)")
    #expect(heard.withLock { $0 } == 1)
    await setting.servers.end()
  }

  @Test("tasks name themselves in a header")
  func tasks() async throws {
    let server = try ScriptedMCPServer.start(
      MCPScript([
        "era": "modern", "tools": [tool("long", ["task": 20], ["delay_ms": 50], ["text": "done"])],
      ]))
    let setting = MCPSetting()
    #expect(try await setting.call(remote(server), "long").text == "done")
    let polls = server.requests.filter { $0.message["method"] == "tasks/get" }
    #expect(
      !polls.isEmpty && polls.allSatisfy { $0.header("mcp-name")?.hasPrefix("task-") == true })
    await setting.servers.end()
  }

  @Test("arguments that a tool wants as headers are sent as such")
  func headerParameters() async throws {
    let input: Value = [
      "type": "object", "properties": ["region": ["type": "string", "x-mcp-header": "Region"]],
    ]
    let server = try ScriptedMCPServer.start(
      MCPScript(["era": "modern", "tools": [tool("größe", ["echo": true], input: input)]]))
    let setting = MCPSetting()
    for region in ["us-west1", "Zürich\nHost: evil"] {
      let outcome = try await setting.call(remote(server), "größe", ["region": .string(region)])
      #expect(!outcome.isError, "\(outcome)")
    }
    let last = try #require(server.requests.last)
    #expect(last.header("host")?.hasPrefix("127.0.0.1") == true)
    #expect(last.header("mcp-param-region")?.hasPrefix("=?base64?") == true)
    await setting.servers.end()
  }

  private final class Tokens: RequestAuthorizer {
    let token = Locked<String?>(nil)
    let challenges = Locked<[String]>([])
    func headers(for url: String) -> [Header] {
      token.withLock { token in
        token.map { [Header(name: "Authorization", value: "Bearer \($0)")] } ?? []
      }
    }
    func answer(challenge: String, status: Int, of url: String) -> Bool {
      challenges.withLock { $0.append("\(status) \(challenge)") }
      token.withLock { $0 = "made-up" }
      return true
    }
  }

  @Test("a demand for a token is answered once, and without anybody to answer it is an error")
  func authorization() async throws {
    for token in ["made-up", "another"] {
      let server = try ScriptedMCPServer.start(MCPScript(["token": .string(token)]))
      let tokens = Tokens()
      let setting = MCPSetting(authorizer: tokens)
      if token == "made-up" {
        #expect(try await setting.tools(remote(server)).count == 3)
        #expect(tokens.challenges.withLock { $0.count } == 1)
        #expect(tokens.challenges.withLock { $0[0].hasPrefix("401 Bearer resource_metadata=") })
      } else {
        do {
          _ = try await setting.tools(remote(server))
          Issue.record("it was let in")
        } catch let failure as Failure {
          #expect(failure.kind == .authentication)
        }
      }
      await setting.servers.end()
    }
  }

  static let refusals: [(Value, Failure.Kind, String)] = [
    (["status": 404], .configuration, "HTTP 404"), (["status": 503], .run, "too busy"),
    (["status": 500], .configuration, "HTTP 500"),
    (
      ["status": 307, "location": "https://example.com/mcp"], .configuration,
      "redirects to https://example.com/mcp"
    ),
    (["era": "modern", "versions": ["2031-01-01"]], .configuration, "2031-01-01"),
  ]

  @Test("what is no MCP server is told from one", arguments: refusals)
  func refuses(_ row: (script: Value, kind: Failure.Kind, words: String)) async throws {
    let server = try ScriptedMCPServer.start(MCPScript(row.script))
    let setting = MCPSetting(limits: quick())
    do {
      _ = try await setting.tools(remote(server))
      Issue.record("it works")
    } catch let failure as Failure {
      #expect(failure.kind == row.kind, "\(failure)")
      #expect("\(failure)".contains(row.words), "\(failure)")
    }
    await setting.servers.end()
  }

  @Test("nothing listens there")
  func unreachable() async throws {
    let server = try ScriptedMCPServer.start()
    let declaration = remote(server)
    server.stop()
    let setting = MCPSetting()
    do {
      _ = try await setting.tools(declaration)
      Issue.record("it works")
    } catch let failure as Failure {
      #expect(failure.kind == .run && failure.message.contains("cannot be reached"), "\(failure)")
    }
    await setting.servers.end()
  }

  @Test("hanging up cancels, and a flood is cut off")
  func hangsUp() async throws {
    let server = try ScriptedMCPServer.start(
      MCPScript([
        "era": "modern",
        "tools": [tool("wait", ["progress": 1], ["hang": true]), tool("flood", ["flood_mb": 200])],
      ]))
    let setting = MCPSetting()
    let tools = try await setting.tools(remote(server))
    let wait = try #require(tools["wait"])
    let (hasBegun, begun) = AsyncStream.makeStream(of: Void.self)
    let call = Task {
      try await wait.perform(use("w"), ToolContext(progress: { _ in begun.yield() }))
    }
    for await _ in hasBegun { break }
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
    try await server.wait(for: "the peer to hang up") { $0.interruptions > 0 }
    do {
      _ = try await #require(tools["flood"]).perform(use("f"), ToolContext())
      Issue.record("it ended")
    } catch let failure as Failure {
      #expect(failure.kind == .timeout, "\(failure)")
    }
    await setting.servers.end()
  }
}

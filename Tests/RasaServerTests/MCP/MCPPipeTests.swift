import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa mcp, over pipes", .timeLimit(.minutes(2)))
struct MCPPipeTests {
  // MARK: Requests that stand for themselves

  @Test("says what it is, and offers personas and agents in a fixed order")
  func discovery() async throws {
    let setting = try ServingSetting([])
    let client = try JSONLinesClient(["mcp"], setting)
    let found = try await client.ask("server/discover", modern())["result"]
    #expect(found["resultType"] == "complete")
    #expect(found["supportedVersions"].array?.first == "2026-07-28")
    #expect(found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "rasa")
    let list = try await client.ask("tools/list", modern())["result"]
    #expect(list["ttlMs"].int != nil && list["cacheScope"] == "private")
    let tools = try #require(list["tools"].array)
    let names = tools.compactMap { $0["name"].string }
    #expect(names.contains("single") && names.contains("careful-writer"))
    let single = try #require(tools.first { $0["name"] == "single" })
    #expect(single["description"] == "One answer.")
    #expect(single["inputSchema"]["required"] == ["input"])
    let again = try await client.ask("tools/list", modern())["result"]["tools"]
    #expect(again == list["tools"])
    #expect(await client.finish().status == "exit code 0")
  }

  @Test("answers a call, with progress and everything that belongs to the answer")
  func calls() async throws {
    let setting = try ServingSetting([.text("All is well.")])
    let client = try JSONLinesClient(["mcp"], setting)
    let id = try await client.begin(
      "tools/call", modern(call("single", "How is it?"), progress: "p1"))
    let messages = try await client.read { $0["id"].int == id }
    let progress = messages.filter { $0["method"] == "notifications/progress" }.map { $0["params"] }
    #expect(progress.allSatisfy { $0["progressToken"] == "p1" })
    #expect(progress.compactMap { $0["progress"].int } == Array(1...Int64(progress.count)))
    #expect(progress.contains { $0["message"].string?.contains("openai:gpt-4o-mini") == true })
    let result = try #require(messages.last)["result"]
    #expect(result.texts == ["All is well."] && result["isError"] == false)
    let facts = result["structuredContent"]
    #expect(
      facts["answer"] == "All is well." && facts["finish"] == "stop" && facts["mock"] == false)
    #expect(facts["cost_usd"].string?.hasPrefix("0.") == true)
    let run = try #require(facts["run"].string)
    #expect(try await setting.program.run("runs", "show", run).exitCode == 0)
    #expect(setting.requests.count == 1)
    _ = await client.finish()
  }

  @Test("tells that no model was asked, and that the end is missing")
  func whatIsNotToBeBelieved() async throws {
    let first = try JSONLinesClient(["mcp"], ServingSetting(nil))
    let made = try await first.ask("tools/call", modern(call("single", "How is it?")))["result"]
    #expect(made["structuredContent"]["mock"] == true)
    #expect(made.texts.last?.contains("No model was asked") == true, "\(made)")
    _ = await first.finish()

    let setting = try ServingSetting([
      Script.text("Half an").with { $0.finishReason = "length" }
    ])
    let second = try JSONLinesClient(["mcp"], setting)
    let cut = try await second.ask("tools/call", modern(call("single", "How is it?")))["result"]
    #expect(cut["structuredContent"]["finish"] == "length")
    #expect(cut["structuredContent"]["notices"].array?.isEmpty == false, "\(cut)")
    _ = await second.finish()
  }

  @Test(
    "refuses what it cannot understand, in the words of the protocol",
    arguments: [
      ("tools/list", modern(version: "1900-01-01"), -32_022),
      ("tools/list", modern(capabilities: "none"), -32_602),
      ("tools/list", modern(version: nil), -32_602),
      ("tools/list", .emptyObject, -32_602),
      ("tools/list", modern(["cursor": "nobody"]), -32_602),
      ("tools/call", modern(call("nobody", "x")), -32_602),
      ("tools/call", modern(), -32_602),
      ("tools/call", modern(call("single", "x").with(["requestState": "r1.x"], .null)), -32_602),
      ("resources/list", modern(), -32_601), ("ping", modern(), -32_601),
      ("tasks/get", modern(["taskId": "x"]), -32_021),
      (
        "tasks/get",
        modern(
          ["taskId": "x"],
          capabilities: ["extensions": ["io.modelcontextprotocol/tasks": .emptyObject]]),
        -32_602
      ),
    ] as [(String, Value, Int64)])
  func refusals(method: String, params: Value, code: Int64) async throws {
    let setting = try ServingSetting([])
    let client = try JSONLinesClient(["mcp"], setting)
    let answer = try await client.ask(method, params)
    #expect(answer["error"]["code"].int == code, "\(answer)")
    #expect(setting.requests.isEmpty)
    _ = await client.finish()
  }

  @Test("goes on after lines that are no messages")
  func garbage() async throws {
    let setting = try ServingSetting([])
    let client = try JSONLinesClient(["mcp"], setting)
    try await client.write("nonsense\n\n[]\n{\"jsonrpc\":\"2.0\",\"id\":7}\n")
    #expect(try await client.next()?["error"]["code"].int == -32_700)
    #expect(try await client.next()?["error"]["code"].int == -32_600)
    #expect(try await client.next()?["error"]["code"].int == -32_600)
    #expect(try await client.ask("server/discover", modern())["result"]["resultType"] == "complete")
    _ = await client.finish()
  }

  @Test(
    "tells a model what is wrong with its arguments",
    arguments: [
      (.emptyObject, "input"), (["input": " "], "input"),
      (["input": "x", "inputs": "y"], "inputs"),
      (["input": "x", "preferences": "y"], "preferences"),
      (["input": "x", "session": 3], "session"),
      (["input": "x", "attachments": [["name": "a.txt"]]], "a.txt"),
    ] as [(Value, String)])
  func arguments(value: Value, word: String) async throws {
    let setting = try ServingSetting([])
    let client = try JSONLinesClient(["mcp"], setting)
    let result = try await client.ask(
      "tools/call", modern(["name": "single", "arguments": value]))["result"]
    #expect(result["isError"] == true && result.texts.first?.contains(word) == true, "\(result)")
    #expect(setting.requests.isEmpty)
    _ = await client.finish()
  }

  @Test("passes on preferences, conversation and attachments")
  func options() async throws {
    let setting = try ServingSetting([.text("Noted."), .text("Tea.")])
    let client = try JSONLinesClient(["mcp"], setting)
    let data: Value = [
      "input": "What is on the list?", "session": "shopping", "preferences": ["language": "German"],
      "attachments": [["name": "list.txt", "text": "Buy tea."]],
    ]
    let first = try await client.ask("tools/call", modern(["name": "single", "arguments": data]))[
      "result"]
    #expect(first["structuredContent"]["session"] == "shopping", "\(first)")
    #expect(
      setting.requests.first.map { String(decoding: $0.body, as: UTF8.self).contains("Buy tea.") }
        == true)
    let list = try JSON.parse(
      await setting.program.run("sessions", "show", "shopping", "--json").output)
    #expect(list.json().contains("What is on the list?"))
    _ = await client.finish()
  }

  // MARK: The era of initialize

  @Test(
    "speaks every revision that begins with initialize",
    arguments: ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
  func sessions(version: String) async throws {
    let setting = try ServingSetting([.text("All is well.")])
    let client = try JSONLinesClient(["mcp"], setting)
    let hello = try await client.ask(
      "initialize", ["protocolVersion": .string(version), "capabilities": .emptyObject])["result"]
    #expect(hello["protocolVersion"] == .string(version) && hello["serverInfo"]["name"] == "rasa")
    try await client.notify("notifications/initialized", .emptyObject)
    #expect(try await client.ask("ping")["result"] == .emptyObject)
    #expect(try await client.ask("tools/list")["result"]["resultType"].isNull)
    let result = try await client.ask("tools/call", .object(call("single", "How is it?")))["result"]
    #expect(result.texts == ["All is well."] && result["resultType"].isNull, "\(result)")
    _ = await client.finish()
  }

  @Test("offers its newest revision to a client that asks for one it does not know")
  func unknownRevision() async throws {
    let setting = try ServingSetting([])
    let client = try JSONLinesClient(["mcp"], setting)
    let hello = try await client.ask("initialize", ["protocolVersion": "2099-01-01"])["result"]
    #expect(hello["protocolVersion"] == "2025-11-25")
    _ = await client.finish()
  }

  @Test("answers the messages of a batch")
  func batch() async throws {
    let setting = try ServingSetting([])
    let client = try JSONLinesClient(["mcp"], setting)
    _ = try await client.ask("initialize", ["protocolVersion": "2025-03-26"])
    try await client.write(
      #"[{"jsonrpc":"2.0","id":"a","method":"ping"},{"jsonrpc":"2.0","id":"b","method":"nothing"}]"#
        + "\n")
    var answers: [Value] = []
    for _ in 0..<2 { answers.append(try await client.next() ?? .null) }
    #expect(answers.first { $0["id"] == "a" }?["result"] == .emptyObject)
    #expect(answers.first { $0["id"] == "b" }?["error"]["code"].int == -32_601)
    _ = await client.finish()
  }

  // MARK: Cancelling, leaving

  /// It says two words, and nothing more.
  private static let stuck = Script.text("One moment please wait").with {
    $0.breaking = (after: 2, .silence)
  }

  @Test("stops a run that is cancelled, and answers nothing", arguments: [true, false])
  func cancelling(isStateless: Bool) async throws {
    let setting = try ServingSetting([Self.stuck])
    let client = try JSONLinesClient(["mcp"], setting)
    if !isStateless { _ = try await client.ask("initialize", ["protocolVersion": "2025-06-18"]) }
    let params = isStateless ? modern(call("single", "x")) : .object(call("single", "x"))
    let id = try await client.begin("tools/call", params)
    _ = try await setting.provider?.waitForRequests(1)
    try await client.notify("notifications/cancelled", ["requestId": .int(id)])
    _ = try await setting.provider?.waitForDisconnect(ofRequest: 0)
    let method = isStateless ? "server/discover" : "ping"
    let next = try await client.begin(method, modern())
    let messages = try await client.read { $0["id"].int == next }
    #expect(!messages.contains { $0["id"].int == id })
    _ = await client.finish()
    let runs = try JSON.parse(await setting.program.run("runs", "list", "--json").output)
    #expect(runs.array?.first?["status"] == "interrupted", "\(runs)")
  }

  @Test("parks what is under way when its client leaves, and says so")
  func leaving() async throws {
    let setting = try ServingSetting([Self.stuck])
    let client = try JSONLinesClient(["mcp"], setting)
    _ = try await client.begin("tools/call", modern(call("single", "x")))
    _ = try await setting.provider?.waitForRequests(1)
    let (status, errors) = await client.finish()
    #expect(status == "exit code 0")
    #expect(errors.contains("1 run was under way"), "\(errors)")
    let runs = try JSON.parse(await setting.program.run("runs", "list", "--json").output)
    #expect(runs.array?.first?["status"] == "interrupted", "\(runs)")
  }

  @Test("offers only what the command line names")
  func offered() async throws {
    let setting = try ServingSetting([])
    let client = try JSONLinesClient(["mcp", "sing*", "careful-writer"], setting)
    let tools = try await client.ask("tools/list", modern())["result"]["tools"].array
    #expect(tools?.map { $0["name"] } == ["single", "careful-writer"])
    #expect(
      try await client.ask("tools/call", modern(call("asking", "x")))["error"]["code"].int
        == -32_602)
    _ = await client.finish()
    let nothing = try await setting.program.run("mcp", "nobody")
    #expect(nothing.exitCode == 2 && nothing.output.isEmpty && nothing.errorText.contains("nobody"))
  }
}

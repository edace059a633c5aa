import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("Approvals over MCP", .timeLimit(.minutes(2)))
struct MCPApprovalTests {
  private let request = call("careful-writer", "Write")

  private func accept(_ content: Value) -> Value { ["action": "accept", "content": content] }

  private func runs(_ program: RasaProgram) async throws -> [Value] {
    try JSON.parse(await program.run("runs", "list", "--json").output).array ?? []
  }

  // MARK: Requests that stand for themselves

  @Test("asks with input_required, and answers the same request when it comes again")
  func approve() async throws {
    let setting = try ServingSetting([.text("Draft.")])
    let client = try JSONLinesClient(["mcp"], setting)
    let first = try await client.ask("tools/call", modern(request, capabilities: asks))["result"]
    #expect(first["resultType"] == "input_required")
    let questions = try #require(first["inputRequests"].object)
    let key = try #require(questions.keys.first)
    let question = first["inputRequests"][key]
    #expect(question["method"] == "elicitation/create")
    #expect(question["params"]["message"].string?.contains("Draft.") == true)
    #expect(question["params"]["requestedSchema"]["required"] == ["decision"])
    // In another process: what it waits for is in the journal.
    _ = await client.finish()
    let second = try JSONLinesClient(["mcp"], setting)
    let again = modern(
      request.with(first, .object([key: accept(["decision": "approve"])])), capabilities: asks)
    let result = try await second.ask("tools/call", again)["result"]
    #expect(result["resultType"] == "complete" && result.texts == ["Draft."], "\(result)")
    #expect(setting.requests.count == 1)
    // The answer was lost on its way: the same again gives the same, and nothing is paid twice.
    let repeated = try await second.ask("tools/call", again)["result"]
    #expect(repeated.texts.first == "Draft." && setting.requests.count == 1, "\(repeated)")
    #expect(repeated["structuredContent"]["run"] == result["structuredContent"]["run"])
    #expect(repeated["structuredContent"]["cost_usd"] == result["structuredContent"]["cost_usd"])
    #expect(try await runs(setting.program).count == 1)
    _ = await second.finish()
  }

  @Test("takes edits, rejections and corrections")
  func edit() async throws {
    let setting = try ServingSetting([.text("Draft."), .text("Another.")])
    let client = try JSONLinesClient(["mcp"], setting)
    let first = try await client.ask("tools/call", modern(request, capabilities: asks))["result"]
    let key = try #require(first["inputRequests"].object?.keys.first)
    let rejected = try await client.ask(
      "tools/call",
      modern(
        request.with(first, .object([key: accept(["decision": "reject", "text": "too dry"])])),
        capabilities: asks))["result"]
    // It has written another one, which is another question.
    #expect(rejected["resultType"] == "input_required", "\(rejected)")
    #expect(setting.requests.last?.lastMessage.contains("too dry") == true)
    let next = try #require(rejected["inputRequests"].object?.keys.first)
    #expect(next != key)
    let result = try await client.ask(
      "tools/call",
      modern(
        request.with(rejected, .object([next: accept(["decision": "edit", "text": "Better."])])),
        capabilities: asks))["result"]
    #expect(result.texts == ["Better."], "\(result)")
    _ = await client.finish()
  }

  @Test(
    "asks again where there is no decision, and never takes that for an approval",
    arguments: [
      ["action": "accept"], ["action": "accept", "content": ["decision": "yes"]],
      ["action": "accept", "content": ["decision": "edit"]],
      ["action": "accept", "content": ["decision": "approve_for_session"]], ["action": "sure"],
      "yes",
      .null,
    ] as [Value])
  func noDecision(response: Value) async throws {
    let setting = try ServingSetting([.text("Draft.")])
    let client = try JSONLinesClient(["mcp"], setting)
    let first = try await client.ask("tools/call", modern(request, capabilities: asks))["result"]
    let key = try #require(first["inputRequests"].object?.keys.first)
    let result = try await client.ask(
      "tools/call", modern(request.with(first, .object([key: response])), capabilities: asks))[
        "result"]
    #expect(result["resultType"] == "input_required", "\(result)")
    #expect(result["inputRequests"].object?.keys == [key])
    if response != .null {
      let message = result["inputRequests"][key]["params"]["message"].string
      #expect(message?.hasPrefix("The last answer does not fit") == true, "\(message ?? "")")
    }
    #expect(try await runs(setting.program).first?["status"] == "parked")
    _ = await client.finish()
  }

  @Test("parks where the user closes the question, and where nobody can be asked")
  func parks() async throws {
    let setting = try ServingSetting([.text("Draft."), .text("Draft.")])
    let client = try JSONLinesClient(["mcp"], setting)
    let silent = try await client.ask("tools/call", modern(request))["result"]
    #expect(silent["resultType"] == "complete" && silent["isError"] == true, "\(silent)")
    let run = try #require(silent["structuredContent"]["run"].string)
    #expect(silent["structuredContent"]["answer"].isNull)
    let approval = try #require(
      silent["structuredContent"]["waits_for"].array?.first?["approval"].string)
    let text = try #require(silent.texts.first)
    #expect(
      text.contains("rasa approvals approve \(approval)") && text.contains("rasa resume \(run)"))
    #expect(!text.contains("Draft."))

    let first = try await client.ask("tools/call", modern(request, capabilities: asks))["result"]
    let key = try #require(first["inputRequests"].object?.keys.first)
    let closed = try await client.ask(
      "tools/call",
      modern(request.with(first, .object([key: ["action": "cancel"]])), capabilities: asks))[
        "result"]
    #expect(closed["isError"] == true && closed.texts.first?.contains("waits for a person") == true)
    #expect(try await runs(setting.program).allSatisfy { $0["status"] == "parked" })
    // What it says how to answer is so.
    #expect(try await setting.program.run("approvals", "approve", approval).text.contains("Draft."))
    _ = await client.finish()
  }

  @Test("takes a state for nothing but the request that it was given for")
  func forged() async throws {
    let setting = try ServingSetting([.text("Draft."), .text("Draft.")])
    let client = try JSONLinesClient(["mcp"], setting)
    let first = try await client.ask("tools/call", modern(request, capabilities: asks))["result"]
    let other = try await client.ask(
      "tools/call", modern(call("careful-writer", "Other"), capabilities: asks))["result"]
    let key = try #require(first["inputRequests"].object?.keys.first)
    let state = try #require(first["requestState"].string)
    let run = try #require(other["requestState"].string).split(separator: ".")[0]
    let code = state.split(separator: ".")[1]
    for forged in ["\(run).\(code)", String(run), "\(run).", ".\(code)", "", state + "0"] {
      var params = request.with(first, .object([key: accept(["decision": "approve"])]))
      params["requestState"] = .string(forged)
      let answer = try await client.ask("tools/call", modern(params, capabilities: asks))
      #expect(answer["error"]["code"].int == -32_602, "\(forged): \(answer)")
    }
    // That of one request with the arguments of another.
    let mixed = request.with(other, .object([key: accept(["decision": "approve"])]))
    let answer = try await client.ask("tools/call", modern(mixed, capabilities: asks))
    #expect(answer["error"]["code"].int == -32_602)
    #expect(try await runs(setting.program).allSatisfy { $0["status"] == "parked" })
    _ = await client.finish()
  }

  @Test("lets an answer count that somebody gave elsewhere before")
  func answeredElsewhere() async throws {
    let setting = try ServingSetting([.text("Draft."), .text("Second.")])
    let client = try JSONLinesClient(["mcp"], setting)
    let first = try await client.ask("tools/call", modern(request, capabilities: asks))["result"]
    let key = try #require(first["inputRequests"].object?.keys.first)
    let elsewhere = try await setting.program.run("approvals", "approve", key)
    #expect(elsewhere.text.contains("Draft."))
    let result = try await client.ask(
      "tools/call",
      modern(
        request.with(first, .object([key: accept(["decision": "reject"])])), capabilities: asks))[
        "result"]
    #expect(result.texts.first == "Draft." && setting.requests.count == 1, "\(result)")
    _ = await client.finish()
  }

  @Test("asks an operator's question as a form with its own members")
  func question() async throws {
    let setting = try ServingSetting([.text("Porto it is.")])
    let client = try JSONLinesClient(["mcp"], setting)
    let trip = call("asking", "trip")
    let first = try await client.ask("tools/call", modern(trip, capabilities: asks))["result"]
    let key = try #require(first["inputRequests"].object?.keys.first)
    let form = first["inputRequests"][key]["params"]
    #expect(form["message"].string?.contains("What do you mean by trip?") == true)
    #expect(form["requestedSchema"]["properties"]["city"]["type"] == "string")
    let wrong = try await client.ask(
      "tools/call",
      modern(trip.with(first, .object([key: accept(["city": 3])])), capabilities: asks))["result"]
    #expect(wrong["resultType"] == "input_required")
    let result = try await client.ask(
      "tools/call",
      modern(trip.with(wrong, .object([key: accept(["city": "Porto"])])), capabilities: asks))[
        "result"]
    #expect(result.texts == ["Porto it is."], "\(result)")
    #expect(setting.requests.last?.lastMessage.contains("Porto") == true)
    _ = await client.finish()
  }

  // MARK: The era of initialize

  @Test(
    "asks with elicitation/create in the middle of a call",
    arguments: [
      (["action": "accept", "content": ["decision": "approve"]], "Draft."),
      (["action": "cancel"], "waits for a person"),
    ] as [(Value, String)])
  func elicitation(response: Value, words: String) async throws {
    let setting = try ServingSetting([.text("Draft.")])
    let client = try JSONLinesClient(["mcp"], setting)
    _ = try await client.ask(
      "initialize", ["protocolVersion": "2025-06-18", "capabilities": asks])
    let id = try await client.begin("tools/call", .object(request))
    let question = try #require(
      try await client.read { $0["method"] == "elicitation/create" }.last)
    #expect(question["params"]["message"].string?.contains("Draft.") == true)
    #expect(question["params"]["mode"].isNull)
    try await client.answer(question, response)
    let result = try await client.answer(to: id)["result"]
    #expect(result.texts.first?.contains(words) == true, "\(result)")
    _ = await client.finish()
  }

  @Test("asks again for a decision, and parks where a client cannot ask after all")
  func elicitationWithoutDecision() async throws {
    let setting = try ServingSetting([.text("Draft."), .text("Draft.")])
    let client = try JSONLinesClient(["mcp"], setting)
    _ = try await client.ask("initialize", ["protocolVersion": "2025-11-25", "capabilities": asks])
    let id = try await client.begin("tools/call", .object(request))
    for _ in 0..<3 {
      let question = try #require(
        try await client.read { $0["method"] == "elicitation/create" }.last)
      #expect(question["params"]["mode"] == "form")
      try await client.answer(question, ["action": "accept", "content": .emptyObject])
    }
    #expect(try await client.answer(to: id)["result"]["isError"] == true)

    let second = try await client.begin("tools/call", .object(request))
    let question = try #require(try await client.read { $0["method"] == "elicitation/create" }.last)
    try await client.send(
      ["jsonrpc": "2.0", "id": question["id"], "error": ["code": -32_601, "message": "no"]])
    #expect(try await client.answer(to: second)["result"]["isError"] == true)
    #expect(try await runs(setting.program).allSatisfy { $0["status"] == "parked" })
    _ = await client.finish()
  }

  @Test("parks the run of a question that is cancelled, and takes no late answer for one")
  func cancelledQuestion() async throws {
    let setting = try ServingSetting([.text("Draft.")])
    let client = try JSONLinesClient(["mcp"], setting)
    _ = try await client.ask("initialize", ["protocolVersion": "2025-06-18", "capabilities": asks])
    let id = try await client.begin("tools/call", .object(request))
    let question = try #require(try await client.read { $0["method"] == "elicitation/create" }.last)
    try await client.notify("notifications/cancelled", ["requestId": .int(id)])
    try await client.answer(question, accept(["decision": "approve"]))
    let messages = try await client.end(after: "ping")
    #expect(!messages.contains { $0["id"].int == id })
    _ = await client.finish()
    let status = try await runs(setting.program).first?["status"]
    #expect(status == "parked" || status == "interrupted", "\(String(describing: status))")
  }
}

extension JSONLinesClient {
  /// The messages up to the answer of a request without parameters.
  fileprivate func end(after method: String) async throws -> [Value] {
    try await send(["jsonrpc": "2.0", "id": "end", "method": .string(method)])
    return try await read { $0["id"] == "end" }
  }
}

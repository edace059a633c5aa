import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa acp, over pipes", .timeLimit(.minutes(2)))
struct ACPTests {
  /// A session with a persona or agent.
  private func begin(
    _ setting: ServingSetting, _ arguments: String..., capabilities: Value = .emptyObject
  ) async throws -> (JSONLinesClient, Value) {
    let client = try JSONLinesClient(["acp"] + arguments, setting)
    let hello = try await client.ask(
      "initialize", ["protocolVersion": 1, "clientCapabilities": capabilities])["result"]
    #expect(hello["protocolVersion"] == 1 && hello["agentInfo"]["name"] == "rasa")
    let session = try await client.ask("session/new", folder(setting))["result"]
    return (client, session["sessionId"])
  }

  private func folder(_ setting: ServingSetting, _ more: ValueObject = [:]) -> Value {
    var params: ValueObject = ["cwd": .string(setting.program.home.path), "mcpServers": []]
    for (name, value) in more { params[name] = value }
    return .object(params)
  }

  private func prompt(_ session: Value, _ text: String) -> Value {
    ["sessionId": session, "prompt": [["type": "text", "text": .string(text)]]]
  }

  private func runs(_ setting: ServingSetting) async throws -> [Value] {
    try JSON.parse(await setting.program.run("runs", "list", "--json").output).array ?? []
  }

  @Test("streams an answer in pieces, with what the model thinks before")
  func streaming() async throws {
    let setting = try ServingSetting([
      Script.text("All is well.").with {
        $0.reasoning = ["Let me see."]
        $0.chunking = .eachEvent
      }
    ])
    let (client, session) = try await begin(setting, "--persona", "single")
    let id = try await client.begin("session/prompt", prompt(session, "How is it?"))
    let messages = try await client.read { $0["id"].int == id }
    let updates = messages.updates
    #expect(updates.text("agent_message_chunk") == "All is well.")
    #expect(updates.text("agent_thought_chunk") == "Let me see.")
    #expect(updates.allSatisfy { $0["messageId"].string != "" })
    let result = try #require(messages.last)["result"]
    #expect(result["stopReason"] == "end_turn")
    #expect(result["_meta"]["rasa/cost_usd"].string?.hasPrefix("0.") == true)
    #expect(await client.finish().status == "exit code 0")
  }

  @Test("tells that no model was asked, and that the end is missing")
  func whatIsNotToBeBelieved() async throws {
    let (mock, first) = try await begin(ServingSetting(nil), "--persona", "single")
    let made = try await mock.begin("session/prompt", prompt(first, "How is it?"))
    let told = try await mock.read { $0["id"].int == made }.updates.text("agent_message_chunk")
    #expect(told.contains("No model was asked"))
    _ = await mock.finish()

    let setting = try ServingSetting([
      Script.text("Half an").with { $0.finishReason = "length" }
    ])
    let (client, session) = try await begin(setting, "--persona", "single")
    let id = try await client.begin("session/prompt", prompt(session, "How is it?"))
    let messages = try await client.read { $0["id"].int == id }
    #expect(messages.last?["result"]["stopReason"] == "max_tokens", "\(messages)")
    _ = await client.finish()
  }

  @Test("shows the operators of a persona as a plan that is worked off")
  func plan() async throws {
    let setting = try ServingSetting(nil)
    let (client, session) = try await begin(setting, "--persona", "strategic_stock_analyst")
    let id = try await client.begin("session/prompt", prompt(session, "Is it a buy?"))
    let plans = try await client.read { $0["id"].int == id }.updates
      .filter { $0["sessionUpdate"] == "plan" }.compactMap { $0["entries"].array }
    let first = try #require(plans.first)
    #expect(first.count > 1 && first.allSatisfy { $0["status"] == "pending" })
    #expect(plans.allSatisfy { $0.count == first.count })
    #expect(plans.contains { $0.contains { $0["status"] == "in_progress" } })
    #expect(plans.last?.contains { $0["status"] == "completed" } == true)
    _ = await client.finish()
  }

  @Test("goes on with a conversation, and replays it to the next editor")
  func sessions() async throws {
    let setting = try ServingSetting([.text("Noted."), .text("Tea."), .text("Still tea.")])
    let (client, session) = try await begin(setting, "--persona", "single")
    _ = try await client.ask("session/prompt", prompt(session, "Remember tea."))
    _ = try await client.ask("session/prompt", prompt(session, "What was it?"))
    _ = await client.finish()

    let next = try JSONLinesClient(["acp", "--agent", "careful-writer"], setting)
    _ = try await next.ask("initialize", ["protocolVersion": 1])
    let id = try await next.begin("session/load", folder(setting, ["sessionId": session]))
    let messages = try await next.read { $0["id"].int == id }
    let spoken = messages.updates.map { $0["content"]["text"].string ?? "" }
    #expect(spoken == ["Remember tea.", "Noted.", "What was it?", "Tea."])
    let kinds = messages.updates.map { $0["sessionUpdate"].string ?? "" }
    #expect(
      kinds == [
        "user_message_chunk", "agent_message_chunk", "user_message_chunk", "agent_message_chunk",
      ])
    // It is answered by whom it began with.
    #expect(
      messages.last?["result"]["configOptions"].array?.first?["currentValue"] == "persona:single")
    _ = try await next.ask("session/prompt", prompt(session, "And now?"))
    #expect(
      setting.requests.last.map {
        String(decoding: $0.body, as: UTF8.self).contains("Remember tea.")
      } == true)
    let resumed = try await next.ask("session/resume", folder(setting, ["sessionId": session]))
    #expect(resumed["result"]["modes"]["currentModeId"] == "persona:single")
    #expect(try await next.ask("session/close", ["sessionId": session])["result"] == .emptyObject)
    #expect(
      try await next.ask("session/prompt", prompt(session, "x"))["error"]["code"].int == -32_002)
    _ = await next.finish()
  }

  @Test("lets the user choose who answers")
  func choosing() async throws {
    let setting = try ServingSetting([.text("All is well.")])
    let (client, session) = try await begin(setting)
    let options = try await client.ask("session/new", folder(setting))["result"]["configOptions"]
    #expect(options.array?.first?["currentValue"] == "auto")
    let chosen = try await client.ask(
      "session/set_config_option",
      ["sessionId": session, "configId": "persona", "value": "persona:single"])["result"]
    #expect(chosen["configOptions"].array?.first?["currentValue"] == "persona:single")
    for (method, more) in [
      ("session/set_config_option", ["configId": "persona", "value": "persona:nobody"]),
      ("session/set_config_option", ["configId": "other", "value": "persona:single"]),
      ("session/set_mode", ["modeId": "nobody"]),
    ] as [(String, ValueObject)] {
      var params = more
      params["sessionId"] = session
      #expect(try await client.ask(method, .object(params))["error"]["code"].int == -32_602)
    }
    _ = try await client.ask("session/prompt", prompt(session, "How is it?"))
    #expect(try await runs(setting).first?["persona"] == "single")
    #expect(
      try await client.ask("session/set_mode", ["sessionId": session, "modeId": "auto"])["result"]
        == .emptyObject)
    _ = await client.finish()
  }

  @Test("passes on files and images that belong to a prompt")
  func content() async throws {
    let setting = try ServingSetting([.text("Read.")])
    let (client, session) = try await begin(setting, "--persona", "single")
    let blocks: Value = [
      ["type": "text", "text": "Look at "],
      ["type": "resource", "resource": ["uri": "file:///p/list.txt", "text": "Buy tea."]],
      ["type": "text", "text": " and "],
      ["type": "resource_link", "uri": "file:///p/other.txt", "name": "other.txt"],
    ]
    _ = try await client.ask("session/prompt", ["sessionId": session, "prompt": blocks])
    let body = try #require(setting.requests.first).body
    let text = String(decoding: body, as: UTF8.self)
    #expect(
      text.contains("Look at [list.txt](file:///p/list.txt) and [other.txt](file:///p/other.txt)"))
    #expect(text.contains("Buy tea."))
    for block in [
      ["type": "audio", "data": "AAAA"], ["type": "image", "data": "####"], ["type": "resource"],
      ["type": "text", "text": " "], ["type": "image", "data": "bm8gaW1hZ2UA"],
    ] as [Value] {
      let answer = try await client.ask(
        "session/prompt", ["sessionId": session, "prompt": [block]])
      #expect(answer["error"]["code"].int == -32_602, "\(block): \(answer)")
    }
    #expect(setting.requests.count == 1)
    _ = await client.finish()
  }

  // MARK: Questions

  @Test(
    "asks for permission, and takes nothing but an approval for one",
    arguments: [
      (["outcome": ["outcome": "selected", "optionId": "approve"]], "Draft.", "done"),
      (["outcome": ["outcome": "selected", "optionId": "grant"]], "waits for a person", "parked"),
      (["outcome": ["outcome": "cancelled"]], "waits for a person", "parked"),
      (
        ["outcome": ["outcome": "cancelled", "optionId": "approve"]], "waits for a person", "parked"
      ),
      (.emptyObject, "waits for a person", "parked"),
    ] as [(Value, String, String)])
  func permission(response: Value, words: String, status: String) async throws {
    let setting = try ServingSetting([.text("Draft.")])
    let (client, session) = try await begin(setting, "--agent", "careful-writer")
    let id = try await client.begin("session/prompt", prompt(session, "Write"))
    let before = try await client.read { $0["method"] == "session/request_permission" }
    let question = try #require(before.last)
    #expect(
      question["params"]["options"].array?.map { $0["kind"] } == ["allow_once", "reject_once"])
    #expect(question["params"]["toolCall"]["content"].json().contains("Draft."))
    #expect(
      before.updates.contains { $0["sessionUpdate"] == "tool_call" && $0["status"] == "pending" })
    #expect(before.updates.text("agent_message_chunk") == "")
    try await client.answer(question, response)
    let after = try await client.read { $0["id"].int == id && $0["method"].isNull }
    #expect(after.updates.text("agent_message_chunk").contains(words), "\(after)")
    #expect(after.last?["result"]["stopReason"] == "end_turn")
    #expect(try await runs(setting).first?["status"] == .string(status))
    _ = await client.finish()
  }

  @Test("parks where an editor cannot ask")
  func noPermission() async throws {
    let setting = try ServingSetting([.text("Draft.")])
    let (client, session) = try await begin(setting, "--agent", "careful-writer")
    let id = try await client.begin("session/prompt", prompt(session, "Write"))
    let question = try #require(
      try await client.read { $0["method"] == "session/request_permission" }.last)
    try await client.send(
      ["jsonrpc": "2.0", "id": question["id"], "error": ["code": -32_601, "message": "no"]])
    let after = try await client.read { $0["id"].int == id && $0["method"].isNull }
    #expect(after.updates.text("agent_message_chunk").contains("waits for a person"))
    #expect(!after.updates.text("agent_message_chunk").contains("Draft."))
    _ = await client.finish()
  }

  @Test("asks an operator's question in a form, or as a message that the next prompt answers")
  func question() async throws {
    let setting = try ServingSetting([.text("Porto it is."), .text("Lisbon it is.")])
    let (client, session) = try await begin(
      setting, "--persona", "asking", capabilities: ["elicitation": ["form": .emptyObject]])
    let id = try await client.begin("session/prompt", prompt(session, "trip"))
    let form = try #require(try await client.read { $0["method"] == "elicitation/create" }.last)
    #expect(form["params"]["mode"] == "form" && form["params"]["sessionId"] == session)
    try await client.answer(form, ["action": "accept", "content": ["city": "Porto"]])
    let messages = try await client.read { $0["id"].int == id && $0["method"].isNull }
    #expect(messages.updates.text("agent_message_chunk") == "Porto it is.")
    _ = await client.finish()

    let (other, next) = try await begin(setting, "--persona", "asking")
    let first = try await other.begin("session/prompt", prompt(next, "trip"))
    let asked = try await other.read { $0["id"].int == first }.updates.text("agent_message_chunk")
    #expect(asked.contains("What do you mean by trip?") && asked.contains("Your next message"))
    let wrong = try await other.begin("session/prompt", prompt(next, "Lisbon"))
    let told = try await other.read { $0["id"].int == wrong }.updates.text("agent_message_chunk")
    #expect(told.contains("does not fit"), "\(told)")
    let right = try await other.begin("session/prompt", prompt(next, #"{"city": "Lisbon"}"#))
    let answer = try await other.read { $0["id"].int == right }.updates.text("agent_message_chunk")
    #expect(answer == "Lisbon it is.")
    #expect(setting.requests.last?.lastMessage.contains("Lisbon") == true)
    _ = await other.finish()
  }

  // MARK: Cancelling, leaving, errors

  private static let stuck = Script.text("One moment please wait").with {
    $0.breaking = (after: 2, .silence)
  }

  @Test("parks a run that is cancelled, and says cancelled", arguments: [true, false])
  func cancelling(isOfSession: Bool) async throws {
    let setting = try ServingSetting([Self.stuck])
    let (client, session) = try await begin(setting, "--persona", "single")
    let id = try await client.begin("session/prompt", prompt(session, "x"))
    // What the model has said so far is there while it still speaks.
    let pieces = try await client.read {
      $0["params"]["update"]["sessionUpdate"] == "agent_message_chunk"
    }
    #expect(pieces.updates.text("agent_message_chunk").hasPrefix("One"))
    // A second prompt does not disturb the first.
    #expect(
      try await client.ask("session/prompt", prompt(session, "y"))["error"]["code"].int == -32_600)
    if isOfSession {
      try await client.notify("session/cancel", ["sessionId": session])
    } else {
      try await client.notify("$/cancel_request", ["requestId": .int(id)])
    }
    #expect(try await client.answer(to: id)["result"]["stopReason"] == "cancelled")
    #expect(try await runs(setting).first?["status"] == "interrupted")
    _ = await client.finish()
  }

  @Test("parks what is under way when the editor leaves, and says so")
  func leaving() async throws {
    let setting = try ServingSetting([Self.stuck])
    let (client, session) = try await begin(setting, "--persona", "single")
    _ = try await client.begin("session/prompt", prompt(session, "x"))
    _ = try await setting.provider?.waitForRequests(1)
    let (status, errors) = await client.finish()
    #expect(status == "exit code 0" && errors.contains("1 run was under way"), "\(errors)")
    #expect(try await runs(setting).first?["status"] == "interrupted")
  }

  @Test("tells an error of a run with what to do")
  func failure() async throws {
    let setting = try ServingSetting([Script().with { $0.status = 401 }])
    let (client, session) = try await begin(setting, "--persona", "single")
    let error = try await client.ask("session/prompt", prompt(session, "x"))["error"]
    #expect(
      error["message"].string?.isEmpty == false && error["data"]["run"].string?.isEmpty == false,
      "\(error)")
    // The session goes on.
    setting.provider?.add(.text("All is well."))
    _ = await client.finish()
  }

  @Test(
    "refuses what it cannot understand",
    arguments: [
      ("session/new", ["cwd": "relative"], -32_602),
      ("session/new", ["cwd": "/no/such/folder"], -32_602),
      ("session/new", .emptyObject, -32_602),
      ("session/prompt", ["sessionId": "nobody", "prompt": []], -32_002),
      ("session/prompt", .emptyObject, -32_602),
      ("session/load", ["cwd": "/", "sessionId": "nobody"], -32_002),
      ("session/fork", .emptyObject, -32_601),
    ] as [(String, Value, Int64)])
  func refusals(method: String, params: Value, code: Int64) async throws {
    let setting = try ServingSetting(nil)
    let client = try JSONLinesClient(["acp"], setting)
    #expect(try await client.ask(method, params)["error"]["code"].int == code)
    _ = await client.finish()
  }

  @Test("says that an editor's servers are not used, and refuses two answerers")
  func notes() async throws {
    let setting = try ServingSetting(nil)
    let client = try JSONLinesClient(["acp"], setting)
    _ = try await client.ask(
      "session/new", folder(setting, ["mcpServers": [["name": "files", "command": "/bin/files"]]]))
    #expect(await client.finish().errors.contains("files"))
    let both = try await setting.program.run(
      "acp", "--persona", "single", "--agent", "careful-writer")
    #expect(both.exitCode == 2 && both.output.isEmpty)
  }
}

extension [Value] {
  /// What happened in sessions.
  fileprivate var updates: [Value] {
    filter { $0["method"] == "session/update" }.map { $0["params"]["update"] }
  }

  /// The text of all pieces of a kind.
  fileprivate func text(_ kind: String) -> String {
    filter { $0["sessionUpdate"] == .string(kind) }.map { $0["content"]["text"].string ?? "" }
      .joined()
  }
}

import RasaCore
import RasaHTTPClient
import RasaKit
import RasaTestKit
import Testing

@testable import RasaServer

@Suite("Doors: tools of the client", .timeLimit(.minutes(1)))
struct ClientToolTests {
  static let tools =
    #""tools":[{"type":"function","function":{"name":"look","description":"Looks.","parameters":{"type":"object","properties":{"q":{"type":"string"}}}}}]"#
  static let look = ScriptedCall(id: "x1", name: "look", arguments: ["q": "ü"])

  /// The first turn and the conversation that it makes.
  private func begin(
    _ kit: ServerKit, token: String = ServerKit.token
  ) async throws -> (reply: ServerKit.Reply, messages: [Value], ids: [String]) {
    let reply = try await kit.chat("rasa/helper", "What is there?", Self.tools, token: token)
    #expect(reply.status == 200, "\(reply.text)")
    let choice = try #require(try reply.json["choices"].array?.first)
    #expect(choice["finish_reason"] == "tool_calls")
    let calls = choice["message"]["tool_calls"].array ?? []
    return (
      reply, [["role": "user", "content": "What is there?"], choice["message"]],
      calls.compactMap { $0["id"].string }
    )
  }

  private func go(
    _ kit: ServerKit, _ messages: [Value], _ more: ValueObject = [:],
    token: String = ServerKit.token
  ) async throws -> ServerKit.Reply {
    var body: ValueObject = ["model": "rasa/helper", "messages": .array(messages)]
    for (name, value) in more { body[name] = value }
    return try await kit.ask(
      "POST", "/v1/chat/completions", Value.object(body).json(), token: token)
  }

  private func result(_ id: String, _ text: String) -> Value {
    ["role": "tool", "tool_call_id": .string(id), "content": .string(text)]
  }

  @Test("the model's calls go to the client, and its results back into the same run")
  func roundTrip() async throws {
    try await withServer(ServerKit([Script.calls([Self.look]).once(), .text("A pear.")])) { kit in
      let (first, messages, ids) = try await begin(kit)
      let run = try #require(first.headers.first(named: "x-rasa-run"))
      #expect(try await kit.rasa.run(withID: run).status == .parked)
      #expect(ids.count == 1)
      let call = messages[1]["tool_calls"].array?.first?["function"] ?? .null
      #expect(call["name"] == "look" && call["arguments"] == #"{"q":"ü"}"#)
      let second = try await go(kit, messages + [result(ids[0], "There is a pear.")])
      #expect(second.status == 200, "\(second.text)")
      #expect(try ModelDoorTests.text(second) == "A pear.")
      #expect(second.headers.first(named: "x-rasa-run") == run)
      #expect(try await kit.rasa.run(withID: run).status == .done)
      #expect(kit.provider.requests.last?.lastMessage.hasBytes("There is a pear.") == true)
      // What happened is in the journal, with the client's tools.
      let lines = try await kit.rasa.events(ofRun: run)
      #expect(
        lines.contains { $0.kind == "tools.offered" && $0.body.description.hasBytes("client") })
      #expect(lines.contains { $0.kind == "tool.result" && $0.body.description.hasBytes("a pear") })
      // A client whose connection broke asks again, and gets the same answer without a second one being made.
      let count = kit.provider.requests.count
      let again = try await go(kit, messages + [result(ids[0], "There is a pear.")])
      #expect(try ModelDoorTests.text(again) == "A pear.")
      #expect(kit.provider.requests.count == count)
    }
  }

  @Test("what follows is streamed, in each protocol's words")
  func otherProtocols() async throws {
    let scripts = [Script.calls([Self.look]).once(), .text("A pear.")]
    let tool = #""name":"look","description":"Looks.""#
    let schema = #"{"type":"object","properties":{"q":{"type":"string"}}}"#
    try await withServer(ServerKit(scripts)) { kit in
      let body =
        #"{"model":"rasa/helper","max_tokens":50,"stream":true,"tools":[{\#(tool),"input_schema":\#(schema)}],"messages":[{"role":"user","content":"What?"}"#
      let first = try await kit.ask(
        "POST", "/v1/messages", body + "]}", headers: ModelDoorTests.anthropic)
      let block = try #require(
        try first.events.first { $0["type"] == "content_block_start" }?["content_block"])
      #expect(block["type"] == "tool_use" && block["name"] == "look")
      #expect(first.text.hasBytes(#""stop_reason":"tool_use""#))
      let id = block["id"].string ?? ""
      let rest =
        #",{"role":"assistant","content":[{"type":"tool_use","id":"\#(id)","name":"look","input":{"q":"ü"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"\#(id)","content":"a pear"}]}]}"#
      let second = try await kit.ask(
        "POST", "/v1/messages", body + rest, headers: ModelDoorTests.anthropic)
      #expect(try second.events.compactMap { $0["delta"]["text"].string }.joined() == "A pear.")
      #expect(try second.events.last?["type"] == "message_stop")
    }
    try await withServer(ServerKit(scripts)) { kit in
      let begun =
        #"{"model":"rasa/helper","tools":[{"type":"function",\#(tool),"parameters":\#(schema)}],"#
      let first = try await kit.ask("POST", "/v1/responses", begun + #""input":"What?"}"#)
      let response = try first.json
      let item = try #require(response["output"].array?.first { $0["type"] == "function_call" })
      let second = try await kit.ask(
        "POST", "/v1/responses",
        begun
          + #""previous_response_id":\#(response["id"].json()),"input":[{"type":"function_call_output","call_id":\#(item["call_id"].json()),"output":"a pear"}]}"#
      )
      #expect(try ModelDoorTests.text(second) == "A pear.", "\(second.text)")
    }
  }

  @Test("several calls of a turn wait for all of their results")
  func several() async throws {
    let calls = [Self.look, ScriptedCall(id: "x2", name: "look", arguments: ["q": "b"])]
    try await withServer(ServerKit([Script.calls(calls).once(), .text("Both.")])) { kit in
      let (_, messages, ids) = try await begin(kit)
      #expect(Set(ids).count == 2)
      let half = try await go(kit, messages + [result(ids[0], "one")])
      #expect(half.status == 400 && half.text.hasBytes(ids[1]))
      let whole = try await go(kit, messages + [result(ids[1], "two"), result(ids[0], "one")])
      #expect(try ModelDoorTests.text(whole) == "Both.", "\(whole.text)")
    }
  }

  @Test("a result for a call that nobody made, and one of somebody else's run, are refused")
  func foreign() async throws {
    let tokens: [Value] = [
      ["name": "bob", "token": "t1", "scopes": ["run"], "user": "bob"],
      ["name": "ada-2", "token": "t2", "scopes": ["run"]],
    ]
    try await withServer(
      ServerKit([Script.calls([Self.look]).once(), .text("ok")], tokens: tokens)
    ) {
      kit in
      let (first, messages, ids) = try await begin(kit)
      for token in ["t1", "t2"] {
        let reply = try await go(kit, messages + [result(ids[0], "x")], token: token)
        #expect(reply.status == 400 && reply.text.hasBytes(ids[0]), "\(token)")
      }
      let unknown: [Value] = [
        ["role": "user", "content": "x"],
        [
          "role": "assistant",
          "tool_calls": [
            ["id": "c9", "type": "function", "function": ["name": "look", "arguments": "{}"]]
          ],
        ], result("c9", "x"),
      ]
      let reply = try await go(kit, unknown)
      #expect(reply.status == 400 && reply.text.hasBytes("c9"))
      let run = try #require(first.headers.first(named: "x-rasa-run"))
      #expect(try await kit.rasa.run(withID: run).status == .parked)
    }
  }

  @Test("where the run was deleted, the conversation begins a new one with what was found out")
  func deleted() async throws {
    try await withServer(ServerKit([Script.calls([Self.look]).once(), .text("A pear.")])) { kit in
      let (first, messages, ids) = try await begin(kit)
      let run = try #require(first.headers.first(named: "x-rasa-run"))
      _ = try await kit.rasa.cancel(run)
      _ = try await kit.rasa.deleteRuns([run])
      let reply = try await go(kit, messages + [result(ids[0], "There is a pear.")])
      #expect(try ModelDoorTests.text(reply) == "A pear.", "\(reply.text)")
      #expect(reply.headers.first(named: "x-rasa-run") != run)
      let asked = kit.provider.requests.last?.lastMessage ?? ""
      #expect(asked.hasBytes("What is there?") && asked.hasBytes("There is a pear."))
    }
  }

  @Test("a run waits for its client's result over a restart of the server")
  func restart() async throws {
    try await withServer(ServerKit([Script.calls([Self.look]).once(), .text("A pear.")])) { kit in
      let (_, messages, ids) = try await begin(kit)
      var settings = ServerSettings()
      settings.port = 0
      settings.token = ServerKit.token
      await kit.server.stop(grace: .seconds(2))
      let second = try Server.start(kit.rasa, settings)
      let client = HTTPClient()
      var body: ValueObject = ["model": "rasa/helper"]
      body["messages"] = .array(messages + [result(ids[0], "There is a pear.")])
      let response = try await client.send(
        HTTPRequest(
          url: "http://127.0.0.1:\(second.port)/v1/chat/completions",
          headers: [(name: "Authorization", value: "Bearer \(ServerKit.token)")],
          body: Value.object(body).jsonBytes(), allowsPlainHTTP: true))
      let text = String(decoding: try await response.body.collect(limit: 100_000), as: UTF8.self)
      #expect(response.status == 200 && text.hasBytes("A pear."))
      client.shutdown()
      await second.stop(grace: .seconds(2))
    }
  }

  @Test(
    "a persona that no model answers for takes no tools, and none is offered where the client wants none"
  )
  func withoutModel() async throws {
    try await withServer(ServerKit([.text("ok")])) { kit in
      let reply = try await kit.chat("rasa/support_triage", "I was charged twice", Self.tools)
      #expect(reply.status == 400)
      let none = try await kit.chat("rasa/helper", "Hi", Self.tools + #","tool_choice":"none""#)
      #expect(none.status == 200)
      #expect(kit.provider.requests.last?.json["tools"].array == nil)
    }
  }
}

import RasaCore
import RasaHTTPClient
import RasaKit
import RasaTestKit
import Testing

@testable import RasaServer

@Suite("Doors: personas and agents", .timeLimit(.minutes(1)))
struct PersonaDoorTests {
  /// Asks a person before it gives its answer.
  static let careful =
    "name: careful\ndescription: Asks first.\nframes: [session_frame]\noperators: [respond, hitl]\n"

  @Test("a persona answers behind every door, in a run that is named")
  func everyDoor() async throws {
    try await withServer(ServerKit([.text("Hello Ω.")])) { kit in
      for (path, body) in [
        ("/v1/chat/completions", ModelDoorTests.prompt("rasa/helper")),
        ("/v1/messages", ModelDoorTests.message("rasa/helper")),
        ("/v1/responses", #"{"model":"rasa/helper","input":"Hi"}"#),
        ("/api/chat", ModelDoorTests.prompt("rasa/helper:latest", #","stream":false"#)),
      ] {
        let reply = try await kit.ask("POST", path, body, headers: ModelDoorTests.anthropic)
        #expect(reply.status == 200, "\(path): \(reply.text)")
        #expect(try ModelDoorTests.text(reply) == "Hello Ω.")
        let run = try #require(reply.headers.first(named: "x-rasa-run"))
        let summary = try await kit.rasa.run(withID: run)
        #expect(summary.persona == "helper" && summary.status == .done && summary.user == "ada")
        let json = try reply.json
        #expect(json["rasa"]["run"].string == run)
        #expect(json["model"].string == "rasa/helper")
        #expect(json["rasa"]["answered_by"].array?.count == 1)
      }
    }
  }

  @Test("it streams, with its run in the last event")
  func streams() async throws {
    let script = Script.text("Hello Ω, you there.").with { $0.chunking = .everyByte }
    try await withServer(ServerKit([script])) { kit in
      let reply = try await kit.chat(
        "rasa/helper", "Hi", #""stream":true,"stream_options":{"include_usage":true}"#)
      let events = try reply.events
      let text = events.compactMap { $0["choices"].array?.first?["delta"]["content"].string }
      #expect(text.joined() == "Hello Ω, you there.")
      #expect(events.last?["usage"]["completion_tokens"].int ?? 0 > 0)
      let run = reply.headers.first(named: "x-rasa-run")
      #expect(events.dropLast().last?["rasa"]["run"].string == run)
    }
  }

  @Test("what is sure is sent while the rest is still made")
  func sendsEarly() async throws {
    try await withServer(ServerKit([Script.words(20).broken(after: 10, .silence)])) { kit in
      let response = try await kit.send(
        "POST", "/v1/chat/completions", ModelDoorTests.prompt("rasa/helper", #","stream":true"#))
      var text = ""
      // Where nothing came, this would not end before the test's own limit.
      while text.ranges(of: #""content":""#).count < 2, let bytes = try await response.body.next() {
        text += String(decoding: bytes, as: UTF8.self)
      }
      #expect(!text.hasBytes("[DONE]"))
      response.body.cancel()
    }
  }

  @Test("an agent is asked by its id, an alias by its persona")
  func names() async throws {
    let agent = "---\nname: painter\ndescription: Paints.\n---\nYou paint.\n"
    let alias = "name: writer\nalias: scribe\ndescription: Writes.\nframes: [session_frame]\n"
    let kit = try ServerKit(
      [.text("ok")], files: ["agents/painter.md": agent, "personas/writer.yaml": alias])
    try await withServer(kit) { kit in
      let painted = try await kit.chat("rasa/painter", "Hi")
      #expect(painted.status == 200, "\(painted.text)")
      let written = try await kit.chat("rasa/scribe", "Hi")
      #expect(try written.json["model"] == "rasa/writer")
    }
  }

  // MARK: Conversations

  @Test(
    "without a session the client's messages are the conversation, and its instructions stand below the persona's"
  )
  func given() async throws {
    try await withServer(ServerKit([.text("ok")])) { kit in
      let body = #"""
        {"model":"rasa/helper","messages":[
          {"role":"system","content":"Answer in rhymes."},
          {"role":"user","content":"First?"},{"role":"assistant","content":"One."},
          {"role":"user","content":"Second?"},{"role":"assistant","content":"Two."},
          {"role":"user","content":"Third?"}]}
        """#
      let reply = try await kit.ask("POST", "/v1/chat/completions", body)
      #expect(reply.status == 200, "\(reply.text)")
      let sent = try #require(kit.provider.requests.last)
      let messages = sent.json["messages"].array ?? []
      #expect(
        messages.map { $0["role"].string } == [
          "system", "user", "assistant", "user", "assistant", "user",
        ])
      #expect(messages[1]["content"] == "First?" && messages[4]["content"] == "Two.")
      #expect(messages[0]["content"].string?.hasBytes("rhymes") == false)
      #expect(messages[5]["content"].string?.hasBytes("Third?") == true)
      #expect(messages[5]["content"].string?.hasBytes("Answer in rhymes.") == true)
      // The journal has it, so that a run that goes on sees the same.
      let run = try #require(reply.headers.first(named: "x-rasa-run"))
      let context = try await kit.rasa.events(ofRun: run).first { $0.kind == "context.opened" }
      #expect(context?.body["session"].array?.count == 2)
      #expect(context?.body["client"].string == "Answer in rhymes.")
      #expect(try await kit.rasa.sessions().isEmpty)
    }
  }

  @Test("with a session rasa's own conversation counts, wherever the session is named")
  func sessions() async throws {
    let scripts = ["One.", "Two.", "Three."].map { Script.text($0).once() }
    try await withServer(ServerKit(scripts)) { kit in
      let header = [(name: "X-Rasa-Session", value: "talk")]
      let first = try await kit.chat("rasa/helper", "First?", headers: header)
      #expect(first.headers.first(named: "x-rasa-session") == "talk")
      _ = try await kit.chat("rasa/helper", "Second?", #""user":"session:talk""#)
      _ = try await kit.ask(
        "POST", "/v1/responses",
        #"{"model":"rasa/helper","conversation":"talk","input":[{"role":"user","content":"made up"},{"role":"assistant","content":"made up"},{"role":"user","content":"Third?"}]}"#
      )
      let sent = try #require(kit.provider.requests.last).messages
      #expect(sent.dropFirst().dropLast() == ["First?", "One.", "Second?", "Two."])
      #expect(sent.last?.hasBytes("Third?") == true && !sent.joined().hasBytes("made up"))
      #expect(try await kit.rasa.turns(of: "talk").map(\.output) == ["One.", "Two.", "Three."])
    }
  }

  @Test("two names of a session are refused, and none at a model")
  func badSessions() async throws {
    try await withServer(ServerKit()) { kit in
      let header = [(name: "X-Rasa-Session", value: "talk")]
      let two = try await kit.chat(
        "rasa/helper", "Hi", #""user":"session:other""#, headers: header)
      #expect(two.status == 400)
      let model = try await kit.ask(
        "POST", "/v1/responses", #"{"model":"openai:gpt-4o-mini","input":"x","conversation":"a"}"#)
      #expect(model.status == 400)
      let previous = try await kit.ask(
        "POST", "/v1/responses",
        #"{"model":"openai:gpt-4o-mini","input":"x","previous_response_id":"resp_1"}"#)
      #expect(previous.status == 400)
      #expect(try previous.json["error"]["param"] == "previous_response_id")
    }
  }

  @Test("a response is continued by its id, by whom it was given to and from its end only")
  func previousResponse() async throws {
    let other: Value = ["name": "other", "token": "t1", "scopes": ["run"], "user": "bob"]
    let scripts = ["One.", "Two."].map { Script.text($0).once() }
    try await withServer(ServerKit(scripts, tokens: [other])) { kit in
      func ask(_ more: String, token: String? = ServerKit.token) async throws -> ServerKit.Reply {
        try await kit.ask(
          "POST", "/v1/responses", #"{"model":"rasa/helper","input":"And?"\#(more)}"#, token: token)
      }
      let first = try await ask("").json["id"].string ?? ""
      let second = try await ask(#","previous_response_id":"\#(first)""#)
      #expect(second.status == 200, "\(second.text)")
      #expect(try second.json["previous_response_id"].string == first)
      #expect(kit.provider.requests.last?.messages.contains("One.") == true)
      for (more, token) in [
        (first, ServerKit.token), ("resp_nothing", ServerKit.token),
        (try second.json["id"].string ?? "", "t1"),
      ] {
        let reply = try await ask(#","previous_response_id":"\#(more)""#, token: token)
        #expect(reply.status == 400, "\(more)")
      }
      let alone = try await kit.ask(
        "POST", "/v1/responses", #"{"model":"rasa/helper","input":"x","store":false}"#)
      #expect(alone.headers.first(named: "x-rasa-session") == nil)
    }
  }

  // MARK: What a client has to know

  @Test("a run that waits for a person says so and how it is answered, and makes nothing up")
  func waits() async throws {
    try await withServer(
      ServerKit([.text("A draft.")], files: ["personas/careful.yaml": Self.careful])
    ) { kit in
      let reply = try await kit.chat("rasa/careful", "Hi")
      #expect(reply.status == 200, "\(reply.text)")
      let choice = try #require(try reply.json["choices"].array?.first)
      let text = choice["message"]["content"].string ?? ""
      let run = try #require(reply.headers.first(named: "x-rasa-run"))
      let approval = try #require(try await kit.rasa.approvals(ofRun: run).first)
      #expect(choice["finish_reason"] == "stop")
      #expect(text.hasBytes(run) && text.hasBytes(approval.id) && !text.hasBytes("A draft."))
      #expect(try reply.json["rasa"]["waits_for"] == [.string(approval.id)])
      let stream = try await kit.chat("rasa/careful", "Hi", #""stream":true"#)
      #expect(stream.text.hasBytes("waits for a person") && stream.text.hasByteSuffix("[DONE]\n\n"))
    }
  }

  @Test("an answer whose end is missing says so")
  func cut() async throws {
    let agent = "---\nname: brief\ndescription: Brief.\nmodel: openai:gpt-4o-mini\n---\nBe brief.\n"
    let script = Script.text("Once upon a time").with { $0.finishReason = "length" }
    try await withServer(ServerKit([script], files: ["agents/brief.md": agent])) { kit in
      let reply = try await kit.chat("rasa/brief", "Hi")
      #expect(reply.status == 200, "\(reply.text)")
      #expect(try reply.json["choices"].array?.first?["finish_reason"] == "length")
      #expect(try reply.json["rasa"]["notices"].array?.isEmpty == false)
    }
  }

  @Test("a failure is an error with the run's id, and after content an error in the stream")
  func failures() async throws {
    try await withServer(ServerKit([.error(401, "bad key")])) { kit in
      let reply = try await kit.chat("rasa/helper", "Hi", #""stream":true"#)
      #expect(reply.status == 502, "\(reply.text)")
      let empty = try await kit.chat("rasa/helper", " ")
      #expect(empty.status == 400)
    }
  }

  @Test("the mock says that it is one")
  func mock() async throws {
    try await withServer(ServerKit(environment: ["LLM_PROVIDER": "mock"])) { kit in
      let reply = try await kit.chat("rasa/helper", "Hi")
      #expect(try reply.json["rasa"]["mock"] == true)
      let model = try await kit.chat("rasa/fast", "Hi")
      #expect(try model.json["rasa"]["mock"] == true)
    }
  }

  @Test("a client that goes away has its run parked")
  func disconnect() async throws {
    let script = Script.words(5_000).with { $0.tokenDelay = .milliseconds(5) }
    try await withServer(ServerKit([script])) { kit in
      let response = try await kit.send(
        "POST", "/v1/chat/completions",
        ModelDoorTests.prompt("rasa/helper", #","stream":true"#))
      let run = try #require(response.headers.first(named: "x-rasa-run"))
      _ = try await response.body.next()
      response.body.cancel()
      var summary = try await kit.rasa.run(withID: run)
      while summary.status == .running { summary = try await kit.rasa.run(withID: run) }
      #expect(summary.status.canResume)
    }
  }

  @Test(
    "what only a model can be told is refused by name",
    arguments: [
      (#""response_format":{"type":"json_object"}"#, "response_format"),
      (
        #""tool_choice":"required","tools":[{"type":"function","function":{"name":"a"}}]"#,
        "tool_choice"
      ),
    ])
  func refused(more: String, member: String) async throws {
    try await withServer(ServerKit()) { kit in
      let reply = try await kit.chat("rasa/helper", "Hi", more)
      #expect(reply.status == 400)
      #expect(try reply.json["error"]["param"].string == member)
    }
  }

  @Test("an image reaches the model that answers")
  func attachment() async throws {
    try await withServer(ServerKit([.text("A dot.")])) { kit in
      let body =
        #"{"model":"rasa/helper","messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}}]}]}"#
      let reply = try await kit.ask("POST", "/v1/chat/completions", body)
      #expect(reply.status == 200, "\(reply.text)")
      let sent = kit.provider.requests.last.map { String(decoding: $0.body, as: UTF8.self) } ?? ""
      #expect(sent.hasBytes("iVBORw0KGgo"))
    }
  }
}

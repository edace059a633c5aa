import RasaCore
import RasaHTTPClient
import RasaKit
import RasaTestKit
import Testing

@testable import RasaServer

@Suite("Doors: models", .timeLimit(.minutes(1)))
struct ModelDoorTests {
  static let anthropic = [(name: "anthropic-version", value: "2023-06-01")]

  static func message(_ model: String, _ more: String = "") -> String {
    #"{"model":"\#(model)","max_tokens":50,"messages":[{"role":"user","content":"Hi"}]\#(more)}"#
  }

  static func prompt(_ model: String, _ more: String = "") -> String {
    #"{"model":"\#(model)","messages":[{"role":"user","content":"Hi"}]\#(more)}"#
  }

  /// The text of a whole answer, wherever its protocol has it.
  static func text(_ reply: ServerKit.Reply) throws -> String {
    let json = try reply.json
    if let text = json["choices"].array?.first?["message"]["content"].string { return text }
    if let text = json["message"]["content"].string { return text }
    if let blocks = json["content"].array {
      return blocks.compactMap { $0["text"].string }.joined()
    }
    return (json["output"].array ?? []).flatMap { $0["content"].array ?? [] }
      .compactMap { $0["text"].string }.joined()
  }

  private static let everyDoor: [(path: String, body: @Sendable (String, String) -> String)] = [
    ("/v1/chat/completions", { prompt($0, $1) }),
    ("/v1/messages", { message($0, $1) }),
    ("/v1/responses", { #"{"model":"\#($0)","input":"Hi","store":false\#($1)}"# }),
    ("/api/chat", { prompt($0, $1) }),
  ]

  @Test("every model answers behind every door", arguments: 0..<4)
  func everyPair(door: Int) async throws {
    try await withServer(ServerKit([.text("Hello Ω, you there.")])) { kit in
      let (path, body) = Self.everyDoor[door]
      for model in ["openai:gpt-4o-mini", "anthropic:claude-haiku-4-5", "ollama:llama3"] {
        let reply = try await kit.ask(
          "POST", path, body(model, #","stream":false"#), headers: Self.anthropic)
        #expect(reply.status == 200)
        #expect(try Self.text(reply) == "Hello Ω, you there.", "\(model) at \(path)")
      }
    }
  }

  @Test("every model streams behind every door", arguments: 0..<4)
  func everyStream(door: Int) async throws {
    let script = Script.text("Hello Ω, you there.").with { $0.chunking = .everyByte }
    try await withServer(ServerKit([script])) { kit in
      let (path, body) = Self.everyDoor[door]
      for model in ["openai:gpt-4o-mini", "anthropic:claude-haiku-4-5", "ollama:llama3"] {
        let reply = try await kit.ask(
          "POST", path, body(model, #","stream":true"#), headers: Self.anthropic)
        #expect(reply.status == 200)
        let events = path == "/api/chat" ? try reply.lines : try reply.events
        let text = events.compactMap { event in
          event["choices"].array?.first?["delta"]["content"].string
            ?? event["message"]["content"].string ?? event["delta"]["text"].string
            ?? (event["type"] == "response.output_text.delta" ? event["delta"].string : nil)
        }.joined()
        #expect(text == "Hello Ω, you there.", "\(model) at \(path)")
        switch path {
        case "/v1/chat/completions": #expect(reply.text.hasByteSuffix("data: [DONE]\n\n"))
        case "/v1/messages": #expect(events.last?["type"] == "message_stop")
        case "/v1/responses": #expect(events.last?["type"] == "response.completed")
        default: #expect(events.last?["done"] == true)
        }
      }
    }
  }

  @Test(
    "what a client sends goes on unchanged where the provider speaks the same, but for the model's name"
  )
  func unchanged() async throws {
    try await withServer(ServerKit([.text("ok")])) { kit in
      let odd = #"{ "messages": [{"role":"user","content":"\u00e9"}], "unknown" : {"model":"x"}, "#
      let reply = try await kit.ask(
        "POST", "/v1/chat/completions", odd + #""model":"openai:gpt-4o-mini","seed":7}"#)
      #expect(reply.status == 200)
      let sent = try #require(kit.provider.requests.last)
      #expect(
        String(decoding: sent.body, as: UTF8.self) == odd + #""model":"gpt-4o-mini","seed":7}"#)
      let claude = Self.message(
        "claude-haiku-4-5",
        #","system":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]"#)
      _ = try await kit.ask(
        "POST", "/v1/messages?beta=true", claude,
        headers: Self.anthropic + [(name: "anthropic-beta", value: "some-beta")])
      let second = try #require(kit.provider.requests.last)
      #expect(String(decoding: second.body, as: UTF8.self) == claude)
      #expect(second.header("anthropic-beta") == "some-beta")
      #expect(second.header("x-api-key") == "sk-ant-test")
    }
  }

  @Test("a class is asked as `rasa/CLASS`")
  func classes() async throws {
    try await withServer(ServerKit([.text("ok")])) { kit in
      let reply = try await kit.chat("rasa/fast", "Hi")
      #expect(reply.status == 200)
      let model = try reply.json["model"].string ?? ""
      #expect(model.hasByte(":") && !model.hasBytePrefix("rasa/"))
    }
  }

  @Test("calls go to the client and their results to the model, whoever answers")
  func tools() async throws {
    let call = ScriptedCall(id: "c1", name: "look", arguments: ["q": "ü"])
    try await withServer(ServerKit([Script.calls([call]).once(), .text("Seen.")])) { kit in
      let tools =
        #","tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object","properties":{"q":{"type":"string"}}}}}]"#
      let first = try await kit.ask(
        "POST", "/v1/chat/completions", Self.prompt("anthropic:claude-haiku-4-5", tools))
      let choice = try #require(try first.json["choices"].array?.first)
      #expect(choice["finish_reason"] == "tool_calls")
      let made = try #require(choice["message"]["tool_calls"].array?.first)
      #expect(made["function"]["arguments"] == #"{"q":"ü"}"#)
      let next = Value.object([
        "model": "anthropic:claude-haiku-4-5",
        "messages": [
          ["role": "user", "content": "Hi"], choice["message"],
          ["role": "tool", "tool_call_id": made["id"], "content": "a pear"],
        ],
      ])
      let second = try await kit.ask("POST", "/v1/chat/completions", next.json())
      #expect(try Self.text(second) == "Seen.")
      #expect(kit.provider.requests.last?.lastMessage.hasBytes("a pear") == true)
    }
  }

  @Test("what cannot be translated is refused, and goes on where nothing is translated")
  func untranslated() async throws {
    try await withServer(ServerKit([.text("ok")])) { kit in
      let more = #","logprobs":true"#
      let refused = try await kit.ask(
        "POST", "/v1/chat/completions", Self.prompt("anthropic:claude-haiku-4-5", more))
      #expect(refused.status == 400)
      #expect(try refused.json["error"]["param"] == "logprobs")
      #expect(kit.provider.requests.isEmpty)
      let passed = try await kit.ask(
        "POST", "/v1/chat/completions", Self.prompt("openai:gpt-4o-mini", more))
      #expect(passed.status == 200)
    }
  }

  // MARK: Failures

  @Test("a provider's error before any content has a status, in the client's form")
  func errorBefore() async throws {
    try await withServer(ServerKit([.error(400, "no such thing")])) { kit in
      for (model, path) in [
        ("openai:gpt-4o-mini", "/v1/messages"), ("anthropic:claude-haiku-4-5", "/v1/messages"),
      ] {
        let reply = try await kit.ask(
          "POST", path, Self.message(model, #","stream":true"#), headers: Self.anthropic)
        #expect(reply.status >= 400)
        #expect(try reply.json["type"] == "error")
        #expect(reply.text.hasBytes("no such thing"))
      }
    }
  }

  @Test(
    "a stream that breaks after content ends with an error, and does not look whole",
    arguments: 0..<4)
  func errorAfter(door: Int) async throws {
    let script = Script.words(20).broken(after: 5, .close)
    try await withServer(ServerKit([script])) { kit in
      let (path, body) = Self.everyDoor[door]
      for model in ["openai:gpt-4o-mini", "anthropic:claude-haiku-4-5", "ollama:llama3"] {
        let reply = try await kit.ask(
          "POST", path, body(model, #","stream":true"#), headers: Self.anthropic)
        #expect(reply.status == 200)
        #expect(reply.text.hasBytes(#""error""#), "\(model) at \(path)")
        for end in ["[DONE]", "message_stop", "response.completed", #""done":true"#] {
          #expect(!reply.text.hasBytes(end), "\(model) at \(path)")
        }
      }
    }
  }

  @Test("an answer in one piece that breaks off is an error, or cut off, and never looks whole")
  func brokenDocument() async throws {
    try await withServer(ServerKit([Script.words(20).broken(after: 5, .close)])) { kit in
      let translated = try await kit.ask(
        "POST", "/v1/chat/completions", Self.prompt("anthropic:claude-haiku-4-5"))
      #expect(translated.status == 502)
      await #expect(throws: (any Error).self) {
        _ = try await kit.ask("POST", "/v1/chat/completions", Self.prompt("openai:gpt-4o-mini"))
      }
    }
  }

  @Test("a client that goes away ends the call at the provider")
  func disconnect() async throws {
    let script = Script.words(2_000).with { $0.tokenDelay = .milliseconds(5) }
    try await withServer(ServerKit([script])) { kit in
      for (index, model) in ["openai:gpt-4o-mini", "anthropic:claude-haiku-4-5"].enumerated() {
        let response = try await kit.send(
          "POST", "/v1/chat/completions", Self.prompt(model, #","stream":true"#))
        _ = try await response.body.next()
        response.body.cancel()
        try await kit.provider.waitForDisconnect(ofRequest: index)
      }
    }
  }

  @Test("while nothing comes, a sign of life is sent")
  func heartbeats() async throws {
    var settings = ServerSettings()
    settings.heartbeat = .milliseconds(20)
    let script = Script.words(5).broken(after: 2, .silence)
    try await withServer(ServerKit([script], settings: settings)) { kit in
      for (path, body, sign) in [
        ("/v1/chat/completions", Self.prompt("openai:gpt-4o-mini"), ": waiting\n\n"),
        ("/v1/chat/completions", Self.prompt("anthropic:claude-haiku-4-5"), ": waiting\n\n"),
        ("/v1/messages", Self.message("anthropic:claude-haiku-4-5"), "event: ping\n"),
        ("/v1/messages", Self.message("openai:gpt-4o-mini"), "event: ping\n"),
      ] {
        let stream = body.dropLast() + #","stream":true}"#
        let response = try await kit.send("POST", path, String(stream), headers: Self.anthropic)
        var text = ""
        // Where nothing comes, this does not end before the test's own limit.
        while text.ranges(of: sign).count < 3, let bytes = try await response.body.next() {
          text += String(decoding: bytes, as: UTF8.self)
        }
        #expect(text.ranges(of: sign).count >= 3, "\(path)")
        _ = try DialectWriterTests.events(text)
        response.body.cancel()
      }
    }
  }

  // MARK: Access and names

  @Test(
    "a token asks only what it may, by any name",
    arguments: [
      ("openai:gpt-4o-mini", 200), ("gpt-4o-mini", 200), ("anthropic:claude-haiku-4-5", 403),
      ("claude-haiku-4-5", 403), ("rasa/fast", 403), ("rasa/helper", 403),
    ])
  func patterns(model: String, status: Int) async throws {
    let entry: Value = [
      "name": "limited", "token": "t1", "scopes": ["run"], "models": ["openai:*"],
    ]
    try await withServer(ServerKit([.text("ok")], tokens: [entry])) { kit in
      #expect(try await kit.chat(model, "Hi", token: "t1").status == status)
      let list = try await kit.ask("GET", "/v1/models", token: "t1")
      let ids = try list.json["data"].array?.compactMap { $0["id"].string } ?? []
      #expect(ids.allSatisfy { $0.hasBytePrefix("openai:") })
    }
  }

  @Test("a token without the scope, and none at all, are refused in the client's form")
  func scopes() async throws {
    let entry: Value = ["name": "reader", "token": "t1", "scopes": ["read"]]
    try await withServer(ServerKit(tokens: [entry])) { kit in
      let reply = try await kit.chat("openai:gpt-4o-mini", "Hi", token: "t1")
      #expect(reply.status == 403)
      #expect(try reply.json["error"]["type"] == "permission_error")
      let none = try await kit.ask(
        "POST", "/v1/messages", Self.message("x"), token: nil, headers: Self.anthropic)
      #expect(none.status == 401)
      #expect(try none.json["error"]["type"] == "authentication_error")
      #expect(try await kit.ask("GET", "/api/tags", token: nil).status == 401)
    }
  }

  @Test("what a call may cost is what its token says")
  func mostCost() async throws {
    let entry: Value = [
      "name": "poor", "token": "t1", "scopes": ["run"], "max_cost_usd": "0.00000001",
    ]
    try await withServer(ServerKit([.text("ok")], tokens: [entry])) { kit in
      for model in ["openai:gpt-4o-mini", "anthropic:claude-haiku-4-5"] {
        let reply = try await kit.chat(model, "Hi", #""max_tokens":20"#, token: "t1")
        #expect(reply.status == 429)
        #expect(try reply.json["error"]["code"] == "insufficient_quota")
        #expect(reply.headers.first(named: "x-should-retry") == "false")
      }
      #expect(kit.provider.requests.isEmpty)
    }
  }

  @Test("personas, agents, classes and models are listed, and each can be looked at")
  func lists() async throws {
    let agent = "---\nname: painter\ndescription: Paints.\n---\nYou paint.\n"
    try await withServer(ServerKit(files: ["agents/painter.md": agent])) { kit in
      // A server of many vendors' models has what was seen there.
      _ = try await kit.chat("openai:gpt-4o-mini", "Hi")
      let list = try await kit.ask("GET", "/v1/models").json
      let ids = list["data"].array?.compactMap { $0["id"].string } ?? []
      for id in ["rasa/helper", "rasa/painter", "rasa/expert", "openai:gpt-4o-mini"] {
        #expect(ids.contains(id), "\(id)")
      }
      #expect(Set(ids).count == ids.count)
      #expect(try await kit.ask("GET", "/v1/models/rasa/helper").json["id"] == "rasa/helper")
      #expect(try await kit.ask("GET", "/v1/models/rasa%2Fhelper").json["id"] == "rasa/helper")
      #expect(try await kit.ask("GET", "/v1/models/gpt-4o-mini").json["id"] == "openai:gpt-4o-mini")
      let missing = try await kit.ask("GET", "/v1/models/rasa/nobody")
      #expect(missing.status == 404)
      #expect(try missing.json["error"]["code"] == "model_not_found")
      let claude = try await kit.ask("GET", "/v1/models", headers: Self.anthropic).json
      #expect(claude["has_more"] == false && claude["data"].array?.first?["type"] == "model")
      let tags = try await kit.ask("GET", "/api/tags").json["models"].array ?? []
      #expect(tags.compactMap { $0["name"].string } == ids)
      let show = try await kit.ask("POST", "/api/show", #"{"model":"rasa/helper:latest"}"#).json
      #expect(show["capabilities"].array?.contains("tools") == true)
      #expect(try await kit.ask("GET", "/api/version").json["version"].string != nil)
      #expect(try await kit.ask("GET", "/api/ps").json["models"] == [])
    }
  }

  @Test(
    "unknown models, files as names, bodies and versions are refused",
    arguments: [
      ("rasa/nobody", 404), ("rasa/", 404), ("rasa/../helper", 404), ("rasa//etc/passwd", 404),
      ("", 400),
    ])
  func badNames(model: String, status: Int) async throws {
    try await withServer(ServerKit()) { kit in
      #expect(try await kit.chat(model, "Hi").status == status)
      for body in ["", "{", "[]", #"{"model":5}"#] {
        let reply = try await kit.ask("POST", "/v1/chat/completions", body)
        #expect(reply.status == 400)
        #expect(try reply.json["error"]["type"] == "invalid_request_error")
      }
      let version = try await kit.ask("POST", "/v1/messages", Self.message("openai:gpt-4o-mini"))
      #expect(version.status == 400 && version.text.hasBytes("anthropic-version"))
    }
  }

  @Test("tokens are estimated, and a model without a question is loaded")
  func besides() async throws {
    try await withServer(ServerKit()) { kit in
      let count = try await kit.ask(
        "POST", "/v1/messages/count_tokens",
        #"{"model":"openai:gpt-4o-mini","messages":[{"role":"user","content":"some words here"}]}"#,
        headers: Self.anthropic)
      #expect(try count.json["input_tokens"].int ?? 0 > 0)
      let loaded = try await kit.ask("POST", "/api/generate", #"{"model":"rasa/helper"}"#)
      #expect(try loaded.lines.last?["done_reason"] == "load")
      #expect(kit.provider.requests.isEmpty)
      let unknown = try await kit.ask("POST", "/api/generate", #"{"model":"rasa/nobody"}"#)
      #expect(unknown.status == 404)
    }
  }
}

@Suite("Doors: the member `model`")
struct ModelMemberTests {
  @Test(
    "only the value of the outer member is replaced",
    arguments: [
      (#"{"model":"a"}"#, #"{"model":"b"}"#),
      (
        #" { "x":{"model":"a"}, "model" : "a\"q" , "y":"model" } "#,
        #" { "x":{"model":"a"}, "model" : "b" , "y":"model" } "#
      ),
      (
        #"{"y":["model","a"],"t":"model","model":"é"}"#,
        #"{"y":["model","a"],"t":"model","model":"b"}"#
      ),
      (#"{"x":"\\","model":"a"}"#, #"{"x":"\\","model":"b"}"#),
      (#"{"model":{"model":"a"}}"#, nil), (#"{"x":1}"#, nil), (#"{"model":5,"x":"a"}"#, nil),
      ("", nil),
      (#"{"model":"#, nil),
    ] as [(String, String?)])
  func replaced(body: String, expected: String?) {
    let result = ModelMember.replace(in: Array(body.utf8), by: "b")
    #expect(result.map { String(decoding: $0, as: UTF8.self) } == expected)
  }
}

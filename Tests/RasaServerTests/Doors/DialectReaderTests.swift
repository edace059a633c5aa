import RasaCore
import RasaDocuments
import RasaKit
import Testing

@testable import RasaServer

@Suite("Doors: reading requests")
struct DialectReaderTests {
  enum Dialect: String, Sendable, CaseIterable { case chat, responses, messages, ollama, generate }

  private static func read(_ dialect: Dialect, _ text: String) throws -> DoorRequest {
    let body = try JSON.parse(Array(text.utf8), named: "the body")
    return switch dialect {
    case .chat: try ChatReader.read(body)
    case .responses: try ResponsesReader.read(body)
    case .messages: try MessagesReader.read(body)
    case .ollama: try OllamaReader.chat(body)
    case .generate: try OllamaReader.generate(body)
    }
  }

  private static let pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

  /// One conversation with a picture, a call and its result, in the words of each protocol.
  static let conversations: [(Dialect, String)] = [
    (
      .chat,
      #"{"model":"m","messages":[{"role":"system","content":"Be short."},{"role":"user","content":[{"type":"text","text":"Ω?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,\#(pixel)"}}]},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"c1","content":"seen"}],"tools":[{"type":"function","function":{"name":"look","description":"Looks.","parameters":{"type":"object"}}}],"tool_choice":"auto","max_completion_tokens":9,"temperature":0.5,"top_p":1,"stop":"END","stream":true,"reasoning_effort":"low","response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"}}}}"#
    ),
    (
      .responses,
      #"{"model":"m","instructions":"Be short.","input":[{"role":"user","content":[{"type":"input_text","text":"Ω?"},{"type":"input_image","image_url":"data:image/png;base64,\#(pixel)"}]},{"type":"reasoning","id":"r","summary":[],"encrypted_content":"x"},{"type":"function_call","call_id":"c1","name":"look","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c1","output":"seen"}],"tools":[{"type":"function","name":"look","description":"Looks.","parameters":{"type":"object"},"strict":false}],"tool_choice":"auto","max_output_tokens":9,"temperature":0.5,"top_p":1,"stream":true,"store":false,"reasoning":{"effort":"low","summary":"auto"},"text":{"format":{"type":"json_schema","name":"x","schema":{"type":"object"}}}}"#
    ),
    (
      .messages,
      #"{"model":"m","system":[{"type":"text","text":"Be short.","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"Ω?"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"\#(pixel)"}}]},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"tool_use","id":"c1","name":"look","input":{"a":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":[{"type":"text","text":"seen"}]}]}],"tools":[{"name":"look","description":"Looks.","input_schema":{"type":"object"}}],"tool_choice":{"type":"auto"},"max_tokens":9,"temperature":0.5,"top_p":1,"stop_sequences":["END"],"stream":true,"thinking":{"type":"enabled","budget_tokens":2000},"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}}"#
    ),
    (
      .ollama,
      #"{"model":"m","messages":[{"role":"system","content":"Be short."},{"role":"user","content":"Ω?","images":["\#(pixel)"]},{"role":"assistant","content":"","tool_calls":[{"id":"c1","function":{"name":"look","arguments":{"a":1}}}]},{"role":"tool","tool_name":"look","content":"seen"}],"tools":[{"type":"function","function":{"name":"look","description":"Looks.","parameters":{"type":"object"}}}],"options":{"num_predict":9,"temperature":0.5,"top_p":1,"stop":["END"]},"think":"low","format":{"type":"object"}}"#
    ),
  ]

  @Test("the same conversation means the same in every protocol", arguments: conversations)
  func sameConversation(dialect: Dialect, text: String) throws {
    let request = try Self.read(dialect, text)
    let asked = request.completion
    #expect(asked.model == "m")
    #expect(asked.messages.map(\.role) == [.system, .user, .assistant, .tool])
    #expect(asked.messages.map(\.text) == ["Be short.", "Ω?", "", "seen"])
    #expect(asked.messages[1].attachments.map(\.mediaType) == ["image/png"])
    #expect(
      asked.messages[2].toolCalls == [.init(id: "c1", name: "look", arguments: #"{"a":1}"#)])
    #expect(asked.messages[3].answers == "c1")
    #expect(request.results.map(\.text) == ["seen"])
    #expect(
      asked.tools == [.init(name: "look", description: "Looks.", parameters: ["type": "object"])])
    #expect(asked.toolChoice == .auto)
    #expect(asked.maxTokens == 9)
    #expect(asked.temperature == 0.5)
    #expect(asked.topP == 1)
    // Responses has no stop texts.
    #expect(asked.stop == (dialect == .responses ? [] : ["END"]))
    #expect(asked.effort == .low)
    #expect(asked.schema == ["type": "object"])
    #expect(request.isStreamed)
  }

  @Test("sessions, usage, stored answers and members without a counterpart are read")
  func besides() throws {
    let chat = try Self.read(
      .chat,
      #"{"model":"m","user":"session:ada","seed":1,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]}"#
    )
    #expect(chat.session == "ada" && chat.includesUsage && chat.ignored == ["seed"])
    let person = try Self.read(
      .chat, #"{"model":"m","user":"ada","messages":[{"role":"user","content":"x"}]}"#)
    #expect(person.session == nil && !person.includesUsage && !person.isStreamed)
    let response = try Self.read(
      .responses, #"{"model":"m","conversation":{"id":"ada"},"input":"x"}"#)
    #expect(response.session == "ada" && response.isStored)
    let next = try Self.read(
      .responses,
      #"{"model":"m","previous_response_id":"resp_r1","input":[{"type":"function_call_output","call_id":"c","output":"1"}]}"#
    )
    #expect(next.previous == "resp_r1" && next.results.map(\.answers) == ["c"])
    let ollama = try Self.read(
      .generate, #"{"model":"m","prompt":"x","options":{"num_ctx":4096,"num_predict":-1}}"#)
    #expect(ollama.ignored == ["options.num_ctx"] && ollama.completion.maxTokens == nil)
    #expect(try Self.read(.generate, #"{"model":"m"}"#).completion.messages.isEmpty)
  }

  @Test("Ollama's results without an id answer the calls of their turn, by name or in their order")
  func positionalResults() throws {
    let calls =
      #"{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"function":{"name":"a","arguments":{}}},{"function":{"name":"b","arguments":{}}}]}"#
    func answers(_ results: String) throws -> [String?] {
      try Self.read(.ollama, #"{"model":"m","messages":[\#(calls),\#(results)]}"#)
        .completion.messages.map(\.answers).suffix(2)
    }
    #expect(
      try answers(#"{"role":"tool","content":"1"},{"role":"tool","content":"2"}"#)
        == ["call_1_0", "call_1_1"])
    #expect(
      try answers(
        #"{"role":"tool","tool_name":"b","content":"1"},{"role":"tool","tool_name":"a","content":"2"}"#
      ) == ["call_1_1", "call_1_0"])
  }

  @Test(
    "what is wrong or cannot be translated is refused by its name",
    arguments: [
      (.chat, #"[]"#, "object", nil),
      (.chat, #"{}"#, "missing", "model"),
      (.chat, #"{"model":7}"#, "is integer, and must be a text", "model"),
      (.chat, #"{"model":"m"}"#, "missing", "messages"),
      (.chat, #"{"model":"m","messages":[]}"#, "nothing that could be answered", "messages"),
      (.chat, chat(#""n":2"#), "one answer", "n"),
      (.chat, chat(#""logprobs":true"#), "probabilities", "logprobs"),
      (.chat, chat(#""modalities":["text","audio"]"#), "text", "modalities[1]"),
      (.chat, chat(#""audio":{"voice":"x"}"#), "text", "audio"),
      (.chat, chat(#""logit_bias":{"5":1}"#), "likelier", "logit_bias"),
      (.chat, chat(#""presence_penalty":0.5"#), "translated", "presence_penalty"),
      (.chat, chat(#""functions":[]"#), "`tools`", "functions"),
      (.chat, chat(#""web_search_options":{}"#), "search", "web_search_options"),
      (.chat, chat(#""max_tokens":0"#), "above 0", "max_tokens"),
      (.chat, chat(#""max_tokens":1.5"#), "above 0", "max_tokens"),
      (.chat, chat(#""stop":[1]"#), "a text", "stop[0]"),
      (.chat, chat(#""reasoning_effort":"huge""#), "huge", "reasoning_effort"),
      (.chat, chat(#""tools":[{"type":"custom"}]"#), "only with that provider", "tools[0].type"),
      (.chat, chat(#""tool_choice":"maybe""#), "maybe", "tool_choice"),
      (.chat, chat(#""response_format":{"type":"xml"}"#), "xml", "response_format.type"),
      (
        .chat, #"{"model":"m","messages":[{"role":"robot","content":"x"}]}"#, "robot",
        "messages[0].role"
      ),
      (
        .chat, #"{"model":"m","messages":[{"role":"user"}]}"#, "missing", "messages[0].content"
      ),
      (
        .chat,
        #"{"model":"m","messages":[{"role":"user","content":[{"type":"input_audio"}]}]}"#,
        "input_audio", "messages[0].content[0].type"
      ),
      (
        .chat,
        #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a.b/c.png"}}]}]}"#,
        "nothing is fetched", "messages[0].content[0].image_url.url"
      ),
      (
        .chat,
        #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,????"}}]}]}"#,
        "base64", "messages[0].content[0].image_url.url"
      ),
      (
        .chat, #"{"model":"m","messages":[{"role":"tool","tool_call_id":"c9","content":"x"}]}"#,
        "c9", "messages"
      ),
      (.responses, #"{"model":"m"}"#, "missing", "input"),
      (
        .responses, #"{"model":"m","input":"x","background":true}"#, "/v1/runs", "background"
      ),
      (
        .responses, #"{"model":"m","input":"x","tools":[{"type":"web_search"}]}"#,
        "only with that provider", "tools[0].type"
      ),
      (
        .responses, #"{"model":"m","input":[{"type":"item_reference","id":"x"}]}"#, "not kept",
        "input[0]"
      ),
      (
        .responses, #"{"model":"m","input":[{"type":"computer_call"}]}"#, "computer_call",
        "input[0].type"
      ),
      (
        .responses,
        #"{"model":"m","input":"x","previous_response_id":"a","conversation":"b"}"#,
        "previous_response_id", "conversation"
      ),
      (
        .responses, #"{"model":"m","input":"x","include":["message.output_text.logprobs"]}"#,
        "not known", "include[0]"
      ),
      (
        .messages, #"{"model":"m","messages":[{"role":"user","content":"x"}]}"#, "missing",
        "max_tokens"
      ),
      (
        .messages, #"{"model":"m","max_tokens":1,"messages":[{"role":"system","content":"x"}]}"#,
        "system", "messages[0].role"
      ),
      (
        .messages,
        #"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"url","url":"x"}}]}]}"#,
        "url", "messages[0].content[0].source.type"
      ),
      (
        .messages,
        #"{"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"tool_result","tool_use_id":"x"}]}]}"#,
        "tool_result", "messages[0].content[0].type"
      ),
      (
        .messages,
        #"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"bash_20250124","name":"bash"}]}"#,
        "only with that provider", "tools[0].type"
      ),
      (
        .ollama, #"{"model":"m","messages":[{"role":"tool","content":"x"}]}"#, "nobody has made",
        "messages[0]"
      ),
      (
        .ollama, #"{"model":"m","messages":[{"role":"user","content":"x"}],"format":"xml"}"#, "xml",
        "format"
      ),
      (.generate, #"{"model":"m","prompt":"x","raw":true}"#, "templates", "raw"),
      (.generate, #"{"model":"m","prompt":"x","suffix":"y"}"#, "filled in", "suffix"),
    ] as [(Dialect, String, String, String?)])
  func refused(dialect: Dialect, text: String, reason: String, member: String?) throws {
    let problem = try #require(throws: ServerProblem.self) { try Self.read(dialect, text) }
    #expect(problem.status == 400)
    #expect(problem.member == member)
    #expect(problem.message.hasBytes(reason) || problem.suggestion.hasBytes(reason))
    #expect(ErrorForm.openAI.document(problem)["error"]["param"].string == member)
  }

  private static func chat(_ members: String) -> String {
    #"{"model":"m","messages":[{"role":"user","content":"x"}],\#(members)}"#
  }

  @Test("what only repeats the standard is no reason to refuse")
  func harmless() throws {
    _ = try Self.read(
      .chat,
      Self.chat(
        #""n":1,"logprobs":false,"top_logprobs":null,"logit_bias":{},"presence_penalty":0,"modalities":["text"],"tools":[],"unknown":{"a":1}"#
      ))
  }

  @Test("only Anthropic's one version is known")
  func version() throws {
    try MessagesReader.checkVersion("2023-06-01")
    for version in [nil, "2030-01-01", ""] {
      #expect(throws: ServerProblem.self) { try MessagesReader.checkVersion(version) }
    }
  }
}

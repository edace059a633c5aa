import RasaCore
import RasaDocuments
import RasaKit
import Testing

@testable import RasaServer

@Suite("Doors: writing answers")
struct DialectWriterTests {
  static let head = AnswerHead(
    id: "r1", model: "a:b", time: Timestamp(milliseconds: 1_700_000_000_001))
  static let call = Rasa.Completion.ToolCall(id: "c1", name: "look", arguments: #"{"q":"ü"}"#)
  static let problem = ServerProblem(
    502, "provider", "the provider broke off", suggestion: "ask again")

  static func end(_ finish: String = "stop") -> AnswerEnd {
    var end = AnswerEnd()
    end.finish = finish
    end.inputTokens = 10
    end.cachedTokens = 4
    end.outputTokens = 5
    end.reasoningTokens = 2
    end.facts = ["run": "r1", "cost_usd": "0.01"]
    return end
  }

  /// The events of a stream, each with its name: each has to be whole, and to end as its protocol says.
  static func events(_ stream: String) throws -> [(name: String?, data: Value)] {
    var events: [(name: String?, data: Value)] = []
    #expect(stream.isEmpty || stream.hasByteSuffix("\n\n"))
    for block in stream.split(separator: "\n\n" as Substring) {
      var name: String?
      for line in block.byteLines {
        if line.hasBytePrefix("event: ") { name = String(line.dropFirst(7)) }
        if line.hasBytePrefix("data: "), !line.hasSameBytes(as: "data: [DONE]") {
          events.append((name, try JSON.parse(Array(line.dropFirst(6).utf8), named: "an event")))
        }
      }
    }
    return events
  }

  static func stream(
    _ writer: some AnswerWriter, _ events: [AnswerEvent], _ end: AnswerEnd? = Self.end()
  ) -> String {
    var writer = writer
    var text = writer.begin(head)
    for event in events { text += writer.write(event) }
    if let end { text += writer.end(end) }
    return text
  }

  // MARK: Chat Completions

  @Test(
    "Chat Completions: role, reasoning, text, calls and end, each in a chunk of the same answer")
  func chat() throws {
    let text = Self.stream(
      ChatWriter(),
      [.reasoning("hm"), .text("a\u{301}"), .text("👩‍"), .text("👧\n"), .toolCall(Self.call)],
      Self.end("tool_calls"))
    let events = try Self.events(text).map(\.data)
    #expect(text.hasByteSuffix("data: [DONE]\n\n"))
    #expect(Set(events.map { $0["id"].string }) == ["chatcmpl-r1"])
    #expect(events.allSatisfy { $0["created"].int == 1_700_000_000 && $0["model"].string == "a:b" })
    let deltas = events.compactMap { $0["choices"].array?.first?["delta"] }
    #expect(deltas[0] == ["role": "assistant", "content": ""])
    #expect(deltas[1] == ["reasoning_content": "hm"])
    #expect(deltas.compactMap { $0["content"].string }.joined() == "a\u{301}👩‍👧\n")
    #expect(
      deltas[5]["tool_calls"].array?.first == [
        "id": "c1", "type": "function", "index": 0,
        "function": ["name": "look", "arguments": #"{"q":"ü"}"#],
      ])
    let last = try #require(events.last)
    #expect(last["choices"].array?.first?["finish_reason"] == "tool_calls")
    #expect(last["rasa"]["run"] == "r1")
    // Without having been asked for, there is no usage.
    #expect(events.allSatisfy { $0.object?["usage"] == nil })
  }

  @Test("Chat Completions: usage comes last and only once, where it is asked for")
  func chatUsage() throws {
    let events = try Self.events(Self.stream(ChatWriter(includesUsage: true), [.text("a")]))
      .map(\.data)
    let last = try #require(events.last)
    #expect(last["choices"] == [])
    #expect(last["usage"]["prompt_tokens"] == 10 && last["usage"]["completion_tokens"] == 5)
    #expect(last["usage"]["total_tokens"] == 15)
    #expect(last["usage"]["prompt_tokens_details"]["cached_tokens"] == 4)
    #expect(events.dropLast().allSatisfy { $0.object?["usage"] == .null })
  }

  @Test("several calls are told apart by their index, and by their place in a document")
  func indices() throws {
    let events = try Self.events(
      Self.stream(ChatWriter(), [.toolCall(Self.call), .toolCall(Self.call)])
    ).map(\.data)
    let indices = events.compactMap {
      $0["choices"].array?.first?["delta"]["tool_calls"].array?.first?["index"].int
    }
    #expect(indices == [0, 1])
    var answer = WholeAnswer()
    answer.take(.toolCall(Self.call))
    answer.end = Self.end("tool_calls")
    let document = ChatWriter().document(Self.head, answer)
    let message = document["choices"].array?.first?["message"] ?? .null
    #expect(message["content"] == .null && message["tool_calls"].array?.count == 1)
  }

  @Test(
    "each ending has its word in each protocol",
    arguments: [
      ("stop", "stop", "completed", "end_turn", "stop"),
      ("length", "length", "incomplete", "max_tokens", "length"),
      ("cut_off", "length", "incomplete", "max_tokens", "length"),
      ("tool_calls", "tool_calls", "completed", "tool_use", "stop"),
      ("filtered", "content_filter", "incomplete", "refusal", "stop"),
      ("refused", "content_filter", "incomplete", "refusal", "stop"),
      ("something_new", "stop", "completed", "end_turn", "stop"),
    ])
  func endings(finish: String, chat: String, response: String, message: String, ollama: String)
    throws
  {
    var answer = WholeAnswer()
    answer.text = "x"
    answer.end = Self.end(finish)
    let chatDocument = ChatWriter().document(Self.head, answer)
    #expect(chatDocument["choices"].array?.first?["finish_reason"].string == chat)
    #expect(ResponsesWriter().document(Self.head, answer)["status"].string == response)
    #expect(MessagesWriter().document(Self.head, answer)["stop_reason"].string == message)
    #expect(OllamaWriter().document(Self.head, answer)["done_reason"].string == ollama)

    let responses = try Self.events(Self.stream(ResponsesWriter(), [.text("x")], Self.end(finish)))
    #expect(responses.last?.name == "response.\(response)")
    let messages = try Self.events(Self.stream(MessagesWriter(), [.text("x")], Self.end(finish)))
    #expect(messages.dropLast().last?.data["delta"]["stop_reason"].string == message)
  }

  // MARK: Responses

  @Test("Responses: items open and close in order, and every event has the next number")
  func responses() throws {
    let events = try Self.events(
      Self.stream(
        ResponsesWriter(repeated: ["instructions": "Be short."]),
        [.reasoning("h"), .reasoning("m"), .text("a"), .text("é"), .toolCall(Self.call)],
        Self.end("tool_calls")))
    #expect(events.map { $0.data["sequence_number"].int } == events.indices.map { Int64($0) })
    #expect(events.allSatisfy { $0.name == $0.data["type"].string })
    #expect(
      events.compactMap(\.name) == [
        "response.created", "response.in_progress",
        "response.output_item.added", "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta", "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done", "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added", "response.content_part.added",
        "response.output_text.delta", "response.output_text.delta", "response.output_text.done",
        "response.content_part.done", "response.output_item.done",
        "response.output_item.added", "response.function_call_arguments.delta",
        "response.function_call_arguments.done", "response.output_item.done",
        "response.completed",
      ])
    let last = try #require(events.last?.data["response"])
    #expect(last["id"] == "resp_r1" && last["instructions"] == "Be short.")
    #expect(
      last["output"].array?.map { $0["type"].string } == ["reasoning", "message", "function_call"])
    #expect(last["output"].array?[1]["content"].array?.first?["text"] == "aé")
    #expect(last["output"].array?[2]["call_id"] == "c1")
    #expect(last["usage"]["total_tokens"] == 15)
    // What was announced of an item is what the response has of it.
    let done = events.filter { $0.name == "response.output_item.done" }.map { $0.data["item"] }
    #expect(last["output"].array == done)
    let places = events.compactMap { $0.data["output_index"].int }
    #expect(places == places.sorted() && Set(places) == [0, 1, 2])
    // Parts name the item that they belong to.
    let names = events.compactMap { $0.data["item_id"].string }
    #expect(Set(names) == Set(done.compactMap { $0["id"].string }))
  }

  @Test("Responses: the document has the items of the stream")
  func responsesDocument() throws {
    var answer = WholeAnswer()
    let parts: [AnswerEvent] = [.reasoning("hm"), .text("aé"), .toolCall(Self.call)]
    for part in parts { answer.take(part) }
    answer.end = Self.end("tool_calls")
    let events = try Self.events(Self.stream(ResponsesWriter(), parts, answer.end))
    #expect(events.last?.data["response"] == ResponsesWriter().document(Self.head, answer))
  }

  // MARK: Messages

  @Test(
    "Messages: blocks open and close in order, between message_start with a ping and message_stop")
  func messages() throws {
    let events = try Self.events(
      Self.stream(
        MessagesWriter(wantsReasoning: true),
        [
          .reasoning("hm"), .text("a"), .text("b"), .toolCall(Self.call), .toolCall(Self.call),
          .text("c"),
        ],
        Self.end("tool_calls")))
    #expect(events.allSatisfy { $0.name == $0.data["type"].string })
    #expect(
      events.compactMap(\.name) == [
        "message_start", "ping",
        "content_block_start", "content_block_delta", "content_block_stop",
        "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop",
        "content_block_start", "content_block_delta", "content_block_stop",
        "content_block_start", "content_block_delta", "content_block_stop",
        "content_block_start", "content_block_delta", "content_block_stop",
        "message_delta", "message_stop",
      ])
    let starts = events.filter { $0.name == "content_block_start" }.map(\.data)
    #expect(starts.map { $0["index"].int } == [0, 1, 2, 3, 4])
    #expect(
      starts.map { $0["content_block"]["type"].string }
        == ["thinking", "text", "tool_use", "tool_use", "text"])
    #expect(starts[2]["content_block"]["input"] == [:])
    let json = events.compactMap { $0.data["delta"]["partial_json"].string }
    #expect(json == [#"{"q":"ü"}"#, #"{"q":"ü"}"#])
    let delta = events[events.count - 2].data
    #expect(delta["usage"]["input_tokens"] == 6 && delta["usage"]["cache_read_input_tokens"] == 4)
    #expect(delta["usage"]["output_tokens"] == 5)
  }

  @Test("Messages: what a model thinks is sent only to who asked for it")
  func thinking() throws {
    let events = try Self.events(Self.stream(MessagesWriter(), [.reasoning("hm"), .text("a")]))
    #expect(events.filter { $0.name == "content_block_start" }.count == 1)
    var answer = WholeAnswer()
    answer.reasoning = "hm"
    answer.text = "a"
    #expect(MessagesWriter().document(Self.head, answer)["content"].array?.count == 1)
    #expect(
      MessagesWriter(wantsReasoning: true).document(Self.head, answer)["content"].array?.count == 2)
  }

  // MARK: Ollama

  @Test("Ollama: each line is a document, and the last one says done", arguments: [false, true])
  func ollama(isGenerated: Bool) throws {
    let text = Self.stream(
      OllamaWriter(isGenerated: isGenerated), [.reasoning("hm"), .text("a\n"), .text("é")],
      Self.end("length"))
    let lines = try text.split(atByte: "\n", omittingEmpty: true).map {
      try JSON.parse(Array($0.utf8), named: "a line")
    }
    #expect(lines.map { $0["done"].bool } == [false, false, false, true])
    #expect(lines[0]["created_at"] == "2023-11-14T22:13:20.001Z")
    let texts = lines.map { isGenerated ? $0["response"] : $0["message"]["content"] }
    #expect(texts == ["", "a\n", "é", ""])
    #expect((isGenerated ? lines[0] : lines[0]["message"])["thinking"] == "hm")
    #expect(lines[3]["done_reason"] == "length" && lines[3]["prompt_eval_count"] == 10)
    #expect(lines[3]["eval_count"] == 5)
  }

  @Test("Ollama: arguments are an object, and what is none stays what the model wrote")
  func ollamaCalls() throws {
    var answer = WholeAnswer()
    answer.take(.toolCall(Self.call))
    answer.take(.toolCall(.init(id: "c2", name: "look", arguments: "{")))
    let calls = OllamaWriter().document(Self.head, answer)["message"]["tool_calls"].array ?? []
    #expect(calls.map { $0["function"]["arguments"] } == [["q": "ü"], "{"])
    #expect(calls.map { $0["id"] } == ["c1", "c2"])
  }

  // MARK: Every protocol

  @Test("an empty answer is an answer, and not nothing")
  func empty() throws {
    let chat = try Self.events(Self.stream(ChatWriter(), [])).map(\.data)
    #expect(chat.last?["choices"].array?.first?["finish_reason"] == "stop")
    let responses = try Self.events(Self.stream(ResponsesWriter(), []))
    #expect(
      responses.map(\.name) == ["response.created", "response.in_progress", "response.completed"])
    let messages = try Self.events(Self.stream(MessagesWriter(), []))
    #expect(messages.map(\.name) == ["message_start", "ping", "message_delta", "message_stop"])
    let answer = WholeAnswer()
    #expect(
      ChatWriter().document(Self.head, answer)["choices"].array?.first?["message"]["content"] == "")
    #expect(MessagesWriter().document(Self.head, answer)["content"] == [])
  }

  @Test(
    "after a failure nothing says that the answer is whole",
    arguments: [[], [AnswerEvent.text("a")]])
  func failures(before: [AnswerEvent]) throws {
    var chat = ChatWriter(includesUsage: true)
    let chatText =
      chat.begin(Self.head) + before.map { chat.write($0) }.joined() + chat.fail(Self.problem)
    #expect(!chatText.hasBytes("[DONE]") && !chatText.hasBytes(#""finish_reason":""#))
    #expect(
      try Self.events(chatText).last?.data["error"]["message"].string?.hasBytes("broke off") == true
    )

    var responses = ResponsesWriter()
    let text =
      responses.begin(Self.head) + before.map { responses.write($0) }.joined()
      + responses.fail(Self.problem)
    let events = try Self.events(text)
    #expect(events.suffix(2).map(\.name) == ["error", "response.failed"])
    #expect(events.last?.data["response"]["status"] == "failed")
    #expect(events.last?.data["response"]["error"]["message"].string?.hasBytes("broke off") == true)
    #expect(events.map { $0.data["sequence_number"].int } == events.indices.map { Int64($0) })

    var messages = MessagesWriter()
    let messageText =
      messages.begin(Self.head) + before.map { messages.write($0) }.joined()
      + messages.fail(Self.problem)
    #expect(try Self.events(messageText).last?.name == "error")
    #expect(!messageText.hasBytes("message_stop"))

    var ollama = OllamaWriter()
    let lines =
      ollama.begin(Self.head) + before.map { ollama.write($0) }.joined() + ollama.fail(Self.problem)
    #expect(
      !lines.hasBytes(#""done":true"#) && lines.hasBytes(#"{"error":"the provider broke off"#))
  }

  @Test("a heartbeat changes nothing of an answer")
  func heartbeats() throws {
    #expect(try Self.events(ChatWriter().heartbeat()).isEmpty)
    #expect(try Self.events(ResponsesWriter().heartbeat()).isEmpty)
    #expect(try Self.events(MessagesWriter().heartbeat()).map(\.name) == ["ping"])
    var ollama = OllamaWriter()
    _ = ollama.begin(Self.head)
    let line = try JSON.parse(Array(ollama.heartbeat().utf8), named: "a line")
    #expect(line["message"]["content"] == "" && line["done"] == false && line["model"] == "a:b")
  }
}

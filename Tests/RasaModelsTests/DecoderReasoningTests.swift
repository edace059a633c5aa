import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

/// Streams of each dialect that bring one text in pieces.
func stream(_ pieces: [String], _ dialect: Dialect, finish: Bool = true) -> String {
  func quoted(_ text: String) -> String { Value.string(text).json() }
  var events: [String]
  switch dialect {
  case .openAI:
    events = pieces.map { #"{"choices":[{"index":0,"delta":{"content":\#(quoted($0))}}]}"# }
    if finish {
      events += [#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#, "[DONE]"]
    }
  case .anthropic:
    events = pieces.map {
      #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":\#(quoted($0))}}"#
    }
    if finish {
      events += [
        #"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#,
        #"{"type":"message_stop"}"#,
      ]
    }
  case .gemini:
    events = pieces.map {
      #"{"candidates":[{"content":{"parts":[{"text":\#(quoted($0))}]},"index":0}]}"#
    }
    if finish { events.append(#"{"candidates":[{"finishReason":"STOP","index":0}]}"#) }
  case .ollama:
    let lines = pieces.map { #"{"message":{"content":\#(quoted($0))},"done":false}"# }
    let end = finish ? [#"{"message":{"content":""},"done":true,"done_reason":"stop"}"#] : []
    return (lines + end).map { $0 + "\n" }.joined()
  }
  return events.map { "data: \($0)\n\n" }.joined()
}

@Suite struct ReasoningHeadTests {
  static let heads: [(name: String, written: String, text: String, reasoning: String)] = [
    ("think", "<think>plan</think>\n\nThe answer is 4.", "The answer is 4.", "plan"),
    ("thinking", "<thinking>plan</thinking>Yes", "Yes", "plan"),
    ("reasoning", "<reasoning>plan</reasoning> Yes", "Yes", "plan"),
    ("thought", "<thought>plan</thought>Yes", "Yes", "plan"),
    ("brackets", "[THINK]plan[/THINK]Yes", "Yes", "plan"),
    ("diamonds", "◁think▷plän◁/think▷Yes", "Yes", "plän"),
    (
      "channels",
      "<|channel|>analysis<|message|>plan<|end|><|start|>assistant<|channel|>final<|message|>Yes",
      "Yes", "<|message|>plan<|end|><|start|>assistant"
    ),
    ("the last channel only", "<|channel|>final<|message|>Yes", "Yes", ""),
    ("white space before", "\n \t<think>plan</think>Yes", "Yes", "plan"),
    ("two in a row", "<think>a</think>\n<think>b</think>\nYes", "Yes", "ab"),
    ("nothing thought", "<think>\n\n</think>\n\nYes", "Yes", "\n\n"),
    ("never closed", "<think>so let me see", "", "so let me see"),
    ("cut in the end mark", "<think>hm</thi", "", "hm</thi"),
    ("never opened", "let me see\n</think>\n\nYes", "Yes", "let me see\n</think>"),
    ("never opened, and empty", "</think>\n\nYes", "Yes", ""),
    ("never opened twice", "a\n</think>\nb\n</think>\nc", "b\n</think>\nc", "a\n</think>"),
    (
      "an end mark that is spoken of", "Write <think> and then\n</think>.",
      "Write <think> and then\n</think>.", ""
    ),
    ("an end mark in a line", "It ends with </think>.", "It ends with </think>.", ""),
    ("only thoughts", "<think>hm</think>\n", "", "hm"),
    ("JSON in the thoughts", "<think>{\"v\":1}</think>{\"v\":2}", "{\"v\":2}", "{\"v\":1}"),
    ("in the middle", "Write <think>x</think> like that", "Write <think>x</think> like that", ""),
    ("behind the answer", "Yes<think>no</think>", "Yes<think>no</think>", ""),
    ("a mark that is none", "<thin ice", "<thin ice", ""),
    ("a beginning of one", "<thi", "<thi", ""),
    ("a list", "[THIS] is it", "[THIS] is it", ""),
    ("white space kept", "\n\n  indented", "\n\n  indented", ""),
    ("white space only", " \n", " \n", ""),
    ("a less-than sign", "< 5", "< 5", ""),
  ]

  @Test(arguments: heads)
  func takesReasoningOutOfTheHead(
    _ row: (name: String, written: String, text: String, reasoning: String)
  ) {
    let scalars = row.written.unicodeScalars.map { String($0) }
    var dice = SeededNumbers(seed: 11)
    for dialect in Dialect.allCases {
      for cut in [1, 2, 3, 5, 1_000] {
        var pieces: [String] = []
        var rest = scalars[...]
        while !rest.isEmpty {
          let length = cut == 5 ? Int.random(in: 1...9, using: &dice) : cut
          pieces.append(rest.prefix(length).joined())
          rest = rest.dropFirst(length)
        }
        let decoded = dialect.decode(stream(pieces, dialect))
        #expect(decoded.text == row.text, "\(dialect) \(pieces)")
        #expect(decoded.reasoning == row.reasoning, "\(dialect) \(pieces)")
        #expect(decoded.problem == nil)
      }
    }
  }

  @Test func handsOnWhatWaitedWhenTheStreamBreaks() {
    let decoded = Dialect.openAI.decode(stream(["<thi"], .openAI, finish: false))
    #expect(decoded.text == "<thi" && decoded.problem == .brokenStream)
  }

  @Test func readsThoughtsThatArePartsOfTheContent() {
    let part =
      #"{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"Yes"}"#
    let decoded = Dialect.openAI.decode(
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":[\(part)]},\"finish_reason\":\"stop\"}]}\n\n"
    )
    #expect(decoded.text == "Yes" && decoded.reasoning == "hm")
  }
}

/// No word comes twice, whatever a server repeats.
@Suite struct RepeatedTextTests {
  private static let texts = [
    "The answer is 4.", "One two three four five.", "a b c d e f g h",
    "Grüße, \"Welt\" 🌍 und mehr davon", "1 10 100 1000", "ha ha ha ha ha ha ha",
    "<think>plan it well</think>And so it is done.", "{\"verdict\": \"pass\", \"note\": \"fine\"}",
  ]

  private func pieces(_ text: String, _ dice: inout SeededNumbers) -> [String] {
    var pieces: [String] = []
    var rest = text.unicodeScalars.map { String($0) }[...]
    while !rest.isEmpty {
      let length = Int.random(in: 1...6, using: &dice)
      pieces.append(rest.prefix(length).joined())
      rest = rest.dropFirst(length)
    }
    return pieces
  }

  private func choice(_ members: String) -> String {
    "data: {\"choices\":[{\"index\":0,\(members)}]}\n\n"
  }
  private func content(_ text: String) -> String { "{\"content\":\(Value.string(text).json())}" }

  @Test(arguments: [
    "pieces", "a message beside", "messages alone", "messages as pieces", "the whole at the end",
    "the whole as the last piece", "cumulative",
  ])
  func givesEachWordOnce(_ style: String) {
    var dice = SeededNumbers(seed: 5)
    for text in Self.texts {
      // A message that begins with all before it is taken for all so far.
      if style == "messages as pieces", text.hasPrefix("ha") { continue }
      for _ in 0..<40 {
        let pieces = pieces(text, &dice)
        // Two pieces are no row.
        guard pieces.count > 3 else { continue }
        var soFar = ""
        var events: [String] = []
        for piece in pieces {
          soFar += piece
          switch style {
          case "a message beside":
            events.append(choice("\"message\":\(content(soFar)),\"delta\":\(content(piece))"))
          case "messages alone": events.append(choice("\"message\":\(content(soFar))"))
          case "cumulative": events.append(choice("\"delta\":\(content(soFar))"))
          case "messages as pieces":
            events.append(choice("\"message\":\(content(piece))"))
          default: events.append(choice("\"delta\":\(content(piece))"))
          }
        }
        let last =
          switch style {
          case "a message beside", "messages alone", "the whole at the end":
            "\"message\":\(content(text)),\"finish_reason\":\"stop\""
          case "the whole as the last piece":
            "\"delta\":\(content(text)),\"finish_reason\":\"stop\""
          default: "\"delta\":{},\"finish_reason\":\"stop\""
          }
        let decoded = Dialect.openAI.decode(
          events.joined() + choice(last) + "data: [DONE]\n\n")
        #expect(
          decoded.text == text.replacing("<think>plan it well</think>", with: ""),
          "\(style): \(pieces)")
      }
    }
  }

  @Test(arguments: Dialect.allCases)
  func recognisesCumulativePiecesInEveryDialect(_ dialect: Dialect) {
    let pieces = ["The ", "The answer ", "The answer is ", "The answer is 4."]
    #expect(dialect.decode(stream(pieces, dialect)).text == "The answer is 4.")
  }

  @Test(
    arguments: [
      ("a digit more", ["1", "10", " apples"], "110 apples"),
      ("a word that grows once", ["so", "some", " of it"], "sosome of it"),
      ("two pieces", ["The ", "The answer"], "The The answer"),
      ("the same again", ["ha ", "ha ", "ha "], "ha ha ha "),
      ("one piece", ["all of it"], "all of it"), ("nothing", [], ""),
    ] as [(String, [String], String)])
  func leavesAloneWhatOnlyLooksRepeated(
    _ row: (name: String, pieces: [String], text: String)
  ) {
    for dialect in Dialect.allCases {
      #expect(dialect.decode(stream(row.pieces, dialect)).text == row.text)
    }
  }

  @Test func keepsAShortAnswerWhoseLastWordIsAllOfIt() {
    let last = choice("\"delta\":{\"content\":\"no no\"},\"finish_reason\":\"stop\"")
    let decoded = Dialect.openAI.decode(
      choice("\"delta\":{\"content\":\"no \"}") + choice("\"delta\":{\"content\":\"no\"}") + last)
    #expect(decoded.text == "no nono no")
  }

  @Test func believesThePiecesWhereAMessageSaysSomethingElse() {
    let decoded = Dialect.openAI.decode(
      choice("\"delta\":{\"content\":\"one \"}") + choice("\"delta\":{\"content\":\"two\"}")
        + choice("\"message\":{\"content\":\"three\"},\"finish_reason\":\"stop\""))
    #expect(decoded.text == "one two")
  }
}

@Suite struct BodyFormTests {
  private static let whole =
    #"{"choices":[{"index":0,"message":{"content":"all"},"finish_reason":"stop"}]}"#

  @Test(
    arguments: [
      ("a document that is called text", whole, "text/plain"),
      ("a document without a type", whole, nil),
      ("a document that is called a stream", "\n " + whole, "text/event-stream"),
      ("a stream that is called a document", stream(["al", "l"], .openAI), "application/json"),
      ("documents line by line", whole.replacing("message", with: "delta") + "\n", nil),
    ] as [(String, String, String?)])
  func isReadForWhatItIs(_ row: (name: String, body: String, type: String?)) {
    let bytes = Array(row.body.utf8)
    for pieces in [[bytes], bytes.map { [$0] }] {
      let decoded = Decoded(Dialect.openAI.decoder(contentType: row.type), pieces)
      #expect(decoded.text == "all")
      #expect(decoded.finish == .stop && decoded.problem == nil)
    }
  }

  @Test(arguments: Dialect.allCases)
  func namesAPageForPeople(_ dialect: Dialect) {
    let decoded = dialect.decode("<!DOCTYPE html><html>", contentType: "text/html")
    #expect(decoded.problem == .blocked)
    #expect(decoded.message?.contains("a web page (text/html) came instead of") == true)
  }
}

@Suite struct FinishTests {
  private func openAI(_ delta: String, _ finish: String) -> Decoded {
    Dialect.openAI.decode(
      "data: {\"choices\":[{\"index\":0,\"delta\":{\(delta)},\"finish_reason\":\(finish)}]}\n\n"
        + "data: [DONE]\n\n")
  }

  @Test(
    arguments: [
      ("content_filter", FinishReason.filtered), ("SAFETY", .filtered), ("refusal", .refused),
      ("length", .length), ("MAX_TOKENS", .length), ("model_length", .length), ("stop", .stop),
      ("end_turn", .stop),
    ])
  func readsTheWordsThatGatewaysPassOn(_ row: (word: String, finish: FinishReason)) {
    #expect(openAI("\"content\":\"a\"", "\"\(row.word)\"").finish == row.finish)
  }

  @Test(arguments: ["\"\"", "\"null\"", "null"])
  func takesNoWordForNoEnd(_ word: String) {
    #expect(openAI("\"content\":\"a\"", word).finish == nil)
  }

  @Test func keepsARefusalOutOfTheAnswer() {
    var decoder = Dialect.openAI.decoder()
    for piece in ["I can't ", "help."] {
      decoder.feed(
        Array("data: {\"choices\":[{\"index\":0,\"delta\":{\"refusal\":\"\(piece)\"}}]}\n\n".utf8))
    }
    decoder.feed(
      Array("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n".utf8))
    decoder.finish()
    #expect(decoder.progress.finish == .refused)
    #expect(decoder.progress.refusal == "I can't help.")
    #expect(decoder.progress.text.isEmpty)
  }

  @Test(
    arguments: [
      ("SAFETY", FinishReason.filtered), ("RECITATION", .filtered), ("BLOCKLIST", .filtered),
      ("PROHIBITED_CONTENT", .filtered), ("MAX_TOKENS", .length), ("STOP", .stop),
    ])
  func readsWhyGeminiEnds(_ row: (word: String, finish: FinishReason)) {
    let decoded = Dialect.gemini.decode(
      #"data: {"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]},"finishReason":"\#(row.word)"}]}"#
        + "\r\n\r\n")
    #expect(decoded.finish == row.finish && decoded.text.isEmpty && decoded.reasoning == "hm")
  }

  @Test func saysWhyGeminiBlocksAPrompt() {
    var decoder = Dialect.gemini.decoder()
    decoder.feed(Array("data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\r\n\r\n".utf8))
    decoder.finish()
    #expect(decoder.progress.finish == .filtered && decoder.progress.refusal == "SAFETY")
  }

  @Test(
    arguments: [
      ("stop", FinishReason.stop), ("length", .length), ("load", .empty), ("unload", .empty),
    ])
  func readsWhyOllamaEnds(_ row: (word: String, finish: FinishReason)) {
    let decoded = Dialect.ollama.decode(
      "{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"\(row.word)\"}\n")
    #expect(decoded.finish == row.finish)
  }

  @Test(arguments: [
    #"{"message":"over it","type":"server_error"}"#, #"{"detail":"over it"}"#,
    #"{"errors":[{"message":"over it"}]}"#, #"{"error":{"message":"over it"}}"#,
    #"{"type":"error","message":"over it","code":500}"#,
  ])
  func hearsAnErrorInAnEventOfItsOwn(_ document: String) {
    let decoded = Dialect.openAI.decode(
      stream(["half"], .openAI, finish: false)
        + "event: error\ndata: \(document)\n\n")
    #expect(decoded.text == "half" && decoded.problem == .server)
    #expect(decoded.message == "over it")
  }
}

import RasaCore
import RasaEngine
import Testing

@testable import RasaModels

@Suite("A conversation in a window")
struct HistoryFitTests {
  private typealias Turn = (input: String, output: String)

  private func turns(_ count: Int, seed: UInt64 = 1) -> [Turn] {
    var state = seed
    func next(_ bound: UInt64) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % bound)
    }
    let words = [
      "tea", "harbour", "42,50", "{\"a\": 1}", "木曜日", "переписка", "x9$%", "a longer word",
    ]
    func text() -> String {
      (0..<(1 + next(60))).map { _ in words[next(UInt64(words.count))] }.joined(separator: " ")
    }
    return (0..<count).map { _ in (text(), text()) }
  }

  private func fit(
    _ turns: [Turn], room: Int64, earlier: Int = 0, summary: ConversationSummary? = nil,
    meter: TokenMeter = TokenMeter()
  ) -> HistoryFit {
    HistoryFit(
      count: turns.count, earlier: earlier, summary: summary, room: room, meter: meter
    ) { turns[$0] }
  }

  private func request(_ turns: [Turn]) -> ModelRequest {
    var request = ModelRequest(
      messages: [ChatMessage(.system, "Answer briefly.")]
        + turns.flatMap { [ChatMessage(.user, $0.input), ChatMessage(.assistant, $0.output)] }
        + [ChatMessage(.user, "And now?")])
    request.history = RequestHistory(
      session: "talk", place: .messages(from: 1), lengths: turns.map { _ in 0 }, earlier: 0)
    return request
  }

  /// What the messages about the conversation take, as the meter has it.
  private func tokens(_ request: ModelRequest, _ meter: TokenMeter = TokenMeter()) -> Int64 {
    request.messages.dropFirst().dropLast()
      .reduce(0) { $0 + meter.tokens(of: $1.text) + TokenMeter.perMessage }
  }

  @Test("never has more than its room, and always the newest turns, whole", arguments: 1...12)
  func isASuffix(_ seed: UInt64) {
    let turns = turns(40, seed: seed)
    let whole = request(turns)
    let summary = ConversationSummary(
      text: String(repeating: "They spoke of tea. ", count: 30), turns: 20, upTo: "r20")
    for summary in [nil, summary] {
      var last = -1
      for room in stride(from: Int64(0), through: 24_000, by: 157) {
        let fit = fit(turns, room: room, summary: summary)
        let sent = fit.applied(to: whole)
        #expect(tokens(sent) <= room)
        #expect(fit.kept >= last, "more room, fewer turns at \(room)")
        last = fit.kept
        guard fit.shortened == nil else { continue }
        let shown = sent.messages.dropFirst().dropLast().map(\.text)
        let expected = turns.suffix(fit.kept).flatMap { [$0.input, $0.output] }
        #expect(Array(shown.suffix(expected.count)) == expected)
        #expect(shown.count == expected.count + (fit.note.isEmpty ? 0 : 1))
        #expect(fit.kept + fit.missing == turns.count)
      }
      #expect(last == turns.count)
    }
  }

  @Test("says how many turns are missing, those that were not read included")
  func saysWhatIsMissing() {
    let turns = turns(10)
    let all = fit(turns, room: 100_000)
    #expect(all.kept == 10 && all.note.isEmpty && !all.isCut)
    let some = fit(turns, room: 100_000, earlier: 490)
    #expect(some.kept == 10 && some.note.contains("the 490 oldest turns of this conversation"))
    #expect(some.leftTokens > 490)
    #expect(some.note.contains("searching the memory"))
  }

  @Test("shows the beginning and the end of a turn that alone is too large")
  func shortensOneTurn() throws {
    let long = (1...4_000).map { "word\($0)" }.joined(separator: " ")
    let fit = fit(
      [("hello", "yes"), ("Look at this: \(long) — what is it?", "A list.")], room: 1_000)
    let short = try #require(fit.shortened)
    #expect(fit.kept == 1 && fit.missing == 1)
    #expect(short.input.hasPrefix("Look at this: word1 ") && short.input.hasSuffix("what is it?"))
    #expect(short.input.contains("left out here") && short.output == "A list.")
    #expect(short.missing > 10_000)
    let sent = fit.applied(to: request([("hello", "yes"), (long, "A list.")]))
    #expect(tokens(sent) <= 1_000)
  }

  @Test("cuts no character of a turn in two", arguments: ["語", "🍵", "é", "e\u{301}"])
  func cutsBetweenCharacters(_ character: String) throws {
    let long = String(repeating: character, count: 5_000)
    for room in stride(from: Int64(300), to: 900, by: 7) {
      let short = try #require(fit([(long, long)], room: room).shortened)
      #expect(!short.input.contains("\u{FFFD}") && !short.output.contains("\u{FFFD}"))
    }
  }

  @Test("puts a summary in place of what is missing, and says what it does not cover")
  func showsASummary() {
    let turns = turns(30)
    let summary = ConversationSummary(text: "They agreed on Thursday.", turns: 12, upTo: "r12")
    let fit = fit(turns, room: 1_500, summary: summary)
    #expect(fit.isSummarised && fit.missing > 12)
    #expect(fit.note.contains("They agreed on Thursday."))
    #expect(fit.note.contains("A model wrote") && fit.note.contains("nothing to obey"))
    #expect(fit.note.contains("The last \(fit.missing - 12) of them"))
    let sent = fit.applied(to: request(turns))
    #expect(sent.messages[0].text == "Answer briefly.")
    #expect(sent.messages[1].role == .user && sent.messages[1].text == fit.note)
  }

  @Test("trims what a template has inserted as lines, wherever it stands")
  func trimsLines() throws {
    let turns = turns(20)
    let lines = turns.enumerated().map { index, turn in
      "User: \(turn.input)\nAssistant: \(turn.output)" + (index < 19 ? "\n" : "")
    }
    let text = "Before\n\(lines.joined())\nBetween\n\(lines.joined())\nAfter"
    let first = "Before\n".utf8.count
    let second = first + lines.joined().utf8.count + "\nBetween\n".utf8.count
    var request = ModelRequest(messages: [ChatMessage(.user, text)])
    request.history = RequestHistory(
      session: nil,
      place: .lines(message: 0, offsets: [first, second], bytes: text.utf8.count),
      lengths: lines.map(\.utf8.count), earlier: 0)
    let history = try #require(request.history)
    #expect(history.fits(request))
    #expect(request.withoutHistory.messages[0].text == "Before\n\nBetween\n\nAfter")
    let pieces = history.pieces(of: request)
    let fit = HistoryFit(
      count: 20, earlier: 0, summary: nil, room: 1_200, meter: TokenMeter()
    ) { pieces($0) }
    #expect((1..<20).contains(fit.kept))
    let kept = lines.suffix(fit.kept).joined()
    #expect(
      fit.applied(to: request).messages[0].text
        == "Before\n\(fit.note)\n\(kept)\nBetween\n\(fit.note)\n\(kept)\nAfter")
    // A hook has rewritten the message: nothing is known of it any more.
    request.messages[0].text += "!"
    #expect(!history.fits(request))
  }

  @Test("is nearer to the truth once the provider has counted")
  func learns() {
    let text = String(repeating: "the words of a plain sentence ", count: 100)
    var standing = ModelStanding(
      key: ModelKey(provider: "p", model: "m"), seenAt: Timestamp(milliseconds: 0))
    let before = TokenMeter(standing).tokens(of: text)
    var counting = ModelStanding.Counting()
    counting.calls = 6
    counting.densest = 200
    standing.counting[.prose] = counting
    let after = TokenMeter(standing).tokens(of: text)
    #expect(after < before && after >= 600)
    // A refusal scales what is only guessed.
    #expect(TokenMeter(nil, scale: 1_500).tokens(of: text) > before)
    #expect(TokenMeter(standing, scale: 1_500).tokens(of: text) == after)
  }
}

@Suite("What a refusal for length says")
struct LengthFigureTests {
  @Test(
    "reads the figures in the words of many servers",
    arguments: [
      (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9123 tokens. Please reduce the length of the messages.",
        9_123, 8_192
      ),
      (
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4200 in the messages, 800 in the completion). Please reduce the length of the messages or completion.",
        4_200, 4_096
      ),
      (
        "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 280123 tokens.",
        280_123, 272_000
      ),
      ("prompt is too long: 208310 tokens > 200000 maximum", 208_310, 200_000),
      (
        "input length and `max_tokens` exceed context limit: 198000 + 20000 > 200000, decrease input length or `max_tokens` and try again",
        nil, 200_000
      ),
      (
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        1_200_000, 1_048_576
      ),
      (
        "Prompt contains 40,000 tokens and 0 draft tokens, too large for model with 32,768 maximum context length",
        40_000, 32_768
      ),
      (
        "the request exceeds the available context size (8192 tokens), try increasing it", nil,
        8_192
      ),
      ("the input length exceeds the context length", nil, nil),
      ("Input is too long for requested model.", nil, nil),
    ] as [(String, Int64?, Int64?)])
  func figures(_ message: String, _ requested: Int64?, _ most: Int64?) {
    let figures = LengthFigures(in: message)
    #expect(figures.requested == requested && figures.most == most, "\(figures)")
  }

  @Test("is a matter of length in all of them")
  func kinds() {
    for message in [
      "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 280123 tokens.",
      "input length and `max_tokens` exceed context limit: 198000 + 20000 > 200000",
      "the request exceeds the available context size (8192 tokens), try increasing it",
      "the input length exceeds the context length",
    ] {
      let problem = ProviderProblem(
        status: 400, headers: { _ in nil },
        body: Array(Value.object(["error": ["message": .string(message)]]).json().utf8),
        now: Timestamp(milliseconds: 0))
      #expect(problem.kind == .tooLong, "\(message)")
    }
    let cpp = ProviderProblem(
      status: 400, headers: { _ in nil },
      body: Array(
        #"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error","n_prompt_tokens":9001,"n_ctx":4096}}"#
          .utf8),
      now: Timestamp(milliseconds: 0))
    #expect(cpp.kind == .tooLong)
    #expect(cpp.length == LengthFigures(requested: 9_001, most: 4_096))
  }
}

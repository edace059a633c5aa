import RasaCore
import RasaEngine
import RasaHTTPClient

/// Answers without a model: deterministic, made of the request's own words, and said to be made up.
/// It behaves as a chain of operators needs it (a critic asks for one revision and then is content),
/// so that a persona's whole graph is seen working without a key and without a network.
struct MockAdapter: ChatAdapter {
  /// Between two words.
  let delay: Duration
  let time: TimeSource

  func ask(
    _ call: WireCall, under hold: borrowing Hold, deadline: UInt64
  ) async throws -> any ChatStream {
    hold.trace.markSent()
    let prompt = MockPrompt(call.request)
    let calls = MockToolUse.calls(for: call.request, prompt)
    if !calls.isEmpty {
      return MockStream(words: [], calls: calls, finish: .toolCalls, delay: delay, time: time)
    }
    if let schema = call.request.schema {
      let text = MockInstance.value(for: schema, prompt).json()
      return MockStream(words: Self.words(text), finish: .stop, delay: delay, time: time)
    }
    let words = Self.words(MockText.answer(to: prompt, name: call.request.name))
    let kept = words.prefix(Int(clamping: call.cap ?? .max))
    return MockStream(
      words: kept, finish: kept.count < words.count ? .length : .stop, delay: delay, time: time)
  }

  /// The text cut behind its blanks, so that the pieces joined are the text.
  static func words(_ text: String) -> ArraySlice<String> {
    var words: [String] = []
    var word = ""
    for character in text {
      if let last = word.last, last.isWhitespace, !character.isWhitespace {
        words.append(word)
        word = ""
      }
      word.append(character)
    }
    if !word.isEmpty { words.append(word) }
    return words[...]
  }
}

struct MockStream: ChatStream {
  var words: ArraySlice<String>
  let calls: [ToolCall]
  let finish: FinishReason
  let delay: Duration
  let time: TimeSource
  var progress = ChatProgress()

  init(
    words: ArraySlice<String>, calls: [ToolCall] = [], finish: FinishReason, delay: Duration,
    time: TimeSource
  ) {
    self.words = words
    self.calls = calls
    self.finish = finish
    self.delay = delay
    self.time = time
  }

  mutating func advance(deadline: UInt64) async throws -> Bool {
    try Task.checkCancellation()
    guard let word = words.popFirst() else {
      progress.toolCalls = calls
      progress.finish = finish
      progress.isDone = true
      return false
    }
    if delay > .zero { try await time.sleep(delay) }
    progress.add(text: word)
    return true
  }

  mutating func drain(deadline: UInt64) async {}

  func cancel() {}
}

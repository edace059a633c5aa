import RasaCore
import RasaEngine

/// What a decoder has read since it was last emptied, and how the stream stands.
struct ChatProgress: Sendable, Hashable {
  /// Text and reasoning of all events of one network chunk, joined: undelayed tokens then cost one
  /// hand-over for many, and paced ones still come one by one.
  var text = ""
  var reasoning = ""
  /// Events that carried text or reasoning. A provider puts at least one token into each.
  var contentEvents: Int64 = 0
  var usage: ReportedUsage?
  /// Whole ones only, in the order in which they began.
  var toolCalls: [ToolCall] = []
  /// What has to be handed back with the tool calls.
  var reasoningParts: [ReasoningPart] = []
  var finish: FinishReason?
  /// Why there is no answer, in the words of the model or its provider; never a part of the answer.
  var refusal = ""
  /// The protocol's own end has been seen.
  var isDone = false
  var problem: ProviderProblem?
  private var textRepeats = RepeatedText()
  private var reasoningRepeats = RepeatedText()
  private var head = ReasoningHead()

  init() {}

  /// The text so far, which the next chunk's text follows.
  mutating func takeContent() -> (text: String, reasoning: String) {
    defer {
      text = ""
      reasoning = ""
    }
    return (text, reasoning)
  }

  /// - Parameter isLast: it came with the end of the answer.
  mutating func add(text more: String, isLast: Bool = false) {
    guard !more.isEmpty else { return }
    contentEvents += 1
    divide(textRepeats.take(more, isLast: isLast))
  }

  /// Text that the server calls all of the answer so far.
  mutating func add(wholeText: String, orPiece mayBePiece: Bool) {
    let new = textRepeats.take(whole: wholeText, orPiece: mayBePiece)
    guard !new.isEmpty else { return }
    contentEvents += 1
    divide(new)
  }

  /// Returns what of it is new.
  @discardableResult
  mutating func add(reasoning more: String) -> String {
    guard !more.isEmpty else { return "" }
    contentEvents += 1
    let new = reasoningRepeats.take(more)
    reasoning += new
    return new
  }

  @discardableResult
  mutating func add(wholeReasoning: String, orPiece mayBePiece: Bool) -> String {
    let new = reasoningRepeats.take(whole: wholeReasoning, orPiece: mayBePiece)
    guard !new.isEmpty else { return "" }
    contentEvents += 1
    reasoning += new
    return new
  }

  /// No more text will come: what waited for what might follow is handed on.
  mutating func endText() {
    reasoning += reasoningRepeats.finish()
    divide(textRepeats.finish())
    guard !head.isPassed else { return }
    let rest = head.finish()
    text += rest.text
    reasoning += rest.reasoning
  }

  private mutating func divide(_ new: String) {
    if head.isPassed {
      text += new
      return
    }
    guard !new.isEmpty else { return }
    let divided = head.divide(new)
    text += divided.text
    reasoning += divided.reasoning
  }

  /// The model declined; what it says is the reason and no answer.
  mutating func refuse(_ reason: String?) {
    finish = .refused
    refusal += reason ?? ""
  }

  /// A reason to end that is no refusal does not undo one.
  mutating func end(with reason: FinishReason) {
    if finish != .refused { finish = reason }
  }

  /// Counts reported again overwrite those before; what is left out this time stays.
  mutating func note(_ new: ReportedUsage) {
    var usage = usage ?? ReportedUsage()
    usage.input = new.input ?? usage.input
    usage.output = new.output ?? usage.output
    usage.cachedInput = new.cachedInput ?? usage.cachedInput
    usage.cacheWrites = new.cacheWrites ?? usage.cacheWrites
    usage.reasoning = new.reasoning ?? usage.reasoning
    self.usage = usage
  }

  /// Some servers say "stop" where a model asks for tools, others the other way round.
  mutating func settleFinish() {
    if finish == .stop, !toolCalls.isEmpty { finish = .toolCalls }
    if finish == .toolCalls, toolCalls.isEmpty { finish = .stop }
    if toolCalls.isEmpty { reasoningParts = [] }
  }
}

/// Token counts as a provider reported them; nil is unknown, which is not zero.
struct ReportedUsage: Sendable, Hashable {
  var input: Int64?
  var output: Int64?
  var cachedInput: Int64?
  var cacheWrites: Int64?
  var reasoning: Int64?

  init(
    input: Int64? = nil, output: Int64? = nil, cachedInput: Int64? = nil,
    cacheWrites: Int64? = nil, reasoning: Int64? = nil
  ) {
    self.cacheWrites = cacheWrites
    self.input = input
    self.output = output
    self.cachedInput = cachedInput
    self.reasoning = reasoning
  }
}

/// One wire format's way of reading a streamed answer. Pure: bytes in, progress out.
protocol ChatDecoder: Sendable {
  var progress: ChatProgress { get set }
  /// Never throws: what is wrong with the stream stands in the progress, after the content that
  /// came before it.
  mutating func feed(_ chunk: [UInt8])
  /// Tells the decoder that the input has ended.
  mutating func finish()
}

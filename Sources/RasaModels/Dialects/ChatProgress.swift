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
  private var unopened = UnopenedReasoning()
  /// Every further piece is answer and new, so there is nothing to look for in it.
  private var isPlain = false
  /// The bytes of such pieces, which `textRepeats` has not counted yet.
  private var plainBytes = 0
  /// All text that was handed on before was reasoning: it counts for nothing.
  private var isTakenBack = false

  init() {}

  /// Neither ended nor broken. Mutating, so that it is asked in place: read through a protocol, the whole
  /// of this is copied, for each event.
  mutating func takesEvents() -> Bool { !isDone && problem == nil }

  /// The text so far, which the next chunk's text follows.
  mutating func takeContent() -> (text: String, reasoning: String) {
    defer {
      text = ""
      reasoning = ""
    }
    return (text, reasoning)
  }

  /// Whether the text that was taken before was no part of the answer.
  mutating func takeBack() -> Bool {
    defer { isTakenBack = false }
    return isTakenBack
  }

  /// - Parameter isLast: it came with the end of the answer.
  mutating func add(text more: String, isLast: Bool = false) {
    guard !more.isEmpty else { return }
    contentEvents += 1
    if isPlain, !isLast {
      plainBytes += more.utf8.count
      text += more
      return
    }
    countPlainBytes()
    divide(textRepeats.take(more, isLast: isLast))
    isPlain = textRepeats.isDecided && head.isPassed
  }

  /// Text that the server calls all of the answer so far.
  mutating func add(wholeText: String, orPiece mayBePiece: Bool) {
    countPlainBytes()
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
    add(toReasoning: new)
    return new
  }

  @discardableResult
  mutating func add(wholeReasoning: String, orPiece mayBePiece: Bool) -> String {
    let new = reasoningRepeats.take(whole: wholeReasoning, orPiece: mayBePiece)
    guard !new.isEmpty else { return "" }
    contentEvents += 1
    add(toReasoning: new)
    return new
  }

  /// No more text will come: what waited for what might follow is handed on.
  mutating func endText() {
    reasoning += reasoningRepeats.finish()
    divide(textRepeats.finish())
    if !head.isPassed {
      let rest = head.finish()
      reasoning += rest.reasoning
      text += rest.text
    }
    endChunk()
  }

  /// All of a chunk has been added: whether its text says that it was none.
  mutating func endChunk() {
    guard !unopened.isOver, !text.isEmpty, let rest = unopened.end(in: text) else { return }
    reasoning += String(decoding: text.utf8.dropLast(rest.utf8.count), as: UTF8.self)
    text = ""
    isTakenBack = true
    isPlain = false
    head = ReasoningHead(after: true)
    divide(rest)
  }

  private mutating func countPlainBytes() {
    textRepeats.pass(plainBytes)
    plainBytes = 0
  }

  private mutating func divide(_ new: String) {
    guard !new.isEmpty else { return }
    if head.isPassed {
      text += new
      return
    }
    let divided = head.divide(new)
    if !divided.reasoning.isEmpty { add(toReasoning: divided.reasoning) }
    text += divided.text
  }

  private mutating func add(toReasoning new: String) {
    reasoning += new
    // Whose reasoning is marked, or has a field of its own, does not hide more of it.
    unopened.finish()
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

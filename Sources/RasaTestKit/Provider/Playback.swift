import RasaCore

/// An answer being sent: produces the next bytes when they are due.
struct Playback {
  enum Progress: Hashable {
    /// There is more, at once or when the socket takes it.
    case more
    /// There is more at that time.
    case wait(until: UInt64)
    /// Nothing more will be sent, but the connection stays open.
    case silence
    /// The answer is complete; the connection serves the next request.
    case complete
    /// The answer is cut off here.
    case broken(reset: Bool)
    /// The stream ended properly although its content did not.
    case completeButBroken
  }

  private enum Part: Hashable {
    case head, opening
    case reasoning(Int)
    case token(Int)
    case call(Int)
    case finish, usage, terminator, end
    case breaking
  }

  /// How much is produced before it is written to the socket.
  private static let batch = 128 * 1024

  let script: Script
  private let tokens: TokenSource
  private let format: StreamFormat
  private let start: UInt64
  private let tokenDelay: UInt64
  private let usesChunks: Bool
  private let headBytes: [UInt8]
  /// The body of an answer that is not streamed.
  private let wholeBody: [UInt8]?

  private var part = Part.head
  private(set) var tokensMade = 0
  /// Text, reasoning and tool calls.
  private(set) var outputMade = 0
  private var payload: [UInt8] = []
  private var payloadSent = 0
  private var bodyOffset = 0
}

// MARK: - Kinds of answers

extension Playback {
  /// The answer to a request in one of the formats.
  init(_ script: Script, request: ReceivedRequest, _ wire: WireFormat) {
    let script = script.fitted(to: request).withinWindow(request, wire)
    let tokens = TokenSource(script.answer, for: request)
    let facts = AnswerFacts(script: script, request: request, tokens: tokens.count)
    let format = wire.stream(script, facts)
    if script.status != 200 {
      self.init(
        script, tokens, format, request, body: script.document ?? wire.error(script).jsonBytes())
    } else if let texts = request.textsToEmbed {
      let document = wire.embeddings(texts.map(script.vector ?? MadeUpVectors.vector), facts)
      self.init(script, tokens, format, request, body: script.document ?? document.jsonBytes())
    } else if request.isStreamed {
      self.init(script, tokens, format, request, body: nil)
    } else {
      var text: [UInt8] = []
      for index in 0..<tokens.count { tokens.append(index, to: &text) }
      let frame = around("@text@", wire.whole("@text@", script, facts).jsonBytes())
      self.init(script, tokens, format, request, body: frame.before + text + frame.after)
      tokensMade = tokens.count
      outputMade = tokens.count + script.reasoning.count + script.callTokens(wire)
    }
  }

  /// A document that needs no script.
  init(_ document: Value, status: Int = 200, request: ReceivedRequest) {
    let script = Script(.tokens([])).with { $0.status = status }
    let tokens = TokenSource(script.answer, for: request)
    let facts = AnswerFacts(script: script, request: request, tokens: 0)
    self.init(
      script, tokens, OpenAIFormat.stream(script, facts), request, body: document.jsonBytes())
  }

  private init(
    _ script: Script, _ tokens: TokenSource, _ format: StreamFormat, _ request: ReceivedRequest,
    body: [UInt8]?
  ) {
    self.script = script
    self.tokens = tokens
    self.format = format
    start = request.time &+ nanoseconds(script.headersDelay)
    tokenDelay = nanoseconds(script.tokenDelay)
    usesChunks = body == nil
    wholeBody = body
    var head = "HTTP/1.1 \(script.status) \(script.status == 200 ? "OK" : "Scripted")\r\n"
    head += "content-type: \(body == nil ? format.contentType : "application/json")\r\n"
    for header in script.headers { head += "\(header.name): \(header.value)\r\n" }
    head +=
      body.map { "content-length: \($0.count)\r\n\r\n" } ?? "transfer-encoding: chunked\r\n\r\n"
    headBytes = Array(head.utf8)
  }
}

func nanoseconds(_ duration: Duration) -> UInt64 {
  let (seconds, attoseconds) = duration.components
  return UInt64(clamping: seconds) &* 1_000_000_000 &+ UInt64(clamping: attoseconds / 1_000_000_000)
}

// MARK: - Playing

extension Playback {
  /// Appends everything that is due now.
  mutating func fill(_ output: inout [UInt8], now: UInt64) -> Progress {
    if payloadSent < payload.count { return flushPiece(into: &output, now: now) }
    payload.removeAll(keepingCapacity: true)
    payloadSent = 0
    let batch = script.chunking == .eachEvent ? 1 : Self.batch
    while payload.count < batch {
      let due = dueTime()
      guard due <= now else {
        if payload.isEmpty && output.isEmpty { return .wait(until: due) }
        break
      }
      switch part {
      case .head:
        if script.closesBeforeHeaders { return .broken(reset: false) }
        output += headBytes
        part = wholeBody == nil ? afterOpening(.opening) : script.breaking == nil ? .end : .breaking
        // The first half is sent before it breaks.
        if let wholeBody {
          payload += script.breaking == nil ? wholeBody[...] : wholeBody.prefix(wholeBody.count / 2)
        }
      case .end, .breaking:
        // What was produced so far is sent first.
        if !payload.isEmpty { return flushPiece(into: &output, now: now) }
        return end(&output)
      default: make()
      }
    }
    return payload.isEmpty ? .more : flushPiece(into: &output, now: now)
  }

  private func dueTime() -> UInt64 {
    guard tokenDelay > 0, wholeBody == nil else { return start }
    switch part {
    case .reasoning(let index): return start &+ UInt64(index + 1) &* tokenDelay
    case .token(let index):
      return start &+ UInt64(script.reasoning.count + index + 1) &* tokenDelay
    case .call(let index):
      return start &+ UInt64(script.reasoning.count + tokens.count + index + 1) &* tokenDelay
    default: return start
    }
  }

  private mutating func make() {
    switch part {
    case .opening:
      payload += format.opening
      part = next(reasoning: 0)
    case .reasoning(let index):
      if index == 0 { payload += format.beforeReasoning }
      payload += format.reasoning.before
      payload += Value.string(script.reasoning[index]).jsonBytes().dropFirst().dropLast()
      close(format.reasoning, number: index + 1)
      if index + 1 == script.reasoning.count { payload += format.afterReasoning }
      part = next(reasoning: index + 1)
    case .token(let index):
      if let every = script.commentEvery, every > 0, index % every == 0 {
        payload += format.comment
      }
      if index == 0 { payload += format.beforeText }
      payload += format.token.before
      tokens.append(index, to: &payload)
      close(format.token, number: index + 1)
      tokensMade = index + 1
      if index + 1 == tokens.count { payload += format.afterText }
      part = next(token: index + 1)
    case .call(let index):
      payload += format.calls[index]
      outputMade += 1
      part = next(call: index + 1)
    case .finish:
      payload += format.finish
      part = .usage
    case .usage:
      payload += format.usage
      part = .terminator
    case .terminator:
      payload += format.terminator
      part = .end
    case .head, .end, .breaking: break
    }
  }

  private mutating func close(_ frame: StreamFormat.Frame, number: Int) {
    payload += frame.after
    if let afterCount = frame.afterCount {
      payload += String(number).utf8
      payload += afterCount
    }
    outputMade += 1
  }

  private func afterOpening(_ part: Part) -> Part {
    // A stream that breaks before its content does so without any event.
    script.breaking?.after == 0 ? .breaking : part
  }

  private func next(reasoning index: Int) -> Part {
    index < script.reasoning.count ? .reasoning(index) : next(token: 0)
  }

  private func next(token index: Int) -> Part {
    if let breaking = script.breaking, index >= breaking.after { return .breaking }
    return index < tokens.count ? .token(index) : next(call: 0)
  }

  private func next(call index: Int) -> Part {
    if let breaking = script.breaking, tokens.count + index >= breaking.after { return .breaking }
    return index < format.calls.count ? .call(index) : .finish
  }

  private mutating func end(_ output: inout [UInt8]) -> Progress {
    guard part == .breaking, let how = script.breaking?.1 else {
      if usesChunks { output += "0\r\n\r\n".utf8 }
      return .complete
    }
    func endStream(_ last: [UInt8]) -> Progress {
      if !last.isEmpty { appendChunk(last[...], to: &output) }
      output += "0\r\n\r\n".utf8
      return .completeButBroken
    }
    switch how {
    case .close: return .broken(reset: false)
    case .reset: return .broken(reset: true)
    case .silence: return .silence
    case .errorObject(let object): return endStream(format.frame(object))
    case .raw(let text): return endStream(Array(text.utf8))
    case .malformed: return endStream(format.malformed)
    case .unterminated: return endStream([])
    }
  }

  // MARK: Chunks

  /// Moves the next piece of the produced bytes into the output, cut as the script says.
  private mutating func flushPiece(into output: inout [UInt8], now: UInt64) -> Progress {
    let length = pieceLength()
    let piece = payload[payloadSent..<(payloadSent + length)]
    if usesChunks { appendChunk(piece, to: &output) } else { output += piece }
    payloadSent += length
    bodyOffset += length
    // A cut is only visible if the pieces are sent one by one.
    let leavesAlone = payloadSent < payload.count || script.chunking == .eachEvent
    return leavesAlone ? .wait(until: now) : .more
  }

  private func pieceLength() -> Int {
    let rest = payload.count - payloadSent
    switch script.chunking {
    case .whole, .eachEvent: return rest
    case .everyByte: return 1
    case .split(let offsets):
      let next = offsets.filter { $0 > bodyOffset }.min() ?? .max
      return min(rest, next - bodyOffset)
    }
  }

  private func appendChunk(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
    output += String(bytes.count, radix: 16).utf8
    output += "\r\n".utf8
    output += bytes
    output += "\r\n".utf8
  }
}

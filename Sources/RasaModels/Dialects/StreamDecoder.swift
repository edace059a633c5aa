import RasaCore
import RasaDocuments

/// What one dialect makes of the events of a stream.
protocol DialectEvents: Sendable {
  /// The members that change from one token's event to the next.
  static var tokenKeys: TokenKeys { get }
  var progress: ChatProgress { get set }

  /// Reads one event, a JSON document mostly.
  mutating func read(_ bytes: [UInt8], _ event: Range<Int>) throws(Failure) -> DecodedEvent
  /// A token that was taken out of its event without reading it, with the numbers beside it.
  mutating func add(text: String, numbers: [Int64])
  mutating func add(reasoning: String, numbers: [Int64])
  /// All events of a chunk have been read, and the progress is about to be looked at.
  mutating func endChunk()
  /// Reads an answer that was not streamed.
  mutating func readWhole(_ bytes: [UInt8]) throws(Failure)
  /// The input has ended: what the dialect has left to say.
  mutating func end()
}

extension DialectEvents {
  mutating func add(text: String, numbers: [Int64]) { progress.add(text: text) }
  mutating func add(reasoning: String, numbers: [Int64]) { progress.add(reasoning: reasoning) }
  mutating func endChunk() {}
  mutating func readWhole(_ bytes: [UInt8]) throws(Failure) { _ = try read(bytes, 0..<bytes.count) }
}

/// What an event brought, as far as the next one may be like it.
enum DecodedEvent: Sendable, Hashable {
  /// This text and nothing else.
  case text(String)
  case reasoning(String)
  case other
}

/// Reads one provider's stream: cuts it into events, and has the dialect read those that are not
/// just like the one before with another token in it.
struct StreamDecoder<Framing: EventFraming, Events: DialectEvents>: ChatDecoder {
  /// What a body is can be seen from its first byte; what its header calls it is wrong too often.
  private enum Form: Sendable {
    case unknown, stream
    /// A page for people: something else than the server answers.
    case page
    /// One JSON document: the server ignored that it was asked to stream, or failed with status 200.
    case whole
  }

  private static var longestWhole: Int { 16 << 20 }
  /// What of a page is waited for, to tell what it says.
  private static var enoughOfPage: Int { 4_096 }

  private var framing = Framing()
  private var events: Events
  private var shapes = TokenShapes(Events.tokenKeys)
  private var form: Form
  private var whole: [UInt8] = []
  private let contentType: String?
  private let isLines: Bool
  /// Events that came, whatever they brought.
  private var hasEvents = false
  /// How the text begins that brought none.
  private var beginning: [UInt8] = []

  /// - Parameter isLines: every line is a document of its own, so the first byte tells nothing.
  init(_ events: Events, contentType: String? = nil, isLines: Bool = false) {
    self.events = events
    self.contentType = contentType
    form = .unknown
    self.isLines = isLines
  }

  var progress: ChatProgress {
    get { events.progress }
    // In place: a copy for each change would retain every member of it.
    _modify { yield &events.progress }
  }

  // Called through the protocol, where nothing is known of the types: without these each event looks up their metadata.
  @_specialize(where Framing == ServerSentEvents, Events == OpenAIEvents)
  @_specialize(where Framing == ServerSentEvents, Events == AnthropicEvents)
  @_specialize(where Framing == ServerSentEvents, Events == GeminiEvents)
  @_specialize(where Framing == JSONLines, Events == OllamaEvents)
  mutating func feed(_ chunk: [UInt8]) {
    guard events.progress.problem == nil else { return }
    if form == .unknown { recognise(chunk) }
    if form == .page {
      whole += chunk
      if whole.count >= Self.enoughOfPage { fail(.page(contentType, whole)) }
      return
    }
    guard events.progress.problem == nil else { return }
    if !hasEvents, beginning.count < 512 { beginning += chunk.prefix(512) }
    if form == .whole {
      whole += chunk
      if whole.count > Self.longestWhole {
        events.progress.problem = .nonsense("its answer is too long")
      }
      return
    }
    // Taken out, so that what it calls may change everything else.
    var framing = framing
    self.framing = Framing()
    do throws(Failure) {
      try framing.feed(chunk) { (bytes, event) throws(Failure) in try take(bytes, event) }
    } catch {
      fail(.nonsense(error.message))
    }
    self.framing = framing
    events.endChunk()
    if events.progress.isDone || events.progress.problem != nil {
      events.progress.endText()
    } else {
      events.progress.endChunk()
    }
  }

  mutating func finish() {
    defer { events.progress.endText() }
    guard events.progress.problem == nil else { return }
    if form == .page {
      fail(.page(contentType, whole))
    } else if form == .whole {
      do throws(Failure) {
        try events.readWhole(whole)
      } catch {
        if !readLines() { fail(.nonsense(error.message)) }
      }
    } else {
      var framing = framing
      self.framing = Framing()
      do throws(Failure) {
        try framing.finish { (bytes, event) throws(Failure) in try take(bytes, event) }
      } catch {
        // An event that was cut in the middle is an answer that was cut.
        fail(.truncated)
      }
      if !framing.stray.isEmpty, !events.progress.isDone { read(stray: framing.stray) }
    }
    guard events.progress.problem == nil else { return }
    events.end()
    // Some servers leave out the mark of the end; a finish reason says just as well that nothing is
    // missing. A dialect whose end mark always comes has complained by now.
    if events.progress.problem == nil, !events.progress.isDone, events.progress.finish == nil {
      events.progress.problem =
        isForeign ? .notAnAnswer(contentType, form == .whole ? whole : beginning) : .truncated
    }
  }

  /// Nothing of what came is what a model's server says.
  private var isForeign: Bool {
    let progress = events.progress
    guard progress.contentEvents == 0, progress.usage == nil, progress.toolCalls.isEmpty else {
      return false
    }
    switch form {
    case .unknown, .page: return false
    case .stream:
      // A stream that has only begun may have been worked on.
      let isStream = contentType.map { $0.lowercased().hasPrefix("text/event-stream") } ?? false
      return !hasEvents && !isStream && !isLines
    case .whole:
      guard let document = try? JSON.parse(whole) else { return false }
      let object = document.array?.first ?? document
      return !Self.ownMembers.contains { !object[$0].isNull }
    }
  }

  /// Of the four dialects' documents.
  private static var ownMembers: [String] {
    [
      "choices", "candidates", "content", "message", "response", "done", "usage", "usageMetadata",
      "type", "object", "model",
    ]
  }

  private mutating func recognise(_ chunk: [UInt8]) {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let first = chunk.first { $0 != 0x20 && !(0x09...0x0D).contains($0) && !mark.contains($0) }
    switch first {
    case nil: break
    case UInt8(ascii: "<"): form = .page
    case 0x1F where chunk.dropFirst().first == 0x8B: fail(.packed)
    case _ where isLines: form = .stream
    case UInt8(ascii: "{"), UInt8(ascii: "["): form = .whole
    default: form = .stream
    }
  }

  /// Events that came as JSON documents, one a line.
  private mutating func readLines() -> Bool {
    var lines = JSONLines()
    let bytes = whole
    do throws(Failure) {
      try lines.feed(bytes) { (bytes, line) throws(Failure) in try take(bytes, line) }
      try lines.finish { (bytes, line) throws(Failure) in try take(bytes, line) }
      return events.progress.contentEvents > 0 || events.progress.problem != nil
    } catch {
      return false
    }
  }

  private mutating func take(_ bytes: [UInt8], _ event: Range<Int>) throws(Failure) {
    hasEvents = true
    guard events.progress.takesEvents(), !event.isEmpty else { return }
    switch shapes.token(in: bytes, event) {
    case .text(let text): events.add(text: text, numbers: shapes.numbers)
    case .reasoning(let text): events.add(reasoning: text, numbers: shapes.numbers)
    case .other: shapes.learn(try events.read(bytes, event), from: bytes, event)
    }
  }

  private mutating func read(stray: [UInt8]) {
    guard let document = try? JSON.parse(stray) else { return }
    let object = document.array?.first ?? document
    let error = object["error"]
    if !error.isNull { fail(ProviderProblem(inStream: error)) }
  }

  private mutating func fail(_ problem: ProviderProblem) {
    if events.progress.problem == nil { events.progress.problem = problem }
  }
}

extension ProviderProblem {
  static let truncated = ProviderProblem(
    .brokenStream, "the stream ended before the answer was complete")

  static func nonsense(_ what: String) -> ProviderProblem {
    ProviderProblem(.brokenStream, "the provider's stream cannot be read: \(what)")
  }
}

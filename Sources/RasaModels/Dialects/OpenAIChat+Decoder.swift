import RasaCore
import RasaDocuments
import RasaEngine

/// Reads the chunks of a streamed chat completion, and a whole one from servers that do not stream.
struct OpenAIChatDecoder: ChatDecoder {
  private static let doneMarker = Array("[DONE]".utf8)

  var progress = ChatProgress()
  private var events = ServerSentEvents()
  /// The body is one JSON document: the server ignored that it was asked to stream, or failed with
  /// status 200.
  private let isWhole: Bool
  private var whole: [UInt8] = []
  /// The shape of the events that bring text, once one has been read.
  private var token: JSONRepeat?

  init(contentType: String? = nil) {
    isWhole = contentType?.lowercased().hasPrefix("application/json") ?? false
  }

  mutating func feed(_ chunk: [UInt8]) {
    guard progress.problem == nil else { return }
    if isWhole {
      whole += chunk
      if whole.count > Self.longestWhole { progress.problem = .nonsense("its answer is too long") }
      return
    }
    var progress = progress
    var token = token
    self.progress = ChatProgress()
    do throws(Failure) {
      try events.feed(chunk) { (bytes, data) throws(Failure) in
        if let text = token?.string(in: bytes, data), !progress.isDone, progress.problem == nil {
          return progress.add(text: text)
        }
        let before = progress
        try Self.read(bytes, data, into: &progress)
        token = Self.shape(of: bytes, data, before, progress) ?? token
      }
    } catch {
      if progress.problem == nil { progress.problem = .nonsense(error.message) }
    }
    self.token = token
    self.progress = progress
  }

  /// The event's shape, if it brought text and nothing else.
  private static func shape(
    of bytes: [UInt8], _ data: Range<Int>, _ before: ChatProgress, _ after: ChatProgress
  ) -> JSONRepeat? {
    guard after.contentEvents == before.contentEvents + 1, after.reasoning == before.reasoning,
      after.usage == before.usage, after.finish == before.finish, !after.isDone,
      after.problem == nil
    else { return nil }
    let text = String(decoding: after.text.utf8.dropFirst(before.text.utf8.count), as: UTF8.self)
    return JSONRepeat(bytes, data, key: "content", value: text)
  }

  mutating func finish() {
    guard progress.problem == nil else { return }
    var progress = progress
    do throws(Failure) {
      if isWhole {
        try Self.read(whole, 0..<whole.count, into: &progress)
        progress.isDone = progress.finish != nil
      } else {
        try events.finish { (bytes, data) throws(Failure) in
          try Self.read(bytes, data, into: &progress)
        }
      }
    } catch {
      if progress.problem == nil { progress.problem = .nonsense(error.message) }
    }
    // Some servers leave out `[DONE]`; a finish reason says just as well that nothing is missing.
    if progress.problem == nil, !progress.isDone, progress.finish == nil {
      progress.problem = .truncated
    }
    self.progress = progress
  }

  private static let longestWhole = 16 << 20

  private static func read(
    _ bytes: [UInt8], _ data: Range<Int>, into progress: inout ChatProgress
  ) throws(Failure) {
    guard !progress.isDone, progress.problem == nil, !data.isEmpty else { return }
    if data.count == doneMarker.count, bytes[data].elementsEqual(doneMarker) {
      progress.isDone = true
      return
    }
    var reader = try JSONReader(bytes[data], named: "the stream")
    guard try reader.enterObject() else { return }
    while let key = try reader.nextKey() {
      switch key {
      case "choices": try readChoices(&reader, into: &progress)
      case "usage": try readUsage(&reader, into: &progress)
      case "error":
        let error = try reader.value()
        if !error.isNull { progress.problem = ProviderProblem(inStream: error) }
      default: break
      }
    }
  }

  private static func readChoices(
    _ reader: inout JSONReader, into progress: inout ChatProgress
  ) throws(Failure) {
    guard try reader.enterArray() else { return }
    while try reader.nextElement() {
      guard try reader.enterObject() else { continue }
      var index: Int64 = 0
      while let key = try reader.nextKey() {
        switch key {
        case "index": index = try reader.integer() ?? 0
        case "delta", "message":
          // One answer is asked for; a server that sends more of them must not mix their words.
          if index == 0 { try readDelta(&reader, into: &progress) }
        case "finish_reason":
          guard index == 0, let reason = try reader.string() else { continue }
          switch reason {
          case "length", "max_tokens": progress.finish = .length
          case "content_filter": progress.finish = .filtered
          case "error": progress.problem = .truncated
          default: progress.finish = progress.finish ?? .stop
          }
        default: break
        }
      }
    }
  }

  private static func readDelta(
    _ reader: inout JSONReader, into progress: inout ChatProgress
  ) throws(Failure) {
    guard try reader.enterObject() else { return }
    var reasoning: String? = nil
    var details: String? = nil
    while let key = try reader.nextKey() {
      switch key {
      case "content":
        if try reader.kind() == .array {
          let parts = try reader.value().array ?? []
          progress.add(text: parts.compactMap { $0["text"].string }.joined())
        } else if let text = try reader.string() {
          progress.add(text: text)
        }
      case "refusal":
        if let text = try reader.string(), !text.isEmpty {
          progress.add(text: text)
          progress.finish = .filtered
        }
      case "reasoning_content", "reasoning":
        if let text = try reader.string() { reasoning = text }
      case "reasoning_details":
        let parts = try reader.value().array ?? []
        details = parts.compactMap { $0["text"].string ?? $0["summary"].string }.joined()
      default: break
      }
    }
    // Servers that send the details send the same words as `reasoning` too.
    if let text = reasoning ?? details { progress.add(reasoning: text) }
  }

  private static func readUsage(
    _ reader: inout JSONReader, into progress: inout ChatProgress
  ) throws(Failure) {
    guard try reader.enterObject() else { return }
    var usage = ReportedUsage()
    while let key = try reader.nextKey() {
      switch key {
      case "prompt_tokens": usage.input = try reader.integer()
      case "completion_tokens": usage.output = try reader.integer()
      case "prompt_tokens_details":
        usage.cachedInput = try reader.value()["cached_tokens"].wholeNumber
      case "completion_tokens_details":
        usage.reasoning = try reader.value()["reasoning_tokens"].wholeNumber
      default: break
      }
    }
    progress.usage = usage
  }
}

extension ProviderProblem {
  static let truncated = ProviderProblem(
    .brokenStream, "the stream ended before the answer was complete")

  static func nonsense(_ what: String) -> ProviderProblem {
    ProviderProblem(.brokenStream, "the provider's stream cannot be read: \(what)")
  }
}

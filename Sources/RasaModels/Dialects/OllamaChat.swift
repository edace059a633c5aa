import RasaCore
import RasaDocuments
import RasaEngine

/// Ollama's own chat format.
enum OllamaChat {
  static func request(_ call: WireCall) -> WireRequest {
    let request = call.request
    var options: ValueObject = ["num_predict": .int(call.cap)]
    if let temperature = request.temperature, call.quirks.sendsTemperature {
      options["temperature"] = .double(temperature)
    }
    if let window = window(for: call.inputEstimate + call.cap) { options["num_ctx"] = .int(window) }
    var body: ValueObject = [
      "model": .string(call.model),
      "messages": .array(
        request.messages.map { ["role": .string($0.role.rawValue), "content": .string($0.text)] }),
      "stream": true,
    ]
    if let schema = request.schema { body["format"] = schema }
    body["options"] = .object(options)
    return WireRequest(path: "/api/chat", body: Value.object(body).jsonBytes())
  }

  /// Ollama cuts the beginning of a prompt off, silently, when it is longer than the window it
  /// was loaded with, 4096 tokens by default. Nil where that is enough, because asking for another
  /// window loads the model anew.
  static func window(for tokens: Int64) -> Int64? {
    guard tokens > 4_096 else { return nil }
    var window: Int64 = 8_192
    while window < tokens, window < 131_072 { window *= 2 }
    return window
  }
}

/// Reads Ollama's lines: one object each, the last with `done: true`.
struct OllamaChatDecoder: ChatDecoder {
  var progress = ChatProgress()
  private var lines = JSONLines()

  init() {}

  mutating func feed(_ chunk: [UInt8]) {
    guard progress.problem == nil else { return }
    var progress = progress
    self.progress = ChatProgress()
    do throws(Failure) {
      try lines.feed(chunk) { (bytes, line) throws(Failure) in
        try Self.read(bytes, line, into: &progress)
      }
    } catch {
      if progress.problem == nil { progress.problem = .nonsense(error.message) }
    }
    self.progress = progress
  }

  mutating func finish() {
    guard progress.problem == nil else { return }
    var progress = progress
    do throws(Failure) {
      try lines.finish { (bytes, line) throws(Failure) in
        try Self.read(bytes, line, into: &progress)
      }
    } catch {
      // A last line that was cut in the middle is an answer that was cut.
      progress.problem = .truncated
    }
    if progress.problem == nil, !progress.isDone { progress.problem = .truncated }
    self.progress = progress
  }

  private static func read(
    _ bytes: [UInt8], _ line: Range<Int>, into progress: inout ChatProgress
  ) throws(Failure) {
    guard !progress.isDone, progress.problem == nil else { return }
    var reader = try JSONReader(bytes[line], named: "the stream")
    guard try reader.enterObject() else { return }
    var usage = ReportedUsage()
    var reason: String? = nil
    var isDone = false
    while let key = try reader.nextKey() {
      switch key {
      case "message": try readMessage(&reader, into: &progress)
      case "done": isDone = try reader.bool() ?? false
      case "done_reason": reason = try reader.string()
      case "prompt_eval_count": usage.input = try reader.integer()
      case "eval_count": usage.output = try reader.integer()
      case "error":
        let error = try reader.value()
        if !error.isNull { progress.problem = ProviderProblem(inStream: error) }
      default: break
      }
    }
    guard isDone else { return }
    progress.isDone = true
    progress.usage = usage
    progress.finish = reason == "length" ? .length : .stop
  }

  private static func readMessage(
    _ reader: inout JSONReader, into progress: inout ChatProgress
  ) throws(Failure) {
    guard try reader.enterObject() else { return }
    while let key = try reader.nextKey() {
      switch key {
      case "content":
        if let text = try reader.string() { progress.add(text: text) }
      case "thinking":
        if let text = try reader.string() { progress.add(reasoning: text) }
      default: break
      }
    }
  }
}

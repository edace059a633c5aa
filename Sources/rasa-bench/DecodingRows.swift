import Glibc
import RasaCore
import RasaModels
import RasaPersona
import RasaTestKit

/// How fast a provider's stream becomes text, on one core: cutting it into events alone, and all of
/// it. The floor is looking for line ends over the same bytes.
extension Row {
  static let decoding: [Row] = ProviderSettings.Dialect.allCases.map { dialect in
    Row("SSE decoding, \(dialect.rawValue)") { _, row in try measure(dialect, row) }
  }

  private static let tokens = 100_000
  private static let leastFraming = 300.0
  private static let leastEvents = 400_000.0

  private static func measure(
    _ dialect: ProviderSettings.Dialect, _ row: Row
  ) throws -> RowResult {
    let stream = Array(recorded(dialect).utf8)
    // As a socket's buffer hands it over.
    let chunks = stride(from: 0, to: stream.count, by: 16_384).map {
      Array(stream[$0..<min(stream.count, $0 + 16_384)])
    }
    let megabytes = Double(stream.count) / 1e6
    var framing: [Double] = []
    var events: [Double] = []
    var floor: [Double] = []
    for _ in 0..<9 {
      floor.append(megabytes / seconds { _ = lineEnds(chunks) })
      framing.append(
        try megabytes
          / seconds {
            guard try dialect.cut(chunks) >= tokens else { throw Failure(.run, "events were lost") }
          })
      events.append(
        try Double(tokens)
          / seconds {
            guard try dialect.read(chunks).events == Int64(tokens) else {
              throw Failure(.run, "tokens were lost")
            }
          })
    }
    let (cut, read, least) = (framing.median, events.median, floor.median)
    return RowResult(
      name: row.name, measured: "\(Int(cut)) MB/s, \(Int(read / 1000))k/s",
      floor: "\(Int(least)) MB/s (memchr)", ratio: cut / least, target: "≥ 300 MB/s, ≥ 400k/s",
      isMet: cut >= leastFraming && read >= leastEvents,
      notes: "cut into events, and token events read end to end; one in eight has an escape; "
        + "\(Int((megabytes * 1e6 / Double(tokens)).rounded())) bytes a token, "
        + "\(Int(read * megabytes / Double(tokens))) MB/s")
  }

  /// Of this thread alone: other work on the machine does not count.
  private static func seconds(_ body: () throws -> Void) rethrows -> Double {
    func now() -> Double {
      var time = timespec()
      unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
    let start = now()
    try body()
    return now() - start
  }

  private static func lineEnds(_ chunks: [[UInt8]]) -> Int {
    var count = 0
    for chunk in chunks {
      unsafe chunk.withUnsafeBytes { bytes in
        guard var place = bytes.baseAddress else { return }
        let end = unsafe place + bytes.count
        while let found = unsafe memchr(place, 0x0A, end - place) {
          count += 1
          unsafe place = UnsafeRawPointer(found) + 1
        }
      }
    }
    return count
  }
}

// MARK: Streams as they are recorded

extension Row {
  private static let words = [
    "The", " order", " book", " carries", " the", " price", ",", " and", " \\\"risk\\\"", " stays",
    " low", ".", " Größe", " matters", " little", "\\n\\n",
  ]

  private static func recorded(_ dialect: ProviderSettings.Dialect) -> String {
    var text = opening(dialect)
    for index in 0..<tokens { text += event(dialect, words[index % words.count], index) }
    return text + ending(dialect)
  }

  private static func opening(_ dialect: ProviderSettings.Dialect) -> String {
    switch dialect {
    case .openAI:
      "data: {\"id\":\"chatcmpl-Cx1\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,"
        + "\"model\":\"gpt-5\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
        + "\"content\":\"\"},\"finish_reason\":null}],\"obfuscation\":\"a\"}\n\n"
    case .anthropic:
      "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":"
        + "{\"input_tokens\":25,\"output_tokens\":1}}}\n\nevent: content_block_start\n"
        + "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
        + "{\"type\":\"text\",\"text\":\"\"}}\n\n"
    case .gemini, .ollama: ""
    }
  }

  private static func event(
    _ dialect: ProviderSettings.Dialect, _ word: String, _ index: Int
  ) -> String {
    switch dialect {
    case .openAI:
      """
      data: {"id":"chatcmpl-Cx1","object":"chat.completion.chunk","created":\(1_767_225_600 + index / 50),"model":"gpt-5","service_tier":"default","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":"\(word)"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"\(index % 7919)"}


      """
    case .anthropic:
      """
      event: content_block_delta
      data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\(word)"} }


      """
    case .gemini:
      "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"\(word)\"}],\"role\": "
        + "\"model\"},\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 11,"
        + "\"candidatesTokenCount\": \(index + 1),\"totalTokenCount\": \(index + 12),"
        + "\"promptTokensDetails\": [{\"modality\": \"TEXT\",\"tokenCount\": 11}]},"
        + "\"modelVersion\": \"gemini-3-flash\",\"responseId\": \"r1\"}\r\n\r\n"
    case .ollama:
      """
      {"model":"llama3:8b","created_at":"2026-01-01T00:00:00.\(100_000 + index)Z","message":{"role":"assistant","content":"\(word)"},"done":false}

      """
    }
  }

  private static func ending(_ dialect: ProviderSettings.Dialect) -> String {
    switch dialect {
    case .openAI:
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
        + "data: [DONE]\n\n"
    case .anthropic:
      "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":"
        + "{\"output_tokens\":\(tokens)}}\n\ndata: {\"type\":\"message_stop\"}\n\n"
    case .gemini: "data: {\"candidates\": [{\"finishReason\": \"STOP\"}]}\r\n\r\n"
    case .ollama: "{\"message\":{\"content\":\"\"},\"done\":true,\"eval_count\":\(tokens)}\n"
    }
  }
}

import RasaCore
import RasaEngine

/// How many tokens a request has, from above, without a tokenizer.
///
/// English and code take 3.5 to 5 bytes a token, other scripts 1.5 to 4; counting 3 for ASCII and
/// 2 for all else is an estimate that real tokenizers stay below.
struct TokenEstimate: Sendable, Hashable {
  /// What a chat template adds to each message and to the whole.
  private static let perMessage: Int64 = 8
  private static let perRequest: Int64 = 16

  var tokens: Int64 = perRequest
  /// The bytes of everything the model reads.
  var bytes: Int64 = 0

  init(_ request: ModelRequest, schema: String) {
    for message in request.messages {
      add(message.text)
      tokens += Self.perMessage
    }
    add(schema)
  }

  private mutating func add(_ text: String) {
    var ascii: Int64 = 0
    var other: Int64 = 0
    for byte in text.utf8 {
      if byte < 0x80 { ascii += 1 } else { other += 1 }
    }
    bytes += ascii + other
    tokens += (ascii + 2) / 3 + (other + 1) / 2
  }
}

extension Usage {
  /// What to settle: the provider's counts where they can be true, else our own, flagged.
  ///
  /// Servers report nothing, zero for what they did not count, or numbers that no answer can have
  /// had; a budget must survive all three.
  static func settled(
    _ reported: ReportedUsage?, estimate: TokenEstimate, transcript: Transcript, cap: Int64
  ) -> Usage {
    let own = Usage(
      input: estimate.tokens, output: transcript.estimatedTokens, isReported: false)
    guard let reported else { return own }
    var usage = own
    usage.isReported = true
    let mostInput = estimate.bytes * 2 + 65_536
    if let input = reported.input, (1...mostInput).contains(input) {
      usage.input = input
    } else {
      usage.isReported = false
    }
    let mostOutput = max(cap, transcript.bytes) * 4 + 65_536
    let leastOutput: Int64 = transcript.bytes > 0 ? 1 : 0
    if let output = reported.output, (leastOutput...mostOutput).contains(output) {
      usage.output = output
    } else {
      usage.isReported = false
    }
    usage.cachedInput = min(max(0, reported.cachedInput ?? 0), usage.input)
    usage.reasoning = min(max(0, reported.reasoning ?? 0), usage.output)
    return usage
  }
}

/// What has arrived of an answer.
struct Transcript: Sendable {
  private(set) var text = ""
  private(set) var bytes: Int64 = 0
  var contentEvents: Int64 = 0

  mutating func add(text more: String, reasoning: String) {
    text += more
    bytes += Int64(more.utf8.count + reasoning.utf8.count)
  }

  /// A number of tokens that the answer has at least: a server that keeps to its cap is never cut
  /// off, one that does not is stopped soon after.
  var meteredTokens: Int64 { max(contentEvents, bytes / 8) }

  /// The likely number, for settling where the provider reported none.
  var estimatedTokens: Int64 { max(contentEvents, (bytes + 3) / 4) }
}

import RasaCore
import RasaEngine

/// How large a request is, as far as that can be told without a tokenizer.
struct RequestSize: Sendable, Hashable {
  /// What a chat template adds to each message and to the whole, and what providers add where tools
  /// are offered.
  private static let perMessage: Int64 = 16
  private static let perRequest: Int64 = 32
  private static let perTool: Int64 = 512
  /// No word of any language that is written with blanks is longer; what is longer is no word.
  private static let longestWord = 30

  /// Of everything the model reads.
  private(set) var bytes: Int64 = 0
  private(set) var added: Int64 = perRequest
  private var foreign: Int64 = 0
  private var plain: Int64 = 0
  private var hasLongWord = false

  init(_ request: ModelRequest, schema: String) {
    for message in request.messages {
      add(message.text)
      for call in message.toolCalls {
        add(call.name)
        add(call.arguments.json())
        add(call.signature ?? "")
      }
      for part in message.reasoning {
        add(part.text)
        add(part.signature ?? part.redacted ?? "")
      }
      added += Self.perMessage
    }
    add(schema)
    for tool in request.tools {
      add(tool.name)
      add(tool.description)
      add(tool.parameters.json())
      added += Self.perMessage
    }
    if !request.tools.isEmpty { added += Self.perTool }
  }

  private mutating func add(_ text: String) {
    var count: Int64 = 0
    var foreign: Int64 = 0
    var plain: Int64 = 0
    var word = 0
    var longest = 0
    let bytes = text.utf8Span.span
    for index in bytes.indices {
      let byte = bytes[index]
      count += 1
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"):
        plain += 1
        word += 1
        longest = max(longest, word)
      case UInt8(ascii: " "), UInt8(ascii: "\n"):
        plain += 1
        word = 0
      case 0x80...:
        foreign += 1
        word = 0
      default: word = 0
      }
    }
    self.bytes += count
    self.foreign += foreign
    self.plain += plain
    if longest > Self.longestWord { hasLongWord = true }
  }

  var kind: TextKind {
    if foreign > bytes / 5 { return .foreign }
    return plain >= bytes - bytes / 7 && !hasLongWord ? .prose : .dense
  }
}

/// How many tokens a request has, from above.
///
/// A token of the tokenizers in use is at least one byte, so no text has more tokens than bytes. Of
/// a model whose counts have been seen for the same kind of text, half as much again as the densest
/// of them is enough; one that ever had more than was estimated is not trusted with that again.
struct TokenEstimate: Sendable, Hashable {
  private static let callsToTrust: Int64 = 5
  /// In texts shorter than this the counts say more about the chat template than about the text.
  private static let shortestToLearnFrom: Int64 = 200

  let size: RequestSize
  let tokens: Int64

  init(_ size: RequestSize, _ standing: ModelStanding?) {
    self.size = size
    let most = size.bytes + size.added
    guard let seen = standing?.counting[size.kind], seen.calls >= Self.callsToTrust,
      seen.exceeded == 0
    else {
      tokens = most
      return
    }
    let (scaled, overflow) = size.bytes.multipliedReportingOverflow(by: seen.densest)
    tokens = overflow ? most : min(most, scaled / 1_000 * 3 / 2 + size.added)
  }

  /// The likely number, where too many would do harm.
  var likely: Int64 { min(tokens, size.bytes / 3 + size.added) }

  /// What the provider's count teaches; nil where it teaches nothing.
  func learnt(from usage: Usage) -> (kind: TextKind, bytes: Int64, estimate: Int64, tokens: Int64)?
  {
    guard usage.isReported, size.bytes >= Self.shortestToLearnFrom else { return nil }
    return (size.kind, size.bytes, tokens, usage.input)
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
    let mostInput = estimate.size.bytes * 2 + 65_536
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
    usage.cacheWrites = min(max(0, reported.cacheWrites ?? 0), usage.input - usage.cachedInput)
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

  /// The text was no part of the answer; it was paid for all the same.
  mutating func takeBack() { text = "" }

  /// A number of tokens that the answer has at least: a server that keeps to its cap is never cut
  /// off, one that does not is stopped soon after.
  var meteredTokens: Int64 { max(contentEvents, bytes / 8) }

  /// The likely number, for settling where the provider reported none.
  var estimatedTokens: Int64 { max(contentEvents, (bytes + 3) / 4) }
}

import RasaCore
import RasaEngine

/// The size of a request, as far as it can be known without a tokenizer.
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

  /// Of a text alone.
  init(_ text: String) {
    added = 0
    add(text)
  }

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

  /// Whole conversations go through this before each question, so that the loops are such as the compiler makes fast.
  private mutating func add(_ text: String) {
    let bytes = text.utf8Span.span
    var begin = 0
    while begin < bytes.count {
      // As many as the counts have room for.
      let part = bytes.extracting(begin..<min(bytes.count, begin + 255))
      var foreign: UInt8 = 0
      var plain: UInt8 = 0
      for index in part.indices {
        let byte = part[index]
        foreign &+= byte >> 7
        plain &+= Self.isLetter(byte) || byte == 0x20 || byte == 0x0A ? 1 : 0
      }
      self.foreign += Int64(foreign)
      self.plain += Int64(plain)
      begin += 255
    }
    self.bytes += Int64(bytes.count)
    if !hasLongWord { hasLongWord = Self.hasLongWord(bytes) }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 }

  private static func hasLongWord(_ bytes: Span<UInt8>) -> Bool {
    // One that is too long stands at one of the places that are so far apart.
    var place = longestWord
    while place < bytes.count {
      if isLetter(bytes[place]) {
        var (begin, end) = (place, place + 1)
        while begin > 0, place - begin < longestWord, isLetter(bytes[begin - 1]) { begin -= 1 }
        while end < bytes.count, end - begin <= longestWord, isLetter(bytes[end]) { end += 1 }
        if end - begin > longestWord { return true }
      }
      place += longestWord + 1
    }
    return false
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
/// of them is enough; one that had more than was estimated is not trusted with that for a while.
struct TokenEstimate: Sendable, Hashable {
  private static let callsToTrust: Int64 = 5
  /// In texts shorter than this the counts say more about the chat template than about the text.
  private static let shortestToLearnFrom: Int64 = 200

  let size: RequestSize
  let tokens: Int64
  /// Of what is attached, by the provider's own formula.
  let attached: [Int64]

  init(_ size: RequestSize, _ standing: ModelStanding?, attached: [Int64] = []) {
    self.size = size
    self.attached = attached
    // Each is at most a quarter of what an integer holds.
    let sum = attached.reduce(0) { min($0 + $1, .max / 4) }
    let text = Self.text(size, standing)
    tokens = min(text, .max / 4) + sum
    likely = min(text, size.bytes / 3 + size.added) + sum
  }

  private static func text(_ size: RequestSize, _ standing: ModelStanding?) -> Int64 {
    let most = size.bytes + size.added
    guard let seen = standing?.counting[size.kind], seen.calls >= Self.callsToTrust,
      seen.distrusted == 0
    else { return most }
    let (scaled, overflow) = size.bytes.multipliedReportingOverflow(by: seen.densest)
    return overflow ? most : min(most, scaled / 1_000 * 3 / 2 + size.added)
  }

  /// The likely number, where too many would do harm.
  let likely: Int64

  /// What the provider's count teaches; nil where it teaches nothing.
  func learnt(from usage: Usage) -> (kind: TextKind, bytes: Int64, estimate: Int64, tokens: Int64)?
  {
    // Providers do not report how many tokens of a count are an image's.
    guard usage.isReported, attached.isEmpty, size.bytes >= Self.shortestToLearnFrom else {
      return nil
    }
    return (size.kind, size.bytes, tokens, usage.input)
  }
}

extension Usage {
  /// No answer and no request has had more tokens than this.
  private static let largestCount: Int64 = 100_000_000

  /// What to settle: the provider's counts where they can be true at all, for that is what it will
  /// bill; else our own, flagged.
  ///
  /// Servers report nothing, zero for what they did not count, what they had counted before the answer
  /// was over, or numbers that nothing can have had; a budget must survive all four.
  static func settled(
    _ reported: ReportedUsage?, estimate: TokenEstimate, transcript: Transcript, cap: Int64?,
    isComplete: Bool
  ) -> Usage {
    // A server that keeps to the cap wrote no more than that, and one that does not was stopped.
    let own = Usage(
      input: estimate.tokens, output: min(transcript.tokens, cap ?? .max), isReported: false)
    guard let reported else { return own }
    var usage = own
    usage.isReported = isComplete
    if let input = reported.input, (1...largestCount).contains(input) {
      usage.input = input
    } else {
      usage.isReported = false
    }
    let leastOutput: Int64 = transcript.hasContent ? 1 : 0
    if let output = reported.output, (leastOutput...largestCount).contains(output) {
      // More than has been read is a count of the whole, though its end was not waited for.
      if output > own.output {
        usage.isReported = usage.isReported || usage.input == reported.input
      }
      usage.output = isComplete ? output : max(output, own.output)
    } else {
      usage.isReported = false
    }
    usage.cachedInput = min(max(0, reported.cachedInput ?? 0), usage.input)
    usage.cacheWrites = min(max(0, reported.cacheWrites ?? 0), usage.input - usage.cachedInput)
    usage.reasoning = min(max(0, reported.reasoning ?? 0), usage.output)
    return usage
  }
}

extension ReportedUsage {
  /// The counts that nothing can have had.
  var absurd: [Int64] {
    [input, output].compactMap(\.self).filter { !(0...100_000_000).contains($0) }
  }
}

/// What has arrived of an answer, and how many tokens that is. One measure both stops an answer that
/// has used what is held for it and books one that nobody counted.
struct Transcript: Sendable {
  /// An answer's text stays in memory, so there is a size at which it is cut off whatever it costs:
  /// 64 MB of letters.
  static let longest: Int64 = 128 << 20

  private(set) var text = ""
  /// In eighths of a token.
  private var size: Int64 = 0
  var contentEvents: Int64 = 0

  var hasContent: Bool { size > 0 }

  /// The likely number of tokens: how the events were cut says nothing about it.
  var tokens: Int64 { (size + 7) / 8 }

  /// Where an answer with that cap is stopped, in eighths of a token: a text of long words may be
  /// measured at half as much again as it has, and more is beyond any that keeps to the cap.
  static func most(_ cap: Int64) -> Int64 {
    let (product, overflow) = cap.multipliedReportingOverflow(by: 12)
    return overflow ? longest : min(longest, product + 64)
  }

  /// The text was no part of the answer; it was paid for all the same.
  mutating func takeBack() { text = "" }

  /// Takes as much as there is room for, and leaves that much of what came. False when it was more.
  mutating func add(
    _ content: inout (text: String, reasoning: String), within most: Int64
  ) -> Bool {
    let fits = add(&content.reasoning, within: most)
    guard fits else {
      content.text = ""
      return false
    }
    defer { text += content.text }
    return add(&content.text, within: most)
  }

  private mutating func add(_ piece: inout String, within most: Int64) -> Bool {
    if let measured = Self.measure(piece, atMost: most - size) {
      size += measured
      return true
    }
    var kept = String.UnicodeScalarView()
    for scalar in piece.unicodeScalars {
      let more = Self.eighths(scalar)
      guard size + more <= most else { break }
      size += more
      kept.append(scalar)
    }
    piece = String(kept)
    return false
  }

  mutating func add(_ calls: [ToolCall]) {
    for call in calls {
      size += Self.measure(call.name, atMost: .max) ?? 0
      size += Self.measure(call.unreadable ?? call.arguments.json(), atMost: .max) ?? 0
    }
  }

  /// Nil when it is more than that.
  private static func measure(_ piece: String, atMost most: Int64) -> Int64? {
    var size: Int64 = 0
    let bytes = piece.utf8Span.span
    for index in bytes.indices {
      let byte = bytes[index]
      switch byte {
      case ..<0x80: size += 2
      case ..<0xC0: break
      case ..<0xE0: size += 2
      case ..<0xE3: size += 3
      case ..<0xF0: size += 5
      default: size += 8
      }
    }
    return size <= most ? size : nil
  }

  /// Four letters of the alphabets are a token, two or three signs of Indian scripts, one or two of
  /// Chinese, Japanese and Korean, and every picture one of its own.
  private static func eighths(_ scalar: Unicode.Scalar) -> Int64 {
    switch scalar.value {
    case ..<0x800: 2
    case ..<0x3000: 3
    case ..<0x10000: 5
    default: 8
    }
  }
}

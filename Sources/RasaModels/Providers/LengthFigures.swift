import RasaCore

/// How long a request was and how long it may be, in tokens, as the message of a refusal says. Every server words it in its
/// own way: “maximum context length is 8192 tokens. However, you requested 9000 tokens (8000 in the messages, 1000 in the
/// completion)”, “prompt is too long: 208310 tokens > 200000 maximum”, “The input token count (1200000) exceeds the maximum
/// number of tokens allowed (1048576)”.
package struct LengthFigures: Sendable, Hashable {
  /// Of the prompt, if the message tells it apart from the answer's share.
  package var requested: Int64?
  package var most: Int64?

  package init(requested: Int64? = nil, most: Int64? = nil) {
    self.requested = requested
    self.most = most
  }

  private static let wordsOfMost: Set<String> = [
    "maximum", "max", "limit", "allowed", "available", "window", "at", "up", "size", "configured",
  ]
  private static let wordsOfRequest: Set<String> = [
    "requested", "resulted", "contains", "count", "long", "has", "have", "got", "your", "input",
    "prompt", "used", "request",
  ]

  init(in message: String) {
    let tokens = Self.split(message)
    // “208310 tokens > 200000 maximum”, “198000 + 20000 > 200000”.
    if let sign = tokens.firstIndex(of: ">"), sign + 1 < tokens.count,
      let number = Self.number(tokens[sign + 1])
    {
      most = number
      let before = tokens[..<sign].suffix(6).compactMap(Self.number)
      if before.count == 1, before[0] > number { requested = before[0] }
      return
    }
    for (place, token) in tokens.enumerated() {
      guard let number = Self.number(token), number >= 64 else { continue }
      let next = place + 1 < tokens.count ? tokens[place + 1] : ""
      let after = tokens[(place + 1)...].prefix(4).prefix {
        $0 != "." && $0 != ";" && Self.number($0) == nil
      }
      if after.contains("messages") || (next == "in" && after.contains("prompt")) {
        requested = number
        continue
      }
      if after.contains("completion") || after.contains("output") || after.contains("generated") {
        continue
      }
      // The nearest word before it that says what it is.
      var role: Bool?
      for word in tokens[..<place].reversed().prefix(10) {
        if Self.wordsOfMost.contains(word) { role = true }
        if Self.wordsOfRequest.contains(word) { role = role ?? false }
        if role != nil || word == "." || word == ";" { break }
      }
      if next == "maximum" || after.contains("maximum") && role == nil { role = true }
      switch role {
      case true?: most = most ?? number
      case false?: requested = requested ?? number
      case nil: break
      }
    }
    // A request that is shorter than it may be was not refused for its length, so one of them means something else.
    if let requested, let most, requested <= most { self.requested = nil }
  }

  private static func number(_ token: String) -> Int64? {
    guard token.utf8.first.map({ (0x30...0x39).contains($0) }) == true else { return nil }
    return Int64(token.replacing(bytes: ",", with: ""))
  }

  /// Words in lower case, numbers, and the signs that mean something between them.
  private static func split(_ message: String) -> [String] {
    var tokens: [String] = []
    var word: [UInt8] = []
    func isPart(_ byte: UInt8) -> Bool {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
      case UInt8(ascii: ","): word.last.map { (0x30...0x39).contains($0) } ?? false
      default: false
      }
    }
    func end() {
      while word.last == UInt8(ascii: ",") { word.removeLast() }
      if !word.isEmpty { tokens.append(String(decoding: word, as: UTF8.self).lowercased()) }
      word = []
    }
    for byte in message.utf8.prefix(2_000) {
      if isPart(byte) {
        word.append(byte)
        continue
      }
      end()
      if byte == UInt8(ascii: ">") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ";") {
        tokens.append(String(UnicodeScalar(byte)))
      }
    }
    end()
    return tokens
  }
}

/// What was sent of a conversation that was too long for a model.
package struct SentConversation: Sendable, Hashable {
  package var session: String?
  /// About how many tokens the request had.
  package var tokens: Int64
  /// How many turns of the conversation were in it, and how many there are.
  package var kept: Int
  package var turns: Int
  package var window: Int64

  package init(session: String?, tokens: Int64, kept: Int, turns: Int, window: Int64) {
    self.session = session
    self.tokens = tokens
    self.kept = kept
    self.turns = turns
    self.window = window
  }
}

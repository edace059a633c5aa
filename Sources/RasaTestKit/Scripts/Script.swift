package import RasaCore

/// How the provider treats a request. A value with sensible defaults.
package struct Script: Sendable {
  package enum Answer: Sendable, Hashable {
    /// `Echo: ` and the last message; valid JSON if the request has a schema.
    case echo
    /// That many made-up words, one token each; JSON of about that size if the request has a
    /// schema.
    case words(Int)
    /// That many tokens, each the provider's monotonic clock in nanoseconds at the time of sending.
    case stamps(Int)
    /// Exactly these tokens, schema or not.
    case tokens([String])
    /// A long text from a server that respects the request's cap: it stops there with `length`. If
    /// the conversation contains the start of the text, the answer continues it, repeating its last
    /// few words.
    case essay(String)

    /// The text split after each run of spaces.
    package static func text(_ text: String) -> Answer { .tokens(split(text)) }
  }

  package enum Usage: Sendable, Hashable {
    /// Real counts, sent if the request asks for them or does not stream.
    case reported
    case missing
    /// These counts, whatever the truth.
    case exactly(prompt: Value, completion: Value)

    /// Impossibly large counts.
    package static let absurd = exactly(
      prompt: 1_000_000_000_000_000_000, completion: 1_000_000_000_000_000_000)
  }

  package enum Break: Sendable, Hashable {
    /// The socket is closed in the middle of the body.
    case close
    /// The socket is reset.
    case reset
    /// An error object appears in the stream, which then ends.
    case errorObject(Value)
    /// This text is sent as it is, without framing, and the stream ends.
    case raw(String)
    /// Half an event is sent, and the stream ends properly.
    case malformed
    /// The stream ends properly but without its terminator.
    case unterminated
    /// Nothing more is sent, and the connection stays open.
    case silence
  }

  package enum Chunking: Sendable, Hashable {
    case whole
    /// Every event is a chunk and a packet of its own, as from servers that flush each token.
    case eachEvent
    /// Every byte of the body is a chunk and a packet of its own.
    case everyByte
    /// The body is cut at these offsets.
    case split(at: [Int])
  }

  package enum LineEnding: String, Sendable, Hashable {
    case lf = "\n"
    case crlf = "\r\n"
    case cr = "\r"
  }

  /// Serves only requests for this model.
  package var model: String?
  /// Serves only requests that this accepts.
  package var matches: (@Sendable (ReceivedRequest) -> Bool)?
  /// How many requests it serves; nil for all.
  package var limit: Int?

  package var answer = Answer.echo
  package var reasoning: [String] = []
  /// Anthropic: redacted reasoning comes after the other, in this form.
  package var redactedReasoning: String?
  /// The tool calls of the model, after its text.
  package var toolCalls: [ScriptedCall] = []
  /// In OpenAI's terms; translated for the other formats.
  package var finishReason = "stop"
  package var usage = Usage.reported
  /// OpenAI: usage comes with the finish chunk instead of its own chunk.
  package var usageOnFinish = false
  package var repeatsFinish = false
  /// The counts are sent twice.
  package var repeatsUsage = false
  /// How many input tokens were cached, and how many are stored in the cache; at most all of them.
  /// Only Anthropic reports the latter.
  package var cachedTokens = 0
  /// The window of the model: a longer prompt is refused in the words of the format. Prompts are then counted by
  /// `ReceivedRequest.promptTokens`, and not by words.
  package var window: Int?
  package var cacheWrites = 0

  /// The vector of a text; by default one made from the text's words.
  package var vector: (@Sendable (String) -> [Double])?

  /// Any status but 200 is answered with the error document.
  package var status = 200
  package var headers: [(name: String, value: String)] = []
  /// The exact body of an error, or of an answer to a request for embeddings; by default the
  /// format's own document.
  package var document: [UInt8]?
  package var errorMessage = "scripted error"
  package var errorCode: Value = .null
  /// Gemini says in its error document how long to wait.
  package var retryDelay: Duration?

  /// A request that repeats the `Idempotency-Key` of a completely answered one gets the same answer
  /// and is not billed; with a different body it is refused.
  package var remembersKeys = false

  /// Before the headers.
  package var headersDelay = Duration.zero
  /// Before each token.
  package var tokenDelay = Duration.zero
  /// How the stream breaks, and after how many tokens; events of tool calls count as well.
  package var breaking: (after: Int, Break)?
  /// Closes the connection when the headers would be due.
  package var closesBeforeHeaders = false

  package var chunking = Chunking.whole
  package var lineEnding = LineEnding.lf
  /// Sends a comment line each time after this many tokens.
  package var commentEvery: Int?

  package init(_ answer: Answer = .echo) { self.answer = answer }
}

// MARK: - In a few words

extension Script {
  package static func text(_ text: String) -> Script { Script(.text(text)) }
  package static func tokens(_ tokens: [String]) -> Script { Script(.tokens(tokens)) }
  /// Calls tools and has no text.
  package static func calls(_ calls: [ScriptedCall]) -> Script {
    Script(.tokens([])).with { $0.toolCalls = calls }
  }
  package static func words(_ count: Int) -> Script { Script(.words(count)) }

  package static func error(
    _ status: Int, _ message: String = "scripted error", code: Value = .null,
    headers: [(name: String, value: String)] = []
  ) -> Script {
    Script().with {
      $0.status = status
      $0.errorMessage = message
      $0.errorCode = code
      $0.headers = headers
    }
  }

  package static func tooManyRequests(retryAfter seconds: Int) -> Script {
    .error(
      429, "rate limit reached", code: "rate_limit_exceeded",
      headers: [("retry-after", "\(seconds)")])
  }

  /// An essay for this request; any other script unchanged.
  func fitted(to request: ReceivedRequest) -> Script {
    guard case .essay(let text) = answer else { return self }
    var tokens = Self.split(text)[...]
    // The last matching start in the conversation counts; a question does not start like the essay.
    if let begun = request.messages.last(where: { !$0.isEmpty && text.hasPrefix($0) }) {
      let count = Self.split(begun).count
      tokens = tokens.dropFirst(max(0, count - Self.wordsRepeated))
    }
    return with { script in
      if let cap = request.cap, cap < tokens.count {
        tokens = tokens.prefix(Int(cap))
        script.finishReason = "length"
      }
      script.answer = .tokens(Array(tokens))
    }
  }

  /// The refusal of a prompt that is longer than the window; any other script unchanged.
  func withinWindow(_ request: ReceivedRequest, _ format: WireFormat) -> Script {
    guard let window, status == 200, request.promptTokens > window else { return self }
    let tokens = request.promptTokens
    switch format {
    case .openAI:
      return .error(
        400,
        "This model's maximum context length is \(window) tokens. However, your messages resulted in \(tokens) tokens. Please reduce the length of the messages.",
        code: "context_length_exceeded")
    case .anthropic: return .error(400, "prompt is too long: \(tokens) tokens > \(window) maximum")
    case .gemini:
      return .error(
        400,
        "The input token count (\(tokens)) exceeds the maximum number of tokens allowed (\(window))."
      )
    case .ollama: return .error(400, "the input length exceeds the context length")
    }
  }

  private static let wordsRepeated = 3

  /// The same script with changes.
  package func with(_ change: (inout Script) -> Void) -> Script {
    var script = self
    change(&script)
    return script
  }

  /// Serves one request; the next request gets the next script.
  package func once() -> Script { with { $0.limit = 1 } }
  package func rememberingKeys() -> Script { with { $0.remembersKeys = true } }
  package func `for`(model: String) -> Script { with { $0.model = model } }
  package func broken(after tokens: Int, _ how: Break) -> Script {
    with { $0.breaking = (tokens, how) }
  }

  static func split(_ text: String) -> [String] {
    var tokens: [String] = []
    var current = ""
    for character in text {
      if let last = current.last, last == " ", character != " " {
        tokens.append(current)
        current = ""
      }
      current.append(character)
    }
    if !current.isEmpty { tokens.append(current) }
    return tokens
  }
}

// MARK: - Named by the model

extension Script {
  /// A script encoded in a model's name, so that one server serves every row of a benchmark:
  /// `t100000-d0` is 100,000 tokens without delay; `t100-d20-h50-stamp` is 100 tokens with their
  /// time of sending, 20 ms apart, after headers that take 50 ms; with `-each` every token is sent
  /// separately even without delay.
  package init?(modelName: String) {
    self.init()
    var count: Int?
    var isStamped = false
    for part in modelName.split(separator: "-", omittingEmptySubsequences: false) {
      if part == "stamp" {
        isStamped = true
        continue
      }
      if part == "each" {
        chunking = .eachEvent
        continue
      }
      guard let number = Int(part.dropFirst()), (0...10_000_000).contains(number) else {
        return nil
      }
      switch part.first {
      case "t": count = number
      case "d": tokenDelay = .milliseconds(number)
      case "h": headersDelay = .milliseconds(number)
      case "r": reasoning = (0..<number).map { "thought\($0) " }
      default: return nil
      }
    }
    guard let count else { return nil }
    answer = isStamped ? .stamps(count) : .words(count)
  }
}

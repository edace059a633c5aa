package import RasaCore

/// How the provider treats a request. A value: what is not said is the friendly default.
package struct Script: Sendable {
  package enum Answer: Sendable, Hashable {
    /// `Echo: ` and the last message; valid JSON when the request carries a schema.
    case echo
    /// That many made-up words, one token each; JSON of about that size when the request carries a
    /// schema.
    case words(Int)
    /// That many tokens, each the provider's monotonic clock in nanoseconds when it was sent.
    case stamps(Int)
    /// Exactly these tokens, schema or not.
    case tokens([String])
    /// A long text by a server that keeps to the request's cap: it ends with `length` there. A request
    /// whose conversation has a beginning of the text is answered from there on, with the last few
    /// words of the beginning once more.
    case essay(String)

    /// The text cut after each run of spaces.
    package static func text(_ text: String) -> Answer { .tokens(split(text)) }
  }

  package enum Usage: Sendable, Hashable {
    /// Counted, and sent when the request asks for it or does not stream.
    case reported
    case missing
    /// These numbers, whatever they are.
    case exactly(prompt: Value, completion: Value)

    /// More than anyone can have used.
    package static let absurd = exactly(
      prompt: 1_000_000_000_000_000_000, completion: 1_000_000_000_000_000_000)
  }

  package enum Break: Sendable, Hashable {
    /// The socket is closed in the middle of the body.
    case close
    /// The socket is reset.
    case reset
    /// An error object comes in the stream, which then ends.
    case errorObject(Value)
    /// This text comes as it is, without any framing, and the stream ends.
    case raw(String)
    /// Half an event comes, and the stream ends properly.
    case malformed
    /// The stream ends properly but without what marks its end.
    case unterminated
    /// Nothing more comes, and the connection stays open.
    case silence
  }

  package enum Chunking: Sendable, Hashable {
    case whole
    /// Every event is a chunk and a packet of its own, as servers send that flush each token.
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
  /// How many requests it serves; nil means all.
  package var limit: Int?

  package var answer = Answer.echo
  package var reasoning: [String] = []
  /// Anthropic: reasoning that is kept from the client comes behind the other, in this form.
  package var redactedReasoning: String?
  /// What the model asks to have called, behind its text.
  package var toolCalls: [ScriptedCall] = []
  /// As OpenAI calls it; the other formats' words for it are found.
  package var finishReason = "stop"
  package var usage = Usage.reported
  /// OpenAI: usage comes with the finish chunk and not in a chunk of its own.
  package var usageOnFinish = false
  package var repeatsFinish = false
  /// The counts come twice.
  package var repeatsUsage = false
  /// How many tokens of the input were known already, and how many are kept; no more than it has.
  /// Only Anthropic tells of the latter.
  package var cachedTokens = 0
  package var cacheWrites = 0

  /// The vector of a text; nil makes one of the text's words.
  package var vector: (@Sendable (String) -> [Double])?

  /// Anything but 200 answers with the error document.
  package var status = 200
  package var headers: [(name: String, value: String)] = []
  /// What an error, or a request for vectors, is answered with, exactly; nil makes the format's own
  /// document.
  package var document: [UInt8]?
  package var errorMessage = "scripted error"
  package var errorCode: Value = .null
  /// Gemini says in its error document how long to wait.
  package var retryDelay: Duration?

  /// A request that comes again with the `Idempotency-Key` of one that was answered completely gets
  /// the same answer and is not billed; with another body it is refused.
  package var remembersKeys = false

  /// Before the headers are sent.
  package var headersDelay = Duration.zero
  /// Before each token.
  package var tokenDelay = Duration.zero
  /// How the stream breaks, and after how many tokens; the events of tool calls are some too.
  package var breaking: (after: Int, Break)?
  /// Closes the connection when the headers would be due.
  package var closesBeforeHeaders = false

  package var chunking = Chunking.whole
  package var lineEnding = LineEnding.lf
  /// A comment line comes before every so many tokens.
  package var commentEvery: Int?

  package init(_ answer: Answer = .echo) { self.answer = answer }
}

// MARK: - In a few words

extension Script {
  package static func text(_ text: String) -> Script { Script(.text(text)) }
  package static func tokens(_ tokens: [String]) -> Script { Script(.tokens(tokens)) }
  /// Asks for tools and says nothing else.
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

  /// What an essay comes to for this request; any other script as it is.
  func fitted(to request: ReceivedRequest) -> Script {
    guard case .essay(let text) = answer else { return self }
    var tokens = Self.split(text)[...]
    // The last beginning in the conversation counts; a question does not begin as the essay does.
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

  private static let wordsRepeated = 3

  /// The same script with changes.
  package func with(_ change: (inout Script) -> Void) -> Script {
    var script = self
    change(&script)
    return script
  }

  /// Serves one request; the next script is for the next.
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
  /// A script told by a model's name, so that one server serves every row of a benchmark:
  /// `t100000-d0` is 100,000 tokens without delay; `t100-d20-h50-stamp` is 100 tokens that carry
  /// their time of sending, 20 ms apart, after headers that take 50 ms; with `-each` every token is
  /// sent by itself also without delay.
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

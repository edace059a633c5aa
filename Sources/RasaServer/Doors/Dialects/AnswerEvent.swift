import RasaCore
import RasaKit

/// A part of an answer on its way to a client.
enum AnswerEvent: Sendable, Hashable {
  case text(String)
  /// What the model thinks first; no part of the answer.
  case reasoning(String)
  /// A call, once it is complete.
  case toolCall(Rasa.Completion.ToolCall)
}

/// What is known of an answer before its first part.
struct AnswerHead: Sendable, Hashable {
  /// Without the prefix of a protocol.
  var id: String
  /// The model that answers.
  var model: String
  /// When it began.
  var time: Timestamp
}

/// How an answer ended.
struct AnswerEnd: Sendable, Hashable {
  /// `stop`, `length`, `tool_calls`, `cut_off`, `refused`, `filtered`.
  var finish = "stop"
  /// The model that answered, where it is known only now.
  var model: String?
  var inputTokens = 0
  /// Those of them that the provider had cached.
  var cachedTokens = 0
  var outputTokens = 0
  var reasoningTokens = 0
  /// What no protocol has a member for: the run, what it cost, who answered instead of whom.
  var facts = ValueObject()

  /// Whether its end is missing.
  var isCut: Bool { finish == "length" || finish == "cut_off" }
  var isFiltered: Bool { finish == "refused" || finish == "filtered" }
}

/// Writes an answer in a client's own words: bytes of a stream piece by piece, or one document.
///
/// A value without input or output. What `write` and `end` return goes out in this order; after `fail` nothing does.
protocol AnswerWriter: Sendable {
  static var contentType: String { get }
  mutating func begin(_ head: AnswerHead) -> String
  mutating func write(_ event: AnswerEvent) -> String
  mutating func end(_ end: AnswerEnd) -> String
  /// What a client takes for a failure, also after a part of the answer.
  mutating func fail(_ problem: ServerProblem) -> String
  /// What a client reads and leaves out, while nothing comes.
  func heartbeat() -> String
  /// The whole answer as one document.
  func document(_ head: AnswerHead, _ answer: WholeAnswer) -> Value
}

/// An answer that is not streamed.
struct WholeAnswer: Sendable, Hashable {
  var text = ""
  var reasoning = ""
  var toolCalls: [Rasa.Completion.ToolCall] = []
  var end = AnswerEnd()

  mutating func take(_ event: AnswerEvent) {
    switch event {
    case .text(let piece): text += piece
    case .reasoning(let piece): reasoning += piece
    case .toolCall(let call): toolCalls.append(call)
    }
  }
}

/// An event of a stream of server-sent events.
func serverSentEvent(_ data: Value, named name: String? = nil) -> String {
  // The document is one line: JSON escapes line ends.
  let line = "data: \(data.json(.compact))\n\n"
  return name.map { "event: \($0)\n\(line)" } ?? line
}

extension Rasa.Completion.ToolCall {
  /// The arguments as an object, for protocols that have no text there. What a model wrote wrongly stays a text.
  var argumentsValue: Value {
    (try? Rasa.JSON(parsing: arguments))?.value ?? .string(arguments)
  }
}

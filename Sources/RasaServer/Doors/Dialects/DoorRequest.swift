import RasaCore
import RasaKit

/// What a client asks, whichever protocol it speaks.
struct DoorRequest: Sendable, Hashable {
  var completion: Rasa.Completion
  /// Whether the answer is sent while it is made.
  var isStreamed = false
  /// Whether a stream ends with the tokens that were used: Chat Completions asks for that.
  var includesUsage = false
  /// Whether what a model thinks is sent.
  var wantsReasoning = true
  /// The conversation of rasa's that it belongs to.
  var session: String?
  /// The answer of which it is the continuation: Responses.
  var previous: String?
  /// Whether the answer can be continued by its id: Responses.
  var isStored = false
  /// Members that have no counterpart elsewhere and only change how an answer is made, not what it has to be.
  var ignored: [String] = []
  /// What the answer repeats of the request: Responses.
  var repeated = ValueObject()

  /// The results of tools with which the request ends: the client has done what it was asked for.
  var results: [Rasa.Completion.Message] {
    let messages = completion.messages
    let end = messages.lastIndex { $0.role != .tool && $0.role != .system }
    return (end.map { messages[messages.index(after: $0)...] } ?? messages[...])
      .filter { $0.role == .tool }
  }

  /// Keeps the names of those members that are there.
  mutating func ignore(_ names: [String], of body: Member) {
    ignored += names.filter { body[$0].isThere }
  }
}

extension Rasa.Completion {
  /// Appends what an assistant said or wants called: items of one turn become one message.
  mutating func appendTurn(_ text: String, _ calls: [ToolCall] = []) {
    if let last = messages.indices.last, messages[last].role == .assistant {
      if !messages[last].text.isEmpty, !text.isEmpty { messages[last].text += "\n\n" }
      messages[last].text += text
      messages[last].toolCalls += calls
    } else {
      var message = Message(.assistant, text)
      message.toolCalls = calls
      messages.append(message)
    }
  }

  /// Every result has to answer a call, and what is there has to be asked of somebody.
  func checkConversation(at path: String) throws(ServerProblem) {
    var called: Set<String> = []
    for message in messages {
      called.formUnion(message.toolCalls.map(\.id))
      guard message.role == .tool, let id = message.answers, !called.contains(id) else { continue }
      throw Member(.null, path).problem(
        "has a result for the call \(quoted(id)), which nobody has made",
        suggestion: "send the assistant's message with that call before its result")
    }
    guard messages.contains(where: { $0.role != .system }) else {
      throw Member(.null, path).problem("has nothing that could be answered")
    }
  }
}

extension Rasa.Effort {
  /// The words of all protocols; nil for one that leaves it to the model.
  init?(asked member: Member) throws(ServerProblem) {
    guard member.isThere else { return nil }
    switch try member.text() {
    case "none", "minimal", "low": self = .low
    case "medium": self = .medium
    case "high", "xhigh", "max": self = .high
    case "auto": return nil
    default:
      throw member.problem(
        "is \(member.value.json())", suggestion: "give `low`, `medium` or `high`")
    }
  }
}

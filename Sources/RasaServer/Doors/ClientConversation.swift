import RasaCore
import RasaKit

/// The messages of a client as a run takes them: what is asked now, what was said before, and what the client's program
/// wants besides.
struct ClientConversation: Sendable, Hashable {
  var instructions: String
  var turns: [Rasa.GivenTurn] = []
  var input: String
  var attachments: [Rasa.Attachment]

  init(_ messages: [Rasa.Completion.Message]) throws(ServerProblem) {
    instructions = messages.filter { $0.role == .system }.map(\.text).joined(separator: "\n\n")
    let said = messages.filter { $0.role != .system }
    guard let last = said.lastIndex(where: { $0.role == .user }) else {
      throw Member(.null, "messages").problem("has no message of the user")
    }
    // Some clients send what belongs together as several messages.
    let first =
      said[..<last].lastIndex { $0.role != .user }.map { said.index(after: $0) }
      ?? said.startIndex
    let asked = said[first...last]
    input = asked.map(\.text).filter { !$0.isEmpty }.joined(separator: "\n\n")
    attachments = asked.flatMap(\.attachments)
    if input.isEmpty, !attachments.isEmpty { input = "See the attachment." }
    // Calls behind the last question, with their results: their run is gone, so that the answer begins again with them.
    let work = Self.text(of: said[said.index(after: last)...])
    if !work.isEmpty { input += "\n\n" + work }
    turns = Self.turns(said[..<first])
  }

  private static func turns(_ messages: ArraySlice<Rasa.Completion.Message>) -> [Rasa.GivenTurn] {
    var turns: [Rasa.GivenTurn] = []
    var rest = messages[...]
    while !rest.isEmpty {
      let questions = rest.prefix { $0.role == .user }
      rest = rest.dropFirst(questions.count)
      let answers = rest.prefix { $0.role != .user }
      rest = rest.dropFirst(answers.count)
      let files = questions.flatMap(\.attachments).map { "(attached: \($0.mediaType))" }
      let input = questions.map(\.text).filter { !$0.isEmpty } + files
      turns.append(
        Rasa.GivenTurn(input: input.joined(separator: "\n\n"), output: text(of: answers)))
    }
    return turns
  }

  /// What was said and done in answer to a question.
  private static func text(of messages: ArraySlice<Rasa.Completion.Message>) -> String {
    var names: [String: String] = [:]
    var texts: [String] = []
    for message in messages {
      for call in message.toolCalls { names[call.id] = "`\(call.name)` with \(call.arguments)" }
      if message.role == .tool {
        let call = message.answers.flatMap { names[$0] } ?? "a tool"
        texts.append(
          "(\(call) \(message.isError ? "failed" : "returned"): \(message.text))")
      } else if !message.text.isEmpty {
        texts.append(message.text)
      }
    }
    return texts.joined(separator: "\n\n")
  }
}

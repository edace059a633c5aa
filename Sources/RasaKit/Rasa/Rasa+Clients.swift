import RasaCore
import RasaEngine
import RasaPersona

// Programs in between: what they know of a conversation, and the tools that they use themselves.

extension Rasa {
  /// A question that was answered before, as a caller knows it.
  public struct GivenTurn: Sendable, Hashable {
    /// What was asked.
    public var input: String
    /// What was answered.
    public var output: String

    /// A turn.
    public init(input: String, output: String) {
      self.input = input
      self.output = output
    }
  }
}

extension Rasa.Approval {
  /// The call that the client of the run has to make; nil for a question to a person. The id of the call is that of the
  /// question.
  public var clientCall: Rasa.Completion.ToolCall? {
    guard let tool = askingTool, let arguments = question.payload.object?["call"] else {
      return nil
    }
    return Rasa.Completion.ToolCall(
      id: id, name: tool, arguments: arguments.json(.compact, escaping: .onlyNeeded))
  }

  /// The answer to a question that is a call for the client.
  ///
  /// - Parameters:
  ///   - text: What the tool returned.
  ///   - isError: Whether it failed.
  public static func result(_ text: String, isError: Bool = false) -> Rasa.Decision {
    let answer: Value = ["result": .string(text), "is_error": .bool(isError)]
    return .answer(answer.json(.compact))
  }
}

extension Rasa {
  /// The client that a run was asked for by, as `RunOptions.client` named it; nil for none.
  ///
  /// - Parameter id: The run.
  public func client(ofRun id: String) async throws(RasaError) -> String? {
    try await redacted {
      let run = try await archive.find(id).id
      let first = try await store.entries(of: run).first { $0.kind == "run.started" }
      return first?.body["options"]["client"].string
    }
  }
}

extension Rasa.RunOptions {
  /// What a run of that graph finds in its context of what the caller gives.
  func givenContext(for graph: Graph) throws(RasaError) -> ValueObject {
    var context = ValueObject()
    if !conversation.isEmpty {
      guard session == nil else {
        throw RasaError(
          .usage, "a run of a session has that session's conversation, and no other one",
          suggestion: "leave out `session` or `conversation`")
      }
      if graph.frames.contains(where: { $0.kind == .session }) {
        context["session"] = .array(
          conversation.map { ["input": .string($0.input), "output": .string($0.output)] })
      }
    }
    if instructions.utf8.contains(where: { $0 > 0x20 }) {
      context["client"] = .string(instructions)
    }
    if !clientTools.isEmpty, !graph.hasAnsweringModel {
      throw RasaError(
        .usage,
        "no model writes the answer of \(quoted(graph.persona.name)), so that none can call tools",
        suggestion: "ask without tools")
    }
    return context
  }
}

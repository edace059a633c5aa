import RasaCore
import RasaPersona

/// A tool of the program that asked for the run: that program uses it. The call is a question that its next request
/// answers, so the run waits as for a person, also over a restart.
struct ClientTool: Tool {
  let description: ToolDescription

  private static let entry = "result"

  /// The form of the answer.
  private static let form: Value = [
    "type": "object",
    "properties": [
      "result": ["type": "string", "description": "What the tool returned."],
      "is_error": ["type": "boolean", "description": "Whether it failed."],
    ], "required": ["result"],
  ]

  func perform(_ use: ToolUse, _ context: ToolContext) -> ToolOutcome {
    guard let responses = use.responses else {
      return .inputRequired(
        ToolInputRequest(
          entries: [
            ToolInputRequest.Entry(
              name: Self.entry,
              question: ToolQuestion(
                message: "the client has to use it, and give back the result", schema: Self.form,
                call: use.arguments))
          ], state: .null))
    }
    let response = responses[Self.entry]
    guard response["action"] == "accept" else {
      return .result(
        ToolResult([.text("The client did not use it.")], isError: true))
    }
    let content = response["content"]
    return .result(
      ToolResult(
        [.text(content["result"].promptText)], isError: content["is_error"].bool == true))
  }
}

extension RunStart {
  package static let clientToolsOption = "client_tools"

  /// What the program that asked for the run can do by itself.
  var clientTools: [ToolDescription] {
    (options[Self.clientToolsOption]?.array ?? []).compactMap { ToolDescription($0) }
  }
}

extension Graph {
  /// Whether an operator writes what becomes the output, by asking a model.
  func isAnswering(_ node: Int) -> Bool {
    nodes[node].definition.kind == .llm
      && nodes[node].writes.contains { write in
        write == .output || outputParts.contains { $0.from.overlaps(write) }
      }
  }

  /// Whether a model writes the answer, so that it can call a client's tools.
  package var hasAnsweringModel: Bool { nodes.indices.contains(where: isAnswering) }
}

extension OperatorProcedure {
  /// The tools of the client, for an operator that answers: those that work inside another know no client.
  func clientTools(of invocation: Invocation) -> [ToolDescription] {
    delegation == nil && graph.isAnswering(invocation.node) ? start.clientTools : []
  }

  /// What the client wants of the answer.
  func clientWishes(of invocation: Invocation) -> String? {
    guard delegation == nil, graph.isAnswering(invocation.node) else { return nil }
    return invocation.view[.client].string
  }
}

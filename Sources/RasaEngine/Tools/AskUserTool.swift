import RasaCore
import RasaDocuments
import RasaPersona

/// Lets a model ask the user something while it works: offered where an operator says `may_ask: true`.
package struct AskUserTool: Tool {
  package static let name = "ask_user"

  package let description = ToolDescription(
    name: AskUserTool.name,
    text: "Asks the user a question and returns the answer. Use it only for what you cannot find "
      + "out and cannot do without. Nobody may be there to answer.",
    parameters: [
      "type": "object",
      "properties": [
        "question": ["type": "string", "description": "The question, in the user's language."],
        "schema": [
          "type": "object",
          "description": "JSON Schema of the answer, an object with simple members; else a text.",
        ],
      ],
      "required": ["question"], "additionalProperties": false,
    ],
    sideEffects: .none, dataFlow: [], origin: .builtIn)

  /// The form of an answer of which the model does not say anything.
  private static let text: Value = [
    "type": "object", "properties": ["answer": ["type": "string"]], "required": ["answer"],
  ]

  package init() {}

  package func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    guard let question = use.arguments["question"].string,
      question.utf8.contains(where: { $0 > 0x20 })
    else { return failed("`question` is empty: write what you want to know") }
    let schema = use.arguments["schema"]
    if !schema.isNull {
      do { _ = try Schema.compile(schema) } catch {
        return failed("`schema` is no JSON Schema: \(error.message)")
      }
      guard schema["properties"].object?.isEmpty == false else {
        return failed("`schema` must have `properties`")
      }
    }
    let form = schema.isNull ? Self.text : schema
    guard let answer = try await context.ask(ToolQuestion(message: question, schema: form)) else {
      return .result(
        ToolResult([.text("Nobody answered. Go on without it, and say what you assumed.")]))
    }
    guard answer.decision == .answer else {
      let text = answer.text.promptText
      return .result(
        ToolResult([.text("The user did not answer" + (text.isEmpty ? "." : ": \(text)"))]))
    }
    return .result(
      schema.isNull
        ? ToolResult([.text(answer.text["answer"].promptText)])
        : ToolResult(structured: answer.text))
  }

  private func failed(_ message: String) -> ToolOutcome {
    .result(ToolResult([.text(message)], isError: true))
  }
}

import RasaCore
import RasaDocuments

/// Gemini CLI: `.gemini/commands/**/*.toml`, each a `prompt` with a `description`.
enum GeminiCommand {
  static func agent(_ node: DocumentNode, _ path: AgentPath) throws(Failure) -> ForeignAgent {
    guard let prompt = node["prompt"] else {
      throw node.failure("the command has no `prompt`", suggestion: "add `prompt = \"…\"`")
    }
    guard let words = prompt.value.string else {
      throw prompt.failure("`prompt` must be text", suggestion: "quote it")
    }
    var agent = ForeignAgent(.gemini, called: path.stem, at: prompt.location)
    agent.prompt = ForeignTemplate(words).escaped { $0 == "args" ? "input" : nil }
    agent.leaveInsertions(ForeignAgent.shellAndFiles)
    agent.identify()
    agent.describe(node["description"])
    if case .mapping(let entries) = node.content {
      for entry in entries where entry.key != "prompt" && entry.key != "description" {
        agent.leave(entry.key)
      }
    }
    return agent
  }
}

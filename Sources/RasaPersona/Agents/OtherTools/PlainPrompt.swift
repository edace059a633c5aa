import RasaCore
import RasaDocuments

/// Markdown without front matter: a prompt named after its file.
enum PlainPrompt {
  static func agent(_ matter: FrontMatter, _ path: AgentPath) -> ForeignAgent {
    var agent = ForeignAgent(.prompt, matter, path, called: path.stem, rules: [:])
    agent.prompt = ForeignTemplate(agent.prompt).escaped { name in
      Agent.namesOfInput.contains(name.lowercased()) ? name : nil
    }
    agent.identify()
    agent.describe(nil)
    return agent
  }
}

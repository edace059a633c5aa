import RasaCore
import RasaDocuments

/// Markdown without front matter: a prompt named after its file.
enum PlainPrompt {
  static func agent(_ matter: FrontMatter, _ place: AgentPath) -> ForeignAgent {
    var agent = ForeignAgent(.prompt, matter, place, called: place.stem, rules: [:])
    agent.prompt = ForeignTemplate(agent.prompt).escaped { name in
      Agent.namesOfInput.contains(name.lowercased()) ? name : nil
    }
    agent.identify()
    agent.describe(nil)
    return agent
  }
}

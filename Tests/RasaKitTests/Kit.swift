import RasaCore
import RasaKit
import RasaTestKit

/// A home, a project and a provider of its own for one test.
final class Kit: Sendable {
  let folder: ScratchDirectory
  let provider: ScriptedProvider?
  let rasa: Rasa

  /// Without `provider`, the mock answers.
  init(provider scripts: [Script]? = nil, files: [String: String] = [:]) throws {
    folder = ScratchDirectory()
    for (name, text) in files { try folder.write(text, to: name) }
    provider = try scripts.map { scripts throws(Failure) in
      try ScriptedProvider.start(scripts, models: ["gpt-4o-mini"])
    }
    var environment = ["HOME": folder.path, "USER": "ada", "PATH": "/usr/bin:/bin"]
    if let provider {
      environment["OPENAI_BASE_URL"] = provider.openAIBaseURL
      environment["OPENAI_API_KEY"] = "sk-test"
    } else {
      environment["LLM_PROVIDER"] = "mock"
    }
    rasa = try Rasa(
      home: folder.file("home"), project: folder.file("project"), environment: environment)
  }

  /// An agent whose draft a person has to approve.
  static let careful = """
    ---
    name: careful-writer
    description: Writes what a person has to approve.
    recommended_models: {primary: "openai:gpt-4o-mini"}
    quality_gates: [human_approval]
    ---
    You write.
    """

  /// A persona that asks for a city before it answers.
  static let asking = """
    name: asking
    description: Asks first.
    frames: [session_frame]
    operators:
      - name: clarify
        kind: human
        reads: [input]
        writes: {wish: object}
        ask: What do you mean by {{input}}?
        output: {type: object, properties: {city: {type: string}, days: {type: integer}}, required: [city]}
        default: {city: Lisbon}
      - name: respond
        kind: llm
        reads: [input, wish]
        writes: {draft: text}
        prompt: "{{input}}: {{wish}}"

    """

  static let writer: Rasa.Agent = {
    var agent = Rasa.Agent(
      id: "note-writer", name: "Note Writer",
      description: "Writes release notes: what changed, for whom, and why.",
      prompt: "You write notes in {{language}}.")
    agent.capabilities = ["release_notes", "changelog"]
    agent.tags = ["writing"]
    agent.model = "openai:gpt-4o-mini"
    agent.defaults = ["language": "English"]
    return agent
  }()
}

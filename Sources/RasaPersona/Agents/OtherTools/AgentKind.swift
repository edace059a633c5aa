/// The format of an agent's file.
package enum AgentKind: String, Sendable, Hashable, CaseIterable {
  /// Markdown with front matter, or TOML with a prompt.
  case rasa
  case claude
  case claudeCommand = "claude-command"
  case copilot
  case copilotChatMode = "copilot-chatmode"
  case copilotPrompt = "copilot-prompt"
  case opencode
  case opencodeCommand = "opencode-command"
  case gemini
  case fabric
  case goose
  case docker
  /// Markdown without front matter.
  case prompt

  /// The name of one file of this kind.
  package var name: String {
    switch self {
    case .rasa: "rasa agent"
    case .claude: "Claude Code agent"
    case .claudeCommand: "Claude Code command"
    case .copilot: "Copilot agent"
    case .copilotChatMode: "Copilot chat mode"
    case .copilotPrompt: "Copilot prompt"
    case .opencode: "opencode agent"
    case .opencodeCommand: "opencode command"
    case .gemini: "Gemini CLI command"
    case .fabric: "fabric pattern"
    case .goose: "goose recipe"
    case .docker: "Docker Agent file"
    case .prompt: "plain prompt"
    }
  }

  package func counted(_ count: Int) -> String { "\(count) \(name)\(count == 1 ? "" : "s")" }
}

/// A kind of file that is found among agents but is not one.
package enum OtherFile: String, Sendable, Hashable, CaseIterable {
  /// `SKILL.md`, and all files beside it.
  case skill
  case instructions
  case documentation
  case persona
  case `operator`
  case workflow
  case compose
  case settings
  case yaml
  case json
  case toml

  /// A sentence about this many of them, with what to do.
  package func sentence(_ count: Int, in place: String) -> String {
    let isOne = count == 1
    func line(_ one: String, _ many: String, _ rest: String) -> String {
      "\(count) \(isOne ? one : many) in \(place) \(isOne ? "is" : "are") \(rest)"
    }
    switch self {
    case .skill:
      return
        "\(count) \(isOne ? "skill" : "skills") in \(place) (SKILL.md and the files beside it) "
        + "\(isOne ? "comes" : "come") with tools and \(isOne ? "is not an agent" : "are not agents")"
    case .instructions:
      return line(
        "Markdown file", "Markdown files",
        "instructions for a repository, not \(isOne ? "an agent" : "agents")")
    case .documentation:
      return line(
        "Markdown file", "Markdown files",
        "documentation, judging by the name, not \(isOne ? "an agent" : "agents")")
    case .persona:
      return line("YAML file", "YAML files", "a persona's; personas belong in ./personas")
    case .operator:
      return line("YAML file", "YAML files", "an operator's; operators belong in ./operators")
    case .workflow:
      return line(
        "YAML file", "YAML files",
        isOne ? "a GitHub workflow, not an agent" : "GitHub workflows, not agents")
    case .compose:
      return line(
        "YAML file", "YAML files",
        isOne ? "a Compose file, not an agent" : "Compose files, not agents")
    case .settings:
      return line(
        "TOML file", "TOML files",
        "another program's settings, not \(isOne ? "an agent" : "agents")")
    case .yaml, .json, .toml:
      return line(
        "\(rawValue.uppercased()) file", "\(rawValue.uppercased()) files",
        "in no format that rasa reads as \(isOne ? "an agent" : "agents")")
    }
  }
}

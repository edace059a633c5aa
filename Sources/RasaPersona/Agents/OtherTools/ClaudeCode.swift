import RasaCore
import RasaDocuments

/// Claude Code: `.claude/agents/**/*.md` and `.claude/commands/**/*.md`.
enum ClaudeCode {
  /// Fields of agents that no other tool has.
  static let distinctiveAgentKeys = [
    "disallowedTools", "permissionMode", "maxTurns", "mcpServers", "initialPrompt", "isolation",
    "background",
  ]
  static let distinctiveCommandKeys = ["allowed-tools", "disable-model-invocation"]

  private static let agentRules: [String: ForeignField] = [
    "name": .ignored, "description": .ignored, "model": .ignored, "effort": .ignored,
    "maxTurns": .ours("max_turns"), "disallowedTools": .unused, "permissionMode": .unused,
    "skills": .unused, "mcpServers": .unused, "hooks": .unused, "memory": .unused,
    "background": .unused, "isolation": .unused, "initialPrompt": .unused, "disabled": .unused,
  ]

  static func agent(_ matter: FrontMatter, _ path: AgentPath) -> ForeignAgent {
    let nameNode = matter.node?["name"]
    let name = nameNode?.value.string?.trimmed.nonEmpty.flatMap {
      AgentID.make(of: $0) == nil ? nil : $0
    }
    var agent = ForeignAgent(
      .claude, matter, path, called: name ?? path.stem, rules: agentRules)
    agent.prompt = ForeignTemplate(agent.prompt).escaped()
    agent.identify(name: name, at: nameNode?.location)
    agent.describe(matter.node?["description"])
    agent.put("model", matter.node?["model"])
    agent.putEffort(matter.node?["effort"])
    return agent
  }

  private static let commandRules: [String: ForeignField] = [
    "name": .ignored, "description": .ignored, "allowed-tools": .ours("tools"),
    "argument-hint": .unused, "disable-model-invocation": .unused, "user-invocable": .unused,
    "context": .unused, "agent": .unused, "hooks": .unused, "category": .unused,
    "tags": .ours("tags"),
  ]

  /// Named after its file. The text after the command is the question.
  static func command(_ matter: FrontMatter, _ path: AgentPath) -> ForeignAgent {
    var agent = ForeignAgent(
      .claudeCommand, matter, path, called: path.name(saying: matter.node?["name"]),
      rules: commandRules)
    agent.takeArguments()
    agent.leaveInsertions(ForeignAgent.shellAndFiles)
    agent.identify()
    agent.describe(matter.node?["description"])
    return agent
  }
}

extension ForeignAgent {
  /// `$ARGUMENTS` is the text after a command; the numbered ones are words of it, which rasa does
  /// not split.
  mutating func takeArguments() {
    prompt = ForeignTemplate(prompt).escaped()
    if let range = prompt.firstRange(ofBytes: "$ARGUMENTS["), range.lowerBound < prompt.endIndex {
      leave("$ARGUMENTS[n]")
    }
    // A numbered part is left as it is.
    let mark = "\u{0}part\u{0}"
    prompt =
      prompt.replacing(bytes: "$ARGUMENTS[", with: mark)
      .replacing(bytes: "${ARGUMENTS}", with: "{{input}}")
      .replacing(bytes: "$ARGUMENTS", with: "{{input}}")
      .replacing(bytes: mark, with: "$ARGUMENTS[")
    if ["$1", "$2", "$3"].contains(where: { prompt.firstRange(ofBytes: $0) != nil }) {
      leave("$1, $2, …")
    }
  }

  /// A reasoning effort, if rasa has the same one.
  mutating func putEffort(_ node: DocumentNode?, named name: String = "effort") {
    guard let node else { return }
    if let word = node.value.string?.lowercased(), ReasoningEffort(rawValue: word) != nil {
      put("reasoning_effort", .string(word), at: node.location)
    } else {
      leave(name)
    }
  }
}

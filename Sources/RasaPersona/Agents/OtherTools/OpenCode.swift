import RasaCore
import RasaDocuments

/// opencode: `.opencode/agent(s)/**/*.md`, `.opencode/command(s)/*.md`, and the agents and commands of
/// an `opencode.json`.
enum OpenCode {
  static let distinctiveKeys = ["permission", "maxSteps", "subtask", "hidden"]

  private static let rules: [String: ForeignField] = [
    "name": .ignored, "description": .ignored, "model": .ignored, "prompt": .ignored,
    "template": .ignored, "mode": .unused, "permission": .unused, "hidden": .unused,
    "disable": .unused, "disabled": .unused, "variant": .unused, "top_p": .unused,
    "options": .unused, "agent": .unused, "subtask": .unused, "temperature": .ours("temperature"),
    "maxSteps": .ours("max_turns"), "steps": .ours("max_turns"), "reasoningEffort": .ignored,
  ]

  static func agent(
    _ matter: FrontMatter, _ path: AgentPath, _ kind: AgentKind, engines: Set<String>
  ) -> ForeignAgent {
    var agent = ForeignAgent(
      kind, matter, path, called: path.name(saying: matter.node?["name"]), rules: rules)
    finish(&agent, matter.node, engines)
    return agent
  }

  private static func finish(
    _ agent: inout ForeignAgent, _ node: DocumentNode?, _ engines: Set<String>
  ) {
    if agent.kind == .opencodeCommand {
      agent.takeArguments()
      agent.leaveInsertions(ForeignAgent.shellAndFiles)
    } else {
      agent.prompt = ForeignTemplate(agent.prompt).escaped()
    }
    agent.identify(name: node?["name"]?.value.string, at: node?["name"]?.location)
    agent.describe(node?["description"])
    if let model = node?["model"], let text = model.value.string {
      agent.put("model", .string(ForeignModel.text(text, engines)), at: model.location)
    }
    agent.putEffort(node?["reasoningEffort"], named: "reasoningEffort")
  }

  // MARK: opencode.json

  static func isConfiguration(_ node: DocumentNode, _ path: AgentPath) -> Bool {
    guard path.ending == .json else { return false }
    let names = sections.map(\.key)
    let hasSection = names.contains { name in
      if case .mapping? = node[name]?.content { true } else { false }
    }
    return hasSection
      && (path.file == "opencode.json"
        || node["$schema"]?.value.string?.hasPrefix("https://opencode") == true)
  }

  private static let sections: [(key: String, kind: AgentKind, text: String)] = [
    ("agent", .opencode, "prompt"), ("agents", .opencode, "prompt"), ("mode", .opencode, "prompt"),
    ("command", .opencodeCommand, "template"), ("commands", .opencodeCommand, "template"),
  ]

  static func agents(
    _ node: DocumentNode, _ path: AgentPath, engines: Set<String>
  ) throws(Failure) -> [ForeignAgent] {
    var agents: [ForeignAgent] = []
    for section in sections {
      guard let node = node[section.key], case .mapping(let entries) = node.content else {
        continue
      }
      for entry in entries {
        // An entry that only changes the permissions of a built-in agent has no prompt.
        guard let text = entry.value[section.text], let words = text.value.string else { continue }
        let matter = FrontMatter(
          node: entry.value, body: words, bodyLocation: text.location)
        var agent = ForeignAgent(section.kind, matter, path, called: entry.key, rules: rules)
        if words.trimmed.hasPrefix("{file:") {
          throw text.failure(
            "the prompt of `\(DocumentReader.printable(entry.key))` is in another file",
            suggestion: "import that file: `rasa import FILE`")
        }
        finish(&agent, entry.value, engines)
        agents.append(agent)
      }
    }
    guard agents.isEmpty else { return agents }
    throw Failure(
      .configuration, "no agent in \(path.path) has a prompt", suggestion: "add `prompt` to one",
      at: path.start)
  }
}

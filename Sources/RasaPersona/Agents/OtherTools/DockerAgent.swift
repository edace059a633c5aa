import RasaCore
import RasaDocuments

/// Docker Agent (cagent): YAML with `agents` by name; users talk to `root`, or to the first one.
enum DockerAgent {
  static func isOne(_ node: DocumentNode) -> Bool {
    members(node).contains { $0.node["instruction"] != nil || $0.node["model"] != nil }
  }

  private struct Member {
    var name: String
    var node: DocumentNode
    var location: SourceLocation
  }

  /// By name; later versions of the format also allow a list.
  private static func members(_ node: DocumentNode) -> [Member] {
    switch node["agents"]?.content {
    case .mapping(let entries):
      entries.map { Member(name: $0.key, node: $0.value, location: $0.keyLocation) }
    case .sequence(let elements):
      elements.compactMap { element in
        guard let name = element["name"]?.value.string else { return nil }
        return Member(name: name, node: element, location: element.location)
      }
    default: []
    }
  }

  static func agents(
    _ node: DocumentNode, _ path: AgentPath, engines: Set<String>
  ) throws(Failure) -> [ForeignAgent] {
    var members = members(node)
    guard !members.isEmpty else {
      throw node.failure("the file has no `agents`", suggestion: "add one, with an `instruction`")
    }
    if let root = members.firstIndex(where: { $0.name == "root" }), root > 0 {
      members.insert(members.remove(at: root), at: 0)
    }
    var agents: [ForeignAgent] = []
    for (index, member) in members.enumerated() {
      guard let instruction = member.node["instruction"], let words = instruction.value.string
      else {
        throw Failure(
          .configuration,
          "the agent `\(DocumentReader.printable(member.name))` has no `instruction`",
          suggestion: "describe its task in `instruction`", at: member.location)
      }
      // The file is the team, and the team is named after its root.
      let called = index == 0 ? path.teamName : "\(path.teamName)-\(member.name)"
      var agent = ForeignAgent(.docker, called: called, at: instruction.location)
      agent.prompt = ForeignTemplate(words).escaped()
      agent.identify()
      agent.describe(member.node["description"])
      takeModel(member.node["model"], node["models"], engines, into: &agent)
      takeTurns(member.node, into: &agent)
      let read: Set = ["name", "instruction", "description", "model", "max_iterations"]
      if case .mapping(let entries) = member.node.content {
        for entry in entries where !read.contains(entry.key) { agent.leave(entry.key) }
      }
      if index == 0, case .mapping(let entries) = node.content {
        let known: Set = ["version", "agents", "models", "metadata"]
        for entry in entries where !known.contains(entry.key) { agent.leave(entry.key) }
        // Users reach them through the first one; `rasa import` writes each of them.
        for other in members.dropFirst() { agent.leave("agents.\(other.name)") }
      }
      agents.append(agent)
    }
    return agents
  }

  private static func takeTurns(_ node: DocumentNode, into agent: inout ForeignAgent) {
    guard let turns = node["max_iterations"], let count = turns.value.int, count > 0 else { return }
    agent.put("max_turns", turns, elseLeaving: "max_iterations")
  }

  private static func takeModel(
    _ node: DocumentNode?, _ models: DocumentNode?, _ engines: Set<String>,
    into agent: inout ForeignAgent
  ) {
    guard let node, let text = node.value.string?.trimmed.nonEmpty else { return }
    // There, several models separated by commas alternate.
    let name = text.splitAtCommas.first ?? text
    guard name != "auto" else { return agent.leave("model: auto") }
    guard let model = models?[name], case .mapping(let entries) = model.content else {
      return agent.put("model", .string(ForeignModel.text(name, engines)), at: node.location)
    }
    for entry in entries {
      switch entry.key {
      case "provider": continue
      case "model":
        guard let text = entry.value.value.string else { continue }
        agent.put(
          "model",
          .string(
            ForeignModel.text(provider: model["provider"]?.value.string, model: text, engines)),
          at: entry.value.location)
      case "temperature": agent.put("temperature", entry.value, elseLeaving: "models.temperature")
      case "thinking_budget": agent.putEffort(entry.value, named: "models.thinking_budget")
      default: agent.leave("models.\(entry.key)")
      }
    }
  }
}

extension AgentPath {
  /// Many files are named `agent.yaml` or `cagent.yaml`.
  fileprivate var teamName: String {
    let isCommon = ["agent", "agents", "cagent", "docker-agent"].contains(stem.lowercased())
    return isCommon ? folder ?? stem : stem
  }
}

import RasaCore
import RasaDocuments

extension AgentReader {
  mutating func loop(_ node: DocumentNode?) -> AgentLayer.Loop? {
    let known = ["steps", "max_iterations", "skip", "when"]
    guard let node, let fields = reader.fields(node, of: "`loop_behavior`", known: known) else {
      return nil
    }
    var loop = AgentLayer.Loop(node: node)
    loop.steps = reader.looseCount(fields["steps"], "steps")
    loop.maxIterations = reader.looseCount(fields["max_iterations"], "max_iterations")
    loop.skip = reader.looseTexts(fields["skip"], "skip")
    loop.when = reader.condition(fields["when"], "when")?.source
    return loop
  }

  /// An agent's id, or `{trigger_agent_id, when}`.
  mutating func trigger(_ node: DocumentNode?) -> AgentLayer.Trigger? {
    guard let node else { return nil }
    if case .scalar = node.content {
      return agentID(node, "trigger_behavior").map { AgentLayer.Trigger(node: node, agent: $0) }
    }
    let known = ["trigger_agent_id", "when"]
    guard let fields = reader.fields(node, of: "`trigger_behavior`", known: known) else {
      return nil
    }
    var trigger = AgentLayer.Trigger(node: fields["trigger_agent_id"] ?? node)
    trigger.agent = agentID(fields["trigger_agent_id"], "trigger_agent_id")
    trigger.when = reader.condition(fields["when"], "when")?.source
    return trigger
  }

  private mutating func agentID(_ node: DocumentNode?, _ what: String) -> String? {
    guard let node, let text = reader.looseText(node, what) else { return nil }
    guard AgentID.isValid(text) else {
      reader.fail(
        node, what, mustBe: "an agent's ID",
        suggestion: AgentID.make(of: text).map { "did you mean `\($0)`?" } ?? "")
      return nil
    }
    return text
  }

  /// What the tools are run in: a word, or a mapping with either of two spellings.
  mutating func sandbox(_ node: DocumentNode?) -> AgentLayer.Sandbox? {
    guard let node else { return nil }
    let types: [String: SandboxType] = ["bwrap": .bubblewrap]
    if case .scalar = node.content {
      let type: SandboxType? = reader.looseChoice(node, "sandbox", also: types)
      return AgentLayer.Sandbox(node: node, type: type)
    }
    let known = ["type", "sandbox_type", "image", "profile", "network", "network_mode"]
    guard let fields = reader.fields(node, of: "`sandbox`", known: known) else { return nil }
    var sandbox = AgentLayer.Sandbox(node: node)
    let type = oneOf("type", "sandbox_type", fields)
    sandbox.type = reader.looseChoice(type.node, type.key, also: types)
    sandbox.image = reader.looseText(fields["image"], "image")?.nonEmpty
    sandbox.profile = reader.looseChoice(
      fields["profile"], "profile", also: ["restricted": .restrictive])
    let network = oneOf("network", "network_mode", fields)
    sandbox.network = reader.looseChoice(
      network.node, network.key, also: ["isolated": .closed, "none": .closed])
    return sandbox
  }

  /// The field under whichever of its two names it has. Two that differ leave open what is meant.
  private mutating func oneOf(
    _ key: String, _ other: String, _ fields: Fields
  ) -> (node: DocumentNode?, key: String) {
    guard let first = fields[key] else { return (fields[other], other) }
    if let second = fields[other], second.value != first.value {
      reader.fail(second, "`\(key)` and `\(other)` mean the same but differ", suggestion: "keep `\(key)`")
    }
    return (first, key)
  }
}

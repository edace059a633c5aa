import RasaCore
import RasaDocuments

/// Reads one of an agent's files. Both forms have the same fields: those below `[agent]` in TOML
/// are at the top level of front matter.
struct AgentReader {
  var reader: DocumentReader
  /// What may come before the colon in `engine:model`.
  let engines: Set<String>

  static let longestDescription = 4_000

  static let keys = [
    "id", "agent_id", "name", "display_name", "description", "prompt_path", "mirror_path",
    "category", "color", "tags", "engine", "model", "reasoning_effort", "recommended_models",
    "performance_profile", "estimated_tokens", "persona", "capabilities", "model_class",
    "cost_tier", "max_concurrent_tasks", "cost_budget", "example_queries", "works_well_with",
    "typical_workflows", "quality_gates", "tools", "constraints", "loop_behavior",
    "trigger_behavior", "sandbox", "defaults", "strict", "any_engine", "limits", "agents",
    "temperature", "max_turns", "maxTurns", "steps", "max_steps", "maxSteps",
    "skills", "context",
  ]

  /// Fields that other tools act on and rasa does not support yet.
  private static let unusedKeys = [
    "tools", "disallowed_tools", "disallowedTools", "allowed-tools", "permission", "permissions",
    "permission_mode", "permissionMode", "mcp_servers", "mcpServers", "mcp-servers", "hooks",
    "memory", "background", "isolation", "mode", "hidden", "handoffs", "target", "infer",
    "top_p", "topP", "argument-hint", "user-invocable", "disable-model-invocation",
  ]

  // MARK: Files

  /// A TOML file, whose fields are below `[agent]`.
  mutating func config(_ root: DocumentNode) -> AgentLayer? {
    guard case .mapping(let entries) = root.content else {
      reader.fail(root, "the agent's file must be a table")
      return nil
    }
    guard let agent = root["agent"] else {
      // Without the heading it is still clear what the fields are.
      if entries.contains(where: { $0.key == "id" || $0.key == "prompt_path" }) {
        reader.warn(
          "the agent's fields have no heading; they are read as if `[agent]` came before "
            + "them", at: root.location)
        return layer(root)
      }
      reader.fail(root, "the file has no `[agent]`", suggestion: "start it with `[agent]`")
      return nil
    }
    guard reader.fields(root, of: "an agent's file", known: ["agent", "persona"]) != nil,
      var layer = layer(agent)
    else { return nil }
    if let persona = root["persona"],
      let entry = entries.first(where: { $0.key == "persona" })
    {
      if agent["persona"] == nil {
        reader.warn("`[persona]` is read as `[agent.persona]`", at: entry.keyLocation)
        readPersona(persona, into: &layer)
      } else {
        reader.warn(
          "`[persona]` is ignored because `[agent.persona]` is there too", at: entry.keyLocation)
      }
    }
    return layer
  }

  mutating func frontMatter(_ node: DocumentNode) -> AgentLayer? {
    guard let layer = layer(node) else { return nil }
    for stated in [layer.promptPath, layer.mirrorPath].compactMap(\.self) {
      reader.warn(
        "a prompt path has no effect here: the prompt is the text below",
        at: stated.node.location)
    }
    return layer
  }

  // MARK: Fields

  private mutating func layer(_ node: DocumentNode) -> AgentLayer? {
    let known = Self.keys + Self.unusedKeys
    guard let fields = reader.fields(node, of: "an agent", known: known) else { return nil }
    var layer = AgentLayer()
    // In files of other programs it is a word that says in which folder an agent keeps notes.
    if let memory = fields["memory"], case .mapping = memory.content {
      layer.memory = reader.memorySettings(memory) ?? MemorySettings()
    }
    let unused = fields.entries.map(\.key).filter {
      Self.unusedKeys.contains($0) && fields[$0]?.isEmpty == false
        && !($0 == "tools" && namesOnlyOwnTools(fields[$0]))
        && !($0 == "memory" && layer.memory != nil)
    }
    if !unused.isEmpty { layer.unused = unused }
    layer.temperature = reader.looseNumber(fields["temperature"], "temperature", in: 0...2)
    for key in ["max_turns", "maxTurns", "max_steps", "maxSteps", "steps"] {
      layer.maxTurns = layer.maxTurns ?? reader.looseCount(fields[key], key)
    }
    layer.id = statedText(fields["id"] == nil ? "agent_id" : "id", fields)
    layer.name = statedText("name", fields)
    layer.displayName = statedText("display_name", fields)
    layer.promptPath = statedText("prompt_path", fields)
    layer.mirrorPath = statedText("mirror_path", fields)
    layer.description = description(fields["description"])
    layer.category = reader.looseText(fields["category"], "category")?.nonEmpty
    layer.color = reader.looseText(fields["color"], "color")?.nonEmpty
    layer.tags = reader.looseTexts(fields["tags"], "tags")
    layer.exampleQueries = reader.looseTexts(
      fields["example_queries"], "example_queries", splitting: .never)
    layer.worksWellWith = reader.looseTexts(fields["works_well_with"], "works_well_with")
    layer.agents = reader.agentList(fields["agents"])
    layer.typicalWorkflows = reader.looseTexts(
      fields["typical_workflows"], "typical_workflows", splitting: .never)
    layer.qualityGates = reader.looseTexts(fields["quality_gates"], "quality_gates")
    layer.tools = tools(fields["tools"])
    layer.skills = skills(fields["skills"])
    layer.seesProject = projectContext(fields["context"])
    layer.constraints = constraints(fields["constraints"]) { $0.value }
    layer.constraintsAsWritten = constraints(fields["constraints"]) { $0.valueAsWritten }
    // Only prompts use them.
    _ = reader.object(fields["defaults"], "defaults")
    layer.defaults = fields["defaults"]?.valueAsWritten.object ?? ValueObject()
    layer.isStrict = reader.looseFlag(fields["strict"], "strict")
    readModels(fields, into: &layer)
    readLimits(fields, into: &layer)
    layer.loop = loop(fields["loop_behavior"])
    layer.trigger = trigger(fields["trigger_behavior"])
    layer.sandbox = sandbox(fields["sandbox"])
    if let persona = fields["persona"] { readPersona(persona, into: &layer) }
    return layer
  }

  private mutating func statedText(_ key: String, _ fields: Fields) -> AgentLayer.StatedText? {
    guard let node = fields[key], let text = reader.looseText(node, key) else { return nil }
    return AgentLayer.StatedText(text: text, node: node)
  }

  private mutating func description(_ node: DocumentNode?) -> String? {
    guard let node, let text = reader.looseText(node, "description") else { return nil }
    let count = text.unicodeScalars.count
    guard count > Self.longestDescription else { return text }
    reader.warn(
      "the description has \(count) characters; only the first \(Self.longestDescription) are used; "
        + "instructions belong in the prompt", at: node.location)
    return String(String.UnicodeScalarView(text.unicodeScalars.prefix(Self.longestDescription)))
  }

  /// Whether every tool in a list is one that rasa can have: of a server, or an agent.
  private func namesOnlyOwnTools(_ node: DocumentNode?) -> Bool {
    guard let node else { return false }
    var reader = DocumentReader(text: reader.text)
    let names = reader.looseTexts(node, "tools", splitting: .silently) ?? []
    return !names.isEmpty
      && names.allSatisfy { name in
        if ToolReference(claudeCode: name) != nil { return true }
        if case .named = ToolReference(name) { return false }
        return true
      }
  }

  /// A list, a text with commas, or, in some tools, a mapping of tools to permissions.
  private mutating func tools(_ node: DocumentNode?) -> [String]? {
    if let node, case .mapping(let entries) = node.content,
      entries.allSatisfy({ $0.value.value.bool != nil })
    {
      return entries.filter { $0.value.value.bool == true }.map(\.key)
    }
    return reader.looseTexts(node, "tools", splitting: .silently)
  }

  /// Other tools name skills in the same way; what cannot be one is told and left out.
  private mutating func skills(_ node: DocumentNode?) -> [String]? {
    guard let node, let names = reader.looseTexts(node, "skills", splitting: .silently) else {
      return nil
    }
    return names.filter { name in
      if Skill.isName(name) { return true }
      reader.warn(
        "`\(DocumentReader.printable(name))` in `skills` cannot be the name of a skill and is ignored",
        at: node.location)
      return false
    }
  }

  /// Skills of other programs have a field `context` of another meaning, which is left alone.
  private func projectContext(_ node: DocumentNode?) -> Bool? {
    node?.value.string == "project" ? true : nil
  }

  /// A mapping; a list of sentences is stored as its `rules`.
  private mutating func constraints(
    _ node: DocumentNode?, _ value: (DocumentNode) -> Value
  ) -> ValueObject {
    if let node, case .mapping = node.content { return value(node).object ?? ValueObject() }
    guard let node, let rules = reader.looseTexts(node, "constraints", splitting: .never) else {
      return ValueObject()
    }
    return ["rules": .array(rules.map { .string($0) })]
  }

  mutating func readLimits(_ fields: Fields, into layer: inout AgentLayer) {
    readClass(fields, into: &layer)
    // A table in TOML limits the agent; a list says what it can do.
    if let node = fields["capabilities"] {
      if case .mapping = node.content {
        let known = ["model_class", "cost_tier", "max_concurrent_tasks"]
        if let limits = reader.fields(node, of: "`capabilities`", known: known) {
          readClass(limits, into: &layer)
        }
      } else {
        layer.capabilities = reader.looseTexts(node, "capabilities")
      }
    }
    let known = ["max_per_execution", "max_daily", "max_monthly", "policy"]
    if let node = fields["cost_budget"],
      let budget = reader.fields(node, of: "`cost_budget`", known: known)
    {
      layer.maxPerExecution = reader.money(budget["max_per_execution"], "max_per_execution")
      layer.maxDaily = reader.money(budget["max_daily"], "max_daily")
      layer.maxMonthly = reader.money(budget["max_monthly"], "max_monthly")
      layer.budgetPolicy = reader.looseChoice(budget["policy"], "policy")
    }
    readRunLimits(fields["limits"], into: &layer)
  }

  private mutating func readRunLimits(_ node: DocumentNode?, into layer: inout AgentLayer) {
    guard let node,
      let limits = reader.fields(
        node, of: "`limits`", known: ["steps", "seconds", "cost", "depth"])
    else { return }
    layer.steps = reader.integer(limits["steps"], "steps", in: 1...1_000_000)
    layer.seconds = reader.number(limits["seconds"], "seconds", in: 0.001...604_800)
    layer.cost = reader.money(limits["cost"], "cost")
    layer.depth = reader.integer(limits["depth"], "depth", in: 1...64)
  }

  private mutating func readClass(_ fields: Fields, into layer: inout AgentLayer) {
    if let word: ModelClass = reader.looseChoice(fields["model_class"], "model_class") {
      layer.modelClass = word
    }
    if let word: CostTier = reader.looseChoice(fields["cost_tier"], "cost_tier") {
      layer.costTier = word
    }
    if let count = reader.looseCount(fields["max_concurrent_tasks"], "max_concurrent_tasks") {
      layer.maxConcurrentTasks = count
    }
  }
}

extension String {
  var nonEmpty: String? { isEmpty ? nil : self }
}

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

  /// An agent's ID, or `{trigger_agent_id, when}`.
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

  private mutating func agentID(_ node: DocumentNode?, _ label: String) -> String? {
    guard let node, let text = reader.looseText(node, label) else { return nil }
    guard AgentID.isValid(text) else {
      reader.fail(
        node, label, mustBe: "an agent's ID",
        suggestion: AgentID.make(of: text).map { "did you mean `\($0)`?" } ?? "")
      return nil
    }
    return text
  }

  /// The environment of the tools: a word, or a mapping with either of two spellings.
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

  /// The field under either of its two names. Different values under both are ambiguous.
  private mutating func oneOf(
    _ key: String, _ other: String, _ fields: Fields
  ) -> (node: DocumentNode?, key: String) {
    guard let first = fields[key] else { return (fields[other], other) }
    if let second = fields[other], second.value != first.value {
      reader.fail(
        second, "`\(key)` and `\(other)` mean the same but differ", suggestion: "keep `\(key)`")
    }
    return (first, key)
  }
}

import RasaCore
import RasaDocuments

extension AgentReader {
  mutating func readModels(_ fields: Fields, into layer: inout AgentLayer) {
    layer.engine = engine(fields["engine"])
    readModel(fields, into: &layer)
    layer.effort = reader.looseChoice(fields["reasoning_effort"], "reasoning_effort")
    readRecommended(fields["recommended_models"], "recommended_models", into: &layer)
    layer.anyEngine = reader.looseFlag(fields["any_engine"], "any_engine") ?? layer.anyEngine
    readProfile(fields["performance_profile"], into: &layer)
    layer.estimatedTokens = reader.looseCount(fields["estimated_tokens"], "estimated_tokens")
  }

  /// `[agent.persona]`, which in TOML contains what front matter has at its top level.
  mutating func readPersona(_ node: DocumentNode, into layer: inout AgentLayer) {
    let known = [
      "models", "performance", "recommended_models", "performance_profile", "capabilities",
      "cost_budget",
    ]
    guard let fields = reader.fields(node, of: "`persona`", known: known) else { return }
    for key in ["models", "recommended_models"] { readRecommended(fields[key], key, into: &layer) }
    if let node = fields["performance"] {
      let known = ["profile", "estimated_tokens"]
      if let performance = reader.fields(node, of: "`performance`", known: known) {
        layer.profile = profile(performance["profile"], "profile")
        if let count = reader.looseCount(performance["estimated_tokens"], "estimated_tokens") {
          layer.estimatedTokens = count
        }
      }
    }
    if fields["performance_profile"] != nil {
      readProfile(fields["performance_profile"], into: &layer)
    }
    readLimits(fields, into: &layer)
  }

  private mutating func engine(_ node: DocumentNode?) -> String? {
    guard let node, let text = reader.looseText(node, "engine") else { return nil }
    let word = text.lowercased()
    // A configured engine with such a name takes precedence.
    let engine = engines.contains(word) ? word : Self.enginesByWord[word] ?? word
    if engine != word {
      reader.warn(
        "`\(DocumentReader.printable(text))` is read as the engine `\(engine)`", at: node.location)
    }
    guard engines.contains(engine) else {
      let suggestion =
        nearestName(to: engine, among: engines.sorted()).map { "did you mean `\($0)`? " } ?? ""
      reader.fail(
        node, "there is no engine `\(DocumentReader.printable(text))`",
        suggestion: suggestion
          + "known engines are \(engines.sorted().joined(separator: ", ")) and those in "
          + "`providers` of a configuration")
      return nil
    }
    return engine
  }

  /// Common names of the engines.
  private static let enginesByWord = [
    "claude": "anthropic", "anthropic-claude": "anthropic", "claude-code": "anthropic",
    "anthropic-api": "anthropic", "gpt": "openai", "chatgpt": "openai", "open-ai": "openai",
    "openai-gpt": "openai", "openai-api": "openai", "codex": "openai", "google-gemini": "gemini",
    "google-ai": "gemini", "gemini-api": "gemini", "google_gemini": "gemini", "local": "ollama",
    "llama": "ollama",
  ]

  /// `inherit` is how other tools say that the agent has no model of its own.
  private mutating func readModel(_ fields: Fields, into layer: inout AgentLayer) {
    guard let node = fields["model"] else { return }
    if case .sequence(let nodes) = node.content { return readModels(nodes, node, into: &layer) }
    if case .scalar = node.content, let text = reader.looseText(node, "model") {
      if Self.isNoModel(text) { return }
    }
    guard let reference = reader.modelChoice(node, "model", engines: engines)?.reference else {
      return
    }
    if let engine = reference.engine, let own = layer.engine, engine != own {
      reader.warn(
        "`engine` is `\(own)`, but `model` names `\(engine)`, which is used", at: node.location)
    }
    layer.engine = reference.engine ?? layer.engine
    layer.model = ModelReference(model: reference.model)
  }

  private static func isNoModel(_ text: String) -> Bool {
    ["", "inherit", "default", "auto"].contains(text.lowercased())
  }

  /// The list means the first available model, so the second is the fallback.
  private mutating func readModels(
    _ nodes: [DocumentNode], _ list: DocumentNode, into layer: inout AgentLayer
  ) {
    let choices = nodes.compactMap { node -> ModelChoice? in
      if let text = node.value.string, Self.isNoModel(text.trimmed) { return nil }
      return reader.modelChoice(node, "model", engines: engines)
    }
    guard let first = choices.first else { return }
    let roles = ["tried first", "the fallback", "the premium one"]
    let read = zip(choices, roles).map { "`\($0.reference)` is \($1)" }.joined(separator: ", ")
    reader.warn(
      "`model` is a list: \(read)"
        + (choices.count > roles.count ? "; the others are ignored" : ""), at: list.location)
    (layer.primary, layer.fallback, layer.premium) = (
      first, choices.dropFirst().first, choices.dropFirst(2).first
    )
  }

  private mutating func readRecommended(
    _ node: DocumentNode?, _ label: String, into layer: inout AgentLayer
  ) {
    guard let node else { return }
    let roles: [(WritableKeyPath<AgentLayer, ModelChoice?>, String)] = [
      (\.primary, "primary"), (\.fallback, "fallback"), (\.premium, "premium"),
    ]
    if case .mapping = node.content {
      guard
        let fields = reader.fields(node, of: "`\(label)`", known: roles.map(\.1) + ["any_engine"])
      else { return }
      layer.anyEngine = reader.looseFlag(fields["any_engine"], "any_engine") ?? layer.anyEngine
      for (role, key) in roles where fields[key] != nil {
        layer[keyPath: role] = reader.modelChoice(fields[key], key, engines: engines)
      }
      return
    }
    // The first one is the primary model, whatever the others are for.
    let nodes = reader.oneOrMore(node)
    for ((role, key), node) in zip(roles, nodes) {
      layer[keyPath: role] = reader.modelChoice(node, key, engines: engines)
    }
    let read = roles.prefix(nodes.count).map { "`\($0.1)`" }.joined(separator: ", ")
    reader.warn(
      "`\(label)` does not say what each model is for; it is read as \(read)"
        + (nodes.count > roles.count ? "; the others are ignored" : ""), at: node.location)
  }

  private mutating func readProfile(_ node: DocumentNode?, into layer: inout AgentLayer) {
    guard let node else { return }
    if case .mapping = node.content {
      (layer.traits, layer.profileOfDepth) = reader.performanceTraits(node)
    } else {
      layer.profileWord = profile(node, "performance_profile")
    }
  }

  /// Common names of the profiles.
  private static let profilesByWord: [String: PerformanceProfile] = [
    "fast": .speed, "quick": .speed, "cheap": .speed, "economy": .speed, "low-latency": .speed,
    "default": .balanced, "normal": .balanced, "standard": .balanced, "medium": .balanced,
    "quality": .thinking, "deep": .thinking, "reasoning": .thinking, "accurate": .thinking,
    "best": .expert, "premium": .expert, "max": .expert,
  ]

  private mutating func profile(_ node: DocumentNode?, _ label: String) -> PerformanceProfile? {
    if let node, let word = node.value.string?.trimmed.lowercased(),
      let profile = Self.profilesByWord[word]
    {
      reader.warn(
        "`\(DocumentReader.printable(word))` is read as the profile `\(profile.rawValue)`",
        at: node.location)
      return profile
    }
    return reader.looseChoice(node, label)
  }
}

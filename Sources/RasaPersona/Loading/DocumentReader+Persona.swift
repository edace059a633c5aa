import RasaCore
import RasaDocuments

extension DocumentReader {
  mutating func object(_ node: DocumentNode?, _ label: String) -> ValueObject {
    _ = entries(node, label, mustBe: "a mapping")
    return node?.value.object ?? ValueObject()
  }

  /// A frame's name, or `{to, when, at_most}`.
  mutating func transition(_ node: DocumentNode) -> Transition? {
    if case .scalar = node.content {
      return name(node, "next").map { Transition(to: $0, location: node.location) }
    }
    guard let fields = fields(node, of: "a transition", known: ["to", "when", "at_most"]) else {
      return nil
    }
    if fields["to"] == nil {
      fail(node, "the transition has no target", suggestion: "add `to: …`, or `to: end`")
    }
    let condition = condition(fields["when"], "when")
    let bound = atMost(fields)
    guard let target = name(fields["to"], "to") else { return nil }
    return Transition(to: target, when: condition, atMost: bound, location: node.location)
  }

  mutating func runLimits(_ node: DocumentNode?) -> RunLimits {
    var limits = RunLimits()
    guard let node,
      let fields = fields(node, of: "`limits`", known: ["steps", "seconds", "cost", "depth"])
    else { return limits }
    if let steps = integer(fields["steps"], "steps", in: 1...1_000_000) { limits.steps = steps }
    if let seconds = number(fields["seconds"], "seconds", in: 0.001...604_800) {
      limits.ownSeconds = seconds
    }
    limits.cost = money(fields["cost"], "cost")
    if let depth = integer(fields["depth"], "depth", in: 1...64) { limits.depth = depth }
    return limits
  }

  mutating func costBudget(_ node: DocumentNode?) -> CostBudget {
    let known = ["max_per_execution", "max_daily", "max_monthly", "policy"]
    guard let node, let fields = fields(node, of: "`cost_budget`", known: known) else {
      return CostBudget()
    }
    return CostBudget(
      maxPerExecution: money(fields["max_per_execution"], "max_per_execution"),
      maxDaily: money(fields["max_daily"], "max_daily"),
      maxMonthly: money(fields["max_monthly"], "max_monthly"),
      policy: choice(fields["policy"], "policy") ?? .reject)
  }

  mutating func recommendedModels(_ node: DocumentNode?) -> RecommendedModels {
    let known = ["primary", "fallback", "premium", "any_engine"]
    guard let node, let fields = fields(node, of: "`recommended_models`", known: known) else {
      return RecommendedModels()
    }
    if fields["primary"] == nil {
      fail(node, "`recommended_models` has no `primary`", suggestion: "name the model to ask first")
    }
    var models = RecommendedModels()
    let primary = modelChoice(fields["primary"], "primary")
    let fallback = modelChoice(fields["fallback"], "fallback")
    let premium = modelChoice(fields["premium"], "premium")
    (models.primary, models.fallback, models.premium) = (
      primary?.reference, fallback?.reference, premium?.reference
    )
    for choice in [premium, fallback, primary] { models.note(choice) }
    models.anyEngine = looseFlag(fields["any_engine"], "any_engine") ?? false
    return models
  }

  mutating func model(
    _ node: DocumentNode?, _ label: String, engines: Set<String> = BuiltInProvider.names
  ) -> ModelReference? {
    modelChoice(node, label, engines: engines)?.reference
  }

  /// `gpt-4o`, `openai:gpt-4o` or `{engine: openai, model: gpt-4o}`; as a mapping, with the
  /// author's notes about the model.
  mutating func modelChoice(
    _ node: DocumentNode?, _ label: String, engines: Set<String> = BuiltInProvider.names
  ) -> ModelChoice? {
    guard let node else { return nil }
    guard case .mapping = node.content else {
      guard let text = text(node, label) else { return nil }
      return reference(text, node, label, engines).map { ModelChoice(reference: $0) }
    }
    let known = ["engine", "model", "priority", "cost_tier"]
    guard let fields = fields(node, of: "a recommended model", known: known) else { return nil }
    if fields["model"] == nil {
      fail(node, "`\(label)` does not name a model", suggestion: "add `model: …`")
    }
    let note = ModelNote(
      priority: looseChoice(fields["priority"], "priority"),
      costTier: looseChoice(fields["cost_tier"], "cost_tier"))
    let engine = text(fields["engine"], "engine")
    // A configuration may define engines of its own, so only likely typos are reported.
    if let engine, let node = fields["engine"], !engines.contains(engine),
      let nearest = nearestName(to: engine, among: engines.sorted())
    {
      warn(
        "`\(engine)` is not a built-in engine; did you mean `\(nearest)`?", at: node.location)
    }
    guard let model = fields["model"], let name = text(model, "model") else { return nil }
    guard let engine else {
      return reference(name, model, "model", engines).map { ModelChoice(reference: $0, note: note) }
    }
    return ModelChoice(reference: ModelReference(engine: engine, model: name), note: note)
  }

  private mutating func reference(
    _ text: String, _ node: DocumentNode, _ label: String, _ engines: Set<String>
  ) -> ModelReference? {
    let reference = ModelReference(text.trimmed, engines: engines)
    if reference.model.isEmpty {
      fail(node, label, mustBe: "a model such as `gpt-4o` or `openai:gpt-4o`")
      return nil
    }
    return reference
  }

  /// A word; or, in older files, a mapping, in which the primary model's priority comes first and
  /// the depth of reasoning second.
  mutating func performanceProfile(
    _ node: DocumentNode?, models: RecommendedModels
  ) -> PerformanceProfile? {
    let priority = models.primary.flatMap { models.notes[$0]?.priority }
    guard let node, case .mapping = node.content else {
      let word: PerformanceProfile? = choice(node, "performance_profile")
      return node == nil ? priority : word
    }
    let traits = performanceTraits(node)
    return priority ?? traits.profile
  }

  /// How an agent works, and the profile derived from its depth of reasoning.
  mutating func performanceTraits(
    _ node: DocumentNode
  ) -> (traits: PerformanceTraits, profile: PerformanceProfile?) {
    var traits = PerformanceTraits()
    let known = ["thinking_depth", "iteration_speed", "context_requirements", "output_volume"]
    guard let fields = fields(node, of: "`performance_profile`", known: known) else {
      return (traits, nil)
    }
    let depth: ThinkingDepth? = looseChoice(fields["thinking_depth"], "thinking_depth")
    traits.thinkingDepth = depth?.amount
    traits.iterationSpeed = looseChoice(
      fields["iteration_speed"], "iteration_speed", also: ["fast": .high, "slow": .low])
    traits.contextRequirements = looseChoice(
      fields["context_requirements"], "context_requirements",
      also: ["low": .minimal, "medium": .moderate, "high": .extensive])
    traits.outputVolume = looseChoice(fields["output_volume"], "output_volume")
    // An agent that is called in quick succession must answer fast, unless more reasoning is
    // wanted.
    return (traits, depth?.profile ?? (traits.iterationSpeed == .high ? .speed : nil))
  }
}

private enum ThinkingDepth: String, CaseIterable {
  case low, medium, high, expert, maximum

  var amount: Amount {
    switch self {
    case .low: .low
    case .medium: .medium
    case .high, .expert, .maximum: .high
    }
  }

  var profile: PerformanceProfile {
    switch self {
    case .low: .speed
    case .medium: .balanced
    case .high: .thinking
    case .expert, .maximum: .expert
    }
  }
}

extension RecommendedModels {
  /// Stores the note about a model, if there is one.
  mutating func note(_ choice: ModelChoice?) {
    guard let choice, choice.note != ModelNote() else { return }
    notes[choice.reference] = choice.note
  }
}

import RasaCore
import RasaDocuments

extension DocumentReader {
  mutating func object(_ node: DocumentNode?, _ what: String) -> ValueObject {
    _ = entries(node, what, mustBe: "a mapping")
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
      fail(node, "the transition does not say where it leads", mend: "add `to: …`, or `to: end`")
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
      limits.seconds = seconds
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
    let known = ["primary", "fallback", "premium"]
    guard let node, let fields = fields(node, of: "`recommended_models`", known: known) else {
      return RecommendedModels()
    }
    if fields["primary"] == nil {
      fail(node, "`recommended_models` has no `primary`", mend: "name the model to ask first")
    }
    return RecommendedModels(
      primary: model(fields["primary"], "primary"), fallback: model(fields["fallback"], "fallback"),
      premium: model(fields["premium"], "premium"))
  }

  /// `gpt-4o`, `openai:gpt-4o` or `{engine: openai, model: gpt-4o}`. A model's own name may hold a
  /// colon (`llama3:8b`), so only a known engine is split off.
  mutating func model(
    _ node: DocumentNode?, _ what: String, engines: Set<String> = BuiltInProvider.names
  ) -> ModelReference? {
    guard let node else { return nil }
    guard case .mapping = node.content else {
      return text(node, what).flatMap { reference($0, node, what, engines) }
    }
    let known = ["engine", "model", "priority", "cost_tier"]
    guard let fields = fields(node, of: "a recommended model", known: known) else { return nil }
    if fields["model"] == nil {
      fail(node, "`\(what)` does not name a model", mend: "add `model: …`")
    }
    let engine = text(fields["engine"], "engine")
    // A configuration may define engines of its own, so only what looks like a slip is told.
    if let engine, let node = fields["engine"], !engines.contains(engine),
      let nearest = nearestName(to: engine, among: engines.sorted())
    {
      warn(
        "`\(engine)` is no engine that is built in; did you mean `\(nearest)`?", at: node.location)
    }
    guard let model = fields["model"], let name = text(model, "model") else { return nil }
    guard let engine else { return reference(name, model, "model", engines) }
    return ModelReference(engine: engine, model: name)
  }

  private mutating func reference(
    _ text: String, _ node: DocumentNode, _ what: String, _ engines: Set<String>
  ) -> ModelReference? {
    var reference = ModelReference(model: text)
    if let colon = text.firstIndex(of: ":"), engines.contains(String(text[..<colon])) {
      reference = ModelReference(
        engine: String(text[..<colon]), model: String(text[text.index(after: colon)...]))
    }
    if reference.model.isEmpty {
      fail(node, what, mustBe: "a model such as `gpt-4o` or `openai:gpt-4o`")
      return nil
    }
    return reference
  }

  /// A word; or a mapping, as older files have it, where the primary model's priority goes first
  /// and the depth of thinking that is asked for second.
  mutating func performanceProfile(
    _ node: DocumentNode?, models: DocumentNode?
  ) -> PerformanceProfile? {
    let priority = models?["primary"]?["priority"]
    guard let node, case .mapping = node.content else {
      let word: PerformanceProfile? = choice(node, "performance_profile")
      return node == nil ? choice(priority, "priority") : word
    }
    let known = ["thinking_depth", "iteration_speed", "context_requirements", "output_volume"]
    guard let fields = fields(node, of: "`performance_profile`", known: known) else { return nil }
    if let profile: PerformanceProfile = choice(priority, "priority") { return profile }
    switch text(fields["thinking_depth"], "thinking_depth") {
    case "low": return .speed
    case "medium": return .balanced
    case "high": return .thinking
    case "expert", "maximum": return .expert
    case nil: return nil
    default:
      if let node = fields["thinking_depth"] {
        fail(node, "thinking_depth", mustBe: Self.spoken(["low", "medium", "high", "expert"]))
      }
      return nil
    }
  }
}

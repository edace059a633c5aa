import RasaCore
import RasaPersona

/// Agents as JSON documents have them.
extension Agent {
  /// What a list says of it.
  var summary: ValueObject {
    [
      "id": .string(id), "name": .string(name), "description": .string(description),
      "category": word(category), "tags": .array(tags.map(Value.string)),
      "capabilities": .array(capabilities.map(Value.string)), "engine": word(engine),
      "model": word(model), "profile": word(profile?.rawValue), "from": .string(files.origin),
      "kind": .string(files.kind.rawValue), "file": word(files.config),
      "prompt": word(files.prompt),
    ]
  }

  /// Everything that its files say, but for the words of its prompt.
  var page: ValueObject {
    var object = summary
    object["color"] = word(color)
    object["effort"] = word(effort?.rawValue)
    object["recommended_models"] = .object(
      ValueObject(roles.map { ($0.role, value(of: $0.model)) }))
    object["model_class"] = word(models.modelClass?.rawValue)
    object["cost_tier"] = word(models.costTier?.rawValue)
    object["performance"] = [
      "thinking_depth": word(traits.thinkingDepth?.rawValue),
      "iteration_speed": word(traits.iterationSpeed?.rawValue),
      "context_requirements": word(traits.contextRequirements?.rawValue),
      "output_volume": word(traits.outputVolume?.rawValue),
      "estimated_tokens": number(estimatedTokens),
    ]
    object["cost_budget"] = [
      "max_per_execution": money(budget.maxPerExecution),
      "max_daily": money(budget.maxDaily), "max_monthly": money(budget.maxMonthly),
      "policy": .string(budget.policy.rawValue),
    ]
    object["max_concurrent_tasks"] = number(maxConcurrentTasks)
    object["limits"] = [
      "steps": number(limits.steps),
      "seconds": limits.seconds.map { .double($0) } ?? .null,
      "cost": money(limits.cost), "depth": number(limits.depth),
    ]
    object["loop_behavior"] =
      loop.map { loop in
        [
          "steps": .int(Int64(loop.steps)), "max_iterations": .int(Int64(loop.maxIterations)),
          "skip": .array(loop.skip.map(Value.string)), "when": word(loop.when),
        ]
      } ?? .null
    object["trigger_behavior"] =
      trigger.map { ["trigger_agent_id": .string($0.agent), "when": word($0.when)] } ?? .null
    object["sandbox"] =
      sandbox.map { sandbox in
        [
          "type": .string(sandbox.type), "image": word(sandbox.image),
          "profile": word(sandbox.profile?.rawValue), "network": word(sandbox.network?.rawValue),
        ]
      } ?? .null
    for (key, texts) in [
      ("tools", tools), ("quality_gates", qualityGates), ("works_well_with", worksWellWith),
      ("typical_workflows", typicalWorkflows), ("example_queries", exampleQueries),
    ] {
      object[key] = .array(texts.map(Value.string))
    }
    return object
  }

  /// What comes after the files that it takes the place of, and after the warnings.
  var pageEnd: ValueObject {
    [
      "unused": .array(unused.map(Value.string)),
      "agents": agents.map { .array($0.patterns.map(Value.string)) } ?? .null,
      "constraints": .object(constraints), "defaults": .object(defaults),
      "strict": .bool(isStrict),
    ]
  }

  private var roles: [(role: String, model: ModelReference)] {
    [("primary", models.primary), ("fallback", models.fallback), ("premium", models.premium)]
      .compactMap { role, model in model.map { (role, $0) } }
  }

  private func value(of model: ModelReference) -> Value {
    let note = models.notes[model]
    return [
      "engine": word(model.engine), "model": .string(model.model),
      "priority": word(note?.priority?.rawValue), "cost_tier": word(note?.costTier?.rawValue),
    ]
  }
}

private func word(_ text: String?) -> Value { text.map { .string($0) } ?? .null }
private func number(_ number: Int?) -> Value { number.map { .int(Int64($0)) } ?? .null }
private func money(_ money: Money?) -> Value { money.map { .string($0.decimalText) } ?? .null }

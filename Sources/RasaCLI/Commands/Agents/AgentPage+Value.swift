import RasaAgents
import RasaCore
import RasaPersona

/// Agents for programs.
extension AgentPage {
  /// Everything that is known, and the prompt's words where they are asked for.
  func value(prompt: String?) -> Value {
    var object = agent.summary.object ?? ValueObject()
    object["color"] = word(agent.color)
    object["effort"] = word(agent.effort?.rawValue)
    object["recommended_models"] = .object(
      ValueObject(agent.models.roles.map { ($0.role, value(of: $0.model)) }))
    object["model_class"] = word(agent.models.modelClass?.rawValue)
    object["cost_tier"] = word(agent.models.costTier?.rawValue)
    object["performance"] = [
      "thinking_depth": word(agent.traits.thinkingDepth?.rawValue),
      "iteration_speed": word(agent.traits.iterationSpeed?.rawValue),
      "context_requirements": word(agent.traits.contextRequirements?.rawValue),
      "output_volume": word(agent.traits.outputVolume?.rawValue),
      "estimated_tokens": number(agent.estimatedTokens),
    ]
    object["cost_budget"] = [
      "max_per_execution": money(agent.budget.maxPerExecution),
      "max_daily": money(agent.budget.maxDaily), "max_monthly": money(agent.budget.maxMonthly),
      "policy": .string(agent.budget.policy.rawValue),
    ]
    object["max_concurrent_tasks"] = number(agent.maxConcurrentTasks)
    object["limits"] = [
      "steps": number(agent.limits.steps),
      "seconds": agent.limits.seconds.map { .double($0) } ?? .null,
      "cost": money(agent.limits.cost), "depth": number(agent.limits.depth),
    ]
    object["loop_behavior"] =
      agent.loop.map { loop in
        [
          "steps": .int(Int64(loop.steps)), "max_iterations": .int(Int64(loop.maxIterations)),
          "skip": .array(loop.skip.map(Value.string)), "when": word(loop.when),
        ]
      } ?? .null
    object["trigger_behavior"] =
      agent.trigger.map { ["trigger_agent_id": .string($0.agent), "when": word($0.when)] } ?? .null
    object["sandbox"] =
      agent.sandbox.map { sandbox in
        [
          "type": .string(sandbox.type), "image": word(sandbox.image),
          "profile": word(sandbox.profile?.rawValue), "network": word(sandbox.network?.rawValue),
        ]
      } ?? .null
    for (key, texts) in [
      ("tools", agent.tools), ("quality_gates", agent.qualityGates),
      ("works_well_with", agent.worksWellWith),
      ("typical_workflows", agent.typicalWorkflows),
      ("example_queries", agent.exampleQueries), ("shadows", shadowed),
      ("warnings", warnings.map(\.description)),
    ] {
      object[key] = .array(texts.map(Value.string))
    }
    object["unused"] = .array(agent.unused.map(Value.string))
    object["agents"] = agent.agents.map { .array($0.patterns.map(Value.string)) } ?? .null
    object["constraints"] = .object(agent.constraints)
    object["defaults"] = .object(agent.defaults)
    object["strict"] = .bool(agent.isStrict)
    object["prompt_bytes"] = number(promptSize)
    if let prompt { object["prompt_text"] = .string(prompt) }
    return .object(object)
  }

  private func value(of model: ModelReference) -> Value {
    let note = agent.models.notes[model]
    return [
      "engine": word(model.engine), "model": .string(model.model),
      "priority": word(note?.priority?.rawValue), "cost_tier": word(note?.costTier?.rawValue),
    ]
  }
}

private func word(_ text: String?) -> Value { text.map { .string($0) } ?? .null }
private func number(_ number: Int?) -> Value { number.map { .int(Int64($0)) } ?? .null }
private func money(_ money: Money?) -> Value { money.map { .string($0.decimalText) } ?? .null }

extension Agent {
  /// What a list says of it.
  var summary: Value {
    [
      "id": .string(id), "name": .string(name), "description": .string(description),
      "category": word(category), "tags": .array(tags.map(Value.string)),
      "capabilities": .array(capabilities.map(Value.string)), "engine": word(engine),
      "model": word(model), "profile": word(profile?.rawValue), "from": .string(files.origin),
      "kind": .string(files.kind.rawValue), "file": word(files.config),
      "prompt": word(files.prompt),
    ]
  }

  /// The model that it would ask first.
  var modelText: String { model ?? models.primary?.model ?? engine ?? "-" }
}

extension AgentMatch {
  /// As `92 % name`; a part of a description says nothing about how much of it is meant.
  var text: String {
    guard closeness > 0 else { return "-" }
    return field == .description && closeness < 0.5
      ? field.rawValue : "\(Int((closeness * 100).rounded())) % \(field.rawValue)"
  }

  var value: Value {
    var object = agent.summary.object ?? ValueObject()
    object["match"] =
      closeness > 0
      ? ["field": .string(field.rawValue), "closeness": .double(closeness)] : .null
    return .object(object)
  }
}

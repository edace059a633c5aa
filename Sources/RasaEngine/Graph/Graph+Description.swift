package import RasaCore
package import RasaPersona

extension Graph {
  /// Everything that decides what a run does, as a value: what `show` prints, and what the digest
  /// that a run is pinned to is made of.
  package var description: Value {
    var description = ownDescription
    if let instructions = persona.instructions {
      description["instructions"] = .string(instructions)
    }
    if let agent = persona.agent { description["agent"] = agent.value }
    if !persona.hooks.isEmpty { description["hooks"] = .array(persona.hooks.map(\.value)) }
    if persona.asksForFeedback { description["feedback"] = "ask" }
    let memory = persona.memory.valueObject
    if !memory.isEmpty { description["memory"] = .object(memory) }
    if !persona.tools.isEmpty {
      description["tools"] = .object(
        ValueObject(
          persona.tools.map { tool in
            var value = tool.shown
            value["digest"] = .string(tool.digest)
            return (tool.name, .object(value))
          }))
    }
    return .object(description)
  }

  private var ownDescription: ValueObject {
    [
      "name": .string(persona.name),
      "description": .string(persona.description),
      "prompt_style": .string(persona.promptStyle),
      "metadata": .object(persona.metadata),
      "models": .object(
        ValueObject(
          [
            ("primary", persona.models.primary), ("fallback", persona.models.fallback),
            ("premium", persona.models.premium),
          ].compactMap { name, model in model.map { (name, .string($0.description)) } })),
      "performance_profile": persona.profile.map { .string($0.rawValue) } ?? .null,
      "limits": .object([
        "steps": .int(Int64(persona.limits.steps)), "seconds": .double(persona.limits.seconds),
        "cost": persona.limits.cost.map { .string($0.decimalText) } ?? .null,
        "depth": .int(Int64(persona.limits.depth)),
      ]),
      "frames": .array(frames.map(describe)),
      "output": .array(
        outputParts.map { part in
          .object([
            "from": .string(part.from.description),
            "heading": part.heading.map { .string($0) } ?? .null,
          ])
        }),
    ]
  }

  private func describe(_ frame: Frame) -> Value {
    .object([
      "name": .string(frame.name), "kind": .string(frame.kind.rawValue),
      "operators": .array(frame.nodes.map { describe(nodes[$0]) }),
      "next": .array(
        frame.transitions.map { edge in
          .object([
            "to": .string(edge.target.map { frames[$0].name } ?? "end"),
            "when": edge.when.map { .string($0.source) } ?? .null,
            "at_most": edge.bound.map { .int(Int64($0.atMost)) } ?? .null,
          ])
        }),
      "parallel": .array(frame.branches.map { .string(frames[$0].name) }),
    ])
  }

  private func describe(_ node: Node) -> Value {
    var object = node.definition.valueObject
    if let substitute = node.substitute { object["substitute"] = .object(substitute.valueObject) }
    for delegate in node.delegates {
      object["runs \(delegate.operatorName)"] = delegate.graph.description
    }
    for delegate in node.toolDelegates {
      object["\(delegate.operatorName) uses \(delegate.description.name)"] =
        delegate.graph.description
    }
    return .object(object)
  }
}

extension HookDefinition {
  fileprivate var value: Value {
    var object: ValueObject = ["point": .string(point.rawValue), "name": .string(name)]
    switch action {
    case .program(let command): object["run"] = .array(command.map(Value.string))
    case .http(let url, _): object["post"] = .string(url)
    }
    if let operatorPattern { object["operator"] = .string(operatorPattern) }
    if let toolPattern { object["tool"] = .string(toolPattern) }
    if !allowsPrivate.isEmpty {
      object["allow_private"] = .array(allowsPrivate.map(Value.string))
    }
    object["timeout"] = .double(timeout)
    object["on_failure"] = .string(onFailure.rawValue)
    return .object(object)
  }
}

extension OperatorDefinition {
  /// The definition in the words of its file.
  package var valueObject: ValueObject {
    var object = ValueObject()
    object["name"] = .string(name)
    object["kind"] = .string(kind.rawValue)
    if let frame { object["frame"] = .string(frame) }
    if !description.isEmpty { object["description"] = .string(description) }
    object["reads"] = .array(
      reads.map { .string(optionalReads.contains($0) ? "\($0)?" : "\($0)") })
    object["writes"] = .object(
      ValueObject(writes.map { ($0.key, .string($0.type.rawValue)) }))
    if let profile { object["profile"] = .string(profile.rawValue) }
    if let maxTokens { object["max_tokens"] = .int(Int64(maxTokens)) }
    if let temperature { object["temperature"] = .double(temperature) }
    if let effort { object["reasoning_effort"] = .string(effort.rawValue) }
    if let prompt { object["prompt"] = .string(prompt.source) }
    if let ask { object["ask"] = .string(ask.source) }
    if let standardAnswer { object["default"] = standardAnswer }
    if !defaults.isEmpty { object["defaults"] = .object(defaults) }
    if isStrict { object["strict"] = true }
    if !sections.isEmpty { object["sections"] = .array(sections.map { .string("\($0)") }) }
    if let output { object["output"] = output }
    if let skills, !skills.isEmpty { object["skills"] = .array(skills.map(Value.string)) }
    if seesProject == true { object["context"] = "project" }
    if !then.isEmpty { object["then"] = .array(then.map(\.value)) }
    switch review {
    case .never: break
    case .always: object["review"] = "always"
    case .when(let condition): object["review"] = ["when": .string(condition.source)]
    }
    if onError != ErrorPolicy() { object["on_error"] = onError.value }
    if let timeout { object["timeout"] = .double(timeout) }
    if uncertain != .retry || (saysUncertain && !tools.isEmpty) {
      object["uncertain"] = .string(uncertain.rawValue)
    }
    if !rules.isEmpty { object["rules"] = .array(rules.map(\.value)) }
    if let compose {
      object["compose"] = [
        "key": .string(compose.key),
        "parts": .array(
          compose.parts.map { part in
            var value: ValueObject = ["from": .string(part.from.description)]
            if let heading = part.heading { value["heading"] = .string(heading) }
            return .object(value)
          }),
      ]
    }
    if let memory { object["memory"] = .string(memory.rawValue) }
    if !tools.isEmpty { object["tools"] = .array(tools.map { .string($0) }) }
    if !arguments.isEmpty { object["arguments"] = .object(arguments.source) }
    if toolLimits != ToolLimits() {
      object["tool_limits"] = [
        "rounds": .int(Int64(toolLimits.rounds)), "calls": .int(Int64(toolLimits.calls)),
        "bytes": .int(Int64(toolLimits.bytes)), "result": .int(Int64(toolLimits.result)),
        "definitions": .int(Int64(toolLimits.mostDefinitions())),
      ]
    }
    if let agent { object["agent"] = .string(agent) }
    return object
  }
}

extension AgentRules {
  fileprivate var value: Value {
    var object = ValueObject()
    if let maxConcurrentTasks { object["max_concurrent_tasks"] = .int(Int64(maxConcurrentTasks)) }
    if let sandbox {
      object["sandbox"] = [
        "type": .string(sandbox.type), "image": sandbox.image.map { .string($0) } ?? .null,
        "profile": sandbox.profile.map { .string($0.rawValue) } ?? .null,
        "network": sandbox.network.map { .string($0.rawValue) } ?? .null,
      ]
    }
    return .object(object)
  }
}

extension Route {
  fileprivate var value: Value {
    var object = ValueObject()
    if let when { object["when"] = .string(when.source) }
    switch action {
    case .to(let name): object["to"] = .string(name)
    case .review(let subject):
      object["review"] = "human"
      if let subject { object["subject"] = .string(subject) }
    }
    if let atMost { object["at_most"] = .int(Int64(atMost)) }
    if !skip.isEmpty { object["skip"] = .array(skip.map { .string($0) }) }
    return .object(object)
  }
}

extension ErrorPolicy {
  fileprivate var value: Value {
    let otherwise: Value =
      switch self.otherwise {
      case .fail: "fail"
      case .skip: "skip"
      case .run(let name): .string(name)
      }
    return ["retry": .int(Int64(retry)), "else": otherwise]
  }
}

extension Rule {
  fileprivate var value: Value {
    var object = ValueObject()
    if let when { object["when"] = .string(when.source) }
    if !set.isEmpty {
      object["set"] = .object(
        ValueObject(
          set.map { key, value in
            switch value {
            case .literal(let literal): (key, literal)
            case .template(let template): (key, .string(template.source))
            case .path(let path): (key, .string("{{\(path)}}"))
            }
          }))
    }
    if !append.isEmpty {
      object["append"] = .object(ValueObject(append.map { ($0.key, .string($0.text.source)) }))
    }
    if !replace.isEmpty {
      object["replace"] = .array(
        replace.map { ["key": .string($0.key), "from": .string($0.from), "to": .string($0.to)] })
    }
    return .object(object)
  }
}

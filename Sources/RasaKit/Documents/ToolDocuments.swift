package import RasaCore

extension Rasa.ToolSummary {
  /// The tool as `rasa tools list --json` prints it.
  package var document: RasaCore.Value {
    [
      "name": .string(name), "kind": .string(kind), "status": .string("\(status)"),
      "side_effects": sideEffects.map { .string($0) } ?? .null,
      "description": .string(description), "scope": .string(scope),
      "from": .string(origin), "line": line.map { .int(Int64($0)) } ?? .null,
      "tools": toolCount.map { .int(Int64($0)) } ?? .null,
      "shadows": .array(shadows.map { .string($0) }),
    ]
  }
}

extension Rasa.OfferedTool {
  /// What a server offers.
  package var document: RasaCore.Value {
    [
      "name": .string(name), "description": .string(description),
      "side_effects": .string(sideEffects), "parameters": parameters.value,
      "output": output?.value ?? .null, "title": title.map { .string($0) } ?? .null,
      "annotations": annotations?.value ?? .null,
    ]
  }
}

extension Rasa.LeftOutTool {
  /// What is not offered, and why.
  package var document: RasaCore.Value {
    ["name": .string(name), "reason": .string(reason)]
  }
}

extension Rasa.ToolDetails {
  /// The tool as `rasa tools show --json` prints it.
  package var document: RasaCore.Value {
    var document = summary.document.object ?? ValueObject()
    document["declaration"] = declaration.value
    document["access"] = .object(ValueObject(access.map { ($0.label, .string($0.text)) }))
    document["approved_at_ms"] = approvedAt.map { .int($0) } ?? .null
    document["approved_by"] = approvedBy.map { .string($0) } ?? .null
    document["tools"] = .array(tools.map(\.document))
    document["instructions"] = instructions.map { .string($0) } ?? .null
    document["left_out"] = .array(leftOut.map(\.document))
    document["changes"] = .array(changes.map { .string($0) })
    return .object(document)
  }
}

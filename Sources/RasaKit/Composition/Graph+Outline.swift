import RasaCore
import RasaEngine
import RasaPersona

extension Graph {
  /// The persona with its frames, operators and routes, for people.
  var outline: String {
    var lines = ["\(persona.name)  \(persona.description)", ""]
    if let alias = persona.alias { lines.append("alias      \(alias)") }
    lines.append("style      \(persona.promptStyle)")
    for (key, value) in persona.metadataAsWritten {
      lines.append("\(labelled(key)) \(value.string ?? value.json())")
    }
    let models = persona.models
    for (role, model) in [
      ("primary", models.primary), ("fallback", models.fallback), ("premium", models.premium),
    ] {
      if let model { lines.append("\(labelled(role)) \(model)") }
    }
    if frames.contains(where: { $0.kind == .longTerm }) || persona.memory != MemorySettings() {
      lines.append("memory     \(persona.memory.outline)")
    }
    for tool in persona.tools {
      let effects = tool.sideEffects.map { $0 == .none ? "no side effects" : "side effects" }
      lines.append(
        "\(labelled("tool")) \(tool.reference) (\(tool.kindName), \(effects ?? "side effects unknown"))"
      )
    }
    lines.append("")
    for frame in frames {
      lines.append("\(frame.name) (\(frame.kind.rawValue))")
      for index in frame.nodes { lines += outline(of: nodes[index]) }
      for branch in frame.branches { lines.append("  in parallel: \(frames[branch].name)") }
      for edge in frame.transitions {
        let target = edge.target.map { frames[$0].name } ?? "end"
        lines.append("  → \(target)\(condition(edge.when, edge.bound))")
      }
    }
    lines.append("")
    let parts = outputParts.map { "\($0.from)" }.joined(separator: ", then ")
    lines.append("output     \(parts)")
    lines.append(
      "limits     \(persona.limits.steps) steps, \(Int(persona.limits.seconds)) s"
        + (persona.limits.cost.map { ", \($0)" } ?? ""))
    let uses = mostToolUses
    lines.append(
      "at most    \(mostCalls) model calls\(uses > 0 ? " and \(uses) uses of tools" : "") in one run"
    )
    return lines.joined(separator: "\n") + "\n"
  }

  private func outline(of node: Node) -> [String] {
    let definition = node.definition
    let reads = definition.reads.map(\.description).joined(separator: ", ")
    let writes = node.writes.map(\.description).joined(separator: ", ")
    var lines = [
      "  \(definition.name) [\(definition.kind.rawValue)\(node.isLive ? ", streams" : "")]  "
        + "\(reads) → \(writes)"
    ]
    if !definition.tools.isEmpty {
      lines.append("    uses \(definition.tools.joined(separator: ", "))")
    }
    for route in node.routes {
      let target: String
      switch route.action {
      case .node(let index): target = nodes[index].definition.name
      case .frame(let index): target = frames[index].name
      case .end: target = "end"
      case .review(let subject): target = "a person reviews `\(subject)`"
      }
      lines.append("    → \(target)\(condition(route.when, route.bound))")
    }
    return lines
  }

  private func condition(_ when: Guard?, _ bound: Graph.Bound?) -> String {
    (when.map { " when \($0.source)" } ?? "") + (bound.map { ", at most \($0.atMost) times" } ?? "")
  }

  private func labelled(_ text: String) -> String {
    var measure = DisplayMeasure()
    let width = text.unicodeScalars.reduce(0) { $0 + measure.add($1) }
    return text + String(repeating: " ", count: max(1, 10 - width))
  }
}

extension MemorySettings {
  /// What is remembered, for whom and how much of it comes back, in a line.
  fileprivate var outline: String {
    let scopes = MemoryScope.allCases.filter(search.contains).map(\.rawValue)
    var parts = [
      "kept for the \(keep.rawValue), looked for in \(scopes.joined(separator: ", "))",
      "at most \(recall.items) items and \(recall.tokens) tokens",
    ]
    if let extract {
      parts.append(
        "facts by \(extract.model?.description ?? "the persona's models") up to \(extract.maxCost)")
    }
    if let embeddings { parts.append("vectors by \(embeddings)") }
    for kind in expires.keys.sorted() {
      let days = expires[kind] ?? 0
      parts.append("\(kind) for \(Int64(exactly: days).map(String.init) ?? "\(days)") days")
    }
    if let summary {
      parts.append(
        "summaries by \(summary.model?.description ?? "the persona's models") up to \(summary.maxCost)"
      )
    }
    return parts.joined(separator: "; ")
  }
}

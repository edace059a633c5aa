import RasaCore
import RasaEngine
import RasaKit
import RasaPersona
import RasaSystem
import RasaTerminal

/// `rasa personas …` and `rasa operators …`.
struct LibraryCommands {
  let house: CompositionRoot
  let print: Printer

  // MARK: Lists

  func listPersonas() throws {
    let library = house.library
    for warning in library.misnamedFiles { house.warn(warning) }
    let shared = try library.sharedNames(besideAgents: false)
    for (_, warnings) in shared.sorted(by: { $0.key < $1.key }) {
      for warning in warnings { house.warn(warning) }
    }
    let listing = Table(
      columns: ["PERSONA", "FROM", "DESCRIPTION"],
      rows: try library.personas().map { entry in
        [
          entry.name, origin(entry),
          (try? library.persona(named: entry.name))?.description
            ?? "(broken: see `rasa personas validate \(entry.name)`)",
        ]
      },
      values: try library.personas().map { entry in
        let persona = try? library.persona(named: entry.name)
        return [
          "name": .string(entry.name), "from": .string(entry.origin),
          "alias": persona?.alias.map { .string($0) } ?? .null,
          "description": .string(persona?.description ?? ""), "valid": .bool(persona != nil),
          "shadows": .array(entry.shadows.map { .string($0) }),
        ]
      }, whenEmpty: "no personas; `rasa init` creates one")
    try print(listing)
  }

  func listOperators() throws {
    let library = house.library
    for warning in library.misnamedFiles { house.warn(warning) }
    let entries = try library.operators()
    let found = entries.map { ($0, try? library.operatorDefinition(named: $0.name)) }
    try print(
      Table(
        columns: ["OPERATOR", "KIND", "FRAME", "FROM", "DESCRIPTION"],
        rows: found.map { entry, definition in
          [
            entry.name, definition?.kind.rawValue ?? "?", definition?.frame ?? "-",
            origin(entry),
            definition?.description ?? "(broken: see `rasa operators validate \(entry.name)`)",
          ]
        },
        values: found.map { entry, definition in
          [
            "name": .string(entry.name), "from": .string(entry.origin),
            "kind": definition.map { .string($0.kind.rawValue) } ?? .null,
            "frame": definition?.frame.map { .string($0) } ?? .null,
            "description": .string(definition?.description ?? ""),
            "valid": .bool(definition != nil),
            "shadows": .array(entry.shadows.map { .string($0) }),
          ]
        }))
  }

  private func origin(_ entry: LibraryEntry) -> String {
    entry.shadows.isEmpty
      ? entry.origin : "\(entry.origin) (instead of \(entry.shadows.joined(separator: ", ")))"
  }

  // MARK: One of them

  func showPersona(_ name: String) throws {
    let graph = try house.graph(name)
    if print.isJSON { return try print(graph.description) }
    var lines = ["\(graph.persona.name)  \(graph.persona.description)", ""]
    if let alias = graph.persona.alias { lines.append("alias      \(alias)") }
    lines.append("style      \(graph.persona.promptStyle)")
    for (key, value) in graph.persona.metadataAsWritten {
      lines.append("\(key.padded(to: 10)) \(value.string ?? value.json())")
    }
    let models = graph.persona.models
    for (role, model) in [
      ("primary", models.primary), ("fallback", models.fallback), ("premium", models.premium),
    ] {
      if let model { lines.append("\(role.padded(to: 10)) \(model)") }
    }
    lines.append("")
    for frame in graph.frames {
      lines.append("\(frame.name) (\(frame.kind.rawValue))")
      for index in frame.nodes { lines += describe(graph.nodes[index], in: graph) }
      for branch in frame.branches { lines.append("  in parallel: \(graph.frames[branch].name)") }
      for edge in frame.transitions {
        let target = edge.target.map { graph.frames[$0].name } ?? "end"
        lines.append("  → \(target)\(condition(edge.when, edge.bound))")
      }
    }
    lines.append("")
    let parts = graph.outputParts.map { "\($0.from)" }.joined(separator: ", then ")
    lines.append("output     \(parts)")
    lines.append(
      "limits     \(graph.persona.limits.steps) steps, \(Int(graph.persona.limits.seconds)) s"
        + (graph.persona.limits.cost.map { ", \($0)" } ?? ""))
    lines.append("at most    \(graph.mostCalls) model calls in one run")
    try print(text: lines.joined(separator: "\n") + "\n")
  }

  private func describe(_ node: Graph.Node, in graph: Graph) -> [String] {
    let definition = node.definition
    let reads = definition.reads.map(\.description).joined(separator: ", ")
    let writes = node.writes.map(\.description).joined(separator: ", ")
    var lines = [
      "  \(definition.name) [\(definition.kind.rawValue)\(node.isLive ? ", streams" : "")]  \(reads) → \(writes)"
    ]
    for route in node.routes {
      let target: String
      switch route.action {
      case .node(let index): target = graph.nodes[index].definition.name
      case .frame(let index): target = graph.frames[index].name
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

  func showOperator(_ name: String) throws {
    let definition = try house.library.operatorDefinition(named: name)
    if print.isJSON { return try print(.object(definition.valueObject)) }
    var lines: [String] = []
    for (key, value) in definition.valueObject {
      let text = value.string ?? (key == "prompt" ? "" : value.json(.compact))
      if text.hasByte("\n") {
        lines.append("\(key):")
        lines += text.byteLines.map { "  \($0)" }
      } else {
        lines.append("\((key + ":").padded(to: 13))\(text)")
      }
    }
    try print(text: lines.joined(separator: "\n") + "\n")
  }

  func graph(_ name: String, asDot: Bool) throws {
    let graph = try house.graph(name)
    try print(text: asDot ? graph.dot : graph.mermaid)
  }

  // MARK: Checks

  /// Every problem of every named persona (all of them when none is named), each by itself.
  func validatePersonas(_ names: [String]) throws {
    let library = house.library
    for warning in library.misnamedFiles { house.warn(warning) }
    let names = try names.isEmpty ? library.personas().map(\.name) : names
    let shared = try library.sharedNames()
    try validate(names) { name in
      let findings = house.findings(onPersona: name, shared)
      let note = findings.mostCalls.map { "\($0) model calls at most" } ?? ""
      return (findings.failures, findings.warnings, note)
    }
  }

  func validateOperators(_ names: [String]) throws {
    let library = house.library
    for warning in library.misnamedFiles { house.warn(warning) }
    let names = try names.isEmpty ? library.operators().map(\.name) : names
    try validate(names) { name in
      do throws(Failure) {
        let reading = try library.readOperator(named: name)
        return (reading.failures, reading.warnings, "")
      } catch {
        return (error.separated, [], "")
      }
    }
  }

  private func validate(
    _ names: [String], _ check: (String) -> (failures: [Failure], warnings: [Warning], note: String)
  ) throws {
    var values: [Value] = []
    var lines: [String] = []
    var broken = 0
    for name in names {
      let (failures, warnings, note) = check(name)
      if !failures.isEmpty { broken += 1 }
      lines.append(
        "\(failures.isEmpty ? "ok      " : "broken  ")\(name)\(note.isEmpty ? "" : "  (\(note))")")
      lines += failures.map { $0.description.indented(by: 2) }
      lines += warnings.map { "  warning: \($0)" }
      values.append([
        "name": .string(name), "valid": .bool(failures.isEmpty),
        "failures": .array(failures.map(\.value)), "warnings": .array(warnings.map(\.value)),
      ])
    }
    if print.isJSON {
      try print(.array(values))
    } else {
      try print(text: lines.joined(separator: "\n") + "\n")
    }
    if broken > 0 {
      throw Failure(
        .configuration, "\(broken) of \(names.count) cannot be run",
        suggestion: "fix the problems above and validate again")
    }
  }
}

extension String {
  func padded(to width: Int) -> String {
    let columns = displayWidth(self)
    return self + String(repeating: " ", count: max(1, width - columns))
  }

  func indented(by count: Int) -> String {
    let margin = String(repeating: " ", count: count)
    return byteLines.map { margin + $0 }
      .joined(separator: "\n")
  }
}

import RasaCore
import RasaKit
import RasaTerminal

/// `rasa personas …` and `rasa operators …`.
struct LibraryCommands {
  let rasa: Rasa
  let print: Printer

  // MARK: Lists

  func listPersonas() async throws {
    let personas = try await rasa.personas()
    try print(
      Table(
        columns: ["PERSONA", "FROM", "DESCRIPTION"],
        rows: personas.map { persona in
          [
            persona.name, origin(persona),
            persona.description
              ?? "(broken: see `rasa personas validate \(persona.name)`)",
          ]
        },
        values: personas.map(\.personaDocument), whenEmpty: "no personas; `rasa init` creates one"))
  }

  func listOperators() async throws {
    let operators = try await rasa.operators()
    try print(
      Table(
        columns: ["OPERATOR", "KIND", "FRAME", "FROM", "DESCRIPTION"],
        rows: operators.map { it in
          [
            it.name, it.kind ?? "?", it.frame ?? "-", origin(it),
            it.description ?? "(broken: see `rasa operators validate \(it.name)`)",
          ]
        },
        values: operators.map(\.operatorDocument)))
  }

  private func origin(_ entry: Rasa.DefinitionSummary) -> String {
    entry.shadows.isEmpty
      ? entry.origin : "\(entry.origin) (instead of \(entry.shadows.joined(separator: ", ")))"
  }

  // MARK: One of them

  func showPersona(_ name: String) async throws {
    let persona = try await rasa.details(ofPersona: name)
    if print.isJSON { return try print(persona.json) }
    try print(text: persona.outline)
  }

  func showOperator(_ name: String) async throws {
    let definition = try await rasa.definition(ofOperator: name)
    if print.isJSON { return try print(definition) }
    var lines: [String] = []
    for (key, value) in definition.members ?? [] {
      let text = value.string ?? (key == "prompt" ? "" : value.description)
      if text.hasByte("\n") {
        lines.append("\(key):")
        lines += text.byteLines.map { "  \($0)" }
      } else {
        lines.append("\((key + ":").padded(to: 13))\(text)")
      }
    }
    try print(text: lines.joined(separator: "\n") + "\n")
  }

  func graph(_ name: String, asDot: Bool) async throws {
    let persona = try await rasa.details(ofPersona: name)
    try print(text: asDot ? persona.dot : persona.diagram)
  }

  // MARK: Checks

  /// Every problem of every named persona (all of them when none is named), each by itself.
  func validatePersonas(_ names: [String]) async throws {
    try report(await rasa.validatePersonas(names))
  }

  func validateOperators(_ names: [String]) async throws {
    try report(await rasa.validateOperators(names))
  }

  private func bounds(of report: Rasa.DefinitionReport) -> String {
    guard let calls = report.mostCalls else { return "" }
    var parts = ["\(calls) model calls"]
    if let uses = report.mostToolUses, uses > 0 { parts.append("\(uses) uses of tools") }
    // The mock costs nothing, which says nothing about the models that come later.
    if let cost = report.mostCost, cost > .zero {
      parts.append(report.isBounded ? "\(cost)" : "about \(cost)")
    }
    return "  (at most \(parts.joined(separator: ", ")))"
  }

  private func report(_ reports: [Rasa.DefinitionReport]) throws {
    if print.isJSON {
      try print(
        Rasa.JSON(
          reports.map { report in
            [
              "name": Rasa.JSON(report.name), "valid": Rasa.JSON(report.isValid),
              "failures": Rasa.JSON(report.problems.map(\.json)),
              "warnings": Rasa.JSON(report.warnings.map(\.json)),
              "most_model_calls": report.mostCalls.map { Rasa.JSON($0) } ?? .null,
              "most_tool_uses": report.mostToolUses.map { Rasa.JSON($0) } ?? .null,
              "most_cost_usd": report.mostCost.map { Rasa.JSON($0.decimalText) } ?? .null,
              "is_bounded": Rasa.JSON(report.isBounded),
              "unattended_tools": Rasa.JSON(report.unattendedTools.map(\.json)),
            ]
          }))
    } else {
      var lines: [String] = []
      for report in reports {
        lines.append(
          "\(report.isValid ? "ok      " : "broken  ")\(report.name)\(bounds(of: report))")
        lines += report.problems.map { $0.description.indented(by: 2) }
        lines += report.warnings.map { "  warning: \($0)" }
        // Those that may change something are among the warnings.
        lines += report.unattendedTools.filter { !$0.mayChange }.map {
          "  `\($0.name)` uses `\($0.tool)` without asking: \($0.because)"
        }
      }
      try print(text: lines.joined(separator: "\n") + "\n")
    }
    let broken = reports.count { !$0.isValid }
    if broken > 0 {
      throw Failure(
        .configuration, "\(broken) of \(reports.count) cannot be run",
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

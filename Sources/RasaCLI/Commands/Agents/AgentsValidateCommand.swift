import RasaCore
import RasaKit

/// `rasa agents validate`: all that is wrong with agents, at once.
struct AgentsValidateCommand {
  let rasa: Rasa
  let console: Console
  let print: Printer

  func run(_ words: [String], isStrict: Bool) async throws {
    let found = try await rasa.validateAgents(words, isStrict: isStrict)
    if print.isJSON {
      for warning in found.warnings { console.warn("\(warning)") }
      try print(Rasa.JSON(found.files.map { json($0) }))
    } else {
      var lines = found.warnings.map { "warning: \($0)" }
      for file in found.files { lines += self.lines(of: file) }
      lines.append(
        found.files.isEmpty ? "no agents; `rasa agents create ID` creates one" : summary(found))
      try print(text: lines.joined(separator: "\n") + "\n")
    }
    let broken = found.files.count { !$0.isValid }
    guard broken == 0, !(isStrict && !found.warnings.isEmpty) else {
      throw Failure(
        .configuration,
        broken == 0
          ? "some folders could not be searched"
          : "\(broken) of \(found.files.count) agents \(broken == 1 ? "is" : "are") invalid",
        suggestion: "fix the problems above and validate again")
    }
  }

  private func lines(of file: Rasa.AgentValidation.File) -> [String] {
    let id = file.agent.map { "  (\($0))" } ?? ""
    return ["\(file.isValid ? "ok      " : "broken  ")\(file.file)\(id)"]
      + (file.shadowedBy.map { ["  shadowed by \($0)"] } ?? [])
      + file.problems.map { $0.description.indented(by: 2) }
      + file.warnings.map { "  warning: \($0)" }
  }

  private func summary(_ found: Rasa.AgentValidation) -> String {
    func count(_ number: Int, _ what: String) -> String {
      "\(number) \(what)\(number == 1 ? "" : "s")"
    }
    let broken = found.files.count { !$0.isValid }
    let problems = found.files.reduce(0) { $0 + $1.problems.count }
    let warnings = found.files.reduce(found.warnings.count) { $0 + $1.warnings.count }
    return "\(count(found.files.count, "agent")): \(found.files.count - broken) valid, "
      + "\(broken) broken; \(count(problems, "error")), \(count(warnings, "warning"))"
  }

  private func json(_ file: Rasa.AgentValidation.File) -> Rasa.JSON {
    [
      "file": Rasa.JSON(file.file), "id": Rasa.JSON(file.agent),
      "valid": Rasa.JSON(file.isValid), "shadowed_by": Rasa.JSON(file.shadowedBy),
      "failures": Rasa.JSON(file.problems.map(\.json)),
      "warnings": Rasa.JSON(file.warnings.map(\.json)),
    ]
  }
}

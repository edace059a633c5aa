import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// `rasa skills list|show|validate`.
struct SkillCommands {
  let rasa: Rasa
  let print: Printer

  func list() async throws {
    let found = try await rasa.skills()
    try print(
      Table(
        columns: ["SKILL", "FROM", "DESCRIPTION"],
        rows: found.skills.map { skill in
          [
            skill.name, origin(skill),
            (skill.isTrusted ? "" : "(not trusted) ")
              + skill.description.byteLines.joined(separator: " "),
          ]
        }, values: found.skills.map { Value($0.json) },
        whenEmpty: "no skills; they are looked for in \(found.places.joined(separator: ", "))"))
  }

  private func origin(_ skill: Rasa.Skill) -> String {
    skill.shadows.isEmpty
      ? skill.origin : "\(skill.origin) (instead of \(skill.shadows.joined(separator: ", ")))"
  }

  func show(_ name: String) async throws {
    let (skill, instructions) = try await rasa.skill(named: name)
    if print.isJSON {
      var value = Value(skill.json).object ?? ValueObject()
      value["instructions"] = .string(instructions)
      return try print(Value.object(value))
    }
    var rows = [
      ("skill", skill.name), ("from", skill.folder),
      ("trusted", skill.isTrusted ? "yes" : "no: `rasa trust add` trusts the project's files"),
      ("about", skill.description),
    ]
    if let license = skill.license { rows.append(("license", license)) }
    if let needs = skill.compatibility { rows.append(("needs", needs)) }
    if let tools = skill.allowedTools {
      rows.append(("allows", tools.isEmpty ? "no tools" : tools.joined(separator: " ")))
    }
    if !skill.unknownTools.isEmpty {
      rows.append(("unknown", skill.unknownTools.joined(separator: " ") + " (no tool here)"))
    }
    for file in skill.files { rows.append(("file", file)) }
    let lines = rows.map { "\($0.0.padded(to: 9))\($0.1)" }
    try print(text: lines.joined(separator: "\n") + "\n\n" + instructions + "\n")
  }

  /// Every problem of the named skills, or of all.
  func validate(_ names: [String]) async throws {
    let found = try await rasa.skills()
    for name in names where !found.skills.contains(where: { $0.name == name }) {
      // One that is broken is reported below.
      guard !found.problems.contains(where: { Self.isAbout($0.file, name) }) else { continue }
      _ = try await rasa.skill(named: name)
    }
    func isWanted(_ file: String?) -> Bool {
      names.isEmpty || names.contains { Self.isAbout(file, $0) }
    }
    let problems = found.problems.filter { isWanted($0.file) }
    let warnings = found.warnings.filter { isWanted($0.file) }
    let valid = found.skills.filter { names.isEmpty || names.contains($0.name) }
    if print.isJSON {
      try print(
        [
          "valid": .bool(problems.isEmpty), "skills": .array(valid.map { .string($0.name) }),
          "failures": .array(problems.map { Value($0.json) }),
          "warnings": .array(warnings.map { Value($0.json) }),
        ] as Value)
    } else {
      var lines = valid.map { "ok      \($0.name)" }
      for skill in valid where !skill.unknownTools.isEmpty {
        lines.append(
          "  warning: `allowed-tools` of `\(skill.name)` names no tool of rasa: "
            + skill.unknownTools.joined(separator: " "))
      }
      lines += problems.map { "broken  \($0.description)" }
      lines += warnings.map { "  warning: \($0)" }
      if lines.isEmpty { lines = ["no skills"] }
      try print(text: lines.joined(separator: "\n") + "\n")
    }
    guard problems.isEmpty else {
      throw Failure(
        .configuration,
        problems.count == 1
          ? "one skill is left out" : "there are \(problems.count) problems with skills",
        suggestion: "fix what is named above and validate again")
    }
  }

  private static func isAbout(_ file: String?, _ name: String) -> Bool {
    file?.hasByteSuffix("/\(name)/SKILL.md") == true
  }
}

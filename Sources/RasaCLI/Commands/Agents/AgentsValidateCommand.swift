import RasaAgents
import RasaCore
import RasaKit
import RasaPersona
import RasaSystem

/// `rasa agents validate`: all that is wrong with agents, at once.
struct AgentsValidateCommand {
  let house: CompositionRoot
  let print: Printer

  func run(_ words: [String], isStrict: Bool) throws {
    let desk = AgentFileResolver(house)
    let engines = try desk.engines()
    var warnings: [Warning] = []
    var paths: [String] = []
    if words.isEmpty {
      (paths, warnings) = desk.allFiles()
    } else {
      for word in words {
        for path in try desk.files(word) where !paths.contains(path) { paths.append(path) }
      }
    }
    let readings = paths.map { path in read(path, desk, engines) }
    // Agents that are checked together know each other, wherever they lie; of two with one id the
    // first counts.
    var agents = desk.agents()
    for reading in readings.reversed() {
      guard let agent = reading.reading.definition?.agent else { continue }
      if agents[agent.id] == nil || !words.isEmpty { agents[agent.id] = agent }
    }
    let validation = desk.validation(with: agents, isStrict: isStrict)
    let names = SharedNames(
      readings.compactMap { reading in
        reading.reading.definition.map { (reading.path, $0.agent) }
      }, house.agents.found, house.library)
    let checked = readings.map { reading in
      var findings = findings(on: reading, validation, desk)
      findings.warnings += names.warnings[reading.path] ?? []
      return Checked(
        path: reading.path, agent: reading.reading.definition?.agent,
        shadowedBy: names.usedInstead[reading.path], findings: findings, isStrict: isStrict)
    }
    try tell(checked, warnings, isStrict)
  }

  private typealias Read = (
    path: String, documents: AgentDocuments?, reading: Reading<AgentLoader.LoadedAgent>
  )

  private func read(_ path: String, _ desk: AgentFileResolver, _ engines: Set<String>) -> Read {
    do throws(Failure) {
      let documents = try desk.documents(at: path)
      return (path, documents, AgentLoader.load(documents, engines: engines))
    } catch {
      return (path, nil, Reading(failure: error))
    }
  }

  /// Files that share an id or a name for people.
  private struct SharedNames {
    var warnings: [String: [Warning]] = [:]
    /// The file that is used, where one of another place takes this one's place.
    var usedInstead: [String: String] = [:]

    init(_ agents: [(path: String, agent: Agent)], _ found: DiscoveredAgents, _ library: Library) {
      var told: Set<String> = []
      for warning in found.registry.ids.lazy.flatMap({ found.duplicates(of: $0) }) {
        guard let file = warning.location?.file else { continue }
        warnings[file, default: []].append(warning)
        told.insert(file)
      }
      for shadowed in found.shadowed where !told.contains(shadowed.file) {
        usedInstead[shadowed.file] = shadowed.by
      }
      var byID: [String: String] = [:]
      var byName: [String: Agent] = [:]
      for (path, agent) in agents {
        func warn(_ message: String) {
          warnings[path, default: []].append(
            Warning(message, at: SourceLocation(file: path, line: 0, column: 0)))
        }
        if let first = byID[agent.id] {
          if !told.contains(path), !told.contains(first), usedInstead[path] == nil,
            usedInstead[first] == nil
          {
            warn("the agent `\(agent.id)` is also in \(first), and only one of them can be used")
          }
          continue
        }
        byID[agent.id] = path
        if library.hasPersona(named: agent.id) {
          warn(Library.shares(budgetOf: agent.id, at: nil).message)
        }
        let name = agent.name.lowercased()
        if let other = byName[name] {
          warn(
            "the agent `\(other.id)` is also called \(agent.name), so that name finds neither")
        } else {
          byName[name] = agent
        }
      }
    }
  }

  private func findings(
    on read: Read, _ validation: AgentValidation, _ desk: AgentFileResolver
  ) -> AgentValidation.Findings {
    guard let documents = read.documents else {
      return AgentValidation.Findings(failures: read.reading.failures)
    }
    var findings = validation.findings(on: documents, read.reading)
    if findings.failures.isEmpty, let loaded = read.reading.definition,
      let failure = desk.obstacle(to: loaded, documents)
    {
      findings.failures.append(failure)
    }
    return findings
  }

  private struct Checked {
    var path: String
    var agent: Agent?
    var shadowedBy: String?
    var findings: AgentValidation.Findings
    var isStrict: Bool

    var isValid: Bool {
      findings.failures.isEmpty && !(isStrict && !findings.warnings.isEmpty)
    }
  }

  // MARK: Telling

  private func tell(_ checked: [Checked], _ warnings: [Warning], _ isStrict: Bool) throws {
    let broken = checked.count { !$0.isValid }
    if print.isJSON {
      for warning in warnings { house.warn(warning) }
      try print(.array(checked.map { value(of: $0) }))
    } else {
      var lines = warnings.map { "warning: \($0)" }
      for file in checked { lines += self.lines(of: file) }
      if checked.isEmpty {
        lines.append("no agents; `rasa agents create ID` creates one")
      } else {
        lines.append(summary(of: checked, warnings))
      }
      try print(text: lines.joined(separator: "\n") + "\n")
    }
    guard broken == 0, !(isStrict && !warnings.isEmpty) else {
      throw Failure(
        .configuration,
        broken == 0
          ? "some folders could not be searched"
          : "\(broken) of \(checked.count) agents \(broken == 1 ? "is" : "are") invalid",
        suggestion: "fix the problems above and validate again")
    }
  }

  private func lines(of checked: Checked) -> [String] {
    let id = checked.agent.map { "  (\($0.id))" } ?? ""
    return ["\(checked.isValid ? "ok      " : "broken  ")\(checked.path)\(id)"]
      + (checked.shadowedBy.map { ["  shadowed by \($0)"] } ?? [])
      + checked.findings.failures.map { $0.description.indented(by: 2) }
      + checked.findings.warnings.map { "  warning: \($0)" }
  }

  private func summary(of checked: [Checked], _ warnings: [Warning]) -> String {
    func count(_ number: Int, _ what: String) -> String {
      "\(number) \(what)\(number == 1 ? "" : "s")"
    }
    let broken = checked.count { !$0.isValid }
    let failures = checked.reduce(0) { $0 + $1.findings.failures.count }
    let told = checked.reduce(warnings.count) { $0 + $1.findings.warnings.count }
    return "\(count(checked.count, "agent")): \(checked.count - broken) valid, \(broken) broken; "
      + "\(count(failures, "error")), \(count(told, "warning"))"
  }

  private func value(of checked: Checked) -> Value {
    [
      "file": .string(checked.path),
      "id": checked.agent.map { .string($0.id) } ?? .null,
      "valid": .bool(checked.isValid),
      "shadowed_by": checked.shadowedBy.map { .string($0) } ?? .null,
      "failures": .array(checked.findings.failures.map(\.value)),
      "warnings": .array(checked.findings.warnings.map(\.value)),
    ]
  }
}

import RasaAgents
import RasaCore
import RasaPersona

/// Checks agents' files together: they know each other, wherever they are.
struct AgentFileCheck {
  /// One file, with everything that is wrong with it and odd about it.
  struct Checked {
    var path: String
    var agent: Agent?
    /// The file that is used, where one of another place takes this one's place.
    var shadowedBy: String?
    var findings: AgentValidation.Findings
  }

  private let resolver: AgentFileResolver
  private let composition: CompositionRoot
  private let isStrict: Bool

  init(_ resolver: AgentFileResolver, isStrict: Bool) {
    self.resolver = resolver
    composition = resolver.composition
    self.isStrict = isStrict
  }

  /// - Parameter words: files, folders and ids; none for everything that there is.
  /// - Returns: each file, and what is odd about the places that were searched.
  func run(_ words: [String]) throws(Failure) -> (checked: [Checked], warnings: [Warning]) {
    let engines = try resolver.engines()
    var warnings: [Warning] = []
    var paths: [String] = []
    if words.isEmpty {
      (paths, warnings) = resolver.allFiles()
    } else {
      for word in words {
        for path in try resolver.files(word) where !paths.contains(path) { paths.append(path) }
      }
    }
    let readings = paths.map { read($0, engines) }
    // Of two with one id the first counts.
    var agents = resolver.agents()
    for reading in readings.reversed() {
      guard let agent = reading.reading.definition?.agent else { continue }
      if agents[agent.id] == nil || !words.isEmpty { agents[agent.id] = agent }
    }
    let validation = resolver.validation(with: agents, isStrict: isStrict)
    let names = SharedNames(
      readings.compactMap { reading in
        reading.reading.definition.map { (reading.path, $0.agent) }
      }, composition.agents.found, composition.library)
    let checked = readings.map { reading in
      var findings = findings(on: reading, validation)
      findings.warnings += names.warnings[reading.path] ?? []
      return Checked(
        path: reading.path, agent: reading.reading.definition?.agent,
        shadowedBy: names.usedInstead[reading.path], findings: findings)
    }
    return (checked, warnings)
  }

  private typealias Read = (
    path: String, documents: AgentDocuments?, reading: Reading<AgentLoader.LoadedAgent>
  )

  private func read(_ path: String, _ engines: Set<String>) -> Read {
    do throws(Failure) {
      let documents = try resolver.documents(at: path)
      return (path, documents, AgentLoader.load(documents, engines: engines))
    } catch {
      return (path, nil, Reading(failure: error))
    }
  }

  private func findings(
    on read: Read, _ validation: AgentValidation
  ) -> AgentValidation.Findings {
    guard let documents = read.documents else {
      return AgentValidation.Findings(failures: read.reading.failures)
    }
    var findings = validation.findings(on: documents, read.reading)
    if findings.failures.isEmpty, let loaded = read.reading.definition,
      let failure = resolver.obstacle(to: loaded, documents)
    {
      findings.failures.append(failure)
    }
    return findings
  }

  /// Files that share an id or a display name.
  private struct SharedNames {
    var warnings: [String: [Warning]] = [:]
    /// The file that is used, where one of another place takes this one's place.
    var usedInstead: [String: String] = [:]

    init(_ agents: [(path: String, agent: Agent)], _ found: DiscoveredAgents, _ library: Library) {
      var reported: Set<String> = []
      for warning in found.registry.ids.lazy.flatMap({ found.duplicates(of: $0) }) {
        guard let file = warning.location?.file else { continue }
        warnings[file, default: []].append(warning)
        reported.insert(file)
      }
      for shadowed in found.shadowed where !reported.contains(shadowed.file) {
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
          if !reported.contains(path), !reported.contains(first), usedInstead[path] == nil,
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
}

package import RasaCore
package import RasaPersona
import RasaSystem

/// The result of a scan.
package struct DiscoveredAgents: Sendable {
  package var registry: AgentRegistry
  /// The failures of files that were meant to be agents.
  package var failures: [Failure] = []
  package var warnings: [Warning] = []
  /// Agents that are shadowed by another one with the same ID.
  package var shadowed: [Shadowed] = []
  /// The files that were meant to be agents, in order of precedence.
  package var broken: [Broken] = []
  /// Messages about files of other tools, and about files that are not agents: one per kind and
  /// folder.
  package private(set) var notes: [Warning] = []

  package struct Shadowed: Sendable, Hashable {
    package var id: String
    package var file: String
    /// The file that is used.
    package var by: String
    package init(id: String, file: String, by: String) {
      self.id = id
      self.file = file
      self.by = by
    }
  }

  package struct Broken: Sendable, Hashable {
    package var file: String
    /// The file's name, usually the agent's ID.
    package var stem: String
    package var failures: [Failure]
    /// Like the root of an agent.
    var root: Int
  }

  /// The root of each agent.
  private(set) var roots: [String: Int] = [:]

  /// An agent from a file of the project.
  package struct OfProject: Sendable, Hashable {
    package var id: String
    package var file: String
  }
  package private(set) var agentsOfProject: [OfProject] = []
  /// Those of `shadowed` outside the project that a file of the project shadows; for each ID, the
  /// one that would otherwise be used.
  package private(set) var replacedByProject: [Shadowed] = []
  private var limitsOfOthers: [String: [CostBudget]] = [:]
  /// The warning for further files with one ID in one folder, by ID.
  private var duplicates: [String: [Warning]] = [:]

  /// The limits of the files that a file of the project shadows.
  package func limits(of id: String) -> [CostBudget] { limitsOfOthers[id] ?? [] }

  /// The unused files with that agent's ID in its folder.
  package func duplicates(of id: String) -> [Warning] { duplicates[id] ?? [] }

  package init(registry: AgentRegistry) { self.registry = registry }

  /// Of several records with one ID the first is used.
  ///
  /// - Parameter projects: the numbers of the project's roots.
  /// - Parameter suggestions: what to do about each root.
  init(
    _ records: [SharedAgentRecord], warnings: [Warning], projects: Set<Int> = [],
    suggestions: [String?] = []
  ) {
    var winners: [String: AgentFile] = [:]
    winners.reserveCapacity(records.count)
    var entries: [AgentRegistry.Entry] = []
    entries.reserveCapacity(records.count)
    var failures: [Failure] = []
    var reported = warnings
    var kinds = KindNotices()
    for record in records.lazy.map(\.record) {
      kinds.note(
        record, suggestions.indices.contains(record.file.root) ? suggestions[record.file.root] : nil
      )
      reported += record.warnings
      failures += record.failures
      guard let entry = record.entry else {
        if !record.failures.isEmpty {
          broken.append(
            Broken(
              file: record.file.path, stem: record.file.stem, failures: record.failures,
              root: record.file.root))
        }
        continue
      }
      let id = entry.agent.id
      guard let winner = winners[id] else {
        winners[id] = record.file
        roots[id] = record.file.root
        entries.append(entry)
        if projects.contains(record.file.root) {
          agentsOfProject.append(OfProject(id: id, file: record.file.path))
        }
        continue
      }
      // One file under two names is a single agent.
      if !record.file.isShipped, winner.stamp.identity == record.file.stamp.identity { continue }
      shadowed.append(Shadowed(id: id, file: record.file.path, by: winner.path))
      if projects.contains(winner.root), !projects.contains(record.file.root) {
        if limitsOfOthers[id] == nil, let last = shadowed.last { replacedByProject.append(last) }
        limitsOfOthers[id, default: []].append(entry.agent.budget)
      }
      if winner.root == record.file.root {
        let warning = Warning(
          "the agent `\(id)` is also in \(winner.path), which is used",
          at: SourceLocation(file: record.file.path, line: 0, column: 0))
        reported.append(warning)
        duplicates[id, default: []].append(warning)
      }
    }
    registry = AgentRegistry(entries)
    self.failures = failures
    self.warnings = reported
    notes = kinds.lines.map { Warning($0) }
  }

  /// Only the agents with these IDs, or in this category and those below it.
  package func only(ids: Set<String>? = nil, category: String? = nil) -> DiscoveredAgents {
    var copy = self
    copy.registry = AgentRegistry(
      registry.entries.filter { entry in
        let own = entry.agent.category ?? ""
        return (ids?.contains(entry.agent.id) ?? true)
          && (category.map { own == $0 || own.hasPrefix("\($0)/") } ?? true)
      })
    copy.shadowed.removeAll { copy.registry[$0.id] == nil }
    return copy
  }

  /// A file that was meant to be the agent with that ID and would take precedence if it were valid.
  /// Running the agent that it shadows instead would be a surprise.
  package func brokenFile(for id: String) -> Broken? {
    let isMeant = { (stem: String) in stem == id || AgentID.make(of: stem) == id }
    guard let broken = broken.first(where: { isMeant($0.stem) }) else { return nil }
    guard let root = roots[id] else { return broken }
    return broken.root < root ? broken : nil
  }
}

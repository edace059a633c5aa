package import RasaCore
package import RasaPersona
import RasaSystem

/// What was found.
package struct DiscoveredAgents: Sendable {
  package var registry: AgentRegistry
  /// What is wrong with files that are no agents although they should be.
  package var failures: [Failure] = []
  package var warnings: [Warning] = []
  /// Agents that another of the same id takes the place of.
  package var shadowed: [Shadowed] = []
  /// The files that are no agents although they should be, those first that would win.
  package var broken: [Broken] = []
  /// What is to be said of files of other tools, and of those that are no agents: a line for each kind
  /// in each place.
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
    /// What the file is called, which is mostly the agent's id.
    package var stem: String
    package var failures: [Failure]
    /// As that of an agent.
    var root: Int
  }

  /// The root of each agent.
  private(set) var roots: [String: Int] = [:]

  /// An agent that a file of the project is.
  package struct OfProject: Sendable, Hashable {
    package var id: String
    package var file: String
  }
  package private(set) var agentsOfProject: [OfProject] = []
  /// Those of `shadowed` that are not the project's and that a file of the project takes the place
  /// of; of each id the one that would be used else.
  package private(set) var replacedByProject: [Shadowed] = []
  private var limitsOfOthers: [String: [CostBudget]] = [:]
  /// What is told of further files of one id in one place, by the id.
  private var duplicates: [String: [Warning]] = [:]

  /// The limits of the files that a file of the project takes the place of.
  package func limits(of id: String) -> [CostBudget] { limitsOfOthers[id] ?? [] }

  /// The files of the place of that agent that are of its id too, and are not used.
  package func duplicates(of id: String) -> [Warning] { duplicates[id] ?? [] }

  package init(registry: AgentRegistry) { self.registry = registry }

  /// The first of an id wins.
  ///
  /// - Parameter projects: the numbers of the roots that are the project's.
  /// - Parameter mends: what to do about each root.
  init(
    _ records: [KeptRecord], warnings: [Warning], projects: Set<Int> = [], mends: [String?] = []
  ) {
    var winners: [String: AgentFile] = [:]
    winners.reserveCapacity(records.count)
    var entries: [AgentRegistry.Entry] = []
    entries.reserveCapacity(records.count)
    var failures: [Failure] = []
    var told = warnings
    var kinds = KindNotes()
    for record in records.lazy.map(\.record) {
      kinds.note(record, mends.indices.contains(record.file.root) ? mends[record.file.root] : nil)
      told += record.warnings
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
      // One file under two names is one agent.
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
        told.append(warning)
        duplicates[id, default: []].append(warning)
      }
    }
    registry = AgentRegistry(entries)
    self.failures = failures
    self.warnings = told
    notes = kinds.lines.map { Warning($0) }
  }

  /// Only the agents of these ids, or of this category and those below it.
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

  /// A file that was to be the agent of that id, and would win, had it been right. To run what it
  /// hides in its place would be a surprise.
  package func brokenFile(for id: String) -> Broken? {
    let isMeant = { (stem: String) in stem == id || AgentID.make(of: stem) == id }
    guard let broken = broken.first(where: { isMeant($0.stem) }) else { return nil }
    guard let root = roots[id] else { return broken }
    return broken.root < root ? broken : nil
  }
}

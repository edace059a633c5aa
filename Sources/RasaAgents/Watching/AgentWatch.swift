package import RasaCore
import RasaPersona
import RasaSystem

/// Keeps a library up to date with its files, and reports changes.
package final class AgentWatch: Sendable {
  /// The result of one or more file changes.
  package struct Change: Sendable {
    /// Ids, sorted.
    package var added: [String]
    package var changed: [String]
    package var removed: [String]
    /// The current state.
    package var found: DiscoveredAgents
  }

  private let library: AgentLibrary
  private let folders: FolderWatch
  private let watched = Locked<Set<String>>([])
  /// The last reported state.
  private let reported: Locked<DiscoveryScan>
  /// Folders that cannot be watched, and why.
  private let refused = Locked<[Warning]>([])

  /// Scans, and watches from now on.
  package init(
    _ library: AgentLibrary, settling: Duration = .milliseconds(50)
  ) throws(Failure) {
    self.library = library
    folders = try FolderWatch(settling: settling)
    reported = Locked(library.scan())
    let scan = scanAndWatch()
    reported.withLock { $0 = scan }
  }

  package var found: DiscoveredAgents { library.found }
  package var warnings: [Warning] { refused.withLock { $0 } }

  /// Waits for the next change; nil once the watch is stopped or the task cancelled. File changes
  /// that change no agent are not reported.
  package func next() async -> Change? {
    while await folders.next() != nil {
      let (before, now) = await onOwnThread { [self] in
        let now = scanAndWatch()
        return reported.withLock { reported in
          defer { reported = now }
          return (reported, now)
        }
      }
      let change = Change(from: before, to: now)
      if !change.isEmpty || change.found.failures != before.found.failures { return change }
    }
    return nil
  }

  package func stop() { folders.stop() }

  /// A folder is watched before it is scanned, so that nothing is missed: whenever a new one
  /// appears, everything is scanned again.
  private func scanAndWatch() -> DiscoveryScan {
    while true {
      let scan = library.rescan()
      let current = scan.folders
      let new = current.subtracting(watched.withLock { $0 })
      if new.isEmpty { return scan }
      for folder in new.sorted() {
        do throws(Failure) {
          _ = try folders.add(folder)
        } catch {
          let warning = Warning("\(error.message), so changes in it go unnoticed")
          refused.withLock { $0.append(warning) }
        }
      }
      watched.withLock { $0.formUnion(new) }
      forget(current)
    }
  }

  /// Removed folders are no longer watched: they are scanned again when they come back.
  private func forget(_ current: Set<String>) {
    let gone = watched.withLock { watched in
      let gone = watched.subtracting(current)
      watched.subtract(gone)
      return gone
    }
    for folder in gone { folders.remove(folder) }
  }
}

extension AgentWatch.Change {
  fileprivate init(from before: DiscoveryScan, to now: DiscoveryScan) {
    let old = before.found.registry
    let new = now.found.registry
    added = new.ids.filter { old[$0] == nil }
    removed = old.ids.filter { new[$0] == nil }
    changed = new.entries.filter { entry in
      guard let other = old[entry.agent.id], other !== entry else { return false }
      return other.agent != entry.agent || other.relevance != entry.relevance
        || before.stamps(of: other.agent) != now.stamps(of: entry.agent)
    }.map(\.agent.id)
    found = now.found
  }

  fileprivate var isEmpty: Bool { added.isEmpty && changed.isEmpty && removed.isEmpty }
}

extension DiscoveryScan {
  /// The stamps of all files that an agent was read from.
  fileprivate func stamps(of agent: Agent) -> [FileStamp] {
    guard let path = agent.files.config ?? agent.files.prompt, let record = memory[path]?.record
    else {
      return []
    }
    return [record.file.stamp] + (record.prompt.map { [$0.stamp] } ?? [])
  }
}

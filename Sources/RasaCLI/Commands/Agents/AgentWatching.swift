import RasaCore
import RasaKit
import RasaTerminal

/// `rasa agents list --watch`: the list, and again whenever files change.
struct AgentWatching {
  let commands: AgentsCommands
  let filter: Rasa.Filter
  let orders: [Rasa.SortOrder]

  func run() async throws {
    let watch = try await commands.rasa.watchAgents()
    for warning in watch.warnings { commands.console.warn(warning) }
    try await show(watch.discovery, nil)
    while let change = await watch.next() { try await show(change.discovery, change) }
  }

  private func show(_ found: Rasa.Discovery, _ change: Rasa.AgentChange?) async throws {
    let agents = try await commands.rasa.search(filter, sortedBy: orders)
    if commands.print.isJSON { return try show(agents.count, found, change) }
    if commands.console.terminal.canMoveCursor(on: .output) {
      // The list takes the place of the one before.
      try commands.print(asItStands: "\u{1B}[H\u{1B}[2J")
    } else if change != nil {
      try commands.print(text: "\n")
    }
    try commands.show(agents)
    commands.report(found)
    commands.console.notice(change.map(words) ?? "waiting for changes; Ctrl-C ends")
  }

  private func words(_ change: Rasa.AgentChange) -> String {
    func part(_ what: String, _ ids: [String]) -> [String] {
      guard !ids.isEmpty else { return [] }
      let shown = ids.prefix(5).joined(separator: ", ")
      return ["\(what) \(shown)\(ids.count > 5 ? " and \(ids.count - 5) more" : "")"]
    }
    let parts =
      part("new:", change.added) + part("changed:", change.changed)
      + part("gone:", change.removed)
    return parts.isEmpty ? "files that are not agents have changed" : parts.joined(separator: "; ")
  }

  /// One line for each change, and one before the first.
  private func show(
    _ count: Int, _ found: Rasa.Discovery, _ change: Rasa.AgentChange?
  ) throws {
    func ids(_ ids: [String]?) -> Rasa.JSON { Rasa.JSON((ids ?? []).map { Rasa.JSON($0) }) }
    let line: Rasa.JSON = [
      "event": change == nil ? "watching" : "changed", "agents": Rasa.JSON(count),
      "added": ids(change?.added), "changed": ids(change?.changed),
      "removed": ids(change?.removed),
      "failures": Rasa.JSON(found.problems.map(\.json)),
    ]
    try commands.print(asItStands: line.description + "\n")
  }
}

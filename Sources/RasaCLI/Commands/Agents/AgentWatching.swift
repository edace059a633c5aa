import RasaAgents
import RasaCore
import RasaKit
import RasaPersona
import RasaSystem
import RasaTerminal

/// `rasa agents list --watch`: the list, and again whenever files change.
struct AgentWatching {
  let commands: AgentsCommands
  let filter: AgentFilter
  let orders: [AgentOrder]

  func run() async throws {
    let watch = try AgentWatch(commands.house.agents)
    for warning in watch.warnings { commands.house.warn(warning) }
    try show(watch.found, nil)
    while let change = await watch.next() { try show(change.found, change) }
  }

  private func show(_ found: DiscoveredAgents, _ change: AgentWatch.Change?) throws {
    let entries = found.registry.narrowed(to: commands.house.narrowing).select(
      filter, sortedBy: orders)
    if commands.print.isJSON { return try show(entries.count, found, change) }
    let terminal = Terminal(commands.house.environment)
    if terminal.canMoveCursor(on: .output) {
      // The list takes the place of the one before.
      try commands.print.output.write("\u{1B}[H\u{1B}[2J")
    } else if change != nil {
      try commands.print(text: "\n")
    }
    try commands.show(entries)
    commands.tell(found)
    let said = change.map(words) ?? "waiting for changes; Ctrl-C ends"
    try commands.house.note("rasa: \(printable(said))\n")
  }

  private func words(_ change: AgentWatch.Change) -> String {
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
    _ count: Int, _ found: DiscoveredAgents, _ change: AgentWatch.Change?
  ) throws {
    func ids(_ ids: [String]) -> Value { .array(ids.map(Value.string)) }
    let line: Value = [
      "event": .string(change == nil ? "watching" : "changed"), "agents": .int(Int64(count)),
      "added": ids(change?.added ?? []), "changed": ids(change?.changed ?? []),
      "removed": ids(change?.removed ?? []),
      "failures": .array(found.failures.map(\.value)),
    ]
    try commands.print.output.write(line.json(.compact) + "\n")
  }
}

import RasaAgents
import RasaCore
import RasaKit
import RasaPersona
import RasaSystem
import RasaTerminal

/// `rasa agents list`, `search` and `info`.
struct AgentsCommands {
  let house: CompositionRoot
  let print: Printer
  let style: Style

  func run(_ command: ParsedCommand) async throws {
    switch command.path.last {
    case "list": try await list(command)
    case "search": try search(command)
    default: try info(command.arguments[0], promptOnly: command.flag("prompt"))
    }
  }

  // MARK: List

  private func list(_ command: ParsedCommand) async throws {
    let filter = filter(command)
    let orders = try AgentOrder.parse(command.text("sort") ?? "id")
    if command.flag("watch") {
      return try await AgentWatching(commands: self, filter: filter, orders: orders).run()
    }
    let found = house.agents.found
    tell(found)
    let registry = try house.agentRegistry(onWarning: house.warn)
    if command.flag("shadowed") { return try print(shadowed(found, registry, filter)) }
    try show(registry.select(filter, sortedBy: orders))
  }

  func show(_ entries: [AgentRegistry.Entry]) throws {
    let agents = entries.map(\.agent)
    if print.isJSON { return try print(.array(agents.map(\.summary))) }
    var listing = Table(
      columns: ["AGENT", "NAME", "CATEGORY", "MODEL", "KIND", "FROM", "DESCRIPTION"],
      rows: agents.map { agent in
        [
          agent.id, agent.name, agent.category ?? "-", agent.modelText, agent.files.kind.name,
          agent.files.origin, agent.description,
        ]
      }, values: [],
      whenEmpty: "no agents; `rasa agents create ID` creates one")
    // Where all are of our own form, nobody asks.
    if agents.allSatisfy({ $0.files.kind == .rasa }) { listing.remove("KIND") }
    try write(
      listing.leavingOut(["FROM", "KIND", "MODEL", "CATEGORY", "NAME"], for: print.width), agents)
  }

  /// The ids in the agents' own colours.
  private func write(_ listing: Table, _ agents: [Agent]) throws {
    let text = listing.cleaned(print.others).text(width: print.width, glyphs: print.glyphs)
    guard !agents.isEmpty, style.isColored else { return try print(text: text) }
    var lines = text.byteLines.map(String.init)
    var left = agents[...]
    for index in lines.indices {
      let line = lines[index]
      let end = line.firstIndex(ofByte: " ") ?? line.endIndex
      guard let agent = left.first, line[..<end] == print.others.line(agent.id) else { continue }
      left.removeFirst()
      if let color = agent.color {
        lines[index] = style.color(color, String(line[..<end])) + line[end...]
      }
    }
    try print.output.write(lines.joined(separator: "\n"))
  }

  private func shadowed(
    _ found: DiscoveredAgents, _ registry: AgentRegistry, _ filter: AgentFilter
  ) -> Table {
    let ids = Set(registry.select(filter).map(\.agent.id))
    let shadowed = found.shadowed.filter { ids.contains($0.id) }
    return Table(
      columns: ["AGENT", "USED", "INSTEAD OF"],
      rows: shadowed.map { [$0.id, $0.by, $0.file] },
      values: shadowed.map {
        ["id": .string($0.id), "file": .string($0.file), "by": .string($0.by)]
      }, whenEmpty: "no agent is shadowed")
  }

  // MARK: Search

  private func search(_ command: ParsedCommand) throws {
    var filter = filter(command)
    filter.query = AgentQuery(
      command.arguments.joined(separator: " "),
      mode: command.choice("match", of: AgentQuery.Mode.self) ?? .contains,
      threshold: try threshold(command))
    let orders = try command.text("sort").map { text throws(Failure) in try AgentOrder.parse(text) }
    let found = house.agents.found
    tell(found)
    var matches = try house.agentRegistry(onWarning: house.warn).matches(filter)
    if let orders {
      let places = Dictionary(
        uniqueKeysWithValues: matches.map(\.entry).sorted(by: orders).enumerated().map {
          ($1.agent.id, $0)
        })
      matches.sort { places[$0.agent.id, default: 0] < places[$1.agent.id, default: 0] }
    }
    if print.isJSON { return try print(.array(matches.map(\.value))) }
    let listing = Table(
      columns: ["AGENT", "MATCH", "NAME", "CATEGORY", "DESCRIPTION"],
      rows: matches.map { match in
        [
          match.agent.id, match.text, match.agent.name, match.agent.category ?? "-",
          match.agent.description,
        ]
      }, values: [],
      whenEmpty: filter.query?.mode == .fuzzy
        ? "no similar agent" : "no agent matches; `--fuzzy` also finds similar words")
    try write(
      listing.leavingOut(["CATEGORY", "NAME", "MATCH"], for: print.width), matches.map(\.agent))
  }

  private func threshold(_ command: ParsedCommand) throws(Failure) -> Double {
    guard let text = command.text("threshold") else { return AgentQuery.usualThreshold }
    if let share = Double(text), (0...1).contains(share) { return share }
    throw Failure(
      .usage, "`--threshold` takes a number from 0 to 1, not \(quoted(text))",
      suggestion: "write it as in `--threshold 0.8`")
  }

  private func filter(_ command: ParsedCommand) -> AgentFilter {
    AgentFilter(
      category: command.text("category"), engine: command.text("engine"),
      model: command.text("model"),
      tags: command.texts("tag").flatMap {
        $0.split(atByte: ",", omittingEmpty: true).map(String.init)
      },
      logic: command.flag("any") ? .any : .all)
  }

  // MARK: Info

  private func info(_ word: String, promptOnly: Bool) throws {
    let found = house.agents.found
    guard let documents = try documents(of: word) else { throw house.library.unknownAgent(word) }
    let reading = AgentLoader.load(documents, engines: house.library.engines)
    let loaded = try reading.get()
    let prompt = loaded.prompt?.text
    let id = loaded.agent.id
    var warnings = reading.warnings
    if !CompositionRoot.isAgentPath(word) { warnings += found.duplicates(of: id) }
    if let notice = loaded.agent.unusedNotice { warnings.append(notice) }
    if promptOnly, !print.isJSON {
      guard let prompt else {
        throw Failure(
          .configuration, "the prompt of `\(id)` does not exist",
          suggestion: "`rasa agents validate \(id)` says why")
      }
      return try print(text: prompt.hasByteSuffix("\n") ? prompt : prompt + "\n")
    }
    let page = AgentPage(
      agent: loaded.agent, shadowed: found.shadowed.filter { $0.id == id }.map(\.file),
      warnings: warnings, promptSize: prompt?.utf8.count, others: print.others)
    if print.isJSON { return try print(page.value(prompt: promptOnly ? prompt : nil)) }
    try print.output.write(page.text(width: print.width, style: style))
  }

  /// Of an agent by its id or name, or of a file.
  private func documents(of word: String) throws -> AgentDocuments? {
    if CompositionRoot.isAgentPath(word) { return try house.agents.documents(at: word) }
    if let documents = try house.agents.documents(ofAgent: word) { return documents }
    return try house.agents.agentID(for: word).flatMap {
      try house.agents.documents(ofAgent: $0)
    }
  }

  // MARK: What is wrong

  /// What stops nothing, on standard error: so much that it is seen, and not so much that the list
  /// is not.
  func tell(_ found: DiscoveredAgents) {
    for note in found.notes { house.warn(note) }
    let all = Self.grouped(
      found.failures.map { Warning($0.message, at: $0.location) } + found.warnings)
    for warning in all.prefix(Self.mostWarnings) { house.warn(warning) }
    if all.count > Self.mostWarnings {
      house.warn(
        Warning(
          "and \(all.count - Self.mostWarnings) more; `rasa agents validate` shows everything"))
    }
  }

  private static let mostWarnings = 10

  /// What is said of many files is said once, with the first of them.
  private static func grouped(_ warnings: [Warning]) -> [Warning] {
    var order: [String] = []
    var groups: [String: (first: Warning, count: Int)] = [:]
    for warning in warnings {
      if groups[warning.message] == nil { order.append(warning.message) }
      groups[warning.message, default: (warning, 0)].count += 1
    }
    return order.compactMap { message in
      guard let (first, count) = groups[message] else { return nil }
      guard count > 1 else { return first }
      return Warning(
        "\(message) (likewise in \(count - 1) more \(count == 2 ? "file" : "files"); "
          + "`rasa agents validate` shows everything)",
        at: first.location)
    }
  }
}

extension Table {
  /// Without the columns that can be spared, one after the other, until the last one has room.
  func leavingOut(_ names: [String], for width: Int) -> Table {
    var listing = self
    func isTooWide() -> Bool { listing.fixedWidth + min(30, listing.lastWidth) > width }
    for name in names where isTooWide() { listing.remove(name) }
    return listing
  }

  mutating func remove(_ name: String) {
    guard let index = columns.firstIndex(of: name) else { return }
    columns.remove(at: index)
    for row in rows.indices { rows[row].remove(at: index) }
  }

  /// Each cell on one line.
  func cleaned(_ others: UntrustedText) -> Table {
    var listing = self
    listing.rows = rows.map { $0.map(others.line) }
    return listing
  }

  private func width(_ index: Int) -> Int {
    rows.reduce(displayWidth(columns[index])) { max($0, displayWidth($1[index])) }
  }

  private var lastWidth: Int { columns.isEmpty ? 0 : width(columns.count - 1) }
  private var fixedWidth: Int { columns.indices.dropLast().reduce(0) { $0 + width($1) + 2 } }
}

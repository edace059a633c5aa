import RasaAgents
import RasaCore
import RasaKit
import RasaPersona
import RasaSystem
import RasaTerminal

/// `rasa agents list`, `search` and `info`.
struct AgentsCommands {
  let house: House
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
    if command.flag("shadowed") { return try print(shadowed(found, filter)) }
    try show(found.registry.select(filter, sortedBy: orders))
  }

  func show(_ entries: [AgentRegistry.Entry]) throws {
    let agents = entries.map(\.agent)
    if print.isJSON { return try print(.array(agents.map(\.summary))) }
    let listing = Listing(
      columns: ["AGENT", "NAME", "CATEGORY", "MODEL", "FROM", "DESCRIPTION"],
      rows: agents.map { agent in
        [
          agent.id, agent.name, agent.category ?? "-", agent.modelText, agent.files.origin,
          agent.description,
        ]
      }, values: [],
      whenEmpty: "no agents; `rasa agents create ID` writes one")
    try write(listing.leavingOut(["FROM", "MODEL", "CATEGORY", "NAME"], for: print.width), agents)
  }

  /// The ids in the agents' own colours.
  private func write(_ listing: Listing, _ agents: [Agent]) throws {
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

  private func shadowed(_ found: DiscoveredAgents, _ filter: AgentFilter) -> Listing {
    let ids = Set(found.registry.select(filter).map(\.agent.id))
    let shadowed = found.shadowed.filter { ids.contains($0.id) }
    return Listing(
      columns: ["AGENT", "USED", "INSTEAD OF"],
      rows: shadowed.map { [$0.id, $0.by, $0.file] },
      values: shadowed.map {
        ["id": .string($0.id), "file": .string($0.file), "by": .string($0.by)]
      }, whenEmpty: "no agent takes the place of another")
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
    var matches = found.registry.matches(filter)
    if let orders {
      let places = Dictionary(
        uniqueKeysWithValues: matches.map(\.entry).sorted(by: orders).enumerated().map {
          ($1.agent.id, $0)
        })
      matches.sort { places[$0.agent.id, default: 0] < places[$1.agent.id, default: 0] }
    }
    if print.isJSON { return try print(.array(matches.map(\.value))) }
    let listing = Listing(
      columns: ["AGENT", "MATCH", "NAME", "CATEGORY", "DESCRIPTION"],
      rows: matches.map { match in
        [
          match.agent.id, match.text, match.agent.name, match.agent.category ?? "-",
          match.agent.description,
        ]
      }, values: [],
      whenEmpty: filter.query?.mode == .fuzzy
        ? "no agent is like that" : "no agent has that; `--fuzzy` finds what is nearly it")
    try write(
      listing.leavingOut(["CATEGORY", "NAME", "MATCH"], for: print.width), matches.map(\.agent))
  }

  private func threshold(_ command: ParsedCommand) throws(Failure) -> Double {
    guard let text = command.text("threshold") else { return AgentQuery.usualThreshold }
    if let share = Double(text), (0...1).contains(share) { return share }
    throw Failure(
      .usage, "`--threshold` takes a number from 0 to 1, not \(quoted(text))",
      mend: "write it as in `--threshold 0.8`")
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

  private func info(_ id: String, promptOnly: Bool) throws {
    let found = house.agents.found
    guard let documents = try house.agents.documents(ofAgent: id) else {
      throw house.library.unknownAgent(id)
    }
    let reading = AgentLoader.load(documents, engines: house.library.engines)
    let loaded = try reading.get()
    let prompt = loaded.prompt?.text
    if promptOnly, !print.isJSON {
      guard let prompt else {
        throw Failure(
          .configuration, "the prompt of `\(id)` is not there",
          mend: "`rasa agents validate \(id)` says why")
      }
      return try print(text: prompt.hasByteSuffix("\n") ? prompt : prompt + "\n")
    }
    let page = AgentPage(
      agent: loaded.agent, shadowed: found.shadowed.filter { $0.id == id }.map(\.file),
      warnings: reading.warnings, promptSize: prompt?.utf8.count, others: print.others)
    if print.isJSON { return try print(page.value(prompt: promptOnly ? prompt : nil)) }
    try print.output.write(page.text(width: print.width, style: style))
  }

  // MARK: What is wrong

  /// What stops nothing, on standard error: so much that it is seen, and not so much that the list
  /// is not.
  func tell(_ found: DiscoveredAgents) {
    let all = found.failures.map { Warning($0.message, at: $0.location) } + found.warnings
    for warning in all.prefix(Self.mostWarnings) { house.warn(warning) }
    if all.count > Self.mostWarnings {
      house.warn(
        Warning(
          "and \(all.count - Self.mostWarnings) more; `rasa agents validate` shows everything"))
    }
  }

  private static let mostWarnings = 10
}

extension Listing {
  /// Without the columns that can be spared, one after the other, until the last one has room.
  func leavingOut(_ names: [String], for width: Int) -> Listing {
    var listing = self
    func isTooWide() -> Bool { listing.fixedWidth + min(30, listing.lastWidth) > width }
    for name in names where isTooWide() {
      guard let index = listing.columns.firstIndex(of: name) else { continue }
      listing.columns.remove(at: index)
      for row in listing.rows.indices { listing.rows[row].remove(at: index) }
    }
    return listing
  }

  /// Each cell on one line.
  func cleaned(_ others: OthersText) -> Listing {
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

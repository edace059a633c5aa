import RasaCore
import RasaKit
import RasaTerminal

/// `rasa agents list`, `search` and `info`.
struct AgentsCommands {
  let rasa: Rasa
  let console: Console
  let print: Printer
  let style: Style

  func run(_ command: ParsedCommand) async throws {
    switch command.path.last {
    case "list": try await list(command)
    case "search": try await search(command)
    default: try await info(command.arguments[0], promptOnly: command.flag("prompt"))
    }
  }

  // MARK: List

  private func list(_ command: ParsedCommand) async throws {
    let filter = filter(command)
    let orders = try Rasa.SortOrder.parse(command.text("sort") ?? "id")
    if command.flag("watch") {
      return try await AgentWatching(commands: self, filter: filter, orders: orders).run()
    }
    let found = await rasa.discover()
    report(found)
    if command.flag("shadowed") {
      return try print(shadowed(found, among: try await rasa.search(filter)))
    }
    try show(try await rasa.search(filter, sortedBy: orders))
  }

  func show(_ agents: [Rasa.FoundAgent]) throws {
    if print.isJSON { return try print(Rasa.JSON(agents.map(\.json))) }
    var listing = Table(
      columns: ["AGENT", "NAME", "CATEGORY", "MODEL", "KIND", "FROM", "DESCRIPTION"],
      rows: agents.map { agent in
        [
          agent.id, agent.name, agent.category ?? "-", agent.firstModel ?? "-",
          agent.format.name, agent.origin, agent.description,
        ]
      }, values: [],
      whenEmpty: "no agents; `rasa agents create ID` creates one")
    // Where all are of our own form, nobody asks.
    if agents.allSatisfy({ $0.format == .rasa }) { listing.remove("KIND") }
    try write(
      listing.leavingOut(["FROM", "KIND", "MODEL", "CATEGORY", "NAME"], for: print.width), agents)
  }

  /// The ids in the agents' own colours.
  private func write(_ listing: Table, _ agents: [Rasa.FoundAgent]) throws {
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
    try print(asItStands: lines.joined(separator: "\n"))
  }

  private func shadowed(_ found: Rasa.Discovery, among agents: [Rasa.FoundAgent]) -> Table {
    let ids = Set(agents.map(\.id))
    let shadowed = found.shadowed.filter { ids.contains($0.id) }
    return Table(
      columns: ["AGENT", "USED", "INSTEAD OF"],
      rows: shadowed.map { [$0.id, $0.by, $0.file] },
      values: shadowed.map {
        ["id": .string($0.id), "file": .string($0.file), "by": .string($0.by)]
      }, whenEmpty: "no agent is shadowed")
  }

  // MARK: Search

  private func search(_ command: ParsedCommand) async throws {
    var filter = filter(command)
    filter.search = command.arguments.joined(separator: " ")
    filter.mode = command.choice("match", of: Rasa.Filter.Mode.self) ?? .contains
    if let threshold = try threshold(command) { filter.threshold = threshold }
    let orders = try Rasa.SortOrder.parse(ifGiven: command.text("sort"))
    report(await rasa.discover())
    let matches = try await rasa.search(filter, sortedBy: orders)
    if print.isJSON { return try print(Rasa.JSON(matches.map(\.json))) }
    let listing = Table(
      columns: ["AGENT", "MATCH", "NAME", "CATEGORY", "DESCRIPTION"],
      rows: matches.map { match in
        [match.id, text(match.match), match.name, match.category ?? "-", match.description]
      }, values: [],
      whenEmpty: filter.mode == .fuzzy
        ? "no similar agent" : "no agent matches; `--fuzzy` also finds similar words")
    try write(listing.leavingOut(["CATEGORY", "NAME", "MATCH"], for: print.width), matches)
  }

  /// As `92 % name`; a part of a description says nothing about how much of it is meant.
  private func text(_ match: Rasa.FoundAgent.Match?) -> String {
    guard let match else { return "-" }
    return match.field == "description" && match.closeness < 0.5
      ? match.field : "\(Int((match.closeness * 100).rounded())) % \(match.field)"
  }

  private func threshold(_ command: ParsedCommand) throws(Failure) -> Double? {
    guard let text = command.text("threshold") else { return nil }
    if let share = Double(text), (0...1).contains(share) { return share }
    throw Failure(
      .usage, "`--threshold` takes a number from 0 to 1, not \(quoted(text))",
      suggestion: "write it as in `--threshold 0.8`")
  }

  private func filter(_ command: ParsedCommand) -> Rasa.Filter {
    Rasa.Filter(
      category: command.text("category"), engine: command.text("engine"),
      model: command.text("model"),
      tags: command.texts("tag").flatMap {
        $0.split(atByte: ",", omittingEmpty: true).map(String.init)
      },
      logic: command.flag("any") ? .any : .all)
  }

  // MARK: Info

  private func info(_ word: String, promptOnly: Bool) async throws {
    let details = try await rasa.details(ofAgent: word)
    let id = details.agent.id
    if promptOnly, !print.isJSON {
      guard let prompt = details.prompt else {
        throw Failure(
          .configuration, "the prompt of `\(id)` does not exist",
          suggestion: "`rasa agents validate \(id)` says why")
      }
      return try print(text: prompt.hasByteSuffix("\n") ? prompt : prompt + "\n")
    }
    if print.isJSON {
      let prompt = promptOnly ? details.prompt.map { [("prompt_text", Rasa.JSON($0))] } : nil
      return try print(
        Rasa.JSON(
          members: (details.json.members ?? []).map { ($0.name, $0.value) } + (prompt ?? [])))
    }
    try print(
      asItStands: AgentPage(details, others: print.others).text(width: print.width, style: style))
  }

  // MARK: What is wrong

  /// What stops nothing, on standard error: so much that it is seen, and not so much that the list
  /// is not.
  func report(_ found: Rasa.Discovery) {
    for note in found.notes { console.warn(note) }
    let all = Self.grouped(
      found.problems.map { (place($0.file, $0.line, $0.column), $0.message) }
        + found.warnings.map { (place($0.file, $0.line, $0.column), $0.message) })
    for warning in all.prefix(Self.mostWarnings) { console.warn(warning) }
    if all.count > Self.mostWarnings {
      console.warn(
        "and \(all.count - Self.mostWarnings) more; `rasa agents validate` shows everything")
    }
  }

  private static let mostWarnings = 10

  private func place(_ file: String?, _ line: Int?, _ column: Int?) -> String {
    guard let file else { return "" }
    return line.map { "\(file):\($0):\(column ?? 1): " } ?? "\(file): "
  }

  /// What is said of many files is said once, with the first of them.
  private static func grouped(_ warnings: [(place: String, message: String)]) -> [String] {
    var order: [String] = []
    var groups: [String: (place: String, count: Int)] = [:]
    for (place, message) in warnings {
      if groups[message] == nil { order.append(message) }
      groups[message, default: (place, 0)].count += 1
    }
    return order.compactMap { message in
      guard let (place, count) = groups[message] else { return nil }
      guard count > 1 else { return place + message }
      return "\(place)\(message) (likewise in \(count - 1) more \(count == 2 ? "file" : "files"); "
        + "`rasa agents validate` shows everything)"
    }
  }
}

extension Rasa.SortOrder {
  fileprivate static func parse(ifGiven text: String?) throws(RasaError) -> [Rasa.SortOrder] {
    if let text { try parse(text) } else { [] }
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

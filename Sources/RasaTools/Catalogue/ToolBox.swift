package import RasaCore
package import RasaEngine
package import RasaPersona
import RasaSystem

/// The tools of a process: those that files declare, made when they are first needed, and the program's own functions.
///
/// Servers are connected once, whoever uses them, and end with `end()`.
package struct ToolBox: ToolSource {
  /// How each kind of tool is made, and what has to be so before.
  package struct Parts: Sendable {
    /// The functions of the program, by name.
    package var functions: @Sendable () -> [String: any Tool] = { [:] }
    /// What files other than a persona's declare.
    package var declared: @Sendable () throws(Failure) -> [ToolCatalogue.Layer] = { [] }
    /// Throws unless the user trusts the project's files.
    package var requireTrust: @Sendable () throws(Failure) -> Void = {}
    /// The places of the tools that fit some words best, the best first.
    package var search:
      @Sendable (_ words: String, _ tools: [ToolDescription], _ limit: Int) -> [Int] = {
        Array($1.indices.prefix($2))
      }
    package var requestTool: @Sendable (ToolDeclaration, HTTPTool) throws(Failure) -> any Tool
    package var programTool: @Sendable (ToolDeclaration, ProgramTool) throws(Failure) -> any Tool
    /// The folder that the user works in.
    package var folder = "."
    package var servers: any ToolServers
    package var pins: PinStore
    package var now: @Sendable () -> Timestamp

    package init(
      servers: any ToolServers, pins: PinStore, now: @escaping @Sendable () -> Timestamp,
      requestTool: @escaping @Sendable (ToolDeclaration, HTTPTool) throws(Failure) -> any Tool,
      programTool: @escaping @Sendable (ToolDeclaration, ProgramTool) throws(Failure) -> any Tool
    ) {
      self.servers = servers
      self.pins = pins
      self.now = now
      self.requestTool = requestTool
      self.programTool = programTool
    }
  }

  package let parts: Parts
  /// What goes before the files: a persona's own declarations, or those of a command line.
  private var own: [ToolCatalogue.Layer] = []

  package init(_ parts: Parts) { self.parts = parts }

  package func declaring(_ tools: [ToolDeclaration]) -> any ToolSource {
    declaring(.persona, tools)
  }

  package func declaring(_ scope: ToolCatalogue.Scope, _ tools: [ToolDeclaration]) -> ToolBox {
    guard !tools.isEmpty else { return self }
    var box = self
    box.own.insert(ToolCatalogue.Layer(scope, tools), at: 0)
    return box
  }

  package func catalogue() throws(Failure) -> ToolCatalogue {
    ToolCatalogue(own + (try parts.declared()))
  }

  package func search(_ words: String, among tools: [ToolDescription], limit: Int) -> [Int] {
    parts.search(words, tools, limit)
  }

  /// Ends what has been started.
  package func end() async { await parts.servers.end() }

  // MARK: Tools

  package func tools(named references: [String]) async throws -> [any Tool] {
    let functions = parts.functions()
    if let own = ownFunctions(references, functions) { return own }
    let catalogue = try catalogue()
    var wanted: [(reference: ToolReference, entry: ToolCatalogue.Entry?)] = []
    for text in references {
      let reference = ToolReference(text)
      wanted.append((reference, functions[text] == nil ? try catalogue.entry(of: reference) : nil))
    }
    let connected = try await connected(wanted.compactMap(\.entry).filter(\.declaration.isServer))
    var tools: [any Tool] = []
    var names: Set<String> = []
    func add(_ tool: any Tool) {
      if names.insert(tool.description.name).inserted { tools.append(tool) }
    }
    for (reference, entry) in wanted {
      guard let entry else {
        if let function = functions[reference.text] { add(function) }
        continue
      }
      switch entry.declaration.kind {
      case .mcp:
        guard case .server(let server, let pattern) = reference else { continue }
        let all = connected[server] ?? []
        let fitting = all.filter {
          ToolReference.matches(pattern, $0.description.nameOnServer)
        }
        if fitting.isEmpty, let pattern { throw Self.missing(pattern, on: server, all) }
        fitting.forEach(add)
      case .http(let request):
        try requireTrust(entry)
        add(try parts.requestTool(entry.declaration, request))
      case .process(let program):
        try requireTrust(entry)
        add(try parts.programTool(entry.declaration.starting(in: parts.folder), program))
      }
    }
    return tools
  }

  /// As the declaration has it and, for a server's, as it was approved.
  package func known(_ reference: String) -> [ToolDescription]? {
    if let function = parts.functions()[reference] { return [function.description] }
    let wanted = ToolReference(reference)
    guard let declaration = try? catalogue().entry(of: wanted).declaration else { return nil }
    switch declaration.kind {
    case .http(let request):
      return (try? parts.requestTool(declaration, request)).map { [$0.description] }
    case .process(let program):
      return (try? parts.programTool(declaration, program)).map { [$0.description] }
    case .mcp:
      guard case .server(_, let pattern) = wanted,
        let tools = try? parts.pins.pin(of: declaration)?.offer?.tools
      else { return nil }
      return tools.filter { ToolReference.matches(pattern, $0.name) }
        .compactMap { $0.description(under: declaration) }
    }
  }

  /// Nil unless only functions of the program are asked for, which need no file to be read.
  private func ownFunctions(
    _ references: [String], _ functions: [String: any Tool]
  ) -> [any Tool]? {
    let found = references.compactMap { functions[$0] }
    return found.count == references.count ? found : nil
  }

  private func requireTrust(_ entry: ToolCatalogue.Entry) throws(Failure) {
    if entry.declaration.isProject { try parts.requireTrust() }
  }

  private static func missing(_ tool: String, on server: String, _ all: [any Tool]) -> Failure {
    let names = all.map(\.description.nameOnServer)
    let nearest = nearestName(to: tool, among: names).map { "did you mean `mcp:\(server)/\($0)`? " }
    return Failure(
      .configuration, "the server `\(server)` has no tool `\(tool.printable(atMost: 80))`",
      suggestion: (nearest ?? "")
        + (names.isEmpty ? "it has none" : "it has \(names.prefix(12).joined(separator: ", "))"))
  }

  // MARK: Servers

  /// The tools of each server, by its name. Those that are not running yet start at the same time.
  private func connected(_ entries: [ToolCatalogue.Entry]) async throws -> [String: [any Tool]] {
    var known: Set<String> = []
    let servers = entries.filter { known.insert($0.declaration.name).inserted }
    if let only = servers.first, servers.count == 1 {
      return [only.declaration.name: try await connect(only).tools]
    }
    return try await withThrowingTaskGroup(of: (String, [any Tool]).self) { group in
      for server in servers {
        group.addTask { (server.declaration.name, try await connect(server).tools) }
      }
      var tools: [String: [any Tool]] = [:]
      for try await (name, found) in group { tools[name] = found }
      return tools
    }
  }

  /// Connects a server that a person has approved, and compares what it offers with what was approved.
  ///
  /// - Throws: a `Failure` of kind `approval` where nobody has approved it, or it has changed since.
  package func connect(_ entry: ToolCatalogue.Entry) async throws -> ConnectedServer {
    try requireTrust(entry)
    let declaration = entry.declaration
    guard entry.scope != .given else {
      return try await start(declaration)
    }
    guard let pin = try parts.pins.pin(of: declaration) else {
      throw try parts.pins.refusal(of: declaration)
    }
    let server = try await start(pin.granting(declaration)) {
      try check($0, of: declaration)
    }
    try check(server.offer, of: declaration, leftOut: server.refused)
    return server
  }

  private func start(
    _ declaration: ToolDeclaration, watch: MCPServers.Watch? = nil
  ) async throws -> ConnectedServer {
    try await parts.servers.connect(declaration.starting(in: parts.folder), watch: watch)
  }

  /// Compares what a server offers with what was approved. One that offers something else is not used any more, in
  /// whatever process, until a person has approved that.
  private func check(
    _ offered: ServerOffer, of declaration: ToolDeclaration,
    leftOut: [MCPToolDefinition.Refusal]? = nil
  ) throws(Failure) {
    guard var pin = try parts.pins.pin(of: declaration) else {
      throw try parts.pins.refusal(of: declaration)
    }
    if let changed = pin.changed, let changes = pin.difference(to: changed) {
      throw changes.refusal(of: declaration)
    }
    if let changes = pin.difference(to: offered), !changes.isEmpty {
      pin.changed = offered
      try parts.pins.keep(pin)
      throw changes.refusal(of: declaration)
    }
    guard pin.offer == nil || !pin.coversAll else { return }
    // Its command was approved before it had ever run, or by a version that looked at less.
    pin.offer = offered
    pin.coversAll = true
    if let leftOut { pin.leftOut = leftOut }
    try parts.pins.keep(pin)
  }

  /// What an approved server offers now, and how that differs from what was approved.
  package struct Review: Sendable {
    package var offer: ServerOffer
    package var changes: PinDifference
    /// What it offered in between, if that is neither what it offers now nor what was approved.
    package var between: PinDifference?
  }

  /// Starts a server that was approved, also under a declaration that has changed since, and looks at what it offers.
  /// Nothing is approved.
  ///
  /// - Parameter access: what it may reach beyond its declaration; nil for what it was granted.
  /// - Returns: nil if nothing was approved with which that could be compared.
  package func review(
    _ entry: ToolCatalogue.Entry, access: ToolSandbox? = nil
  ) async throws -> Review? {
    try requireTrust(entry)
    let declaration = entry.declaration
    let own = try parts.pins.pin(of: declaration)
    guard let known = try own ?? parts.pins.earlierPin(of: declaration), known.offer != nil else {
      return nil
    }
    let pin = pin(for: declaration, granted: own?.access, adding: access)
    let server = try await start(pin.granting(declaration))
    guard let changes = known.difference(to: server.offer) else { return nil }
    var review = Review(offer: server.offer, changes: changes)
    if let changed = known.changed, changed != server.offer {
      review.between = known.difference(to: changed)
    }
    return review
  }

  private func pin(
    for declaration: ToolDeclaration, granted before: ToolSandbox?, adding more: ToolSandbox?,
    by user: String = ""
  ) -> ServerPin {
    var pin = ServerPin(
      of: declaration, key: parts.pins.key(of: declaration), at: parts.now(), by: user)
    pin.access = before ?? declaration.usualAccess
    if let more { pin.access = pin.access.widened(by: more) }
    return pin
  }

  /// Starts a server because a person says so, and keeps what it offers as approved.
  ///
  /// - Parameters:
  ///   - access: what it may reach beyond its declaration and what was granted before.
  ///   - reviewed: the offer that the person has seen; nothing else is approved then.
  /// - Returns: the server, and what has changed since it was approved before; nil for the first time.
  package func approve(
    _ entry: ToolCatalogue.Entry, access: ToolSandbox?, by user: String,
    reviewed: ServerOffer? = nil
  ) async throws -> (server: ConnectedServer, changes: PinDifference?) {
    try requireTrust(entry)
    let declaration = entry.declaration
    let own = try parts.pins.pin(of: declaration)
    let before = try own ?? parts.pins.earlierPin(of: declaration)
    var pin = pin(for: declaration, granted: own?.access, adding: access, by: user)
    let server = try await start(pin.granting(declaration))
    if let reviewed {
      let since = PinDifference(from: reviewed, to: server.offer)
      guard since.isEmpty else {
        throw Failure(
          .approval,
          "the server `\(declaration.name)` has changed what it offers since you looked at it, so it was not approved",
          suggestion: "look again: `rasa tools approve \(declaration.name)`", details: since.lines)
      }
    }
    pin.offer = server.offer
    pin.leftOut = server.refused
    try parts.pins.keep(pin)
    return (server, before?.difference(to: server.offer))
  }
}

extension ToolDeclaration {
  /// The declaration with the folder in which its program starts. A relative one, and a program that is named by a
  /// relative path, begin where the declaration is; relative paths of the sandbox begin where the user works unless
  /// a folder is declared. What is approved is the declaration itself, so that it holds for each folder.
  package func starting(in current: String) -> ToolDeclaration {
    guard let program = command?.first else { return self }
    let base = FileSystem.absolute(FileSystem.parent(of: location.file))
    var start = folder
    if let folder {
      guard !folder.hasBytePrefix("/"), !folder.hasBytePrefix("${") else { return self }
      start = FileSystem.path(folder, in: base)
    } else if program.hasByte("/"), !program.hasBytePrefix("/"), !program.hasBytePrefix("${") {
      start = base
    } else if (sandbox.read + sandbox.write).contains(where: {
      !$0.hasBytePrefix("/") && !$0.hasBytePrefix("~")
    }) {
      start = FileSystem.absolute(current)
    }
    var located = self
    switch kind {
    case .http: break
    case .mcp(var server):
      if case .stdio(let command, let environment, _) = server.transport {
        server.transport = .stdio(command: command, environment: environment, folder: start)
        located.kind = .mcp(server)
      }
    case .process(var tool):
      tool.folder = start
      located.kind = .process(tool)
    }
    return located
  }
}

/// Connections to servers of the Model Context Protocol.
package protocol ToolServers: Sendable {
  /// Starts or reaches the server unless that has been done already.
  ///
  /// - Parameter watch: is asked before a tool of it is used, if the server offers something else by then.
  func connect(
    _ declaration: ToolDeclaration, watch: MCPServers.Watch?
  ) async throws -> ConnectedServer
  func end() async
}

/// A server that runs, with what it offers now.
package struct ConnectedServer: Sendable {
  /// Without those that the declaration hides.
  package var tools: [any Tool]
  /// The revision of the protocol, such as `2026-07-28`.
  package var revision: String
  /// As it calls itself.
  package var title: String
  package var version: String
  /// The tools that are not offered, and why.
  package var refused: [MCPToolDefinition.Refusal] = []
  /// What a person approves of it.
  package var offer: ServerOffer

  package init(tools: [any Tool], revision: String = "", title: String = "", version: String = "") {
    self.tools = tools
    self.revision = revision
    self.title = title
    self.version = version
    offer = ServerOffer(tools: tools.map { PinnedTool($0.description) })
  }
}

extension ToolDescription {
  /// `convert_time` of `mcp:time/convert_time`.
  package var nameOnServer: String {
    if case .server(_, let tool?) = ToolReference(name) { return tool }
    return name
  }
}

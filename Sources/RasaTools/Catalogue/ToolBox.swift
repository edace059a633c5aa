package import RasaCore
package import RasaEngine
package import RasaPersona

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
        add(try parts.programTool(entry.declaration, program))
      }
    }
    return tools
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
    guard entry.scope != .given else { return try await parts.servers.connect(declaration) }
    guard let pin = try parts.pins.pin(of: declaration) else {
      throw try parts.pins.refusal(of: declaration)
    }
    let server = try await parts.servers.connect(pin.granting(declaration))
    let offered = server.pinned
    guard let tools = pin.tools else {
      // Its command was approved before it had ever run.
      var first = pin
      first.tools = offered
      try parts.pins.keep(first)
      return server
    }
    let changes = PinDifference(from: tools, to: offered)
    guard changes.isEmpty else { throw changes.refusal(of: declaration) }
    return server
  }

  /// Starts a server because a person says so, and keeps what it offers as approved.
  ///
  /// - Returns: the server, and what has changed since it was approved before; nil for the first time.
  package func approve(
    _ entry: ToolCatalogue.Entry, access: ToolSandbox?, by user: String
  ) async throws -> (server: ConnectedServer, changes: PinDifference?) {
    try requireTrust(entry)
    let declaration = entry.declaration
    let before = try parts.pins.pin(of: declaration)
    var pin = ServerPin(
      of: declaration, key: parts.pins.key(of: declaration), at: parts.now(), by: user)
    pin.access = access ?? before?.access ?? declaration.usualAccess
    let server = try await parts.servers.connect(pin.granting(declaration))
    pin.tools = server.pinned
    try parts.pins.keep(pin)
    return (server, before?.tools.map { PinDifference(from: $0, to: pin.tools ?? []) })
  }
}

/// Connections to servers of the Model Context Protocol.
package protocol ToolServers: Sendable {
  /// Starts or reaches the server unless that has been done already.
  func connect(_ declaration: ToolDeclaration) async throws -> ConnectedServer
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
  /// The tools that are not offered, and why, as sentences.
  package var refused: [String] = []

  package init(tools: [any Tool], revision: String = "", title: String = "", version: String = "") {
    self.tools = tools
    self.revision = revision
    self.title = title
    self.version = version
  }

  package var pinned: [PinnedTool] {
    tools.map { PinnedTool($0.description) }.sorted { $0.name < $1.name }
  }
}

extension ToolDescription {
  /// `convert_time` of `mcp:time/convert_time`.
  package var nameOnServer: String {
    if case .server(_, let tool?) = ToolReference(name) { return tool }
    return name
  }
}

package import RasaCore
import RasaEngine
import RasaPersona
import RasaTools

// MARK: One use

extension Rasa {
  /// Where the persona of a use seems to be.
  static let toolCallFile = PinStore.commandLineFile

  /// A failure of a use without the places in that persona, which nobody has written or can look at.
  package static func withoutToolCallPersona(_ failure: Failure) -> Failure {
    var failure = failure
    failure.withdrawPlace()
    if failure.location?.file == toolCallFile { (failure.location, failure.excerpt) = (nil, nil) }
    return failure
  }

  /// One use of a tool without a persona, that has an ID and has not begun.
  ///
  /// It is a run like any other: it is in the journal, a person is asked where the tool needs one, and it can be resumed
  /// and replayed.
  ///
  /// - Parameters:
  ///   - name: The tool, as operators name it: `quote`, `mcp:time/convert_time`.
  ///   - arguments: An object.
  ///   - server: A program that is started as a server for this use, with its arguments; `name` is then the name of one
  ///     of its tools. Whoever gives it approves it.
  ///   - persona: The persona that declares the tool.
  ///   - options: How the run is to go.
  ///   - approve: Decides what a person is asked, as in ``run(persona:input:options:approve:)``.
  public func ready(
    tool name: String, arguments: JSON = [:], server: [String]? = nil,
    ofPersona persona: String? = nil,
    options: RunOptions = RunOptions(), approve: ApprovalHandler? = nil
  ) async throws(RasaError) -> ReadyRun {
    try await toolRunnable(name, arguments: arguments, server: server, ofPersona: persona)
      .ready("\(name) \(arguments)", options: options, approve: approve)
  }

  /// What ``ready(tool:arguments:server:ofPersona:options:approve:)`` runs.
  public func toolRunnable(
    _ name: String, arguments: JSON = [:], server: [String]? = nil, ofPersona persona: String? = nil
  ) async throws(RasaError) -> Runnable {
    try await prepared { rasa throws(Failure) in
      guard let given = arguments.value.object else {
        throw Failure(
          .usage, "the arguments of a tool are an object, not \(quoted(arguments.description))",
          suggestion: "write them as '{\"name\": \"value\"}'")
      }
      let reference = try server == nil ? rasa.checked(name, given, ofPersona: persona) : name
      let call = try ToolCall(
        reference, given, server: server,
        persona: persona.map { name throws(Failure) in
          try rasa.composition.persona(name)
        })
      if let declaration = call.given {
        // Whoever types a command approves it, with what it offers now, whatever it offered the last time.
        let pins = rasa.services.tools.parts.pins
        var pin = ServerPin(
          of: declaration, key: pins.key(of: declaration), at: rasa.composition.time.now(),
          by: rasa.composition.user(nil))
        pin.access = declaration.usualAccess
        try pins.keep(pin)
      }
      return Runnable(rasa: rasa, graph: try call.graph(in: rasa.composition.library))
    }
  }

  /// The name of a tool as operators write it, once it is known that there is such a tool and that it takes these
  /// arguments. What only a server that has never run can tell is found out in the run.
  private func checked(
    _ name: String, _ arguments: ValueObject, ofPersona persona: String?
  ) throws(Failure) -> String {
    let wanted: RasaEngine.ToolDescription?
    let reference: String
    if let function = definitions.tools[name] {
      (wanted, reference) = (function.description, name)
    } else {
      let box = try toolBox(persona)
      let entry = try box.entry(namedByPerson: name)
      let declaration = entry.declaration
      guard declaration.isServer else {
        try check(arguments, of: declaration.ownDescription, declaration)
        return declaration.name
      }
      // `time/convert_time` for `mcp:time/convert_time`.
      reference =
        if case .named = ToolReference(name) { "mcp:\(name)" } else { ToolReference(name).text }
      guard let pin = try box.parts.pins.pin(of: declaration), let offer = pin.offer else {
        return reference
      }
      let known = offer.tools.compactMap { $0.description(under: declaration) }
      wanted = known.first { $0.name == reference }
      if wanted == nil, case .server(_, let tool?) = ToolReference(reference), !tool.hasByte("*") {
        throw Failure(
          .usage, "the server `\(declaration.name)` has no tool `\(tool.printable(atMost: 80))`",
          suggestion: nearestName(to: reference, among: known.map(\.name)).map {
            "did you mean `\($0)`?"
          } ?? "`\(declaration.commandLine("show"))` lists its tools")
      }
      try check(arguments, of: wanted, declaration)
      return reference
    }
    try check(arguments, of: wanted, nil)
    return reference
  }

  private func check(
    _ arguments: ValueObject, of tool: RasaEngine.ToolDescription?, _ declaration: ToolDeclaration?
  ) throws(Failure) {
    // A schema that cannot be read is reported when the tool is made.
    guard let tool, let schema = try? ToolSchemas.check(tool.parameters, nil) else { return }
    let problems = schema.problems(.object(arguments))
    guard !problems.isEmpty else { return }
    throw Failure(
      .usage, "`\(tool.name)` does not take these arguments",
      suggestion:
        "`\(declaration?.commandLine("show") ?? "rasa tools show \(tool.name)")` lists what it takes",
      details: Array(problems.prefix(8)))
  }

  /// Uses a tool once and returns what came of it.
  ///
  /// ```swift
  /// let result = try await rasa.call(tool: "quote", arguments: ["symbol": "NVDA"])
  /// print(result.output)
  /// ```
  ///
  /// - Parameters:
  ///   - name: The tool, as operators name it: `quote`, `mcp:time/convert_time`.
  ///   - arguments: An object.
  ///   - persona: The persona that declares the tool.
  ///   - options: How the run is to go.
  ///   - approve: Decides what a person is asked. Without it a use that needs a person waits, and the result says for
  ///     what.
  public func call(
    tool name: String, arguments: JSON = [:], ofPersona persona: String? = nil,
    options: RunOptions = RunOptions(), approve: ApprovalHandler? = nil
  ) async throws(RasaError) -> RunResult {
    try await ready(
      tool: name, arguments: arguments, ofPersona: persona, options: options, approve: approve
    ).start().result()
  }
}

/// A persona with one operator, which uses a tool once.
private struct ToolCall {
  static let persona = ToolCallPersona.name
  static let path = Rasa.toolCallFile

  let text: String
  let isProject: Bool
  /// The persona that declares the tool.
  let declaredBy: String?
  /// The server that the caller gives.
  let given: ToolDeclaration?

  init(
    _ name: String, _ arguments: ValueObject, server: [String]?, persona: PersonaDefinition?
  ) throws(Failure) {
    var reference = name
    var declared = ValueObject()
    var isProject = false
    for tool in persona?.tools ?? [] {
      declared[tool.name] = .object(tool.whole)
      isProject = isProject || tool.isProject
    }
    if let server {
      if case .server = ToolReference(name) {
        throw Failure(
          .usage, "`\(name)` names a server, and another one is given",
          suggestion: "name the tool alone, as in `convert_time`")
      }
      reference = "mcp:\(Self.server)/\(name)"
      declared[Self.server] = [
        "kind": "mcp", "command": .array(server.map { .string($0) }),
      ]
    }
    switch ToolReference(reference) {
    case .server(let server, nil):
      throw Failure(
        .usage, "`\(name)` is a server and not a tool",
        suggestion:
          "name one of its tools, as in `mcp:\(server)/TOOL`; `rasa tools show mcp:\(server)` lists them"
      )
    case .server(_, let tool?) where tool.hasByte("*"):
      throw Failure(
        .usage, "`\(name)` may be several tools", suggestion: "name one of them")
    default: break
    }
    self.isProject = isProject
    declaredBy = persona?.name
    // A text with braces would be a template there, and beside one the name of its path would stand for its value. So
    // these stand where operators read them as they are.
    var literal = arguments
    var kept = ValueObject()
    for (name, value) in arguments {
      let text = value.json()
      guard text.hasBytes("{{") || text.hasBytes("metadata") else { continue }
      let key = "a\(kept.count)"
      kept[key] = value
      literal[name] = .string("metadata.\(key)")
    }
    // JSON is YAML, so whatever is in it stays what it is.
    var document: ValueObject = [
      "name": .string(Self.persona), "description": "One use of a tool.",
      "frames": [["name": "call", "kind": "stateless", "operators": ["use"]]],
      "metadata": .object(kept),
      "operators": [
        [
          "name": "use", "kind": "tool", "tools": [.string(reference)],
          "arguments": .object(literal),
          "reads": .array(kept.isEmpty ? [] : ["metadata"]), "writes": ["output": "any"],
          "uncertain": "ask",
        ]
      ],
    ]
    if !declared.isEmpty { document["tools"] = .object(declared) }
    text = Value.object(document).json(.pretty) + "\n"
    given = server.map { command in
      ToolDeclaration(
        name: Self.server,
        kind: .mcp(MCPServer(.stdio(command: command, environment: [:], folder: nil))),
        location: SourceLocation(file: Self.path, line: 0, column: 0))
    }
  }

  private static let server = "given"

  func graph(in library: Library) throws(Failure) -> Graph {
    let document = SourceDocument(bytes: Array(text.utf8), path: Self.path)
    var persona = try library.readPersona(document, beside: ShippedNothing()).get()
    for index in persona.tools.indices {
      persona.tools[index].isProject = isProject
      persona.tools[index].persona = declaredBy
    }
    var graph = try Graph.compile(persona, in: library)
    graph.pinned =
      PinnedFiles(files: [
        PinnedFiles.File(
          kind: .persona, name: Self.persona, path: Self.path, text: text, isProject: isProject)
      ]).value
    return graph
  }
}

/// The persona of a use has nothing beside it.
private struct ShippedNothing: DefinitionSource {
  var label: String { "shipped" }
  func list() -> [String] { [] }
  func read(_ name: String) -> SourceDocument? { nil }
  func readSibling(_ path: String, of document: String) throws(Failure) -> SourceDocument {
    throw Failure(.configuration, "there is no file `\(path)`")
  }
}

// MARK: Before a run

extension Rasa.Runnable {
  /// The servers that this may start and that nobody has approved. Nothing is started.
  public func unapprovedServers() async throws(RasaError) -> [Rasa.ToolDetails] {
    try await rasa.redacted {
      var found: [Rasa.ToolDetails] = []
      for (box, entry) in try graph.declaredTools(in: rasa.services.tools)
      where entry.declaration.isServer {
        let declaration = entry.declaration
        guard try box.parts.pins.pin(of: declaration) == nil,
          !found.contains(where: { $0.summary.name == declaration.reference })
        else { continue }
        found.append(try rasa.details(of: entry, in: box))
      }
      return found
    }
  }

  /// Whether it uses tools that a project's files declare, so that these have to be trusted.
  public func usesProjectTools() async throws(RasaError) -> Bool {
    try await rasa.redacted {
      try graph.declaredTools(in: rasa.services.tools).contains { $0.1.declaration.isProject }
    }
  }

  /// Approves a server that this may start: how it is started, and what it may reach. What it offers is approved when
  /// it is started for the first time.
  public func approve(_ server: Rasa.ToolDetails) async throws(RasaError) {
    try await rasa.redacted {
      for (box, entry) in try graph.declaredTools(in: rasa.services.tools)
      where entry.declaration.reference == server.summary.name {
        let pins = box.parts.pins
        guard try pins.pin(of: entry.declaration) == nil else { continue }
        var pin = ServerPin(
          of: entry.declaration, key: pins.key(of: entry.declaration),
          at: rasa.composition.time.now(), by: rasa.composition.user(nil))
        pin.access = entry.declaration.usualAccess
        try pins.keep(pin)
      }
    }
  }
}

extension Graph {
  /// What the operators of this and of everybody who works for it may use, with where it is declared.
  fileprivate func declaredTools(
    in box: ToolBox
  ) throws(Failure) -> [(ToolBox, ToolCatalogue.Entry)] {
    let own = box.declaring(.persona, persona.tools)
    var found: [(ToolBox, ToolCatalogue.Entry)] = []
    var catalogue: ToolCatalogue?
    for node in nodes {
      for definition in [node.definition, node.substitute].compactMap(\.self) {
        for name in definition.tools {
          let known = if let catalogue { catalogue } else { try own.catalogue() }
          catalogue = known
          switch ToolReference(name) {
          case .server(let name, _), .named(let name):
            if let entry = known[name] { found.append((own, entry)) }
          case .agent: break
          }
        }
      }
      for delegate in node.delegates { found += try delegate.graph.declaredTools(in: box) }
    }
    return found
  }
}

import RasaCore
import RasaEngine
import RasaPersona
import RasaSystem
import RasaTools

// MARK: Lists

extension Rasa {
  /// A tool, or a server with tools, that a file declares.
  public struct ToolSummary: Sendable, Hashable, Identifiable {
    /// Whether it can be used. More states may come.
    public struct Status: Sendable, Hashable, Codable, CustomStringConvertible {
      private enum Kind: String, Sendable, Hashable, Codable {
        case ready, approved, unapproved, changed, untrusted
      }
      private let kind: Kind
      private init(_ kind: Kind) { self.kind = kind }

      /// It needs no approval before it is used: an HTTP or program tool, or a function of the program.
      public static let ready = Status(.ready)
      /// A server that somebody has approved.
      public static let approved = Status(.approved)
      /// A server that nobody has approved yet.
      public static let unapproved = Status(.unapproved)
      /// A server whose declaration, or what it offers, has changed since it was approved.
      public static let changed = Status(.changed)
      /// It is declared by a project that the user does not trust, so it is not started.
      public static let untrusted = Status(.untrusted)

      /// Such as `approved`.
      public var description: String { kind.rawValue }
    }

    /// As operators name it: `quote`, or `mcp:time` for all tools of a server.
    public var name: String
    /// `mcp`, `http`, `process`, or `function` for Swift code.
    public var kind: String
    /// What it is for, in the words of its file.
    public var description: String
    /// `none`, `idempotent` or `yes`; nil where the file says nothing, which counts as `yes`.
    public var sideEffects: String?
    /// `given`, `persona`, `project` or `user`: whose declaration it is. `program` for Swift code.
    public var scope: String
    /// The file that declares it; `registered` for Swift code.
    public var origin: String
    /// The line in that file.
    public var line: Int?
    /// Whether it can be used.
    public var status: Status
    /// How many tools an approved server has; nil for one that has never run.
    public var toolCount: Int?
    /// Where others of the same name are, which are not used.
    public var shadows: [String]

    /// The same as `name`.
    public var id: String { name }
  }

  /// What models and people are told about a tool.
  public struct OfferedTool: Sendable, Hashable, Identifiable {
    /// As operators name it: `quote`, `mcp:time/convert_time`.
    public var name: String
    /// What it does, in its author's words.
    public var description: String
    /// JSON Schema of its arguments.
    public var parameters: JSON
    /// JSON Schema of its result; nil where it does not say.
    public var output: JSON?
    /// `none`, `idempotent` or `yes`.
    public var sideEffects: String
    /// What a server calls it for people.
    public var title: String?
    /// What a server says of its effects, such as `readOnlyHint`; rasa believes none of it.
    public var annotations: JSON?

    /// The same as `name`.
    public var id: String { name }

    init(_ tool: RasaEngine.ToolDescription, pinned: PinnedTool? = nil) {
      title = pinned?.title
      annotations = pinned?.annotations.map { JSON($0) }
      name = tool.name
      description = tool.text
      parameters = JSON(tool.parameters)
      output = tool.output.map { JSON($0) }
      sideEffects = tool.sideEffects.rawValue
    }
  }

  /// A declaration with everything that is known about it without using it.
  public struct ToolDetails: Sendable, Hashable {
    /// As lists have it.
    public var summary: ToolSummary
    /// The entry in the words of its file, without secrets.
    public var declaration: JSON
    /// How it is started, and what it may reach, as labels and texts.
    public var access: [AccessLine]
    /// Its tools: one for anything but a server. Empty for a server that has never run.
    public var tools: [OfferedTool]
    /// Who approved a server.
    public var approvedBy: String?
    /// Since when, in milliseconds since 1970.
    public var approvedAt: Int64?
    /// What a server told models about itself when it was approved. rasa shows it to nobody but you.
    public var instructions: String?
    /// The tools that an approved server has and that are not offered.
    public var leftOut: [LeftOutTool] = []
    /// What has changed since the approval, as lines for people: of the declaration, or of what the server offers.
    public var changes: [String] = []
  }

  /// A tool of a server that is not offered to anybody.
  public struct LeftOutTool: Sendable, Hashable, Codable {
    /// Its name, as far as that can be shown.
    public var name: String
    /// What is wrong with it.
    public var reason: String

    init(_ refusal: MCPToolDefinition.Refusal) {
      name = refusal.name
      reason = refusal.reason
    }
  }

  /// One line of what a tool needs.
  public struct AccessLine: Sendable, Hashable, Codable {
    /// Such as `command` or `network`.
    public var label: String
    /// What it is.
    public var text: String
  }

  /// Every tool and server that files of the project and the user declare, and a persona's own, by name. Nothing is
  /// started. What is odd about files of other programs is reported as warnings.
  ///
  /// - Parameter persona: The persona whose tools are listed, too.
  public func tools(ofPersona persona: String? = nil) async throws(RasaError) -> [ToolSummary] {
    try await prepared { rasa throws(Failure) in
      let box = try rasa.toolBox(persona)
      rasa.warnAboutToolFiles()
      let isTrusted = try rasa.composition.untrustedChanges(startingTools: true) == nil
      var summaries = try box.catalogue().entries.map { entry throws(Failure) in
        try rasa.summary(entry, box, isTrusted: isTrusted)
      }
      for (name, tool) in rasa.definitions.tools where tool is RegisteredTool {
        summaries.append(
          ToolSummary(
            name: name, kind: "function", description: tool.description.text,
            sideEffects: tool.description.sideEffects.rawValue, scope: "program",
            origin: RegisteredDefinitions.origin, status: .ready, shadows: []))
      }
      return summaries.sorted { $0.name < $1.name }
    }
  }

  /// What a declaration says, and what an approved server offered when it was approved. Nothing is started.
  ///
  /// - Parameters:
  ///   - name: Its name, such as `quote`, `time`, `mcp:time` or `mcp:time/convert_time`.
  ///   - persona: The persona that declares it.
  public func details(
    ofTool name: String, ofPersona persona: String? = nil
  ) async throws(RasaError) -> ToolDetails {
    try await prepared { rasa throws(Failure) in
      let box = try rasa.toolBox(persona)
      var details = try rasa.details(of: box.entry(namedByPerson: name), in: box)
      guard case .server(_, let pattern?) = ToolReference(name), !details.tools.isEmpty else {
        return details
      }
      let all = details.tools
      let start = details.summary.name.utf8.count + 1
      details.tools = all.filter {
        ToolReference.matches(
          pattern, String(decoding: $0.name.utf8.dropFirst(start), as: UTF8.self))
      }
      guard details.tools.isEmpty else { return details }
      throw Failure(
        .usage, "the server `\(details.summary.name)` has no tool `\(pattern)`",
        suggestion: nearestName(to: name, among: all.map(\.name)).map { "did you mean `\($0)`?" }
          ?? "`rasa tools show \(details.summary.name)` lists its tools")
    }
  }

  func details(
    of entry: ToolCatalogue.Entry, in box: ToolBox
  ) throws(Failure) -> ToolDetails {
    let isTrusted = try composition.untrustedChanges(startingTools: true) == nil
    let declaration = entry.declaration
    let pin = declaration.isServer ? try box.parts.pins.pin(of: declaration) : nil
    var details = ToolDetails(
      summary: try summary(entry, box, isTrusted: isTrusted),
      declaration: JSON(RasaCore.Value.object(declaration.shown)),
      access: declaration.starting(in: box.parts.folder)
        .accessLines(with: pin?.access ?? declaration.usualAccess)
        .map { AccessLine(label: $0.label, text: $0.text) }, tools: [])
    details.approvedBy = pin?.by
    details.approvedAt = pin?.since.milliseconds
    if let pin {
      details.tools = declaration.offered(pin.offer?.tools ?? [])
      details.instructions = pin.offer?.instructions
      details.leftOut = pin.leftOut.map { LeftOutTool($0) }
      details.changes = pin.changed.flatMap { pin.difference(to: $0)?.lines } ?? []
    } else if declaration.isServer, let earlier = try box.parts.pins.earlierPin(of: declaration) {
      details.changes = PinDifference.lines(
        from: .object(earlier.declared), to: .object(declaration.shown), in: "declaration")
    } else if let only = declaration.ownDescription {
      details.tools = [OfferedTool(only)]
    }
    return details
  }

  private func summary(
    _ entry: ToolCatalogue.Entry, _ box: ToolBox, isTrusted: Bool
  ) throws(Failure) -> ToolSummary {
    let declaration = entry.declaration
    var summary = ToolSummary(
      name: declaration.reference, kind: declaration.kindName,
      description: declaration.description, sideEffects: declaration.sideEffects?.rawValue,
      scope: entry.scope.rawValue, origin: declaration.location.file,
      line: declaration.location.line > 0 ? declaration.location.line : nil, status: .ready,
      shadows: entry.shadows.map(\.description))
    if declaration.isServer, entry.scope != .given {
      let pin = try box.parts.pins.pin(of: declaration)
      summary.toolCount = pin?.offer?.tools.count
      if let pin {
        summary.status = pin.changed == nil ? .approved : .changed
      } else {
        summary.status =
          try box.parts.pins.earlierPin(of: declaration) == nil ? .unapproved : .changed
      }
    }
    if declaration.isProject, !isTrusted { summary.status = .untrusted }
    return summary
  }

  /// The tools as a persona has them.
  func toolBox(_ persona: String?) throws(Failure) -> ToolBox {
    guard let persona else { return services.tools }
    return services.tools.declaring(.persona, try composition.persona(persona).tools)
  }

  /// What is odd about the files of other clients, told once.
  func warnAboutToolFiles() {
    guard let declared = try? composition.declaredTools() else { return }
    for warning in declared.warnings { warn(warning) }
    for problem in declared.problems {
      warn(Warning("\(problem.message); this server is left out", at: problem.location))
    }
  }
}

extension ToolBox {
  /// The entry that a person means, who may leave `mcp:` out.
  func entry(namedByPerson name: String) throws(Failure) -> ToolCatalogue.Entry {
    let catalogue = try catalogue()
    if case .named(let plain) = ToolReference(name) {
      let parts = plain.split(atByte: "/", maxSplits: 1)
      if let entry = catalogue[parts.first.map(String.init) ?? ""],
        parts.count == 1 || entry.declaration.isServer
      {
        return entry
      }
    }
    do throws(Failure) {
      return try catalogue.entry(of: ToolReference(name))
    } catch {
      var failure = error
      failure.kind = .usage
      throw failure
    }
  }
}

extension ToolDeclaration {
  /// A tool that is no server, as it describes itself; nil for a server.
  var ownDescription: RasaEngine.ToolDescription? {
    var tool = RasaEngine.ToolDescription(
      name: name, text: description, sideEffects: sideEffects ?? .yes, dataFlow: dataFlow,
      origin: .http)
    switch kind {
    case .mcp: return nil
    case .http(let request):
      tool.parameters = request.parameters
      tool.output = request.output
    case .process(let program):
      tool.parameters = program.parameters
      tool.output = program.output
      tool.origin = .process
    }
    return tool
  }

  /// The tools of a server as they were when it was approved.
  func offered(_ tools: [PinnedTool]) -> [Rasa.OfferedTool] {
    tools.compactMap { tool in
      tool.description(under: self).map { Rasa.OfferedTool($0, pinned: tool) }
    }
  }
}

// MARK: Servers

extension Rasa {
  /// What came of starting a server.
  public struct ToolCheck: Sendable, Hashable {
    /// The tool or server, as operators name it.
    public var name: String
    /// `ok`, `note` for what need not be started, or `broken`.
    public var status: Diagnosis.Status
    /// What was found, for people.
    public var text: String
    /// As a server calls itself.
    public var title: String?
    /// The server's own version.
    public var version: String?
    /// The revision of the protocol that it speaks.
    public var revision: String?
    /// How many tools it has.
    public var toolCount: Int?
    /// The tools that it has and that are not offered.
    public var leftOut: [LeftOutTool] = []
    /// How long it took to start and to list its tools, in milliseconds.
    public var took: Int64
    /// Why it cannot be used.
    public var problem: RasaError?
  }

  /// Starts servers and has them list their tools, at the same time. Nothing is used.
  ///
  /// - Parameters:
  ///   - names: Servers and tools; all that are declared where none is named.
  ///   - persona: The persona whose tools count, too.
  public func checkTools(
    _ names: [String] = [], ofPersona persona: String? = nil
  ) async throws(RasaError) -> [ToolCheck] {
    try await redacted {
      let box = try toolBox(persona)
      warnAboutToolFiles()
      let entries =
        names.isEmpty
        ? try box.catalogue().entries : try names.map { try box.entry(namedByPerson: $0) }
      return try await withThrowingTaskGroup(of: (Int, ToolCheck).self) { group in
        for (place, entry) in entries.enumerated() {
          group.addTask { (place, await self.check(entry, box)) }
        }
        var checks: [(Int, ToolCheck)] = []
        for try await check in group { checks.append(check) }
        return checks.sorted { $0.0 < $1.0 }.map(\.1)
      }
    }
  }

  private func check(_ entry: ToolCatalogue.Entry, _ box: ToolBox) async -> ToolCheck {
    let declaration = entry.declaration
    let begun = composition.time.monotonic()
    var check = ToolCheck(name: declaration.reference, status: .ok, text: "", took: 0)
    do {
      if declaration.isServer {
        let server = try await box.connect(entry)
        check.title = server.title
        check.version = server.version
        check.revision = server.revision
        check.toolCount = server.tools.count
        let names = server.tools.map(\.description.nameOnServer)
        check.text =
          "\(server.title.isEmpty ? "it" : server.title) \(server.version) speaks \(server.revision) and has "
          + (names.isEmpty ? "no tools" : names.joined(separator: ", "))
        check.leftOut = server.refused.map { LeftOutTool($0) }
      } else {
        _ = try await box.tools(named: [declaration.name])
        check.text = "declared correctly; it is not used here"
      }
    } catch {
      let problem = RasaError(error, { composition.redaction($0) })
      check.status = .broken
      check.problem = problem
      check.text = problem.message
    }
    check.took = Int64((composition.time.monotonic() - begun) / 1_000_000)
    return check
  }

  /// What was approved of a server, and what it offers now.
  public struct ToolApproval: Sendable, Hashable {
    /// The server, as operators name it.
    public var name: String
    /// Its tools.
    public var tools: [OfferedTool]
    /// Those that it has and that are not offered.
    public var leftOut: [LeftOutTool]
    /// What differs from what was approved before, as lines for people; nil for the first approval.
    public var changes: [String]?
    /// The same as JSON documents have it.
    public var json: JSON
  }

  /// What a server may reach beyond what its declaration says.
  public struct ToolAccess: Sendable, Hashable {
    /// Hosts, as `name` or `name:port`; `*` for all of them.
    public var network: [String]
    /// Paths that it may read.
    public var read: [String]
    /// Paths that it may write.
    public var write: [String]

    /// Access to these hosts and paths.
    public init(network: [String] = [], read: [String] = [], write: [String] = []) {
      self.network = network
      self.read = read
      self.write = write
    }

    var sandbox: ToolSandbox {
      var sandbox = ToolSandbox()
      sandbox.network =
        network.contains("*") ? .all : network.isEmpty ? .none : .hosts(network)
      sandbox.read = read
      sandbox.write = write
      return sandbox
    }
  }

  /// What a server offers now, beside what was approved.
  public struct ToolReview: Sendable, Hashable {
    /// What has changed since the approval, as lines for people; empty if nothing has.
    public var changes: [String]
    let offer: ServerOffer
  }

  /// Starts a server that was approved before, and compares what it offers now with that. Nothing is approved.
  ///
  /// - Parameters:
  ///   - name: Its name, such as `time` or `mcp:time`.
  ///   - persona: The persona that declares it.
  ///   - access: What it may reach beyond its declaration; nil for what it was granted.
  /// - Returns: What to show before ``approve(toolServer:ofPersona:access:reviewed:)``; nil where nothing was approved
  ///   yet with which it could be compared.
  public func review(
    toolServer name: String, ofPersona persona: String? = nil, access: ToolAccess? = nil
  ) async throws(RasaError) -> ToolReview? {
    try await redacted {
      let box = try toolBox(persona)
      let entry = try box.entry(namedByPerson: name)
      guard let review = try await box.review(entry, access: access?.sandbox) else { return nil }
      var lines = review.changes.lines
      if let between = review.between {
        lines.append("in the meantime it offered something else again:")
        lines += between.lines
      }
      return ToolReview(changes: lines, offer: review.offer)
    }
  }

  /// Starts a server, and approves its declaration and what it offers now. From then on runs may start it, until
  /// either changes.
  ///
  /// - Parameters:
  ///   - name: Its name, such as `time` or `mcp:time`.
  ///   - persona: The persona that declares it.
  ///   - access: What it may reach beyond its declaration; nil for what such a server usually needs.
  ///   - reviewed: What was looked at before. If the server offers something else by now, that is an error, and nothing is
  ///     approved.
  @discardableResult
  public func approve(
    toolServer name: String, ofPersona persona: String? = nil, access: ToolAccess? = nil,
    reviewed: ToolReview? = nil
  ) async throws(RasaError) -> ToolApproval {
    try await redacted {
      let box = try toolBox(persona)
      let entry = try box.entry(namedByPerson: name)
      guard entry.declaration.isServer else {
        throw Failure(
          .usage, "`\(entry.declaration.name)` is no server, and needs no approval",
          suggestion: "approvals of its uses are asked for when it is used")
      }
      let (server, changes) = try await box.approve(
        entry, access: access?.sandbox, by: composition.user(nil), reviewed: reviewed?.offer)
      return ToolApproval(
        name: entry.declaration.reference,
        tools: server.tools.map { OfferedTool($0.description) },
        leftOut: server.refused.map { LeftOutTool($0) }, changes: changes?.lines,
        json: JSON(
          [
            "name": .string(entry.declaration.reference), "status": "approved",
            "tools": .array(server.tools.map { .string($0.description.name) }),
            "left_out": .array(
              server.refused.map { ["name": .string($0.name), "reason": .string($0.reason)] }),
            "changes": changes?.value ?? .null,
          ] as RasaCore.Value))
    }
  }

  /// Logs in to a remote server in the user's browser.
  ///
  /// - Parameters:
  ///   - name: Its name, such as `tickets` or `mcp:tickets`.
  ///   - persona: The persona that declares it.
  ///   - say: Gets lines for the person, with the address to open.
  public func login(
    toolServer name: String, ofPersona persona: String? = nil,
    say: @escaping @Sendable (String) async -> Void
  ) async throws(RasaError) {
    try await redacted {
      let entry = try toolBox(persona).entry(namedByPerson: name)
      if entry.declaration.isProject { try composition.requireTrust(startingTools: true) }
      try await composition.logins(services.client).login(
        to: entry.declaration, with: .browser(composition.environment, say: say))
    }
  }

  /// Forgets the login to a remote server.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  public func logout(
    toolServer name: String, ofPersona persona: String? = nil
  ) async throws(RasaError) -> Bool {
    try await redacted {
      let entry = try toolBox(persona).entry(namedByPerson: name)
      return try await composition.logins(services.client).logout(from: entry.declaration)
    }
  }
}

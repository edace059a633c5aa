package import RasaCore
import RasaDocuments

/// A file found among agents, classified by its path and contents.
///
/// Everything here is a function of the path and the bytes.
package struct ForeignFile: Sendable {
  package let document: SourceDocument
  package let what: What
  /// The parsed YAML, JSON or TOML.
  let node: DocumentNode?
  /// The parsed Markdown.
  let matter: FrontMatter?

  package enum What: Sendable, Hashable {
    case agent(AgentKind)
    case other(OtherFile)
    /// It is empty.
    case nothing
  }

  /// - Parameter kind: the kind that the user gave.
  package init(_ document: SourceDocument, as kind: AgentKind? = nil) throws(Failure) {
    self.document = document
    let place = AgentPath(document.path)
    switch place.ending {
    case .yaml, .json:
      let node =
        place.ending == .yaml
        ? try YAML.parse(document.bytes, file: document.path)
        : try JSON.document(document.bytes, file: document.path)
      (self.node, matter) = (node, nil)
      what = kind.map(What.agent) ?? Self.kind(of: node, place)
    case .toml:
      let node = try TOML.parse(document.bytes, file: document.path)
      (self.node, matter) = (node, nil)
      what = kind.map(What.agent) ?? Self.kind(ofTOML: node, place)
    case .markdown, .none:
      let matter = try FrontMatter.read(document.bytes, file: document.path)
      (node, self.matter) = (nil, matter)
      what = kind.map(What.agent) ?? Self.kind(of: matter, place)
    }
  }

  // MARK: Markdown

  private static func kind(of matter: FrontMatter, _ place: AgentPath) -> What {
    if let other = place.otherFile { return .other(other) }
    // A pattern has no front matter: a file that has some is classified by that.
    if let kind = place.kind, kind != .fabric || matter.node == nil { return .agent(kind) }
    guard matter.node != nil || matter.failure != nil else {
      if place.isDocumentation { return .other(.documentation) }
      return matter.body.trimmed.isEmpty ? .nothing : .agent(.prompt)
    }
    guard let node = matter.node, case .mapping(let entries) = node.content else {
      return .agent(.rasa)
    }
    return .agent(kind(ofKeys: entries))
  }

  /// Detects a field that only one of the tools has; a field that only rasa has decides.
  private static func kind(ofKeys entries: [DocumentNode.Entry]) -> AgentKind {
    var found: AgentKind?
    for entry in entries {
      if ownKeys.contains(entry.key) { return .rasa }
      if found == nil { found = distinctive[entry.key] }
      if entry.key == "mode", ["primary", "subagent", "all"].contains(entry.value.value.string) {
        found = .opencode
      }
      if entry.key == "mode", ["agent", "ask", "edit"].contains(entry.value.value.string) {
        found = .copilotPrompt
      }
    }
    return found ?? .rasa
  }

  private static let ownKeys = Set(AgentReader.keys).subtracting([
    "name", "description", "tools", "model", "color", "id", "category", "tags", "temperature",
    "max_turns", "maxTurns", "steps", "max_steps", "maxSteps", "limits", "agents",
  ])

  private static let distinctive: [String: AgentKind] = {
    var kinds: [String: AgentKind] = [:]
    for (kind, keys) in [
      (AgentKind.claude, ClaudeCode.distinctiveAgentKeys),
      (.claudeCommand, ClaudeCode.distinctiveCommandKeys), (.copilot, Copilot.distinctiveKeys),
      (.opencode, OpenCode.distinctiveKeys),
    ] {
      for key in keys { kinds[key] = kind }
    }
    return kinds
  }()

  // MARK: Data

  private static func kind(of node: DocumentNode, _ place: AgentPath) -> What {
    let other: OtherFile = place.ending == .json ? .json : .yaml
    guard case .mapping(let entries) = node.content else {
      if case .scalar(.null) = node.content { return .nothing }
      return .other(other)
    }
    let keys = Set(entries.map(\.key))
    if DockerAgent.isOne(node) { return .agent(.docker) }
    if OpenCode.isConfiguration(node, place) { return .agent(.opencode) }
    if keys.contains("jobs"), keys.contains("on") || keys.contains("true") {
      return .other(.workflow)
    }
    if keys.contains("frames") || keys.contains("state_stack") { return .other(.persona) }
    if keys.contains("kind"), keys.contains("reads") || keys.contains("writes") {
      return .other(.operator)
    }
    if GooseRecipe.isOne(node) { return .agent(.goose) }
    if keys.contains("services") { return .other(.compose) }
    return .other(other)
  }

  private static func kind(ofTOML node: DocumentNode, _ place: AgentPath) -> What {
    guard case .mapping(let entries) = node.content else { return .agent(.rasa) }
    let keys = Set(entries.map(\.key))
    if keys.contains("agent") || keys.contains("id") || keys.contains("prompt_path") {
      return .agent(.rasa)
    }
    if place.kind == .gemini || node["prompt"]?.value.string != nil { return .agent(.gemini) }
    let settings: Set = [
      "project", "tool", "build-system", "package", "workspace", "dependencies", "features",
    ]
    return keys.isDisjoint(with: settings) ? .agent(.rasa) : .other(.settings)
  }

  // MARK: Reading

  /// The front matter of a file in rasa's own form.
  func ownMatter() throws(Failure) -> FrontMatter {
    if case .other(let other) = what {
      throw Failure(
        .configuration, other.sentence(1, in: FilePlace.folder(of: document.path)),
        suggestion: "`rasa help import` lists the files that can be read",
        at: SourceLocation(file: document.path, line: 1, column: 1))
    }
    if let matter { return matter }
    throw Failure(
      .configuration, "the file is empty", suggestion: "write the agent, or remove the file",
      at: SourceLocation(file: document.path, line: 1, column: 1))
  }

  /// The agents in it, starting with the one that the file as a whole represents; empty for rasa's
  /// own form, and for a file that is not an agent.
  package func agents(engines: Set<String>) throws(Failure) -> [ForeignAgent] {
    guard case .agent(let kind) = what, kind != .rasa else { return [] }
    let place = AgentPath(document.path)
    var agents: [ForeignAgent]
    switch (node, matter) {
    case (nil, let matter?):
      switch kind {
      case .claude: agents = [ClaudeCode.agent(matter, place)]
      case .claudeCommand: agents = [ClaudeCode.command(matter, place)]
      case .copilot, .copilotChatMode, .copilotPrompt:
        agents = [Copilot.agent(matter, place, kind)]
      case .opencode, .opencodeCommand:
        agents = [OpenCode.agent(matter, place, kind, engines: engines)]
      case .fabric: agents = [FabricPattern.agent(matter, place)]
      case .prompt: agents = [PlainPrompt.agent(matter, place)]
      default: throw mismatch(kind)
      }
    case (let node?, _):
      switch kind {
      case .gemini: agents = [try GeminiCommand.agent(node, place)]
      case .goose: agents = [try GooseRecipe.agent(node, place, engines: engines)]
      case .docker: agents = try DockerAgent.agents(node, place, engines: engines)
      case .opencode: agents = try OpenCode.agents(node, place, engines: engines)
      default: throw mismatch(kind)
      }
    case (nil, nil): agents = []
    }
    for agent in agents where agent.prompt.trimmed.isEmpty {
      throw Failure(
        .configuration, "the \(kind.name) has no prompt",
        suggestion: "write its task, or remove the file", at: agent.promptLocation)
    }
    return agents
  }

  private func mismatch(_ kind: AgentKind) -> Failure {
    Failure(
      .configuration, "\(document.path) is not a \(kind.name)",
      suggestion: "omit the kind to detect it from path and contents")
  }
}

/// The last parts of a path.
package enum FilePlace {
  /// The name of an agent's file, without the parts that show its kind.
  package static func stem(of path: String) -> String { AgentPath(path).stem }

  package static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

/// What a path says about the file.
struct AgentPath {
  enum Ending { case markdown, yaml, json, toml, none }

  let path: String
  let file: String
  /// The folders above it, innermost last.
  private let folders: [Substring]

  init(_ path: String) {
    self.path = path
    var parts = path.split(atByte: "/", omittingEmpty: true)
    file = parts.popLast().map(String.init) ?? path
    folders = parts.map { Substring($0) }
  }

  var start: SourceLocation { SourceLocation(file: path, line: 1, column: 1) }

  var ending: Ending {
    let name = file.lowercased()
    if name.hasSuffix(".md") { return .markdown }
    if name.hasSuffix(".yaml") || name.hasSuffix(".yml") { return .yaml }
    if name.hasSuffix(".json") { return .json }
    if name.hasSuffix(".toml") { return .toml }
    return .none
  }

  private static let kindEndings: [(String, AgentKind)] = [
    (".agent.md", .copilot), (".chatmode.md", .copilotChatMode), (".prompt.md", .copilotPrompt),
  ]

  /// The name without its extension, including two-part ones.
  var stem: String {
    for (ending, _) in Self.kindEndings where file.lowercased().hasSuffix(ending) {
      return String(file.dropLast(ending.count))
    }
    return file.utf8.lastIndex(of: UInt8(ascii: ".")).map { String(file[..<$0]) } ?? file
  }

  /// The folder that the file is in.
  var folder: String? { folders.last.map(String.init) }

  /// The name of an agent whose tool uses file names. If the path does not show the tool, a valid
  /// ID in `name` is used instead.
  func name(saying name: DocumentNode?) -> String {
    guard kind == nil, let id = name?.value.string?.trimmed, AgentID.isValid(id) else {
      return stem
    }
    return id
  }

  /// The kind that the path or the name alone shows.
  var kind: AgentKind? {
    for (ending, kind) in Self.kindEndings where file.hasSuffix(ending) { return kind }
    if ending == .markdown, file.lowercased() == "system.md", folder != nil, folder != "agents" {
      return .fabric
    }
    for (index, part) in folders.enumerated().reversed() {
      let next = index + 1 < folders.count ? folders[index + 1] : ""
      switch (part, next, ending) {
      case (".claude", "agents", .markdown): return .claude
      case (".claude", "commands", .markdown): return .claudeCommand
      case (".github", "agents", .markdown), (".copilot", "agents", .markdown): return .copilot
      case (".github", "chatmodes", .markdown): return .copilotChatMode
      case (".github", "prompts", .markdown): return .copilotPrompt
      case (".opencode", "agent", .markdown), (".opencode", "agents", .markdown),
        ("opencode", "agent", .markdown), ("opencode", "agents", .markdown):
        return .opencode
      case (".opencode", "command", .markdown), (".opencode", "commands", .markdown),
        ("opencode", "command", .markdown), ("opencode", "commands", .markdown):
        return .opencodeCommand
      case (".gemini", "commands", .toml): return .gemini
      default: continue
      }
    }
    return nil
  }

  /// The other kind of file that the name shows, whatever it contains.
  var otherFile: OtherFile? {
    let name = file.lowercased()
    if name == "skill.md" { return .skill }
    if name.hasSuffix(".instructions.md") || name == "copilot-instructions.md" {
      return .instructions
    }
    return name == "readme.md" ? .documentation : nil
  }

  /// Whether Markdown without front matter is documentation for people or about a repository.
  var isDocumentation: Bool { Self.documentation.contains(file.lowercased()) }

  private static let documentation: Set<String> = [
    "changelog.md", "contributing.md", "license.md", "code_of_conduct.md",
    "security.md", "index.md", "agents.md", "claude.md", "gemini.md", "todo.md", "authors.md",
  ]
}

// MARK: Front matter of other tools

/// How a field of another tool's front matter is treated.
enum ForeignField {
  /// Stored under rasa's name.
  case ours(String)
  case unused
  /// Ignored silently.
  case ignored
}

extension ForeignAgent {
  /// Whether a field has the form that rasa expects: what other tools accept must not break an
  /// agent.
  private static func isReadable(_ entry: DocumentNode.Entry) -> Bool {
    switch (entry.key, entry.value.content) {
    case ("tools", .mapping(let tools)): tools.allSatisfy { $0.value.value.bool != nil }
    case ("tools", .sequence(let tools)), ("tags", .sequence(let tools)):
      tools.allSatisfy { if case .scalar = $0.content { true } else { false } }
    case ("tags", .mapping), ("color", .mapping), ("color", .sequence), ("category", .mapping),
      ("category", .sequence):
      false
    default: true
    }
  }

  /// Markdown with front matter: fields with the same meaning are kept, unknown ones are reported.
  init(
    _ kind: AgentKind, _ matter: FrontMatter, _ place: AgentPath, called name: String,
    rules: [String: ForeignField]
  ) {
    self.init(kind, called: name, at: matter.bodyLocation)
    prompt = matter.body
    failure = matter.failure
    repairs = matter.warnings
    guard let node = matter.node, case .mapping(let entries) = node.content else { return }
    for entry in entries {
      switch rules[entry.key] {
      case .ours(let key): put(key, entry.value, elseLeaving: entry.key)
      case .unused: leave(entry.key)
      case .ignored: break
      case nil:
        if AgentReader.keys.contains(entry.key), Self.isReadable(entry) {
          put(entry.key, entry.value)
        } else {
          leave(entry.key)
        }
      }
    }
  }
}

package import RasaCore
package import RasaPersona
import RasaSystem

/// A file or folder of other tools, converted to agents in rasa's form. Nothing is written.
package struct AgentImport: Sendable {
  /// One agent with its converted file.
  package struct Item: Sendable {
    package var id: String
    /// Relative to the agent folder that it goes to.
    package var name: String
    package var bytes: [UInt8]
    /// The file that it was read from.
    package var source: String
    package var kind: AgentKind
    /// Fields of its file that rasa does not support.
    package var unused: [String]
    /// The ID, if another agent already has it.
    package var wanted: String?
  }

  package private(set) var items: [Item] = []
  /// Files that are not agents, and what they are.
  package private(set) var others: [(file: String, what: OtherFile)] = []
  /// TOML files already in rasa's form, which are not converted.
  package private(set) var own: [String] = []
  /// Files that cannot be read but were meant to be agents.
  package private(set) var failures: [Failure] = []
  package private(set) var warnings: [Warning] = []

  private let kind: AgentKind?
  private let engines: Set<String>
  private var ids: Set<String> = []

  /// - Parameter kind: only files of this kind, regardless of their path and contents.
  package init(
    from path: String, as kind: AgentKind? = nil, engines: Set<String>,
    limits: ScanLimits = ScanLimits()
  ) throws(Failure) {
    self.kind = kind
    self.engines = engines
    switch FileSystem.status(of: path)?.kind {
    case .folder?: try readFolder(path, limits)
    case .file?:
      read(
        path, category: nil,
        from: { () throws(Failure) in
          try FileSystem.read(path, limit: AgentFile.largest)
        })
    case nil:
      throw Failure(.usage, "there is no file or folder \(path)", suggestion: "check the path")
    default:
      throw Failure(
        .usage, "\(path) is neither a file nor a folder",
        suggestion: "name a file, or a folder of them")
    }
  }

  // MARK: Looking

  /// Where tools keep files that can become agents, in a project or a home folder.
  private static let places =
    AgentRoots.projectTools + [
      ".claude/commands", ".github/prompts", ".opencode/command", ".opencode/commands",
      ".gemini/commands", ".copilot/agents", ".config/opencode/agent", ".config/opencode/agents",
      ".config/opencode/command",
    ]

  /// In a project only the tools' folders are read: other files are its own business.
  private mutating func readFolder(_ folder: String, _ limits: ScanLimits) throws(Failure) {
    let last = folder.split(separator: "/").last.map(String.init) ?? folder
    var places = Self.places
    places += Self.places.compactMap { place in
      place.hasPrefix("\(last)/") ? String(place.dropFirst(last.utf8.count + 1)) : nil
    }
    var roots = places.map { AgentRoot(files: FileRoot($0, beneath: folder)) }
      .filter { if case .there(.folder, _) = $0.files.standing { true } else { false } }
    let configuration = AgentRoots.join(folder, "opencode.json")
    let hasConfiguration = FileSystem.kind(of: configuration) == .file
    if roots.isEmpty, !hasConfiguration {
      // Otherwise every text of a repository would count as a prompt.
      guard kind != nil || !FileSystem.exists(AgentRoots.join(folder, ".git")) else {
        throw Failure(
          .usage, "\(folder) is a repository without a folder of another tool",
          suggestion: "name the folder with the files, or give their kind with `--from KIND`")
      }
      roots = [AgentRoot(files: FileRoot(folder))]
    }
    if hasConfiguration, kind == nil || kind == .opencode {
      read(configuration, category: nil) { () throws(Failure) in
        try FileRoot(folder).read("opencode.json", limit: AgentFile.largest)
      }
    }
    let tree = AgentFileTree(roots, limits: limits)
    warnings += tree.warnings
    for file in tree.files where !file.isShipped {
      read(file.path, category: file.category) { () throws(Failure) in
        let root = roots[file.root]
        return try root.files.read(root.path(of: file.path) ?? "", limit: AgentFile.largest)
      }
    }
  }

  // MARK: Reading

  private mutating func read(
    _ path: String, category: String?, from bytes: () throws(Failure) -> [UInt8]
  ) {
    if let kind, !Self.endings(of: kind).contains(where: { path.lowercased().hasSuffix($0) }) {
      return
    }
    do throws(Failure) {
      let document = SourceDocument(bytes: try bytes(), path: path)
      let file = try ForeignFile(document, as: kind)
      switch file.what {
      case .nothing: return
      case .other(let what): others.append((path, what))
      case .agent(.rasa): try takeOwn(document, category)
      case .agent(let kind):
        var category = category
        if kind == .fabric {
          category = category.map(FilePlace.folder).flatMap { $0 == "." ? nil : $0 }
        }
        // Of a file with several agents all are imported, or none.
        let count = items.count
        do throws(Failure) {
          for agent in try file.agents(engines: engines) {
            if let failure = agent.failure { throw failure }
            try take(agent, path, category)
          }
        } catch {
          for item in items.suffix(from: count) { ids.remove(item.id) }
          items.removeSubrange(count...)
          throw error
        }
      }
    } catch {
      failures.append(error)
    }
  }

  private static func endings(of kind: AgentKind) -> [String] {
    switch kind {
    case .gemini: [".toml"]
    case .goose, .docker: [".yaml", ".yml", ".json"]
    case .opencode: [".md", ".json"]
    case .rasa: [".md", ".toml"]
    default: [".md"]
    }
  }

  private mutating func take(
    _ agent: ForeignAgent, _ path: String, _ category: String?
  ) throws(Failure) {
    var agent = agent
    let wanted = agent.id
    agent.rename(to: freeID(wanted, agent.kind))
    let item = Item(
      id: agent.id, name: Self.name(agent.id, category),
      bytes: Array(agent.text(from: path).utf8), source: path, kind: agent.kind,
      unused: agent.unused, wanted: agent.id == wanted ? nil : wanted)
    let read = AgentLoader.load(
      AgentDocuments(
        prompt: SourceDocument(bytes: item.bytes, path: item.name), fileName: item.id),
      engines: engines)
    if let failure = read.failures.first {
      throw Failure(
        .configuration, failure.message, suggestion: failure.suggestion,
        at: SourceLocation(file: path, line: 0, column: 0))
    }
    ids.insert(agent.id)
    items.append(item)
  }

  /// Markdown that is already an agent.
  private mutating func takeOwn(
    _ document: SourceDocument, _ category: String?
  ) throws(Failure) {
    guard document.path.lowercased().hasSuffix(".md") else { return own.append(document.path) }
    let stem = FilePlace.stem(of: document.path)
    let loaded = try AgentLoader.load(
      AgentDocuments(prompt: document, fileName: stem), engines: engines
    ).get()
    guard ids.insert(loaded.agent.id).inserted else {
      throw Failure(
        .configuration, "another file is already the agent `\(loaded.agent.id)`",
        suggestion: "give one of them another `name`",
        at: SourceLocation(file: document.path, line: 0, column: 0))
    }
    items.append(
      Item(
        id: loaded.agent.id, name: Self.name(stem, category), bytes: document.bytes,
        source: document.path, kind: .rasa, unused: []))
  }

  private static func name(_ stem: String, _ category: String?) -> String {
    (category.map { "\($0)/" } ?? "") + stem + ".md"
  }

  /// Two tools may both have a `review`.
  private func freeID(_ id: String, _ kind: AgentKind) -> String {
    guard ids.contains(id) else { return id }
    let named = "\(id)-\(kind.rawValue)"
    if !ids.contains(named) { return named }
    var number = 2
    while ids.contains("\(id)-\(number)") { number += 1 }
    return "\(id)-\(number)"
  }
}

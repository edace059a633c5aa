import RasaCore
package import RasaSystem

/// The folders that are searched for agents.
package struct AgentRoots: Sendable, Hashable {
  /// The folder that contains `./agents`.
  package var project: String
  /// The user's own folder of files.
  package var home: String
  /// The folders whose `agents` are shared by everyone who works in them.
  package var workspaces: [String]
  /// The user's folder under its old name.
  package var olderHome: String?
  /// Whether shipped agents count too.
  package var includesShipped: Bool
  /// Those of `workspaces` with an old name.
  package var olderWorkspaces: Set<String> = []
  /// The folders of other tools in a project, relative to it.
  package var projectTools = Self.projectTools
  /// The user's folders of other tools.
  package var userTools: [String] = []
  /// The user's home, whose `.claude/agents` does not belong to a project.
  package var userHome: String?

  package init(
    project: String = ".", home: String, workspaces: [String] = [], olderHome: String? = nil,
    includesShipped: Bool = true
  ) {
    self.project = project
    self.home = home
    self.workspaces = workspaces
    self.olderHome = olderHome
    self.includesShipped = includesShipped
  }

  /// Those of a user in the current folder.
  package init(_ folders: RasaFolders, _ environment: Environment) {
    self.init(
      home: folders.configuration,
      workspaces: [environment["RASA_WORKSPACE"], environment["RADIUM_WORKSPACE"]]
        .compactMap { $0 },
      olderHome: environment["HOME"].map { "\($0)/.radium" })
    if let older = environment["RADIUM_WORKSPACE"], older != environment["RASA_WORKSPACE"] {
      olderWorkspaces = [older]
    }
    userHome = environment["HOME"]
    guard let home = environment["HOME"] else { return }
    let configuration = environment["XDG_CONFIG_HOME"].flatMap { $0.hasBytePrefix("/") ? $0 : nil }
    let opencode = "\(configuration ?? "\(home)/.config")/opencode"
    userTools = [
      "\(home)/.claude/agents", "\(home)/.copilot/agents", "\(opencode)/agent",
      "\(opencode)/agents",
    ]
  }

  /// Keeps only the project's own folder, the user's folder, and the shipped agents.
  package mutating func isolate() {
    workspaces = []
    olderHome = nil
    olderWorkspaces = []
    projectTools = []
    userTools = []
    userHome = nil
  }

  /// Where other tools keep agents in a project.
  package static let projectTools = [
    ".claude/agents", ".github/agents", ".github/chatmodes", ".opencode/agent", ".opencode/agents",
  ]
}

/// A folder with agents in it.
struct AgentRoot: Sendable, Hashable {
  /// How its files are read. Shipped agents have one too, which is not a folder.
  var files: FileRoot
  var isShipped: Bool = false
  /// Whether it belongs to the current project.
  var isProject: Bool = false
  /// What to do about a folder with an old name.
  var suggestion: String?

  /// The name in messages.
  var path: String { files.folder }

  static let shipped = AgentRoot(
    files: FileRoot("\(AgentFile.shippedPrefix)agents"), isShipped: true)

  /// The path of a file relative to it; nil for one elsewhere.
  func path(of file: String) -> String? {
    file.hasPrefix(path + "/") ? String(file.dropFirst(path.utf8.count + 1)) : nil
  }

  var origin: String { isShipped ? "shipped" : path }
}

extension AgentRoots {
  /// The roots that exist, in order of precedence.
  func roots(_ report: (Warning) -> Void) -> [AgentRoot] {
    var roots: [AgentRoot] = []
    for root in candidates(report) {
      switch root.files.standing {
      case .nothing: continue
      case .there(.folder, _): roots.append(root)
      case .there:
        report(Warning("\(root.path) is not a folder, so it is not searched for agents"))
      case .outside:
        report(
          Warning("\(root.path) is behind a link that leads elsewhere, so it is skipped"))
      }
    }
    return includesShipped ? roots + [.shipped] : roots
  }

  /// The folders that contain roots, whether they exist or not.
  var watched: [String] { candidates { _ in }.map(\.path) + extensionFolders }

  private func candidates(_ report: (Warning) -> Void) -> [AgentRoot] {
    var roots = [
      isProjectOwn
        ? AgentRoot(files: FileRoot(Self.join(project, "agents"), links: .anywhere))
        : AgentRoot(files: FileRoot("agents", beneath: project), isProject: true)
    ]
    roots += homes.map {
      AgentRoot(
        files: FileRoot(Self.join($0, "agents"), links: .anywhere),
        suggestion: $0 == home ? nil : "move them to \(Self.join(home, "agents"))")
    }
    roots += workspaces.map {
      AgentRoot(
        files: FileRoot("agents", beneath: $0),
        suggestion: olderWorkspaces.contains($0)
          ? "set RASA_WORKSPACE instead of RADIUM_WORKSPACE" : nil)
    }
    for folder in projectExtensions {
      guard case .there(.folder, _) = FileRoot(folder, beneath: project).standing else { continue }
      let path = Self.join(project, folder)
      roots += extensions(in: path, report).map {
        AgentRoot(
          files: FileRoot("\(folder)/\($0)/agents", beneath: project), isProject: true,
          suggestion: folder.hasPrefix(".radium")
            ? "move the extension to \(Self.join(project, ".rasa/extensions"))" : nil)
      }
    }
    // Extensions made by others stay in their folder, which the user may have linked here.
    for place in homes {
      let folder = Self.join(place, "extensions")
      roots += extensions(in: folder, report).map {
        AgentRoot(
          files: FileRoot("agents", beneath: Self.join(folder, $0)),
          suggestion: place == home
            ? nil : "move the extension to \(Self.join(home, "extensions"))")
      }
    }
    // rasa's own folders take precedence over those of other tools.
    if !isProjectHome {
      roots += projectTools.map {
        AgentRoot(files: FileRoot($0, beneath: project), isProject: true)
      }
    }
    roots += userTools.map { AgentRoot(files: FileRoot($0, links: .anywhere)) }
    return roots
  }

  private var isProjectHome: Bool {
    guard let userHome, let home = FileSystem.status(of: userHome)?.stamp.identity else {
      return false
    }
    return FileSystem.status(of: project)?.stamp.identity == home
  }

  private var homes: [String] { [home] + (olderHome.map { [$0] } ?? []) }

  /// Whether the project's folder is the user's own.
  private var isProjectOwn: Bool {
    guard let identity = FileSystem.status(of: project)?.stamp.identity else { return false }
    return homes.contains { FileSystem.status(of: $0)?.stamp.identity == identity }
  }

  private var projectExtensions: [String] { [".rasa/extensions", ".radium/extensions"] }

  private var extensionFolders: [String] {
    projectExtensions.map { Self.join(project, $0) } + homes.map { Self.join($0, "extensions") }
  }

  private func extensions(in folder: String, _ report: (Warning) -> Void) -> [String] {
    guard FileSystem.status(of: folder)?.kind == .folder else { return [] }
    do throws(Failure) {
      return try FileSystem.survey(folder, limit: 10_000) { _ in false }
        .filter { $0.kind == .folder }.compactMap(\.name)
    } catch {
      report(Warning(error.message))
      return []
    }
  }

  /// The folders, beside that of its agent, to which a prompt's path may be relative.
  var promptFolders: [String] { [project] + workspaces }

  static func join(_ folder: String, _ name: String) -> String {
    folder == "." ? name : folder.hasByteSuffix("/") ? folder + name : "\(folder)/\(name)"
  }
}

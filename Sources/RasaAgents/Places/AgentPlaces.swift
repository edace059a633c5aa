import RasaCore
package import RasaSystem

/// Where agents are looked for.
package struct AgentPlaces: Sendable, Hashable {
  /// The folder that `./agents` stands in.
  package var project: String
  /// The user's own folder of files.
  package var home: String
  /// The folders whose `agents` everybody shares that works in them.
  package var workspaces: [String]
  /// The user's folder under the name that older trees have it by.
  package var olderHome: String?
  /// Whether what ships in the program counts too.
  package var includesShipped: Bool

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

  /// Those of a user in the working folder.
  package init(_ folders: RasaFolders, _ environment: Environment) {
    self.init(
      home: folders.configuration,
      workspaces: [environment["RASA_WORKSPACE"], environment["RADIUM_WORKSPACE"]]
        .compactMap { $0 },
      olderHome: environment["HOME"].map { "\($0)/.radium" })
  }
}

/// A folder with agents in it.
struct AgentRoot: Sendable, Hashable {
  /// As messages show it. What ships has one too, which is no folder.
  var path: String
  var isShipped: Bool = false

  static let shipped = AgentRoot(path: "\(AgentFile.shippedPrefix)agents", isShipped: true)

  var origin: String { isShipped ? "shipped" : path }
}

extension AgentPlaces {
  /// The roots that are there, those first that win.
  func roots(_ report: (Warning) -> Void) -> [AgentRoot] {
    var roots: [AgentRoot] = []
    for path in candidates(report) {
      guard let status = FileSystem.status(of: path) else { continue }
      if status.kind == .folder {
        roots.append(AgentRoot(path: path))
      } else {
        report(Warning("\(path) is no folder, so no agents are looked for in it"))
      }
    }
    return includesShipped ? roots + [.shipped] : roots
  }

  /// The folders that roots are in, whether they are there or not.
  var watched: [String] { candidates { _ in } + extensionFolders }

  private func candidates(_ report: (Warning) -> Void) -> [String] {
    var paths = ([project] + homes + workspaces).map { Self.join($0, "agents") }
    for folder in extensionFolders {
      paths += extensions(in: folder, report).map { Self.join(folder, "\($0)/agents") }
    }
    return paths
  }

  private var homes: [String] { [home] + (olderHome.map { [$0] } ?? []) }

  private var extensionFolders: [String] {
    [".rasa", ".radium"].map { Self.join(project, "\($0)/extensions") }
      + homes.map { Self.join($0, "extensions") }
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

  /// The folders that a prompt's path may be meant from, beside that of its agent.
  var promptFolders: [String] { [project] + workspaces }

  static func join(_ folder: String, _ name: String) -> String {
    folder == "." ? name : folder.hasByteSuffix("/") ? folder + name : "\(folder)/\(name)"
  }
}

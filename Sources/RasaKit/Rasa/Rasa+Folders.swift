import RasaCore
import RasaSystem

extension Rasa {
  /// Where a `Rasa` keeps and finds its files.
  public struct Folders: Sendable, Hashable {
    /// The user's `agents/`, `personas/`, `operators/`, `models/` and `config.yaml`.
    public var configuration: String
    /// What must not be lost: the database.
    public var data: String
    /// What can be made again: the index of agents, vectors, histories of lines.
    public var state: String
    /// The file with runs, costs and memories. It need not exist yet.
    public var database: String
    /// The folder whose own files go before the user's.
    public var project: String
  }

  /// Where files are kept and found.
  public var folders: Folders {
    Folders(
      configuration: composition.folders.configuration, data: composition.folders.data,
      state: composition.folders.state, database: composition.databasePath,
      project: composition.project)
  }

  /// Whether the project's folder is the one with the user's own files, so that nothing in it takes the
  /// place of anything.
  public var isProjectOwn: Bool { composition.isProjectOwn }

  /// A folder that definitions are written to.
  public struct Destination: Sendable, Hashable {
    enum Place: Sendable, Hashable { case project, user, folder(String) }
    let place: Place

    /// The project's own folder of agents, personas or operators.
    public static let project = Destination(place: .project)
    /// The user's own folder of agents, personas or operators.
    public static let user = Destination(place: .user)
    /// A folder by its path. It may be a link; what is written stays in it.
    public static func folder(_ path: String) -> Destination {
      Destination(place: .folder(path))
    }
  }

  /// - Parameter name: `agents`, `personas` or `operators`.
  /// - Returns: the folder as messages name it, and as it is written to.
  func root(_ destination: Destination, _ name: String) -> (folder: String, root: FileRoot) {
    switch destination.place {
    case .folder(let folder): return (folder, FileRoot(folder))
    case .user:
      let own = FileSystem.path(name, in: composition.folders.configuration)
      return (own, FileRoot(own, links: .anywhere))
    case .project:
      let folder = FileSystem.path(name, in: composition.project)
      return (
        folder,
        composition.isProjectOwn
          ? FileRoot(folder, links: .anywhere) : FileRoot(name, beneath: composition.project)
      )
    }
  }
}

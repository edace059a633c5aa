import RasaCore
import RasaSystem

extension Rasa {
  /// What the files of a folder change of what rasa would do without them: which of the user's own and
  /// the shipped files they take the place of, and where questions go instead.
  public struct ProjectChanges: Sendable, Hashable {
    /// The folder, without links.
    public var folder: String
    /// A line for each change.
    public var lines: [String]
    /// The files that changed since the user trusted the folder; empty where it was not trusted.
    public var changedFiles: [String]
    /// Why a run in the folder is refused, and what to do about it.
    public var refusal: RasaError

    /// Whether nothing changes, so that no trust is needed.
    public var isEmpty: Bool { lines.isEmpty }

    let own: RasaKit.ProjectChanges

    init(_ changes: RasaKit.ProjectChanges, changed: [String] = []) {
      own = changes
      folder = changes.project
      lines = changes.lines + changes.offers
      changedFiles = changed
      refusal = RasaError(changes.refusal(changed: changed))
    }
  }

  /// A folder whose files the user has agreed to.
  public struct TrustedProject: Sendable, Hashable, Codable, Identifiable {
    /// The folder, without links.
    public var folder: String
    /// The files that were agreed to, by their paths from the folder, sorted.
    public var files: [String]
    /// Since when, in milliseconds since 1970.
    public var since: Int64
    /// The same as `folder`.
    public var id: String { folder }
  }

  private var trustedFolders: TrustedProjects { TrustedProjects(composition.folders) }

  /// What the files of this `Rasa`'s project change and the user has not agreed to; nil when there is
  /// nothing. A run is refused as long as there is something.
  ///
  /// - Parameter startingTools: Whether the tools that the project's files declare count. They are not started before
  ///   the user trusts the project.
  public func untrustedChanges(
    startingTools: Bool = false
  ) async throws(RasaError) -> ProjectChanges? {
    try await prepared { rasa throws(Failure) in
      try rasa.composition.untrustedChanges(startingTools: startingTools).map {
        ProjectChanges($0.changes, changed: $0.changed)
      }
    }
  }

  /// Agrees, for as long as this `Rasa` lasts, to whatever its project's files change.
  public func trustProjectOnce() { composition.trust.give() }

  /// The folders that the user trusts, by path.
  public func trustedProjects() async throws(RasaError) -> [TrustedProject] {
    try await prepared { rasa throws(Failure) in
      try rasa.trustedFolders.read().map {
        TrustedProject(
          folder: $0.path, files: $0.files.keys.sorted(), since: $0.since.milliseconds)
      }
    }
  }

  /// Trusts a folder's files as they are now, in this and in every later process.
  ///
  /// - Parameter folder: The folder of a project; nil for that of this `Rasa`.
  /// - Returns: What they change. Where that is nothing, no trust is needed, and none is kept.
  /// - Throws: A `RasaError` of code `usage` when it is not a folder.
  @discardableResult
  public func trust(project folder: String? = nil) async throws(RasaError) -> ProjectChanges {
    try await prepared { rasa throws(Failure) in
      var composition = rasa.composition
      if let folder {
        guard FileSystem.kind(of: folder) == .folder else {
          throw Failure(
            .usage, "\(folder) is not a folder", suggestion: "name the folder of a project")
        }
        composition = try CompositionRoot(environment: composition.environment, project: folder)
      }
      let changes = try composition.projectChanges()
      if !changes.isEmpty { try rasa.trustedFolders.add(changes, at: composition.time.now()) }
      return ProjectChanges(changes)
    }
  }

  /// Trusts a folder's files as they were when somebody was shown what they change, in this and in every
  /// later process.
  public func trust(_ changes: ProjectChanges) async throws(RasaError) {
    try await prepared { rasa throws(Failure) in
      try rasa.trustedFolders.add(changes.own, at: rasa.composition.time.now())
    }
  }

  /// Trusts a folder no longer.
  ///
  /// - Parameter folder: Its path. A folder that is gone is named as it was.
  /// - Returns: The folder, without links.
  /// - Throws: A `RasaError` of code `usage` when it was not trusted.
  @discardableResult
  public func distrust(project folder: String) async throws(RasaError) -> String {
    try await prepared { rasa throws(Failure) in
      let path = FileSystem.realPath(folder) ?? folder
      guard try rasa.trustedFolders.remove(path) else {
        throw Failure(
          .usage, "\(path) is not trusted",
          suggestion: "`rasa trust list` shows the trusted folders")
      }
      return path
    }
  }
}

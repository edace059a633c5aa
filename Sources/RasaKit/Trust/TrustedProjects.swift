package import RasaCore
import RasaDocuments
package import RasaSystem

/// The folders that the user has said they trust: `trust.json` in the user's own folder.
///
/// A folder is kept by its path without links, with the digest of each file that was agreed to.
package struct TrustedProjects: Sendable {
  package struct Project: Sendable, Hashable {
    package var path: String
    package var files: [String: String]
    package var since: Timestamp
  }

  private let root: FileRoot
  private static let name = "trust.json"
  private static let largest = 10_000_000

  package init(_ folders: RasaFolders) {
    root = FileRoot(folders.configuration, links: .anywhere)
  }

  package var path: String { FileSystem.path(Self.name, in: root.folder) }

  /// All of them, by path.
  package func read() throws(Failure) -> [Project] {
    guard let bytes = try root.readIfPresent(Self.name, limit: Self.largest) else { return [] }
    let document: Value
    do throws(Failure) {
      document = try JSON.parse(bytes, named: path)
    } catch {
      throw Failure(
        .configuration, "\(path) cannot be read: \(error.message)",
        suggestion: "mend it, or remove it: then you are asked again", at: error.location)
    }
    return (document["projects"].object ?? ValueObject()).map { path, project in
      var files: [String: String] = [:]
      for (name, digest) in project["files"].object ?? ValueObject() {
        files[name] = digest.string
      }
      return Project(
        path: path, files: files,
        since: Timestamp(milliseconds: project["since_ms"].int ?? 0))
    }
  }

  package func project(_ path: String) throws(Failure) -> Project? {
    try read().first { $0.path == path }
  }

  package func add(_ changes: ProjectChanges, at time: Timestamp) throws(Failure) {
    var projects = try read().filter { $0.path != changes.project }
    let files = changes.files.merging(changes.offeredFiles) { one, _ in one }
    projects.append(Project(path: changes.project, files: files, since: time))
    try write(projects)
  }

  /// Whether it was there.
  package func remove(_ path: String) throws(Failure) -> Bool {
    let projects = try read()
    let kept = projects.filter { $0.path != path }
    if kept.count != projects.count { try write(kept) }
    return kept.count != projects.count
  }

  private func write(_ projects: [Project]) throws(Failure) {
    var all = ValueObject()
    for project in projects.sorted(by: { $0.path < $1.path }) {
      let files = project.files.sorted { $0.key < $1.key }.map { ($0.key, Value.string($0.value)) }
      all[project.path] = [
        "since_ms": .int(project.since.milliseconds), "files": .object(ValueObject(files)),
      ]
    }
    let document: Value = ["version": 1, "projects": .object(all)]
    try root.write(document.json(.pretty) + "\n", to: Self.name)
  }
}

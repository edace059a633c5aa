import RasaCore
import RasaDocuments
import RasaSystem

/// All files that may be agents, in the order in which they win.
struct AgentTree: Sendable {
  private(set) var files: [AgentFile] = []
  /// Every folder that was looked into.
  private(set) var folders: [String] = []
  private(set) var warnings: [Warning] = []
  private var seen: Set<FileIdentity> = []
  private let limits: AgentLimits
  private var isFull = false

  init(_ roots: [AgentRoot], limits: AgentLimits) {
    self.limits = limits
    for (number, root) in roots.enumerated() where !isFull {
      if root.isShipped {
        addShipped(number)
      } else {
        walk(root.path, category: nil, depth: 0, root: root, number: number)
      }
    }
  }

  /// A folder that can be reached in two ways, or that leads back into itself, is gone into once.
  private mutating func walk(
    _ path: String, category: String?, depth: Int, root: AgentRoot, number: Int
  ) {
    guard let status = FileSystem.status(of: path), seen.insert(status.stamp.identity).inserted
    else { return }
    folders.append(path)
    let entries: [FileSystem.SurveyedEntry]
    do throws(Failure) {
      entries = try FileSystem.survey(path, limit: limits.entries) { name in
        if case .other = AgentFileName(name) { false } else { true }
      }
    } catch {
      warnings.append(Warning("\(error.message), so its agents are left out"))
      return
    }
    for entry in entries where !isFull {
      guard let name = entry.name else {
        warnings.append(
          Warning(
            "the name of \(AgentPlaces.join(path, entry.shown)) is not UTF-8, so it is left out"))
        continue
      }
      let place = AgentPlaces.join(path, name)
      switch entry.kind {
      case .folder:
        guard depth < limits.depth else {
          warnings.append(
            Warning("\(place) is more than \(limits.depth) folders deep, so it is left out"))
          continue
        }
        walk(
          place, category: category.map { "\($0)/\(name)" } ?? name, depth: depth + 1, root: root,
          number: number)
      case .file: add(place, name, category, entry.stamp, root, number)
      case .other:
        warnings.append(
          Warning(
            entry.stamp == nil
              ? "\(place) is a link to nothing" : "\(place) is no regular file, so it is left out"))
      }
    }
  }

  private mutating func add(
    _ path: String, _ name: String, _ category: String?, _ stamp: FileStamp?, _ root: AgentRoot,
    _ number: Int
  ) {
    guard let stamp else { return }
    guard files.count < limits.files else {
      isFull = true
      warnings.append(
        Warning("there are more than \(limits.files) files, so those after \(path) are left out"))
      return
    }
    let isConfig = if case .config = AgentFileName(name.utf8.span) { true } else { false }
    files.append(
      AgentFile(
        path: path, root: number, origin: root.origin, category: category,
        stem: AgentFileName.stem(name), isConfig: isConfig, stamp: stamp))
  }

  private mutating func addShipped(_ number: Int) {
    let folder = "agents/"
    for path in EmbeddedFiles.names.sorted() where path.hasBytePrefix(folder) {
      let parts = path.dropFirst(folder.count).split(separator: "/")
      guard let name = parts.last else { continue }
      if case .other = AgentFileName(name.utf8.span) { continue }
      add(
        AgentFile.shippedPrefix + path, String(name),
        parts.count > 1 ? parts.dropLast().joined(separator: "/") : nil, AgentFile.shippedStamp,
        .shipped, number)
    }
  }
}

/// How much is looked at, so that no tree takes for ever.
package struct AgentLimits: Sendable, Hashable {
  /// Folders below each other.
  package var depth: Int
  /// Files that may be agents, of all roots together.
  package var files: Int
  /// Entries of one folder.
  package var entries: Int

  package init(depth: Int = 32, files: Int = 100_000, entries: Int = 1_000_000) {
    self.depth = depth
    self.files = files
    self.entries = entries
  }
}

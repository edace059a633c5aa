import RasaCore
import RasaSystem

/// All files that may be agents, in order of precedence.
struct AgentFileTree: Sendable {
  private(set) var files: [AgentFile] = []
  /// Every folder that was visited.
  private(set) var folders: [String] = []
  private(set) var warnings: [Warning] = []
  private var seen: Set<FileIdentity> = []
  private let limits: ScanLimits
  private var isFull = false
  /// The number of visited folders that a user's link leads to.
  private var linkedFolders = 0

  init(_ roots: [AgentRoot], limits: ScanLimits) {
    self.limits = limits
    for (number, root) in roots.enumerated() where !isFull {
      if root.isShipped {
        addShipped(number)
      } else {
        walk(root.path, category: nil, depth: 0, root: root, number: number)
      }
    }
  }

  /// A folder that is reachable in two ways, or that contains a link to itself, is visited once.
  private mutating func walk(
    _ path: String, category: String?, depth: Int, root: AgentRoot, number: Int
  ) {
    guard let status = FileSystem.status(of: path), seen.insert(status.stamp.identity).inserted
    else { return }
    guard folders.count < limits.folders else {
      isFull = true
      warnings.append(
        Warning(
          "there are more than \(limits.folders) folders, so \(path) and what follows is skipped"))
      return
    }
    folders.append(path)
    let entries: [FileSystem.ScannedEntry]
    do throws(Failure) {
      entries = try FileSystem.survey(path, limit: limits.entries) { name in
        if case .other = AgentFileName(name) { false } else { true }
      }
    } catch {
      warnings.append(Warning("\(error.message), so its agents are skipped"))
      return
    }
    // The contents of a skill belong to it.
    if category != nil, entries.contains(where: { $0.kind == .file && $0.name == "SKILL.md" }) {
      for entry in entries where entry.name == "SKILL.md" && !entry.isLink {
        add(AgentRoots.join(path, "SKILL.md"), "SKILL.md", category, entry.stamp, root, number)
      }
      return
    }
    let isPattern = entries.contains { $0.kind == .file && $0.name == "system.md" }
    for var entry in entries where !isFull {
      if isPattern, entry.name == "user.md" { continue }
      guard let name = entry.name else {
        warnings.append(
          Warning(
            "the name of \(AgentRoots.join(path, entry.shown)) is not UTF-8, so it is skipped"))
        continue
      }
      let child = AgentRoots.join(path, name)
      if entry.isLink, entry.stamp != nil, !follow(&entry, child, root) { continue }
      switch entry.kind {
      case .folder:
        if Self.foldersOfOthers.contains(name) { continue }
        guard depth < limits.depth else {
          warnings.append(
            Warning("\(child) is more than \(limits.depth) folders deep, so it is skipped"))
          continue
        }
        walk(
          child, category: category.map { "\($0)/\(name)" } ?? name, depth: depth + 1, root: root,
          number: number)
      case .file: add(child, name, category, entry.stamp, root, number)
      case .other:
        warnings.append(
          Warning(
            entry.stamp == nil
              ? "\(child) is a broken link" : "\(child) is not a regular file, so it is skipped"))
      }
    }
  }

  /// Folders that package managers and compilers fill.
  private static let foldersOfOthers: Set = [
    "node_modules", "__pycache__", "site-packages", "venv",
  ]

  /// Whether a link leads to something that belongs to the root; if so, adds it.
  private mutating func follow(
    _ entry: inout FileSystem.ScannedEntry, _ child: String, _ root: AgentRoot
  ) -> Bool {
    guard let path = root.path(of: child) else { return false }
    switch root.files.standing(of: path) {
    case .there(let kind, let stamp):
      entry.kind = kind
      entry.stamp = stamp
    case .nothing: entry.stamp = nil
    case .outside:
      warnings.append(
        Warning("\(child) is a link that leads out of \(root.path), so it is skipped"))
      return false
    }
    guard root.files.links == .anywhere, entry.kind == .folder else { return true }
    // `/` and other folders that contain the root would be scanned completely.
    guard let target = FileSystem.realPath(child), let own = FileSystem.realPath(root.path),
      target == own || (target != "/" && !own.hasPrefix(target + "/"))
    else {
      warnings.append(
        Warning("\(child) is a link to a folder that contains \(root.path), so it is skipped"))
      return false
    }
    linkedFolders += 1
    guard linkedFolders <= limits.linkedFolders else {
      warnings.append(
        Warning(
          "there are more than \(limits.linkedFolders) links to folders, so \(child) is skipped"))
      return false
    }
    return true
  }

  private mutating func add(
    _ path: String, _ name: String, _ category: String?, _ stamp: FileStamp?, _ root: AgentRoot,
    _ number: Int
  ) {
    guard let stamp else { return }
    guard files.count < limits.files else {
      isFull = true
      warnings.append(
        Warning("there are more than \(limits.files) files, so those after \(path) are skipped"))
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
      switch AgentFileName(name.utf8.span) {
      case .other, .data: continue
      case .config, .markdown: break
      }
      add(
        AgentFile.shippedPrefix + path, String(name),
        parts.count > 1 ? parts.dropLast().joined(separator: "/") : nil, AgentFile.shippedStamp,
        .shipped, number)
    }
  }
}

/// Limits of a scan, so that no tree takes forever.
package struct ScanLimits: Sendable, Hashable {
  /// The depth of folders.
  package var depth: Int
  /// Files that may be agents, of all roots.
  package var files: Int
  /// Entries of one folder.
  package var entries: Int
  /// Followed links to folders.
  package var linkedFolders: Int
  /// All folders together.
  package var folders: Int

  package init(
    depth: Int = 32, files: Int = 100_000, entries: Int = 1_000_000, linkedFolders: Int = 1_000,
    folders: Int = 100_000
  ) {
    self.linkedFolders = linkedFolders
    self.folders = folders
    self.depth = depth
    self.files = files
    self.entries = entries
  }
}

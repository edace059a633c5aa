import RasaCore
import RasaSystem

/// Finds the prompts that TOML files name: beside the file, then in the project and the workspaces.
struct PromptLookup: Sendable {
  private let folders: [String]
  private let roots: [AgentRoot]
  private let working: String
  private let shipped: Set<String>
  /// Folders with prompts, and whether no link leads to them from the file's own folder. The final
  /// read is confined to its folder regardless of this.
  private let reached = Locked<[String: Bool]>([:])

  struct Found: Sendable, Hashable {
    var path: String
    var stamp: FileStamp
  }

  init(_ places: AgentRoots, _ roots: [AgentRoot]) {
    folders = places.promptFolders
    self.roots = roots
    working = FileSystem.absolute(".")
    shipped = places.includesShipped ? Set(EmbeddedFiles.names) : []
  }

  /// The first name that exists, in order.
  func find(_ names: [String], for file: AgentFile) -> Found? {
    // Nearly all are beside their file, or in a folder there.
    if let name = names.first, !file.isShipped, Self.isPlain(name), isReachedByNoLink(name, file) {
      let path = AgentRoots.join(file.folder, name)
      if let status = FileSystem.statusOfNoLink(path), status.kind == .file {
        return Found(path: path, stamp: status.stamp)
      }
    }
    for name in names {
      for path in candidates(name, for: file) {
        if file.isShipped {
          if shipped.contains(String(path.dropFirst(AgentFile.shippedPrefix.count))) {
            return Found(path: path, stamp: AgentFile.shippedStamp)
          }
        } else if case .there(.file, let stamp) = standing(of: path, for: file) {
          return Found(path: path, stamp: stamp)
        }
      }
    }
    return nil
  }

  private func isReachedByNoLink(_ name: String, _ file: AgentFile) -> Bool {
    guard let slash = name.utf8.lastIndex(of: UInt8(ascii: "/")) else { return true }
    let folder = AgentRoots.join(file.folder, String(name[..<slash]))
    if let known = reached.withLock({ $0[folder] }) { return known }
    var isReal = true
    var path = file.folder
    for part in name[..<slash].split(atByte: "/", omittingEmpty: true) {
      path = AgentRoots.join(path, String(part))
      isReal = isReal && FileSystem.statusOfNoLink(path)?.kind == .folder
    }
    reached.withLock { $0[folder] = isReal }
    return isReal
  }

  /// The first name that exists behind a link that leads out of every allowed folder.
  func linkLeadingOut(_ names: [String], for file: AgentFile) -> String? {
    guard !file.isShipped else { return nil }
    for name in names {
      for path in candidates(name, for: file) where standing(of: path, for: file) == .outside {
        return path
      }
    }
    return nil
  }

  private static func isPlain(_ name: String) -> Bool {
    !name.hasBytePrefix("/") && !name.utf8.span.containsDotDot
  }

  /// The names that lead out of every allowed folder. An agent from somebody's project must not
  /// send a file from elsewhere to a model.
  func leadingOut(_ names: [String], for file: AgentFile) -> [String] {
    names.filter { candidates($0, for: file).isEmpty }
  }

  /// The folders in which one of these may appear.
  func folders(of names: [String], for file: AgentFile) -> [String] {
    names.flatMap { candidates($0, for: file).map { FileSystem.parent(of: $0) } }
  }

  private func candidates(_ name: String, for file: AgentFile) -> [String] {
    let folder = file.folder
    if file.isShipped {
      let folder = folder.dropFirst(AgentFile.shippedPrefix.count)
      return ["\(folder)/\(name)", name].compactMap(Self.plain).filter {
        $0.hasBytePrefix("agents/")
      }
      .map { AgentFile.shippedPrefix + $0 }
    }
    var folders = [folder]
    // As in `prompts/…` of a tree that keeps its prompts beside its agents.
    if roots.indices.contains(file.root) {
      folders.append(FileSystem.parent(of: roots[file.root].path))
    }
    for other in self.folders where !folders.contains(other) { folders.append(other) }
    if Self.isPlain(name) { return folders.map { AgentRoots.join($0, name) } }
    if name.hasBytePrefix("/") { return isAllowed(name, for: file) ? [name] : [] }
    return folders.map { AgentRoots.join($0, name) }
      .filter { isAllowed($0, for: file) }
  }

  /// Whether a path stays in the folder of the file's root, or in one of the others.
  private func isAllowed(_ path: String, for file: AgentFile) -> Bool {
    !containers(of: path, for: file).isEmpty
  }

  /// The folders of files that a prompt may insert.
  func insertions(_ names: [String], inPromptAt path: String) -> [String] {
    guard !path.hasPrefix(AgentFile.shippedPrefix) else { return [] }
    let places = [FileSystem.parent(of: path)] + folders
    return names.flatMap { name in places.map { AgentRoots.join($0, name) } }
  }

  // MARK: Reading

  /// The file that an agent is read from; nil if there is none.
  func readDefinition(
    _ file: AgentFile
  ) throws(Failure) -> (bytes: [UInt8], stamp: FileStamp?)? {
    if file.isShipped { return AgentFile.readShipped(file.path).map { ($0, nil) } }
    if roots.indices.contains(file.root), let path = roots[file.root].path(of: file.path) {
      return try roots[file.root].files.readStamped(path, limit: AgentFile.largest)
    }
    // Named explicitly.
    let name = file.path.utf8.lastIndex(of: UInt8(ascii: "/")).map {
      String(file.path[file.path.utf8.index(after: $0)...])
    }
    return try FileRoot(file.folder, links: .anywhere).readStamped(
      name ?? file.path, limit: AgentFile.largest)
  }

  /// A prompt that was found, read from a folder that is allowed.
  func readPrompt(
    _ path: String, for file: AgentFile
  ) throws(Failure) -> (bytes: [UInt8], stamp: FileStamp?)? {
    if file.isShipped { return AgentFile.readShipped(path).map { ($0, nil) } }
    // Nearly all are beside their file.
    if roots.indices.contains(file.root), let inner = roots[file.root].path(of: path),
      let read = try? FileRoot(roots[file.root].path).readStamped(inner, limit: AgentFile.largest)
    {
      return read
    }
    var refusal: Failure?
    for find in [containers, containersElsewhere] {
      for container in find(path, file) {
        do throws(Failure) {
          return try container.root.readStamped(container.path, limit: AgentFile.largest)
        } catch {
          refusal = refusal ?? error
        }
      }
    }
    if let refusal { throw refusal }
    return nil
  }

  /// The file in the first allowed folder that has it.
  private func standing(of path: String, for file: AgentFile) -> FileRoot.Standing {
    var found = FileRoot.Standing.nothing
    for find in [containers, containersElsewhere] {
      for container in find(path, file) {
        let standing = container.root.standing(of: container.path)
        if case .there = standing { return standing }
        if standing == .outside { found = .outside }
      }
      if found == .nothing { break }
    }
    return found
  }

  /// The allowed folders that contain a path lexically, each with the relative path.
  private func containers(
    of path: String, for file: AgentFile
  ) -> [(root: FileRoot, path: String)] {
    guard let wanted = absolute(path) else { return [] }
    var places: [FileRoot] = []
    if roots.indices.contains(file.root) {
      let root = roots[file.root]
      // A prompt stays in its folder, whatever is allowed for the agents' own files.
      places.append(FileRoot(root.path))
      places.append(FileRoot(FileSystem.parent(of: root.path)))
    } else {
      places.append(FileRoot(file.folder))
    }
    places += folders.map { FileRoot($0) }
    return places.compactMap { place -> (root: FileRoot, path: String)? in
      guard let folder = absolute(place.folder) else { return nil }
      let base = folder.hasSuffix("/") ? folder : folder + "/"
      guard wanted.hasBytePrefix(base), wanted.utf8.count > base.utf8.count else { return nil }
      return (place, String(wanted.dropFirst(base.count)))
    }
  }

  /// The same for a file behind a user's link: its prompt is beside the link's target.
  private func containersElsewhere(
    of path: String, for file: AgentFile
  ) -> [(root: FileRoot, path: String)] {
    guard roots.indices.contains(file.root), let wanted = absolute(path),
      let definition = roots[file.root].path(of: file.path),
      let elsewhere = roots[file.root].files.folderElsewhere(of: definition),
      let folder = absolute(file.folder), wanted.hasBytePrefix(folder + "/")
    else { return [] }
    return [(elsewhere, String(wanted.dropFirst(folder.count + 1)))]
  }

  private func absolute(_ path: String) -> String? {
    Self.plain(path.hasBytePrefix("/") ? path : "\(working)/\(path)")
  }

  /// Without `.` and `..`; nil if it leads out of its start.
  private static func plain(_ path: String) -> String? {
    var parts: [Substring] = []
    for part in path.split(atByte: "/", omittingEmpty: true) {
      switch part {
      case ".": continue
      case "..":
        guard parts.popLast() != nil else { return nil }
      default: parts.append(part)
      }
    }
    return (path.hasBytePrefix("/") ? "/" : "") + parts.joined(separator: "/")
  }
}

extension Span<UInt8> {
  /// Whether two dots stand next to each other.
  fileprivate var containsDotDot: Bool {
    var previous: UInt8 = 0
    for index in indices {
      if self[index] == UInt8(ascii: "."), previous == UInt8(ascii: ".") { return true }
      previous = self[index]
    }
    return false
  }
}

import RasaCore
import RasaDocuments
import RasaSystem

/// Finds the prompts that TOML files name: beside the file, then in the project and the workspaces.
struct PromptLookup: Sendable {
  private let folders: [String]
  private let roots: [AgentRoot]
  private let working: String
  private let shipped: Set<String>

  struct Found: Sendable, Hashable {
    var path: String
    var stamp: FileStamp
  }

  init(_ places: AgentPlaces, _ roots: [AgentRoot]) {
    folders = places.promptFolders
    self.roots = roots
    working = FileSystem.absolute(".")
    shipped = places.includesShipped ? Set(EmbeddedFiles.names) : []
  }

  /// The first that is there, of the names in their order.
  func find(_ names: [String], for file: AgentFile) -> Found? {
    // Nearly all are beside their file.
    if let name = names.first, !file.isShipped, Self.isPlain(name),
      let found = Self.found(AgentPlaces.join(file.folder, name))
    {
      return found
    }
    for name in names {
      for path in candidates(name, for: file) {
        if file.isShipped {
          if shipped.contains(String(path.dropFirst(AgentFile.shippedPrefix.count))) {
            return Found(path: path, stamp: AgentFile.shippedStamp)
          }
        } else if let found = Self.found(path) {
          return found
        }
      }
    }
    return nil
  }

  private static func found(_ path: String) -> Found? {
    guard let status = FileSystem.status(of: path), status.kind == .file else { return nil }
    return Found(path: path, stamp: status.stamp)
  }

  private static func isPlain(_ name: String) -> Bool {
    !name.hasBytePrefix("/") && !name.utf8.span.containsDotDot
  }

  /// The names that lead out of every folder that a prompt may lie in. An agent that came with
  /// somebody's project must not send a file from elsewhere to a model.
  func leadingOut(_ names: [String], for file: AgentFile) -> [String] {
    names.filter { candidates($0, for: file).isEmpty }
  }

  /// The folders in which one of these may come up.
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
    if Self.isPlain(name) { return ([folder] + folders).map { AgentPlaces.join($0, name) } }
    if name.hasBytePrefix("/") { return isAllowed(name, for: file) ? [name] : [] }
    return ([folder] + folders).map { AgentPlaces.join($0, name) }
      .filter { isAllowed($0, for: file) }
  }

  /// Whether a path stays in the folder that the file's root stands in, or in one of the others.
  private func isAllowed(_ path: String, for file: AgentFile) -> Bool {
    guard let path = absolute(path) else { return false }
    let own =
      roots.indices.contains(file.root) ? [FileSystem.parent(of: roots[file.root].path)] : []
    return (own + folders).compactMap(absolute).contains { folder in
      folder == "/" || path.hasBytePrefix(folder + "/")
    }
  }

  private func absolute(_ path: String) -> String? {
    Self.plain(path.hasBytePrefix("/") ? path : "\(working)/\(path)")
  }

  /// Without `.` and `..`; nil when it leads out of where it begins.
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

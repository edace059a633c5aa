package import RasaCore
import RasaSystem

/// A part of the machine that a sandbox shows: what is there, and where it stands inside.
package struct SandboxMount: Sendable, Hashable {
  package var source: String
  package var target: String
  package var isWritable: Bool

  package init(_ source: String, at target: String? = nil, isWritable: Bool = false) {
    self.source = source
    self.target = target ?? source
    self.isWritable = isWritable
  }
}

/// Which paths of a declaration a sandbox may have.
package struct SandboxPaths: Sendable {
  package var home: String
  package var protected: [ProtectedPath]

  package init(home: String, protected: [ProtectedPath]) {
    self.home = home
    self.protected = protected
  }

  /// - Parameter folder: where relative paths begin.
  package func mounts(
    read: [String], write: [String], folder: String?
  ) throws(Failure) -> [SandboxMount] {
    var mounts: [SandboxMount] = []
    for path in read {
      if let mount = try mount(path, isWritable: false, in: folder) { mounts.append(mount) }
    }
    for path in write {
      if let mount = try mount(path, isWritable: true, in: folder) { mounts.append(mount) }
    }
    return mounts
  }

  /// Nil for a path with `?` at its end that is not there.
  private func mount(
    _ declared: String, isWritable: Bool, in folder: String?
  ) throws(Failure) -> SandboxMount? {
    let isOptional = declared.hasByteSuffix("?")
    let path = isOptional ? String(declared.dropLast()) : declared
    let word = isWritable ? "write" : "read"
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw Failure(.configuration, "`\(word)` of a sandbox names an empty path")
    }
    var absolute = path
    if path == "~" {
      absolute = home
    } else if path.hasBytePrefix("~/") {
      absolute = home + path.dropFirst()
    } else if !path.hasBytePrefix("/") {
      guard let folder else {
        throw Failure(
          .configuration,
          "`\(word): \(path)` of a sandbox is relative, and there is no folder it begins in",
          suggestion: "begin it with / or ~/")
      }
      absolute = "\(folder)/\(path)"
    }
    let normal = Self.normalised(absolute)
    guard let real = FileSystem.realPath(absolute) else {
      if isOptional { return nil }
      throw Failure(
        .configuration, "`\(word): \(path)` of a sandbox does not exist",
        suggestion: isWritable ? "create it first: mkdir -p '\(normal)'" : "check the path")
    }
    if let refusal = refusal(of: real, isWritable: isWritable) {
      throw Failure(
        .configuration, "`\(word): \(path)` of a sandbox is refused: \(refusal)",
        suggestion: "name only the folder that the program needs")
    }
    // `..` behind a link means another folder than it seems to.
    let hasParents = absolute.utf8.split(separator: UInt8(ascii: "/")).contains {
      $0.elementsEqual("..".utf8)
    }
    return SandboxMount(real, at: hasParents ? real : normal, isWritable: isWritable)
  }

  /// Why no sandbox may have this real path; nil if it may.
  package func refusal(of real: String, isWritable: Bool) -> String? {
    if real == "/" { return "it is the whole machine" }
    if ["/tmp", "/var/tmp", "/home", "/var", "/var/lib", "/srv", "/mnt", "/media"].contains(real) {
      return "everything of every program and user is there"
    }
    if real == realHome { return "it is your whole home folder, with keys and passwords in it" }
    if FileSystem.kind(of: real) == .other { return "it is neither a file nor a folder" }
    for item in protected where isWritable || !item.isReadable {
      // What does not exist yet may exist later.
      for place in Set([Self.normalised(item.path), FileSystem.realPath(item.path) ?? item.path]) {
        if !isWritable, isReadable(real, below: item) { continue }
        if real == place || Self.contains(place, real) { return "\(place) is \(item.what)" }
        if Self.contains(real, place) {
          return "\(place), \(item.what), is in it"
        }
      }
    }
    return nil
  }

  private func isReadable(_ real: String, below item: ProtectedPath) -> Bool {
    item.readable.contains { path in
      guard let place = FileSystem.realPath(path) else { return false }
      return real == place || Self.contains(place, real)
    }
  }

  private var realHome: String { FileSystem.realPath(home) ?? home }

  static func contains(_ folder: String, _ path: String) -> Bool {
    path.hasBytePrefix(folder == "/" ? "/" : folder + "/")
  }

  /// Without `.`, `..`, and doubled slashes, by the text alone.
  static func normalised(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }
}

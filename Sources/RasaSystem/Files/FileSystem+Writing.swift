import CSystem
import Glibc
package import RasaCore

extension FileSystem {
  /// Writes a file atomically: a reader, or a crash at any moment, sees the old content or the new one.
  /// The content and its name are on disk when the call returns.
  ///
  /// With `replacing: false` an existing file is kept, and is a failure. With `lasting: false` the call
  /// does not wait for the disk: after a power failure the file may be old, gone or damaged.
  ///
  /// A device or a pipe is written to and never replaced. A link is replaced, unless `followingLinks`
  /// says that the user meant its target.
  package static func write(
    _ bytes: [UInt8], to path: String, mode: UInt32 = 0o600, replacing: Bool = true,
    lasting: Bool = true, followingLinks: Bool = false, shownAs name: String? = nil
  ) throws(Failure) {
    switch replacing ? target(of: path, followingLinks) : .file(path) {
    case .file(let place):
      try put(
        bytes, at: place, mode: mode, replacing: replacing, lasting: lasting,
        shownAs: name ?? place)
    case .stream(let place): try writeInPlace(bytes, to: place)
    }
  }

  private enum Target {
    case file(String)
    /// A device or a pipe keeps no bytes, so there is nothing to replace.
    case stream(String)
  }

  private static func target(of path: String, _ followsLinks: Bool) -> Target {
    var place = path
    // As many links as the kernel follows.
    for _ in 0..<40 {
      var status = stat()
      guard unsafe lstat(place, &status) == 0 else { return .file(place) }
      switch status.st_mode & S_IFMT {
      case S_IFREG, S_IFDIR: return .file(place)
      case S_IFLNK:
        guard followsLinks else { return .file(place) }
        // The links of /proc lead to open files, and not to paths.
        if isBelowProc(place) { return .stream(place) }
        guard let link = readLink(place) else { return .file(place) }
        place = link.hasPrefix("/") ? link : "\(parent(of: place))/\(link)"
      default: return .stream(place)
      }
    }
    return .file(path)
  }

  private static func isBelowProc(_ path: String) -> Bool {
    guard let folder = unsafe realpath(parent(of: path), nil) else { return false }
    defer { unsafe free(folder) }
    return unsafe String(cString: folder).hasPrefix("/proc/")
  }

  /// What a symbolic link says; nil if the path is none.
  package static func readLink(_ path: String) -> String? {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(path, &target, target.count)
    guard count > 0 else { return nil }
    return String(
      decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func writeInPlace(_ bytes: [UInt8], to path: String) throws(Failure) {
    let number = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
    guard number >= 0 else { throw cannotWrite(path) }
    let stream = Descriptor(owning: number)
    let error = unsafe bytes.withUnsafeBytes { unsafe writeAll($0, to: stream.number) }
    guard error == 0 else { throw Failure(.storage, systemError: error, cannot: "write", path) }
  }

  private static func put(
    _ bytes: [UInt8], at path: String, mode: UInt32, replacing: Bool, lasting: Bool,
    shownAs name: String
  ) throws(Failure) {
    // In the same folder, because a file can only be renamed within its file system.
    let temporary = "\(path).\(String(systemRandom(), radix: 36)).tmp"
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let number = unsafe open(temporary, flags, mode_t(mode))
    guard number >= 0 else { throw cannotWrite(name) }
    var isInPlace = false
    defer { if !isInPlace { unsafe unlink(temporary) } }
    do {
      let file = Descriptor(owning: number)
      let error = unsafe bytes.withUnsafeBytes { unsafe writeAll($0, to: file.number) }
      guard error == 0 else {
        throw Failure(.storage, systemError: error, cannot: "write", name)
      }
      guard !lasting || fsync(file.number) == 0 else { throw cannotWrite(name) }
    }
    if replacing {
      guard unsafe rename(temporary, path) == 0 else { throw cannotWrite(name) }
      isInPlace = true
    } else {
      guard unsafe link(temporary, path) == 0 else { throw cannotWrite(name) }
    }
    if lasting { try sync(folder: parent(of: path)) }
  }

  package static func write(
    _ text: String, to path: String, mode: UInt32 = 0o600, replacing: Bool = true,
    followingLinks: Bool = false
  ) throws(Failure) {
    try write(
      Array(text.utf8), to: path, mode: mode, replacing: replacing, followingLinks: followingLinks)
  }

  /// Creates a folder and its missing parents, accessible only to the owner.
  package static func makeFolder(_ path: String) throws(Failure) {
    if unsafe mkdir(path, 0o700) == 0 { return }
    if lastError() == ENOENT, parent(of: path) != path {
      try makeFolder(parent(of: path))
      if unsafe mkdir(path, 0o700) == 0 { return }
    }
    // Another process may have created it meanwhile.
    let code = lastError()
    if code == EEXIST, kind(of: path) == .folder { return }
    throw Failure(.storage, systemError: code, cannot: "make the folder", path)
  }

  /// Removes a file; a missing one is no failure.
  package static func removeFile(_ path: String) throws(Failure) {
    guard unsafe unlink(path) == 0 || lastError() == ENOENT else {
      throw Failure(.storage, systemError: lastError(), cannot: "remove", path)
    }
  }

  /// Removes a folder of our own with the files in it. If it contains folders, they and it are kept.
  package static func removeFolder(_ path: String) throws(Failure) {
    for entry in try list(path) where entry.kind != .folder {
      try removeFile("\(path)/\(entry.name)")
    }
    guard unsafe rmdir(path) == 0 || lastError() == ENOENT else {
      throw Failure(.storage, systemError: lastError(), cannot: "remove", path)
    }
  }

  /// The folder that a path names something in: `.` for a bare name.
  package static func parent(of path: String) -> String {
    let bytes = path.utf8
    let trimmed = bytes.count > 1 && path.hasByteSuffix("/") ? bytes.dropLast() : bytes[...]
    guard let slash = trimmed.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == trimmed.startIndex ? "/" : String(Substring(trimmed[..<slash]))
  }

  private static func sync(folder: String) throws(Failure) {
    let number = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else { throw cannotWrite(folder) }
    let descriptor = Descriptor(owning: number)
    guard fsync(descriptor.number) == 0 else { throw cannotWrite(folder) }
  }

  private static func cannotWrite(_ path: String) -> Failure {
    Failure(.storage, systemError: lastError(), cannot: "write", path)
  }
}

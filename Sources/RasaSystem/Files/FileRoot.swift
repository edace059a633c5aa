import CSystem
import Glibc
package import RasaCore

/// A folder that files are read from, and where its links may lead.
///
/// A project's folder must not refer to files elsewhere: cloning it would send them to a model. The
/// user's own folder may be managed with links, as by `stow` and `nix`.
package struct FileRoot: Sendable, Hashable {
  package enum Links: Sendable, Hashable {
    /// Only beneath the folder; the kernel resolves paths that way.
    case inside
    /// To any file on disk. Files that such a file names must be beneath the folder that really
    /// contains it.
    case anywhere
  }

  /// The name in messages. It may itself be a link, unless it is enclosed.
  package let folder: String
  package let links: Links
  private let enclosing: String?
  private let inner: String

  package init(_ folder: String, links: Links = .inside) {
    self.folder = folder
    self.links = links
    enclosing = nil
    inner = ""
  }

  /// A folder that a link must not replace by one outside `enclosing`.
  package init(_ path: String, beneath enclosing: String) {
    folder = FileSystem.path(path, in: enclosing)
    links = .inside
    self.enclosing = enclosing
    inner = path
  }

  /// What stands at a path in the folder.
  package enum Standing: Sendable, Hashable {
    case nothing
    /// A link on the path leads out of the folder.
    case outside
    case there(FileSystem.EntryKind, FileStamp)
  }

  package func standing(of path: String) -> Standing {
    let number = open(path, Self.pathOnly | O_CLOEXEC)
    guard number >= 0 else { return number == -EXDEV ? .outside : .nothing }
    let file = Descriptor(owning: number)
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else { return .nothing }
    return .there(FileSystem.EntryKind(mode: status.st_mode), FileStamp(status))
  }

  /// What the folder itself is.
  package var standing: Standing {
    let number = openFolder()
    guard number >= 0 else {
      switch number {
      case -EXDEV: return .outside
      // There is something that is not a folder.
      case -ENOTDIR:
        return FileSystem.status(of: folder).map { .there($0.kind, $0.stamp) } ?? .nothing
      default: return .nothing
      }
    }
    let folder = Descriptor(owning: number)
    var status = stat()
    guard unsafe fstat(folder.number, &status) == 0 else { return .nothing }
    return .there(.folder, FileStamp(status))
  }

  /// Why nothing is read from a folder that is reached by a link leading out.
  package var refusal: Failure {
    FileSystem.refusal(EXDEV, of: inner, beneath: enclosing ?? folder)
  }

  /// Why nothing is read through a link that leads out of the folder.
  package func refusal(of path: String) -> Failure { refusal(EXDEV, of: path) }

  package func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
    guard let bytes = try readIfPresent(path, limit: limit) else {
      throw refusal(ENOENT, of: path)
    }
    return bytes
  }

  /// Nil if there is no such file or folder.
  package func readIfPresent(_ path: String, limit: Int) throws(Failure) -> [UInt8]? {
    try readStamped(path, limit: limit)?.bytes
  }

  /// The bytes with the stamp that the file had before and after; no stamp if it was written to
  /// while it was read.
  package func readStamped(
    _ path: String, limit: Int
  ) throws(Failure) -> (bytes: [UInt8], stamp: FileStamp?)? {
    // A NUL would end the path for the kernel.
    guard !path.isEmpty, !path.utf8.contains(0), !folder.utf8.contains(0) else {
      throw Failure(
        .configuration, "cannot read a file in \(folder): its path is not valid",
        suggestion: "name a file")
    }
    let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard number >= 0 else {
      if number == -ENOENT { return nil }
      throw refusal(-number, of: path)
    }
    let file = Descriptor(owning: number)
    let name = FileSystem.path(path, in: folder)
    if links == .anywhere { try Self.refuseKernelFile(file.number, name) }
    let before = Self.stamp(of: file.number)
    let bytes = try FileSystem.readRegularFile(file.number, limit: limit, name: name)
    return (bytes, before == Self.stamp(of: file.number) ? before : nil)
  }

  /// A file that a definition in the folder names.
  ///
  /// - Parameters:
  ///   - path: from the folder that the definition is in.
  ///   - definition: its path in this folder.
  package func read(
    _ path: String, namedBy definition: String, limit: Int
  ) throws(Failure) -> [UInt8] {
    let above = FileSystem.parent(of: definition)
    let strict = enclosing == nil ? FileRoot(folder) : self
    let inside = FileSystem.path(path, in: above)
    if links == .anywhere, strict.standing(of: inside) == .outside,
      let elsewhere = folderElsewhere(of: definition)
    {
      return try elsewhere.read(path, limit: limit)
    }
    return try strict.read(inside, limit: limit)
  }

  /// The real folder of a definition, if a user's link leads out to it.
  package func folderElsewhere(of definition: String) -> FileRoot? {
    guard links == .anywhere, FileRoot(folder).standing(of: definition) == .outside,
      let real = FileSystem.realPath(FileSystem.path(definition, in: folder))
    else { return nil }
    return FileRoot(FileSystem.parent(of: real))
  }

  // MARK: Opening

  /// `O_PATH`: only for inspection, so that opening has no side effects.
  private static let pathOnly: Int32 = 0o10_000_000

  /// A descriptor, or the negated error number.
  func open(_ path: String, _ flags: Int32) -> Int32 {
    let number = openFolder()
    guard number >= 0 else { return number }
    let folder = Descriptor(owning: number)
    let inside = Self.open(path, beneath: folder.number, flags)
    // If the kernel cannot confine paths to a folder, the user's own folders can be read all the
    // same.
    guard links == .anywhere, [-EXDEV, -ENOSYS, -EPERM].contains(inside),
      !path.split(separator: "/").contains(".."), !path.hasPrefix("/")
    else { return inside }
    return Self.openPlainly(path, in: folder.number, flags)
  }

  func openFolder() -> Int32 {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    guard let enclosing else { return Self.openPlainly(folder, in: AT_FDCWD, flags) }
    let number = Self.openPlainly(enclosing, in: AT_FDCWD, flags)
    guard number >= 0 else { return number }
    let above = Descriptor(owning: number)
    return Self.open(inner, beneath: above.number, flags)
  }

  private static func openPlainly(_ path: String, in folder: Int32, _ flags: Int32) -> Int32 {
    let number = unsafe openat(folder, path, flags)
    return number >= 0 ? number : -lastError()
  }

  static func open(_ path: String, beneath folder: Int32, _ flags: Int32) -> Int32 {
    var tries = 0
    while true {
      let number = unsafe rasa_open_beneath(folder, path, flags)
      if number >= 0 { return number }
      switch lastError() {
      // Something on the path was renamed meanwhile, and the kernel cannot tell where it led.
      case EAGAIN where tries < 100: tries += 1
      case EINTR: continue
      case let code: return -code
      }
    }
  }

  /// `/proc/self/environ` is owned by the user and holds every key.
  private static func refuseKernelFile(_ file: Int32, _ name: String) throws(Failure) {
    guard rasa_is_kernel_file(file) != 0 else { return }
    throw Failure(
      .configuration,
      "cannot read \(name): it leads to a file that the kernel makes up, not to one on disk",
      suggestion: "put a file there")
  }

  private static func stamp(of file: Int32) -> FileStamp? {
    var status = stat()
    return unsafe fstat(file, &status) == 0 ? FileStamp(status) : nil
  }

  func refusal(_ code: Int32, of path: String) -> Failure {
    FileSystem.refusal(code, of: path, beneath: folder)
  }
}

extension FileSystem {
  /// The path with all links resolved; nil if nothing is there.
  package static func realPath(_ path: String) -> String? {
    guard let place = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(place) }
    return unsafe String(validatingCString: place)
  }

  /// The entry at a path, without following a link there; nil if there is none, or a link.
  package static func statusOfNoLink(_ path: String) -> (kind: EntryKind, stamp: FileStamp)? {
    var status = stat()
    guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFLNK else { return nil }
    return (EntryKind(mode: status.st_mode), FileStamp(status))
  }
}

import CSystem
import Glibc
package import RasaCore

/// Bounded reads of regular files, atomic writes, and folders that only the owner can read.
package enum FileSystem {
  package enum EntryKind: Sendable, Hashable { case file, folder, other }

  package struct Entry: Sendable, Hashable {
    package var name: String
    package var kind: EntryKind
    package init(name: String, kind: EntryKind) {
      self.name = name
      self.kind = kind
    }
  }

  /// The kind of entry at a path, with links followed; nil if there is none.
  package static func kind(of path: String) -> EntryKind? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return EntryKind(mode: status.st_mode)
  }

  /// The size of a file, with links followed; nil if there is none.
  package static func size(of path: String) -> Int64? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Int64(status.st_size)
  }

  /// What shows whether a file has changed, with links followed; nil if there is none.
  package static func stamp(of path: String) -> FileStamp? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return FileStamp(status)
  }

  package static func exists(_ path: String) -> Bool { kind(of: path) != nil }

  /// The absolute path, of one that may be relative to the working folder.
  package static func absolute(_ path: String) -> String {
    guard !path.hasBytePrefix("/"), let folder = unsafe getcwd(nil, 0) else { return path }
    defer { unsafe free(folder) }
    let plain = path.hasBytePrefix("./") ? String(path.dropFirst(2)) : path
    return unsafe "\(String(cString: folder))/\(plain)"
  }

  /// The path of an entry in a folder, as short as possible.
  package static func path(_ path: String, in folder: String) -> String {
    folder == "." ? path : folder.hasByteSuffix("/") ? folder + path : "\(folder)/\(path)"
  }

  /// The bytes of a regular file; anything else (a pipe, a device, a folder) is refused, and so is
  /// a file of more than `limit` bytes.
  package static func read(
    _ path: String, limit: Int, followingLinks: Bool = true
  ) throws(Failure) -> [UInt8] {
    let bytes: [UInt8]?
    bytes = try readIfPresent(path, limit: limit, followingLinks: followingLinks)
    guard let bytes else {
      throw Failure(.configuration, systemError: ENOENT, cannot: "read", path)
    }
    return bytes
  }

  /// As `read`, but nil when there is no such file.
  package static func readIfPresent(
    _ path: String, limit: Int, followingLinks: Bool = true
  ) throws(Failure) -> [UInt8]? {
    // Non-blocking, so that opening a pipe without a writer does not wait for one.
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (followingLinks ? 0 : O_NOFOLLOW)
    let number = unsafe open(path, flags)
    guard number >= 0 else {
      let code = lastError()
      if code == ENOENT { return nil }
      throw Failure(.configuration, systemError: code, cannot: "read", path)
    }
    let file = Descriptor(owning: number)
    return try readRegularFile(file.number, limit: limit, name: path)
  }

  static func readRegularFile(
    _ descriptor: Int32, limit: Int, name path: String
  ) throws(Failure) -> [UInt8] {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw Failure(.configuration, systemError: lastError(), cannot: "read", path)
    }
    switch EntryKind(mode: status.st_mode) {
    case .file: break
    case .folder: throw Failure(.configuration, systemError: EISDIR, cannot: "read", path)
    case .other:
      throw Failure(.configuration, "cannot read \(path): it is not a regular file")
    }
    return try readToEnd(
      descriptor, limit: limit, expecting: Int(clamping: status.st_size), name: path)
  }

  /// Everything up to the end of a descriptor (standard input, a pipe), at most `limit` bytes.
  package static func readToEnd(
    _ descriptor: Int32, limit: Int, expecting size: Int = 0, name: String
  ) throws(Failure) -> [UInt8] {
    guard size <= limit else { throw tooLarge(name, limit) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    // One byte more than the file should have, so that its end shows in the first read.
    var buffer = [UInt8](repeating: 0, count: min(max(size + 1, 16_384), 1 << 20))
    while true {
      let (count, error) = readAvailable(from: descriptor, into: &buffer)
      guard error == 0 else {
        throw Failure(.configuration, systemError: error, cannot: "read", name)
      }
      if count == 0 { return bytes }
      guard bytes.count + count <= limit else { throw tooLarge(name, limit) }
      bytes += buffer[..<count]
    }
  }

  /// The bytes that a descriptor has now, after waiting for the first one; none at its end.
  package static func readSome(_ descriptor: Int32, name: String) throws(Failure) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 16_384)
    let (count, error) = readAvailable(from: descriptor, into: &buffer)
    guard error == 0 else {
      throw Failure(.configuration, systemError: error, cannot: "read", name)
    }
    return Array(buffer[..<count])
  }

  private static func tooLarge(_ name: String, _ limit: Int) -> Failure {
    Failure(
      .configuration, "cannot read \(name): it is larger than \(byteCountText(limit))",
      suggestion: "make it smaller")
  }

  /// The entries of a folder without `.` and `..`, sorted by name (by bytes, so that the order is the
  /// same everywhere); none if there is no such folder.
  package static func list(_ path: String) throws(Failure) -> [Entry] {
    guard let folder = unsafe opendir(path) else {
      let code = lastError()
      if code == ENOENT { return [] }
      throw Failure(.configuration, systemError: code, cannot: "list", path)
    }
    defer { unsafe closedir(folder) }
    var entries: [Entry] = []
    while let record = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &record.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name == "." || name == ".." { continue }
      guard entries.count < maximumEntries else {
        throw Failure(
          .configuration, "cannot list \(path): it has more than \(maximumEntries) entries",
          suggestion: "name a folder with fewer files")
      }
      entries.append(Entry(name: name, kind: kind(of: "\(path)/\(name)") ?? .other))
    }
    return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  private static let maximumEntries = 100_000
}

extension FileSystem.EntryKind {
  init(mode: mode_t) {
    self =
      switch mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .folder
      default: .other
      }
  }
}

/// A size for people: `1 MB`, `300 kB`, `12 bytes`.
package func byteCountText(_ count: Int) -> String {
  switch count {
  case 1_000_000...: "\(count / 1_000_000) MB"
  case 1_000...: "\(count / 1_000) kB"
  default: "\(count) bytes"
  }
}

extension FileSystem {
  /// The bytes of a regular file of at most `limit` bytes below a folder. The path is relative to
  /// the folder and cannot lead out of it, neither by `..` nor by a symbolic link on the way: the
  /// kernel resolves it so, which leaves no moment for somebody to exchange a part of it.
  package static func read(
    _ path: String, beneath root: String, limit: Int
  ) throws(Failure) -> [UInt8] {
    guard status(of: root) != nil else {
      throw Failure(.configuration, systemError: ENOENT, cannot: "read", root)
    }
    return try FileRoot(root).read(path, limit: limit)
  }

  static func refusal(_ code: Int32, of path: String, beneath root: String) -> Failure {
    switch code {
    case EXDEV:
      Failure(
        .configuration, "cannot read \(path): it leads out of the folder \(root)",
        suggestion: "use a path relative to that folder; no symbolic link on the way "
          + "may lead out of it")
    case ENOSYS, EPERM:
      Failure(
        .configuration,
        "cannot read \(path): this system cannot confine a path to the folder \(root)",
        suggestion: "use Linux 5.6 or later, and allow openat2 in the container")
    default:
      Failure(.configuration, systemError: code, cannot: "read", self.path(path, in: root))
    }
  }
}

extension FileSystem {
  /// Rewrites an existing file as `write` does, keeping its permissions. If the path is a link, its
  /// target is written.
  package static func replace(_ bytes: [UInt8], in path: String) throws(Failure) {
    var status = stat()
    guard unsafe stat(path, &status) == 0, let place = unsafe realpath(path, nil) else {
      throw Failure(.storage, systemError: lastError(), cannot: "write", path)
    }
    defer { unsafe free(place) }
    try write(bytes, to: unsafe String(cString: place), mode: status.st_mode & 0o777)
  }
}

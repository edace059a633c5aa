import CSQLite
import Glibc
import RasaCore

/// The file of a database: created for this user alone, and refused where SQLite's locks do not hold.
///
/// The file is never opened here: closing any descriptor of it would drop the locks that another
/// connection of this process holds on it.
struct DatabaseFile {
  let path: String
  let folder: String

  init(_ path: String) {
    self.path = path
    if let slash = path.lastIndex(of: "/") {
      folder = slash == path.startIndex ? "/" : String(path[..<slash])
    } else {
      folder = "."
    }
  }

  func prepare() throws {
    if path.isEmpty { throw Failure(.storage, "the database has no file name") }
    if path.utf8.contains(0) { throw Failure(.storage, "the database's file name contains a NUL") }
    var status = stat()
    if unsafe stat(path, &status) != 0 {
      try createFolder()
      // `mknod` creates it without opening it, with the right mode from the start.
      if unsafe mknod(path, S_IFREG | 0o600, 0) != 0, errno != EEXIST { throw failure(errno) }
    } else if status.st_mode & S_IFMT == S_IFDIR {
      throw Failure(
        .storage, "\(path) is a folder, not a database",
        suggestion: "choose another place for the data")
    } else if status.st_mode & S_IFMT != S_IFREG {
      throw Failure(
        .storage, "\(path) is not a regular file", suggestion: "choose another place for the data")
    } else if status.st_mode & 0o077 != 0 {
      // The mode of another user's file cannot be changed; whether it can be written shows later.
      _ = unsafe chmod(path, status.st_mode & 0o700)
    }
    try refuseNetworkFileSystem()
  }

  /// Throws unless the file can be read as a database.
  func check() throws {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { throw failure(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Failure(.storage, "\(path) is not a regular file")
    }
    try refuseNetworkFileSystem()
  }

  private func createFolder() throws {
    var made = ""
    for part in folder.split(separator: "/", omittingEmptySubsequences: true) {
      made += made.isEmpty && !folder.hasPrefix("/") ? String(part) : "/" + part
      if unsafe mkdir(made, 0o700) != 0, errno != EEXIST {
        let reason = errno
        // A parent folder that is not writable may still exist; anything else is a failure.
        var status = stat()
        if unsafe stat(made, &status) != 0 { throw failure(reason) }
      }
    }
  }

  /// File systems on which locks do not hold between machines.
  private static let networkFileSystems: [UInt32: String] = [
    0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB", 0x5346_414F: "AFS",
    0x7375_7245: "Coda", 0x00C3_6400: "Ceph",
  ]

  private func refuseNetworkFileSystem() throws {
    guard let name = Self.networkFileSystems[unsafe csqlite_file_system(path)] else { return }
    throw Failure(
      .storage, "\(path) is on a network file system (\(name)), where its locks do not hold",
      suggestion: "choose a local disk for the data")
  }

  private func failure(_ code: Int32) -> Failure {
    Failure.file(code, path: path) ?? Failure(.storage, "\(path) cannot be created")
  }
}

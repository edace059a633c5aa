import CSystem
import Glibc
package import RasaCore

extension FileRoot {
  /// Writes a file as `FileSystem.write` does, creating folders on its path. No link may lead out
  /// of the folder, and a file that is itself a link is refused: its target would stay unchanged.
  package func write(
    _ bytes: [UInt8], to path: String, mode: UInt32 = 0o600, replacing: Bool = true
  ) throws(Failure) {
    let shown = FileSystem.path(path, in: folder)
    guard !path.utf8.contains(0), let name = path.split(separator: "/").last.map(String.init),
      name != ".", name != ".."
    else {
      throw Failure(.storage, "cannot write \(shown): it is not a path", suggestion: "name a file")
    }
    let above = try makeFolders(upTo: FileSystem.parent(of: path))
    var status = stat()
    if links == .inside, unsafe fstatat(above.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
      status.st_mode & S_IFMT == S_IFLNK
    {
      throw Failure(
        .storage, "cannot write \(shown): it is a link",
        suggestion: "name the file that it leads to")
    }
    // The folder is reached by its descriptor, so nobody can exchange a part of the path.
    try FileSystem.write(
      bytes, to: "/proc/self/fd/\(above.number)/\(name)", mode: mode, replacing: replacing,
      shownAs: shown)
  }

  package func write(
    _ text: String, to path: String, mode: UInt32 = 0o600, replacing: Bool = true
  ) throws(Failure) {
    try write(Array(text.utf8), to: path, mode: mode, replacing: replacing)
  }

  /// Rewrites an existing file, keeping its permissions.
  package func replace(_ bytes: [UInt8], in path: String) throws(Failure) {
    let shown = FileSystem.path(path, in: folder)
    if links == .anywhere { return try FileSystem.replace(bytes, in: shown) }
    var status = stat()
    guard unsafe lstat(shown, &status) == 0 else {
      throw Failure(.storage, systemError: lastError(), cannot: "write", shown)
    }
    try write(bytes, to: path, mode: status.st_mode & 0o777)
  }

  /// Creates the missing folders of a path, accessible only to the owner.
  private func makeFolders(upTo path: String) throws(Failure) -> Descriptor {
    if FileSystem.status(of: folder) == nil { try FileSystem.makeFolder(folder) }
    var made = "."
    for part in path.split(separator: "/") where part != "." {
      let above = try openedFolder(made)
      guard part != ".." else { throw refusal(EXDEV, of: path) }
      if unsafe mkdirat(above.number, String(part), 0o700) != 0, lastError() != EEXIST {
        throw Failure(
          .storage, systemError: lastError(), cannot: "make the folder",
          FileSystem.path(path, in: folder))
      }
      made = made == "." ? String(part) : "\(made)/\(part)"
    }
    return try openedFolder(made)
  }

  private func openedFolder(_ path: String) throws(Failure) -> Descriptor {
    let number = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else {
      guard number != -EXDEV else {
        throw Failure(
          .storage, "cannot write to \(path): it leads out of the folder \(folder)",
          suggestion: "make a folder of it, or name another one")
      }
      throw Failure(
        .storage, systemError: -number, cannot: "write to", FileSystem.path(path, in: folder))
    }
    return Descriptor(owning: number)
  }
}

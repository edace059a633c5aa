package import RasaCore

/// A file that a user named, which may be a link to anywhere, or a file found in a folder that a user
/// named, which must be in that folder.
package struct NamedFile: Sendable, Hashable {
  package let path: String
  private let root: FileRoot?
  private let inner: String

  package init(_ path: String) {
    self.path = path
    root = nil
    inner = ""
  }

  package init(_ inner: String, in root: FileRoot) {
    path = FileSystem.path(inner, in: root.folder)
    self.root = root
    self.inner = inner
  }

  package func read(limit: Int) throws(Failure) -> [UInt8] {
    guard let root else { return try FileSystem.read(path, limit: limit) }
    return try root.read(inner, limit: limit)
  }
}

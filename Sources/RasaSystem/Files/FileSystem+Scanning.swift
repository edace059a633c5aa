import CSystem
import Glibc
package import RasaCore

extension FileSystem {
  /// An entry of a folder, with links resolved.
  package struct ScannedEntry: Sendable {
    /// Nil if it is not UTF-8 and so cannot be part of a path; `shown` is then an approximation.
    package var name: String?
    package var shown: String
    package var kind: EntryKind
    /// With links followed; nil for a dangling link.
    package var stamp: FileStamp?
    package var isLink = false
  }

  /// The entries of a folder whose names are wanted, and all folders in it, sorted by the bytes of
  /// their names. Hidden ones, whose names begin with a dot, are skipped. Only the wanted ones are
  /// looked up in the file system, so a folder of many other files costs little.
  ///
  /// - Parameter limit: the maximum number of entries, wanted or not; more are a failure.
  package static func survey(
    _ path: String, limit: Int, wanting isWanted: (_ name: Span<UInt8>) -> Bool
  ) throws(Failure) -> [ScannedEntry] {
    let number = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0, let folder = unsafe fdopendir(number) else {
      let code = lastError()
      if number >= 0 { close(number) }
      throw Failure(.configuration, systemError: code, cannot: "list", path)
    }
    defer { unsafe closedir(folder) }
    var entries: [(bytes: [UInt8], entry: ScannedEntry)] = []
    var count = 0
    while true {
      errno = 0
      guard let record = unsafe readdir(folder) else {
        let code = lastError()
        if code == 0 { break }
        throw Failure(.configuration, systemError: code, cannot: "list", path)
      }
      let bytes = unsafe withUnsafeBytes(of: &record.pointee.d_name) {
        unsafe Array($0.prefix { $0 != 0 })
      }
      if bytes.first == UInt8(ascii: ".") { continue }
      count += 1
      guard count <= limit else {
        throw Failure(
          .configuration, "cannot list \(path): it has more than \(limit) entries",
          suggestion: "move unrelated files elsewhere")
      }
      let type = unsafe Int(record.pointee.d_type)
      let isWanted = isWanted(bytes.span)
      // A link or something unknown may be a folder.
      let mayBeFolder = type == 4 || type == 10 || type == 0
      guard isWanted || mayBeFolder else { continue }
      var status = stat()
      let nameBytes = bytes.map { CChar(bitPattern: $0) } + [0]
      var isLink = type == 10
      if type == 0, unsafe fstatat(number, nameBytes, &status, AT_SYMLINK_NOFOLLOW) == 0 {
        isLink = status.st_mode & S_IFMT == S_IFLNK
      }
      let isThere = unsafe fstatat(number, nameBytes, &status, 0) == 0
      let kind = isThere ? EntryKind(mode: status.st_mode) : .other
      guard isWanted || kind == .folder else { continue }
      let shown = String(decoding: bytes, as: UTF8.self)
      entries.append(
        (
          bytes,
          ScannedEntry(
            name: shown.utf8.elementsEqual(bytes) ? shown : nil, shown: shown, kind: kind,
            stamp: isThere ? FileStamp(status) : nil, isLink: isLink)
        ))
    }
    entries.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    return entries.map(\.entry)
  }
}

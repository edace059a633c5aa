import RasaCore
import RasaSystem

/// The files of the repository that a build does not read but people do.
enum Repository {
  static let root: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(4).joined(separator: "/")
  }()

  static func text(_ path: String) throws -> String {
    String(decoding: try FileSystem.read("\(root)/\(path)", limit: 1 << 20), as: UTF8.self)
  }
  static func lines(_ path: String) throws -> [Substring] {
    try text(path).split(separator: "\n", omittingEmptySubsequences: false)
  }
}

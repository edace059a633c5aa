import RasaCore
import RasaSystem

/// The checkout that the tests are built from.
package enum Repository {
  private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    .dropLast(4).joined(separator: "/")

  /// The absolute path of a file or folder, such as `Tests/Fixtures/tasks`.
  package static func path(_ relative: String) -> String { "\(root)/\(relative)" }

  package static func text(_ path: String) throws -> String {
    String(decoding: try FileSystem.read(self.path(path), limit: 1 << 20), as: UTF8.self)
  }

  package static func lines(_ path: String) throws -> [Substring] {
    try text(path).split(separator: "\n", omittingEmptySubsequences: false)
  }
}

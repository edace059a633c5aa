import RasaSystem
import RasaTestKit
import Testing

/// The commands are to be built on RasaKit's face, and on values, the system and the terminal. What still
/// reaches below it is listed here, and the list can only shrink.
@Suite("The commands and what they are built on") struct LayerTests {
  private static let lower = [
    "RasaAgents", "RasaDocuments", "RasaEngine", "RasaHTTPClient", "RasaModels", "RasaPersona",
    "RasaStore",
  ]
  /// How many files of `Sources/RasaCLI` import each target. Lower a number when a file is moved.
  private static let most = [
    "RasaAgents": 13, "RasaDocuments": 3, "RasaEngine": 30, "RasaHTTPClient": 3, "RasaModels": 16,
    "RasaPersona": 28, "RasaStore": 16,
  ]

  @Test("no more files import a target below RasaKit than before")
  func imports() throws {
    var counts: [String: Int] = [:]
    var folders = [Repository.path("Sources/RasaCLI")]
    var files = 0
    while let folder = folders.popLast() {
      for entry in try FileSystem.list(folder) {
        let path = "\(folder)/\(entry.name)"
        if entry.kind == .folder {
          folders.append(path)
        } else if entry.name.hasSuffix(".swift") {
          files += 1
          let text = String(decoding: try FileSystem.read(path, limit: 1 << 20), as: UTF8.self)
          let lines = Set(text.split(separator: "\n"))
          for target in Self.lower
          where lines.contains("import \(target)") || lines.contains("package import \(target)") {
            counts[target, default: 0] += 1
          }
        }
      }
    }
    #expect(files > 50)
    for target in Self.lower {
      let count = counts[target] ?? 0
      let most = Self.most[target] ?? 0
      #expect(count <= most, "\(target) is imported by \(count) files and not \(most): use RasaKit")
    }
  }
}

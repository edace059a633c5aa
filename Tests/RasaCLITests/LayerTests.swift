import RasaSystem
import RasaTestKit
import Testing

/// The commands are built on RasaKit, and on values, the system and the terminal: on no target below RasaKit.
@Suite("The commands and what they are built on") struct LayerTests {
  private static let allowed: Set = [
    "RasaCore", "RasaKit", "RasaServer", "RasaSystem", "RasaTerminal",
  ]

  @Test("no command imports a target below RasaKit")
  func imports() throws {
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
          for line in text.split(separator: "\n") where line.contains("import Rasa") {
            let words = line.split(separator: " ")
            guard let target = words.last, words.dropLast().last == "import" else { continue }
            #expect(Self.allowed.contains(String(target)), "\(path): \(line)")
          }
        }
      }
    }
    #expect(files > 50)
  }
}

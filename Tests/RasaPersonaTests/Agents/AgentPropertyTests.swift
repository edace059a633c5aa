import RasaCore
import RasaPersona
import RasaTestKit
import Testing

/// Reading any mutation of a good file gives an agent or an error with a location.
@Suite struct AgentPropertyTests {
  @Test(arguments: 0..<8)
  func randomMutationsGiveAnAgentOrALocatedFailure(seed: UInt64) {
    var random = SeededNumbers(seed: seed)
    for _ in 0..<100 {
      var toml = Array(AgentFormTests.everyTOMLField.utf8)
      var markdown = Array(AgentFormTests.everyFrontMatterField.utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        if Bool.random(using: &random) {
          mutate(&toml, &random)
        } else {
          mutate(&markdown, &random)
        }
      }
      for isAlone in [false, true] {
        let reading = AgentReading.load(
          tomlBytes: isAlone ? nil : toml, markdownBytes: markdown)
        if let agent = reading.definition?.agent {
          #expect(AgentID.isValid(agent.id), "\(agent.id)")
          #expect(!agent.name.isEmpty)
        } else {
          #expect(!reading.failures.isEmpty)
        }
        for failure in reading.failures {
          #expect(failure.location != nil && !failure.message.isEmpty)
        }
        for warning in reading.warnings { #expect(warning.location != nil, "\(warning)") }
      }
      _ = try? AgentLoader.promptPaths(in: SourceDocument(bytes: toml, path: "a.toml"))
    }
  }

  /// The fast search for the prompt's path agrees with parsing the whole file.
  @Test(arguments: 0..<4)
  func promptPathsAreThoseThatAreRead(seed: UInt64) {
    var random = SeededNumbers(seed: seed &+ 100)
    for _ in 0..<100 {
      var toml = Array(AgentFormTests.everyTOMLField.utf8)
      mutate(&toml, &random)
      // One more field, which only a parser can read, so that the fast search gives up.
      let slow = Array("zz = ''''''\n".utf8) + toml
      guard let found = try? AgentLoader.promptPaths(in: SourceDocument(bytes: slow, path: "a")),
        let paths = try? AgentLoader.promptPaths(in: SourceDocument(bytes: toml, path: "a"))
      else { continue }
      #expect(found == paths, "\(String(decoding: toml, as: UTF8.self))")
    }
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededNumbers) {
    let pieces: [[UInt8]] = [
      Array(":".utf8), Array("\n".utf8), Array("\"".utf8), Array("[".utf8), Array("---\n".utf8),
      Array("= ".utf8), Array("- ".utf8), [0], [0xFF], Array("{".utf8), Array("\t".utf8),
      Array("-9223372036854775809".utf8), Array("null".utf8), Array("'''".utf8), Array("#".utf8),
    ]
    guard !bytes.isEmpty else { return }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<5, using: &random) {
    case 0: bytes.remove(at: place)
    case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
    case 2: bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: place)
    case 3:
      let end = min(bytes.count, place + Int.random(in: 1...40, using: &random))
      bytes.removeSubrange(place..<end)
    default:
      // Repeats a line somewhere else.
      let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
      guard let line = lines.randomElement(using: &random) else { return }
      bytes.insert(contentsOf: Array(line) + [0x0A], at: place)
    }
  }
}

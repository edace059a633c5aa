package import RasaCore

/// A folder with a `SKILL.md`: instructions that a model loads when it needs them, with files and scripts.
package struct Skill: Sendable, Hashable {
  /// The name of its folder.
  package var name: String
  /// What it does and when to use it, in its author's words: untrusted text.
  package var description: String
  package var license: String?
  /// What it needs of its surroundings, in words.
  package var compatibility: String?
  /// The tools that may be used once it is loaded, as its file spells them; nil for all.
  package var allowedTools: [String]?
  package var metadata = ValueObject()
  /// The folder, and the place in which it was found, for messages.
  package var folder: String
  package var place: String
  package var isProject = false
  /// Of the whole `SKILL.md`.
  package var digest: String
  package var location: SourceLocation
  /// The places in which another skill has the same name and goes after this one.
  package var shadows: [String] = []

  package static let fileName = "SKILL.md"
  package static let longestName = 64
  package static let longestDescription = 1_024
  package static let longestCompatibility = 500

  /// Lowercase letters, digits and single hyphens inside.
  package static func isName(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard (1...longestName).contains(bytes.count), bytes.first != 0x2D, bytes.last != 0x2D else {
      return false
    }
    for (index, byte) in bytes.enumerated() {
      switch byte {
      case 0x61...0x7A, 0x30...0x39: continue
      case 0x2D where bytes[index - 1] != 0x2D: continue
      default: return false
      }
    }
    return true
  }
}

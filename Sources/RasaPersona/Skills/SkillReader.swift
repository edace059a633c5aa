import RasaCore
import RasaDocuments

/// Reads a `SKILL.md`.
package struct SkillReader {
  private var reader: DocumentReader
  private static let keys = [
    "name", "description", "license", "compatibility", "allowed-tools", "metadata",
  ]
  /// Fields that other programs act on.
  private static let keysOfOthers = [
    "version", "model", "disable-model-invocation", "user-invocable", "argument-hint", "context",
    "agent",
    "hooks", "tags", "author", "when_to_use", "allowed_tools",
  ]
  package static let largest = 1_000_000

  /// - Parameters:
  ///   - name: the name of its folder, which is the skill's.
  ///   - folder: that folder.
  /// - Returns: the skill, and the text below its front matter, which a model gets when it asks.
  package static func read(
    _ document: SourceDocument, named name: String, in folder: String, place: String,
    isProject: Bool
  ) -> (reading: Reading<Skill>, body: String) {
    let matter: FrontMatter
    do throws(Failure) {
      matter = try FrontMatter.read(document.bytes, file: document.path)
    } catch {
      return (Reading(failure: error), "")
    }
    var reader = SkillReader(reader: DocumentReader(text: SourceText(document)))
    if let failure = matter.failure { reader.reader.fail(failure) }
    for warning in matter.warnings {
      reader.reader.warn(warning.message, at: warning.location ?? matter.bodyLocation)
    }
    var skill = Skill(
      name: name, description: "", folder: folder, place: place, isProject: isProject,
      digest: Digest.sha256(document.bytes),
      location: SourceLocation(file: document.path, line: 1, column: 1))
    if let node = matter.node {
      reader.read(node, into: &skill)
    } else if matter.failure == nil {
      reader.reader.fail(
        Failure(
          .configuration, "it does not begin with front matter",
          suggestion: "begin it with `---`, `name: \(name)`, `description: …` and `---`",
          at: skill.location))
    }
    if matter.body.utf8.allSatisfy({ $0 <= 0x20 }) {
      reader.reader.warn("it has no instructions below its front matter", at: matter.bodyLocation)
    }
    return (
      Reading(read: skill, failures: reader.reader.failures, warnings: reader.reader.warnings),
      matter.body
    )
  }

  private mutating func read(_ node: DocumentNode, into skill: inout Skill) {
    guard case .mapping(let entries) = node.content else {
      reader.fail(node, "its front matter must be a mapping")
      return
    }
    for entry in entries
    where !Self.keys.contains(entry.key) && !Self.keysOfOthers.contains(entry.key) {
      let nearest = nearestName(to: entry.key, among: Self.keys)
      reader.warn(
        "`\(DocumentReader.printable(entry.key))` is unknown in a skill and ignored"
          + (nearest.map { "; did you mean `\($0)`?" } ?? ""), at: entry.keyLocation)
    }
    let fields = Fields(node: node, entries: entries)
    readName(fields, skill)
    readDescription(fields, into: &skill)
    skill.license = reader.text(fields["license"], "license")
    skill.compatibility = bounded(fields, "compatibility", to: Skill.longestCompatibility)
    skill.metadata = reader.object(fields["metadata"], "metadata")
    if let node = fields["allowed-tools"] ?? fields["allowed_tools"] {
      skill.allowedTools = allowedTools(node)
    }
  }

  /// The folder's name counts: two folders in one place never share it.
  private mutating func readName(_ fields: Fields, _ skill: Skill) {
    guard let node = fields["name"] else {
      reader.fail(fields.node, "the skill has no `name`", suggestion: "add `name: \(skill.name)`")
      return
    }
    guard let name = reader.text(node, "name") else { return }
    guard Skill.isName(name) else {
      reader.fail(
        node, "`name` must be the name of a skill, but is \(DocumentReader.kindName(node))",
        suggestion:
          "names have at most \(Skill.longestName) lowercase letters, digits and single hyphens inside"
      )
      return
    }
    if name != skill.name {
      reader.fail(
        node,
        "the skill is named `\(name)`, but its folder `\(DocumentReader.printable(skill.name))`",
        suggestion: "give both the same name")
    }
  }

  private mutating func readDescription(_ fields: Fields, into skill: inout Skill) {
    guard fields["description"] != nil else {
      reader.fail(
        fields.node, "the skill has no `description`",
        suggestion: "say in `description:` what it does and when to use it: a model chooses by it")
      return
    }
    skill.description = bounded(fields, "description", to: Skill.longestDescription) ?? ""
  }

  private mutating func bounded(_ fields: Fields, _ key: String, to most: Int) -> String? {
    guard let node = fields[key], let text = reader.text(node, key) else { return nil }
    let count = text.unicodeScalars.count
    guard count <= most, !text.utf8.allSatisfy({ $0 <= 0x20 }) else {
      reader.fail(
        node,
        count > most
          ? "`\(key)` has \(count) characters, and may have \(most)" : "`\(key)` is empty",
        suggestion: count > most ? "details belong in the text below" : "write one")
      return nil
    }
    return text
  }

  /// Words with spaces between, as in `Bash(git add:*) Read`; or a list, or with commas, as others write it.
  private mutating func allowedTools(_ node: DocumentNode) -> [String] {
    if case .sequence = node.content { return reader.texts(node, "allowed-tools") }
    guard let text = reader.text(node, "allowed-tools") else { return [] }
    var words: [String] = []
    var word: [UInt8] = []
    var depth = 0
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")"): depth = max(0, depth - 1)
      default: break
      }
      if depth == 0, byte <= 0x20 || byte == UInt8(ascii: ",") {
        if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
        word = []
      } else {
        word.append(byte)
      }
    }
    if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
    if depth > 0 { reader.warn("a `(` in `allowed-tools` is not closed", at: node.location) }
    return words
  }
}

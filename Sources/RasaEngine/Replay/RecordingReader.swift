import RasaCore
import RasaDocuments

/// One object of a recording, read member by member. What is missing, of the wrong kind or unknown
/// is told with its place in the file.
struct RecordingReader {
  let node: DocumentNode
  /// What the object is called in messages.
  private let name: String
  private let entries: [DocumentNode.Entry]

  init(_ node: DocumentNode, _ name: String, members: [String]) throws(Failure) {
    self.node = node
    self.name = name
    guard case .mapping(let entries) = node.content else {
      throw node.failure("\(name) has to be an object", suggestion: RecordingReader.suggestion)
    }
    self.entries = entries
    for entry in entries where !members.contains(entry.key) {
      let guess = nearestName(to: entry.key, among: members).map { "did you mean `\($0)`? " } ?? ""
      var failure = entry.value.failure(
        "\(name) has no member `\(entry.key)`",
        suggestion: guess + "known are \(members.joined(separator: ", "))")
      failure.location = entry.keyLocation
      throw failure
    }
  }

  static let suggestion = "mend the file by hand, or record the run anew"

  /// Nil when it is missing or null.
  func optional(_ key: String) -> DocumentNode? {
    guard let found = entries.first(where: { $0.key == key })?.value else { return nil }
    if case .scalar(.null) = found.content { return nil }
    return found
  }

  func member(_ key: String) throws(Failure) -> DocumentNode {
    guard let found = optional(key) else {
      throw node.failure("\(name) has no `\(key)`", suggestion: RecordingReader.suggestion)
    }
    return found
  }

  /// A value of any kind; null when it is missing.
  func value(_ key: String) -> Value {
    optional(key).map { ReadableText.unmarked($0.value) } ?? .null
  }

  func object(_ key: String) throws(Failure) -> ValueObject {
    guard let found = optional(key) else { return ValueObject() }
    guard case .mapping = found.content else { throw wrong(found, key, "an object") }
    // Its members are the run's own, whatever they are called.
    return ValueObject(
      (found.value.object ?? ValueObject()).map { ($0.key, ReadableText.unmarked($0.value)) })
  }

  /// A text, in one piece or as a list of lines.
  func text(_ key: String) throws(Failure) -> String {
    try text(try member(key), key)
  }

  func optionalText(_ key: String) throws(Failure) -> String? {
    guard let found = optional(key) else { return nil }
    return try text(found, key)
  }

  private func text(_ node: DocumentNode, _ key: String) throws(Failure) -> String {
    guard let text = ReadableText.text(node.value) else {
      throw wrong(node, key, "a text, or a list of its lines")
    }
    return text
  }

  func number(_ key: String) throws(Failure) -> Int64 {
    let found = try member(key)
    guard let number = found.value.int else { throw wrong(found, key, "a whole number") }
    return number
  }

  func number(_ key: String, or standard: Int64) throws(Failure) -> Int64 {
    optional(key) == nil ? standard : try number(key)
  }

  /// Until the year 9999: moments and spans that can be added without a thought.
  func milliseconds(_ key: String) throws(Failure) -> Int64 {
    let number = try number(key, or: 0)
    guard (0...253_402_300_799_999).contains(number) else {
      throw wrong(try member(key), key, "a number of milliseconds that can be")
    }
    return number
  }

  func money(_ key: String) throws(Failure) -> Money {
    guard let found = optional(key) else { return .zero }
    guard let money = Money(found.value) else { throw wrong(found, key, "an amount of dollars") }
    return money
  }

  func list(_ key: String) throws(Failure) -> [DocumentNode] {
    guard let found = optional(key) else { return [] }
    guard case .sequence(let elements) = found.content else { throw wrong(found, key, "a list") }
    return elements
  }

  /// One of some words.
  func word<Word: RawRepresentable<String>>(
    _ key: String, among words: [Word]
  ) throws(Failure) -> Word {
    let found = try member(key)
    guard let word = found.value.string.flatMap({ Word(rawValue: $0) }),
      words.contains(where: {
        $0.rawValue == word.rawValue
      })
    else {
      throw wrong(found, key, "one of " + words.map(\.rawValue).joined(separator: ", "))
    }
    return word
  }

  func key(_ key: String) throws(Failure) -> EffectKey {
    let found = try member(key)
    guard let effect = found.value.string.flatMap({ EffectKey($0) }) else {
      throw wrong(found, key, "a key such as `session_frame:1/respond/call#1`")
    }
    return effect
  }

  static func step(_ node: DocumentNode) throws(Failure) -> Step {
    guard let step = node.value.string.flatMap({ Step(place: $0) }) else {
      throw node.failure(
        "a step such as `session_frame:1/respond` was expected",
        suggestion: RecordingReader.suggestion)
    }
    return step
  }

  func wrong(_ node: DocumentNode, _ key: String, _ expected: String) -> Failure {
    node.failure("`\(key)` has to be \(expected)", suggestion: RecordingReader.suggestion)
  }
}

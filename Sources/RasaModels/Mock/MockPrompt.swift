import RasaCore
import RasaEngine

/// What the mock knows of a call: the user's words, the preferences, whether a critic has asked for a
/// revision.
struct MockPrompt: Sendable {
  /// Shortened to what fits into a sentence.
  var topic: String
  var preferences: [(key: String, value: String)]
  /// The critic's wish stands in the prompt.
  var isRevision: Bool
  /// A draft that has been revised for this topic stands in the prompt.
  var showsRevisedDraft: Bool

  /// What is attached, as its facts say.
  var attachments: [String]
  /// The tools that were called for this answer.
  var used: [String]

  /// What the mock's critic asks for, and what a prompt of the next draft then contains.
  static let wish = "say what would change the conclusion"

  static func revisionMark(_ topic: String) -> String { "Second draft on “\(topic)”" }

  init(_ request: ModelRequest) {
    topic = Self.shortened(request.input)
    preferences = request.preferences.map { ($0.key, $0.value.promptText) }
    attachments = request.attachments.map { "\($0.name) (\($0.summary))" }
    used = request.messages.flatMap { $0.toolCalls.map(\.name) }
    isRevision = Self.contains(request, Self.wish)
    showsRevisedDraft = Self.contains(request, Self.revisionMark(topic))
  }

  /// The word of the topic to look for: the first name in it, or else the longest word.
  var keyword: String {
    let words = topic.split { !($0.isLetter || $0.isNumber || $0 == "-") }
    let name = words.dropFirst().first { $0.first?.isUppercase == true && $0.count > 1 }
    return String(name ?? words.max { $0.count < $1.count } ?? "made-up")
  }

  private static func contains(_ request: ModelRequest, _ words: String) -> Bool {
    let wanted = Array(words.utf8)
    return request.messages.contains { message in
      let bytes = Array(message.text.utf8)
      return bytes.indices.contains { bytes[$0] == wanted[0] && bytes[$0...].starts(with: wanted) }
    }
  }

  private static func shortened(_ text: String) -> String {
    let words = text.split(maxSplits: 16) { $0.isWhitespace }
    let kept = words.prefix(16).joined(separator: " ")
    return words.count > 16 ? kept + " …" : kept
  }
}

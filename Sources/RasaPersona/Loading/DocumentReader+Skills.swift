import RasaCore
import RasaDocuments

extension DocumentReader {
  private enum FeedbackWish: String, CaseIterable { case ask, none }

  /// `feedback: ask`.
  mutating func asksForFeedback(_ node: DocumentNode?) -> Bool {
    choice(node, "feedback", as: FeedbackWish.self) == .ask
  }

  private enum ContextSource: String, CaseIterable { case project, none }

  /// `skills: [name, …]` or `skills: all`; nil if it is missing.
  mutating func skills(_ node: DocumentNode?) -> [String]? {
    guard let node else { return nil }
    return oneOrMore(node).compactMap { element in
      guard let name = text(element, "skills") else { return nil }
      guard Skill.isName(name) else {
        fail(
          element, "`skills` lists names of skills, and \(Self.kindName(element)) is none",
          suggestion: "`rasa skills list` shows which there are; `all` stands for all of them")
        return nil
      }
      return name
    }
  }

  /// `context: project`; nil if it is missing.
  mutating func projectContext(_ node: DocumentNode?) -> Bool? {
    let source: ContextSource? = choice(node, "context")
    return source.map { $0 == .project }
  }
}

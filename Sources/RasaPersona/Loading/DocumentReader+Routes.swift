import RasaCore
import RasaDocuments

extension DocumentReader {
  private static let mostRepeats: ClosedRange<Int64> = 1...1000

  mutating func atMost(_ fields: Fields) -> Int? {
    integer(fields["at_most"], "at_most", in: Self.mostRepeats)
  }

  /// An entry of `then`: `{when, to, at_most}` or `{when, review: human, subject}`.
  mutating func route(_ node: DocumentNode) -> Route? {
    let known = ["when", "to", "review", "subject", "at_most"]
    guard let fields = fields(node, of: "an entry of `then`", known: known) else { return nil }
    let condition = condition(fields["when"], "when")
    let bound = atMost(fields)
    let action: Route.Action
    switch (fields["to"], fields["review"]) {
    case (let target?, nil):
      guard let name = name(target, "to") else { return nil }
      action = .to(name)
    case (nil, let reviewer?):
      guard case .scalar(.string("human")) = reviewer.content else {
        fail(reviewer, "review", mustBe: "`human`")
        return nil
      }
      let subject = text(fields["subject"], "subject")
      if let subject, let node = fields["subject"], !PathSyntax.isPath(subject) {
        fail(node, "subject", mustBe: "a key of the state")
      }
      action = .review(subject: subject)
    default:
      fail(
        node, "an entry of `then` needs one of `to` and `review`",
        suggestion: "write `to: respond` or `review: human`")
      return nil
    }
    if case .to = action, let subject = fields["subject"] {
      fail(subject, "`subject` belongs to `review: human`", suggestion: "leave it out here")
    }
    return Route(when: condition, action: action, atMost: bound, location: node.location)
  }

  mutating func reviewPolicy(_ node: DocumentNode?) -> ReviewPolicy? {
    guard let node else { return nil }
    switch node.content {
    case .scalar(.string("always")): return .always
    case .scalar(.string("never")): return .never
    case .mapping:
      guard let fields = fields(node, of: "`review`", known: ["when"]) else { return nil }
      guard fields["when"] != nil else {
        fail(node, "`review` needs a condition", suggestion: "write `review: {when: …}`")
        return nil
      }
      return condition(fields["when"], "when").map { .when($0) }
    default:
      fail(node, "review", mustBe: "`always`, `never` or `{when: …}`")
      return nil
    }
  }

  /// `{retry: 2, else: fail | skip | <operator>}`.
  mutating func errorPolicy(_ node: DocumentNode?) -> ErrorPolicy? {
    guard let node,
      let fields = fields(node, of: "`on_error`", known: ["retry", "else"])
    else { return nil }
    var policy = ErrorPolicy()
    if let retries = integer(fields["retry"], "retry", in: 0...10) { policy.retry = retries }
    switch name(fields["else"], "else") {
    case "fail", nil: policy.otherwise = .fail
    case "skip": policy.otherwise = .skip
    case let name?: policy.otherwise = .run(name)
    }
    return policy
  }
}

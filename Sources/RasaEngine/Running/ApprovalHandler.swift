import RasaCore

/// Answers questions to people: a terminal, a file of answers, a policy.
package protocol ApprovalHandler: Sendable {
  /// Returns the decision, or nil when it is left for later: the run then goes as far as it can
  /// without it and parks. Throws a failure of kind `approval` when nobody may be asked.
  func decide(_ question: Question) async throws -> HumanAnswer?
}

/// What an operator throws when it waits for a person who will answer later.
struct Deferred: Error {
  var approvals: [Approval]
}

/// Whoever answers questions: a terminal, a file of answers, a policy.
package protocol People: Sendable {
  /// Returns the decision, or throws a failure of kind `approval` when nobody can be asked.
  func decide(_ question: Question) async throws -> HumanAnswer
}

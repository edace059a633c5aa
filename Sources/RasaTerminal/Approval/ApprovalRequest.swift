package import RasaCore

/// A question to the person at the terminal: may this be done, said, or kept?
package struct ApprovalRequest: Sendable {
  /// What is to be decided, as one line.
  package var title: String
  /// Who asks: operator and frame.
  package var askedBy: String
  /// What is at stake, in a word or two; empty when there is nothing to say.
  package var risk: String
  package var costSoFar: Money
  /// The exact text that the answer is about.
  package var subject: String
  /// Further facts, each with its name.
  package var context: [(name: String, value: String)]
  package var allowsEdit: Bool
  package var allowsFeedback: Bool
  package var allowsSession: Bool

  package init(
    title: String, askedBy: String, risk: String = "", costSoFar: Money = .zero, subject: String,
    context: [(name: String, value: String)] = [], allowsEdit: Bool = true,
    allowsFeedback: Bool = true, allowsSession: Bool = true
  ) {
    self.title = title
    self.askedBy = askedBy
    self.risk = risk
    self.costSoFar = costSoFar
    self.subject = subject
    self.context = context
    self.allowsEdit = allowsEdit
    self.allowsFeedback = allowsFeedback
    self.allowsSession = allowsSession
  }
}

package enum ApprovalAnswer: Sendable, Hashable {
  case approve
  /// The full text that takes the place of the subject.
  case edit(String)
  case reject(reason: String)
  case feedback(String)
  /// This, and what is like it for the rest of the session.
  case approveForSession
  /// The person broke off: Ctrl-C, or the run was cancelled while it waited.
  case interrupted
}

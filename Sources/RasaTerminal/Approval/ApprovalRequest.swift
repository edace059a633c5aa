package import RasaCore

/// A question to the person at the terminal: may this be done, said, or stored?
package struct ApprovalRequest: Sendable {
  /// The effect of each choice, if known.
  package struct Consequences: Sendable, Hashable {
    package var approve: String
    package var edit: String
    package var reject: String
    package var feedback: String

    package init(
      approve: String = "the text is used exactly as shown",
      edit: String = "your text is used instead",
      reject: String = "with a reason it is sent back, without one the run ends as denied",
      feedback: String = "say what should be different; the text is written again"
    ) {
      self.approve = approve
      self.edit = edit
      self.reject = reject
      self.feedback = feedback
    }
  }

  /// The decision to make, in the words of the asker.
  package var title: String
  /// The asker: operator and frame.
  package var askedBy: String
  /// The risk, in a word or two; empty if there is nothing to say.
  package var risk: String
  package var costSoFar: Money
  /// The name of the subject: `the output`, `` `draft` ``.
  package var subjectName: String
  /// The exact text that the answer refers to.
  package var subject: String
  /// Further facts, each with its name.
  package var context: [(name: String, value: String)]
  package var consequences: Consequences
  package var allowsEdit: Bool
  package var allowsFeedback: Bool
  package var allowsSession: Bool
  /// What the editor begins with; nil if it is the subject as it is shown.
  package var editable: String?
  /// The rule that `s` would store, which is shown first; nil where `s` is about the asker alone.
  package var grant: String?
  /// What is wrong with such a rule as the person has changed it.
  package var grantProblem: @Sendable (_ rule: String) -> String? = { _ in nil }
  package var reasonPrompt = "Reason (Enter for none, which ends the run): "
  /// What was wrong with the previous answer; the subject is shown again with it.
  package var problem = ""
  /// The initial text of the editor if it is not the subject: an edit that was refused.
  package var unfinishedEdit: String?

  package init(
    title: String, askedBy: String, risk: String = "", costSoFar: Money = .zero,
    subjectName: String = "the text", subject: String,
    context: [(name: String, value: String)] = [], consequences: Consequences = Consequences(),
    allowsEdit: Bool = true, allowsFeedback: Bool = true, allowsSession: Bool = true
  ) {
    self.title = title
    self.askedBy = askedBy
    self.risk = risk
    self.costSoFar = costSoFar
    self.subjectName = subjectName
    self.subject = subject
    self.context = context
    self.consequences = consequences
    self.allowsEdit = allowsEdit
    self.allowsFeedback = allowsFeedback
    self.allowsSession = allowsSession
  }
}

package enum ApprovalAnswer: Sendable, Hashable {
  case approve
  /// The full text that replaces the subject.
  case edit(String)
  case reject(reason: String)
  case feedback(String)
  /// This, and the same kind for the rest of the session.
  case approveForSession
  /// This, and whatever the rule covers for the rest of the session.
  case grant(String)
  /// No answer: the input has ended, or the terminal is gone.
  case unanswered
  /// Interrupted: Ctrl-C, or the run was cancelled while it waited.
  case interrupted
}

package import RasaCore

/// A question to a person, bound to one exact payload: it is answered once, and a changed payload is
/// another question.
package struct Approval: Sendable, Hashable {
  package enum Standing: Sendable, Hashable {
    case pending
    case answered(HumanAnswer, at: Timestamp)
    /// Nobody answered in time; a resumed run asks again.
    case expired
    /// The run has ended or was deleted; nobody waits for an answer any more.
    case withdrawn
  }

  /// `a` and a part of the digest over run, place, label and payload.
  package var id: String
  package var run: Identifier
  package var question: Question
  /// SHA-256 of the payload's canonical form.
  package var payloadDigest: String
  package var askedAt: Timestamp
  package var expiresAt: Timestamp?
  package var standing: Standing

  package init(
    run: Identifier, question: Question, askedAt: Timestamp, expiresAt: Timestamp? = nil,
    standing: Standing = .pending
  ) {
    self.run = run
    self.question = question
    payloadDigest = question.payloadDigest
    id = Approval.identity(run: run, key: question.key, payloadDigest: payloadDigest)
    self.askedAt = askedAt
    self.expiresAt = expiresAt
    self.standing = standing
  }

  /// Refuses an answer to a different question than this one.
  package func check(_ answer: HumanAnswer) throws(Failure) {
    if let shown = answer.shown, shown != payloadDigest {
      throw Failure(
        .approval,
        "\(answer.by) decided about another text than the one that \(id) is about",
        suggestion: "`rasa approvals show \(id)` shows what it is about")
    }
    switch (question.form, answer.decision) {
    case (_, .reject), (.answer, .answer): return
    case (.answer, _): throw question.mustBeAnswered
    case (.review, .answer):
      throw Failure(
        .usage, "\(id) is about something that is shown, and no answer is asked for",
        suggestion: "approve, edit or reject it, or say what should be different")
    case (.review, _): return
    }
  }

  package static func identity(run: Identifier, key: EffectKey, payloadDigest: String) -> String {
    "a" + Digest.sha256(Array("\(run.text)\n\(key)\n\(payloadDigest)".utf8)).prefix(16)
  }
}

/// What became of an answer.
package enum AnswerReceipt: Sendable, Hashable {
  case accepted(Approval)
  /// The question no longer waits; its standing says who was first, or why.
  case late(Approval)
  case unknown
}

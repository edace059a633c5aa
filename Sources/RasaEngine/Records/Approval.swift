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
  /// Who has approved so far, where more than one person has to.
  package var votes: [Vote] = []
  /// Whether nobody answered in time and it waits for somebody all the same.
  package var isEscalated = false

  /// An approval that does not suffice by itself.
  package struct Vote: Sendable, Hashable {
    package var uid: UInt32
    package var by: String
    package var at: Timestamp
    package init(uid: UInt32, by: String, at: Timestamp) {
      self.uid = uid
      self.by = by
      self.at = at
    }
  }

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
    case (.permission, .edit) where people > 1:
      throw Failure(
        .usage, "\(people) people have to approve the same arguments, so nobody can edit them",
        suggestion: "reject it, and say in the reason what it should be")
    case (.review, .answer), (.permission, .answer):
      throw Failure(
        .usage, "\(id) is about something that is shown, and no answer is asked for",
        suggestion: "approve, edit or reject it, or say what should be different")
    case (.review, _), (.permission, _): break
    }
    if let uid = answer.uid, answer.decision == .approve, people > 1,
      let vote = votes.first(where: { $0.uid == uid })
    {
      throw Failure(
        .approval, "\(vote.by) has approved \(id) already, and another user of this machine has to",
        suggestion: "somebody else answers it with `rasa approvals approve \(id)`")
    }
    if answer.uid == nil, answer.decision == .approve, people > 1 {
      throw Failure(
        .approval,
        "\(people) different people have to approve \(id), and it is not known who answers",
        suggestion: "each of them answers it with `rasa approvals approve \(id)`")
    }
  }

  /// How many different people have to approve.
  package var people: Int { question.permission?.people ?? 1 }

  /// What an answer makes of it: the approval of one of several people is only counted.
  package func answered(_ answer: HumanAnswer, at now: Timestamp) -> Approval {
    var approval = self
    guard answer.decision == .approve, people > 1, let uid = answer.uid else {
      approval.standing = .answered(answer, at: now)
      return approval
    }
    approval.votes.append(Vote(uid: uid, by: answer.by, at: now))
    if approval.votes.count >= people {
      var all = answer
      all.by = approval.votes.map(\.by).joined(separator: " and ")
      approval.standing = .answered(all, at: now)
    }
    return approval
  }

  package static func identity(run: Identifier, key: EffectKey, payloadDigest: String) -> String {
    "a" + Digest.sha256(Array("\(run.text)\n\(key)\n\(payloadDigest)".utf8)).prefix(16)
  }
}

/// What became of an answer.
package enum AnswerReceipt: Sendable, Hashable {
  case accepted(Approval)
  /// It counts, and further people have to approve.
  case counted(Approval)
  /// The question no longer waits; its standing says who was first, or why.
  case late(Approval)
  case unknown
}

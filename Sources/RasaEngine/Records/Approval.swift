package import RasaCore
import RasaDocuments

/// A question to a person, bound to one exact payload: it is answered once, and a changed payload is
/// another question.
package struct Approval: Sendable, Hashable {
  package enum Standing: Sendable, Hashable {
    case pending
    case answered(HumanAnswer, at: Timestamp)
    /// Nobody answered in time; the run asks again when it goes on.
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

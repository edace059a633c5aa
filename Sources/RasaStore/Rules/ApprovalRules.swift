package import RasaCore
import RasaEngine

/// Which approvals a list shows.
package struct ApprovalFilter: Sendable, Hashable {
  /// Only those that wait for an answer.
  package var onlyPending: Bool
  package var run: Identifier?

  package init(onlyPending: Bool = true, run: Identifier? = nil) {
    self.onlyPending = onlyPending
    self.run = run
  }
}

extension Approval {
  /// Whether it expired without an answer.
  func isOverdue(at now: Timestamp) -> Bool {
    guard standing == .pending, let expiresAt else { return false }
    return expiresAt < now
  }

  /// Its current state, even if its expiry has not been written yet.
  func standing(at now: Timestamp) -> Approval {
    guard isOverdue(at: now) else { return self }
    var approval = self
    approval.standing = .expired
    return approval
  }
}

extension Audit {
  static func asked(_ approval: Approval, at now: Timestamp) -> Audit {
    approvalAudit("approval_asked", approval.id, "\(approval.question.key) of \(approval.run)", now)
  }

  static func answered(_ approval: String, _ answer: HumanAnswer, at now: Timestamp) -> Audit {
    approvalAudit("approval_answered", approval, "\(answer.decision.rawValue) by \(answer.by)", now)
  }

  static func refusedAnswer(
    to approval: Approval, _ answer: HumanAnswer, at now: Timestamp
  ) -> Audit {
    let reason =
      switch approval.standing {
      case .pending: "pending"
      case .answered(let first, _): "\(first.by) was first"
      case .expired: "it has expired"
      case .withdrawn: "it was withdrawn"
      }
    return approvalAudit(
      "approval_refused", approval.id, "\(answer.decision.rawValue) by \(answer.by): \(reason)", now
    )
  }

  static func expired(_ approval: String, at now: Timestamp) -> Audit {
    approvalAudit("approval_expired", approval, "nobody answered in time", now)
  }

  static func withdrawn(_ approval: String, at now: Timestamp) -> Audit {
    approvalAudit("approval_withdrawn", approval, "the run no longer waits", now)
  }

  private static func approvalAudit(
    _ kind: String, _ approval: String, _ detail: String, _ time: Timestamp
  ) -> Audit {
    Audit(time: time, kind: kind, subject: approval, amount: .zero, detail: detail)
  }
}

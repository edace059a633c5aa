package import RasaCore
import RasaEngine
import RasaPersona

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
  var onExpiry: ExpiryPolicy { question.permission?.onExpiry ?? .park }

  private func isLate(at now: Timestamp) -> Bool {
    guard standing == .pending, let expiresAt else { return false }
    return expiresAt < now
  }

  /// Whether it expired without an answer, and no longer waits for one.
  func isOverdue(at now: Timestamp) -> Bool { isLate(at: now) && onExpiry != .escalate }

  /// Its current state, even if its expiry has not been written yet.
  func standing(at now: Timestamp) -> Approval {
    guard isLate(at: now) else { return self }
    var approval = self
    switch onExpiry {
    case .park: approval.standing = .expired
    case .escalate: approval.isEscalated = true
    case .deny:
      approval.standing = .answered(.unanswered, at: expiresAt ?? now)
    }
    return approval
  }
}

extension HumanAnswer {
  /// What counts where nobody answered and the rule says `on_expiry: deny`.
  static let unanswered = HumanAnswer(
    .reject, text: "nobody answered in time", by: "on_expiry: deny")
}

extension Audit {
  static func revoked(_ grant: String, by: String, at now: Timestamp) -> Audit {
    Audit(time: now, kind: "grant_revoked", subject: grant, amount: .zero, detail: "by \(by)")
  }

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

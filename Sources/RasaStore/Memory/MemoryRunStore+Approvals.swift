import RasaCore
package import RasaEngine

extension MemoryRunStore {
  package func ask(
    _ approval: Approval, recording entries: [JournalEntry]
  ) async throws -> Approval {
    try work { state, worker, now in
      _ = try state.journals.ownedPlace(of: approval.run, by: worker)
      if let known = state.approvals[approval.id] {
        if known.isOverdue(at: now) { state.expire(known, at: now) }
        // It was withdrawn, and the run waits for it again.
        guard known.standing == .withdrawn else { return known.standing(at: now) }
      }
      try state.journals.append(entries, by: worker)
      state.approvals[approval.id] = approval
      state.ledger.audits.append(.asked(approval, at: now))
      return approval
    }
  }

  package func answer(_ approval: String, _ answer: HumanAnswer) async throws -> AnswerReceipt {
    let now = time.now()
    return try state.withLock { state in
      guard var known = state.approvals[approval] else { return .unknown }
      guard known.standing == .pending, !known.isOverdue(at: now) else {
        if known.standing == .pending { state.expire(known, at: now) }
        known = known.standing(at: now)
        state.ledger.audits.append(.refusedAnswer(to: known, answer, at: now))
        return .late(known)
      }
      known.isEscalated = false
      try known.check(answer)
      known = known.answered(answer, at: now)
      state.approvals[approval] = known
      state.ledger.audits.append(.answered(approval, answer, at: now))
      if known.standing == .pending { return .counted(known.standing(at: now)) }
      state.insertGrant(of: known, answer, at: now)
      return .accepted(known)
    }
  }

  package func approvals(
    _ filter: ApprovalFilter, limit: Int
  ) async throws -> [Approval] {
    let now = time.now()
    let all = state.withLock { Array($0.approvals.values) }.map { $0.standing(at: now) }
    return Array(
      all.filter { approval in
        (!filter.onlyPending || approval.standing == .pending)
          && (filter.run == nil || approval.run == filter.run)
      }.sorted { ($0.askedAt, $0.id) > ($1.askedAt, $1.id) }.prefix(max(0, limit)))
  }
}

extension MemoryRunStore {
  package func approval(_ idOrPrefix: String) async throws -> Approval? {
    let now = time.now()
    return try state.withLock { state in
      let found = try only(of: idOrPrefix, called: "approval", among: Array(state.approvals.keys))
      return found.flatMap { state.approvals[$0] }?.standing(at: now)
    }
  }
}

extension MemoryRunStore.State {
  fileprivate mutating func expire(_ approval: Approval, at now: Timestamp) {
    approvals[approval.id] = approval.standing(at: now)
    ledger.audits.append(.expired(approval.id, at: now))
  }

  /// Withdraws the run's open questions.
  mutating func withdrawApprovals(of run: Identifier, at now: Timestamp) {
    let pending = approvals.values.filter { $0.run == run && $0.standing == .pending }
    for id in pending.map(\.id).sorted() {
      approvals[id]?.standing = .withdrawn
      ledger.audits.append(.withdrawn(id, at: now))
    }
  }
}

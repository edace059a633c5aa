package import RasaCore
package import RasaEngine

extension MemoryRunStore {
  package func grants(of run: Identifier, session: SessionID?) async throws -> [ToolGrant] {
    state.withLock { $0.grants }.filter { grant in
      grant.revokedAt == nil
        && (grant.run == run || (session != nil && grant.session == session))
    }
  }

  package func grants(includingRevoked all: Bool, limit: Int) async throws -> [ToolGrant] {
    Array(
      state.withLock { $0.grants }.filter { all || $0.revokedAt == nil }.reversed()
        .prefix(max(0, limit)))
  }

  package func revokeGrant(_ idOrPrefix: String, by: String) async throws -> ToolGrant? {
    let now = time.now()
    return try state.withLock { state in
      let found = try only(
        of: idOrPrefix, called: "grant", among: state.grants.map(\.id))
      guard let place = state.grants.firstIndex(where: { $0.id == found }) else { return nil }
      if state.grants[place].revokedAt == nil {
        state.grants[place].revokedAt = now
        state.grants[place].revokedBy = by
        state.ledger.audits.append(.revoked(state.grants[place].id, by: by, at: now))
      }
      return state.grants[place]
    }
  }
}

extension MemoryRunStore.State {
  /// Keeps what is granted with an answer.
  mutating func insertGrant(of approval: Approval, _ answer: HumanAnswer, at now: Timestamp) {
    guard let pattern = answer.grant, let record = journals.record(of: approval.run) else { return }
    grants.append(
      ToolGrant(
        id: ToolGrant.identity(approval: approval.id), pattern: pattern,
        session: record.session.map { SessionID($0, of: record.user) }, run: approval.run,
        approval: approval.id, by: answer.by, madeAt: now))
  }
}

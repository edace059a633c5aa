package import RasaCore
package import RasaEngine
import RasaLearning

extension MemoryRunStore {
  package func runs(_ filter: RunFilter) async throws -> [RunListing] {
    let now = time.now()
    return state.withLock { state in
      let fitting = state.journals.places.values.sorted(by: >).filter { place in
        filter.takes(state.journals.runs[place].record)
      }
      return fitting.prefix(max(0, filter.limit)).map { state.listing($0, at: now) }
    }
  }

  package func run(_ idOrPrefix: String) async throws -> RunListing? {
    let now = time.now()
    return try state.withLock { state in
      let found = try only(
        of: idOrPrefix, called: "run", among: state.journals.places.keys.map(\.text))
      return found.flatMap { state.journals.places[Identifier($0)] }.map {
        state.listing($0, at: now)
      }
    }
  }

  func only(
    of idOrPrefix: String, called kind: String, among ids: [String]
  ) throws -> String? {
    if idOrPrefix.isEmpty { return nil }
    let found = ids.filter { $0.hasPrefix(idOrPrefix) }.sorted().prefix(6)
    return try onlyMatch(of: idOrPrefix, called: kind, among: Array(found))
  }

  package func calls(of run: Identifier) async throws -> [CallRecord] {
    state.withLock { state in
      guard state.journals.places[run] != nil else { return [] }
      return state.ledger.reservations.values.filter { $0.request.run == run }.map(CallRecord.init)
        .sorted { ($0.madeAt, $0.reservation.text) < ($1.madeAt, $1.reservation.text) }
    }
  }

  package func requestCancel(
    _ run: Identifier, _ facts: PerformanceFacts?
  ) async throws -> CancelReceipt {
    let now = time.now()
    let (receipt, act) = try state.withLock {
      state -> (CancelReceipt, (@Sendable () -> Void)?) in
      guard let place = state.journals.places[run] else { throw state.journals.unknown(run) }
      let status = state.journals.runs[place].record.status
      switch status {
      case .done, .failed, .cancelled: return (.ended(status), nil)
      case .running where state.isAlive(place, at: now):
        return (.asked, state.journals.askToCancel(place))
      case .running, .parked:
        state.journals.cancel(place, at: now)
        state.withdrawApprovals(of: run, at: now)
        if let facts { state.keepPerformance(of: run, .cancelled, facts, now: now) }
        return (.cancelled, nil)
      }
    }
    act?()
    return receipt
  }

  // MARK: Deleting

  package func deleteRuns(_ ids: [Identifier]) async throws -> [Identifier] {
    let now = time.now()
    return try state.withLock { state in
      let known = ids.filter { state.journals.places[$0] != nil }
      for run in known { try state.refuseLiving(run, at: now) }
      for run in known { state.delete(run, at: now) }
      return known
    }
  }

  package func deleteSession(_ session: SessionID) async throws -> Bool {
    let now = time.now()
    return try state.withLock { state in
      guard state.memories.sessions[session] != nil else { return false }
      let runs = state.journals.places.values.map { state.journals.runs[$0].record }
        .filter { $0.session == session.name && $0.user == session.user }.map(\.id)
      for run in runs { try state.refuseLiving(run, at: now) }
      state.memories.delete(session)
      for run in runs + state.memories.takeOrphans() { state.delete(run, at: now) }
      return true
    }
  }

  package func forgetUser(_ user: String) async throws -> ForgottenItems {
    let now = time.now()
    return try state.withLock { state in
      let runs = state.journals.places.values.map { state.journals.runs[$0].record }
        .filter { $0.user == user }.map(\.id)
      for run in runs { try state.refuseLiving(run, at: now) }
      let questions = Set(
        state.approvals.values.filter { runs.contains($0.run) }.map(\.id)
          + state.grants.filter { runs.contains($0.run) }.map(\.id))
      for run in runs { state.delete(run, at: now) }
      state.ledger.audits.removeAll { questions.contains($0.subject) }
      state.performance.forget(user: user)
      var forgotten = state.memories.forget(user: user)
      forgotten.runs = runs.count
      return forgotten
    }
  }

  package func pruneRuns(
    endedBefore time: Timestamp, statuses: Set<RunRecord.Status>, dryRun: Bool
  ) async throws -> PruneReport {
    let now = self.time.now()
    return state.withLock { state in
      let old = state.journals.places.values.sorted().filter { place in
        let run = state.journals.runs[place]
        return run.changedAt < time && statuses.contains(run.record.status)
          && !state.isAlive(place, at: now)
      }
      let runs = old.map { state.journals.runs[$0].record.id }
      let bytes = old.reduce(0) { sum, place in
        state.journals.runs[place].parts.joined().reduce(sum) {
          $0 + 24 + $1.body.jsonBytes().count
        }
      }
      if !dryRun { for run in runs { state.delete(run, at: now) } }
      return PruneReport(runs: runs, bytes: bytes)
    }
  }

  package func hasUnfinishedDeletions() async throws -> Bool { false }
}

extension MemoryRunStore.State {
  fileprivate func isAlive(_ place: Int, at now: Timestamp) -> Bool {
    let run = journals.runs[place]
    return run.record.status == .running
      && run.owner.map { workers[$0].isAlive(at: now) } ?? false
  }

  fileprivate func listing(_ place: Int, at now: Timestamp) -> RunListing {
    let run = journals.runs[place]
    return RunListing(
      record: run.record, cost: ledger.balance(of: .execution(run.record.id)).settled,
      lines: run.parts.reduce(0) { $0 + $1.count }, changedAt: run.changedAt,
      waiting: approvals.values.count {
        guard $0.run == run.record.id, $0.standing == .pending else { return false }
        if case .answered = $0.standing(at: now).standing { return false }
        return true
      },
      isAlive: isAlive(place, at: now), owner: run.owner.map { workers[$0].name })
  }

  fileprivate func refuseLiving(_ run: Identifier, at now: Timestamp) throws {
    guard let place = journals.places[run], isAlive(place, at: now) else { return }
    throw Failure.isBeingRun(
      run.text, by: journals.runs[place].owner.map { workers[$0].name } ?? "")
  }

  mutating func delete(_ run: Identifier, at now: Timestamp) {
    for judging in performance.evaluationRuns(of: run) {
      guard let place = journals.places[judging], !isAlive(place, at: now) else { continue }
      delete(judging, at: now)
    }
    withdrawApprovals(of: run, at: now)
    approvals = approvals.filter { $0.value.run != run }
    grants.removeAll { $0.run == run }
    performance.forgetWords(aboutRun: run)
    journals.delete(run)
  }
}

extension RunFilter {
  fileprivate func takes(_ record: RunRecord) -> Bool {
    if let session, session != record.session { return false }
    if let user, user != record.user { return false }
    if let persona, persona != record.persona { return false }
    if record.isInternal, exceptOwners.contains(record.persona) { return false }
    return status.isEmpty || status.contains(record.status)
  }
}

extension CallRecord {
  fileprivate init(_ call: MemoryLedger.Reservation) {
    self.init(
      reservation: call.request.id, key: call.request.key.description,
      provider: call.request.provider, model: call.request.model, price: call.request.price,
      amount: call.request.amount, actual: call.actual, usage: call.settlement?.usage,
      state: call.state, outcome: call.settlement?.outcome, madeAt: call.madeAt,
      settledAt: call.settledAt)
  }
}

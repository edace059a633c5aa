package import RasaCore
import RasaDocuments
package import RasaEngine
import RasaSQLite
import RasaSystem

extension SQLiteStore {
  package func reserve(
    _ request: ReservationRequest, recording entries: [JournalEntry]
  ) async throws -> ReservationOutcome {
    guard request.amount >= .zero else { throw Failure.negativeAmount(request.amount) }
    let owned = try leases.owned(entries)
    let now = time.now()
    let worker = leases.worker
    let outcome = try await writer.write(after: owned.map(\.run)) { database in
      try database.refuseLost(owned)
      let (outcome, isNew) = try database.hold(request, by: worker, at: now)
      if isNew { try database.insert(owned) }
      faultPoint("reserve.before")
      return outcome
    }
    faultPoint("reserve.after")
    return outcome
  }

  package func settle(
    _ settlement: Settlement, recording entries: [JournalEntry]
  ) async throws {
    let owned = try leases.owned(entries)
    let now = time.now()
    let isFollowed = settlement.outcome == .uncertain
    let observation = settlement.observation
    let due = observation.flatMap { observations.due(with: $0, at: now) }
    if settlement.mayWait, due == nil, owned.count == 1, let run = owned.first?.run {
      // The run's next commit most likely follows soon, and can include it.
      try writer.postponed(run, for: Self.longestWait) { database in
        try database.refuseLost(owned)
        if try database.settle(settlement, at: now) { try database.insert(owned) }
        faultPoint("settle.before")
      } done: {
        faultPoint("settle.after")
      }
      if let observation { observations.add(observation) }
      faultPoint("settle.postponed")
      return
    }
    let isNew: Bool
    do {
      isNew = try await writer.write(after: owned.map(\.run), isFollowed: isFollowed) { database in
        try database.refuseLost(owned)
        let isNew = try database.settle(settlement, at: now)
        if isNew {
          try database.insert(owned)
          if let vectors = settlement.vectors { try database.keepVectors(vectors, at: now) }
          if let observation, let due { try database.note(due + [observation]) }
        }
        faultPoint("settle.before")
        return isNew
      }
    } catch {
      observations.putBack(due ?? [])
      throw error
    }
    if !isNew {
      observations.putBack(due ?? [])
    } else if let observation, due == nil {
      observations.add(observation)
    }
    faultPoint("settle.after")
  }

  /// How long a settlement waits for a commit that it could share.
  private static let longestWait = Duration.milliseconds(2)

  package func headroom(_ legs: [BudgetLeg]) async throws -> Money? {
    let legs = legs.filter { $0.limit != nil }
    if legs.isEmpty { return nil }
    return try await writer.read { database in
      try legs.compactMap { leg in
        try leg.limit.map { try database.balance(of: leg.scope.row).room(under: $0) }
      }.min()
    }
  }

  package func confirm(_ run: Identifier) async throws {
    if leases.isProven(run.text) { return }
    let (leases, leaseEnds) = (leases, leases.leaseEnds)
    let began = ContinuousClock.now
    let epoch = try? leases.epoch(of: run.text)
    let isThere = try await writer.write { database in
      guard let end = try database.end(of: run.text) else { return false }
      guard end.epoch == epoch else { throw Failure.takenOver(run.text) }
      try database.renewLease(of: leases.worker, to: leaseEnds)
      return true
    }
    if isThere, let epoch { leases.prove(run.text, epoch: epoch, since: began) }
  }

  package func isSurelyOwned(_ run: Identifier) -> Bool { leases.isProven(run.text) }
}

extension Database {
  /// Throws if another process has taken one of the runs over, and with it their money.
  fileprivate func refuseLost(_ owned: [OwnedLines]) throws {
    for part in owned { _ = try ownedEnd(of: part.run, epoch: part.epoch) }
  }

  /// Counts holds of runs that no live process owns as spent. They are settled when such a run is resumed, which
  /// corrects the amount.
  ///
  /// - Parameter worker: the caller, which is alive.
  /// - Returns: whether there were any.
  private func expireReservationsOfTheGone(by worker: Worker, at now: Timestamp) throws -> Bool {
    let held = try rows(
      """
      SELECT reservations.id, amount, legs, workers.id, workers.name, workers.lease_ends
      FROM reservations INDEXED BY reservations_held
        LEFT JOIN runs ON runs.number = reservations.run
        LEFT JOIN workers ON workers.number = runs.worker
      WHERE state = 0 AND reservations.run IS NOT NULL
      """
    ) { row in
      (
        reservation: (
          id: row.text(0), amount: Money(picoDollars: row.integer(1)), legs: row.text(2)
        ), worker: row.textOrNil(3), name: row.textOrNil(4),
        leaseEnds: row.integerOrNil(5).map(Timestamp.init)
      )
    }
    let lives = OwnerLiveness(now: now)
    let gone = held.filter {
      $0.worker != worker.id && !lives.isAlive($0.name, leaseEnds: $0.leaseEnds)
    }
    for (reservation, _, _, _) in gone { try expire(reservation) }
    return !gone.isEmpty
  }

  private func expire(_ reservation: (id: String, amount: Money, legs: String)) throws {
    try release(
      reservation.id, from: reservation.legs, held: reservation.amount, at: reservation.amount)
    try run(
      "UPDATE reservations SET state = 1, actual = amount WHERE id = ?", .text(reservation.id))
  }

  fileprivate func hold(
    _ request: ReservationRequest, by worker: Worker, at now: Timestamp
  ) throws -> (outcome: ReservationOutcome, isNew: Bool) {
    let limits = request.limits
    let scopes = limits.map(\.scope)
    if try hold(request.amount, under: limits) {
      if try insert(request, scopes, at: now) { return (.held, true) }
      try giveBack(request.amount, to: scopes)
      return (.held, false)
    }
    // A balance has no row yet or no room: reading them shows which.
    var balances = try balances(of: scopes)
    func refusal() -> ReservationOutcome? {
      ReservationOutcome.refusal(of: request) { balances[$0.row] ?? Balance() }
    }
    if case .refused(_, let balance)? = refusal(), balance.held > .zero,
      try expireReservationsOfTheGone(by: worker, at: now)
    {
      balances = try self.balances(of: scopes)
    }
    if let refusal = refusal() {
      return try isKnown(request) ? (.held, false) : (refusal, false)
    }
    guard try insert(request, scopes, at: now) else { return (.held, false) }
    for scope in scopes { balances[scope, default: Balance()].hold(request.amount) }
    try set(balances)
    return (.held, true)
  }

  /// False if the same request was made before; throws if a different one has that ID.
  private func insert(
    _ request: ReservationRequest, _ scopes: [String], at now: Timestamp
  ) throws -> Bool {
    try run(
      """
      INSERT OR IGNORE INTO reservations (id, run, effect, persona, provider, model, price, day,
        amount, made_at, state, legs)
      VALUES (?, (SELECT number FROM runs WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
      """,
      .text(request.id.text), .text(request.run.text),
      .integer(try word(request.key.description)), .integer(try word(request.persona)),
      .integer(try word(request.provider)), .integer(try word(request.model)),
      .integer(try word(request.price)), .integer(request.day.number),
      .integer(request.amount.picoDollars), .integer(now.milliseconds),
      .text(Legs.text(scopes)))
    if changes == 1 { return true }
    _ = try isKnown(request)
    return false
  }

  /// Whether the same request was made before; throws if a different one has that ID.
  private func isKnown(_ request: ReservationRequest) throws -> Bool {
    let isSame = try first(
      """
      SELECT amount = ? AND day = ?
        AND effect = coalesce((SELECT number FROM words WHERE text = ?), 0)
        AND provider = coalesce((SELECT number FROM words WHERE text = ?), 0)
        AND model = coalesce((SELECT number FROM words WHERE text = ?), 0)
      FROM reservations WHERE id = ?
      """, .integer(request.amount.picoDollars), .integer(request.day.number),
      .text(request.key.description), .text(request.provider), .text(request.model),
      .text(request.id.text)
    ) { $0.integer(0) != 0 }
    if isSame == false { throw Failure.knownReservation(request.id) }
    return isSame != nil
  }

  /// False if it was settled before.
  fileprivate func settle(_ settlement: Settlement, at now: Timestamp) throws -> Bool {
    let id = settlement.reservation.text
    let found = try first(
      "SELECT state, amount, legs FROM reservations WHERE id = ?", .text(id)
    ) { row in
      (
        state: ReservationState(rawValue: row.integer(0)),
        amount: Money(picoDollars: row.integer(1)), legs: row.text(2)
      )
    }
    guard let found else { throw Failure.unknownReservation(settlement.reservation) }
    let actual = max(.zero, settlement.actual)
    switch found.state {
    case .settled: return false
    case .expired:
      try change(Legs.scopes(found.legs)) { $1.correct(found.amount, to: actual) }
      try insert(
        .lateSettlement(
          of: settlement.reservation, estimate: found.amount, actual: actual, at: now))
    case .held, nil: try release(id, from: found.legs, held: found.amount, at: actual)
    }
    // It no longer changes any balance, so `legs` is not needed.
    try run(
      """
      UPDATE reservations SET state = 2, actual = ?, outcome = ?, settled_at = ?,
        legs = NULL, input_tokens = ?, output_tokens = ?, cached_tokens = ?, written_tokens = ?,
        reasoning_tokens = ?, is_reported = ? WHERE id = ?
      """,
      .integer(actual.picoDollars), .integer(try word(settlement.outcome.rawValue)),
      .integer(now.milliseconds), .integer(settlement.usage.input),
      .integer(settlement.usage.output), .integer(settlement.usage.cachedInput),
      .integer(settlement.usage.cacheWrites), .integer(settlement.usage.reasoning),
      .integer(settlement.usage.isReported ? 1 : 0), .text(id))
    return true
  }

  func insert(_ audit: Audit) throws {
    try run(
      "INSERT INTO audits (time, kind, subject, amount, detail) VALUES (?, ?, ?, ?, ?)",
      .integer(audit.time.milliseconds), .text(audit.kind), .text(audit.subject),
      .integer(audit.amount.picoDollars), .text(audit.detail))
  }

  /// Turns what is held into what is spent.
  private func release(
    _ reservation: String, from legs: String, held amount: Money, at actual: Money
  ) throws {
    let scopes = try Legs.scopes(legs)
    let settled = try settle(amount, at: actual, under: scopes)
    if settled.count == scopes.count { return }
    try change(scopes.filter { !settled.contains($0) }) { scope, balance in
      let isCounted = balance.held < .max
      balance.settle(held: amount, at: actual)
      if !isCounted { balance.held = try held(under: scope, without: reservation) }
    }
  }

  /// Sums up the holds again, because a saturated sum cannot be reduced.
  private func held(under scope: String, without reservation: String) throws -> Money {
    try rows(
      """
      SELECT amount FROM reservations JOIN json_each(legs) AS leg
      WHERE state = 0 AND reservations.id <> ? AND leg.value = ?
      """, .text(reservation), .text(scope)
    ) { Money(picoDollars: $0.integer(0)) }.reduce(.zero, +)
  }

  private func change(
    _ scopes: [String], _ body: (String, inout Balance) throws -> Void
  ) throws {
    var balances = try balances(of: scopes)
    for scope in scopes { try body(scope, &balances[scope, default: Balance()]) }
    try set(balances)
  }
}

extension ReservationRequest {
  /// The limit of each balance, sorted: a store that locks one row after the other cannot deadlock if every request
  /// has the same order.
  fileprivate var limits: [BalanceLimit] {
    var limits: [BalanceLimit] = []
    for leg in legs {
      let limit = BalanceLimit(scope: leg.scope.row, limit: leg.limit ?? .max)
      if let place = limits.firstIndex(where: { $0.scope == limit.scope }) {
        limits[place].limit = min(limits[place].limit, limit.limit)
      } else {
        limits.append(limit)
      }
    }
    return limits.sorted { $0.scope < $1.scope }
  }
}

/// The names of a reservation's balances, as its row has them.
private enum Legs {
  static func text(_ scopes: [String]) -> String { Value.array(scopes.map(Value.string)).json() }

  static func scopes(_ text: String) throws -> [String] {
    try JSON.parse(Array(text.utf8)).array?.compactMap(\.string) ?? []
  }
}

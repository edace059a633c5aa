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
    let owned = try keeper.owned(entries)
    let now = time.now()
    let outcome = try await writer.write(after: owned.map(\.run)) { database in
      try database.refuseLost(owned)
      try database.expireReservations(at: now)
      let outcome = try database.hold(request, at: now)
      if outcome == .held { try database.insert(owned) }
      faultPoint("reserve.before")
      return outcome
    }
    faultPoint("reserve.after")
    return outcome
  }

  package func settle(
    _ settlement: Settlement, recording entries: [JournalEntry]
  ) async throws {
    let owned = try keeper.owned(entries)
    let now = time.now()
    let isFollowed = settlement.outcome == .uncertain
    let observation = settlement.observation
    let due = observation.flatMap { observations.due(with: $0, at: now) }
    let isNew: Bool
    do {
      isNew = try await writer.write(after: owned.map(\.run), isFollowed: isFollowed) { database in
        try database.refuseLost(owned)
        let isNew = try database.settle(settlement, at: now)
        if isNew {
          try database.insert(owned)
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

  package func headroom(_ legs: [BudgetLeg]) async throws -> Money? {
    let legs = legs.filter { $0.limit != nil }
    if legs.isEmpty { return nil }
    return try await writer.read { database in
      try legs.compactMap { leg in
        try leg.limit.map { try database.balance(of: leg.scope.row).room(under: $0) }
      }.min()
    }
  }

  package func renew(_ reservation: Identifier, leaseEnds: Timestamp) async throws {
    let (keeper, runLeaseEnds) = (keeper, keeper.leaseEnds)
    let began = ContinuousClock.now
    let renewed = try await writer.write { database -> (run: String, epoch: Int64)? in
      let found = try database.first(
        """
        SELECT runs.id, runs.epoch FROM reservations JOIN runs ON runs.number = reservations.run
        WHERE reservations.id = ?
        """, .text(reservation.text)
      ) { (run: $0.text(0), epoch: $0.integer(1)) }
      if let found, try keeper.epoch(of: found.run) != found.epoch {
        throw Failure.takenOver(found.run)
      }
      try database.run(
        "UPDATE reservations SET lease_ends = ? WHERE id = ? AND state = 0",
        .integer(leaseEnds.milliseconds), .text(reservation.text))
      guard let found else { return nil }
      let isOwn = try database.renewLease(
        of: found.run, epoch: found.epoch, owner: keeper.owner, to: runLeaseEnds)
      return isOwn ? found : nil
    }
    if let renewed { keeper.prove(renewed.run, epoch: renewed.epoch, since: began) }
  }

  package func isSurelyOwned(_ run: Identifier) -> Bool { keeper.isProven(run.text) }
}

extension Database {
  /// How many leases one reservation ends: the rest counts as held until a later one comes by,
  /// which takes the same room.
  private static let expiredAtOnce = 64

  /// The money of a run that somebody else has taken over is theirs to decide about.
  fileprivate func refuseLost(_ owned: [OwnedLines]) throws {
    for part in owned { _ = try ownedEnd(of: part.run, epoch: part.epoch) }
  }

  fileprivate func expireReservations(at now: Timestamp) throws {
    let expired = try rows(
      """
      SELECT id, amount, legs FROM reservations WHERE state = 0 AND lease_ends < ?
      ORDER BY lease_ends LIMIT ?
      """, .integer(now.milliseconds), .integer(Self.expiredAtOnce)
    ) { (id: $0.text(0), amount: Money(picoDollars: $0.integer(1)), legs: $0.text(2)) }
    for reservation in expired { try expire(reservation) }
  }

  /// Nobody settles what a process that has ended held before its run is resumed, so there is no use
  /// in waiting for the end of its lease: it counts as spent, until a resumed run settles it.
  ///
  /// - Returns: whether there was any.
  private func expireReservationsOfTheGone(at now: Timestamp) throws -> Bool {
    let held = try rows(
      """
      SELECT reservations.id, amount, legs, owner
      FROM reservations INDEXED BY reservations_held JOIN runs ON runs.number = reservations.run
      WHERE state = 0 AND owner IS NOT NULL
      """
    ) { row in
      (
        reservation: (
          id: row.text(0), amount: Money(picoDollars: row.integer(1)), legs: row.text(2)
        ), owner: row.text(3)
      )
    }
    let lives = Lives(now: now)
    let gone = held.filter { lives.isGone($0.owner) }
    for (reservation, _) in gone { try expire(reservation) }
    return !gone.isEmpty
  }

  private func expire(_ reservation: (id: String, amount: Money, legs: String)) throws {
    try release(
      reservation.id, from: reservation.legs, held: reservation.amount, at: reservation.amount)
    try run(
      "UPDATE reservations SET state = 1, actual = amount WHERE id = ?", .text(reservation.id))
  }

  fileprivate func hold(
    _ request: ReservationRequest, at now: Timestamp
  ) throws -> ReservationOutcome {
    var scopes: [String] = []
    for leg in request.legs where !scopes.contains(leg.scope.row) { scopes.append(leg.scope.row) }
    var balances = try balances(of: scopes)
    func refusal() -> ReservationOutcome? {
      ReservationOutcome.refusal(of: request) { balances[$0.row] ?? Balance() }
    }
    if case .refused(_, let balance)? = refusal(), balance.held > .zero,
      try expireReservationsOfTheGone(at: now)
    {
      balances = try self.balances(of: scopes)
    }
    if let refusal = refusal() { return refusal }
    try run(
      """
      INSERT OR IGNORE INTO reservations (id, run, effect, persona, provider, model, price, day,
        amount, made_at, lease_ends, state, legs)
      VALUES (?, (SELECT number FROM runs WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
      """,
      .text(request.id.text), .text(request.run.text),
      .integer(try word(request.key.description)), .integer(try word(request.persona)),
      .integer(try word(request.provider)), .integer(try word(request.model)),
      .integer(try word(request.price)), .integer(request.day.number),
      .integer(request.amount.picoDollars), .integer(now.milliseconds),
      .integer(request.leaseEnds.milliseconds), .text(Legs.text(scopes)))
    guard changes == 1 else { throw Failure.knownReservation(request.id) }
    for scope in scopes { balances[scope, default: Balance()].hold(request.amount) }
    try set(balances)
    return .held
  }

  /// False when it was settled before.
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
      try change(found.legs) { $1.correct(found.amount, to: actual) }
      try insert(
        .lateSettlement(
          of: settlement.reservation, estimate: found.amount, actual: actual, at: now))
    case .held, nil: try release(id, from: found.legs, held: found.amount, at: actual)
    }
    // Nothing moves between its balances any more.
    try run(
      """
      UPDATE reservations SET state = 2, actual = ?, outcome = ?, settled_at = ?, lease_ends = 0,
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
    try change(legs) { scope, balance in
      let isCounted = balance.held < .max
      balance.settle(held: amount, at: actual)
      if !isCounted { balance.held = try held(under: scope, without: reservation) }
    }
  }

  /// What was more than can be counted is counted anew.
  private func held(under scope: String, without reservation: String) throws -> Money {
    try rows(
      """
      SELECT amount FROM reservations JOIN json_each(legs) AS leg
      WHERE state = 0 AND reservations.id <> ? AND leg.value = ?
      """, .text(reservation), .text(scope)
    ) { Money(picoDollars: $0.integer(0)) }.reduce(.zero, +)
  }

  private func change(_ legs: String, _ body: (String, inout Balance) throws -> Void) throws {
    let scopes = try Legs.scopes(legs)
    var balances = try balances(of: scopes)
    for scope in scopes { try body(scope, &balances[scope, default: Balance()]) }
    try set(balances)
  }
}

/// The names of the balances that a reservation counts into, as its row has them.
private enum Legs {
  static func text(_ scopes: [String]) -> String { Value.array(scopes.map(Value.string)).json() }

  static func scopes(_ text: String) throws -> [String] {
    try JSON.parse(Array(text.utf8)).array?.compactMap(\.string) ?? []
  }
}

package import RasaCore
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
    try await writer.write(after: owned.map(\.run), isFollowed: isFollowed) { database in
      try database.refuseLost(owned)
      if try database.settle(settlement, at: now) { try database.insert(owned) }
      faultPoint("settle.before")
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
    let keeper = keeper
    try await writer.write { database in
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
    }
  }
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
      SELECT id, amount FROM reservations WHERE state = 0 AND lease_ends < ?
      ORDER BY lease_ends LIMIT ?
      """, .integer(now.milliseconds), .integer(Self.expiredAtOnce)
    ) { (id: $0.text(0), amount: Money(picoDollars: $0.integer(1))) }
    for reservation in expired {
      try release(reservation.id, held: reservation.amount, at: reservation.amount)
      try run(
        "UPDATE reservations SET state = 1, actual = amount WHERE id = ?",
        .text(reservation.id))
    }
  }

  fileprivate func hold(_ request: ReservationRequest, at now: Timestamp) throws
    -> ReservationOutcome
  {
    var balances: [String: Balance] = [:]
    for leg in request.legs {
      let row = leg.scope.row
      let balance = try balances[row] ?? balance(of: row)
      balances[row] = balance
      if let room = leg.limit.map(balance.room), request.amount > room {
        return .refused(leg, available: room)
      }
    }
    let id = SQLValue.text(request.id.text)
    guard try first("SELECT 1 FROM reservations WHERE id = ?", id, transform: { _ in }) == nil
    else { throw Failure.knownReservation(request.id) }
    try run(
      """
      INSERT INTO reservations (id, run, effect, persona, provider, model, price, day, amount,
        made_at, lease_ends, state)
      VALUES (?, (SELECT number FROM runs WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
      """,
      id, .text(request.run.text), .integer(try word(request.key.description)),
      .integer(try word(request.persona)), .integer(try word(request.provider)),
      .integer(try word(request.model)), .integer(try word(request.price)),
      .integer(request.day.number), .integer(request.amount.picoDollars),
      .integer(now.milliseconds), .integer(request.leaseEnds.milliseconds))
    for (row, balance) in balances {
      var balance = balance
      balance.hold(request.amount)
      try set(balance, of: row)
      try run("INSERT INTO legs (reservation, scope) VALUES (?, ?)", id, .text(row))
    }
    return .held
  }

  /// False when it was settled before.
  fileprivate func settle(_ settlement: Settlement, at now: Timestamp) throws -> Bool {
    let id = settlement.reservation.text
    let found = try first("SELECT state, amount FROM reservations WHERE id = ?", .text(id)) {
      (state: ReservationState(rawValue: $0.integer(0)), amount: Money(picoDollars: $0.integer(1)))
    }
    guard let found else { throw Failure.unknownReservation(settlement.reservation) }
    let actual = max(.zero, settlement.actual)
    switch found.state {
    case .settled: return false
    case .expired:
      try change(balancesOf: id) { $1.correct(found.amount, to: actual) }
      try insert(
        .lateSettlement(
          of: settlement.reservation, estimate: found.amount, actual: actual, at: now))
    case .held, nil: try release(id, held: found.amount, at: actual)
    }
    try run(
      """
      UPDATE reservations SET state = 2, actual = ?, outcome = ?, settled_at = ?, lease_ends = 0,
        input_tokens = ?, output_tokens = ?, cached_tokens = ?, written_tokens = ?,
        reasoning_tokens = ?, is_reported = ? WHERE id = ?
      """,
      .integer(actual.picoDollars), .integer(try word(settlement.outcome.rawValue)),
      .integer(now.milliseconds),
      .integer(settlement.usage.input), .integer(settlement.usage.output),
      .integer(settlement.usage.cachedInput), .integer(settlement.usage.cacheWrites),
      .integer(settlement.usage.reasoning), .integer(settlement.usage.isReported ? 1 : 0),
      .text(id))
    // Nothing moves between its balances any more.
    try run("DELETE FROM legs WHERE reservation = ?", .text(id))
    if let observation = settlement.observation { try note(observation) }
    return true
  }

  func insert(_ audit: Audit) throws {
    try run(
      "INSERT INTO audits (time, kind, subject, amount, detail) VALUES (?, ?, ?, ?, ?)",
      .integer(audit.time.milliseconds), .text(audit.kind), .text(audit.subject),
      .integer(audit.amount.picoDollars), .text(audit.detail))
  }

  /// Turns what is held into what is spent.
  private func release(_ reservation: String, held amount: Money, at actual: Money) throws {
    try change(balancesOf: reservation) { scope, balance in
      let isCounted = balance.held < .max
      balance.settle(held: amount, at: actual)
      if !isCounted { balance.held = try held(under: scope, without: reservation) }
    }
  }

  /// What was more than can be counted is counted anew.
  private func held(under scope: String, without reservation: String) throws -> Money {
    try rows(
      """
      SELECT amount FROM legs JOIN reservations ON id = reservation
      WHERE scope = ? AND state = 0 AND id <> ?
      """, .text(scope), .text(reservation)
    ) { Money(picoDollars: $0.integer(0)) }.reduce(.zero, +)
  }

  private func change(
    balancesOf reservation: String, _ body: (String, inout Balance) throws -> Void
  ) throws {
    let scopes = try rows("SELECT scope FROM legs WHERE reservation = ?", .text(reservation)) {
      $0.text(0)
    }
    for scope in scopes {
      var balance = try balance(of: scope)
      try body(scope, &balance)
      try set(balance, of: scope)
    }
  }

  func balance(of scope: String) throws -> Balance {
    try first("SELECT settled, held FROM balances WHERE scope = ?", .text(scope)) {
      Balance(
        settled: Money(picoDollars: $0.integer(0)), held: Money(picoDollars: $0.integer(1)))
    } ?? Balance()
  }

  func set(_ balance: Balance, of scope: String) throws {
    try run(
      """
      INSERT INTO balances (scope, settled, held) VALUES (?, ?, ?)
      ON CONFLICT (scope) DO UPDATE SET settled = excluded.settled, held = excluded.held
      """,
      .text(scope), .integer(balance.settled.picoDollars), .integer(balance.held.picoDollars))
  }
}

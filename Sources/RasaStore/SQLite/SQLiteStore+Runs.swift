package import RasaCore
package import RasaEngine
import RasaLearning
import RasaSQLite
import RasaSystem

extension SQLiteStore {
  package func runs(_ filter: RunFilter) async throws -> [RunListing] {
    let now = time.now()
    let selection = RunSelection(filter)
    return try await read { database in
      let rows = try database.rows(
        """
        \(RunRow.query(now)) WHERE runs.number IN (\(selection.text)) ORDER BY runs.number DESC
        """, values: selection.values, transform: RunRow.init)
      let bodies = BodyReader(database)
      let lives = OwnerLiveness(now: now)
      return rows.map { $0.listing(bodies, lives) }
    }
  }

  package func run(_ idOrPrefix: String) async throws -> RunListing? {
    let now = time.now()
    return try await read { database in
      let found = try database.only(of: idOrPrefix, in: "runs", called: "run")
      return try found.flatMap { try database.listing(of: Identifier($0), now: now) }
    }
  }

  package func calls(of run: Identifier) async throws -> [CallRecord] {
    try await read { database in
      guard let number = try database.end(of: run.text)?.number else { return [] }
      return try database.rows(
        """
        SELECT id, effect.text, provider.text, model.text, amount, actual, state, outcome.text,
          made_at, settled_at, input_tokens, output_tokens, cached_tokens, reasoning_tokens,
          is_reported, coalesce(written_tokens, 0), coalesce(price.text, '')
        FROM (
          SELECT * FROM reservations WHERE run = ?1 AND state <> 0
          UNION ALL
          SELECT * FROM reservations INDEXED BY reservations_held WHERE run = ?1 AND state = 0
        ) JOIN words AS effect ON effect.number = effect
          JOIN words AS provider ON provider.number = provider
          JOIN words AS model ON model.number = model
          LEFT JOIN words AS outcome ON outcome.number = outcome
          LEFT JOIN words AS price ON price.number = price
        ORDER BY made_at, id
        """, .integer(number), transform: CallRecord.init)
    }
  }

  package func requestCancel(
    _ run: Identifier, _ facts: PerformanceFacts?
  ) async throws -> CancelReceipt {
    let now = time.now()
    let receipt = try await writer.write { database -> CancelReceipt in
      guard let listing = try database.listing(of: run, now: now),
        let end = try database.end(of: run.text)
      else { throw try database.unknownRun(run.text) }
      switch listing.record.status {
      case .done, .failed, .cancelled: return .ended(listing.record.status)
      case .running where listing.isAlive:
        try database.run(
          "UPDATE runs SET cancel_asked = ? WHERE number = ?", .integer(now.milliseconds),
          .integer(end.number))
        return .asked
      case .running, .parked:
        // A new epoch, so that a process that was suspended and still believes to own it writes nothing.
        try database.run(
          """
          UPDATE runs SET status = 'cancelled', epoch = epoch + 1, worker = NULL,
            cancel_asked = NULL, changed_at = ? WHERE number = ?
          """, .integer(now.milliseconds), .integer(end.number))
        try database.withdrawApprovals(of: end.number, now: now)
        if let facts { try database.keepPerformance(of: run, .cancelled, facts, now: now) }
        return .cancelled
      }
    }
    // `data_version` does not show a connection's own changes.
    if receipt == .asked { leases.cancelIsAsked(of: run.text) }
    return receipt
  }

  package func onCancelRequest(_ run: Identifier, _ act: @escaping @Sendable () -> Void) {
    leases.onCancelRequest(run.text, act)
  }
}

extension Database {
  func listing(of run: Identifier, now: Timestamp) throws -> RunListing? {
    let row = try first(
      "\(RunRow.query(now)) WHERE runs.id = ?", .text(run.text), transform: RunRow.init)
    return row?.listing(BodyReader(self), OwnerLiveness(now: now))
  }

  /// The ID that equals the text, or the only one that begins with it; nil if none does.
  func only(of idOrPrefix: String, in table: String, called kind: String) throws -> String? {
    if idOrPrefix.isEmpty { return nil }
    let found = try rows(
      "SELECT id FROM \(table) WHERE id >= ? AND id < ? ORDER BY id LIMIT 6", .text(idOrPrefix),
      .text(idOrPrefix + "\u{10FFFF}")
    ) { $0.text(0) }
    return try onlyMatch(of: idOrPrefix, called: kind, among: found)
  }

  func unknownRun(_ run: String) throws -> Failure {
    let latest = try rows("SELECT id FROM runs ORDER BY number DESC LIMIT 200") { $0.text(0) }
    return Failure.noRun(run, nearest: nearestName(to: run, among: latest))
  }
}

/// Whether owners are alive; each is checked once.
final class OwnerLiveness {
  private let now: Timestamp
  private var gone: [String: Bool] = [:]

  init(now: Timestamp) { self.now = now }

  func isAlive(_ owner: String?, leaseEnds: Timestamp?) -> Bool {
    guard let owner, let leaseEnds, leaseEnds >= now else { return false }
    return !isGone(owner)
  }

  /// Whether its process has certainly ended, whatever its lease says.
  func isGone(_ owner: String) -> Bool {
    if let known = gone[owner] { return known }
    let isGone = ProcessIdentity.isKnownGone(owner)
    gone[owner] = isGone
    return isGone
  }
}

private struct RunRow {
  /// What nobody answered in time and counts as refused is not waited for.
  static func query(_ now: Timestamp) -> String {
    """
    SELECT runs.id,
      coalesce((SELECT id FROM sessions WHERE key = runs.session), runs.session), persona.text, digest.text, user.text, input, started_at, status,
      fork_of, lines, changed_at, workers.name, workers.lease_ends,
      (SELECT settled FROM balances WHERE scope = 'execution:' || runs.id),
      (SELECT count(*) FROM approvals WHERE run = runs.number AND standing = 'pending'
        AND NOT (coalesce(on_expiry, '') = 'deny' AND coalesce(expires_at < \(now.milliseconds), FALSE)))
    FROM runs JOIN words AS persona ON persona.number = runs.persona
      JOIN words AS digest ON digest.number = persona_digest
      JOIN words AS user ON user.number = runs.user
      LEFT JOIN workers ON workers.number = runs.worker
    """
  }

  private var record: RunRecord
  private let input: SQLValue
  private let lines: Int
  private let changedAt: Timestamp
  private let owner: String?
  private let leaseEnds: Timestamp?
  private let cost: Money
  private let waiting: Int

  init(_ row: Row) {
    input = row.value(5)
    record = RunRecord(
      id: Identifier(row.text(0)), session: row.textOrNil(1), persona: row.text(2),
      personaDigest: row.text(3), user: row.text(4), input: "",
      startedAt: Timestamp(milliseconds: row.integer(6)),
      status: RunRecord.Status(rawValue: row.text(7)) ?? .failed,
      forkOf: row.textOrNil(8).map(Identifier.init))
    lines = Int(clamping: row.integer(9))
    changedAt = Timestamp(milliseconds: row.integer(10))
    owner = row.textOrNil(11)
    leaseEnds = row.integerOrNil(12).map(Timestamp.init)
    cost = Money(picoDollars: row.integer(13))
    waiting = Int(clamping: row.integer(14))
  }

  /// A run with a damaged input is listed, too: reading its journal reports the damage.
  func listing(_ bodies: BodyReader, _ lives: OwnerLiveness) -> RunListing {
    var record = record
    record.input = (try? bodies.text(input)) ?? ""
    return RunListing(
      record: record, cost: cost, lines: lines, changedAt: changedAt, waiting: waiting,
      isAlive: record.status == .running && lives.isAlive(owner, leaseEnds: leaseEnds),
      owner: owner)
  }
}

extension CallRecord {
  fileprivate init(_ row: Row) {
    let isSettled = !row.isNull(10)
    self.init(
      reservation: Identifier(row.text(0)), key: row.text(1), provider: row.text(2),
      model: row.text(3), price: row.text(16), amount: Money(picoDollars: row.integer(4)),
      actual: row.integerOrNil(5).map { Money(picoDollars: $0) },
      usage: isSettled
        ? Usage(
          input: row.integer(10), output: row.integer(11), cachedInput: row.integer(12),
          cacheWrites: row.integer(15), reasoning: row.integer(13),
          isReported: row.integer(14) != 0) : nil,
      state: ReservationState(rawValue: row.integer(6)) ?? .settled,
      outcome: row.textOrNil(7).flatMap(Settlement.Outcome.init),
      madeAt: Timestamp(milliseconds: row.integer(8)),
      settledAt: row.integerOrNil(9).map(Timestamp.init))
  }
}

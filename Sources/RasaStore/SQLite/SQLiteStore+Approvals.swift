import RasaCore
package import RasaEngine
import RasaPersona
import RasaSQLite
import RasaSystem

extension SQLiteStore {
  package func ask(
    _ approval: Approval, recording entries: [JournalEntry]
  ) async throws -> Approval {
    let now = time.now()
    let run = approval.run.text
    let epoch = try leases.epoch(of: run)
    let owned = try leases.owned(entries)
    let question = Content(approval.question.value, asBody: true)
    let runs = owned.map(\.run)
    let asked = try await writer.write(after: runs.contains(run) ? runs : [run] + runs) {
      database in
      let end = try database.ownedEnd(of: run, epoch: epoch)
      if let known = try database.approval(approval.id) {
        if known.isOverdue(at: now) { try database.expire(known, now: now) }
        // It was withdrawn, and the run waits for it again.
        guard known.standing == .withdrawn else { return known.standing(at: now) }
        try database.run("DELETE FROM votes WHERE approval = ?", .text(approval.id))
        try database.run("DELETE FROM approvals WHERE id = ?", .text(approval.id))
      }
      try database.insert(approval, of: end.number, question: question)
      try database.insert(.asked(approval, at: now))
      try database.insert(owned)
      faultPoint("ask.before")
      return approval
    }
    faultPoint("ask.after")
    return asked
  }

  package func answer(_ approval: String, _ answer: HumanAnswer) async throws -> AnswerReceipt {
    let now = time.now()
    let text = answer.text.isNull ? nil : Content(answer.text, asBody: true)
    let receipt: AnswerReceipt = try await writer.write { database in
      guard var known = try database.approval(approval) else { return .unknown }
      guard known.standing == .pending, !known.isOverdue(at: now) else {
        if known.standing == .pending { try database.expire(known, now: now) }
        known = known.standing(at: now)
        try database.insert(.refusedAnswer(to: known, answer, at: now))
        return .late(known)
      }
      try known.check(answer)
      known = known.answered(answer, at: now)
      if let vote = known.votes.last, known.people > 1, answer.decision == .approve {
        try database.insert(vote, on: approval)
      }
      try database.insert(.answered(approval, answer, at: now))
      guard case .answered(let whole, _) = known.standing else {
        faultPoint("answer.before")
        return .counted(known.standing(at: now))
      }
      try database.run(
        """
        UPDATE approvals SET standing = 'answered', decision = ?, answer = ?, answered_by = ?,
          answered_at = ?, answered_uid = ? WHERE id = ? AND standing = 'pending'
        """,
        .text(answer.decision.rawValue), try text.map { try database.keep($0) } ?? .null,
        .text(whole.by), .integer(now.milliseconds),
        answer.uid.map { .integer(Int64($0)) } ?? .null, .text(approval))
      try database.insertGrant(of: known, answer, at: now)
      faultPoint("answer.before")
      return .accepted(known)
    }
    faultPoint("answer.after")
    return receipt
  }

  package func approvals(
    _ filter: ApprovalFilter, limit: Int
  ) async throws -> [Approval] {
    let now = time.now()
    return try await read { database in
      let rows = try database.rows(
        """
        \(ApprovalRow.query)
        WHERE (?1 = 0 OR standing = 'pending'
            AND (expires_at IS NULL OR expires_at >= ?2 OR on_expiry = 'escalate'))
          AND (?3 IS NULL OR approvals.run = (SELECT number FROM runs WHERE id = ?3))
        ORDER BY asked_at DESC, approvals.id DESC LIMIT ?4
        """,
        .integer(filter.onlyPending ? 1 : 0), .integer(now.milliseconds),
        .text(orNull: filter.run?.text), .integer(max(0, limit)), transform: ApprovalRow.init)
      let bodies = BodyReader(database)
      return try rows.map { try database.counted($0.approval(bodies)).standing(at: now) }
    }
  }

  package func approval(_ idOrPrefix: String) async throws -> Approval? {
    let now = time.now()
    return try await read { database in
      let found = try database.only(of: idOrPrefix, in: "approvals", called: "approval")
      return try found.flatMap { try database.approval($0)?.standing(at: now) }
    }
  }
}

extension Database {
  fileprivate func approval(_ id: String) throws -> Approval? {
    let row = try first(
      "\(ApprovalRow.query) WHERE approvals.id = ?", .text(id), transform: ApprovalRow.init)
    return try row.map { try counted($0.approval(BodyReader(self))) }
  }

  /// With those who have approved so far.
  fileprivate func counted(_ approval: Approval) throws -> Approval {
    guard approval.people > 1 else { return approval }
    var approval = approval
    approval.votes = try votes(on: approval.id)
    return approval
  }

  fileprivate func insert(_ approval: Approval, of run: Int64, question: Content) throws {
    try self.run(
      """
      INSERT INTO approvals (id, run, effect, payload_digest, question, asked_at, expires_at,
        on_expiry, standing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending')
      """,
      .text(approval.id), .integer(run), .integer(try word(approval.question.key.description)),
      .text(approval.payloadDigest), try keep(question), .integer(approval.askedAt.milliseconds),
      approval.expiresAt.map { .integer($0.milliseconds) } ?? .null,
      approval.onExpiry == .park ? .null : .text(approval.onExpiry.rawValue))
  }

  fileprivate func expire(_ approval: Approval, now: Timestamp) throws {
    switch approval.standing(at: now).standing {
    case .answered(let answer, let moment):
      try run(
        """
        UPDATE approvals SET standing = 'answered', decision = ?, answer = ?, answered_by = ?,
          answered_at = ? WHERE id = ?
        """,
        .text(answer.decision.rawValue), try keep(Content(answer.text, asBody: true)),
        .text(answer.by), .integer(moment.milliseconds), .text(approval.id))
    default:
      try run("UPDATE approvals SET standing = 'expired' WHERE id = ?", .text(approval.id))
    }
    try insert(.expired(approval.id, at: now))
  }

  /// Withdraws the run's open questions.
  func withdrawApprovals(of run: Int64, now: Timestamp) throws {
    let pending = try rows(
      """
      UPDATE approvals SET standing = 'withdrawn' WHERE run = ? AND standing = 'pending'
      RETURNING id
      """, .integer(run)
    ) { $0.text(0) }
    for approval in pending { try insert(.withdrawn(approval, at: now)) }
  }
}

private struct ApprovalRow {
  static let query = """
    SELECT approvals.id, runs.id, effect.text, payload_digest, question, asked_at, expires_at,
      standing, decision, answer, answered_by, answered_at, answered_uid,
      (SELECT pattern FROM grants WHERE approval = approvals.id)
    FROM approvals JOIN runs ON runs.number = approvals.run
      JOIN words AS effect ON effect.number = approvals.effect
    """

  var id: String
  var run: String
  var effect: String
  var payloadDigest: String
  var question: Int64
  var askedAt: Timestamp
  var expiresAt: Timestamp?
  var standing: String
  var decision: String?
  var answer: Int64?
  var answeredBy: String
  var answeredAt: Timestamp
  var answeredUID: Int64?
  var grant: String?

  init(_ row: Row) {
    id = row.text(0)
    run = row.text(1)
    effect = row.text(2)
    payloadDigest = row.text(3)
    question = row.integer(4)
    askedAt = Timestamp(milliseconds: row.integer(5))
    expiresAt = row.integerOrNil(6).map(Timestamp.init)
    standing = row.text(7)
    decision = row.textOrNil(8)
    answer = row.integerOrNil(9)
    answeredBy = row.text(10)
    answeredAt = Timestamp(milliseconds: row.integer(11))
    answeredUID = row.integerOrNil(12)
    grant = row.textOrNil(13)
  }

  func approval(_ bodies: BodyReader) throws -> Approval {
    do {
      guard let key = EffectKey(effect) else { throw DamagedContent() }
      let question = Question(key: key, try bodies.body(question).value)
      var approval = Approval(
        run: Identifier(run), question: question, askedAt: askedAt, expiresAt: expiresAt,
        standing: try standing(bodies))
      guard approval.payloadDigest == payloadDigest else { throw DamagedContent() }
      approval.id = id
      return approval
    } catch is DamagedContent {
      throw Failure(
        .storage, "the approval \(id) of \(run) is damaged",
        suggestion: "`rasa runs show \(run)` shows what can be read")
    }
  }

  private func standing(_ bodies: BodyReader) throws -> Approval.Standing {
    switch standing {
    case "pending": return .pending
    case "expired": return .expired
    case "withdrawn": return .withdrawn
    default:
      guard let decision = decision.flatMap(HumanAnswer.Decision.init) else {
        throw DamagedContent()
      }
      let text = try answer.map { try bodies.body($0).value } ?? .null
      var human = HumanAnswer(decision, text: text, by: answeredBy)
      human.uid = answeredUID.map { UInt32(clamping: $0) }
      human.grant = try grant.map { try BodyReader.value(ofJSON: Array($0.utf8)) }
      return .answered(human, at: answeredAt)
    }
  }
}

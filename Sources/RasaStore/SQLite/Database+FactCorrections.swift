import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona
import RasaSQLite

/// What a person has corrected stays, outside of its chain, until the correction is forgotten.
extension Database {
  /// Nil where there is no such fact.
  func edit(_ fact: Int64, to text: String, at time: Timestamp) throws -> FactOutcome? {
    guard let old = try memoryItems("items.id = ?", [.integer(fact)]).first, let details = old.fact
    else { return nil }
    let learnt = try first("SELECT learnt FROM facts WHERE item = ?", .integer(fact)) {
      Timestamp(milliseconds: $0.integer(0))
    }
    var stored = StoredFact(
      .correction(of: old, details, learnt: learnt ?? old.time, to: text, at: time))
    let last = try chain(of: fact).flatMap { try edge(of: fact, in: $0, isLast: true) }
    if let last {
      if last.claim.form == stored.form {
        // The same fact, spelt otherwise.
        try change(fact, to: stored.text, at: old.time)
        try run("UPDATE items SET trust = 0 WHERE id = ?", .integer(fact))
        try run("UPDATE statements SET trust = 0 WHERE item = ?", .integer(fact))
        return .known(id: fact)
      }
      stored.takePlace(of: last.claim)
    }
    try takeOut(fact) {
      try run(
        "UPDATE statements SET chain = ?, denies = NULL WHERE item = ?",
        .bytes(.chain(ofReplaced: fact)), .integer(fact))
    }
    let outcome = try add(stored)
    let id: Int64
    switch outcome {
    case .added(let added, _): id = added
    case .known(let known): id = known
    }
    try run(
      "UPDATE facts SET replaced_by = ?, replaced_at = ? WHERE item = ?", .integer(id),
      .integer(time.milliseconds), .integer(fact))
    if let chain = try chain(of: fact) { try writePeriods(from: fact, in: chain) }
    guard case .added(_, let closes) = outcome else { return outcome }
    return .added(id: id, closes: [fact] + closes)
  }

  /// The correction of a fact is gone, so it holds again.
  func restore(_ item: Int64) throws {
    guard let found = try memoryItems("items.id = ?", [.integer(item)]).first else { return }
    let session = try storedItem(item)?.session
    let statements = try rows(
      """
      SELECT \(FactStatement.columns) FROM statements WHERE item = ?
      ORDER BY place, time, form, run
      """, .integer(item), transform: FactStatement.init)
    let number = SQLValue.integer(item)
    try run("DELETE FROM statements WHERE item = ?", number)
    try run("DELETE FROM facts WHERE item = ?", number)
    try deleteItem(item)
    let stored = StoredFact(
      NewFact(
        scope: found.scope, user: found.user, persona: found.persona, session: found.session,
        text: found.text, run: found.run, time: found.time, trust: found.trust,
        details: FactDetails(kind: found.fact?.kind ?? "fact", slot: found.fact?.slot)))
    var id = Int64?.some(item)
    for var statement in statements {
      statement.chain = stored.chain
      statement.denies = stored.denies
      statement.claim.isDenial = stored.denies != nil
      _ = try add(statement, as: id) { preferred in
        try insertFact(
          UnwrittenItem(
            kind: .fact, scope: found.scope, user: found.user, persona: found.persona,
            session: session, text: PreparedText(found.text), run: statement.claim.run,
            time: statement.claim.time, trust: MemoryTrust(column: statement.trust)),
          slot: found.fact?.slot, as: preferred)
      }
      if id != nil, try storedItem(item) != nil { id = nil }
    }
  }
}

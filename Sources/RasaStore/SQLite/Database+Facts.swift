import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona
import RasaSQLite

/// Facts follow from the statements that are kept, whatever the order in which those came.
extension Database {
  /// - Parameter id: of the item, if it turns out to be a new one.
  func add(_ stored: StoredFact, as id: Int64? = nil) throws -> FactOutcome {
    try add(FactStatement(stored), as: id) { preferred in
      let fact = stored.fact
      return try insertFact(
        UnwrittenItem(
          kind: .fact, scope: fact.scope, user: fact.user, persona: fact.persona,
          session: try key(for: fact), text: stored.text, run: fact.run.text, time: fact.time,
          trust: fact.trust), slot: fact.details.slot, as: preferred)
    }
  }

  private func key(for fact: NewFact) throws -> String? {
    guard let name = fact.session else {
      guard fact.scope == .session else { return nil }
      throw Failure.factWithoutSession
    }
    let session = SessionID(name, of: fact.user)
    return fact.scope == .session
      ? try key(using: session, persona: fact.persona, at: fact.time) : try key(of: session)
  }

  /// An item without statements.
  func insertFact(_ item: UnwrittenItem, slot: String?, as id: Int64?) throws -> Int64 {
    let number = try insert(item, as: id)
    try run(
      """
      INSERT INTO facts (item, kind, slot, learnt, stated_from, begin) VALUES (?1, '', ?2, ?3, ?4, ?3)
      """, .integer(number), .text(orNull: slot), .integer(item.time.milliseconds),
      .integer(Int64.max))
    return number
  }

  /// - Parameters:
  ///   - id: of a new item, if there is one.
  ///   - create: makes the item.
  func add(
    _ statement: FactStatement, as id: Int64?, _ create: (Int64?) throws -> Int64
  ) throws -> FactOutcome {
    var statement = statement
    if let known = try self.statement(like: statement) {
      statement.item = known.item
      try add(statement, to: known)
      return .known(id: known.item)
    }
    let before = try neighbour(of: statement, isNext: false)
    let after = try neighbour(of: statement, isNext: true)
    let continuesBefore = try before.map { try areOne($0, statement) } ?? false
    let continuesAfter = try after.map { try areOne(statement, $0) } ?? false
    var isNew = true
    if let before, continuesBefore {
      (statement.item, isNew) = (before.item, false)
    } else if let after, continuesAfter {
      isNew = before?.item == after.item
      statement.item = isNew ? try split(after.item, after: statement, as: id) : after.item
    } else {
      statement.item = try create(id)
    }
    try insert(statement)
    try refresh(statement, isLast: !continuesAfter)
    if let after {
      if !continuesAfter, let before, before.item == after.item {
        try split(before.item, after: statement, as: isNew ? nil : id)
      } else if continuesBefore, continuesAfter, after.item != statement.item {
        try merge(after.item, into: statement.item, in: statement.chain)
      }
    }
    let latest = try after.flatMap { try self.statement(like: $0)?.item } ?? statement.item
    try writePeriods(
      from: latest, atLeastTo: before?.item ?? statement.item, in: statement.chain)
    try writeWhatEnds(with: statement, begin: statement.claim.begin.milliseconds)
    guard isNew else { return .known(id: statement.item) }
    let closed = try rows(
      """
      SELECT item FROM facts
      WHERE superseded_by = ? AND coalesce(stated_until > until, TRUE) ORDER BY item DESC
      """, .integer(statement.item)
    ) { $0.integer(0) }
    return .added(id: statement.item, closes: closed)
  }

  /// The same run has stated the same at the same time.
  private func add(_ statement: FactStatement, to known: FactStatement) throws {
    try run(
      """
      UPDATE statements SET trust = min(trust, ?6)
      WHERE chain = ?1 AND place = ?2 AND time = ?3 AND form = ?4 AND run = ?5
      """, values: statement.key + [.integer(statement.trust)])
    try run(
      "UPDATE items SET trust = min(trust, ?) WHERE id = ?", .integer(statement.trust),
      .integer(known.item))
    guard statement.claim.isPreferred(to: known.claim) else { return }
    try run(
      """
      UPDATE statements SET valid_from = ?6, stated_until = ?7
      WHERE chain = ?1 AND place = ?2 AND time = ?3 AND form = ?4 AND run = ?5
      """, values: statement.key + [statement.validFrom, statement.until])
    try refresh(known.item, in: known.chain)
    let before = try neighbour(of: known, isNext: false)
    let after = try neighbour(of: known, isNext: true)
    if let before { try fixAgain(before, statement) }
    if let after { try fixAgain(statement, after) }
    try writePeriods(around: statement, from: before, to: after)
    try writeWhatEnds(
      with: statement,
      begin: min(statement.claim.begin, known.claim.begin).milliseconds)
  }

  private func fixAgain(_ first: FactStatement, _ second: FactStatement) throws {
    guard let first = try statement(like: first), let second = try statement(like: second)
    else { return }
    try fix(first, second)
  }

  /// After a change between two statements, or of one there.
  private func writePeriods(
    around statement: FactStatement?, from before: FactStatement?, to after: FactStatement?
  ) throws {
    let found = try [after, statement, before].compactMap(\.self).compactMap {
      try self.statement(like: $0)
    }
    guard let latest = found.first else { return }
    try writePeriods(from: latest.item, atLeastTo: found.last?.item, in: latest.chain)
  }

  // MARK: Forgetting

  /// Deletes a fact. What it ended is open again.
  func deleteFact(_ item: Int64) throws {
    try takeOut(item) {
      try run("DELETE FROM statements WHERE item = ?", .integer(item))
      try run("DELETE FROM facts WHERE item = ?", .integer(item))
      try deleteItem(item)
    }
    let replaced = try rows(
      "SELECT item FROM facts WHERE replaced_by = ? ORDER BY item", .integer(item)
    ) { $0.integer(0) }
    for one in replaced { try restore(one) }
  }

  /// - Parameter remove: takes its statements out of their chain.
  func takeOut(_ item: Int64, _ remove: () throws -> Void) throws {
    guard let chain = try chain(of: item), let first = try edge(of: item, in: chain, isLast: false),
      let last = try edge(of: item, in: chain, isLast: true)
    else { return try remove() }
    let before = try neighbour(of: first, isNext: false)
    let after = try neighbour(of: last, isNext: true)
    try remove()
    if let before, let after { try fix(before, after) }
    try writePeriods(around: nil, from: before, to: after)
    try writeWhatEnds(with: first, begin: .min)
  }

  /// Takes back what a run has stated. Returns the facts that nobody else has stated: they are deleted.
  func retractStatements(of run: String, among items: Set<Int64>) throws -> [Int64] {
    let found = try rows(
      "SELECT \(FactStatement.columns) FROM statements WHERE run = ?", .text(run),
      transform: FactStatement.init
    ).filter { items.contains($0.item) }
    var gone: [Int64] = []
    for statement in found {
      // An earlier one may have changed which item it belongs to.
      guard let current = try self.statement(like: statement) else { continue }
      let isOnly =
        try first(
          "SELECT count(*) FROM (SELECT 1 FROM statements WHERE item = ? LIMIT 2)",
          .integer(current.item)
        ) { $0.integer(0) } == 1
      if isOnly {
        try deleteFact(current.item)
        gone.append(current.item)
      } else {
        try retract(current)
      }
    }
    return gone
  }

  /// Takes back one of the statements of a fact.
  private func retract(_ statement: FactStatement) throws {
    let before = try neighbour(of: statement, isNext: false)
    let after = try neighbour(of: statement, isNext: true)
    try deleteStatement(statement)
    try refresh(statement.item, in: statement.chain)
    if let before, let after { try fix(before, after) }
    try writePeriods(around: nil, from: before, to: after)
    try writeWhatEnds(with: statement, begin: .min)
  }
}

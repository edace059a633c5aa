import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona
import RasaSQLite

/// One time that a fact was stated. Within a chain they are ordered by when they became true; those of one form that
/// follow each other are one fact. So what is stored follows from the statements alone, whatever their order was.
private struct Statement {
  var chain: ContentDigest
  var begin: Int64
  var time: Int64
  var form: ContentDigest
  var run: String
  var item: Int64
  var trust: Int64
  var kind: String
  var validFrom: Int64?
  var until: Int64?
  var expires: Int64?
  var denies: DeniedFact?

  static let columns =
    "chain, begin, time, form, run, item, trust, kind, valid_from, stated_until, expires, denies"

  init(_ row: Row) {
    chain = row.bytes(0)
    begin = row.integer(1)
    time = row.integer(2)
    form = row.bytes(3)
    run = row.text(4)
    item = row.integer(5)
    trust = row.integer(6)
    kind = row.text(7)
    validFrom = row.integerOrNil(8)
    until = row.integerOrNil(9)
    expires = row.integerOrNil(10)
    denies = DeniedFact(row.value(11))
  }

  init(_ stored: StoredFact, item: Int64 = 0) {
    let fact = stored.fact
    chain = stored.chain
    begin = stored.begin.milliseconds
    time = fact.time.milliseconds
    form = stored.form
    run = fact.run.text
    self.item = item
    trust = fact.trust.column
    kind = fact.details.kind
    validFrom = fact.details.validFrom?.milliseconds
    until = fact.details.until?.milliseconds
    expires = fact.details.expires?.milliseconds
    denies = stored.denies
  }

  /// What a statement of that place would be in the chain that it denies something of.
  func moved(to chain: ContentDigest) -> Statement {
    var moved = self
    moved.chain = chain
    return moved
  }

  func comes(before other: Statement) -> Bool {
    if begin != other.begin { return begin < other.begin }
    if time != other.time { return time < other.time }
    if form != other.form { return form.lexicographicallyPrecedes(other.form) }
    return run.utf8.lexicographicallyPrecedes(other.run.utf8)
  }

  var place: [SQLValue] {
    [.bytes(chain), .integer(begin), .integer(time), .bytes(form), .text(run)]
  }
}

extension Database {
  /// - Parameter id: of the item, if it turns out to be a new one.
  func add(_ stored: StoredFact, as id: Int64? = nil) throws -> FactOutcome {
    try add(Statement(stored), as: id) { preferred in
      let fact = stored.fact
      return try insert(
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

  private func insert(_ item: UnwrittenItem, slot: String?, as id: Int64?) throws -> Int64 {
    let number = try insert(item, as: id)
    try run(
      "INSERT INTO facts (item, kind, slot, learnt) VALUES (?, '', ?, ?)", .integer(number),
      .text(orNull: slot), .integer(item.time.milliseconds))
    return number
  }

  /// - Parameter create: makes the item.
  private func add(
    _ statement: Statement, as id: Int64?, _ create: (Int64?) throws -> Int64
  ) throws -> FactOutcome {
    var statement = statement
    let known = try first(
      """
      SELECT item FROM statements WHERE chain = ? AND begin = ? AND time = ? AND form = ? AND run = ?
      """, values: statement.place
    ) { $0.integer(0) }
    if let known {
      try run(
        """
        UPDATE statements SET trust = min(trust, ?6)
        WHERE chain = ?1 AND begin = ?2 AND time = ?3 AND form = ?4 AND run = ?5
        """, values: statement.place + [.integer(statement.trust)])
      try run(
        "UPDATE items SET trust = min(trust, ?) WHERE id = ?", .integer(statement.trust),
        .integer(known))
      return .known(id: known)
    }
    let before = try neighbour(of: statement, isNext: false)
    let after = try neighbour(of: statement, isNext: true)
    var isNew = false
    if let before, try areOne(before, statement) {
      statement.item = before.item
    } else if let after, try areOne(statement, after) {
      statement.item = after.item
    } else {
      isNew = true
      statement.item = try create(id)
      if let before, let after, before.item == after.item {
        try split(before.item, at: statement)
      }
    }
    try insert(statement)
    try refresh(
      statement, isFirst: before?.item != statement.item, isLast: after?.item != statement.item)
    try writeEnding(of: statement.item, in: statement.chain)
    var closed = try denied(by: statement)
    try writeEndings(of: try deniers(before: statement))
    guard isNew else {
      // It may begin earlier now.
      if let before, before.item != statement.item {
        try writeEnding(of: before.item, in: before.chain)
      }
      return .known(id: statement.item)
    }
    if let before {
      try writeEnding(of: before.item, in: before.chain)
      closed.append(before.item)
    }
    return .added(id: statement.item, closes: closed)
  }

  private func insert(_ statement: Statement) throws {
    func value(_ number: Int64?) -> SQLValue { number.map { .integer($0) } ?? .null }
    try run(
      "INSERT INTO statements (\(Statement.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      values: statement.place + [
        .integer(statement.item), .integer(statement.trust), .text(statement.kind),
        value(statement.validFrom), value(statement.until), value(statement.expires),
        statement.denies?.column ?? .null,
      ])
  }

  // MARK: Denying

  /// The facts that deny the statement and came before it: it may end them.
  private func deniers(before statement: Statement) throws -> [Int64] {
    try rows(
      """
      SELECT DISTINCT item FROM statements INDEXED BY statements_denying
      WHERE denies = ? AND (begin, time, form, run) < (?, ?, ?, ?)
      """,
      values: [DeniedFact(chain: statement.chain, form: statement.form).column]
        + statement.place.dropFirst()
    ) { $0.integer(0) }
  }

  private func writeEndings(of items: [Int64]) throws {
    for item in items {
      if let chain = try chain(of: item) { try writeEnding(of: item, in: chain) }
    }
  }

  /// The next statement that denies that one.
  private func nextDenial(of statement: Statement) throws -> Statement? {
    let denied = DeniedFact(chain: statement.chain, form: statement.form)
    return try first(
      """
      SELECT \(Statement.columns) FROM statements INDEXED BY statements_denying
      WHERE denies = ? AND (begin, time, form, run) > (?, ?, ?, ?)
      ORDER BY begin, time, form, run LIMIT 1
      """, values: [denied.column] + statement.place.dropFirst(), transform: Statement.init)
  }

  /// Whether two statements that follow each other in a chain are about one fact that has held all the time.
  private func areOne(_ first: Statement, _ second: Statement) throws -> Bool {
    guard first.form == second.form else { return false }
    guard let denial = try nextDenial(of: first) else { return true }
    return second.comes(before: denial)
  }

  /// Ends the fact that the statement denies, which has just been added. Returns that fact.
  private func denied(by statement: Statement) throws -> [Int64] {
    guard let denied = statement.denies else { return [] }
    let place = statement.moved(to: denied.chain)
    guard let before = try neighbour(of: place, isNext: false), before.form == denied.form
    else { return [] }
    if try neighbour(of: place, isNext: true)?.item == before.item {
      try split(before.item, at: place)
    }
    try writeEnding(of: before.item, in: before.chain)
    return [before.item]
  }

  /// Opens what a statement denied that is gone.
  private func allow(deniedBy statement: Statement) throws {
    guard let denied = statement.denies else { return }
    let place = statement.moved(to: denied.chain)
    guard let before = try neighbour(of: place, isNext: false), before.form == denied.form
    else { return }
    try close(gapBetween: before, and: try neighbour(of: place, isNext: true))
  }

  /// When it is said again what a statement denies.
  private func contradiction(of statement: Statement) throws -> Statement? {
    guard let denied = statement.denies else { return nil }
    return try first(
      """
      SELECT \(Statement.columns) FROM statements
      WHERE chain = ? AND (begin, time, form, run) > (?, ?, ?, ?) AND form = ?
      ORDER BY begin, time, form, run LIMIT 1
      """, values: statement.moved(to: denied.chain).place + [.bytes(denied.form)],
      transform: Statement.init)
  }

  /// The statement before or after that place in the chain.
  private func neighbour(of statement: Statement, isNext: Bool) throws -> Statement? {
    let (sign, order) = isNext ? (">", "ASC") : ("<", "DESC")
    return try first(
      """
      SELECT \(Statement.columns) FROM statements
      WHERE chain = ? AND (begin, time, form, run) \(sign) (?, ?, ?, ?)
      ORDER BY begin \(order), time \(order), form \(order), run \(order) LIMIT 1
      """, values: statement.place, transform: Statement.init)
  }

  /// The first or the last statement of an item.
  private func edge(of item: Int64, in chain: ContentDigest, isLast: Bool) throws -> Statement? {
    let order = isLast ? "DESC" : "ASC"
    return try first(
      """
      SELECT \(Statement.columns) FROM statements INDEXED BY statements_of_item
      WHERE item = ? AND chain = ?
      ORDER BY begin \(order), time \(order), form \(order), run \(order) LIMIT 1
      """, .integer(item), .bytes(chain), transform: Statement.init)
  }

  private func chain(of item: Int64) throws -> ContentDigest? {
    try first("SELECT chain FROM statements WHERE item = ? LIMIT 1", .integer(item)) {
      $0.bytes(0)
    }
  }

  // MARK: What an item has of its statements

  /// After a statement has been added.
  private func refresh(_ statement: Statement, isFirst: Bool, isLast: Bool) throws {
    func value(_ number: Int64?) -> SQLValue { number.map { .integer($0) } ?? .null }
    let item = SQLValue.integer(statement.item)
    try run(
      """
      UPDATE items SET trust = min(trust, ?2), run = iif((time, run) < (?3, ?4), ?4, run),
        time = max(time, ?3) WHERE id = ?1
      """, item, .integer(statement.trust), .integer(statement.time), .text(statement.run))
    try run(
      "UPDATE facts SET learnt = min(learnt, ?) WHERE item = ?", .integer(statement.time), item)
    if isFirst {
      try run("UPDATE facts SET valid_from = ? WHERE item = ?", value(statement.validFrom), item)
    }
    if isLast {
      try run(
        "UPDATE facts SET kind = ?, stated_until = ?, expires = ? WHERE item = ?",
        .text(statement.kind), value(statement.until), value(statement.expires), item)
    }
  }

  /// After statements have been moved or removed; there is still one.
  private func refresh(_ item: Int64, in chain: ContentDigest) throws {
    guard let first = try edge(of: item, in: chain, isLast: false),
      let last = try edge(of: item, in: chain, isLast: true)
    else { return }
    try run(
      """
      UPDATE items SET (time, run) = (
          SELECT time, run FROM statements WHERE item = ?1 ORDER BY time DESC, run DESC LIMIT 1),
        trust = (SELECT min(trust) FROM statements WHERE item = ?1)
      WHERE id = ?1
      """, .integer(item))
    try run(
      """
      UPDATE facts SET learnt = (SELECT min(time) FROM statements WHERE item = ?1) WHERE item = ?1
      """, .integer(item))
    func value(_ number: Int64?) -> SQLValue { number.map { .integer($0) } ?? .null }
    try run(
      "UPDATE facts SET valid_from = ?, kind = ?, stated_until = ?, expires = ? WHERE item = ?",
      value(first.validFrom), .text(last.kind), value(last.until), value(last.expires),
      .integer(item))
  }

  /// When it ends, which follows from the next one in its chain.
  private func writeEnding(of item: Int64, in chain: ContentDigest) throws {
    guard let last = try edge(of: item, in: chain, isLast: true) else { return }
    let next = try [
      neighbour(of: last, isNext: true), nextDenial(of: last), contradiction(of: last),
    ].compactMap(\.self).min { $0.comes(before: $1) }
    // Of one slot no two have the same form, so its digest settles the order of those of one time.
    let links = [last, next].compactMap(\.self).map { statement in
      FactChain.Link(
        id: statement.item, text: statement.form.hexadecimal,
        time: Timestamp(milliseconds: statement.time),
        validFrom: Timestamp(milliseconds: statement.begin),
        statedUntil: statement.until.map { Timestamp(milliseconds: $0) })
    }
    let ending = FactChain.endings(of: links).first { $0.id == item }
    try run(
      """
      UPDATE facts SET superseded_by = ?2,
        until = CASE WHEN replaced_by IS NULL THEN ?3
          ELSE min(coalesce(?3, replaced_at), replaced_at) END
      WHERE item = ?1
      """, .integer(item), ending?.supersededBy.map { .integer($0) } ?? .null,
      (ending?.until?.milliseconds).map { .integer($0) } ?? .null)
  }

  // MARK: Parting and joining

  /// A statement of another form has come between those of an item: what comes after is a fact of its own.
  private func split(_ item: Int64, at statement: Statement) throws {
    guard let found = try memoryItems("items.id = ?", [.integer(item)]).first else { return }
    let slot = found.fact?.slot
    let stored = try storedItem(item)
    let later = try insert(
      UnwrittenItem(
        kind: .fact, scope: found.scope, user: found.user, persona: found.persona,
        session: stored?.session, text: PreparedText(found.text), run: found.run.text,
        time: found.time, trust: found.trust), slot: slot, as: nil)
    try run(
      """
      UPDATE statements SET item = ?6
      WHERE chain = ?1 AND item = ?7 AND (begin, time, form, run) > (?2, ?3, ?4, ?5)
      """, values: statement.place + [.integer(later), .integer(item)])
    try refresh(item, in: statement.chain)
    try refresh(later, in: statement.chain)
    try writeEnding(of: later, in: statement.chain)
  }

  /// What was between those statements is gone: if they are of one form, they are one fact again. Writes when the
  /// first of them ends.
  private func close(gapBetween before: Statement?, and after: Statement?) throws {
    guard let before else { return }
    if let after, after.item != before.item, try areOne(before, after) {
      let (kept, merged) = (SQLValue.integer(before.item), SQLValue.integer(after.item))
      try run("UPDATE statements SET item = ? WHERE item = ?", kept, merged)
      try run("UPDATE facts SET replaced_by = ? WHERE replaced_by = ?", kept, merged)
      try run("DELETE FROM facts WHERE item = ?", merged)
      try deleteItem(after.item)
      try refresh(before.item, in: before.chain)
    }
    try writeEnding(of: before.item, in: before.chain)
  }

  // MARK: Forgetting

  /// Deletes a fact. The one that it superseded is open again.
  func deleteFact(_ item: Int64) throws {
    let number = SQLValue.integer(item)
    if let chain = try chain(of: item), let first = try edge(of: item, in: chain, isLast: false),
      let last = try edge(of: item, in: chain, isLast: true)
    {
      let before = try neighbour(of: first, isNext: false)
      let after = try neighbour(of: last, isNext: true)
      let denials = try denials(of: item)
      let deniers = try deniers(before: first)
      try run("DELETE FROM statements WHERE item = ?", number)
      try run("DELETE FROM facts WHERE item = ?", number)
      try deleteItem(item)
      try close(gapBetween: before, and: after)
      for denial in denials { try allow(deniedBy: denial) }
      try writeEndings(of: deniers)
    } else {
      try run("DELETE FROM facts WHERE item = ?", number)
      try deleteItem(item)
    }
    let replaced = try rows("SELECT item FROM facts WHERE replaced_by = ? ORDER BY item", number) {
      $0.integer(0)
    }
    for one in replaced { try restore(one) }
  }

  /// Takes back what a run has stated. Returns the facts that nobody else has stated: they are deleted.
  func retractStatements(of run: String, among items: Set<Int64>) throws -> [Int64] {
    let found = try rows(
      "SELECT \(Statement.columns) FROM statements WHERE run = ?", .text(run),
      transform: Statement.init
    ).filter { items.contains($0.item) }
    var gone: [Int64] = []
    for statement in found {
      // An earlier one may have changed which item it belongs to.
      let current = try first(
        """
        SELECT \(Statement.columns) FROM statements
        WHERE chain = ? AND begin = ? AND time = ? AND form = ? AND run = ?
        """, values: statement.place, transform: Statement.init)
      guard let current else { continue }
      let isOnly =
        try first(
          "SELECT count(*) FROM (SELECT 1 FROM statements WHERE item = ? LIMIT 2)",
          .integer(current.item)
        ) { $0.integer(0) } == 1
      if isOnly {
        try deleteFact(current.item)
        gone.append(current.item)
        continue
      }
      try self.run(
        """
        DELETE FROM statements WHERE chain = ? AND begin = ? AND time = ? AND form = ? AND run = ?
        """, values: current.place)
      try refresh(current.item, in: current.chain)
      try writeEnding(of: current.item, in: current.chain)
      try allow(deniedBy: current)
      try writeEndings(of: try deniers(before: current))
      if let before = try neighbour(of: current, isNext: false), before.item != current.item {
        try writeEnding(of: before.item, in: before.chain)
      }
    }
    return gone
  }

  // MARK: Correcting

  /// Takes a fact out of its chain, because a person has corrected it.
  private func takeOutOfChain(_ item: Int64) throws {
    guard let chain = try chain(of: item), let first = try edge(of: item, in: chain, isLast: false),
      let last = try edge(of: item, in: chain, isLast: true)
    else { return }
    let before = try neighbour(of: first, isNext: false)
    let after = try neighbour(of: last, isNext: true)
    let denials = try denials(of: item)
    let deniers = try deniers(before: first)
    try run(
      "UPDATE statements SET chain = ?, denies = NULL WHERE item = ?",
      .bytes(.chain(ofReplaced: item)), .integer(item))
    try close(gapBetween: before, and: after)
    for denial in denials { try allow(deniedBy: denial) }
    try writeEndings(of: deniers)
  }

  /// The statements of an item that deny another one.
  private func denials(of item: Int64) throws -> [Statement] {
    try rows(
      "SELECT \(Statement.columns) FROM statements WHERE item = ? AND denies IS NOT NULL",
      .integer(item), transform: Statement.init)
  }

  /// Nil where there is no such fact.
  func edit(_ fact: Int64, to text: String, at time: Timestamp) throws -> FactOutcome? {
    guard let old = try memoryItems("items.id = ?", [.integer(fact)]).first, let details = old.fact
    else { return nil }
    let learnt = try first("SELECT learnt FROM facts WHERE item = ?", .integer(fact)) {
      Timestamp(milliseconds: $0.integer(0))
    }
    let stored = StoredFact(
      .correction(of: old, details, learnt: learnt ?? old.time, to: text, at: time))
    let formOfOld = try first("SELECT form FROM statements WHERE item = ? LIMIT 1", .integer(fact))
    {
      $0.bytes(0)
    }
    if formOfOld == stored.form {
      // The same fact, spelt otherwise.
      try change(fact, to: stored.text, at: old.time)
      try run("UPDATE items SET trust = 0 WHERE id = ?", .integer(fact))
      try run("UPDATE statements SET trust = 0 WHERE item = ?", .integer(fact))
      return .known(id: fact)
    }
    try takeOutOfChain(fact)
    let outcome = try add(stored)
    let id: Int64
    switch outcome {
    case .added(let added, _): id = added
    case .known(let known): id = known
    }
    try run(
      "UPDATE facts SET replaced_by = ?, replaced_at = ? WHERE item = ?", .integer(id),
      .integer(time.milliseconds), .integer(fact))
    if let chain = try chain(of: fact) { try writeEnding(of: fact, in: chain) }
    guard case .added(_, let closes) = outcome else { return outcome }
    return .added(id: id, closes: [fact] + closes)
  }

  /// The correction of a fact is gone, so it holds again.
  private func restore(_ item: Int64) throws {
    guard let found = try memoryItems("items.id = ?", [.integer(item)]).first else { return }
    let session = try storedItem(item)?.session
    let statements = try rows(
      """
      SELECT \(Statement.columns) FROM statements WHERE item = ? ORDER BY begin, time, form, run
      """, .integer(item), transform: Statement.init)
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
      let outcome = try add(statement, as: id) { preferred in
        try insert(
          UnwrittenItem(
            kind: .fact, scope: found.scope, user: found.user, persona: found.persona,
            session: session, text: PreparedText(found.text), run: statement.run,
            time: Timestamp(milliseconds: statement.time),
            trust: MemoryTrust(column: statement.trust)), slot: found.fact?.slot, as: preferred)
      }
      if case .added = outcome { id = nil }
    }
  }
}

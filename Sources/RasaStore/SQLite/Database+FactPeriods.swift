import RasaCore
import RasaEngine
import RasaMemory
import RasaSQLite

/// Since when facts hold, and until when: what `FactChain` says, for as many facts as a change concerns.
extension Database {
  // MARK: What an item has of its statements

  /// After a statement has been added to it.
  func refresh(_ statement: FactStatement, isLast: Bool) throws {
    let item = SQLValue.integer(statement.item)
    let claim = statement.claim
    try run(
      """
      UPDATE items SET trust = min(trust, ?2), run = iif((time, run) < (?3, ?4), ?4, run),
        time = max(time, ?3) WHERE id = ?1
      """, item, .integer(statement.trust), .integer(claim.time.milliseconds), .text(claim.run))
    try run(
      """
      UPDATE facts SET learnt = min(learnt, ?2), stated_from = min(stated_from, ?3),
        valid_from = CASE WHEN ?3 < stated_from THEN ?4
          WHEN ?3 = stated_from THEN coalesce(valid_from, ?4) ELSE valid_from END
      WHERE item = ?1
      """, item, .integer(claim.time.milliseconds), .integer(claim.begin.milliseconds),
      statement.validFrom)
    if isLast {
      try run(
        "UPDATE facts SET kind = ?, stated_until = ?, expires = ? WHERE item = ?",
        .text(statement.kind), statement.until, .orNull(statement.expires), item)
    }
  }

  /// After statements have been moved or removed; there is still one.
  func refresh(_ item: Int64, in chain: ContentDigest) throws {
    guard let last = try edge(of: item, in: chain, isLast: true) else { return }
    try run(
      """
      UPDATE items SET (time, run) = (
          SELECT time, run FROM statements WHERE item = ?1 ORDER BY time DESC, run DESC LIMIT 1),
        trust = (SELECT min(trust) FROM statements WHERE item = ?1)
      WHERE id = ?1
      """, .integer(item))
    try run(
      """
      UPDATE facts SET (learnt, stated_from) = (
          SELECT min(time), min(coalesce(valid_from, time)) FROM statements WHERE item = ?1),
        kind = ?2, stated_until = ?3, expires = ?4
      WHERE item = ?1
      """, .integer(item), .text(last.kind), last.until, .orNull(last.expires))
    try run(
      """
      UPDATE facts SET valid_from = (
        SELECT valid_from FROM statements WHERE item = ?1 AND valid_from = stated_from LIMIT 1)
      WHERE item = ?1
      """, .integer(item))
  }

  // MARK: Parting and joining

  /// What comes after that statement is a fact of its own. Returns it.
  @discardableResult
  func split(
    _ item: Int64, after statement: FactStatement, as id: Int64? = nil
  ) throws -> Int64 {
    guard let found = try memoryItems("items.id = ?", [.integer(item)]).first else { return item }
    let later = try insertFact(
      UnwrittenItem(
        kind: .fact, scope: found.scope, user: found.user, persona: found.persona,
        session: try storedItem(item)?.session, text: PreparedText(found.text),
        run: found.run.text, time: found.time, trust: found.trust), slot: found.fact?.slot, as: id)
    try run(
      """
      UPDATE statements SET item = ?6
      WHERE chain = ?1 AND item = ?7 AND (place, time, form, run) > (?2, ?3, ?4, ?5)
      """, values: statement.key + [.integer(later), .integer(item)])
    try refresh(item, in: statement.chain)
    try refresh(later, in: statement.chain)
    try writeWhatEnds(with: item, in: statement.chain)
    try writeWhatEnds(with: later, in: statement.chain)
    return later
  }

  /// What was between the two facts is gone.
  func merge(_ item: Int64, into kept: Int64, in chain: ContentDigest) throws {
    let (kept, merged) = (SQLValue.integer(kept), SQLValue.integer(item))
    try run("UPDATE statements SET item = ? WHERE item = ?", kept, merged)
    try run("UPDATE facts SET replaced_by = ? WHERE replaced_by = ?", kept, merged)
    try run("UPDATE facts SET superseded_by = ? WHERE superseded_by = ?", kept, merged)
    try run("DELETE FROM facts WHERE item = ?", merged)
    try deleteItem(item)
    guard case .integer(let number) = kept else { return }
    try refresh(number, in: chain)
    try writeWhatEnds(with: number, in: chain)
  }

  /// Parts or joins two statements that follow each other.
  func fix(_ first: FactStatement, _ second: FactStatement) throws {
    if try areOne(first, second) {
      if first.item != second.item { try merge(second.item, into: first.item, in: first.chain) }
    } else if first.item == second.item {
      try split(first.item, after: first)
    }
  }

  // MARK: Beginnings and endings

  /// Writes the periods of that fact and of those before it, at least as far as that one, and further as long as
  /// they change.
  func writePeriods(
    from item: Int64, atLeastTo last: Int64? = nil, in chain: ContentDigest
  ) throws {
    var item = item
    var isDue = last != nil
    while true {
      let isChanged = try writePeriod(of: item, in: chain)
      if item == last { isDue = false }
      guard isChanged || isDue, let first = try edge(of: item, in: chain, isLast: false),
        let before = try neighbour(of: first, isNext: false)
      else { return }
      item = before.item
    }
  }

  private struct Period: Equatable {
    var begin: Int64
    var until: Int64?
    var nextBegin: Int64?
    var nextItem: Int64?
    var endedBy: Int64?
  }

  /// Returns whether the one before it may be concerned.
  private func writePeriod(of item: Int64, in chain: ContentDigest) throws -> Bool {
    let row = try first(
      """
      SELECT begin, until, next_begin, next_item, superseded_by, stated_from, valid_from, replaced_at
      FROM facts WHERE item = ?
      """, .integer(item)
    ) { row in
      (
        period: Period(
          begin: row.integer(0), until: row.integerOrNil(1), nextBegin: row.integerOrNil(2),
          nextItem: row.integerOrNil(3), endedBy: row.integerOrNil(4)),
        beginning: Beginning(
          begin: Timestamp(milliseconds: row.integer(5)),
          validFrom: row.integerOrNil(6).map { Timestamp(milliseconds: $0) }),
        replaced: row.integerOrNil(7)
      )
    }
    guard let row, let last = try edge(of: item, in: chain, isLast: true) else { return false }
    let old = row.period
    let next = try nextBeginning(after: last)
    var ender = next
    if let limit = try leastLimit(after: last), ender.map({ limit.begin < $0.begin }) ?? true {
      ender = limit
    }
    let until = [ender?.begin, last.claim.until?.milliseconds].compactMap(\.self).min()
    var new = Period(
      begin: row.beginning.begin.milliseconds, until: until, nextBegin: next?.begin,
      nextItem: next?.item, endedBy: ender?.item)
    if row.beginning.isUnknown(
      until: until.map { Timestamp(milliseconds: $0) }, of: last.claim),
      let first = try edge(of: item, in: chain, isLast: false)
    {
      new.begin =
        Beginning.begin(after: try neighbour(of: first, isNext: false)?.claim).milliseconds
    }
    if let replaced = row.replaced {
      // What a person has corrected never held.
      new.until = min(until ?? replaced, replaced)
      new.begin = new.until ?? replaced
    }
    if new == old { return false }
    try run(
      """
      UPDATE facts SET begin = ?, until = ?, next_begin = ?, next_item = ?, superseded_by = ?
      WHERE item = ?
      """, .integer(new.begin), .orNull(new.until), .orNull(new.nextBegin), .orNull(new.nextItem),
      .orNull(new.endedBy), .integer(item))
    return new.begin != old.begin || new.nextBegin != old.nextBegin || new.nextItem != old.nextItem
  }

  /// The first beginning of all facts that come later in the chain.
  private func nextBeginning(after last: FactStatement) throws -> (begin: Int64, item: Int64)? {
    guard let next = try neighbour(of: last, isNext: true) else { return nil }
    return try first(
      "SELECT begin, next_begin, next_item FROM facts WHERE item = ?", .integer(next.item)
    ) { row in
      if let begin = row.integerOrNil(1), let item = row.integerOrNil(2), begin < row.integer(0) {
        return (begin, item)
      }
      return (row.integer(0), next.item)
    }
  }

  /// The first beginning of all that denies the statement, or is denied by it, and comes later. No fact is on both
  /// sides of it.
  private func leastLimit(after last: FactStatement) throws -> (begin: Int64, item: Int64)? {
    var least: (begin: Int64, item: Int64, claim: FactClaim)?
    for limits in try limits(of: last) {
      var place = last
      while let limit = try next(of: limits, beyond: place, isNext: true) {
        let begin = try statedBeginning(of: limit.item)
        let isLess =
          least.map { found in
            begin < found.begin || begin == found.begin && limit.claim.comes(before: found.claim)
          } ?? true
        if isLess { least = (begin, limit.item, limit.claim) }
        guard let end = try edge(of: limit.item, in: limits.chain, isLast: true) else { break }
        place = end
      }
    }
    return least.map { ($0.begin, $0.item) }
  }

  private func statedBeginning(of item: Int64) throws -> Int64 {
    try first("SELECT stated_from FROM facts WHERE item = ?", .integer(item)) { $0.integer(0) }
      ?? .max
  }

  /// Parts, joins and ends what such a statement denies or is denied by, after it has been added or removed.
  ///
  /// - Parameter begin: when it begins, or began.
  func writeWhatEnds(with statement: FactStatement, begin: Int64) throws {
    for limits in try limits(of: statement) {
      guard var before = try next(of: limits, beyond: statement, isNext: false) else { continue }
      var latest = before.item
      if let next = try neighbour(of: before, isNext: true) {
        try fix(before, next)
        latest = try self.statement(like: next)?.item ?? latest
      }
      while true {
        let old = try begins(before.item)
        try writePeriods(from: latest, atLeastTo: before.item, in: limits.chain)
        // What comes before it ends no later than it begins.
        if begin >= max(old, try begins(before.item)) { break }
        guard let first = try edge(of: before.item, in: limits.chain, isLast: false),
          let earlier = try next(of: limits, beyond: first, isNext: false)
        else { break }
        before = earlier
        latest = earlier.item
      }
    }
  }

  private func writeWhatEnds(with item: Int64, in chain: ContentDigest) throws {
    guard let first = try edge(of: item, in: chain, isLast: false) else { return }
    try writeWhatEnds(with: first, begin: .min)
  }

  private func begins(_ item: Int64) throws -> Int64 {
    try first("SELECT begin FROM facts WHERE item = ?", .integer(item)) { $0.integer(0) } ?? .min
  }
}

import RasaCore
import RasaEngine
import RasaMemory
import RasaSQLite

/// One time that a fact was stated, as a row.
struct FactStatement {
  var chain: ContentDigest
  var claim: FactClaim
  var item: Int64
  var trust: Int64
  var kind: String
  var expires: Int64?
  var denies: DeniedFact?

  static let columns =
    "chain, place, time, form, run, item, trust, kind, valid_from, stated_until, expires, denies"

  init(_ row: Row) {
    func time(_ column: Int) -> Timestamp? {
      row.integerOrNil(column).map { Timestamp(milliseconds: $0) }
    }
    chain = row.bytes(0)
    item = row.integer(5)
    trust = row.integer(6)
    kind = row.text(7)
    expires = row.integerOrNil(10)
    denies = DeniedFact(row.value(11))
    claim = FactClaim(
      form: row.bytes(3), run: row.text(4), time: Timestamp(milliseconds: row.integer(2)),
      validFrom: time(8), until: time(9), isDenial: denies != nil,
      place: Timestamp(milliseconds: row.integer(1)))
  }

  init(_ stored: StoredFact) {
    chain = stored.chain
    claim = stored.claim
    item = 0
    trust = stored.fact.trust.column
    kind = stored.fact.details.kind
    expires = stored.fact.details.expires?.milliseconds
    denies = stored.denies
  }

  /// Its place among the statements of any chain.
  var order: [SQLValue] {
    [
      .integer(claim.place.milliseconds), .integer(claim.time.milliseconds), .bytes(claim.form),
      .text(claim.run),
    ]
  }

  var key: [SQLValue] { [.bytes(chain)] + order }

  var validFrom: SQLValue { .moment(claim.validFrom) }
  var until: SQLValue { .moment(claim.until) }
}

extension SQLValue {
  static func moment(_ time: Timestamp?) -> SQLValue { .orNull(time?.milliseconds) }
  static func orNull(_ number: Int64?) -> SQLValue { number.map { .integer($0) } ?? .null }
}

/// Statements of which each ends what another one said before it.
struct LimitingStatements {
  let chain: ContentDigest
  fileprivate let index: String
  fileprivate let condition: String
  fileprivate let values: [SQLValue]
}

/// Finding statements: each by an index.
extension Database {
  func insert(_ statement: FactStatement) throws {
    try run(
      "INSERT INTO statements (\(FactStatement.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      values: statement.key + [
        .integer(statement.item), .integer(statement.trust), .text(statement.kind),
        statement.validFrom, statement.until, .orNull(statement.expires),
        statement.denies?.column ?? .null,
      ])
  }

  /// The statement of that place in the chain, if there is one.
  func statement(like statement: FactStatement) throws -> FactStatement? {
    try first(
      """
      SELECT \(FactStatement.columns) FROM statements
      WHERE chain = ? AND place = ? AND time = ? AND form = ? AND run = ?
      """, values: statement.key, transform: FactStatement.init)
  }

  func deleteStatement(_ statement: FactStatement) throws {
    try run(
      "DELETE FROM statements WHERE chain = ? AND place = ? AND time = ? AND form = ? AND run = ?",
      values: statement.key)
  }

  /// The statement before or after that place in the chain.
  func neighbour(of statement: FactStatement, isNext: Bool) throws -> FactStatement? {
    let (sign, order) = Self.way(isNext)
    return try first(
      """
      SELECT \(FactStatement.columns) FROM statements
      WHERE chain = ? AND (place, time, form, run) \(sign) (?, ?, ?, ?) ORDER BY \(order) LIMIT 1
      """, values: statement.key, transform: FactStatement.init)
  }

  /// The first or the last statement of an item.
  func edge(
    of item: Int64, in chain: ContentDigest, isLast: Bool
  ) throws -> FactStatement? {
    let (_, order) = Self.way(!isLast)
    return try first(
      """
      SELECT \(FactStatement.columns) FROM statements INDEXED BY statements_of_item
      WHERE item = ? AND chain = ? ORDER BY \(order) LIMIT 1
      """, .integer(item), .bytes(chain), transform: FactStatement.init)
  }

  func chain(of item: Int64) throws -> ContentDigest? {
    try first("SELECT chain FROM statements WHERE item = ? LIMIT 1", .integer(item)) {
      $0.bytes(0)
    }
  }

  private static func way(_ isNext: Bool) -> (sign: String, order: String) {
    isNext ? (">", "place, time, form, run") : ("<", "place DESC, time DESC, form DESC, run DESC")
  }

  // MARK: Denials

  /// What denies such a statement, and what it denies: either ends what the other one said before.
  func limits(of statement: FactStatement) throws -> [LimitingStatements] {
    let denied = DeniedFact(chain: statement.chain, form: statement.claim.form).column
    var limits: [LimitingStatements] = []
    var chain = SQLValue.bytes([])
    while let next = try first(
      """
      SELECT chain FROM statements INDEXED BY statements_denying
      WHERE denies = ? AND chain > ? ORDER BY chain LIMIT 1
      """, denied, chain, transform: { $0.bytes(0) })
    {
      limits.append(
        LimitingStatements(
          chain: next, index: "statements_denying", condition: "denies = ? AND chain = ?",
          values: [denied, .bytes(next)]))
      chain = .bytes(next)
    }
    if let denies = statement.denies {
      limits.append(
        LimitingStatements(
          chain: denies.chain, index: "statements_of_form", condition: "chain = ? AND form = ?",
          values: [.bytes(denies.chain), .bytes(denies.form)]))
    }
    return limits.sorted { $0.chain.lexicographicallyPrecedes($1.chain) }
  }

  /// The next one of them before or after that statement's place.
  func next(
    of limits: LimitingStatements, beyond statement: FactStatement, isNext: Bool
  ) throws -> FactStatement? {
    let (sign, order) = Self.way(isNext)
    return try first(
      """
      SELECT \(FactStatement.columns) FROM statements INDEXED BY \(limits.index)
      WHERE \(limits.condition) AND (place, time, form, run) \(sign) (?, ?, ?, ?)
      ORDER BY \(order) LIMIT 1
      """, values: limits.values + statement.order, transform: FactStatement.init)
  }

  /// Whether two statements that follow each other in a chain are about one fact that has held all the time.
  func areOne(_ first: FactStatement, _ second: FactStatement) throws -> Bool {
    guard first.claim.isContinued(by: second.claim) else { return false }
    return try limits(of: first).allSatisfy { limits in
      guard let limit = try next(of: limits, beyond: first, isNext: true) else { return true }
      return second.claim.comes(before: limit.claim)
    }
  }
}

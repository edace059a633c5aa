import RasaCore
import RasaEngine
import RasaPersona
import RasaSQLite

/// The condition that a query or a filter puts on rows of `items`, to which `facts` is joined where there are any.
/// It says the same as `MemoryQuery.sees` and `MemoryFilter.takes`.
struct MemorySelection {
  private(set) var conditions: [String] = []
  private(set) var values: [SQLValue] = []

  /// What stands after `WHERE`.
  var text: String { conditions.isEmpty ? "TRUE" : conditions.joined(separator: " AND ") }

  private mutating func require(_ condition: String, _ values: SQLValue...) {
    conditions.append(condition)
    self.values += values
  }

  private mutating func require<Choice>(
    _ column: String, in choices: Set<Choice>, of all: Int, _ number: (Choice) -> Int64
  ) {
    if choices.count == all { return }
    let numbers = choices.map { "\(number($0))" }.sorted()
    // An index of some rows only is used where their condition stands word for word.
    if numbers.count == 1 { return require("\(column) = \(numbers[0])") }
    require("\(column) IN (\(numbers.joined(separator: ", ")))")
  }

  /// What the query may see, whatever it says.
  init(_ query: MemoryQuery, now: Timestamp) {
    leaveOutForgotten()
    if let user = query.user { require("items.user = \(Self.word)", .text(user)) }
    require("items.kind", in: query.kinds, of: MemoryItem.Kind.allCases.count, \.column)
    require("items.scope", in: query.scopes, of: MemoryScope.allCases.count, \.column)
    if let persona = query.persona {
      require("(items.scope <> 1 OR items.persona = \(Self.word))", .text(persona))
    }
    if query.persona != nil || query.session != nil {
      if let session = query.session {
        require("(items.scope <> 2 OR items.session IN \(Self.sessions))", .text(session))
      } else {
        require("items.scope <> 2")
      }
    }
    if !query.exceptRuns.isEmpty {
      // A long conversation has more of them than an expression may have terms.
      let runs = Value.array(query.exceptRuns.map(\.text).sorted().map(Value.string))
      require("items.run NOT IN (SELECT value FROM json_each(?))", .text(runs.json(.compact)))
    }
    requireHolding(asOf: query.asOf, now: now)
  }

  /// As `MemoryItem.holds`.
  private mutating func requireHolding(asOf: Timestamp?, now: Timestamp) {
    let time = SQLValue.integer((asOf ?? now).milliseconds)
    if asOf != nil { require("coalesce(facts.begin, items.time) <= ?", time) }
    require("coalesce(facts.until > max(?, facts.begin), TRUE)", time)
    require("coalesce(facts.expires > ?, TRUE)", time)
  }

  /// Facts that others have stated, too, are among those of a run.
  init(_ filter: MemoryFilter, now: Timestamp) {
    leaveOutForgotten()
    if let user = filter.user { require("items.user = \(Self.word)", .text(user)) }
    if let persona = filter.persona { require("items.persona = \(Self.word)", .text(persona)) }
    if let session = filter.session {
      require("items.session IN \(Self.sessions)", .text(session))
    }
    require("items.kind", in: filter.kinds, of: MemoryItem.Kind.allCases.count, \.column)
    if let run = filter.run {
      require(
        """
        items.id IN (SELECT id FROM items WHERE run = ? AND kind < 2
          UNION ALL SELECT item FROM statements WHERE run = ?)
        """, .text(run.text), .text(run.text))
    }
    if let trust = filter.trust { require("items.trust = \(trust.column)") }
    if !filter.includesPast { requireHolding(asOf: filter.asOf, now: now) }
  }

  /// What is being deleted with its user is not there any more.
  private mutating func leaveOutForgotten() {
    require(
      """
      NOT EXISTS (SELECT 1 FROM deletions
        WHERE deletions.user = items.user AND items.id <= deletions.lines)
      """)
  }

  private static let word = "(SELECT number FROM words WHERE text = ?)"
  private static let sessions = "(SELECT key FROM sessions WHERE id = ?)"
}

import RasaEngine
import RasaSQLite

/// A query for the numbers of the newest runs that match a filter. Each status has a subquery, which reads only the
/// newest runs of that status.
struct RunSelection: Sendable {
  let text: String
  let values: [SQLValue]

  init(_ filter: RunFilter) {
    let statuses: [String?] =
      filter.status.isEmpty || filter.status.count == RunRecord.Status.allCases.count
      ? [nil] : filter.status.map(\.rawValue).sorted()
    var parts: [String] = []
    var values: [SQLValue] = []
    for status in statuses {
      var conditions: [String] = []
      func require(_ condition: String, _ value: String?) {
        guard let value else { return }
        conditions.append(condition)
        values.append(.text(value))
      }
      require("status = ?", status)
      require("session IN (SELECT key FROM sessions WHERE id = ?)", filter.session)
      require("user = (SELECT number FROM words WHERE text = ?)", filter.user)
      require("persona = (SELECT number FROM words WHERE text = ?)", filter.persona)
      if !filter.exceptOwners.isEmpty {
        let names = filter.exceptOwners.sorted()
        let places = names.map { _ in "?" }.joined(separator: ", ")
        conditions.append(
          """
          NOT (persona_digest IN (
              SELECT number FROM words WHERE text = '' OR (text >= 'rasa:' AND text < 'rasa;'))
            AND persona IN (SELECT number FROM words WHERE text IN (\(places))))
          """)
        values += names.map { .text($0) }
      }
      let condition = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
      parts.append(
        "SELECT * FROM (SELECT number FROM runs \(condition) ORDER BY number DESC LIMIT ?)")
      values.append(.integer(max(0, filter.limit)))
    }
    text = parts.joined(separator: " UNION ALL ") + " ORDER BY number DESC LIMIT ?"
    values.append(.integer(max(0, filter.limit)))
    self.values = values
  }
}

/// What many expeditions found, as a table.
struct CrashReport: Sendable {
  private struct Row {
    var name: String
    var journeys = 0
    var kills = 0
    var problems: [Problem.Kind: Int] = [:]
  }

  private(set) var failures: [Finding] = []
  private var rows: [Row] = []

  mutating func add(_ name: String, _ findings: [Finding]) {
    var row = Row(name: name, journeys: findings.count)
    for finding in findings {
      row.kills += finding.kills
      for kind in Set(finding.problems.map(\.kind)) { row.problems[kind, default: 0] += 1 }
    }
    rows.append(row)
    failures += findings.filter { !$0.problems.isEmpty }
  }

  var table: String {
    let columns = Problem.Kind.allCases
    var lines = [
      ["", "journeys", "kills"] + columns.map(\.rawValue)
    ]
    lines += rows.map { row in
      [row.name, "\(row.journeys)", "\(row.kills)"] + columns.map { "\(row.problems[$0] ?? 0)" }
    }
    return lines.map { line in
      line.enumerated().map { index, text in
        let padding = String(repeating: " ", count: max(0, (index == 0 ? 44 : 11) - text.count))
        return index == 0 ? text + padding : padding + text
      }.joined()
    }.joined(separator: "\n")
  }

  /// The first few failures in full: the others are most likely the same.
  var details: String {
    failures.prefix(5).map { finding in
      "\(finding.expedition)\n"
        + finding.problems.prefix(5).map { "  \($0)" }.joined(separator: "\n") + finding.story
    }.joined(separator: "\n\n")
  }
}

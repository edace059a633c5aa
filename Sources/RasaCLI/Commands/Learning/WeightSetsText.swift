import RasaCore
import RasaKit

extension Rasa.WeightSets {
  var table: Table {
    Table(
      columns: [
        "WEIGHTS", "SHARE", "RUNS", "SCORE", "95 %", "SAME RUNS", "DIFFERENCE", "WITH STARS",
      ],
      rows: rows.map { row in
        [
          row.name, row.share.map { share($0) } ?? "gone", "\(row.runs)",
          row.score.map { figure($0.value) } ?? "-", row.score.flatMap(interval) ?? "-",
          row.scoreOfAll.map { figure($0.value) } ?? "-",
          row.difference.map { signed($0.value) } ?? "-", row.agreement.map(figure) ?? "-",
        ]
      }, values: [])
  }

  private func interval(_ figure: Rasa.Leaderboard.Figure) -> String? {
    guard let low = figure.low, let high = figure.high else { return nil }
    return "\(low.fixed(2))–\(high.fixed(2))"
  }

  private func signed(_ value: Double) -> String { (value > 0 ? "+" : "") + value.fixed(3) }

  /// What a reader has to know of the figures.
  var notes: [String] {
    guard let standard = rows.first, rows.count > 1 else {
      return ["there is one set: `learning: {weights: …}` in your config.yaml adds another"]
    }
    var notes: [String] = []
    for row in rows.dropFirst() {
      guard let difference = row.difference, let low = difference.low, let high = difference.high
      else { continue }
      notes.append(
        "on the same \(difference.runs) runs `\(row.name)` scores \(signed(difference.value)) "
          + "(95 %: \(signed(low)) to \(signed(high))) against `\(standard.name)`")
    }
    guard starredRuns >= fewestStarredRuns else {
      notes.append(
        "which set agrees with people is not said: \(starredRuns) \(starredRuns == 1 ? "run has" : "runs have") "
          + "stars and the score of a judge or of peers, and it takes \(fewestStarredRuns)")
      return notes
    }
    for row in rows.dropFirst() {
      guard let own = row.agreement, let other = standard.agreement, let p = row.p else { continue }
      let isClear = p < 0.05
      let verdict =
        isClear
        ? "`\(own > other ? row.name : standard.name)` agrees better with the stars"
        : "chance explains how `\(row.name)` and `\(standard.name)` differ in agreeing with the stars"
      notes.append(
        "\(verdict): rank correlations \(figure(own)) and \(figure(other)) over \(starredRuns) runs, "
          + "p \(p < 0.001 ? "< 0.001" : "= " + p.fixed(3))")
    }
    return notes
  }

  var document: ValueObject {
    func figures(_ figure: Rasa.Leaderboard.Figure?) -> Value {
      guard let figure else { return .null }
      return [
        "value": .double(figure.value), "low": .orNull(figure.low), "high": .orNull(figure.high),
        "rests_on_runs": .int(Int64(figure.runs)),
      ]
    }
    return [
      "sets": .array(
        rows.map { row in
          [
            "weights": .string(row.name), "share": .orNull(row.share),
            "values": .object(
              ValueObject(
                row.weights.sorted { $0.key < $1.key }.map { ($0.key, .double($0.value)) })),
            "runs": .int(row.runs), "score": figures(row.score),
            "score_of_all": figures(row.scoreOfAll), "difference": figures(row.difference),
            "agreement": .orNull(row.agreement), "p": .orNull(row.p),
          ]
        }),
      "starred_runs": .int(Int64(starredRuns)),
      "fewest_starred_runs": .int(Int64(fewestStarredRuns)),
      "notes": .array(notes.map { .string($0) }),
    ]
  }
}

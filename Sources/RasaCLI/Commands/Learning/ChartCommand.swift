import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// `rasa stats chart`: how runs went, as pictures.
struct ChartCommand {
  let rasa: Rasa
  let print: Printer
  let style: Style

  func run(_ command: ParsedCommand, from: Rasa.Day?, to: Rasa.Day?) async throws {
    let file = command.text("output").flatMap { $0 == "-" ? nil : $0 }
    let format = command.text("format") ?? file.map(Self.format(ofFile:)) ?? "text"
    var asked: [(Rasa.Series.Measure, Rasa.Series.Grouping)] = [
      (.score, .day), (.score, .category), (.score, .model), (.spent, .day),
    ]
    if command.isGiven("of") || command.isGiven("by") || format == "svg" {
      asked = [
        (
          command.choice("of", of: Rasa.Series.Measure.self) ?? .score,
          command.choice("by", of: Rasa.Series.Grouping.self) ?? .day
        )
      ]
    }
    let agent = command.arguments.first
    var series: [Rasa.Series] = []
    for (measure, grouping) in asked {
      series.append(
        try await rasa.series(of: measure, by: grouping, agent: agent, from: from, to: to))
    }
    if print.isJSON {
      let document: Value = [
        "agent": agent.map { .string($0) } ?? .null,
        "charts": .array(series.map { .object($0.document) }),
      ]
      guard let file else { return try print(document) }
      return try write(document.json(.pretty) + "\n", to: file)
    }
    guard series.contains(where: { !$0.points.isEmpty }) else {
      let whose = agent.map { " of `\($0)`" } ?? ""
      let when = from == nil && to == nil ? " yet" : " in that time"
      return try print(
        text: "no run\(whose) has come to its end\(when): there is nothing to draw\n"
          + "`rasa run` makes records, `rasa stats import FILE` brings those of another machine\n")
    }
    let charts = series.map { $0.chart(agent: agent, from: from, to: to) }
    switch format {
    case "svg": try write(charts.map(\.svg).joined(), to: file)
    case "html":
      let title = "How runs went" + (agent.map { " · \(TerminalText.line($0))" } ?? "")
      try write(Chart.page(title: title, charts), to: file)
    default:
      // A terminal's last column stays free.
      let width = print.width == Printer.unlimited || file != nil ? 80 : print.width - 1
      let text = charts.map { $0.text(width: width, style: file == nil ? style : .plain) }
        .joined(separator: "\n")
      if file == nil { try print(asItStands: text) } else { try write(text, to: file) }
    }
  }

  private static func format(ofFile path: String) -> String {
    let name = path.lowercased()
    if name.hasSuffix(".svg") { return "svg" }
    return name.hasSuffix(".html") || name.hasSuffix(".htm") ? "html" : "text"
  }

  private func write(_ text: String, to file: String?) throws {
    guard let file else { return try print.output.write(text) }
    try FileSystem.write(Array(text.utf8), to: file, mode: 0o644, followingLinks: true)
    try Output.error.write("wrote \(file)\n")
  }
}

extension Rasa.Series {
  /// - Parameters:
  ///   - from: the first day that was asked for; else the chart begins with the first run.
  func chart(agent: String?, from: Rasa.Day?, to: Rasa.Day?) -> Chart {
    var axis = Chart.Axis.names
    var places = Array(points.indices)
    if grouping == .day {
      let days = points.map { LocalDay($0.name)?.ordinal ?? 0 }
      let first = from.flatMap { LocalDay($0.description)?.ordinal } ?? days.first ?? 0
      let last = to.flatMap { LocalDay($0.description)?.ordinal } ?? days.last ?? first
      axis = .days(first: LocalDay(ordinal: first), count: Int(max(last - first, 0)) + 1)
      places = days.map { Int($0 - first) }
    }
    return Chart(
      title: title + (agent.map { " · \($0)" } ?? ""), unit: measure.unit, axis: axis,
      isSum: measure == .spent || measure == .runs,
      points: zip(points, places).map { point, place in
        Chart.Point(
          label: point.name.isEmpty ? "no model" : point.name, place: place,
          value: point.figure?.value, low: point.figure?.low, high: point.figure?.high,
          runs: point.figure?.runs ?? 0, allRuns: Int(point.totals.runs))
      }, notes: notes)
  }

  private var title: String {
    let what =
      switch measure {
      case .score: "Score"
      case .success: "Success rate"
      case .reward: "Points of a run"
      case .cost: "Cost of a run"
      case .speed: "Time of a run"
      case .spent: "Spent"
      default: "Runs"
      }
    return "\(what) by \(noun)"
  }

  private var noun: String { grouping == .category ? "kind of task" : grouping.rawValue }

  /// What a reader has to know of the figures.
  var notes: [String] {
    var notes: [String] = []
    let runs = points.reduce(0) { $0 + $1.totals.runs }
    if askedMeasure != measure, runs > 0 {
      notes.append(
        "none of these runs has been rated, so this is the success rate; `rasa feedback` rates a run"
      )
    }
    let isCost = measure == .cost || measure == .spent
    let mock = points.reduce(0) { $0 + $1.totals.mock }
    if mock > 0 {
      notes.append(
        "the mock answered \(mock) of these \(runs) runs: "
          + (isCost ? "they are no cost" : "they say nothing about a real model"))
    }
    let unpriced = points.reduce(0) { $0 + $1.unpriced }
    if isCost, unpriced > 0 {
      notes.append(
        "what \(unpriced) of these \(runs) runs cost is not known, and not in these figures")
    }
    let missing = points.count { $0.figure == nil }
    if missing > 0 {
      let why = isCost ? "the cost is unknown" : "none of them has been rated"
      notes.append(
        missing == 1
          ? "1 \(noun) has runs and no figure: \(why)"
          : "\(missing) \(grouping == .category ? "kinds of task" : "\(noun)s") have runs and no figure: \(why)"
      )
    }
    return notes
  }

  var document: ValueObject {
    [
      "of": .string(measure.rawValue), "asked_of": .string(askedMeasure.rawValue),
      "by": .string(grouping.rawValue),
      "rows": .array(
        points.map { point in
          var row: ValueObject = [
            grouping.rawValue: .string(point.name), "value": .orNull(point.figure?.value),
            "low": .orNull(point.figure?.low), "high": .orNull(point.figure?.high),
            "rests_on_runs": .orNull(point.figure?.runs), "unpriced": .int(point.unpriced),
          ]
          for (key, value) in point.totals.document { row[key] = value }
          return .object(row)
        }),
      "notes": .array(notes.map { .string($0) }),
    ]
  }
}

extension Rasa.Series.Measure {
  fileprivate var unit: Chart.Unit {
    switch self {
    case .score: .score
    case .success: .share
    case .cost, .spent: .dollars
    case .speed: .seconds
    default: .number
    }
  }
}

import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// `rasa feedback`, `leaderboard`, `stats` and `objectives`: how good runs were.
struct LearningCommands {
  let rasa: Rasa
  let print: Printer
  let style: Style
  /// How charts are drawn.
  let drawing: Style

  func run(_ command: ParsedCommand) async throws {
    switch command.path.joined(separator: " ") {
    case "feedback": try await feedback(command)
    case "leaderboard": try await leaderboard(command)
    case "stats rebuild":
      let count = try await rasa.rebuildStatistics()
      if print.isJSON { return try print(["records": .int(Int64(count))]) }
      try print(
        text: "worked out anew from \(count == 1 ? "1 record" : "\(count) records")\n")
    case "stats rename":
      let count = try await rasa.renameRecords(
        of: command.arguments[0], to: command.arguments[1])
      if print.isJSON { return try print(["records": .int(Int64(count))]) }
      try print(
        text: "\(count == 1 ? "1 record is" : "\(count) records are") now of "
          + "\(command.arguments[1])\n")
    case "stats export": try await export(command)
    case "stats import": try await importRecords(command)
    case "stats alerts": try await alerts(command)
    case "stats weights":
      let today = try await rasa.today()
      let found = try await rasa.weightSets(
        agent: command.arguments.first, from: day(command, "since", from: today),
        to: day(command, "until", from: today))
      if print.isJSON { return try print(.object(found.document)) }
      try print(found.table)
      try print(text: found.notes.map { "\($0)\n" }.joined())
    case "stats chart":
      let today = try await rasa.today()
      try await ChartCommand(rasa: rasa, print: print, style: drawing).run(
        command, from: day(command, "since", from: today), to: day(command, "until", from: today))
    case "objectives list": try await objectives(command)
    case "objectives add": try await addObjective(command)
    default: try await statistics(command)
    }
  }

  // MARK: Feedback

  private func feedback(_ command: ParsedCommand) async throws {
    let report = try await rasa.rate(
      command.arguments.first, stars: command.integer("stars"),
      comment: command.text("comment") ?? "")
    if print.isJSON { return try print(.object(report.document)) }
    let said = report.stars.map { "\(stars($0)) for" } ?? "took the rating back from"
    try print(
      text: "\(said) \(report.run) of \(report.agent)"
        + (report.score.map { ", score \(figure($0))" } ?? "") + ", \(report.reward) points\n")
  }

  private func stars(_ count: Int) -> String {
    String(repeating: print.glyphs.own("★"), count: count)
      + String(repeating: print.glyphs.own("☆"), count: 5 - count)
  }

  // MARK: Leaderboard

  private func leaderboard(_ command: ParsedCommand) async throws {
    let today = try await rasa.today()
    let board = try await rasa.leaderboard(
      by: command.choice("by", of: Rasa.Leaderboard.Measure.self) ?? .score,
      category: command.text("category"), model: command.text("model"),
      from: day(command, "since", from: today), to: day(command, "until", from: today))
    if command.flag("csv") { return try print.output.write(board.csv) }
    if print.isJSON { return try print(.object(board.document)) }
    let table = Table(
      columns: [
        "RANK", "", "AGENT", board.measure.title, "95 %", "TREND", "RUNS", "SUCCESS", "STARS",
        "COST", "TIME",
      ],
      rows: board.rows.map { row in
        [
          row.rankText, row.rank.map(medal) ?? "", row.agent, row.figureText(board.measure),
          row.intervalText(board.measure), trend(row.trend), "\(row.totals.runs)",
          share(row.totals.successRate), row.totals.stars.map { $0.fixed(1) } ?? "-",
          row.totals.meanCost.map(dollars) ?? "-",
          row.totals.seconds.map { "\($0.fixed(1)) s" } ?? "-",
        ]
      }, values: [],
      whenEmpty:
        "no run has come to its end \(command.isGiven("since") || command.isGiven("category") || command.isGiven("model") ? "that fits" : "yet")"
    )
    try print(table)
    try print(text: board.notes.map { "\($0)\n" }.joined())
  }

  private func medal(_ rank: Int) -> String {
    switch rank {
    case 1: style.yellow(print.glyphs.own("🥇"))
    case 2: print.glyphs.own("🥈")
    case 3: print.glyphs.own("🥉")
    default: ""
    }
  }

  private func trend(_ word: String) -> String {
    switch word {
    case "better": print.glyphs.own("↑")
    case "worse": print.glyphs.own("↓")
    case "steady": print.glyphs.own("→")
    default: "-"
    }
  }

  private func day(
    _ command: ParsedCommand, _ option: String, from today: Rasa.Day
  ) -> Rasa.Day? {
    guard let local = LocalDay(today.description), let day = command.day(option, from: local)
    else { return nil }
    return Rasa.Day(day.description)
  }

  // MARK: Statistics

  private func statistics(_ command: ParsedCommand) async throws {
    let today = try await rasa.today()
    let found = try await rasa.statistics(
      of: command.arguments.first, from: day(command, "since", from: today),
      to: day(command, "until", from: today))
    if print.isJSON { return try print(.object(found.document)) }
    guard found.totals.runs > 0 else {
      let whose = found.agent.map { " of `\($0)`" } ?? ""
      let when = command.isGiven("since") || command.isGiven("until") ? " in that time" : " yet"
      return try print(text: "no run\(whose) has come to its end\(when)\n")
    }
    try print(text: found.headline + "\n")
    func parts(_ title: String, _ parts: [Rasa.Statistics.Part], since: Bool) throws {
      guard !parts.isEmpty else { return }
      try print(text: "\n")
      try print(
        Table(
          columns: [title, "RUNS", "SUCCESS", "SCORE", "STARS", "COST", "TIME"]
            + (since ? ["SINCE"] : []),
          rows: parts.map { part in
            [
              part.name.isEmpty ? "no model" : part.name, "\(part.totals.runs)",
              share(part.totals.successRate), part.totals.score.map(figure) ?? "-",
              part.totals.stars.map { $0.fixed(1) } ?? "-",
              part.totals.meanCost.map(dollars) ?? "-",
              part.totals.seconds.map { "\($0.fixed(1)) s" } ?? "-",
            ] + (since ? [dayText(part.since)] : [])
          }, values: []))
    }
    try parts("KIND OF TASK", found.categories, since: false)
    try parts("MODEL", found.models, since: true)
    if !found.nodes.isEmpty {
      try print(text: "\n")
      let isOne = found.agent != nil
      try print(
        Table(
          columns: (isOne ? [] : ["AGENT"]) + ["KIND", "NODE", "USES", "FAILED", "TIME", "COST"],
          rows: found.nodes.map { node in
            (isOne ? [] : [node.agent]) + [
              node.kind, node.name, "\(node.uses)", "\(node.failed)",
              "\(node.seconds.fixed(1)) s", node.cost.centsText,
            ]
          }, values: []))
    }
    try print(text: "\n")
    try print(
      Table(
        columns: ["MEASURE OF SUCCESS", "THIS MONTH", "LAST MONTH", "AIM"],
        rows: found.success.map { measure in
          [
            measure.title, measure.text(measure.value), measure.text(measure.before),
            measure.verdict,
          ]
        }, values: []))
  }

  private func dayText(_ milliseconds: Int64) -> String {
    "\(TimeSource.system.localDay(Timestamp(milliseconds: milliseconds)))"
  }

  // MARK: Alerts

  private func alerts(_ command: ParsedCommand) async throws {
    let alerts = try await rasa.alerts(days: command.integer("days") ?? 7)
    let document: Value = ["alerts": .array(alerts.map { .object($0.document) })]
    if print.isJSON {
      try print(document)
    } else if alerts.isEmpty {
      try print(text: "nothing became worse by more than chance explains\n")
    } else {
      try print(text: alerts.map { "\($0.line)\n" }.joined())
    }
    guard !alerts.isEmpty else { return }
    if let address = command.text("webhook") {
      try await rasa.send(try Rasa.JSON(parsing: document.json(.compact)), to: address)
    }
    throw Failure(
      .run, alerts.count == 1 ? "1 thing became worse" : "\(alerts.count) things became worse",
      suggestion: "`rasa stats AGENT` shows the figures")
  }

  // MARK: Files

  private func export(_ command: ParsedCommand) async throws {
    let agent = command.arguments.first
    guard let path = command.text("output"), path != "-" else {
      return _ = try await rasa.exportRecords(of: agent) { try print.output.write($0) }
    }
    var text: [UInt8] = []
    let count = try await rasa.exportRecords(of: agent) { text += Array($0.utf8) }
    try FileSystem.write(text, to: path, mode: 0o600, followingLinks: true)
    try Output.error.write("wrote \(count == 1 ? "1 record" : "\(count) records") to \(path)\n")
  }

  private func importRecords(_ command: ParsedCommand) async throws {
    let path = command.arguments[0]
    let (added, known) = try await rasa.importRecords(
      try FileSystem.read(path, limit: 1 << 30), file: path)
    if print.isJSON {
      return try print(["added": .int(Int64(added)), "known": .int(Int64(known))])
    }
    try print(text: "imported \(added), \(known) were known\n")
  }

  // MARK: Kinds of tasks

  private func objectives(_ command: ParsedCommand) async throws {
    let categories = try await rasa.taskCategories()
    if let task = command.text("task") {
      let (name, words) = rasa.category(ofTask: task)
      if print.isJSON {
        return try print(["category": .string(name), "words": .array(words.map { .string($0) })])
      }
      let because =
        words.isEmpty
        ? "none of its words says what it is"
        : "it says " + words.prefix(8).map { "“\($0)”" }.joined(separator: ", ")
      return try print(text: "\(name): \(because)\n")
    }
    try print(
      Table(
        columns: ["NAME", "FROM", "WHAT SUCH TASKS ASK FOR"],
        rows: categories.map { [$0.name, $0.isUsers ? "yours" : "rasa", $0.description] },
        values: categories.map { .object($0.document) }))
  }

  private func addObjective(_ command: ParsedCommand) async throws {
    let words = (command.text("words") ?? "").split(atByte: ",", omittingEmpty: true)
      .map { $0.split(atByte: " ", omittingEmpty: true).joined(separator: " ") }.filter {
        !$0.isEmpty
      }
    let path = try await rasa.addTaskCategory(
      command.arguments[0], words: words, description: command.text("description") ?? "",
      criteria: command.text("criteria") ?? "")
    if print.isJSON {
      return try print(["category": .string(command.arguments[0]), "file": .string(path)])
    }
    try print(text: "added `\(command.arguments[0])` to \(path)\n")
  }
}

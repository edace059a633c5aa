import RasaCore
import RasaKit
import RasaTerminal

/// `rasa route`: which agent, with which model, should do a task.
struct RouteCommand {
  let rasa: Rasa
  let input: InputReader
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    if command.path.last == "replay" { return try await replay(command) }
    let task = try input.input(command.input)
    var options = Rasa.RouteOptions()
    options.maxCost = command.text("max-cost").flatMap { Rasa.Dollars($0) }
    options.maxSeconds = command.integer("max-seconds").map(Double.init)
    options.explores = command.flag("explore")
    options.seed = command.integer("seed").map { UInt64($0) }
    options.policyFile = command.text("policy")
    options.profile = command.choice("profile", of: Rasa.Profile.self)
    options.allowsPremium = command.flag("premium")
    options.model = command.text("model")
    options.user = command.text("user")
    let route = try await rasa.route(task, options: options)
    // A text that was read from elsewhere is not repeated.
    var question = "--input -"
    if case .text(let text) = command.input { question = CommandParser.shellWord(text) }
    let line =
      "rasa run "
      + (route.runOptions.map { CommandParser.shellWord($0) } + [question]).joined(separator: " ")
    if print.isJSON { return try print(.object(route.document(running: line))) }
    let one = route.chosen
    try print(
      text: "\(one.name)\n  fits \(Int(one.relevance.rounded(.down))) of 100; \(route.reason)\n"
        + "  \(one.expectation); probability \(figure(one.probability)), seed \(route.seed)\n")
    if command.flag("explain") {
      try print(text: "\n")
      try print(route.table)
      try print(text: route.notes.map { "\($0)\n" }.joined() + "\n")
    }
    try print(text: "  run it: \(line)\n")
  }

  private func replay(_ command: ParsedCommand) async throws {
    let today = LocalDay(try await rasa.today().description)
    func day(_ option: String) -> Rasa.Day? {
      today.flatMap { command.day(option, from: $0) }.flatMap { Rasa.Day($0.description) }
    }
    let found = try await rasa.replayRouting(
      policyFile: command.text("policy") ?? "", from: day("since"), to: day("until"))
    if print.isJSON { return try print(.object(found.document)) }
    try print(
      text: "of \(found.stored) decisions, \(found.decisions) led to a run whose outcome is known\n"
    )
    if found.success != nil {
      try print(text: "\n")
      try print(found.table)
      try print(text: "\n")
    }
    try print(text: found.notes.map { "\($0)\n" }.joined())
  }
}

extension Rasa.Route.Candidate {
  /// `sql-analyst with openai:gpt-4o-mini`.
  var name: String { model.isEmpty ? agent : "\(agent) with \(model)" }

  var expectation: String {
    let money = cost.map { "costs about \(dollars($0.value))" } ?? "its cost is unknown"
    return money + (seconds.map { ", takes about \($0.fixed(1)) s" } ?? "")
  }
}

extension Rasa.Route {
  var table: Table {
    Table(
      columns: [
        "AGENT", "MODEL", "FITS", "SUCCEEDED", "95 %", "OTHERS", "EXPECTED", "LOAD", "COST", "TIME",
        "SCORE", "CHANCE", "",
      ],
      rows: candidates.map { one in
        [
          one.agent, one.model.isEmpty ? "-" : one.model, "\(Int(one.relevance.rounded(.down)))",
          one.success.map { "\(one.succeeded)/\($0.runs)" } ?? "-",
          one.success.flatMap { success in
            success.low.flatMap { low in success.high.map { "\(share(low))\u{2013}\(share($0))" } }
          } ?? "-",
          one.otherRuns > 0 ? "\(one.otherSucceeded)/\(one.otherRuns)" : "-",
          share(one.expectedSuccess), share(one.load), one.cost.map { dollars($0.value) } ?? "-",
          one.seconds.map { "\($0.fixed(1)) s" } ?? "-", figure(one.score),
          one.probability > 0 && one.probability < 0.005 ? "<0.01" : figure(one.probability),
          one == chosen ? "chosen" : one.exclusion ?? "",
        ]
      }, values: [])
  }

  /// What the table does not say.
  var notes: [String] {
    var notes = ["kind of task: \(category), complexity \(complexity)"]
    if !learns { notes.append(reason) }
    notes += others.map { "not considered: \($0.agent) \($0.reason)" }
    return notes
  }
}

extension Rasa.RouteReplay {
  /// A measure, and how it and a difference of two of its figures are written.
  private typealias Row = (
    name: String, measure: Measure, text: (Double) -> String, change: (Double) -> String
  )

  private var rows: [Row] {
    let money = { (number: Double) in
      number < 0 ? "-\(dollars(-number))" : dollars(number)
    }
    let time = { (number: Double) in "\(number.fixed(1)) s" }
    return [
      success.map {
        ("success", $0, { "\(($0 * 100).fixed(1)) %" }, { "\(($0 * 100).fixed(1)) points" })
      },
      cost.map { ("cost of a run", $0, money, money) },
      seconds.map { ("time of a run", $0, time, time) },
    ].compactMap(\.self)
  }

  var table: Table {
    Table(
      columns: ["", "LOGGED", "BY PROPENSITY", "DOUBLY ROBUST", "DIFFERENCE"],
      rows: rows.map { name, measure, text, change in
        func cell(_ estimate: Estimate?, _ text: (Double) -> String) -> String {
          estimate.map { "\(text($0.value)) (\(text($0.low)) to \(text($0.high)))" } ?? "-"
        }
        return [
          name, text(measure.logged), cell(measure.inversePropensity, text),
          cell(measure.doublyRobust, text), cell(measure.difference, change),
        ]
      }, values: [])
  }

  /// What can be said, and what cannot.
  var notes: [String] {
    guard doubts.isEmpty else { return doubts.map { "nothing is claimed: \($0)" } }
    let worth = "the decisions are worth \(effectiveDecisions.fixed(1)) of the policy's own"
    return [worth]
      + rows.map { name, measure, _, change in
        guard let isDifferent = measure.isDifferent, let difference = measure.difference else {
          return "\(name): nothing is claimed, because only \(measure.decisions) runs tell it"
        }
        guard isDifferent else { return "\(name): no difference that chance does not explain" }
        return "\(name): \(difference.value > 0 ? "more" : "less") under the policy, by "
          + change(difference.value.magnitude)
      }
  }

  var document: ValueObject {
    func value(_ measure: Measure?, isMoney: Bool = false) -> Value {
      guard let measure else { return .null }
      let unit = isMoney ? "_usd" : ""
      func number(_ number: Double) -> Value {
        isMoney
          ? .string((number < 0 ? "-" : "") + (Value.dollars(number.magnitude).string ?? "0"))
          : .double(number)
      }
      func estimate(_ found: Estimate?) -> Value {
        guard let found else { return .null }
        return [
          "value\(unit)": number(found.value), "low\(unit)": number(found.low),
          "high\(unit)": number(found.high),
        ]
      }
      return [
        "decisions": .int(Int64(measure.decisions)), "logged\(unit)": number(measure.logged),
        "inverse_propensity": estimate(measure.inversePropensity),
        "doubly_robust": estimate(measure.doublyRobust),
        "difference": estimate(measure.difference),
        "is_different": measure.isDifferent.map { .bool($0) } ?? .null,
      ]
    }
    return [
      "stored": .int(Int64(stored)), "decisions": .int(Int64(decisions)),
      "effective_decisions": .double(effectiveDecisions), "uncovered": .double(uncovered),
      "success": value(success), "cost": value(cost, isMoney: true), "seconds": value(seconds),
      "refusals": .array(doubts.map { .string($0) }),
    ]
  }
}

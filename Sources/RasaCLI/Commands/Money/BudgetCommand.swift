import RasaCore
import RasaEngine
import RasaKit
import RasaPersona
import RasaSystem
import RasaTerminal

/// `rasa agents budget`: what is spent and held under the limits of days and months.
struct BudgetCommand {
  let books: BudgetReporter
  let print: Printer

  var house: CompositionRoot { books.house }

  func run(_ command: ParsedCommand) async throws {
    let id = command.arguments.first
    let isDay = command.flag("daily")
    let isMonth = command.flag("monthly")
    // Neither means both.
    let (day, month) = isDay == isMonth ? (true, true) : (isDay, isMonth)
    if let path = command.text("import") {
      try await importFiles(path)
    } else if let folder = command.text("export") {
      try await export(id, to: folder)
    } else if command.flag("reset") {
      guard let id else {
        throw Failure(
          .usage, "`--reset` needs an ID",
          suggestion: "write it as `rasa agents budget ID --reset`")
      }
      try await reset(
        books.owner(named: id), daily: day, monthly: month, isConfirmed: command.flag("yes"))
    } else if let id {
      let status = try await books.status(of: books.owner(named: id))
      if print.isJSON {
        return try house.output.write(status.file(daily: day, monthly: month).text)
      }
      try print(text: status.text(daily: day, monthly: month))
    } else {
      try await showAll(daily: day, monthly: month)
    }
  }

  func allStatuses() async throws -> [BudgetStatus] {
    var statuses: [BudgetStatus] = []
    for owner in try await books.owners() {
      let status = try await books.status(of: owner)
      if !status.isUntouched { statuses.append(status) }
    }
    return statuses
  }

  private func showAll(daily: Bool, monthly: Bool) async throws {
    let statuses = try await allStatuses()
    if print.isJSON {
      let files = statuses.map {
        String($0.file(daily: daily, monthly: monthly).text.dropLast()).indented(by: 2)
      }
      let body = files.isEmpty ? "" : "\n\(files.joined(separator: ",\n"))\n"
      return try house.output.write("[\(body)]\n")
    }
    guard !statuses.isEmpty else {
      return try print(
        text: "nothing was spent this month, and there are no daily or monthly limits\n")
    }
    try print(
      text: statuses.map { $0.text(daily: daily, monthly: monthly) }.joined(separator: "\n"))
  }

  // MARK: Reset

  private func reset(
    _ owner: BudgetOwner, daily: Bool, monthly: Bool, isConfirmed: Bool
  ) async throws {
    let status = try await books.status(of: owner)
    var periods: [(scope: BudgetLeg.Scope, name: String, balance: Balance)] = []
    if daily {
      periods.append(
        (.day(owner: owner.name, status.day), "\(status.day)", status.daily.balance))
    }
    if monthly {
      let month = status.day.monthText
      periods.append((.month(owner: owner.name, month), month, status.monthly.balance))
    }
    let spent = periods.filter { $0.balance.settled > .zero }
    if !spent.isEmpty, !isConfirmed {
      let what = spent.map { "\($0.balance.settled.budgetText) of \($0.name)" }
      try await confirm("\(listed(what, "and")) of \(owner.title) will no longer count.")
    }
    var changes: [Value] = []
    for period in periods {
      let change = try await books.accounts.adjust(
        Adjustment(
          scope: period.scope, change: .to(.zero), kind: .reset, by: house.user(nil),
          time: house.time.now()))
      changes.append([
        "agent_id": .string(owner.title), "period": .string(period.name),
        "changed_by_usd": .string(change.decimalText),
      ])
      guard !print.isJSON else { continue }
      let before = Money.zero - change
      let held =
        period.balance.held == .zero
        ? "" : "; \(period.balance.held.budgetText) stays held for calls in flight"
      try print(
        text: "\(owner.title), \(period.name): "
          + (before == .zero
            ? "nothing was spent" : "\(before.budgetText) no longer counts") + "\(held)\n")
    }
    if print.isJSON { try print(.array(changes)) }
  }

  private func confirm(_ what: String) async throws {
    let terminal = Terminal(house.environment)
    guard terminal.inputIsTerminal, terminal.errorIsTerminal else {
      throw Failure(
        .approval, "\(what.dropLast()), but there is no terminal to confirm it on",
        suggestion: "add `--yes`")
    }
    try house.tell("\(printable(what)) The reset is recorded with your name.\n")
    let reader = LineReader(history: nil, environment: house.environment)
    let line = try await reader.nextLine(prompt: "Reset? [y/N] ")
    switch line {
    case .text(let answer) where ["y", "yes"].contains(answer.lowercased()): return
    case .text, .end: throw Failure(.approval, "nothing was changed")
    case .interrupted: throw Interrupted(signal: .interrupt, suggestion: "nothing was changed")
    }
  }
}

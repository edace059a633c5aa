import RasaCore
import RasaKit
import RasaSystem

/// `rasa agents budget`: what is spent and held under the limits of days and months.
struct BudgetCommand {
  let rasa: Rasa
  let console: Console
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    let id = command.arguments.first
    var periods: Set<Rasa.BudgetPeriod> = []
    if command.flag("daily") { periods.insert(.day) }
    if command.flag("monthly") { periods.insert(.month) }
    // Neither means both.
    if periods.isEmpty { periods = [.day, .month] }
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
        try await rasa.budget(of: id), periods, isConfirmed: command.flag("yes"))
    } else if let id {
      let budget = try await rasa.budget(of: id)
      if print.isJSON { return try print.output.write(budget.file(periods)) }
      try print(text: budget.text(periods))
    } else {
      try await showAll(periods)
    }
  }

  private func showAll(_ periods: Set<Rasa.BudgetPeriod>) async throws {
    let budgets = try await rasa.budgets()
    if print.isJSON {
      let files = budgets.map { String($0.file(periods).dropLast()).indented(by: 2) }
      let body = files.isEmpty ? "" : "\n\(files.joined(separator: ",\n"))\n"
      return try print.output.write("[\(body)]\n")
    }
    guard !budgets.isEmpty else {
      return try print(
        text: "nothing was spent this month, and there are no daily or monthly limits\n")
    }
    try print(text: budgets.map { $0.text(periods) }.joined(separator: "\n"))
  }

  // MARK: Reset

  private func reset(
    _ budget: Rasa.Budget, _ periods: Set<Rasa.BudgetPeriod>, isConfirmed: Bool
  ) async throws {
    let spent = Rasa.BudgetPeriod.allCases.filter(periods.contains).map { budget[$0] }
      .filter { $0.spent > .zero }
    if !spent.isEmpty, !isConfirmed {
      let what = spent.map { "\($0.spent.centsText) of \($0.name)" }
      try await console.confirm(
        "\(listed(what, "and")) of \(budget.owner) will no longer count.",
        more: "The reset is recorded with your name.", prompt: "Reset? [y/N] ")
    }
    var changes: [Value] = []
    // One at a time, so that what was changed is reported even if the next one fails.
    for period in Rasa.BudgetPeriod.allCases where periods.contains(period) {
      for change in try await rasa.reset(budget, [period]) {
        changes.append(change.value)
        guard !print.isJSON else { continue }
        let before = Rasa.Dollars.zero - change.change
        let held = budget[period].held
        let rest = held == .zero ? "" : "; \(held.centsText) stays held for calls in flight"
        try print(
          text: "\(change.owner), \(change.period): "
            + (before == .zero
              ? "nothing was spent" : "\(before.centsText) no longer counts") + "\(rest)\n")
      }
    }
    if print.isJSON { try print(.array(changes)) }
  }
}

extension Rasa.BudgetChange {
  fileprivate var value: Value {
    [
      "agent_id": .string(owner), "period": .string(period),
      "changed_by_usd": .string(change.decimalText),
    ]
  }
}

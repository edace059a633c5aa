import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaSystem

/// `rasa costs`: what was spent.
struct CostsCommand {
  let books: BudgetReporter
  let output: Output
  let width: Int

  func run(_ command: ParsedCommand) async throws {
    let report = try await report(command)
    switch command.text("format") {
    case "json": try output.write(report.value.json(.pretty) + "\n")
    case "csv": try output.write(report.csv)
    default: try output.write(report.table(width: width))
    }
  }

  private func report(_ command: ParsedCommand) async throws -> CostsReport {
    let today = books.calendar.today
    let from = day(command, "since", from: today)
    let to = day(command, "until", from: today)
    guard from <= to else {
      throw Failure(
        .usage, "`--since` is \(from), and `--until` is \(to), which is before it",
        suggestion: "swap the two")
    }
    var filter = SpendingFilter(from: from, to: to)
    if let persona = command.text("persona") {
      let owner = try await books.owner(named: persona).name
      filter.persona = owner == BudgetLeg.everyone ? nil : owner
    }
    filter.model = command.text("model").map(model)
    let keys = keys(command)
    let rows = try await books.accounts.spending(filter, by: keys)
    let total = try await books.accounts.spending(filter, by: []).first
    return CostsReport(
      from: from, to: to, keys: keys, rows: rows, total: total ?? SpendingRow(keys: []))
  }

  private func day(_ command: ParsedCommand, _ option: String, from today: LocalDay) -> LocalDay {
    command.text(option).flatMap(NamedDay.init)?.day(from: today) ?? today
  }

  /// The books name models without their providers.
  private func model(_ text: String) -> String {
    if let colon = text.firstIndex(ofByte: ":"),
      books.configuration.providers.contains(where: { $0.name == text[..<colon] })
    {
      return String(text[text.index(after: colon)...])
    }
    return ModelConfiguration.reference(text).model
  }

  /// Each once, in the order in which they were named.
  private func keys(_ command: ParsedCommand) -> [SpendingKey] {
    var keys: [SpendingKey] = []
    for word in command.texts("by").flatMap({ $0.split(atByte: ",", omittingEmpty: true) }) {
      guard let key = SpendingKey(rawValue: String(word)), !keys.contains(key) else { continue }
      keys.append(key)
    }
    return keys
  }
}

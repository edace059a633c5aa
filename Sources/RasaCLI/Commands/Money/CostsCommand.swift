import RasaCore
import RasaKit
import RasaSystem

/// `rasa costs`: what was spent.
struct CostsCommand {
  let rasa: Rasa
  let output: Output
  let width: Int

  func run(_ command: ParsedCommand) async throws {
    let report = CostsReport(try await costs(command))
    switch command.text("format") {
    case "json": try output.write(report.costs.document.json(.pretty) + "\n")
    case "csv": try output.write(report.csv)
    default: try output.write(report.table(width: width))
    }
  }

  private func costs(_ command: ParsedCommand) async throws -> Rasa.Costs {
    let today = try await rasa.today()
    let from = day(command, "since", from: today)
    let to = day(command, "until", from: today)
    guard from <= to else {
      throw Failure(
        .usage, "`--since` is \(from), and `--until` is \(to), which is before it",
        suggestion: "swap the two")
    }
    return try await rasa.costs(
      from: from, to: to, by: keys(command), of: command.text("persona"),
      model: command.text("model"))
  }

  private func day(_ command: ParsedCommand, _ option: String, from today: Rasa.Day) -> Rasa.Day {
    guard let local = LocalDay(today.description), let day = command.day(option, from: local)
    else { return today }
    return Rasa.Day(day.description) ?? today
  }

  private func keys(_ command: ParsedCommand) -> [Rasa.Costs.Key] {
    command.texts("by").flatMap { $0.split(atByte: ",", omittingEmpty: true) }
      .compactMap { Rasa.Costs.Key(rawValue: String($0)) }
  }
}

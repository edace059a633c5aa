import RasaCore
import RasaKit
import RasaSystem

/// `rasa bench graph|run`: what a persona costs the runtime, measured on the user's own machine.
struct BenchCommand {
  let composition: CompositionRoot
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    let rasa = composition.rasa()
    let asksModels = command.path.last == "run"
    let name = command.text("persona") ?? ""
    if asksModels {
      _ = try await rasa.prepare(persona: name)
      try await composition.settleTrust()
    }
    let measured = try await rasa.measure(
      persona: name, input: command.text("input"), runs: command.integer("runs") ?? 20,
      parallel: command.integer("parallel") ?? 1,
      journal: command.choice("journal", of: Rasa.MeasuredJournal.self) ?? .memory,
      asksModels: asksModels, model: asksModels ? command.text("model") : nil)
    try show(measured)
  }

  private func show(_ measured: Rasa.Measurement) throws {
    let wall = measured.wall.isEmpty ? 0 : measured.wall.sorted()[measured.wall.count / 2]
    let cpu = measured.processorTime / Double(max(1, measured.runs))
    if print.isJSON {
      return try print([
        "persona": .string(measured.persona), "runs": .int(Int64(measured.runs)),
        "journal": .string(measured.journal.rawValue), "steps": .int(Int64(measured.steps)),
        "calls": .int(Int64(measured.calls)), "wall_us_median": .double(wall),
        "cpu_us_mean": .double(cpu), "wall_us_min": .double(measured.wall.min() ?? 0),
        "wall_us_max": .double(measured.wall.max() ?? 0), "total_us": .double(measured.total),
        "largest_memory_kb": .int(Int64(ProcessMemory.largestKilobytes())),
        "cost_usd": .string(measured.cost.decimalText),
      ])
    }
    try print(
      text: """
        \(measured.persona): \(measured.runs) runs of \(measured.steps) steps and \(measured.calls) calls, \
        journal \(measured.journal.rawValue)
        wall  \(microseconds(wall)) a run (median), \(microseconds(wall / Double(max(1, measured.steps)))) a step
        cpu   \(microseconds(cpu)) a run
        all   \(microseconds(measured.total)), memory at most \(ProcessMemory.largestKilobytes() / 1024) MB

        """)
  }

  private func microseconds(_ value: Double) -> String {
    value >= 1000
      ? "\((value / 10).rounded() / 100) ms" : "\((value * 10).rounded() / 10) µs"
  }
}

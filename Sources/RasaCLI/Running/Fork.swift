import RasaCore
import RasaEngine
import RasaKit
import RasaSystem

extension RunServices {
  /// Says what is taken over and what the rest can cost, and then runs it.
  func fork(
    _ fork: ForkPlan, _ settings: RunSettings, at stand: RunPresentation, isDryRun: Bool = false
  ) async throws -> Rasa.RunResult? {
    let prepared = try await prepare(fork, settings.plan)
    if !isDryRun { try await house.settleTrust() }
    let settings = settings.having(prepared.plan)
    let cost = try await cost(
      of: prepared, people: stand.people, onWarning: stand.warn,
      onSelection: settings.explainsSelection ? stand.explain : nil)
    try report(cost, of: prepared.start.fork?.run ?? fork.origin, settings, isDryRun: isDryRun)
    if isDryRun { return nil }
    return try await show(prepared.start.run, settings, at: stand) { runner, observer in
      try await runner.run(
        prepared.graph, prepared.start, inheriting: prepared.origin, observer: observer)
    }
  }

  private func report(
    _ cost: ForkCost, of origin: Identifier, _ settings: RunSettings, isDryRun: Bool
  ) throws {
    let forecast = cost.forecast
    let taken = "\(forecast.reused) \(forecast.reused == 1 ? "call" : "calls")"
    if settings.format == .text || !isDryRun {
      guard isDryRun || !settings.isQuiet else { return }
      let rest =
        forecast.isComplete
        ? "no calls are left"
        : "the rest is at most \(cost.calls) \(cost.calls == 1 ? "call" : "calls") and "
          + "\(cost.isPriced ? "" : "(where prices are known) ")\(cost.most)"
      let line = "reuses \(taken) of \(origin) (saves \(forecast.saved)); \(rest)\n"
      try (isDryRun ? house.output : house.errors).write(line)
    } else {
      let value: Value = [
        "fork_of": .string(origin.text), "reused_calls": .int(Int64(forecast.reused)),
        "reused_cost_usd": .string(forecast.saved.decimalText),
        "most_calls": .int(Int64(cost.calls)),
        "most_cost_usd": .string(cost.most.decimalText), "prices_known": .bool(cost.isPriced),
        "asks": .array(forecast.rest.map { .string($0.operatorName) }),
      ]
      try house.output.write(settings.format.text(of: value))
    }
  }
}

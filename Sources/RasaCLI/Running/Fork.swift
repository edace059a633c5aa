import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

extension Launch {
  /// Says what is taken over and what the rest can cost, and then runs it.
  func fork(
    _ origin: String, _ fork: Rasa.ForkOptions, _ settings: RunSettings,
    at presentation: RunPresentation,
    isDryRun: Bool = false
  ) async throws {
    var fork = fork
    let preferences = fork.run.preferences
    fork.run = options(settings)
    fork.run.preferences = preferences
    let ready = try await rasa.ready(forkOf: origin, fork, approve: presentation.approve)
    if !isDryRun { try await settleTrust() }
    let forecast = try await ready.forecast(
      warn: presentation.warn, explain: settings.explainsSelection ? presentation.explain : nil)
    try report(forecast, of: ready.origin, settings, isDryRun: isDryRun)
    if !isDryRun { _ = try await show(ready.run, settings, at: presentation) }
  }

  private func report(
    _ forecast: Rasa.ForkForecast, of origin: String, _ settings: RunSettings, isDryRun: Bool
  ) throws {
    let reused = forecast.reusedCalls
    let calls = forecast.mostCalls
    if settings.format == .text || !isDryRun {
      guard isDryRun || !settings.isQuiet else { return }
      let rest =
        forecast.isComplete
        ? "no calls are left"
        : "the rest is at most \(calls) \(calls == 1 ? "call" : "calls") and "
          + "\(forecast.knowsPrices ? "" : "(where prices are known) ")\(forecast.mostCost)"
      let line =
        "reuses \(reused) \(reused == 1 ? "call" : "calls") of \(origin) (saves \(forecast.saved)); "
        + "\(rest)\n"
      try (isDryRun ? console.output : console.errors).write(line)
    } else {
      let value: Value = [
        "fork_of": .string(origin), "reused_calls": .int(Int64(reused)),
        "reused_cost_usd": .string(forecast.saved.decimalText),
        "most_calls": .int(Int64(calls)),
        "most_cost_usd": .string(forecast.mostCost.decimalText),
        "prices_known": .bool(forecast.knowsPrices),
        "asks": .array(forecast.asks.map { .string($0) }),
      ]
      try console.output.write(settings.format.text(of: value))
    }
  }
}

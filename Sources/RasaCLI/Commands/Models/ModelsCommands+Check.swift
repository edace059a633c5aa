import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaKit
import RasaModels
import RasaPersona
import RasaStore

/// `rasa models check`: asks providers for their lists, never for an answer.
extension ModelsCommands {
  private struct Row {
    var provider: String
    var model: String
    var state: Availability
    var note: String
    var problem: Failure?
  }

  func check(_ names: [String]) async throws {
    let client = try house.client()
    defer { client.shutdown() }
    let configuration = try await ProviderCheck.complete(
      configuration(), client: client, time: house.time)
    var wanted: [(settings: ProviderSettings, model: String)] = []
    for name in names {
      let reference = configuration.resolved(ModelReference(model: name))
      guard
        let settings = try configuration.provider(for: reference, in: house.catalogue)
      else { throw unreachable(name, configuration) }
      wanted.append((settings, reference.model))
    }
    let asked = configuration.providers.filter { settings in
      names.isEmpty || wanted.contains { $0.settings.name == settings.name }
    }
    guard !asked.isEmpty else { throw Self.nothingConfigured }
    let reports = try await ProviderCheck.run(asked, client: client, time: house.time)
    let now = house.time.now()
    try await store.observe(
      reports.flatMap { report in
        report.observations(
          asked: wanted.filter { $0.settings.name == report.name }.map(\.model), at: now)
      })
    let rows =
      names.isEmpty
      ? reports.flatMap(rows(of:))
      : wanted.compactMap { settings, model in
        reports.first { $0.name == settings.name }.map { row(of: model, $0) }
      }
    try show(rows)
    let failed = rows.filter { $0.state == .unavailable }
    let isBad = names.isEmpty ? !rows.contains { $0.state != .unavailable } : !failed.isEmpty
    guard isBad, let first = failed.first else { return }
    let isRefused = failed.allSatisfy { $0.problem?.kind == .authentication }
    throw Failure(
      isRefused ? .authentication : .provider,
      "\(first.provider) \(first.model) is unavailable: \(first.note)",
      suggestion: first.problem?.suggestion
        ?? "`rasa models check` shows what \(first.provider) has")
  }

  private func rows(of report: ProviderReport) -> [Row] {
    guard report.availability == .available, !report.models.isEmpty else {
      let note = report.problem?.message ?? "it lists no model"
      return [
        Row(
          provider: report.name, model: "(all)",
          state: report.availability == .available ? .unknown : report.availability, note: note,
          problem: report.problem)
      ]
    }
    return report.models.map {
      Row(provider: report.name, model: $0, state: .available, note: "")
    }
  }

  private func row(of model: String, _ report: ProviderReport) -> Row {
    let state = report.availability(of: model)
    var note = report.problem?.message ?? ""
    if report.availability == .available, state != .available {
      let near = nearestName(to: model, among: report.models).map { "; did you mean \($0)?" } ?? ""
      note = state == .unavailable ? "the provider does not list it\(near)" : "it lists no model"
    }
    return Row(
      provider: report.name, model: model, state: state, note: note, problem: report.problem)
  }

  private func show(_ rows: [Row]) throws {
    let listing = Table(
      columns: ["PROVIDER", "MODEL", "STATE", "WHY"],
      rows: rows.map { [$0.provider, $0.model, $0.state.rawValue, $0.note] },
      values: rows.map { row in
        [
          "provider": .string(row.provider),
          "model": row.model == "(all)" ? .null : .string(row.model),
          "status": .string(row.state.rawValue), "reason": .string(row.note),
          "error": row.problem?.value ?? .null,
        ]
      })
    let hasNotes = rows.contains { !$0.note.isEmpty }
    try print(hasNotes ? listing : listing.fitting(0, leavingOut: ["WHY"]))
  }

  private func unreachable(_ name: String, _ configuration: ModelConfiguration) -> Failure {
    let names = configuration.providers.map(\.name)
    return Failure(
      .configuration, "no configured provider has the model \(quoted(name))",
      suggestion: names.isEmpty
        ? Self.nothingConfigured.suggestion : "configured: \(names.joined(separator: ", "))")
  }

  static let nothingConfigured = Failure(
    .configuration, "no provider is configured, and Ollama is not running",
    suggestion:
      "set the key of a provider, such as OPENAI_API_KEY, start Ollama, or write `providers:` "
      + "into config.yaml")
}

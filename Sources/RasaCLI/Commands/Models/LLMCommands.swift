import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaKit
import RasaModels
import RasaPersona

/// `rasa llm …`: the providers themselves.
struct LLMCommands {
  let house: CompositionRoot
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    if command.path.last == "info" { try info() } else { try await health() }
  }

  // MARK: Info

  /// What is configured, and by what; nobody is asked.
  private func info() throws {
    let files = try house.configuration(onWarning: house.warn)
    let models = try house.models(files, onWarning: house.warn)
    let profile = (files.profile ?? .balanced).rawValue
    let zone = files.budget.timeZone ?? "this machine's"
    let model = try models.model.map(\.description) ?? defaultModel(of: models)
    let mock = models.prefersMock || models.providers.isEmpty
    let network = NetworkSummary(try house.network())
    if print.isJSON {
      return try print(
        [
          "providers": .array(try models.providers.map(value(of:))),
          "default_model": model.map { .string($0) } ?? .null, "profile": .string(profile),
          "budget_zone": files.budget.timeZone.map { .string($0) } ?? .null, "mock": .bool(mock),
          "network": value(of: network),
        ] as Value)
    }
    for settings in models.providers {
      try print(text: try text(of: settings))
    }
    if models.providers.isEmpty {
      try print(
        text: models.prefersMock
          ? "the mock answers, because of LLM_PROVIDER\n"
          : "no provider is configured: Ollama answers if it runs on this machine, else the mock "
            + "answers\n")
    } else if models.prefersMock {
      try print(text: "the mock answers anyway, because of LLM_PROVIDER\n")
    }
    try print(
      text:
        "default model: \(model ?? (models.providers.isEmpty ? "none" : "the first one that the first provider lists"))\nprofile: \(profile)\n"
        + "days and months of budgets: \(zone) time\n"
        + "network: \(network.problem?.message ?? network.text)\n")
  }

  private func defaultModel(of models: ModelConfiguration) throws(Failure) -> String? {
    guard let first = models.providers.first else { return nil }
    return try models.defaultModel(of: first, in: house.catalogue).map { "\(first.name):\($0)" }
  }

  private func key(of settings: ProviderSettings) -> String {
    switch (settings.keyVariable, settings.key) {
    case (let variable?, .some): "from \(variable)"
    case (let variable?, nil): settings.wantsKey ? "\(variable) is not set" : "none"
    case (nil, _): "none"
    }
  }

  private func text(of settings: ProviderSettings) throws(Failure) -> String {
    let model = try ModelConfiguration().defaultModel(of: settings, in: house.catalogue)
    var lines = [settings.name]
    for (label, text) in [
      ("address", settings.baseURL + (settings.isLocal ? " (this machine)" : "")),
      ("dialect", settings.dialect.rawValue), ("key", key(of: settings)),
      ("from", settings.origins.joined(separator: ", ")),
      ("model", model ?? "what it lists first"),
    ] { lines.append("  \(label.padded(to: 9))\(text)") }
    return lines.joined(separator: "\n") + "\n\n"
  }

  private func value(of settings: ProviderSettings) throws(Failure) -> Value {
    let model = try ModelConfiguration().defaultModel(of: settings, in: house.catalogue)
    return [
      "name": .string(settings.name), "address": .string(settings.baseURL),
      "dialect": .string(settings.dialect.rawValue), "local": .bool(settings.isLocal),
      "vendor": settings.vendor.map { .string($0) } ?? .null,
      "key": [
        "variable": settings.keyVariable.map { .string($0) } ?? .null,
        "present": .bool(settings.key != nil),
      ],
      "from": .array(settings.origins.map(Value.string)),
      "default_model": model.map { .string($0) } ?? .null,
    ]
  }

  // MARK: Health

  /// Asks all of them at once for their lists.
  private func health() async throws {
    let client = try house.client()
    defer { client.shutdown() }
    let files = try house.configuration(onWarning: house.warn)
    let configuration = try await ProviderCheck.complete(
      house.models(files, onWarning: house.warn), client: client, time: house.time)
    let network = try house.network()
    let reports = try await ProviderCheck.run(
      configuration.providers, client: client, time: house.time)
    try print(
      Table(
        columns: ["PROVIDER", "VERDICT", "LATENCY", "MODELS", "WHAT TO DO"],
        rows: reports.map { report in
          [
            report.name, report.verdict, durationText(milliseconds: report.milliseconds),
            report.availability == .available ? String(report.models.count) : "", report.note,
          ]
        },
        values: reports.map { report in
          [
            "provider": .string(report.name), "address": .string(report.address),
            "status": .string(report.availability.rawValue),
            "latency_ms": .int(report.milliseconds), "models": .int(Int64(report.models.count)),
            "proxy": proxy(for: report.address, by: network),
            "error": report.problem?.value ?? .null,
          ]
        }, whenEmpty: "no provider is configured, and Ollama is not running: the mock answers"))
    if !print.isJSON { try print(text: "\nnetwork: \(NetworkSummary(network).text)\n") }
    guard !reports.contains(where: { $0.availability != .unavailable }) else { return }
    throw Failure(
      .provider, "no provider responds",
      suggestion: reports.compactMap { $0.problem?.suggestion }.first { !$0.isEmpty }
        ?? ModelsCommands.nothingConfigured.suggestion)
  }
}

extension LLMCommands {
  private func proxy(for address: String, by network: NetworkSettings) -> Value {
    guard let proxy = try? network.route(to: address).proxy else { return .null }
    return ["address": .string(proxy.address), "from": .string(proxy.origin)]
  }

  /// The network as programs want to know of it.
  private func value(of summary: NetworkSummary) -> Value {
    func file(_ choice: NetworkSettings.Choice?) -> Value {
      choice.map { ["path": .string($0.value), "from": .string($0.origin)] } ?? .null
    }
    return [
      "proxies": .array(
        summary.ways.map {
          [
            "scheme": .string($0.scheme), "address": .string($0.proxy.address),
            "from": .string($0.proxy.origin),
          ]
        }),
      "no_proxy": summary.noProxy.map {
        ["hosts": .string($0.value), "from": .string($0.origin)]
      } ?? .null,
      "ca_file": file(summary.certificates?.file), "ca_dir": file(summary.certificates?.folder),
      "problem": summary.problem.map { .string($0.message) } ?? .null,
    ]
  }
}

extension ProviderReport {
  fileprivate var milliseconds: Int64 { Int64(clamping: latency / 1_000_000) }

  fileprivate var verdict: String {
    switch (availability, problem?.kind) {
    case (.available, _): "answers"
    case (.unknown, _): "responds, without a list"
    case (.unavailable, .authentication): "rejects the key"
    case (.unavailable, _): "does not respond"
    }
  }

  fileprivate var note: String {
    guard availability == .unavailable, let problem else { return "" }
    return problem.suggestion.isEmpty ? problem.message : problem.suggestion
  }
}

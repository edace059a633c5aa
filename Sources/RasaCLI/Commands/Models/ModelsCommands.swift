import RasaCore
import RasaEngine
import RasaKit
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem

/// `rasa models …`: what can be asked, what it costs, and how it has fared.
struct ModelsCommands {
  let house: CompositionRoot
  let store: any RunStore
  let print: Printer

  var today: LocalDay { house.time.localDay(house.time.now()) }

  func run(_ command: ParsedCommand) async throws {
    switch command.path.last {
    case "list": try await list(provider: command.text("provider"), all: command.flag("all"))
    case "show": try await show(command.arguments[0])
    default: try await check(command.arguments)
    }
  }

  func configuration() throws -> ModelConfiguration {
    try house.models(house.configuration(onWarning: house.warn), onWarning: house.warn)
  }

  func standings() async throws -> ModelHealth {
    ModelHealth(try await store.standings(), at: house.time.now())
  }

  // MARK: List

  private struct Row {
    var settings: ProviderSettings?
    var model: String
    var facts: ModelFacts?
  }

  private func list(provider: String?, all: Bool) async throws {
    let configuration = try configuration()
    let standings = try await standings()
    var rows = try all ? everything(configuration) : reachable(configuration, standings)
    if let provider {
      let name = ModelConfiguration.canonical(provider)
      let known = Set(configuration.providers.map(\.name) + rows.compactMap { $0.facts?.vendor })
      guard known.contains(name) else {
        throw Failure(
          .usage, "there is no provider \(quoted(provider)) here",
          suggestion: nearestName(to: provider, among: known.sorted()).map {
            "did you mean `\($0)`?"
          }
            ?? "`rasa llm info` shows the configured ones; --all lists every vendor's models")
      }
      rows = rows.filter { $0.settings?.name == name || $0.facts?.vendor == name }
    }
    let whenEmpty =
      configuration.providers.isEmpty
      ? "no provider is configured; set the key of one, such as OPENAI_API_KEY, start Ollama, or see "
        + "every model with --all"
      : "the models of these providers are unknown; `rasa models check` asks for them"
    let listing = Table(
      columns: [
        "PROVIDER", "MODEL", "CONTEXT", "IN $/M", "OUT $/M", "THINKS", "STATE", "FIRST", "TOKENS/S",
      ],
      rows: rows.map { text(of: $0, standings) }, values: rows.map { value(of: $0, standings) },
      whenEmpty: whenEmpty)
    try print(
      listing.fitting(
        print.width, leavingOut: ["TOKENS/S", "FIRST", "CONTEXT", "THINKS", "PROVIDER"]))
  }

  private func everything(_ configuration: ModelConfiguration) throws(Failure) -> [Row] {
    var rows: [Row] = []
    for facts in try house.catalogue.allFacts() {
      let settings = try configuration.provider(
        for: ModelReference(model: facts.id), in: house.catalogue)
      rows.append(Row(settings: settings, model: facts.id, facts: facts))
    }
    return rows
  }

  /// What the vendors sell, and what was seen at all others: what a server of many vendors' models
  /// has is not known before somebody has asked it.
  private func reachable(
    _ configuration: ModelConfiguration, _ standings: ModelHealth
  ) throws(Failure) -> [Row] {
    var rows: [Row] = []
    for settings in configuration.providers {
      var models: Set<String> = []
      if let vendor = settings.vendor {
        for facts in try house.catalogue.allFacts() where facts.vendor == vendor && !facts.isOpen {
          models.insert(facts.id)
        }
      }
      for model in standings.models(of: settings) {
        // A vendor lists its models with every date that they ever had.
        let known = try house.catalogue.facts(for: model)
        if settings.vendor == nil || known == nil { models.insert(model) }
      }
      if let model = settings.defaultModel { models.insert(model) }
      if let model = configuration.model,
        try configuration.provider(for: model, in: house.catalogue)?.name == settings.name
      {
        models.insert(model.model)
      }
      for model in models.sorted() {
        rows.append(
          Row(settings: settings, model: model, facts: try house.catalogue.facts(for: model)))
      }
    }
    return rows
  }

  private func text(of row: Row, _ standings: ModelHealth) -> [String] {
    let state = row.settings.map { standings.state(of: row.model, at: $0) }
    let price =
      row.settings.map { $0.price(of: row.facts, named: row.model, on: today) }
      ?? row.facts?.price(on: today)
    let amounts =
      price.map {
        $0.isFree ? ["free", ""] : [$0.rates.input.decimalText, $0.rates.output.decimalText]
      }
      ?? ["", ""]
    return [row.settings?.name ?? "", row.model, tokensText(row.facts?.context)] + amounts + [
      row.facts?.isThinking == true ? "yes" : "", state?.availability.rawValue ?? "",
      state?.firstContentText ?? "", state?.speedText ?? "",
    ]
  }

  private func value(of row: Row, _ standings: ModelHealth) -> Value {
    let state = row.settings.map { standings.state(of: row.model, at: $0) } ?? ModelHealth.State()
    let price =
      row.settings.map { $0.price(of: row.facts, named: row.model, on: today) }
      ?? row.facts?.price(on: today)
    return [
      "provider": row.settings.map { .string($0.name) } ?? .null, "model": .string(row.model),
      "vendor": row.facts.map { .string($0.vendor) } ?? .null,
      "context": (row.facts?.context).map { .int($0) } ?? .null,
      "max_output": (row.facts?.maxOutput).map { .int($0) } ?? .null,
      "thinking": .bool(row.facts?.isThinking ?? false), "open": .bool(row.facts?.isOpen ?? false),
      "input_per_million_usd": price.map { .string($0.rates.input.decimalText) } ?? .null,
      "output_per_million_usd": price.map { .string($0.rates.output.decimalText) } ?? .null,
      "price_version": price.map { .string($0.version) } ?? .null,
      "availability": state.value,
    ]
  }
}

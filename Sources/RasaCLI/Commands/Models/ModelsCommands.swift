import RasaCore
import RasaKit

/// `rasa models …`: what can be asked, what it costs, and how its calls have gone.
struct ModelsCommands {
  let rasa: Rasa
  let time: TimeSource
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    switch command.path.last {
    case "list": try await list(provider: command.text("provider"), all: command.flag("all"))
    case "show": try await show(command.arguments[0])
    default: try await check(command.arguments)
    }
  }

  // MARK: List

  private func list(provider: String?, all: Bool) async throws {
    let models = try await rasa.models(all ? .catalogue : .configured, provider: provider)
    var whenEmpty = "the models of these providers are unknown; `rasa models check` asks for them"
    if models.isEmpty, try await rasa.providers().providers.isEmpty {
      whenEmpty =
        "no provider is configured; set the key of one, such as OPENAI_API_KEY, start Ollama, or see "
        + "every model with --all"
    }
    let listing = Table(
      columns: [
        "PROVIDER", "MODEL", "CONTEXT", "IN $/M", "OUT $/M", "THINKS", "STATE", "FIRST", "TOKENS/S",
      ],
      rows: models.map(row), values: models.map(\.document), whenEmpty: whenEmpty)
    try print(
      listing.fitting(
        print.width, leavingOut: ["TOKENS/S", "FIRST", "CONTEXT", "THINKS", "PROVIDER"]))
  }

  private func row(of model: Rasa.Model) -> [String] {
    var amounts = ["", ""]
    if let price = model.price {
      amounts =
        price.isFree
        ? ["free", ""]
        : [price.perMillion.input.decimalText, price.perMillion.output.decimalText]
    }
    return [model.provider ?? "", model.name, tokensText(model.contextTokens)] + amounts + [
      model.isThinking ? "yes" : "",
      model.provider == nil ? "" : model.health.availability.rawValue,
      model.health.firstContentText, model.health.speedText,
    ]
  }
}

import RasaCore
import RasaPersona

extension ProviderProblem {
  /// What a person can do about it.
  func mend(at settings: ProviderSettings?, model: String? = nil) -> String {
    let variable = settings?.addressVariable ?? ""
    switch kind {
    case .connection:
      return settings?.isLocal == true
        ? "start the server at \(settings?.baseURL ?? ""), or set \(variable) to where it runs"
        : "check the network and \(variable)"
    case .timeout: return "try again, or choose a faster model with --model"
    case .rateLimit:
      let wait = retryAfter.map {
        " in \(($0.nanoseconds + 999_999_999) / 1_000_000_000) s"
      }
      return "try again\(wait ?? " in a while"), or choose another model with --model"
    case .server, .brokenStream: return "try again, or choose another model with --model"
    case .modelNotFound:
      return settings?.dialect == .ollama
        ? "get it with `ollama pull \(model ?? "llama3.2")`, or name another with --model"
        : "name another with --model or LLM_MODEL, or check \(variable)"
    case .quota, .payment: return "check the plan and the credit of the account behind the key"
    case .authentication:
      let key = settings?.keyVariable ?? "the key"
      return settings?.key == nil ? "set \(key)" : "check \(key) and \(variable)"
    case .tooLong: return "shorten the input, or choose a model with a larger window with --model"
    case .unsupported:
      return "choose another model with --model, or check what the operator asks for"
    case .blocked: return "check the network, its proxy and \(variable)"
    case .refused, .filtered:
      return "word the request differently, or choose another model with --model"
    case .empty: return "try again, or choose another model with --model"
    case .rejected: return "check what the operator asks for, or choose another model with --model"
    case .budget:
      return parameter == "execution"
        ? "raise the budget, choose a cheaper model, or pass --force"
        : "raise the budget, choose a cheaper model, or pass --allow-budget-exceed"
    case .unfit: return "name a model with --model that takes what is attached"
    case .unknownPrice:
      return
        "add its price to your own catalogue, choose another model, or pass --allow-budget-exceed"
    }
  }

  /// The same where vectors were asked for.
  func mendOfVectors(at settings: ProviderSettings, model: String) -> String {
    switch kind {
    case .timeout, .server, .brokenStream:
      "try again, or name another model with --embeddings"
    case .rateLimit: "try again in a while, or name another model with --embeddings"
    case .modelNotFound:
      settings.dialect == .ollama
        ? "get it with `ollama pull \(model)`" : "name another model with --embeddings"
    case .rejected, .unsupported, .refused, .filtered, .empty, .unfit:
      "name a model with --embeddings that makes vectors"
    case .budget: "raise the budget, or do without --embeddings"
    case .unknownPrice: "add its price to your own catalogue, or name another with --embeddings"
    case .tooLong: "name a model with --embeddings that reads longer texts"
    case .connection, .blocked, .quota, .payment, .authentication: mend(at: settings, model: model)
    }
  }
}

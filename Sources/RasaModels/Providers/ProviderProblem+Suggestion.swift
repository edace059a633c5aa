import RasaCore
import RasaPersona

extension ProviderProblem {
  /// What a person can do about it.
  func suggestion(at settings: ProviderSettings?, model: String? = nil) -> String {
    if let suggestion { return suggestion }
    let variable = settings?.addressVariable ?? ""
    switch kind {
    case .connection where settings?.isLocal == true:
      return "start the server at \(settings?.baseURL ?? ""), or set \(variable) to where it runs"
    case .connection:
      return "check the network and \(variable)" + wait("connect", at: settings)
    case .unresolved:
      return "check the name in \(variable), and the network" + wait("connect", at: settings)
    case .proxy: return "check the proxy and NO_PROXY" + wait("connect", at: settings)
    case .tls, .certificate:
      return "check \(variable), and what stands between here and the server"
        + wait("connect", at: settings)
    case .timeout:
      return "try again, choose a faster model with --model, or raise "
        + setting("first_content", at: settings)
    case .idle: return "try again, or raise " + setting("idle", at: settings)
    case .rateLimit:
      let wait = retryAfter.map {
        " in \(($0.nanoseconds + 999_999_999) / 1_000_000_000) s"
      }
      return "try again\(wait ?? " in a while"), or choose another model with --model"
    case .server, .brokenStream: return "try again, or choose another model with --model"
    case .modelNotFound where settings?.lacksVersion == true && status == 404:
      return
        "name another with --model, or check \(variable): most servers of this kind have their "
        + "models below /v1, as in \(settings?.baseURL ?? "")/v1"
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
    case .blocked:
      return
        "check \(variable), the proxy, and whether the network wants a login in a browser first"
    case .notAnAnswer: return "check \(variable): what answers there is not a model server"
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

  /// The setting that says how long to wait.
  private func setting(_ name: String, at settings: ProviderSettings?) -> String {
    "`timeouts: {\(name): …}` of the provider `\(settings?.name ?? "")` in config.yaml"
  }

  private func wait(_ name: String, at settings: ProviderSettings?) -> String {
    isWait ? ", or raise \(setting(name, at: settings))" : ""
  }

  /// The same where vectors were asked for.
  func mendOfVectors(at settings: ProviderSettings, model: String) -> String {
    switch kind {
    case .timeout, .idle, .server, .brokenStream:
      "try again, or name another embedding model"
    case .rateLimit: "try again in a while, or name another embedding model"
    case .modelNotFound:
      settings.dialect == .ollama
        ? "get it with `ollama pull \(model)`" : "name another embedding model"
    case .rejected, .unsupported, .refused, .filtered, .empty, .unfit:
      "name an embedding model that makes vectors"
    case .budget: "raise the budget, or go without embeddings"
    case .unknownPrice: "add its price to your own catalogue, or name another embedding model"
    case .tooLong: "name an embedding model that reads longer texts"
    case .connection, .unresolved, .proxy, .tls, .certificate, .blocked, .notAnAnswer, .quota,
      .payment, .authentication:
      suggestion(at: settings, model: model)
    }
  }
}

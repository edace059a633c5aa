import RasaCore
import RasaKit

/// `rasa llm …`: the providers themselves.
struct LLMCommands {
  let rasa: Rasa
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    if command.path.last == "info" { try await info() } else { try await health() }
  }

  // MARK: Info

  /// What is configured, and by what; nobody is asked.
  private func info() async throws {
    let found = try await rasa.providers()
    if print.isJSON {
      return try print(
        [
          "providers": .array(found.providers.map(\.document)),
          "default_model": found.defaultModel.map { .string($0) } ?? .null,
          "profile": .string(found.profile.rawValue),
          "budget_zone": found.budgetTimeZone.map { .string($0) } ?? .null,
          "mock": .bool(found.usesMock), "network": found.network.document,
        ] as Value)
    }
    for provider in found.providers { try print(text: provider.text) }
    if found.providers.isEmpty {
      try print(
        text: found.prefersMock
          ? "the mock answers, because of LLM_PROVIDER\n"
          : "no provider is configured: Ollama answers if it runs on this machine, else the mock "
            + "answers\n")
    } else if found.prefersMock {
      try print(text: "the mock answers anyway, because of LLM_PROVIDER\n")
    }
    let model =
      found.defaultModel
      ?? (found.providers.isEmpty ? "none" : "the first one that the first provider lists")
    try print(
      text: "default model: \(model)\nprofile: \(found.profile.rawValue)\n"
        + "days and months of budgets: \(found.budgetTimeZone ?? "this machine's") time\n"
        + "network: \(found.network.summary)\n")
  }

  // MARK: Health

  /// Asks all of them at once for their lists.
  private func health() async throws {
    let checks = try await rasa.checkProviders()
    try print(
      Table(
        columns: ["PROVIDER", "VERDICT", "LATENCY", "MODELS", "WHAT TO DO"],
        rows: checks.map { check in
          [
            check.provider, check.verdict, durationText(milliseconds: check.milliseconds),
            check.availability == .available ? String(check.models.count) : "", check.advice,
          ]
        },
        values: checks.map { check in
          [
            "provider": .string(check.provider), "address": .string(check.address),
            "status": .string(check.availability.rawValue),
            "latency_ms": .int(check.milliseconds), "models": .int(Int64(check.models.count)),
            "proxy": check.proxy.map {
              ["address": .string($0.value), "from": .string($0.origin)]
            } ?? .null,
            "error": check.problem?.failure.value ?? .null,
          ]
        }, whenEmpty: "no provider is configured, and Ollama is not running: the mock answers"))
    if !print.isJSON {
      try print(text: "\nnetwork: \(try await rasa.providers().network.summary)\n")
    }
    guard !checks.contains(where: { $0.availability != .unavailable }) else { return }
    throw Failure(
      .provider, "no provider responds",
      suggestion: checks.compactMap { $0.problem?.suggestion }.first { !$0.isEmpty }
        ?? "set the key of a provider, such as OPENAI_API_KEY, start Ollama, or write `providers:` "
        + "into config.yaml")
  }
}

extension Rasa.Provider {
  fileprivate var text: String {
    var lines = [name]
    for (label, text) in [
      ("address", address + (isLocal ? " (this machine)" : "")), ("dialect", dialect),
      ("key", keyText), ("from", origins.joined(separator: ", ")),
      ("model", defaultModel ?? "what it lists first"),
    ] { lines.append("  \(label.padded(to: 9))\(text)") }
    return lines.joined(separator: "\n") + "\n\n"
  }

  private var keyText: String {
    guard let keyVariable else { return "none" }
    if hasKey { return "from \(keyVariable)" }
    return needsKey ? "\(keyVariable) is not set" : "none"
  }
}

extension Rasa.ProviderCheck {
  fileprivate var verdict: String {
    switch availability {
    case .available: "answers"
    case .unknown: "responds, without a list"
    default: problem?.code == .authentication ? "rejects the key" : "does not respond"
    }
  }

  fileprivate var advice: String {
    guard availability == .unavailable, let problem else { return "" }
    return problem.suggestion.isEmpty ? problem.message : problem.suggestion
  }
}

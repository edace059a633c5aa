import RasaCore
import RasaEngine
import RasaKit
import RasaModels
import RasaPersona

/// `rasa models show`: everything that is known of one model.
extension ModelsCommands {
  func show(_ text: String) async throws {
    let configuration = try configuration()
    let reference = configuration.resolved(ModelReference(model: text))
    let facts = try house.catalogue.facts(for: reference.model)
    let settings = try configuration.provider(for: reference, in: house.catalogue)
    let state = try await standings().state(of: reference.model, at: settings)
    if facts == nil, state?.standing == nil {
      guard reference.engine != nil, settings != nil else { throw try unknown(reference) }
    }
    if print.isJSON {
      return try print(try value(reference, facts, settings, state))
    }
    try print(text: try head(reference, facts, settings, state))
    if let facts, !facts.prices.isEmpty {
      let version = facts.price(on: today)?.version
      try print(
        text: "\nUS dollars per million tokens; valid today: \(version ?? "none of these")\n")
      try print(prices(of: facts))
    }
    guard let counting = state?.standing?.counting, !counting.isEmpty else { return }
    try print(text: "\nThe estimate of the input's tokens against what the provider counted\n")
    try print(estimates(counting))
  }

  private func unknown(_ reference: ModelReference) throws(Failure) -> Failure {
    var names: [String] = []
    for facts in try house.catalogue.allFacts() {
      names.append(facts.id)
      names += try house.catalogue.aliases(of: facts.id)
    }
    let nearest = nearestName(to: reference.model, among: names)
    return Failure(
      .usage, "unknown model \(quoted(reference.model))",
      suggestion: nearest.map { "did you mean `\($0)`?" }
        ?? "`rasa models list --all` shows every model of the catalogue")
  }

  private func head(
    _ reference: ModelReference, _ facts: ModelFacts?, _ settings: ProviderSettings?,
    _ state: ModelHealth.State?
  ) throws(Failure) -> String {
    var lines = [facts?.id ?? reference.model]
    func add(_ label: String, _ text: String?) {
      if let text, !text.isEmpty { lines.append("  \(label.padded(to: 10))\(text)") }
    }
    add(
      "provider", settings.map { "\($0.name) (\($0.baseURL))" } ?? "no configured provider has it")
    if let facts {
      add("vendor", facts.vendor)
      add("aliases", try house.catalogue.aliases(of: facts.id).joined(separator: ", "))
      add("context", facts.context.map { "\($0) tokens" })
      add("answers", facts.maxOutput.map { "up to \($0) tokens" })
      add("thinks", facts.isThinking ? "yes" : "no")
      add(
        "takes",
        facts.inputs.map { inputs in
          Attachment.Kind.allCases.filter(inputs.contains)
            .map { $0 == .text ? "text" : $0.plural }.joined(separator: ", ")
        })
      add("open", facts.isOpen ? "open weights" : nil)
      add("source", facts.source)
    } else {
      add("catalogue", "it does not list this model, so the price is unknown")
    }
    if let settings, settings.price(of: facts, named: reference.model, on: today)?.isFree == true {
      add("price", "free: it runs here")
    }
    guard let state else { return lines.joined(separator: "\n") + "\n" }
    add("state", state.text)
    add(
      "circuit",
      state.isOpen
        ? "open: it failed \(state.standing?.failures ?? 0) times in a row, and is tried last"
        : "closed")
    if let adapted = state.standing?.adapted, adapted.isBelieved(at: house.time.now()) {
      let until = adapted.learntAt.milliseconds + AdaptedForm.lifetime
      add(
        "requests",
        "adapted to what it refused (\(adapted.words)), until "
          + house.time.localDay(Timestamp(milliseconds: until)).description)
    }
    if let standing = state.standing {
      let first = state.firstContentText
      add(
        "measured",
        (["\(standing.calls) answers"] + (first.isEmpty ? [] : ["first content after \(first)"])
          + (state.speedText.isEmpty ? [] : ["\(state.speedText) tokens/s"]))
          .joined(separator: ", "))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: Prices

  private func prices(of facts: ModelFacts) -> Table {
    var rows: [[String]] = []
    for dated in facts.prices {
      let isInForce = facts.price(on: today) == dated.price
      let mark = (dated.from.map(\.description) ?? "always") + (isInForce ? " *" : "")
      rows.append([mark, "any"] + cells(dated.price.rates))
      if dated.price.perSecond > .zero {
        rows.append(["", "each second"] + [dated.price.perSecond.decimalText, "", "", "", ""])
      }
      for tier in dated.price.tiers {
        rows.append(["", "above \(tokensText(tier.tokens))"] + cells(tier.rates))
      }
    }
    return Table(
      columns: ["FROM", "INPUT", "IN", "CACHED", "WRITTEN", "OUT", "REASONING"], rows: rows,
      values: [])
  }

  private func cells(_ rates: Price.Rates) -> [String] {
    [rates.input, rates.cached, rates.cacheWrite, rates.output, rates.reasoning].map(\.decimalText)
  }

  private func value(of rates: Price.Rates) -> Value {
    [
      "input_usd": .string(rates.input.decimalText),
      "cached_usd": .string(rates.cached.decimalText),
      "cache_write_usd": .string(rates.cacheWrite.decimalText),
      "output_usd": .string(rates.output.decimalText),
      "reasoning_usd": .string(rates.reasoning.decimalText),
    ]
  }

  // MARK: The estimate

  private func estimates(_ counting: [TextKind: ModelStanding.Counting]) -> Table {
    Table(
      columns: ["TEXT", "CALLS", "ESTIMATED", "COUNTED", "TOO MUCH", "DENSEST", "EXCEEDED"],
      rows: TextKind.allCases.compactMap { kind in
        guard let counted = counting[kind] else { return nil }
        return [
          kind.rawValue, String(counted.calls), String(counted.estimated), String(counted.tokens),
          counted.errorText, "\(counted.densest)/kB", String(counted.exceeded),
        ]
      }, values: [])
  }

  private func value(
    _ reference: ModelReference, _ facts: ModelFacts?, _ settings: ProviderSettings?,
    _ state: ModelHealth.State?
  ) throws(Failure) -> Value {
    var estimates = ValueObject()
    for (kind, counted) in state?.standing?.counting ?? [:] {
      estimates[kind.rawValue] = [
        "calls": .int(counted.calls), "bytes": .int(counted.bytes),
        "estimated_tokens": .int(counted.estimated), "counted_tokens": .int(counted.tokens),
        "densest_tokens_per_1000_bytes": .int(counted.densest), "exceeded": .int(counted.exceeded),
      ]
    }
    return [
      "model": .string(facts?.id ?? reference.model),
      "provider": settings.map { .string($0.name) } ?? .null,
      "address": settings.map { .string($0.baseURL) } ?? .null,
      "vendor": facts.map { .string($0.vendor) } ?? .null,
      "aliases": .array(
        try facts.map { facts throws(Failure) in
          try house.catalogue.aliases(of: facts.id)
        }?.map(Value.string) ?? []),
      "context": (facts?.context).map { .int($0) } ?? .null,
      "max_output": (facts?.maxOutput).map { .int($0) } ?? .null,
      "thinking": .bool(facts?.isThinking ?? false), "open": .bool(facts?.isOpen ?? false),
      "input": facts?.inputs.map { inputs in
        .array(Attachment.Kind.allCases.filter(inputs.contains).map { .string($0.rawValue) })
      } ?? .null,
      "source": facts.map { .string($0.source) } ?? .null,
      "price_version": (facts?.price(on: today)?.version).map { .string($0) } ?? .null,
      "prices": .array(
        (facts?.prices ?? []).map { dated in
          [
            "from": dated.from.map { .string($0.description) } ?? .null,
            "version": .string(dated.price.version),
            "per_million": value(of: dated.price.rates),
            "per_second_usd": .string(dated.price.perSecond.decimalText),
            "above": .array(
              dated.price.tiers.map {
                ["tokens": .int($0.tokens), "per_million": value(of: $0.rates)]
              }),
          ]
        }),
      "availability": (state ?? ModelHealth.State()).value, "estimates": .object(estimates),
    ]
  }
}

extension ModelHealth {
  func state(of model: String, at settings: ProviderSettings?) -> State? {
    settings.map { state(of: model, at: $0) }
  }
}

extension ModelStanding.Counting {
  /// By how much the estimates were above the truth, all in all.
  fileprivate var errorText: String {
    guard tokens > 0 else { return "" }
    let percent = (Double(estimated) / Double(tokens) - 1) * 100
    guard abs(percent) < 1e6 else { return "" }
    return "\(percent < 0 ? "" : "+")\(Int64(percent.rounded())) %"
  }
}

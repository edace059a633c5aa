package import RasaCore

extension Rasa.ModelHealth {
  package var document: RasaCore.Value {
    [
      "status": .string(availability.rawValue), "reason": .string(reason),
      "for_ms": unavailableMilliseconds.map { .int($0) } ?? .null,
      "circuit_open": .bool(isCircuitOpen), "calls": .int(calls),
      "failures_in_a_row": .int(failuresInARow),
      "first_content_ms": firstContentMilliseconds.map { .int($0) } ?? .null,
      "tokens_per_second": tokensPerSecond.map { .double($0) } ?? .null,
    ]
  }
}

extension Rasa.Model {
  /// The model as `rasa models list --json` prints it.
  package var document: RasaCore.Value {
    [
      "provider": provider.map { .string($0) } ?? .null, "model": .string(name),
      "vendor": vendor.map { .string($0) } ?? .null,
      "context": contextTokens.map { .int($0) } ?? .null,
      "max_output": maxOutputTokens.map { .int($0) } ?? .null,
      "thinking": .bool(isThinking), "open": .bool(isOpen),
      "input_per_million_usd": price.map { .string($0.perMillion.input.decimalText) } ?? .null,
      "output_per_million_usd": price.map { .string($0.perMillion.output.decimalText) } ?? .null,
      "price_version": price.map { .string($0.version) } ?? .null,
      "availability": health.document,
    ]
  }
}

extension Rasa.ModelDetails {
  /// The version of the catalogue's price of today.
  package var currentVersion: String? { prices.first(where: \.isCurrent)?.price.version }

  /// The model as `rasa models show --json` prints it.
  package var document: RasaCore.Value {
    func text(_ text: String?) -> RasaCore.Value { text.map { .string($0) } ?? .null }
    var sums = ValueObject()
    for counted in estimates {
      sums[counted.text] = [
        "calls": .int(counted.calls), "bytes": .int(counted.bytes),
        "estimated_tokens": .int(counted.estimatedTokens),
        "counted_tokens": .int(counted.countedTokens),
        "densest_tokens_per_1000_bytes": .int(counted.densestTokensPer1000Bytes),
        "exceeded": .int(counted.exceeded),
      ]
    }
    return [
      "model": .string(model.name), "provider": text(model.provider),
      "address": text(model.address), "vendor": text(model.vendor),
      "aliases": .array(aliases.map(RasaCore.Value.string)),
      "context": model.contextTokens.map { .int($0) } ?? .null,
      "max_output": model.maxOutputTokens.map { .int($0) } ?? .null,
      "thinking": .bool(model.isThinking), "open": .bool(model.isOpen),
      "input": inputs.map { .array($0.map(RasaCore.Value.string)) } ?? .null,
      "source": text(source),
      "price_version": text(currentVersion),
      "prices": .array(
        prices.map { dated in
          [
            "from": text(dated.from?.description), "version": .string(dated.price.version),
            "per_million": dated.price.perMillion.value,
            "per_second_usd": .string(dated.price.perSecond.decimalText),
            "above": .array(
              dated.price.tiers.map {
                ["tokens": .int($0.aboveTokens), "per_million": $0.perMillion.value]
              }),
          ]
        }),
      "availability": model.health.document, "estimates": .object(sums),
    ]
  }
}

extension Rasa.ModelPrice.Rates {
  var value: RasaCore.Value {
    [
      "input_usd": .string(input.decimalText), "cached_usd": .string(cached.decimalText),
      "cache_write_usd": .string(cacheWrite.decimalText),
      "output_usd": .string(output.decimalText),
      "reasoning_usd": .string(reasoning.decimalText),
    ]
  }
}

extension Rasa.Provider {
  /// The provider as `rasa llm info --json` prints it.
  package var document: RasaCore.Value {
    [
      "name": .string(name), "address": .string(address), "dialect": .string(dialect),
      "local": .bool(isLocal), "vendor": vendor.map { .string($0) } ?? .null,
      "key": [
        "variable": keyVariable.map { .string($0) } ?? .null, "present": .bool(hasKey),
      ],
      "from": .array(origins.map(RasaCore.Value.string)),
      "default_model": defaultModel.map { .string($0) } ?? .null,
    ]
  }
}

extension Rasa.NetworkOverview {
  package var document: RasaCore.Value {
    func file(_ setting: Rasa.NetworkSetting?) -> RasaCore.Value {
      setting.map { ["path": .string($0.value), "from": .string($0.origin)] } ?? .null
    }
    return [
      "proxies": .array(
        routes.map {
          [
            "scheme": .string($0.scheme), "address": .string($0.proxy.value),
            "from": .string($0.proxy.origin),
          ]
        }),
      "no_proxy": noProxy.map {
        ["hosts": .string($0.value), "from": .string($0.origin)]
      } ?? .null,
      "ca_file": file(caFile), "ca_dir": file(caFolder),
      "problem": problem.map { .string($0) } ?? .null,
    ]
  }
}

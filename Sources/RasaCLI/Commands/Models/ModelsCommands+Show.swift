import RasaCore
import RasaKit

/// `rasa models show`: everything that is known of one model.
extension ModelsCommands {
  func show(_ name: String) async throws {
    let details = try await rasa.model(name)
    if print.isJSON { return try print(details.document) }
    try print(text: head(of: details))
    if !details.prices.isEmpty {
      let version = details.currentVersion ?? "none of these"
      try print(text: "\nUS dollars per million tokens; valid today: \(version)\n")
      try print(prices(of: details))
    }
    guard !details.estimates.isEmpty else { return }
    try print(text: "\nThe estimate of the input's tokens against what the provider counted\n")
    try print(
      Table(
        columns: ["TEXT", "CALLS", "ESTIMATED", "COUNTED", "TOO MUCH", "DENSEST", "EXCEEDED"],
        rows: details.estimates.map { sums in
          [
            sums.text, String(sums.calls), String(sums.estimatedTokens),
            String(sums.countedTokens), sums.errorText, "\(sums.densestTokensPer1000Bytes)/kB",
            String(sums.exceeded),
          ]
        }, values: []))
  }

  private func head(of details: Rasa.ModelDetails) -> String {
    let model = details.model
    var lines = [model.name]
    func add(_ label: String, _ text: String?) {
      if let text, !text.isEmpty { lines.append("  \(label.padded(to: 10))\(text)") }
    }
    add(
      "provider",
      model.provider.map { "\($0) (\(model.address ?? ""))" } ?? "no configured provider has it")
    if let vendor = model.vendor {
      add("vendor", vendor)
      add("aliases", details.aliases.joined(separator: ", "))
      add("context", model.contextTokens.map { "\($0) tokens" })
      add("answers", model.maxOutputTokens.map { "up to \($0) tokens" })
      add("thinks", model.isThinking ? "yes" : "no")
      add("takes", details.inputs?.map(inputText).joined(separator: ", "))
      add("open", model.isOpen ? "open weights" : nil)
      add("source", details.source)
    } else {
      add("catalogue", "it does not list this model, so the price is unknown")
    }
    guard model.provider != nil else { return lines.joined(separator: "\n") + "\n" }
    if model.price?.isFree == true { add("price", "free: it runs here") }
    let health = model.health
    add("state", health.text)
    add(
      "circuit",
      health.isCircuitOpen
        ? "open: it failed \(health.failuresInARow) times in a row, and is tried last" : "closed")
    if let adapted = details.adaptation {
      let until = time.localDay(Timestamp(milliseconds: adapted.until))
      add("requests", "adapted to what it refused (\(adapted.changes)), until \(until)")
    }
    if health.isKnown {
      let first = health.firstContentText
      add(
        "measured",
        (["\(health.calls) answers"] + (first.isEmpty ? [] : ["first content after \(first)"])
          + (health.speedText.isEmpty ? [] : ["\(health.speedText) tokens/s"]))
          .joined(separator: ", "))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func inputText(_ kind: String) -> String {
    switch kind {
    case "image": "images"
    case "pdf": "PDFs"
    default: kind
    }
  }

  private func prices(of details: Rasa.ModelDetails) -> Table {
    var rows: [[String]] = []
    for dated in details.prices {
      let from = dated.from.map(\.description) ?? "always"
      rows.append([from + (dated.isCurrent ? " *" : ""), "any"] + cells(dated.price.perMillion))
      if dated.price.perSecond > .zero {
        rows.append(["", "each second"] + [dated.price.perSecond.decimalText, "", "", "", ""])
      }
      for tier in dated.price.tiers {
        rows.append(["", "above \(tokensText(tier.aboveTokens))"] + cells(tier.perMillion))
      }
    }
    return Table(
      columns: ["FROM", "INPUT", "IN", "CACHED", "WRITTEN", "OUT", "REASONING"], rows: rows,
      values: [])
  }

  private func cells(_ rates: Rasa.ModelPrice.Rates) -> [String] {
    [rates.input, rates.cached, rates.cacheWrite, rates.output, rates.reasoning].map(\.decimalText)
  }
}

extension Rasa.ModelDetails.Estimates {
  /// By how much all estimates together are above what was counted.
  fileprivate var errorText: String {
    guard countedTokens > 0 else { return "" }
    let percent = (Double(estimatedTokens) / Double(countedTokens) - 1) * 100
    guard abs(percent) < 1e6 else { return "" }
    return "\(percent < 0 ? "" : "+")\(Int64(percent.rounded())) %"
  }
}

package import RasaCore
package import RasaPersona

/// Why which models are asked for a call, term by term.
package struct SelectionReport: Sendable, Hashable {
  package struct Choice: Sendable, Hashable {
    package var provider: String
    package var model: String
    package var terms: [String]
  }

  /// The operator that asks.
  package var purpose: String
  package var profile: PerformanceProfile
  /// In the order in which they are asked; the next one only when one before it fails.
  package var choices: [Choice]
  /// What was recommended and is not asked, with the reason.
  package var left: [String]

  package var value: Value {
    [
      "for": .string(purpose), "profile": .string(profile.rawValue),
      "choices": .array(
        choices.map { choice in
          [
            "provider": .string(choice.provider), "model": .string(choice.model),
            "terms": .array(choice.terms.map(Value.string)),
          ]
        }),
      "not_asked": .array(left.map(Value.string)),
    ]
  }

  package var text: String {
    var lines = [
      "models for \(purpose.isEmpty ? "this call" : purpose), profile \(profile.rawValue):"
    ]
    for (place, choice) in choices.enumerated() {
      lines.append("  \(place + 1). \(choice.provider) \(choice.model)")
      lines += choice.terms.map { "       \($0)" }
    }
    lines += left.map { "  not asked: \($0)" }
    return lines.joined(separator: "\n") + "\n"
  }
}

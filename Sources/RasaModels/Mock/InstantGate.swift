package import RasaCore
package import RasaEngine
package import RasaPersona

/// A gate that answers at once, for nothing, with what the mock would say: it stands in where the
/// runtime alone is measured.
package struct InstantGate: ModelGate {
  package init() {}

  package func answer(
    _ request: ModelRequest, for context: CallContext,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> ModelAnswer {
    let text =
      request.schema.map { MockInstance.value(for: $0, MockPrompt(request)).json() } ?? "ok"
    try await onEvent(.text(text))
    return ModelAnswer(
      text: text, provider: "instant", model: "instant", usage: Usage(), cost: .zero, isMock: true)
  }

  package func digest(of request: ModelRequest, for context: CallContext) -> String { "" }

  package func giveUp(
    _ call: UncertainCall, of run: Identifier, decision: UncertainPolicy
  ) async throws {}

  package func estimate(
    _ request: ModelRequest, for context: CallContext
  ) async throws -> CallEstimate {
    CallEstimate(
      provider: "instant", model: "instant", inputTokens: 0, outputTokens: 0, cost: .zero,
      isPriceKnown: true)
  }
}

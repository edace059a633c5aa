package import RasaEngine
package import RasaPersona

/// Who would be asked, and how.
package struct ModelPlace: Sendable {
  package var provider: String
  package var model: String?
  /// Nil for what is not asked over a wire.
  package var dialect: ProviderDefinition.Dialect?
}

extension Gate {
  package func places(for context: CallContext) async throws -> [ModelPlace] {
    let plan = CallPlan(ModelRequest(messages: []), context, options, startedAt: 0)
    return try await chain(plan).candidates.filter { !$0.isStandIn }.map { candidate in
      let settings = candidate.settings
      return ModelPlace(
        provider: candidate.provider, model: candidate.model,
        dialect: settings?.native == nil ? settings?.dialect : nil)
    }
  }
}

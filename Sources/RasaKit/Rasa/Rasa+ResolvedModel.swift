import RasaCore
import RasaModels
import RasaPersona

extension Rasa {
  /// Who is asked for a model, and in which wire format.
  public struct ResolvedModel: Sendable, Hashable {
    /// What stands before the colon in `provider:model`.
    public var provider: String
    /// The model's name there.
    public var model: String
    /// The wire format: `openai`, `anthropic`, `gemini` or `ollama`.
    public var dialect: String

    /// As `provider:model`.
    public var name: String { "\(provider):\(model)" }
  }

  /// Who would be asked for a model that is named. Nobody is asked.
  ///
  /// - Parameter name: `provider:model`, or a model alone.
  /// - Returns: Nil where the mock answers, a provider of this program, or nobody.
  /// - Throws: A `RasaError` of code `configuration` that says which setting is wrong.
  public func resolve(model name: String) async throws(RasaError) -> ResolvedModel? {
    try await prepared { rasa throws(Failure) in
      let configuration = try rasa.providerConfiguration()
      let reference = configuration.resolved(ModelConfiguration.reference(name))
      guard !configuration.prefersMock || reference.engine != nil else { return nil }
      guard
        let settings = try configuration.provider(
          for: reference, in: rasa.composition.catalogue), settings.native == nil
      else { return nil }
      return ResolvedModel(
        provider: settings.name, model: reference.model, dialect: settings.dialect.rawValue)
    }
  }
}

import RasaCore
import RasaEngine
import RasaModels
import RasaPersona

extension Rasa {
  /// How a provider is spoken to.
  @nonexhaustive
  public enum Dialect: String, Sendable, Hashable {
    /// OpenAI's: chat completions, responses, embeddings.
    case openAI = "openai"
    /// Anthropic's messages.
    case anthropic
    /// Gemini's content generation.
    case gemini
    /// Ollama's own.
    case ollama
  }

  /// A model at the provider that would be asked for it.
  public struct ModelPlace: Sendable, Hashable {
    /// The provider.
    public var provider: String
    /// Its name for the model; nil for whatever it offers first.
    public var model: String?
    /// What it speaks; nil for the mock and for a provider of this program, which are not spoken to over a wire.
    public var dialect: Dialect?

    /// As `ProviderRequest.model` and `Completion.model` take it; nil where the provider says which model it is.
    public var reference: String? { model.map { "\(provider):\($0)" } }
  }

  /// What the model speaks that would be asked first, so that it is known whether a client's request can be passed
  /// on as it is or has to be translated. Nobody is asked, except for an Ollama that nobody configured.
  ///
  /// - Parameter name: `provider:model`, an alias, a model's own name, or a class.
  /// - Throws: A `RasaError` of code `configuration` where no provider could answer.
  public func dialect(ofModel name: String) async throws(RasaError) -> ModelPlace {
    guard let first = try await places(ofModel: name).first else {
      throw RasaError(.configuration, "no provider is configured that could answer as \(name)")
    }
    return first
  }

  /// All of those that would be asked, in this order: more than one for a class, and with `alternatives`.
  ///
  /// - Parameters:
  ///   - name: As for `dialect(ofModel:)`.
  ///   - alternatives: Those that are asked where it gives no answer.
  public func places(
    ofModel name: String, alternatives: [String] = []
  ) async throws(RasaError) -> [ModelPlace] {
    try await redacted {
      var options = GateOptions()
      var context = CallContext(
        run: Identifier("r"),
        key: EffectKey(frame: "f", visit: 1, operatorName: "o", label: "call"), persona: "p")
      Self.choose(name, alternatives, &options, &context.models)
      let gate = try services.gate(options, onWarning: { self.warn($0) }, onlyEstimates: true)
      return try await gate.places(for: context).map { place in
        ModelPlace(
          provider: place.provider, model: place.model,
          dialect: place.dialect.flatMap { Dialect($0) })
      }
    }
  }

  /// Which models are asked: those that are named, or those of a class.
  static func choose(
    _ name: String, _ alternatives: [String], _ options: inout GateOptions,
    _ models: inout RecommendedModels
  ) {
    let (profile, modelClass): (PerformanceProfile, ModelClass)
    switch name {
    case "fast": (profile, modelClass) = (.speed, .fast)
    case "balanced": (profile, modelClass) = (.balanced, .balanced)
    case "thinking": (profile, modelClass) = (.thinking, .reasoning)
    case "expert": (profile, modelClass) = (.expert, .reasoning)
    default:
      options.model = ModelConfiguration.reference(name)
      options.alternatives = alternatives.map(ModelConfiguration.reference)
      return
    }
    options.profile = profile
    models.modelClass = modelClass
  }
}

extension Rasa.Dialect {
  fileprivate init?(_ dialect: ProviderDefinition.Dialect) {
    switch dialect {
    case .openAI: self = .openAI
    case .anthropic: self = .anthropic
    case .gemini: self = .gemini
    case .ollama: self = .ollama
    }
  }
}

package import RasaCore
package import RasaPersona

/// Which providers there are and what the user said about them.
package struct ModelConfiguration: Sendable {
  /// The first one answers where nothing says otherwise.
  package var providers: [ProviderSettings]
  /// The model to take where a persona recommends none.
  package var model: ModelReference?
  /// The mock was asked for by name, so it answers even where providers are configured.
  package var prefersMock: Bool
  package var warnings: [Warning]

  package init(
    providers: [ProviderSettings] = [], model: ModelReference? = nil, prefersMock: Bool = false,
    warnings: [Warning] = []
  ) {
    self.providers = providers
    self.model = model
    self.prefersMock = prefersMock
    self.warnings = warnings
  }

  /// Nobody configured anything: Ollama is looked for on its usual port, else the mock answers.
  package var isEmpty: Bool { providers.isEmpty && !prefersMock }
}

// MARK: Names

extension ModelConfiguration {
  /// The engines that need no entry in a file.
  package static let builtInEngines: Set<String> = [
    "openai", "ollama", "mock", "anthropic", "gemini", "google",
  ]

  /// What may stand before the colon in `engine:model`.
  package var engines: Set<String> { Self.builtInEngines.union(providers.map(\.name)) }

  /// Reads `engine:model`, or a model alone: `llama3:8b` has a colon too. Only the engines that need
  /// no entry are known here; `resolved` knows the others.
  package static func reference(_ text: String) -> ModelReference {
    split(text.trimmingBlanks, engines: builtInEngines)
  }

  /// The reference with its engine, where what stands before the colon is a provider's name.
  package func resolved(_ reference: ModelReference) -> ModelReference {
    if let engine = reference.engine {
      return ModelReference(engine: Self.canonical(engine), model: reference.model)
    }
    return Self.split(reference.model, engines: engines)
  }

  private static func split(_ text: String, engines: Set<String>) -> ModelReference {
    let reference = ModelReference(text, engines: engines)
    if let engine = reference.engine {
      return ModelReference(engine: canonical(engine), model: reference.model)
    }
    return text == "mock"
      ? ModelReference(engine: "mock", model: "mock") : ModelReference(model: text)
  }

  /// `google` and `gemini` are the same engine.
  package static func canonical(_ engine: String) -> String {
    let engine = engine.lowercased()
    return engine == "google" ? "gemini" : engine
  }

  /// `gpt-4o` of `openai/gpt-4o`, so that the same model at two providers is the same.
  static func bareName(_ model: String) -> String {
    let model = model.lowercased()
    return model.lastIndex(of: "/").map { String(model[model.index(after: $0)...]) } ?? model
  }
}

// MARK: Who answers

extension ModelConfiguration {
  /// The provider that is asked for a model; nil when none of them can have it.
  ///
  /// A model that is sold goes to its vendor, else to a server of many vendors' models. A model with
  /// open weights goes to this machine if a server runs here. Of a model that nobody knows the name
  /// may tell the vendor; else the first provider is asked.
  package func provider(
    for reference: ModelReference, in catalogue: Catalogue
  ) throws(Failure) -> ProviderSettings? {
    let reference = resolved(reference)
    if let engine = reference.engine { return providers.first { $0.name == engine } }
    let facts = try catalogue.facts(for: reference.model)
    if let facts, facts.isOpen {
      let hosts = providers.filter { $0.vendor == nil }
      return hosts.first(where: \.isLocal) ?? hosts.first
    }
    guard let vendor = try catalogue.vendor(of: reference.model) else { return providers.first }
    let ownDialect = BuiltIn.allCases.first { $0.vendor == vendor }?.dialect
    return providers.first { $0.vendor == vendor }
      // A gateway for one vendor speaks as that vendor does; one for many speaks as OpenAI does.
      ?? providers.first { $0.vendor == nil && $0.dialect == ownDialect }
      ?? providers.first { $0.vendor == nil && $0.dialect == .openAI }
      ?? (facts == nil ? providers.first { $0.vendor == nil } : nil)
  }

  /// A provider's default model; nil for the first that it lists.
  package func defaultModel(
    of settings: ProviderSettings, in catalogue: Catalogue
  ) throws(Failure) -> String? {
    if let model = settings.defaultModel { return model }
    guard settings.isVendor,
      let seller = BuiltIn.allCases.first(where: { $0.vendor == settings.vendor })
    else { return nil }
    return try catalogue.defaultModel(of: seller.rawValue)
  }
}

import RasaCore
import RasaEngine
import RasaModels
import RasaPersona

extension Rasa {
  /// Texts that are to be made vectors of.
  public struct VectorRequest: Sendable, Hashable {
    /// The model, as `provider:model`, an alias or its own name.
    public var model: String
    /// The texts, of at most a quarter of a megabyte each. They are asked about in as many calls as they need.
    public var texts: [String]
    /// The persona or agent whose budget pays besides; nil where only the budget of everybody holds.
    public var owner: String?
    /// Whose call it is; nil for the user of this `Rasa`.
    public var user: String?
    /// The most that all of it may cost.
    public var maxCost: Dollars?
    /// A further budget that pays, such as that of an access token.
    public var budget: ExtraBudget?

    /// Texts for a model.
    public init(model: String, texts: [String]) {
      self.model = model
      self.texts = texts
    }
  }

  /// Vectors of texts.
  public struct Vectors: Sendable, Hashable {
    /// The run that the calls are accounted and journalled under.
    public var run: String
    /// The provider that made them.
    public var provider: String
    /// The model that made them.
    public var model: String
    /// One for each text, in their order, all of one length.
    public var vectors: [[Float]]
    /// Tokens of input, as billed.
    public var inputTokens: Int
    /// Whether the provider counted them. Otherwise they are estimates.
    public var isCounted: Bool
    /// What they cost.
    public var cost: Dollars
    /// False if the price of the model is unknown; `cost` is then meaningless.
    public var isPriceKnown: Bool
  }

  /// Makes vectors of texts through the gate: held, settled and journalled in a run of its own.
  ///
  /// - Parameter request: The texts and the model.
  /// - Returns: All of the vectors.
  /// - Throws: A `RasaError`, and no vectors, also where only some of several calls failed.
  public func embed(_ request: VectorRequest) async throws(RasaError) -> Vectors {
    let run = composition.newIdentifier("r")
    do {
      return try await redacted { try await embed(request, run) }
    } catch {
      var error = error
      error.run = run.text
      throw error
    }
  }

  private func embed(_ request: VectorRequest, _ run: Identifier) async throws -> Vectors {
    guard !request.texts.isEmpty else {
      throw Failure(
        .usage, "there are no texts to make vectors of", suggestion: "give at least one")
    }
    var options = GateOptions()
    options.servesClient = true
    options.model = ModelConfiguration.reference(request.model)
    options.maxCost = request.maxCost?.money
    options.extra = request.budget?.own
    let gate = try services.gate(options, onWarning: { self.warn($0) })
    let owner = request.owner ?? Self.embedding
    let budget = try request.owner.map { try self.budget(of: $0) } ?? CostBudget()
    return try await services.running(
      run, owner, input: "\(request.model) \(request.texts.count) texts",
      user: composition.user(request.user)
    ) {
      var all: Vectors?
      var rest = request.texts[...]
      var number = 0
      while !rest.isEmpty {
        number += 1
        let part = Array(rest.prefix(EmbeddingLimits.textsPerCall))
        rest = rest.dropFirst(part.count)
        var context = CallContext(
          run: run,
          key: EffectKey(
            frame: Self.embedding, visit: 1, operatorName: Self.embedding, label: "vectors",
            occurrence: number), persona: owner)
        context.budget = budget
        let made = try await gate.embed(part, for: context)
        all = Vectors(made, run, after: all)
      }
      guard let all, Set(all.vectors.map(\.count)).count == 1 else {
        throw Failure(
          .provider, "\(request.model) made vectors of several lengths",
          suggestion: "name another embedding model")
      }
      return all
    }
  }

  /// Whom the books name where nobody is named.
  private static let embedding = "embedding"
}

extension Rasa.Vectors {
  fileprivate init(_ made: Embeddings, _ run: Identifier, after earlier: Rasa.Vectors?) {
    self.init(
      run: run.text, provider: made.provider, model: made.model,
      vectors: (earlier?.vectors ?? []) + made.vectors,
      inputTokens: Int(clamping: made.usage.input) + (earlier?.inputTokens ?? 0),
      isCounted: made.usage.isReported && earlier?.isCounted ?? true,
      cost: Rasa.Dollars(made.cost) + (earlier?.cost ?? .zero),
      isPriceKnown: made.isPriceKnown && earlier?.isPriceKnown ?? true)
  }
}

import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaStore

/// Vectors of questions by way of the gate. What a vector takes is the run's: its key, its limits, its books.
struct GateVectors: QuestionVectors {
  private let store: any RunStore
  /// The user's own settings, read when recall first needs them.
  private let configuration: @Sendable () throws -> Configuration
  private let makeGate: @Sendable (ModelReference) throws -> Gate
  /// One for each model.
  private let gates = Gates()

  private final class Gates: Sendable {
    let made = Locked<[ModelReference: Gate]>([:])
  }

  init(
    store: any RunStore, configuration: @escaping @Sendable () throws -> Configuration,
    gate: @escaping @Sendable (ModelReference) throws -> Gate
  ) {
    self.store = store
    self.configuration = configuration
    makeGate = gate
  }

  func model(named: ModelReference?) -> ModelReference? {
    named ?? (try? configuration())?.memory.embeddings
  }

  func digest(of text: String, by model: ModelReference, for context: CallContext) -> String {
    (try? gate(model))?.digest(ofVectors: [EmbeddingLimits.clipped(text)], for: context) ?? ""
  }

  func vector(
    of text: String, by model: ModelReference, user: String, for context: CallContext
  ) async throws -> QuestionVector? {
    let gate = try gate(model)
    let space = try await gate.embeddingModel(for: context).space
    let lengths = try await store.vectorLengths(of: space)
    if lengths.isEmpty {
      // Asking for the vector of the question would cost time and money, and lead to nothing.
      let filter = MemoryFilter(user: user, persona: context.persona)
      if try await store.items(filter, before: nil, limit: 1).isEmpty { return nil }
      let isNew = try await store.vectorLengths(of: nil).isEmpty
      throw Failure(
        .configuration,
        isNew
          ? "no memory has a vector yet"
          : "memories have vectors of another model, but none of \(model) yet",
        suggestion: "`rasa memory embed` makes them; every run makes some")
    }
    let seconds = Double(try configuration().memory.milliseconds) / 1_000
    let made = try await gate.embed(
      [EmbeddingLimits.clipped(text)], as: .question, for: context, within: seconds,
      keeping: .journal)
    guard let numbers = made.vectors.first else { return nil }
    var caveat: String?
    if let usual = lengths.first, !lengths.contains(numbers.count) {
      try await store.noteVectorLength(numbers.count, of: space)
      caveat =
        "\(model) makes vectors of \(numbers.count) numbers now, and those that are kept have "
        + "\(usual); they are made again"
    }
    return QuestionVector(
      vector: MemoryQuery.Vector(model: space, numbers: numbers), cost: made.cost,
      caveat: caveat)
  }

  private func gate(_ model: ModelReference) throws -> Gate {
    if let known = gates.made.withLock({ $0[model] }) { return known }
    let new = try makeGate(model)
    return gates.made.withLock { made in
      made[model] = made[model] ?? new
      return made[model] ?? new
    }
  }
}

extension RunServices {
  /// Who makes the vectors of questions in a run of that plan.
  func questionVectors(
    _ plan: RunPlan, onWarning: @escaping @Sendable (Warning) -> Void
  ) -> any QuestionVectors {
    GateVectors(
      store: store,
      configuration: { [composition] in try composition.configuration(onWarning: onWarning) }
    ) { model in
      var options = plan.gate
      options.model = model
      // Whoever waits for an answer does not wait for a second try.
      options.rounds = 1
      return try gate(options, onWarning: onWarning)
    }
  }
}

import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaStore

/// Makes vectors of what a persona remembers and has none yet, outside of anybody's way: after an answer, or when asked.
///
/// Each time is a run of its own under the persona's budgets, and with a small limit of its own. Vectors are kept in
/// the transaction that settles what they cost, so that whatever ends this in between loses nothing that was paid for.
struct VectorFiller: Sendable {
  let services: RunServices
  let gate: Gate
  let persona: PersonaDefinition
  let viewer: MemoryViewer

  struct Outcome: Sendable {
    var made = 0
    /// Of so many the model makes none.
    var without = 0
    var cost = Money.zero
    /// Whether everything has its vector.
    var isComplete = false
    /// Why it ended before.
    var failure: Failure?
  }

  /// After so many failed calls the fault is not that of a text.
  private static let mostFailures = 12
  /// Vectors that nobody has used for so long are removed.
  private static let daysUnused: Int64 = 30
  /// How much of that is done at once.
  private static let mostRemovals = 20

  /// - Parameter most: how many items.
  func fill(atMost most: Int) async throws -> Outcome {
    let run = services.composition.newIdentifier("r")
    let space = try await gate.embeddingModel(for: context(run, call: 1)).space
    let first = try await missing(in: space, length: nil, atMost: most)
    let progress = Locked(Outcome(isComplete: first.isEmpty))
    if !first.isEmpty {
      do {
        try await services.running(
          run, EmbeddingMatcher.owner, input: "vectors of what \(persona.name) remembers",
          user: viewer.user
        ) { try await fill(first, in: space, of: run, atMost: most, progress) }
      } catch let failure as Failure {
        progress.withLock { $0.failure = failure }
      }
    }
    let outcome = progress.withLock { $0 }
    if outcome.isComplete { try await removeUnused(using: space) }
    return outcome
  }

  private func fill(
    _ first: [MemoryItem], in space: String, of run: Identifier, atMost most: Int,
    _ progress: Locked<Outcome>
  ) async throws {
    var (batch, left) = (first, most)
    var (calls, failures) = (0, 0)
    var length: Int?
    while !batch.isEmpty {
      left -= batch.count
      var refused = batch.filter { $0.text.utf8.allSatisfy { $0 <= 0x20 } }
      var reason: Failure?
      var parts = [batch.filter { item in !refused.contains { $0.id == item.id } }]
      while let part = parts.popLast() {
        if part.isEmpty { continue }
        try Task.checkCancellation()
        calls += 1
        do {
          let made = try await gate.embed(
            part.map { EmbeddingLimits.clipped($0.embeddedText) }, as: .stored,
            for: context(run, call: calls), keeping: .items(part.map(\.id), viewer))
          length = made.vectors.first?.count
          progress.withLock { progress in
            progress.made += part.count
            progress.cost += made.cost
          }
        } catch let failure as Failure where failure.isAboutTexts {
          failures += 1
          if failures >= Self.mostFailures { throw failure }
          reason = failure
          if part.count == 1 {
            refused += part
          } else {
            let half = part.count / 2
            parts += [Array(part[half...]), Array(part[..<half])]
          }
        }
      }
      if let reason, progress.withLock({ $0.made }) == 0 { throw reason }
      if !refused.isEmpty {
        try await services.store.keepVectors(
          MadeVectors(
            model: space, vectors: refused.map { MadeVectors.One(item: $0.id, numbers: []) },
            viewer: viewer))
        progress.withLock { $0.without += refused.count }
      }
      if left <= 0 { return }
      batch = try await missing(in: space, length: length, atMost: left)
    }
    progress.withLock { $0.isComplete = true }
  }

  private func missing(
    in space: String, length: Int?, atMost most: Int
  ) async throws -> [MemoryItem] {
    try await services.store.itemsWithoutVector(
      by: space, length: length, for: viewer, limit: min(most, EmbeddingLimits.textsPerCall))
  }

  private func removeUnused(using space: String) async throws {
    let store = services.store
    try await store.keepVectors(MadeVectors(model: space, vectors: [], viewer: viewer))
    let now = services.composition.time.now().milliseconds
    let oldest = Timestamp(milliseconds: now - Self.daysUnused * 86_400_000)
    for _ in 0..<Self.mostRemovals {
      if try await store.removeUnusedVectors(usedBefore: oldest) { return }
    }
  }

  private func context(_ run: Identifier, call: Int) -> CallContext {
    CallContext(
      run: run,
      key: EffectKey(
        frame: "memory", visit: 1, operatorName: EmbeddingMatcher.owner, label: "call",
        occurrence: call),
      persona: persona.name, budget: persona.budget)
  }
}

extension Failure {
  /// Whether another text might do better.
  fileprivate var isAboutTexts: Bool {
    kind == .provider
      && ["rejected", "tooLong", "unsupported", Failure.unusableVectors].contains(reason)
  }
}

extension Rasa {
  /// What became of making vectors of memories.
  public struct EmbeddedMemories: Sendable, Hashable, Codable {
    /// The model that was asked.
    public var model: String
    /// How many have a vector now that had none.
    public var made: Int
    /// Of how many the model makes none.
    public var without: Int
    /// What it cost.
    public var cost: Dollars
    /// Whether everything that the persona remembers has a vector now.
    public var isComplete: Bool
    /// Why it ended before; nil where it did not, or only so many were to be made.
    public var problem: String?
    /// What to do about that.
    public var suggestion: String?
  }

  /// What vectors cost at most where nobody says.
  static let vectorLimit = Money(picoDollars: 10_000_000_000)

  /// Makes vectors of what a persona remembers of a user and has none yet, so that recall finds it by its meaning. The
  /// newest come first.
  ///
  /// - Parameters:
  ///   - persona: The persona, whose budgets pay.
  ///   - user: Whose memories; nil for the user of this `Rasa`.
  ///   - model: The model; nil for the one that the persona or the configuration names.
  ///   - maxCost: What it may cost at most; nil for one cent.
  ///   - limit: How many at most.
  /// - Returns: What became of it; nil where no model is named.
  /// - Throws: A `RasaError` when there is no such persona, or no model can be asked.
  @discardableResult
  public func embedMemories(
    persona: String, user: String? = nil, model: String? = nil, maxCost: Dollars? = nil,
    limit: Int = .max
  ) async throws(RasaError) -> EmbeddedMemories? {
    try await redacted {
      try await embed(
        try composition.persona(persona), user: user, model: model, maxCost: maxCost?.money,
        limit: limit)
    }
  }

  fileprivate func embed(
    _ persona: PersonaDefinition, user: String?, model name: String?, maxCost: Money?, limit: Int
  ) async throws -> EmbeddedMemories? {
    let usual = try composition.configuration(onWarning: warn).memory.embeddings
    guard let model = name.map(ModelConfiguration.reference) ?? persona.memory.embeddings ?? usual
    else { return nil }
    var options = GateOptions()
    options.model = model
    options.maxCost = maxCost ?? Self.vectorLimit
    let filler = VectorFiller(
      services: services, gate: try services.gate(options, onWarning: { self.warn($0) }),
      persona: persona,
      viewer: MemoryViewer(user: composition.user(user), persona: persona.name))
    let outcome = try await filler.fill(atMost: max(0, limit))
    return EmbeddedMemories(
      model: "\(model)", made: outcome.made, without: outcome.without,
      cost: Dollars(outcome.cost), isComplete: outcome.isComplete,
      problem: outcome.failure.map { composition.redaction($0.message) },
      suggestion: outcome.failure.flatMap { $0.suggestion.isEmpty ? nil : $0.suggestion })
  }
}

extension Rasa.Runnable {
  /// The time limit when nobody is waiting for the program to end.
  private static let patience = Duration.seconds(5)
  /// How many texts to embed while somebody waits. A local model embeds about a hundred a second.
  private static let fewTexts = 16

  /// Makes vectors of some of what it remembers and has none yet, after a run: those of one call, and what that may
  /// take. Nil where it remembers nothing, or no model is named.
  ///
  /// - Parameter isWaitedFor: whether somebody waits for the program to end.
  package func embedSome(user: String?, isWaitedFor: Bool) async throws -> Rasa.EmbeddedMemories? {
    guard graph.persona.frames.contains(where: { $0.kind != .stateless }) else { return nil }
    let defaults = try rasa.composition.configuration(onWarning: { _ in }).memory
    guard graph.persona.memory.embeddings ?? defaults.embeddings != nil else { return nil }
    let patience =
      isWaitedFor ? Duration.milliseconds(defaults.lingerMilliseconds) : Self.patience
    if patience == .zero { return nil }
    let limit = isWaitedFor ? Self.fewTexts : EmbeddingLimits.textsPerCall
    let work = Task { [rasa, graph] in
      try await rasa.embed(
        graph.persona, user: user, model: nil, maxCost: nil, limit: limit)
    }
    let timer = Task { [time = rasa.composition.time] in
      try await time.sleep(patience)
      work.cancel()
    }
    defer { timer.cancel() }
    do {
      return try await work.value
    } catch is CancellationError {
      throw Failure(
        .timeout, "the model takes too long", suggestion: "`rasa memory embed` goes on")
    } catch let failure as Failure {
      throw rasa.composition.redaction(failure)
    }
  }
}

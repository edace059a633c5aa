package import RasaCore
import RasaEngine
package import RasaHTTPClient
import RasaModels
package import RasaPersona
package import RasaAgents
package import RasaStore
import RasaSystem

/// Which agents are related to a task by vectors of a provider's.
///
/// What has to be asked for is a run of its own, with its limits, books and journal. Vectors of
/// agents are kept, so that only new and changed agents, and the task, are asked about.
package struct EmbeddingMatcher: Sendable {
  private let composition: CompositionRoot
  private let store: any RunStore
  private let gate: Gate
  private let say: @Sendable (String) -> Void

  /// Whom the books and the list of runs name.
  package static let owner = "embeddings"
  private static let mostAgents = 10_000
  /// Above this, the price is reported before the request is sent.
  private static let few = 5

  /// - Parameter say: what the user should know beforehand.
  package init(
    _ composition: CompositionRoot, store: any RunStore, client: HTTPClient, model: ModelReference,
    maxCost: Money?, onWarning: @escaping @Sendable (Warning) -> Void,
    say: @escaping @Sendable (String) -> Void
  ) throws(Failure) {
    var options = GateOptions()
    options.model = model
    options.maxCost = maxCost
    gate = try composition.gate(
      ledger: store, history: store, client: client, options: options, onWarning: onWarning)
    self.composition = composition
    self.store = store
    self.say = say
  }

  /// What a request for recommendations takes as `nearness`.
  ///
  /// - Parameter run: what the run is called that asks.
  package func find(
    _ task: String, among agents: [Agent], run: Identifier
  ) async throws -> [String: VectorSimilarity.Value] {
    guard agents.count <= Self.mostAgents else {
      throw Failure(
        .usage,
        "there are \(agents.count) agents, and vectors are asked for of "
          + "\(Self.mostAgents) at most", suggestion: "do without --embeddings")
    }
    guard !agents.isEmpty else { return [:] }
    let model = try await gate.embeddingModel(for: context(run, call: 1))
    let file = VectorFile(path: "\(composition.folders.state)/vectors.bin")
    let kept = file.read()
    var texts: [VectorFile.Key: String] = [:]
    var keys: [VectorFile.Key] = []
    for agent in agents {
      let text = EmbeddingLimits.clipped(VectorSimilarity.text(of: agent))
      let key = VectorFile.key(text, by: model)
      keys.append(key)
      texts[key] = text
    }
    var vectors: [VectorFile.Key: [Float]] = [:]
    for key in texts.keys { vectors[key] = kept[key] }
    var isTaken: Set<VectorFile.Key> = []
    let missing = keys.filter { vectors[$0] == nil && isTaken.insert($0).inserted }
    var made: [VectorFile.Key: [Float]] = [:]
    defer {
      // What has come is kept also when the rest has not: it has been paid for.
      if !made.isEmpty { keep(made, using: keys, in: file, over: kept) }
    }
    let clipped = EmbeddingLimits.clipped(task)
    try await notePrice(missing.compactMap { texts[$0] } + [clipped], model, run)
    let own = try await RunServices(lazily: composition, store).running(
      run, Self.owner, input: task, user: composition.user(nil)
    ) {
      var calls = 0
      func ask(_ texts: [String], _ take: (Int, [Float]) -> Void) async throws {
        for begin in stride(from: 0, to: texts.count, by: EmbeddingLimits.textsPerCall) {
          calls += 1
          let end = min(begin + EmbeddingLimits.textsPerCall, texts.count)
          let found = try await gate.embed(
            Array(texts[begin..<end]), for: context(run, call: calls))
          for (place, vector) in zip(begin..<end, found.vectors) { take(place, vector) }
        }
      }
      // The task comes last, so that agents are kept that were asked about before a failure.
      var own: [Float] = []
      try await ask(missing.compactMap { texts[$0] } + [clipped]) { place, vector in
        if place < missing.count { made[missing[place]] = vector } else { own = vector }
      }
      // Behind the same name there is another model now.
      let others = keys.filter { key in
        guard let vector = vectors[key], vector.count != own.count else { return false }
        return isTaken.insert(key).inserted
      }
      try await ask(others.compactMap { texts[$0] }) { made[others[$0]] = $1 }
      return own
    }
    vectors.merge(made) { $1 }
    return VectorSimilarity.find(
      own,
      among: Dictionary(
        zip(agents.map(\.id), keys).compactMap { id, key in vectors[key].map { (id, $0) } },
        uniquingKeysWith: { first, _ in first }))
  }

  private func context(_ run: Identifier, call: Int) -> CallContext {
    CallContext(
      run: run,
      key: EffectKey(
        frame: "recommendation", visit: 1, operatorName: Self.owner, label: "call",
        occurrence: call),
      persona: Self.owner)
  }

  private func keep(
    _ made: [VectorFile.Key: [Float]], using keys: [VectorFile.Key], in file: VectorFile,
    over kept: VectorFile.Kept
  ) {
    do throws(Failure) {
      try file.write(made, using: keys, over: kept)
    } catch {
      say("vectors cannot be kept and will be asked for again: \(error.message)")
    }
  }

  private func notePrice(
    _ texts: [String], _ model: EmbeddingModel, _ run: Identifier
  ) async throws {
    guard texts.count > Self.few else { return }
    let estimate = try await gate.estimate(vectorsOf: texts, for: context(run, call: 1))
    let price =
      !estimate.isPriceKnown
      ? "its price is not known"
      : estimate.cost == .zero ? "which is free" : "\(estimate.cost) at most"
    say("asking \(model.provider):\(model.model) for vectors of \(texts.count) texts, \(price)")
  }
}

import RasaCore
import RasaEngine
import RasaPersona

/// Which answers come from another model than the one that was named or asked first, and why.
extension Gate {
  /// Nil where the model answers that was to.
  func fallback(
    to contender: CandidateModel, among contenders: [CandidateModel], _ chain: Selection.Chain,
    _ plan: CallPlan
  ) -> ModelFallback? {
    let candidate = contender.candidate
    if chain.isMockOnly {
      guard options.model == nil else { return nil }
      return ModelFallback(
        insteadOf: chain.wanted ?? ModelFallback.anyModel,
        because: configuration.prefersMock ? "LLM_PROVIDER is mock" : "no provider is configured")
    }
    if let missing = chain.missing {
      return ModelFallback(insteadOf: missing, because: "no provider for it is configured")
    }
    guard let first = chain.candidates.first else { return nil }
    if first.key == candidate.key {
      // The same model, sold by another than was named.
      return candidate.standsFor.map { reference in
        ModelFallback(
          insteadOf: reference.description,
          because: "no provider `\(reference.engine ?? "")` is configured")
      }
    }
    let wanted = contenders.first { $0.candidate.key == first.key }
    return ModelFallback(
      insteadOf: first.standsFor?.description ?? name(first),
      because: wanted?.problems.last?.message ?? obstacle(wanted, contenders))
  }

  /// Why one comes later that was to come first.
  private func obstacle(_ wanted: CandidateModel?, _ contenders: [CandidateModel]) -> String {
    if let obstacle = wanted?.obstacle {
      return "it failed a moment ago (\(obstacle.reason)), so it comes last"
    }
    return contenders.lazy.compactMap { $0.problems.last?.message }.first ?? "it was not available"
  }

  private func name(_ candidate: Candidate) -> String {
    candidate.model.map { "\(candidate.provider):\($0)" } ?? candidate.provider
  }
}

/// Says once, with the first content, that another model answers: only then is it true.
struct FallbackAnnouncement: Sendable {
  private var isDue: Bool
  private var model = ""

  init(isDue: Bool) { self.isDue = isDue }

  /// The model to announce; nil when there is nothing to say now.
  mutating func name(at event: ModelEvent) -> String? {
    switch event {
    case .started(let provider, let model):
      self.model = "\(provider):\(model)"
      return nil
    case .text, .reasoning: return name()
    case .restarted, .retracted, .continued, .fellBack, .waiting, .noticed, .trimmed: return nil
    }
  }

  mutating func name() -> String? {
    guard isDue else { return nil }
    isDue = false
    return model
  }
}

import RasaCore
import RasaEngine

/// What is learnt of models, from this process and from others.
extension Gate {
  /// Reads what others have learnt, now and then. Nothing about it is worth failing a call for: a
  /// database that cannot be read says so when money is to be held.
  func recall() async {
    guard let history, state.withLock({ $0.isDueToRecall(at: time.monotonic()) }) else { return }
    guard let standings = try? await history.standings() else { return }
    state.withLock { $0.recall(standings) }
  }

  /// What a failed attempt teaches; nil when it says nothing about the model.
  func observation(of problem: ProviderProblem, at candidate: Candidate) -> ModelObservation? {
    guard problem.isAboutAvailability, !candidate.isMock else { return nil }
    let now = time.now()
    let memory = Duration.milliseconds(ModelStanding.memory)
    // Only who was asked to wait knows better than the rule of five minutes.
    let away = problem.retryAfter.map { min($0, memory) } ?? memory
    return ModelObservation(
      key: problem.condemnsProvider ? candidate.key.ofProvider : candidate.key, time: now,
      outcome: .failed(reason: problem.kind.rawValue, until: now.advanced(by: away)))
  }

  func observation(
    of reading: Reading, _ usage: Usage, at candidate: Candidate, under hold: borrowing Hold
  ) -> ModelObservation? {
    guard !candidate.isMock else { return nil }
    let end = time.monotonic()
    var tokensPerSecond: Double? = nil
    if let first = reading.firstContentAt, end > first, usage.output > 1 {
      tokensPerSecond = Double(usage.output) / (Double(end - first) / 1e9)
    }
    return ModelObservation(
      key: candidate.key, time: time.now(), outcome: .answered,
      firstContent: reading.firstContentAt.map { Int64(clamping: $0 &- reading.startedAt) },
      tokensPerSecond: tokensPerSecond.map { min($0, 1e6) },
      counted: hold.estimate.learnt(from: usage))
  }

  /// Remembers something that no settlement carries.
  func note(_ problem: ProviderProblem, at candidate: Candidate) async {
    guard let observation = observation(of: problem, at: candidate) else { return }
    state.withLock { $0.note(observation) }
    try? await history?.observe([observation])
  }

  /// The provider has answered after all, whatever stands against it.
  func clearProvider(of candidate: Candidate) async {
    let key = candidate.key.ofProvider
    guard state.withLock({ ($0.standing(key)?.failures ?? 0) > 0 }) else { return }
    let observation = ModelObservation(key: key, time: time.now(), outcome: .answered)
    state.withLock { $0.note(observation) }
    try? await history?.observe([observation])
  }
}

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
    of reading: Reading, _ usage: Usage, _ plan: CallPlan, at candidate: Candidate,
    under hold: borrowing Hold
  ) -> ModelObservation? {
    guard !candidate.isMock else { return nil }
    var output: ModelObservation.Output? = nil
    if plan.request.maxTokens != 0, reading.finish.isWhole || reading.finish.isCut {
      // A continued answer needed as much as all of its parts.
      let (sum, overflow) = usage.output.addingReportingOverflow(
        plan.request.continuation?.tokens ?? 0)
      output = ModelObservation.Output(
        operatorName: plan.operatorName, tokens: overflow ? .max : sum,
        isWhole: reading.finish.isWhole, continuing: plan.request.continuation?.tokens)
    }
    let end = time.monotonic()
    var tokensPerSecond: Double? = nil
    if let first = reading.firstContentAt, end > first, usage.output > 1 {
      tokensPerSecond = Double(usage.output) / (Double(end - first) / 1e9)
    }
    return ModelObservation(
      key: candidate.key, time: time.now(), outcome: .answered,
      firstContent: reading.firstContentAt.map { Int64(clamping: $0 &- reading.startedAt) },
      tokensPerSecond: tokensPerSecond.map { min($0, 1e6) },
      counted: hold.estimate.learnt(from: usage), output: output,
      overrun: overrun(usage, hold))
  }

  /// The form of request that was accepted now, where that is not what is remembered. A request that is
  /// repeated as it was says nothing of what is taken today.
  func adaptedForm(
    _ call: WireCall, _ plan: CallPlan, at candidate: Candidate
  ) -> AdaptedForm? {
    guard plan.context.doubt == nil, let settings = candidate.settings else { return nil }
    let words = call.quirks.adaptations
    let kept = state.withLock { $0.standing(candidate.key)?.adapted }
    if kept == nil, words.isEmpty { return nil }
    let now = time.now()
    let form = AdaptedForm(words: words, settings: settings.wireForm, learntAt: now)
    if let kept, kept.words == words, kept.settings == form.settings, kept.isBelieved(at: now) {
      return nil
    }
    return form
  }

  /// How a request for this model has to look, as far as that is known.
  func quirks(of candidate: Candidate) -> WireQuirks {
    guard let settings = candidate.settings else { return WireQuirks(.mock) }
    let now = time.now()
    let known = state.withLock { state in
      state.knowsAdaptations(of: candidate.key)
        ? state.adaptedForm(of: candidate.key, under: settings.wireForm, at: now) : nil
    }
    return known.flatMap { WireQuirks(settings, adaptations: $0.words) } ?? WireQuirks(settings)
  }

  func remember(_ quirks: WireQuirks, of candidate: Candidate) {
    guard let settings = candidate.settings else { return }
    let form = AdaptedForm(
      words: quirks.adaptations, settings: settings.wireForm, learntAt: time.now())
    state.withLock { $0.remember(form, of: candidate.key) }
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

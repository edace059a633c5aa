import RasaCore

/// What has to be asked before a model can be chosen, and only when nobody said it: whether an Ollama
/// runs here, and which models a server has. The answers are shared by all runs, for a while; within
/// one run what was found here stays what it is.
extension Gate {
  func effectiveConfiguration() async throws -> ModelConfiguration {
    guard configuration.isEmpty else { return configuration }
    if let found = own.withLock({ $0.found }) { return found }
    if let found = state.withLock({ $0.found(at: time.monotonic()) }) { return use(found) }
    let (found, listed) = try await ProviderCheck.found(
      configuration, client: client, time: time, usualOllama: options.usualOllama,
      within: options.probeTimeout)
    let now = time.monotonic()
    state.withLock { state in
      state.remember(found: found, at: now)
      if let listed, let ollama = found.providers.first {
        state.remember(listed, of: ollama, at: now)
      }
    }
    return use(found)
  }

  private func use(_ found: ModelConfiguration) -> ModelConfiguration {
    for warning in found.warnings { warn(warning.message) }
    return own.withLock { own in
      if own.found == nil { own.found = found }
      return own.found ?? found
    }
  }

  /// What was remembered of the provider may be out of date.
  func doubt(_ candidate: Candidate, after problem: ProviderProblem) {
    guard let settings = candidate.settings,
      problem.kind == .modelNotFound || problem.isBelowHTTP
    else { return }
    state.withLock { $0.doubt(settings) }
  }

  /// The candidate with a model's name: the first that the provider lists when nobody named one.
  func resolved(_ candidate: Candidate, _ plan: CallPlan) async throws -> Candidate {
    guard candidate.model == nil, let settings = candidate.settings else { return candidate }
    let models: [ListedModel]
    if let known = state.withLock({ $0.list(of: settings, at: time.monotonic()) }) {
      models = known
    } else {
      let adapter = HTTPAdapter(settings: settings, client: client, time: time)
      let deadline = time.monotonic().advanced(
        by: firstContentTimeout(for: candidate, plan.profile))
      models = try await adapter.listModels(deadline: plan.limit(deadline))
      let listed = models
      state.withLock { $0.remember(listed, of: settings, at: time.monotonic()) }
    }
    guard let first = models.first(where: { $0.canChat && options.allows($0.name) }) else {
      let none = options.avoided.isEmpty ? "no model" : "no other model"
      throw ProviderProblem(.modelNotFound, "\(settings.baseURL) offers \(none)")
    }
    return Candidate(
      settings: settings, model: first.name, facts: try catalogue.facts(for: first.name))
  }
}

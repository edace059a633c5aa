import RasaCore

/// What has to be asked before a model can be chosen, each once in a process, and only when nobody
/// said it: whether an Ollama runs here, and which models a server has.
extension Gate {
  func effectiveConfiguration() async throws -> ModelConfiguration {
    guard configuration.isEmpty else { return configuration }
    if let found = state.withLock({ $0.found }) { return found }
    let (found, listed) = try await ProviderCheck.found(
      configuration, client: client, time: time, usualOllama: options.usualOllama,
      within: options.probeTimeout)
    for warning in found.warnings { warn(warning.message) }
    state.withLock { state in
      state.found = found
      if let listed { state.listed[BuiltIn.ollama.rawValue] = listed }
    }
    return found
  }

  /// The candidate with a model's name: the first that the provider lists when nobody named one.
  func resolved(_ candidate: Candidate, _ plan: CallPlan) async throws -> Candidate {
    guard candidate.model == nil, let settings = candidate.settings else { return candidate }
    let models: [ListedModel]
    if let known = state.withLock({ $0.listed[settings.name] }) {
      models = known
    } else {
      let adapter = HTTPAdapter(settings: settings, client: client, time: time)
      let deadline = time.monotonic().advanced(
        by: firstContentTimeout(for: candidate, plan.profile))
      models = try await adapter.listModels(deadline: plan.limit(deadline))
      let listed = models
      state.withLock { $0.listed[settings.name] = listed }
    }
    guard let first = models.first(where: \.canChat) else {
      throw ProviderProblem(.modelNotFound, "\(settings.baseURL) offers no model")
    }
    return Candidate(
      settings: settings, model: first.name, facts: try catalogue.facts(for: first.name))
  }
}

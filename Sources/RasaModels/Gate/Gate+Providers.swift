package import RasaCore

/// How one provider answers when it is asked what it has.
package struct ProviderReport: Sendable, Hashable {
  package var name: String
  package var address: String
  package var models: [String]
  /// Why it gave no list, with the mend; nil when it did.
  package var problem: Failure?
}

/// What has to be asked before a model can be chosen, each once in a process, and only when nobody
/// said it: whether an Ollama runs here, and which models a server has.
extension Gate {
  /// The configuration; where there is none, an Ollama on its usual port, else the mock. A provider
  /// that was configured and is down stays the one that is asked: its failure is an error, never a
  /// reason for the mock.
  func effectiveConfiguration() async throws -> ModelConfiguration {
    guard configuration.isEmpty else { return configuration }
    if let found = state.withLock({ $0.found }) { return found }
    var found = configuration
    let ollama = try ProviderSettings.ollama(host: options.usualOllama)
    let adapter = HTTPAdapter(settings: ollama, client: client, time: time)
    do {
      let models = try await adapter.listModels(
        deadline: time.monotonic().advanced(by: options.probeTimeout))
      state.withLock { $0.listed[ollama.name] = models }
      if models.contains(where: \.canChat) {
        found.providers = [ollama]
      } else {
        warn("Ollama runs here but has no model; get one with `ollama pull llama3.2`")
        found.prefersMock = true
      }
    } catch is ProviderProblem {
      found.prefersMock = true
    }
    let result = found
    state.withLock { $0.found = result }
    return result
  }

  /// Asks every provider for its models, one after the other. Empty when only the mock is left.
  package func reports() async throws -> [ProviderReport] {
    var reports: [ProviderReport] = []
    for settings in try await effectiveConfiguration().providers {
      var report = ProviderReport(name: settings.name, address: settings.baseURL, models: [])
      let adapter = HTTPAdapter(settings: settings, client: client, time: time)
      do {
        let deadline = time.monotonic().advanced(by: .seconds(10))
        report.models = try await adapter.listModels(deadline: deadline).map(\.name)
      } catch let problem as ProviderProblem {
        report.problem = Failure(
          problem.kind == .authentication ? .authentication : .provider, problem.message,
          mend: mend(problem, settings))
      }
      reports.append(report)
    }
    return reports
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

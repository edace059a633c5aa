package import RasaCore
package import RasaEngine
package import RasaHTTPClient

/// How one provider answers when it is asked what it has.
package struct ProviderReport: Sendable {
  package var settings: ProviderSettings
  /// What it lists that can chat, in its order.
  package var models: [String] = []
  /// Nanoseconds until the list was there, or until it was clear that it would not be.
  package var latency: UInt64 = 0
  /// Why it gave no list, with the mend; nil when it did.
  package var problem: Failure?
  package var availability = Availability.available
  /// Until when it is not worth asking again.
  package var unavailableUntil: Timestamp?

  package var name: String { settings.name }
  package var address: String { settings.baseURL }
}

/// Asks providers what they have: their lists, never a model, so it costs nothing.
package enum ProviderCheck {
  /// Asks all of them at the same time; the reports stand in the order of the providers.
  package static func run(
    _ providers: [ProviderSettings], client: HTTPClient, time: TimeSource,
    within limit: Duration = .seconds(10)
  ) async throws -> [ProviderReport] {
    let deadline = time.monotonic().advanced(by: limit)
    return try await withThrowingTaskGroup(of: (Int, ProviderReport).self) { group in
      for (place, settings) in providers.enumerated() {
        group.addTask {
          (place, try await report(settings, client: client, time: time, deadline: deadline))
        }
      }
      var reports: [(Int, ProviderReport)] = []
      for try await report in group { reports.append(report) }
      return reports.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private static func report(
    _ settings: ProviderSettings, client: HTTPClient, time: TimeSource, deadline: UInt64
  ) async throws -> ProviderReport {
    var report = ProviderReport(settings: settings)
    if let native = settings.native {
      report.models = native.models
      return report
    }
    let began = time.monotonic()
    do {
      let adapter = HTTPAdapter(settings: settings, client: client, time: time)
      report.models = try await adapter.listModels(deadline: deadline).filter(\.canChat).map(\.name)
    } catch let problem as ProviderProblem {
      report.note(problem, now: time.now())
    } catch let failure as Failure {
      report.problem = failure
      report.availability = .unavailable
    }
    report.latency = time.monotonic() &- began
    return report
  }

  /// The configuration; where there is none, an Ollama on its usual port, else the mock. What it
  /// lists comes along. A provider that was configured and is down stays the one that is asked: its
  /// failure is an error, never a reason for the mock.
  package static func complete(
    _ configuration: ModelConfiguration, client: HTTPClient, time: TimeSource,
    usualOllama: String = "127.0.0.1:11434", within limit: Duration = .milliseconds(200)
  ) async throws -> ModelConfiguration {
    try await found(
      configuration, client: client, time: time, usualOllama: usualOllama, within: limit
    ).configuration
  }

  static func found(
    _ configuration: ModelConfiguration, client: HTTPClient, time: TimeSource, usualOllama: String,
    within limit: Duration
  ) async throws -> (configuration: ModelConfiguration, listed: [ListedModel]?) {
    guard configuration.isEmpty else { return (configuration, nil) }
    var found = configuration
    let ollama = try ProviderSettings.ollama(host: usualOllama)
    let adapter = HTTPAdapter(settings: ollama, client: client, time: time)
    guard
      let models = try await answer({
        try await adapter.listModels(deadline: time.monotonic().advanced(by: limit))
      })
    else {
      found.prefersMock = true
      return (found, nil)
    }
    if models.contains(where: \.canChat) {
      found.providers = [ollama]
    } else {
      found.warnings.append(
        Warning("Ollama runs here but has no model; get one with `ollama pull llama3.2`"))
      found.prefersMock = true
    }
    return (found, models)
  }

  private static func answer(
    _ ask: () async throws -> [ListedModel]
  ) async throws -> [ListedModel]? {
    do { return try await ask() } catch is ProviderProblem { return nil }
  }
}

extension ProviderReport {
  fileprivate mutating func note(_ problem: ProviderProblem, now: Timestamp) {
    // A server that speaks the format may well have no list.
    guard problem.kind != .modelNotFound else {
      availability = .unknown
      self.problem = Failure(.provider, "it does not list its models: \(problem.message)")
      return
    }
    availability = .unavailable
    let memory = Duration.milliseconds(ModelStanding.memory)
    unavailableUntil = now.advanced(by: min(problem.retryAfter ?? memory, memory))
    self.problem = Failure(
      problem.kind == .authentication ? .authentication : .provider, problem.message,
      suggestion: problem.suggestion(at: settings))
    self.problem?.reason = problem.kind.rawValue
  }

  /// How a model of this provider stands after the look. A name without its date is listed when one
  /// with it is.
  package func availability(of model: String) -> Availability {
    guard availability == .available, !models.isEmpty else {
      return availability == .available ? .unknown : availability
    }
    return lists(model) ? .available : .unavailable
  }

  package func lists(_ model: String) -> Bool {
    let wanted = model.lowercased()
    return models.contains { name in
      CatalogueNames(name).all.contains(wanted) || name.lowercased() == "\(wanted):latest"
    }
  }

  /// What is to be remembered: of the provider as a whole, of what it lists, and of what was asked
  /// for by name.
  package func observations(asked: [String] = [], at now: Timestamp) -> [ModelObservation] {
    let unavailable = { (reason: String) in
      ModelObservation.Outcome.failed(
        reason: reason,
        until: unavailableUntil ?? now.advanced(by: .milliseconds(ModelStanding.memory)))
    }
    switch availability {
    case .unknown: return []
    case .unavailable:
      return [
        ModelObservation(
          key: settings.modelKey(), time: now, outcome: unavailable(problem?.message ?? ""))
      ]
    case .available:
      let missing = asked.filter { availability(of: $0) == .unavailable }
      let there = asked.filter { lists($0) && !models.contains($0) }
      // The empty name is the provider as a whole.
      return ([""] + models.prefix(Self.mostRemembered) + there).map { name in
        ModelObservation(key: settings.modelKey(name), time: now, outcome: .answered)
      }
        + missing.map { name in
          ModelObservation(
            key: settings.modelKey(name), time: now,
            outcome: unavailable("the provider does not list it"))
        }
    }
  }

  /// Some list every model there is.
  private static let mostRemembered = 1_000
}

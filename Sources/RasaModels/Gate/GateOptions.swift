package import RasaCore
package import RasaPersona

/// Limits beside those of personas and of everybody, such as those of an access token. Neither `force` nor
/// `allowBudgetExceed` lifts them.
package struct ExtraBudget: Sendable, Hashable {
  /// The owner in the books. It has a colon, so no persona or agent can have it.
  package var name: String
  package var perRun: Money?
  package var daily: Money?
  package var monthly: Money?

  package init(name: String, perRun: Money? = nil, daily: Money? = nil, monthly: Money? = nil) {
    self.name = name
    self.perRun = perRun
    self.daily = daily
    self.monthly = monthly
  }
}

/// What a user decided for this process, and how patient the gate is.
package struct GateOptions: Sendable {
  /// Lifts the persona's limit for one execution; never a limit of day or month.
  package var force = false
  /// Goes on, with a warning, where a budget has no room left.
  package var allowBudgetExceed = false
  package var premium = false
  /// Asked instead of everything a persona recommends.
  package var model: ModelReference?
  /// Asked in turn where `model` gives no answer.
  package var alternatives: [ModelReference] = []
  /// Asked before the others of a persona that recommends it, as `provider:model`.
  package var preferred: String?
  package var profile: PerformanceProfile?
  /// Models that may not answer, by their names without the provider: a judge's is not that of the answer.
  package var avoided: Set<String> = []
  /// The default where nothing else sets one.
  package var usualProfile: PerformanceProfile?
  /// The most that one run may cost, whatever else is allowed.
  package var maxCost: Money?

  /// A further budget that pays for everything that is asked under these options.
  package var extra: ExtraBudget?

  /// What all personas together may spend, and in which zone its days are counted.
  package var budget = GlobalBudget()

  /// How long a provider may take to its first content; nil is 30 s, less where speed matters, and
  /// more for models that think first or have to be loaded from this machine's disk.
  package var firstContentTimeout: Duration?
  /// How long a stream may stay silent between contents.
  package var idleTimeout: Duration = .seconds(60)
  /// Where an Ollama is looked for that nobody configured, and how long that may take.
  package var usualOllama = "127.0.0.1:11434"
  package var probeTimeout: Duration = .milliseconds(200)
  /// How often the chain is gone through while its failures are of the passing kind.
  package var rounds = 3
  package var retryDelay: Duration = .milliseconds(400)
  /// A provider that asks for more patience than this is not waited for.
  package var longestRetryDelay: Duration = .seconds(20)

  /// An answer whose stream breaks is continued and not restarted: what was shown of it cannot be
  /// taken back.
  package var finishesBrokenAnswers = false
  /// The answer goes to a program in its own protocol, where nothing can be taken back: once a part of it
  /// was shown, a stream that breaks is an error, and nothing is restarted or continued. A refusal is an
  /// answer like any other, and what the model cannot be asked is refused and never left out.
  package var servesClient = false
  /// Between two words of the mock.
  package var mockDelay: Duration = .zero

  package init() {}

  /// Whether a model may answer.
  func allows(_ model: String) -> Bool {
    guard !avoided.isEmpty else { return true }
    let name = ModelConfiguration.bareName(model)
    return !avoided.contains { ModelConfiguration.bareName($0) == name }
  }
}

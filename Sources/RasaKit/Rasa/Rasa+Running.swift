import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaStore

extension Rasa {
  /// How a run is to go, where it is not to go as usual.
  public struct RunOptions: Sendable, Hashable {
    /// What the asker wants besides, such as `["language": "German"]`.
    public var preferences: [String: String] = [:]
    /// The conversation that the run belongs to; without one it remembers nothing of others.
    public var session: String?
    /// Who is remembered; nil is the account's name.
    public var user: String?
    /// Asked instead of everything that is recommended: `model` or `provider:model`.
    public var model: String?
    public var profile: Profile?
    /// Allows models that are used only when they are asked for.
    public var premium = false
    /// The most that the run may cost, whatever else is allowed: reserved before a byte is sent.
    public var maxCost: Dollars?
    /// How long the run may take, whatever its persona or agent says.
    public var maxSeconds: Int?
    /// Lifts the agent's own limit for one run; never a limit of day or month.
    public var force = false
    /// Goes on, with a warning, where a budget has no room left.
    public var allowBudgetExceed = false
    /// Files that belong to the input.
    public var attachments: [Attachment] = []

    public init() {}

    fileprivate var gate: GateOptions {
      var gate = GateOptions()
      gate.model = model.map { ModelConfiguration.reference($0) }
      gate.profile = profile?.own
      gate.premium = premium
      gate.maxCost = maxCost?.money
      gate.force = force
      gate.allowBudgetExceed = allowBudgetExceed
      return gate
    }

    /// What a run keeps, so that whoever goes on with it goes on as it began.
    fileprivate var kept: ValueObject {
      var kept = ValueObject()
      if let model { kept["model"] = .string(ModelConfiguration.reference(model).description) }
      if let profile { kept["profile"] = .string(profile.rawValue) }
      if premium { kept["premium"] = true }
      if let maxCost { kept["max_cost"] = .string(maxCost.decimalText) }
      if let maxSeconds { kept["max_seconds"] = .int(Int64(maxSeconds)) }
      return kept
    }
  }

  /// Begins to run an agent, found or registered.
  ///
  /// - Parameters:
  ///   - approve: decides what a person is asked; without it the run waits where somebody has to
  ///     decide, and its result says for what.
  /// - Throws: a problem when there is no such agent, or it cannot run.
  public func run(
    agent id: String, input: String, options: RunOptions = RunOptions(), approve: Approve? = nil
  ) throws -> Run {
    let graph = try redacted { () throws(Failure) in try house.graph(agent: id) }
    return try begin(graph, input, options, approve)
  }

  /// Begins to run a persona by name, alias or the path of its file.
  public func run(
    persona name: String, input: String, options: RunOptions = RunOptions(),
    approve: Approve? = nil
  ) throws -> Run {
    let graph = try redacted { () throws(Failure) in try house.graph(name) }
    return try begin(graph, input, options, approve)
  }

  private func begin(
    _ graph: Graph, _ input: String, _ options: RunOptions, _ approve: Approve?
  ) throws -> Run {
    guard input.utf8.contains(where: { $0 > 0x20 }) else {
      throw Problem(Failure(.usage, "the input is empty", mend: "say what is to be done"))
    }
    let store = self.store
    let given = ValueObject(options.preferences.map { ($0.key.lowercased(), .string($0.value)) })
    let warnings = Locked(graph.warnings(given: given).map(\.description))
    let redaction = house.redaction
    let warn: @Sendable (Warning) -> Void = { warning in
      warnings.withLock { $0.append(redaction(warning.description)) }
    }
    let gateOptions = options.gate
    let (start, surroundings) = try redacted { () throws(Failure) in
      let user = house.user(options.user)
      var preferences = ValueObject()
      for (key, value) in options.preferences.sorted(by: { $0.key < $1.key }) {
        preferences[key.lowercased()] = .string(value)
      }
      let start = RunStart(
        run: house.newIdentifier("r"), persona: graph.persona.name, personaDigest: graph.digest,
        session: options.session, user: user, input: input, preferences: preferences,
        options: options.kept, attachments: options.attachments.map(\.own))
      let gate = try house.gate(
        ledger: store, history: store, client: client(), options: gateOptions, onWarning: warn)
      let surroundings = Surroundings(
        gate: gate, journal: store, memory: store,
        people: CallersPeople(run: start.run, user: user, approve: approve), time: house.time,
        limits: house.taskLimits(onWait: warn), redact: house.redaction)
      return (start, surroundings)
    }
    let seconds = options.maxSeconds.map(Double.init)
    return Run(id: start.run.text) { tell, hasRoom, cancel in
      store.onCancelRequest(start.run, cancel)
      var runOptions = RasaEngine.RunOptions(profile: gateOptions.profile, seconds: seconds)
      runOptions.readerTakesNow = { _ in hasRoom() }
      let runner = Runner(surroundings, options: runOptions)
      let result = try await runner.run(graph, start) { progress in
        if let event = Event(progress) { await tell(event) }
      }
      return RunResult(result, run: start.run.text, warnings: warnings.withLock { $0 })
    }
  }
}

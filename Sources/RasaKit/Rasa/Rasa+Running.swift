import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaStore

extension Rasa {
  /// How a run differs from the usual one.
  public struct RunOptions: Sendable, Hashable {
    /// What the asker wants besides, such as `["language": "German"]`. Names are lowercased.
    public var preferences: Pairs<String> = [:]
    /// The conversation that the run belongs to; without one it remembers nothing of others.
    public var session: String?
    /// The moment of which the run recalls what held and had been said, in milliseconds since 1970; nil is now.
    public var asOf: Int64?
    /// Who is remembered; nil is the account's name.
    public var user: String?
    /// Asked instead of everything that is recommended: `model` or `provider:model`.
    public var model: String?
    /// What matters most in choosing a model; nil leaves it to the persona or agent.
    public var profile: Profile?
    /// Allows models that are used only when they are asked for.
    public var allowsPremium = false
    /// The most that the run may cost, whatever else is allowed: reserved before a byte is sent.
    public var maxCost: Dollars?
    /// A further budget that pays for all of the run, such as that of an access token; nil for none. A run that is
    /// resumed keeps the one that it had, unless another one is named.
    public var budget: ExtraBudget?
    /// How many seconds the run may take, whatever its persona or agent says.
    public var maxSeconds: Int?
    /// Lifts the persona's own limit of cost for one run; never a limit of day or month.
    public var ignoresRunLimit = false
    /// Goes on, with a warning, where a budget has no room left.
    public var ignoresBudget = false
    /// Files that belong to the input.
    public var attachments: [Attachment] = []
    /// For a run that is resumed or forked: uses the copy of the persona that the run keeps although its
    /// files have changed.
    public var usesPinnedFiles = false
    /// Continues an answer whose stream breaks, and does not begin it again: for a reader to whom nothing
    /// that was output can be corrected.
    public var finishesBrokenAnswers = false
    /// Whether it is a trial of an evaluation, which does not count as work of its agent.
    package var isEvaluation = false
    /// What was said before, given by the caller: it stands where the turns of a session stand, and cannot be
    /// given together with one. It is kept in the run's journal, and in no session.
    public var conversation: [GivenTurn] = []
    /// What the program in between wants of the answer. The operators that answer are shown it below the task, as words
    /// of a program: it never replaces what the persona or agent says.
    public var instructions = ""
    /// Tools that the caller uses itself. The operators that answer may call them: the run then waits, and
    /// `Approval.clientCall` says what to call. `Rasa.answer` with `Approval.result(_:isError:)` gives the result.
    public var clientTools: [Completion.Tool] = []
    /// The name of the client that asks, which the run keeps; nil for none.
    public var client: String?
    /// Whether a server carries it out, and resumes it after a restart.
    package var isServed = false
    /// How long the mock waits between two words.
    public var mockDelay = Duration.zero

    /// A run as usual.
    public init() {}

    var gate: GateOptions {
      var gate = GateOptions()
      gate.model = model.map { ModelConfiguration.reference($0) }
      gate.profile = profile?.own
      gate.premium = allowsPremium
      gate.maxCost = maxCost?.money
      gate.extra = budget?.own
      gate.force = ignoresRunLimit
      gate.allowBudgetExceed = ignoresBudget
      gate.finishesBrokenAnswers = finishesBrokenAnswers
      gate.mockDelay = mockDelay
      return gate
    }

    func plan(_ input: String) -> RunPlan {
      var plan = RunPlan(input: input)
      plan.attachments = attachments.map(\.own)
      for name in preferences.names {
        plan.preferences[name.lowercased()] = preferences[name].map { .string($0) }
      }
      plan.session = session
      plan.user = user
      plan.gate = gate
      plan.maxSeconds = maxSeconds
      plan.isEvaluation = isEvaluation
      plan.isServed = isServed
      plan.asOf = asOf.map { Timestamp(milliseconds: $0) }
      plan.client = client
      plan.clientTools = clientTools.map {
        ToolDescription(
          name: $0.name, text: $0.description, parameters: $0.parameters.value,
          sideEffects: .idempotent, origin: .client)
      }
      return plan
    }
  }

  /// Starts a run of an agent, found or registered.
  ///
  /// - Parameters:
  ///   - id: The agent's id.
  ///   - input: What it is asked.
  ///   - options: How the run differs from the usual one.
  ///   - approve: Decides what a person is asked. Without it the run waits where somebody has to decide,
  ///     and its result says for what.
  /// - Returns: The run, which has started.
  /// - Throws: A `RasaError` when there is no such agent, or it cannot run.
  public func run(
    agent id: String, input: String, options: RunOptions = RunOptions(),
    approve: ApprovalHandler? = nil
  ) async throws(RasaError) -> Run {
    try await prepare(agent: id).ready(input, options: options, approve: approve).start()
  }

  /// Starts a run of a persona by name, alias or the path of its file.
  ///
  /// - Parameters:
  ///   - name: The persona.
  ///   - input: What it is asked.
  ///   - options: How the run differs from the usual one.
  ///   - approve: Decides what a person is asked, as for an agent.
  /// - Returns: The run, which has started.
  /// - Throws: A `RasaError` when there is no such persona, or it cannot run.
  public func run(
    persona name: String, input: String, options: RunOptions = RunOptions(),
    approve: ApprovalHandler? = nil
  ) async throws(RasaError) -> Run {
    try await prepare(persona: name).ready(input, options: options, approve: approve).start()
  }

  /// Reads files away from the caller's actor.
  @concurrent
  func prepared<Result: Sendable>(
    _ read: @Sendable (Rasa) throws(Failure) -> Result
  ) async throws(RasaError) -> Result {
    try redacted { () throws(Failure) in try read(self) }
  }

  func runner(
    _ plan: RunPlan, of run: Identifier, _ approve: ApprovalHandler?, _ warnings: WarningLog
  ) throws(RasaError) -> Runner {
    try redacted { () throws(Failure) in
      try services.runner(
        plan,
        people: CallerApprovalHandler(
          run: run, user: composition.user(plan.user), approve: approve),
        onWarning: { warnings.add($0) })
    }
  }
}

/// The warnings of one run, without keys.
final class WarningLog: Sendable {
  private let noted: Locked<[String]>
  private let redaction: Redaction

  init(_ redaction: Redaction, _ first: [Warning] = []) {
    self.redaction = redaction
    noted = Locked(first.map { redaction($0.description) })
  }

  func add(_ warning: Warning) {
    let text = redaction(warning.description)
    noted.withLock { $0.append(text) }
  }

  var all: [String] { noted.withLock { $0 } }
}

extension Rasa.Run {
  /// A run that `perform` drives, and that `Rasa.cancel` of any process can stop.
  convenience init(
    id: String, of rasa: Rasa, _ warnings: WarningLog, _ runner: Runner,
    _ perform:
      @escaping @Sendable (Runner, @escaping RunObserver) async throws ->
      RasaEngine.RunResult
  ) {
    let store = rasa.store
    let redaction = rasa.composition.redaction
    self.init(id: id) { emit, hasRoom, cancel throws(RasaError) in
      store.onCancelRequest(Identifier(id), cancel)
      do {
        var runner = runner
        runner.options.readerTakesNow = { _ in hasRoom() }
        let result = try await perform(runner) { progress in
          // How text arrives that is not output is of no use to who reads later.
          if case .textArrived = progress { return }
          if let event = Rasa.Event(progress) { await emit(event) }
        }
        return Rasa.RunResult(result, run: id, warnings: warnings.all)
      } catch {
        var failed = RasaError(error, { redaction($0) })
        failed.run = id
        throw failed
      }
    }
  }
}

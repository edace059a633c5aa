import RasaCore
import RasaEngine
import RasaPersona
import RasaStore

// MARK: What is known of runs

extension Rasa {
  /// The status of a run. More may come.
  public struct RunStatus: Sendable, Hashable, Codable, CustomStringConvertible {
    /// Its name, such as `parked`, as lists and JSON have it.
    public let description: String

    init(_ condition: RunCondition) { description = condition.rawValue }

    /// The state of that word, such as `parked`; nil where there is none.
    public init?(_ word: String) {
      guard let condition = RunCondition(rawValue: word) else { return nil }
      self.init(condition)
    }

    /// A process is running it.
    public static let running = RunStatus(.running)
    /// It waits for a person's answer.
    public static let parked = RunStatus(.parked)
    /// All its questions are answered; it can be resumed.
    public static let answered = RunStatus(.answered)
    /// It was stopped on purpose; it can be resumed.
    public static let interrupted = RunStatus(.interrupted)
    /// Its process ended without closing it; it can be resumed.
    public static let died = RunStatus(.died)
    /// It has its answer.
    public static let done = RunStatus(.done)
    /// It failed. It can be resumed once the reason is gone.
    public static let failed = RunStatus(.failed)
    /// It was ended for good.
    public static let cancelled = RunStatus(.cancelled)

    var condition: RunCondition? { RunCondition(rawValue: description) }

    /// Whether it can be resumed without anybody deciding or fixing anything first.
    public var canResume: Bool { condition?.canGoOn ?? false }
  }

  /// A run as lists have it.
  public struct RunSummary: Sendable, Hashable, Codable, Identifiable {
    /// The run's id.
    public var id: String
    /// How it stands.
    public var status: RunStatus
    /// The persona or agent.
    public var persona: String
    /// The conversation that it belongs to.
    public var session: String?
    /// Whose run it is.
    public var user: String
    /// What it was asked.
    public var input: String
    /// What it has cost so far.
    public var cost: Dollars
    /// Whether a process is running it now.
    public var isAlive: Bool
    /// How many questions wait for people.
    public var openQuestions: Int
    /// How many lines its journal has.
    public var journalLines: Int
    /// The run that it is a fork of.
    public var forkOf: String?
    /// When it began, in milliseconds since 1970.
    public var startedAt: Int64
    /// When its journal last changed, in milliseconds since 1970.
    public var changedAt: Int64
    /// Identifies the persona as it was; empty for a run without one, which cannot be resumed.
    public var personaDigest: String

    package init(_ found: RunArchive.Found) {
      let record = found.run.record
      id = record.id.text
      status = RunStatus(found.condition)
      persona = record.persona
      session = record.session
      user = record.user
      input = record.input
      cost = Dollars(found.run.cost)
      isAlive = found.run.isAlive
      openQuestions = found.run.waiting
      journalLines = found.run.lines
      forkOf = record.forkOf?.text
      startedAt = record.startedAt.milliseconds
      changedAt = found.run.changedAt.milliseconds
      personaDigest = record.personaDigest
    }
  }

  /// Which runs are wanted. What is left out is not asked for.
  public struct RunQuery: Sendable, Hashable {
    /// The conversation.
    public var session: String?
    /// The persona or agent.
    public var persona: String?
    /// Whether runs are included that rasa makes for itself beside what it is asked: vectors of what is remembered, summaries of
    /// conversations. They are always included where `persona` names them.
    public var includesInternal = false
    /// Whose runs they are; nil for those of all users.
    public var user: String?
    /// Any of these; empty for all.
    public var statuses: Set<RunStatus> = []
    /// The most runs that are returned, at least 1.
    public var limit = 20

    /// All runs but internal ones, the newest 20.
    public init() {}
  }

  /// A line of a run's journal.
  public struct JournalLine: Sendable, Hashable, Codable {
    /// Its place in the journal, counted from 1.
    public var sequence: Int
    /// When it was written, in milliseconds since 1970.
    public var time: Int64
    /// What it tells, such as `call.result`. More kinds may come.
    public var kind: String
    /// The place in the run that it is about.
    public var key: String?
    /// What it says.
    public var body: JSON

    init(_ entry: JournalEntry, sequence: Int) {
      self.sequence = sequence
      time = entry.time.milliseconds
      kind = entry.kind
      key = entry.key
      body = JSON(entry.body)
    }
  }

  /// A call of a model as the books have it.
  public struct LedgerCall: Sendable, Hashable, Codable {
    /// The reservation's id.
    public var reservation: String
    /// The place in the run.
    public var key: String
    /// The provider that was asked.
    public var provider: String
    /// The model that was asked.
    public var model: String
    /// What was held for it.
    public var held: Dollars
    /// What it cost; nil while it is under way.
    public var cost: Dollars?
    /// What was used, as JSON; `null` while it is under way.
    public var usage: JSON
    /// How the reservation stands: `held` or `settled`; more may come.
    public var status: String
    /// What came of it: `answered`, `failed`, `cancelled`, `uncertain`; more may come.
    public var outcome: String?
    /// When the money was held, in milliseconds since 1970.
    public var madeAt: Int64
    /// When it was settled, in milliseconds since 1970.
    public var settledAt: Int64?

    init(_ call: CallRecord) {
      reservation = call.reservation.text
      key = call.key
      provider = call.provider
      model = call.model
      held = Dollars(call.amount)
      cost = call.actual.map { Dollars($0) }
      usage = JSON(call.usage?.document ?? .null)
      status = "\(call.state)"
      outcome = call.outcome?.rawValue
      madeAt = call.madeAt.milliseconds
      settledAt = call.settledAt?.milliseconds
    }
  }

  /// One run with everything that its journal tells.
  public struct RunDetails: Sendable {
    /// The run as lists have it.
    public var summary: RunSummary
    /// The steps, calls, decisions and totals, as `rasa runs show --json` prints them.
    public var timeline: JSON
    /// The way of the run as a Mermaid diagram.
    public var diagram: String
    /// Why the journal cannot be read beyond some line; nil when all of it can.
    public var damage: RasaError?
  }

  package var archive: RunArchive { RunArchive(composition: composition, store: store) }

  /// The runs that fit, the newest first.
  ///
  /// - Throws: A `RasaError` of code `storage` when the database cannot be read.
  public func runs(_ query: RunQuery = RunQuery()) async throws(RasaError) -> [RunSummary] {
    let conditions = Set(query.statuses.compactMap(\.condition))
    // A status of a later version is that of no run here.
    guard query.statuses.isEmpty || !conditions.isEmpty else { return [] }
    return try await redacted {
      try await archive.list(
        session: query.session, persona: query.persona, user: query.user,
        includesInternal: query.includesInternal || query.persona != nil,
        conditions: conditions, limit: max(1, query.limit)
      ).map { RunSummary($0) }
    }
  }

  /// The run of that id, or of the one id that begins so.
  ///
  /// - Throws: A `RasaError` of code `usage` when there is none, or more than one.
  public func run(withID id: String) async throws(RasaError) -> RunSummary {
    try await redacted { RunSummary(try await archive.find(id)) }
  }

  /// The run with what its journal tells.
  ///
  /// - Throws: A `RasaError` of code `usage` when there is no such run. A damaged journal is no error:
  ///   what could be read is returned, and `damage` says why the rest could not.
  public func details(ofRun id: String) async throws(RasaError) -> RunDetails {
    try await redacted {
      let account = try await archive.account(of: try await archive.find(id))
      return RunDetails(
        summary: RunSummary(account.found), timeline: JSON(.object(account.timeline.document)),
        diagram: account.timeline.mermaid, damage: account.damage.map { RasaError($0) })
    }
  }

  /// The lines of a run's journal after the given one, in their order.
  ///
  /// - Parameters:
  ///   - id: The run.
  ///   - sequence: The last line that is known already; 0 for none.
  /// - Throws: A `RasaError` of code `storage` where the journal is damaged; `journal` gives what can be
  ///   read all the same.
  public func events(
    ofRun id: String, after sequence: Int = 0
  ) async throws(RasaError) -> [JournalLine] {
    let (lines, damage) = try await journal(ofRun: id, after: sequence)
    if let damage { throw damage }
    return lines
  }

  /// The lines of a run's journal as far as they can be read, and why no further; nil for all of them.
  public func journal(
    ofRun id: String, after sequence: Int = 0
  ) async throws(RasaError) -> (lines: [JournalLine], damage: RasaError?) {
    try await redacted {
      let run = try await archive.find(id).id
      let reading = try await store.journal(of: run, after: sequence)
      let lines = reading.entries.enumerated().map {
        JournalLine($0.element, sequence: sequence + $0.offset + 1)
      }
      return (lines, reading.damage.map { RasaError($0) })
    }
  }

  /// The calls of a run as the books have them.
  public func calls(ofRun id: String) async throws(RasaError) -> [LedgerCall] {
    try await redacted {
      try await store.calls(of: try await archive.find(id).id).map { LedgerCall($0) }
    }
  }
}

// MARK: Resuming, ending

extension Rasa {
  /// What came of a request to cancel a run. More cases may come.
  public struct Cancellation: Sendable, Hashable {
    private enum Kind: Sendable, Hashable { case cancelled, requested, ended }
    private let kind: Kind
    /// How the run stands now, in the word of its record.
    public let status: String

    private init(_ kind: Kind, _ status: String) {
      self.kind = kind
      self.status = status
    }

    init(_ receipt: CancelReceipt) {
      switch receipt {
      case .cancelled: self.init(.cancelled, "cancelled")
      case .asked: self.init(.requested, "running")
      case .ended(let status): self.init(.ended, status.rawValue)
      }
    }

    /// Whether the run is ended for good.
    public var isCancelled: Bool { kind == .cancelled }
    /// Whether a process is running it and has been asked to stop.
    public var isRequested: Bool { kind == .requested }
    /// Whether the run had come to its end before.
    public var hadEnded: Bool { kind == .ended }
  }

  /// Resumes a run that no process is running, from where its journal ends. What was paid for is not
  /// paid for again.
  ///
  /// - Parameters:
  ///   - id: The run.
  ///   - options: What is to be different from here on; the rest is as the run began.
  ///   - approve: Decides what a person is asked.
  /// - Returns: The run, which has started.
  /// - Throws: A `RasaError` when there is no such run, it was cancelled, another process has it, or its
  ///   persona has changed since and `usesPinnedFiles` is not set.
  public func resume(
    _ id: String, options: RunOptions = RunOptions(), approve: ApprovalHandler? = nil
  ) async throws(RasaError) -> Run {
    try await ready(toResume: id, options: options, approve: approve).start()
  }

  /// How a fork differs from its origin.
  public struct ForkOptions: Sendable {
    /// The last line of the origin's journal that is taken over; nil for all of them.
    public var sequence: Int?
    /// Values to set, by key, such as `critique.verdict`.
    public var changes: Pairs<JSON> = [:]
    /// Another persona, by name or path; nil for that of the origin.
    public var persona: String?
    /// Another input.
    public var input: String?
    /// How the fork is to go. Preferences are added to those of the origin.
    public var run = RunOptions()

    /// A fork that only begins again.
    public init() {}

    func plan(of origin: Identifier) -> ForkPlan {
      var plan = ForkPlan(origin: origin)
      plan.sequence = sequence
      for key in changes.names { plan.changes[key] = changes[key]?.value }
      plan.persona = persona
      plan.input = input
      plan.preferences = run.plan("").preferences
      return plan
    }
  }

  /// What a fork takes over and what the rest of it costs at most.
  public struct ForkForecast: Sendable, Hashable {
    /// How many answers are taken over.
    public var reusedCalls: Int
    /// What they cost when they were given.
    public var saved: Dollars
    /// How many calls may follow at most.
    public var mostCalls: Int
    /// What they cost at most, as far as prices are known.
    public var mostCost: Dollars
    /// Whether the prices of all of them are known.
    public var knowsPrices: Bool
    /// Whether no call is left.
    public var isComplete: Bool
    /// The operators whose calls are left, as far as they are known before.
    public var asks: [String]
  }

  /// Says what a fork would take over and cost. Nobody is asked.
  public func forecast(
    forkOf id: String, _ options: ForkOptions = ForkOptions()
  ) async throws(RasaError) -> ForkForecast {
    try await ready(forkOf: id, options).forecast(warn: { self.warn(Warning($0)) })
  }

  /// Starts a new run that reuses every answer of another one whose request is the same.
  ///
  /// - Returns: The run, which has started.
  public func fork(
    _ id: String, _ options: ForkOptions = ForkOptions(), approve: ApprovalHandler? = nil
  ) async throws(RasaError) -> Run {
    try await ready(forkOf: id, options, approve: approve).run.start()
  }

  /// Ends a run for good, or asks the process that is running it to stop.
  ///
  /// - Throws: A `RasaError` of code `usage` when there is no such run. One that had ended is no error.
  @discardableResult
  public func cancel(_ id: String) async throws(RasaError) -> Cancellation {
    try await redacted {
      let record = try await archive.find(id).run.record
      let facts =
        record.hasPersona ? composition.performanceFacts(of: record.input, record.id) : nil
      return Cancellation(try await store.requestCancel(record.id, facts))
    }
  }

  /// Deletes runs with their journals and questions. What was spent stays in the books, what was
  /// remembered in the memories.
  ///
  /// - Returns: The ids of the runs that were deleted.
  /// - Throws: A `RasaError` before anything is deleted when one of the runs does not exist, or a process
  ///   is running it.
  @discardableResult
  public func deleteRuns(_ ids: [String]) async throws(RasaError) -> [String] {
    try await redacted {
      var found: [Identifier] = []
      for id in ids {
        let run = try await archive.find(id).id
        if !found.contains(run) { found.append(run) }
      }
      return try await store.deleteRuns(found).map(\.text)
    }
  }

  /// What was deleted, or would be.
  public struct PruneReport: Sendable, Hashable, Codable {
    /// The ids of the runs.
    public var runs: [String]
    /// How many bytes their journals take.
    public var bytes: Int
  }

  /// Deletes runs that have ended.
  ///
  /// - Parameters:
  ///   - age: How long ago they must have ended.
  ///   - statuses: `done`, `failed` and `cancelled`, unless only some of these are given; `parked` also
  ///     deletes runs that could be resumed, whatever they wait for.
  ///   - isDryRun: Whether they are only counted.
  /// - Throws: A `RasaError` of code `usage`, before anything is deleted, for any other status.
  @discardableResult
  public func pruneRuns(
    endedBefore age: Duration = .zero, statuses: Set<RunStatus> = [], isDryRun: Bool = false
  ) async throws(RasaError) -> PruneReport {
    try await redacted {
      let known: [RunStatus: RunRecord.Status] = [
        .done: .done, .failed: .failed, .cancelled: .cancelled, .parked: .parked,
      ]
      if let other = statuses.first(where: { known[$0] == nil }) {
        throw Failure(
          .usage, "runs of the status \(quoted(other.description)) cannot be pruned",
          suggestion: "name `done`, `failed`, `cancelled` or `parked`, or delete single runs")
      }
      let named = Set(statuses.compactMap { known[$0] })
      // No run is 30,000 years old, and nothing overflows below that.
      let seconds = min(max(age.components.seconds, -1_000_000_000_000), 1_000_000_000_000)
      let milliseconds = seconds * 1000 + age.components.attoseconds / 1_000_000_000_000_000
      let before = composition.time.now().milliseconds - milliseconds
      let report = try await store.pruneRuns(
        endedBefore: Timestamp(milliseconds: before),
        statuses: named.isEmpty ? [.done, .failed, .cancelled] : named, dryRun: isDryRun)
      return PruneReport(runs: report.runs.map(\.text), bytes: report.bytes)
    }
  }
}

extension Rasa.RunSummary {
  /// Sees whether the run can be resumed at all.
  ///
  /// - Throws: A `RasaError` of code `usage` for one that was cancelled, and for one without a persona.
  public func checkResumable() throws(RasaError) {
    if status == .cancelled {
      throw RasaError(
        .usage, "\(id) was cancelled, so it cannot be resumed",
        suggestion: "`rasa runs fork \(id)` starts a new run that reuses what it has paid for")
    }
    guard personaDigest.isEmpty else { return }
    let isEmbedding = persona == EmbeddingMatcher.owner
    throw RasaError(
      .usage,
      isEmbedding
        ? "\(id) only computed embeddings, so it cannot be resumed"
        : "\(id) only passed a request on, so it cannot be resumed",
      suggestion: isEmbedding
        ? "`rasa agents recommend` asks for what is missing" : "pass the request on again")
  }
}

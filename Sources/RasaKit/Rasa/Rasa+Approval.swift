package import RasaCore
package import RasaEngine
import RasaPersona
import RasaStore
import RasaSystem

extension Rasa {
  /// What a person is asked. An approval covers exactly this payload, once.
  public struct Approval: Sendable, Hashable, Identifiable {
    /// Something that helps to decide.
    public struct Context: Sendable, Hashable {
      /// What it is called.
      public var name: String
      /// What it says.
      public var text: String
    }

    /// The same for the same question of the same run; `Rasa.answer` takes it.
    public var id: String
    /// The run that asks.
    public var run: String
    /// The operator that asks, and the frame that it works in.
    public var step: Step
    /// The question in the operator's words.
    public var title: String
    /// What is decided about: text, or JSON where it is no text.
    public var payload: String
    /// Whether the user is asked for something, and not about something: `.answer` answers it. The
    /// payload is then what is asked, and the JSON Schema of the answer, if it is to have one, is in
    /// `schema`.
    public var wantsAnswer: Bool
    /// The JSON Schema of the answer; nil where a text is asked for.
    public var schema: String?
    /// What helps to decide.
    public var context: [Context]
    /// Spent so far in this run.
    public var spent: Dollars
    /// Whether a tool is to be used: the payload is then its name and its exact arguments.
    public var isPermission: Bool { question.form == .permission }
    /// The tool that is to be used; nil for other questions.
    public var tool: String? { question.permission?.tool }
    /// The tool that wants to know something, in its own words, which nobody has checked; nil for other questions.
    public var askingTool: String? {
      question.key.useThatAsked == nil ? nil : question.payload["tool"].string
    }
    /// What is at stake with a tool, in a few words; empty for other questions.
    public var risk: String { question.permission?.risk ?? "" }
    /// Why a person is asked about a tool; empty for other questions.
    public var because: String { question.permission?.because ?? "" }
    /// Where private data, content of strangers and a way out come from, if a use would bring them
    /// together: a line for each.
    public var sources: [String] { question.permission?.sources ?? [] }
    /// How many different people have to approve.
    public var people: Int { question.permission?.people ?? 1 }
    /// The rule that `.grant(nil)` stores, as a person reads and edits it; nil where each use is decided by
    /// itself.
    public var proposedGrant: String? {
      question.permission?.proposal.flatMap { try? ToolGrant.rule($0.json(.compact)).text }
    }
    let question: Question

    init(_ approval: RasaEngine.Approval) {
      self.init(approval.question, id: approval.id, run: approval.run.text)
    }

    package init(_ question: Question, id: String, run: String) {
      self.id = id
      self.run = run
      let key = question.key
      step = Step(
        RasaEngine.Step(frame: key.frame, visit: key.visit, operatorName: key.operatorName))
      title = question.title
      payload = question.form == .answer ? question.asks : question.payload.promptText
      wantsAnswer = question.form == .answer
      schema = question.form == .answer ? question.schema?.json(.compact) : nil
      context = question.context.map { Context(name: $0.name, text: $0.text) }
      spent = Dollars(question.spent)
      self.question = question
    }
  }

  /// What a person decides.
  public enum Decision: Sendable, Hashable {
    /// The payload is good as it is.
    case approve
    /// A replacement of the whole payload: a text for a text, else JSON that fits. For a tool, its arguments.
    case edit(String)
    /// The tool may be used so, and in this session also without asking where a pattern covers the use: a rule
    /// as in policy.yaml, or nil for `Approval.proposedGrant`.
    case grant(String?)
    /// The operator sees the reason, and writes again.
    case reject(reason: String)
    /// A correction: what runs from the short-term frame on runs again.
    case feedback(String)
    /// What the user is asked for: a text, or JSON that fits the schema.
    case answer(String)
    /// What the user is asked for, member by member, as a person writes it: see `Approval.fields`.
    case members(Pairs<String>)
    /// The answer that counts when nobody gives one: see `Approval.standard`.
    case standard
    /// The decision of somebody else than the user of the run, as journals name them.
    indirect case by(String, Decision)
    /// Somebody answers later, with `Rasa.answer` or `rasa approvals`: the run goes as far as it can, and
    /// waits.
    case later
  }

  /// Decides what a person is asked. It may take its time; an error that it throws ends the run, which
  /// can go on later.
  public typealias ApprovalHandler = @Sendable (Approval) async throws -> Decision
}

extension Question {
  /// A decision of the library's caller; nil for one that comes later.
  package func answer(
    _ decision: Rasa.Decision, by user: String
  ) throws(Failure) -> HumanAnswer? {
    switch decision {
    case .approve:
      if form == .answer { throw mustBeAnswered }
      return HumanAnswer(.approve, by: user)
    case .edit(let text): return try edit(text, by: user)
    case .grant(let pattern): return try grant(pattern, by: user)
    case .reject(let reason):
      return HumanAnswer(.reject, text: reason.isEmpty ? .null : .string(reason), by: user)
    case .feedback(let text):
      if form == .answer { throw mustBeAnswered }
      return HumanAnswer(.feedback, text: .string(text), by: user)
    case .answer(let text): return try reply(text, by: user)
    case .members(let members):
      return try reply(members: members.names.map { ($0, members[$0] ?? "") }, by: user)
    case .standard:
      // Never invent an answer: only a default declared in the operator's file counts.
      return standard.map { HumanAnswer(.answer, text: $0, by: user) }
    case .by(let name, let decision): return try answer(decision, by: name)
    case .later: return nil
    }
  }
}

/// Asks the caller of the library.
struct CallerApprovalHandler: ApprovalHandler {
  let run: Identifier
  let user: String
  let approve: Rasa.ApprovalHandler?

  func decide(_ question: Question) async throws -> HumanAnswer? {
    guard let approve else { return nil }
    let id = RasaEngine.Approval.identity(
      run: run, key: question.key, payloadDigest: question.payloadDigest)
    do {
      let decision = try await approve(Rasa.Approval(question, id: id, run: run.text))
      return try question.answer(decision, by: user)?.having(
        shown: question.payloadDigest, uid: ProcessUser.number)
    } catch {
      throw RasaError.failure(of: error)
    }
  }
}

// MARK: Questions that wait

extension Rasa {
  /// A question as lists have it.
  public struct ApprovalRecord: Sendable, Hashable, Identifiable {
    /// How a question stands. More states may come.
    public struct Status: Sendable, Hashable, Codable, CustomStringConvertible {
      /// Its name, such as `parked`, as lists and JSON have it.
      public let description: String

      private init(_ word: String) { description = word }

      init(_ standing: RasaEngine.Approval.Standing) {
        switch standing {
        case .pending: self = .pending
        case .answered: self = .answered
        case .expired: self = .expired
        case .withdrawn: self = .withdrawn
        }
      }

      /// It waits for an answer.
      public static let pending = Status("pending")
      /// It was answered.
      public static let answered = Status("answered")
      /// Nobody answered in time.
      public static let expired = Status("expired")
      /// The run no longer waits for it.
      public static let withdrawn = Status("withdrawn")
    }

    /// The id of the question.
    public var id: String { approval.id }
    /// What is asked.
    public var approval: Approval
    /// How it stands.
    public var status: Status
    /// When it was asked, in milliseconds since 1970.
    public var askedAt: Int64
    /// Until when it can be answered, in milliseconds since 1970; nil for always.
    public var expiresAt: Int64?
    /// Who answered it.
    public var answeredBy: String?
    /// What was decided: `approve`, `edit`, `reject`, `feedback` or `answer`.
    public var decision: String?
    /// What was written with the decision.
    public var answer: JSON
    /// When it was answered, in milliseconds since 1970.
    public var answeredAt: Int64?
    /// The SHA-256 of what is decided about: an answer counts for exactly that.
    public var payloadDigest: String
    /// Who has approved so far, where more than one person has to.
    public var approvedBy: [String]
    /// Whether nobody answered in time, and it waits all the same.
    public var isEscalated: Bool

    init(_ approval: RasaEngine.Approval) {
      self.approval = Approval(approval)
      payloadDigest = approval.payloadDigest
      approvedBy = approval.votes.map(\.by)
      isEscalated = approval.isEscalated
      status = Status(approval.standing)
      askedAt = approval.askedAt.milliseconds
      expiresAt = approval.expiresAt?.milliseconds
      answer = .null
      if case .answered(let answer, let moment) = approval.standing {
        answeredAt = moment.milliseconds
        answeredBy = answer.by
        decision = answer.decision.rawValue
        self.answer = JSON(answer.text)
      }
    }
  }

  /// The questions that wait for people, the oldest first.
  ///
  /// - Parameters:
  ///   - run: Only those of this run.
  ///   - includingSettled: Whether those are listed that wait no longer.
  ///   - limit: The most that are returned.
  public func approvals(
    ofRun run: String? = nil, includingSettled: Bool = false, limit: Int = 20
  ) async throws(RasaError) -> [ApprovalRecord] {
    try await redacted {
      var id: Identifier?
      if let run { id = try await RunArchive(composition: composition, store: store).find(run).id }
      return try await store.approvals(
        ApprovalFilter(onlyPending: !includingSettled, run: id), limit: max(1, limit)
      ).map { ApprovalRecord($0) }
    }
  }

  /// The question of that id, or of the one id that begins so.
  ///
  /// - Throws: A `RasaError` of code `usage` when there is none.
  public func approval(withID id: String) async throws(RasaError) -> ApprovalRecord {
    try await redacted { ApprovalRecord(try await archive.approval(id)) }
  }

  /// Answers a question. Of several answers the first counts.
  ///
  /// - Parameters:
  ///   - id: The question.
  ///   - decision: What is decided; `.later` changes nothing.
  ///   - user: Who decides; nil for the user of this `Rasa`.
  /// - Returns: The question as it stands now. `resume(_:)` continues its run.
  /// - Throws: A `RasaError` of code `approval` when it waits no longer, and of code `usage` when there is
  ///   no such question or the answer does not have the form that is asked for.
  @discardableResult
  public func answer(
    approval id: String, _ decision: Decision, as user: String? = nil
  ) async throws(RasaError) -> ApprovalRecord {
    try await redacted {
      let approval = try await archive.approval(id)
      guard
        let answer = try approval.question.answer(decision, by: composition.user(user))?
          .having(shown: approval.payloadDigest, uid: ProcessUser.number)
      else { return ApprovalRecord(approval) }
      switch try await store.answer(approval.id, answer) {
      case .accepted(let now), .counted(let now): return ApprovalRecord(now)
      case .late(let now):
        throw Failure(
          .approval,
          "\(now.id) waits for no answer any more: it is \(ApprovalRecord.Status(now.standing))",
          suggestion: "look at it with `approval(withID:)`")
      case .unknown: throw Failure(.usage, "\(approval.id) has been deleted meanwhile")
      }
    }
  }
}

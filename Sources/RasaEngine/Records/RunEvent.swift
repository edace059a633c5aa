package import RasaCore

/// An event of a run: a line of its journal.
///
/// `started`, `contextOpened` and `operatorFinished` are what the state is folded from; the others
/// say, for people, what followed from them.
package enum RunEvent: Sendable, Hashable {
  case started(RunStart)
  case contextOpened(Value)
  case frameEntered(frame: String, visit: Int)
  case operatorFinished(Step, OperatorOutcome)
  /// A route, transition or decision led somewhere else than onwards.
  case moved(from: String, to: String, reason: String)
  /// A route would have led back once more, but has reached its bound: the run continues.
  case objected(RouteLimitReached)
  case asked(Approval)
  case answered(Approval, HumanAnswer)
  case warned(String)
  /// A stopped run continues: in another process, or after a person's answer.
  case resumed(by: String)
  /// The run has stopped and can go on: it waits for answers, or was interrupted.
  case parked(Parking)
  /// What a fork changes before its first operator runs.
  case changed(ValueObject)
  case finished(output: Value)
  case failed(Failure)
}

/// What a run begins with.
package struct RunStart: Sendable, Hashable {
  package var run: Identifier
  package var persona: String
  package var personaDigest: String
  package var session: String?
  package var user: String
  package var input: String
  package var preferences: ValueObject
  /// The options of the run, for whoever resumes it: which model, how
  /// much it may cost. The engine looks at `asOf` and `clientTools`.
  package var options: ValueObject
  /// For a fork: where it comes from.
  package var fork: ForkPoint?
  /// Files that belong to the input.
  package var attachments: [Attachment]
  /// What was found around it, for its context: `skills`, `project`. Not a part of the line of its start.
  package var surroundings = ValueObject()
  /// What a reader of the answer has to know of how it came to this run. Each becomes a line of its own.
  package var notices: [RunNotice] = []
  /// The decision that chose its agent and model. Not a part of the line of its start.
  package var decision: StoredDecision?

  package init(
    run: Identifier, persona: String, personaDigest: String, session: String? = nil,
    user: String = "", input: String, preferences: ValueObject = ValueObject(),
    options: ValueObject = ValueObject(), fork: ForkPoint? = nil, attachments: [Attachment] = []
  ) {
    self.attachments = attachments
    self.run = run
    self.persona = persona
    self.personaDigest = personaDigest
    self.session = session
    self.user = user
    self.input = input
    self.preferences = preferences
    self.options = options
    self.fork = fork
  }
}

extension RunStart {
  package var sessionID: SessionID? { session.map { SessionID($0, of: user) } }

  /// The moment of which the run recalls what held and had been said; nil for now.
  package var asOf: Timestamp? { Self.asOf(in: options) }

  package static let asOfOption = "as_of_ms"

  /// Whether it is a trial of an evaluation, which says nothing of how its persona does in real work.
  package var isEvaluation: Bool { options[Self.evaluationOption]?.bool == true }

  package static let evaluationOption = "evaluation"
  /// Whether a server carries it out, and resumes it after a restart.
  package static let servedOption = "served"

  package static func asOf(in options: ValueObject) -> Timestamp? {
    options[asOfOption]?.int.map { Timestamp(milliseconds: $0) }
  }
}

/// Where a fork leaves the run it comes from, and what it changes there.
package struct ForkPoint: Sendable, Hashable {
  package var run: Identifier
  /// The last line of that run's journal that the fork takes over; nil for all of them.
  package var sequence: Int?
  /// Keys that have another value from there on.
  package var changes: ValueObject

  package init(run: Identifier, sequence: Int? = nil, changes: ValueObject = ValueObject()) {
    self.run = run
    self.sequence = sequence
    self.changes = changes
  }
}

/// Why a run has stopped before its end.
package struct Parking: Sendable, Hashable {
  package enum Reason: String, Sendable, Hashable {
    /// Questions wait for people.
    case approval
    /// Somebody stopped it.
    case interrupted
  }
  package var reason: Reason
  /// The approvals that it waits for.
  package var waitsFor: [String]

  package init(_ reason: Reason, waitsFor: [String] = []) {
    self.reason = reason
    self.waitsFor = waitsFor
  }
}

/// One pass through one operator: where, and which round of it.
package struct Step: Sendable, Hashable {
  package var frame: String
  package var visit: Int
  package var operatorName: String
  /// Further rounds come from a person's rejection.
  package var round: Int
  /// Whether this is the person's look at what the operator wrote.
  package var isReview: Bool

  package init(
    frame: String, visit: Int, operatorName: String, round: Int = 1, isReview: Bool = false
  ) {
    self.frame = frame
    self.visit = visit
    self.operatorName = operatorName
    self.round = round
    self.isReview = isReview
  }

  /// Whether the two are one, or one is the review of the other.
  func isSamePass(as other: Step) -> Bool {
    var other = other
    other.isReview = isReview
    return self == other
  }

  /// The key of an effect in this step.
  package func effect(_ label: String, occurrence: Int = 1) -> EffectKey {
    EffectKey(
      frame: frame, visit: visit, operatorName: operatorName,
      label: round == 1 ? label : "\(label)@\(round)", occurrence: occurrence)
  }
}

package enum OperatorOutcome: Sendable, Hashable {
  case wrote([Update])
  /// `on_error: {else: skip}`.
  case skipped(reason: String)
  /// What a person decided, for `human` operators and reviews.
  case answered(HumanAnswer)
}

package struct HumanAnswer: Sendable, Hashable {
  package enum Decision: String, Sendable, Hashable {
    case approve, edit, reject, feedback
    /// What an operator asked the user for.
    case answer
  }
  package var decision: Decision
  /// The replacement of an edit, the reason of a rejection, the text of a correction, the answer.
  package var text: Value
  package var by: String
  /// The digest of what the person had before their eyes; nil when nobody looked at anything. The
  /// journal takes no answer that was given to something else than what was asked.
  package var shown: String?
  /// The number of the user of this machine who answers; nil where that is nobody's.
  package var uid: UInt32?
  /// With an approval: what is allowed from now on without being asked, as `ToolRule.value`.
  package var grant: Value?

  package init(_ decision: Decision, text: Value = .null, by: String, shown: String? = nil) {
    self.decision = decision
    self.text = text
    self.by = by
    self.shown = shown
  }

  package func having(shown: String, uid: UInt32? = nil) -> HumanAnswer {
    var answer = self
    answer.shown = shown
    answer.uid = uid
    return answer
  }
}

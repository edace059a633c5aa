import RasaCore

/// What observers receive during a run.
package enum RunProgress: Sendable {
  /// A line of the journal.
  case event(RunEvent)
  case operatorStarted(Step, kind: String)
  /// The model that answers this step.
  case modelChosen(Step, provider: String, model: String)
  /// Text of a step, whether it is shown to the user or held back.
  case textArrived(Step, String)
  /// What a step has written so far no longer counts: it writes it again, or nothing.
  case restarted(Step, Restart)
  /// A route led back to an earlier operator.
  case sentBack(SentBack)
  case operatorEnded(Step, answers: [ModelAnswer])
  /// A piece of the output, in order: what the user reads.
  case output(String)
  case reasoning(Step, String)
  /// A tool is used.
  case tool(Step, ToolActivity)
  /// Something that a reader of the answer has to know and cannot see from it.
  case notice(RunNotice)
}

/// Why what a step has written so far no longer counts.
package struct Restart: Sendable, Hashable {
  package enum Cause: Sendable, Hashable {
    /// The stream broke; another try begins.
    case brokenStream
    /// It was no text of the answer: the model was thinking.
    case reasoning
    /// The model went on to call tools: what it said before is not the answer.
    case toolCalls
    /// The operator asks again.
    case askedAgain
    /// The operator failed, and the run continues without it.
    case leftOut
  }
  package var cause: Cause
  package var reason: String
  /// How many bytes of the output still count; nil where nothing that was shown is taken back.
  package var keeps: Int?
  package var wasShown: Bool { keeps != nil }

  package init(_ cause: Cause, _ reason: String, keeps: Int? = nil) {
    self.cause = cause
    self.reason = reason
    self.keeps = keeps
  }
}

/// A route back that was taken, with the reasons of the operator that took it.
package struct SentBack: Sendable, Hashable {
  package var from: String
  package var to: String
  package var reasons: [String]
  /// How often it has been taken by now, and how often it may be; nil for a route without a bound.
  package var times: Int?
  package var most: Int?

  package init(from: String, to: String, reasons: [String], times: Int?, most: Int?) {
    self.from = from
    self.to = to
    self.reasons = reasons
    self.times = times
    self.most = most
  }
}

/// Awaited. One that may wait for its reader is called by a `RunBuffer`: see `RunOptions.readerTakesNow`.
package typealias RunObserver = @Sendable (RunProgress) async throws -> Void

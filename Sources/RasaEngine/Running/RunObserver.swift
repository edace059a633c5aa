import RasaCore

/// What is shown while a run goes on.
package enum RunProgress: Sendable {
  /// A line of the journal.
  case event(RunEvent)
  case operatorStarted(Step, kind: String)
  /// The model that answers this step.
  case modelChosen(Step, provider: String, model: String)
  /// Text of a step, whether it is shown to the user or held back.
  case textArrived(Step, String)
  /// The stream of a step broke and starts again.
  case restarted(Step, reason: String, wasShown: Bool)
  case operatorEnded(Step, answers: [ModelAnswer])
  /// A piece of the output, in order: what the user reads.
  case output(String)
  case reasoning(Step, String)
  /// Something that a reader of the answer has to know and cannot see from it.
  case notice(RunNotice)
}

/// Awaited, so that a slow reader slows the run down instead of filling memory.
package typealias RunObserver = @Sendable (RunProgress) async throws -> Void

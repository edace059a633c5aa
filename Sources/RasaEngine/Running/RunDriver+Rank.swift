import RasaCore

extension RunDriver {
  /// Drives the run with one operator at a time, in an order that somebody else decides.
  mutating func advanceToEnd(
    _ procedure: OperatorProcedure, by rank: (Step) -> Int
  ) async throws {
    var open: [Invocation] = []
    while machine.isRunning {
      open += machine.due()
      try await emitPending()
      guard machine.isRunning,
        let next = open.indices.min(by: { rank(open[$0].step) < rank(open[$1].step) })
      else { break }
      guard runState.secondsLeft(at: dependencies.time.monotonic()) > 0 else {
        throw runState.timeoutFailure(at: dependencies.time.monotonic())
      }
      try await apply(try await procedure.perform(open.remove(at: next)))
    }
  }
}

import RasaCore

extension RunDriver {
  /// Drives the run with one operator at a time, in an order that somebody else decides.
  mutating func untilEnd(
    _ procedure: OperatorProcedure, by rank: (Step) -> Int
  ) async throws {
    var open: [Invocation] = []
    while machine.isRunning {
      open += machine.due()
      try await tell()
      guard machine.isRunning,
        let next = open.indices.min(by: { rank(open[$0].step) < rank(open[$1].step) })
      else { break }
      guard stage.secondsLeft(at: surroundings.time.monotonic()) > 0 else {
        throw stage.tooLate(at: surroundings.time.monotonic())
      }
      try await apply(try await procedure.perform(open.remove(at: next)))
    }
  }
}

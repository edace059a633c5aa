import RasaCore
import RasaEngine
import RasaStore
import RasaSystem

/// What a run of one of rasa's own personas came to.
struct OwnAnswer: Sendable {
  var output = Value.null
  var cost = Money.zero
  /// As `provider:model`.
  var answeredBy: [String] = []
  var usedMock = false
  /// Why there is no output.
  var failure: Failure?
}

extension RunServices {
  /// Runs one of rasa's own personas, with its books and limits; nobody is asked for approvals. Failures are part of the
  /// answer, because they may have cost something.
  ///
  /// - Throws: when it is cancelled.
  func answer(
    _ graph: Graph, _ plan: RunPlan, _ start: RunStart,
    onWarning: @escaping @Sendable (Warning) -> Void
  ) async throws -> OwnAnswer {
    do {
      let runner = try runner(
        plan, people: CallerApprovalHandler(run: start.run, user: start.user, approve: nil),
        onWarning: onWarning)
      let result = try await cancellable(start.run) { try await runner.run(graph, start) }
      return OwnAnswer(
        output: result.output, cost: result.cost,
        answeredBy: Rasa.RunResult(result, run: start.run.text, warnings: []).answeredBy,
        usedMock: result.usedMock)
    } catch let failure as Failure where failure.kind != .cancelled {
      let spent = try? await store.run(start.run.text)?.cost
      return OwnAnswer(cost: spent ?? .zero, failure: composition.redaction(failure))
    }
  }
}

import RasaCore
import RasaStore

extension RunServices {
  /// Does the work of a run so that the caller's task and `rasa runs cancel` of any process can stop it.
  func cancellable<Result: Sendable>(
    _ run: Identifier, _ work: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let task = Task { try await work() }
    store.onCancelRequest(run) { task.cancel() }
    return try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }
}

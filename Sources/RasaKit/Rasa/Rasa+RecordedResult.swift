import RasaCore
import RasaEngine
import RasaStore

extension Rasa {
  /// What a run came to, as its journal tells it: for a reader who was not there when it ended.
  ///
  /// - Parameter id: The run.
  /// - Returns: The result of a run that is done, or waits for people; `error` says why there is none.
  /// - Throws: A `RasaError` of code `usage` when there is no such run, of code `storage` when its journal is damaged.
  public func result(
    ofRun id: String
  ) async throws(RasaError) -> (result: RunResult, status: RunStatus, error: RasaError?) {
    try await redacted {
      let account = try await archive.account(of: try await archive.find(id))
      if let damage = account.damage { throw damage }
      let record = account.found.run.record
      let pending =
        account.found.condition == .parked
        ? try await store.approvals(ApprovalFilter(onlyPending: true, run: record.id), limit: 100)
        : []
      var output = RasaCore.Value.null
      var error: RasaError?
      switch account.timeline.end {
      case .finished(let answer): output = answer
      case .failed(let failure): error = RasaError(failure)
      case .open, .parked: break
      }
      let result = try RasaEngine.RunResult(
        recordedIn: RunHistory(record: record, entries: account.entries), output: output,
        state: account.walk?.state ?? State(), waitsFor: pending)
      var document = RunResult(result, run: record.id.text, warnings: [])
      document.persona = record.persona
      return (document, RunStatus(account.found.condition), error)
    }
  }
}

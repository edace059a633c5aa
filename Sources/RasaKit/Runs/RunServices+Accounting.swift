import RasaCore
import RasaEngine
import RasaStore

extension RunServices {
  /// Work that has no persona and asks models all the same, in a run of its own: with a journal, and in
  /// the books under the owner's name.
  func running<Result>(
    _ run: Identifier, _ owner: String, input: String, user: String,
    _ work: () async throws -> Result
  ) async throws -> Result {
    let now = composition.time.now()
    let start = RunStart(run: run, persona: owner, personaDigest: "", user: user, input: input)
    store.open(
      RunRecord(
        id: run, session: nil, persona: owner, personaDigest: "", user: user, input: input,
        startedAt: now),
      [RunEvent.started(start).entry(of: run, at: now)])
    do {
      let result = try await work()
      try await close(run, .done, .finished(output: .null))
      return result
    } catch {
      let failure = error as? Failure ?? Failure(.cancelled, "it was interrupted")
      let status: RunRecord.Status = error is Failure ? .failed : .cancelled
      // The first failure is the one that is reported.
      try? await close(run, status, .failed(failure))
      throw error
    }
  }

  /// To its end also when the caller's task has been cancelled.
  private func close(
    _ run: Identifier, _ status: RunRecord.Status, _ event: RunEvent
  ) async throws {
    let store = store
    let entry = event.entry(of: run, at: composition.time.now())
    try await Task { try await store.close(run, RunEnding(status), [entry]) }.value
  }
}

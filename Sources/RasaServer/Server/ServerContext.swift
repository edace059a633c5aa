import RasaCore
import RasaKit

/// What all requests share.
struct ServerContext: Sendable {
  let rasa: Rasa
  let settings: ServerSettings
  let access: Access
  let admission: Admission
  let hub: RunHub
  let turns: Turns
  let audit: AuditLog
  let metrics: Metrics
  let standing: Standing
  let mcp: MCPService
  let mcpSessions = MCPHTTPSessions()

  /// Whether requests are taken.
  final class Standing: Sendable {
    enum Phase: String { case starting, ready, stopping }
    private let state = Locked((phase: Phase.starting, beginning: Task<Void, Never>?.none))

    var phase: Phase {
      get { state.withLock { $0.phase } }
      set { state.withLock { $0.phase = newValue } }
    }

    /// What is done before the first request is answered.
    func begin(_ work: @escaping @Sendable () async -> Void) {
      let task = Task {
        await work()
        state.withLock { state in
          if state.phase == .starting { state.phase = .ready }
        }
      }
      state.withLock { $0.beginning = task }
    }

    /// Returns once the server has begun.
    func begun() async {
      guard phase == .starting else { return }
      await state.withLock { $0.beginning }?.value
    }
  }
}

extension ServerContext {
  /// Goes on with a run that no process carries out.
  func resume(_ run: Rasa.RunSummary) async throws -> RunHub.Live {
    try run.checkResumable()
    if let live = hub.live(run.id) { return live }
    var options = Rasa.RunOptions()
    options.user = run.user
    options.isServed = true
    let lines = try await RunLog.lines(ofRun: run.id, rasa)
    let ready = try await rasa.ready(toResume: run.id, options: options)
    return try hub.start(ready, lines: lines, user: run.user, session: run.session)
  }
}

import RasaCore
import RasaKit

/// The runs that this server carries out: each goes on whoever reads it, and tells its log what happens.
final class RunHub: Sendable {
  /// A run under way.
  struct Live: Sendable {
    let id: String
    let log: RunLog
    let user: String
    let session: String?
    /// Whether it stops when its last reader has gone.
    let parksAlone: Bool
    fileprivate let task: Task<Void, Never>

    /// Parks it.
    func stop() { task.cancel() }
    /// Returns when it has ended or is parked.
    func ended() async { await task.value }
  }

  private struct State {
    var live: [String: Live] = [:]
    var isStopping = false
  }

  let rasa: Rasa
  private let state = Locked(State())

  init(_ rasa: Rasa) { self.rasa = rasa }

  var all: [Live] { state.withLock { Array($0.live.values) } }
  var count: Int { state.withLock { $0.live.count } }

  /// The run, while it is carried out here. One that has ended or is parked is not, although its end is still being looked
  /// after: it can be resumed.
  func live(_ id: String) -> Live? {
    guard let run = state.withLock({ $0.live[id] }), !run.log.isEnded else { return nil }
    return run
  }

  /// The run of that conversation, while it is carried out here.
  func live(inSession session: String, of user: String) -> Live? {
    state.withLock { state in
      state.live.values.first { $0.session == session && $0.user == user && !$0.log.isEnded }
    }
  }

  /// Carries a run out.
  ///
  /// - Parameters:
  ///   - lines: what its journal has told before.
  ///   - parksAlone: whether it stops when its last reader has gone.
  ///   - atEnd: is given the result's document once the run has ended or is parked.
  func start(
    _ ready: Rasa.ReadyRun, lines: [[UInt8]] = [], user: String, session: String?,
    parksAlone: Bool = false, atEnd: @escaping @Sendable (ValueObject) async -> Void = { _ in }
  ) throws(ServerProblem) -> Live {
    let id = ready.id
    let log = RunLog(lines: lines)
    let (begun, begin) = OneTimeSignal.make()
    let task = Task { [rasa] in
      await begun.wait()
      let (document, result) = await Self.carryOut(ready, log, rasa)
      log.end(.object(document))
      await atEnd(document)
      // Nobody waits for the summary of the conversation.
      if let result { _ = await ready.summarise(after: result) }
      // By now the run may have been resumed under the same ID.
      self.state.withLock { state in
        if state.live[id]?.log === log { state.live[id] = nil }
      }
    }
    let live = Live(
      id: id, log: log, user: user, session: session, parksAlone: parksAlone, task: task)
    let isStopping = state.withLock { state in
      if !state.isStopping { state.live[id] = live }
      return state.isStopping
    }
    if isStopping {
      task.cancel()
      begin()
      throw ServerProblem(503, "stopping", "the server stops", retryAfter: 5)
    }
    begin()
    return live
  }

  /// No run starts from now on; those that are carried out are parked once that time is over.
  ///
  /// - Returns: the runs that were parked.
  func stop(within grace: Duration) async -> [String] {
    let left = state.withLock { state in
      state.isStopping = true
      return Array(state.live.values)
    }
    guard !left.isEmpty else { return [] }
    let timer = Task {
      try? await Task.sleep(for: grace)
      for run in left { run.stop() }
    }
    for run in left { await run.ended() }
    timer.cancel()
    return left.map(\.id)
  }

  private static func carryOut(
    _ ready: Rasa.ReadyRun, _ log: RunLog, _ rasa: Rasa
  ) async -> (document: ValueObject, result: Rasa.RunResult?) {
    var observer = Rasa.Observer { observation in log.take(observation) }
    observer.waitsForJournal = true
    observer.warn = { log.add(passing: ["type": "warning", "message": .string($0)]) }
    var document: ValueObject
    var ended: Rasa.RunResult?
    do {
      let result = try await ready.run(observer)
      document = result.document(nil)
      ended = result
    } catch {
      let problem = error as? RasaError ?? RasaError(.run, "\(error)")
      document = ["run": .string(ready.id)]
      let found = try? await rasa.run(withID: ready.id)
      document["status"] = .string(found?.status.description ?? "failed")
      document["persona"] = found.map { .string($0.persona) } ?? .null
      document["session"] = found?.session.map { .string($0) } ?? .null
      document["cost_usd"] = found.map { .string($0.cost.decimalText) } ?? .null
      let isStopped = error is CancellationError || problem.code == .cancelled
      document["error"] =
        isStopped
        ? RasaError(
          .cancelled, "the run was stopped",
          suggestion: "resume it: `POST /v1/runs/\(ready.id)/resume`"
        ).json.value : problem.json.value
    }
    document["type"] = "result"
    return (document, ended)
  }
}

extension RunLog {
  fileprivate func take(_ observation: Rasa.Observation) {
    if case .output(let text) = observation.event { return add(output: text) }
    guard let json = observation.json?.value else { return }
    if case .restarted(_, let restart) = observation.event, let keeps = restart.keptBytes {
      return self.restart(keeps: keeps, json)
    }
    guard let kind = json["type"].string, Rasa.JournalLine.streamed.contains(kind) else {
      return add(passing: json)
    }
    add(line: json)
  }
}

/// Something that happens once.
struct OneTimeSignal: Sendable {
  private let stream: AsyncStream<Void>

  static func make() -> (OneTimeSignal, @Sendable () -> Void) {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    return (OneTimeSignal(stream: stream), { continuation.finish() })
  }

  func wait() async { for await _ in stream {} }
}

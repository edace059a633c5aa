import RasaCore
import RasaDocuments
import RasaHTTPServer
import RasaKit

/// Runs: to start, to follow, to steer, to look at.
enum RunRoutes {
  static let routes: [Route] = [
    Route(
      "POST", "/v1/runs", .scope(.run),
      RouteDescription(
        "Starts a run of a persona or an agent. It goes on whoever reads it, unless `when_left` is `park`.",
        body: RunRequest.schema)
    ) { try await RunStarting.start($0) },
    Route(
      "GET", "/v1/runs", .scope(.read),
      RouteDescription(
        "The newest runs.",
        query: [
          .init(name: "session", about: "Those of a conversation."),
          .init(name: "persona", about: "Those of a persona or agent."),
          .init(name: "status", about: "Those of a status, such as `running`."),
          .init(name: "limit", about: "At most so many.", schema: ["type": "integer"]),
        ])
    ) { try await list($0) },
    Route(
      "GET", "/v1/runs/{id}", .scope(.read),
      RouteDescription("A run with its steps, calls, decisions and output.")
    ) { call in
      let run = try await call.run()
      let details = try await call.rasa.details(ofRun: run.id)
      var document = details.timeline.value.object ?? ValueObject()
      document["status"] = .string(run.status.description)
      document["diagram"] = .string(details.diagram)
      if let damage = details.damage { document["damage"] = damage.json.value }
      return .json(.object(document))
    },
    Route(
      "GET", "/v1/runs/{id}/result", .scope(.read),
      RouteDescription("What a run came to, as `rasa run --json` prints it.")
    ) { call in
      let run = try await call.run()
      guard call.context.hub.live(run.id) == nil, !run.isAlive else {
        return .json(["run": .string(run.id), "status": "running"], status: 202)
      }
      let (result, status, error) = try await call.rasa.result(ofRun: run.id)
      return .json(.object(result.document(status, error, run)))
    },
    Route(
      "GET", "/v1/runs/{id}/events", .scope(.read),
      RouteDescription(
        "What happens in a run, as server-sent events. With the header `Last-Event-ID` it goes on after that event, also "
          + "after a restart of the server.",
        query: [
          .init(name: "after", about: "The same as the header, for clients that cannot set it.")
        ]
      ).answering(["text/event-stream"])
    ) { try await events($0) },
    Route(
      "GET", "/v1/runs/{id}/journal", .scope(.read),
      RouteDescription(
        "The lines of a run's journal.",
        query: [
          .init(name: "after", about: "The last line that is known.", schema: ["type": "integer"])
        ])
    ) { call in
      let run = try await call.run()
      let after = try call.number("after", default: 0, in: 0...Int(Int32.max))
      let (lines, damage) = try await call.rasa.journal(ofRun: run.id, after: after)
      var document: ValueObject = ["lines": .array(lines.map(\.json.value))]
      if let damage { document["damage"] = damage.json.value }
      return .json(.object(document))
    },
    Route(
      "GET", "/v1/runs/{id}/compare/{other}", .scope(.read),
      RouteDescription("Where two runs diverge.")
    ) { call in
      let (one, other) = (try await call.run(), try await call.run(call.parameter("other")))
      return .json(try await call.rasa.compare(one.id, other.id).json.value)
    },
    Route(
      "POST", "/v1/runs/{id}/cancel", .scope(.run),
      RouteDescription("Ends a run for good.")
    ) { call in
      let run = try await call.run()
      let result = try await call.rasa.cancel(run.id)
      call.context.audit.note(call, "run.cancel", run.id)
      guard !result.hadEnded else {
        throw ServerProblem(409, "ended", "\(run.id) has already ended: it is \(result.status)")
      }
      return .json(
        ["run": .string(run.id), "status": .string(result.status)],
        status: result.isCancelled ? 200 : 202)
    },
    Route(
      "POST", "/v1/runs/{id}/park", .scope(.run),
      RouteDescription("Stops a run that this server carries out. It can be resumed.")
    ) { call in
      let run = try await call.run()
      guard let live = call.context.hub.live(run.id) else {
        throw ServerProblem(
          409, "not_running", "this server does not carry out \(run.id): it is \(run.status)")
      }
      live.stop()
      await live.ended()
      call.context.audit.note(call, "run.park", run.id)
      return .json([
        "run": .string(run.id),
        "status": .string(try await call.rasa.run(withID: run.id).status.description),
      ])
    },
    Route(
      "POST", "/v1/runs/{id}/resume", .scope(.run),
      RouteDescription(
        "Goes on with a run where its journal ends. What was paid for is not paid for again.")
    ) { call in
      let run = try await call.run()
      let live = try await call.context.resume(run)
      call.context.audit.note(call, "run.resume", run.id)
      return .json(
        [
          "run": .string(live.id), "status": "running",
          "events": .string("/v1/runs/\(live.id)/events"),
        ],
        status: 202)
    },
    Route(
      "POST", "/v1/runs/{id}/fork", .scope(.run),
      RouteDescription(
        "Starts a run that reuses every answer of another one whose request is the same. Without `accept_usd` it says what "
          + "the rest costs at most, and starts nothing.",
        body: ForkRequest.schema)
    ) { try await ForkRequest.fork($0) },
    Route(
      "DELETE", "/v1/runs/{id}", .scope(.admin),
      RouteDescription(
        "Deletes a run with its journal and questions. What it cost stays in the books.")
    ) { call in
      let run = try await call.run()
      let deleted = try await call.rasa.deleteRuns([run.id])
      call.context.audit.note(call, "run.delete", run.id)
      return .json(["runs": .array(deleted.map { .string($0) }), "deleted": true])
    },
  ]

  private static func list(_ call: Call) async throws -> ServerResponse {
    var query = Rasa.RunQuery()
    query.session = try call.single("session")
    query.persona = try call.single("persona")
    query.user = call.client.user
    query.limit = try call.number("limit", default: 20, in: 1...1_000)
    if let word = try call.single("status") {
      guard let status = Rasa.RunStatus(word) else {
        throw ServerProblem.invalid(
          "`status` is \(quoted(word))", suggestion: "such as `running` or `parked`")
      }
      query.statuses = [status]
    }
    return .json(["runs": .array(try await call.rasa.runs(query).map(\.json.value))])
  }

  private static func events(_ call: Call) async throws -> ServerResponse {
    let given = try call.request.header("last-event-id") ?? call.single("after")
    var place: RunPlace?
    if let given, !given.isEmpty {
      guard let found = RunPlace(given) else {
        throw ServerProblem.invalid(
          "\(quoted(given)) is no place in a run",
          suggestion: "give the `id` of an event of its stream")
      }
      place = found
    }
    let run = try await call.run()
    if let live = call.context.hub.live(run.id) {
      return RunStream(
        log: live.log, after: place,
        onLeave: { left in if left == 0, live.parksAlone { live.stop() } }
      ).response
    }
    if run.isAlive {
      let (log, stop) = try await RunLog.followed(run, call.rasa)
      return RunStream(log: log, after: place, onLeave: { _ in stop() }).response
    }
    return RunStream(log: try await RunLog.recorded(run, call.rasa), after: place).response
  }
}

extension Call {
  /// The run of the path, if the client may know of it.
  func run(_ id: String? = nil) async throws -> Rasa.RunSummary {
    let id = id ?? parameter("id")
    let problem = ServerProblem.notFound(
      "there is no run \(quoted(id))", suggestion: "`GET /v1/runs` lists them")
    do {
      let run = try await rasa.run(withID: id)
      guard run.id == id, client.user == nil || run.user == client.user else { throw problem }
      return run
    } catch let error as RasaError where error.code == .usage { throw problem }
  }
}

extension RunLog {
  /// Returns when the first line is there, or the end.
  func begun() async throws { try await first { _ in true } }

  /// The document at the end.
  func result() async throws -> ValueObject {
    let json = try await first { if case .result = $0 { true } else { false } }
    var document = ValueObject()
    if case .result(let bytes) = json {
      document = try JSON.parse(bytes, named: "the result").object ?? ValueObject()
    }
    document["type"] = nil
    return document
  }

  @discardableResult
  private func first(
    _ isWanted: (RunReader.Message) -> Bool
  ) async throws -> RunReader.Message? {
    var reader = RunReader(after: nil)
    while true {
      let messages = read(&reader)
      for message in messages {
        if case .passing = message { continue }
        if isWanted(message) { return message }
        if case .result = message { return nil }
      }
      try Task.checkCancellation()
      if messages.isEmpty { await wait(reader) }
    }
  }
}

import RasaCore
import RasaDocuments
import RasaHTTPServer
import RasaKit

/// The paths of the original RASA, for programs that were written for it.
enum AliasRoutes {
  static let routes: [Route] = [
    Route("GET", "/persona", .scope(.read), RouteDescription("The personas.")) { call in
      let found = try await call.rasa.personas().filter { call.client.mayAsk($0.name) }
      return .json(["personas": .array(found.map(\.personaDocument))])
    },
    Route(
      "POST", "/output", .scope(.run),
      RouteDescription(
        "Runs a persona or an agent and answers with its output.", body: RunRequest.schema
      )
      .answering(["text/plain"])
    ) { call in
      let (document, id) = try await run(call)
      guard document["status"]?.string == "done" else { throw problem(of: document) }
      return ServerResponse(
        document["output"]?.promptText ?? "", headers: [(name: "X-Rasa-Run", value: id)])
    },
    Route(
      "POST", "/output/json", .scope(.run),
      RouteDescription(
        "Runs a persona or an agent and answers as `rasa run --json` does.", body: RunRequest.schema
      )
    ) { call in
      let (document, id) = try await run(call)
      return .json(.object(document), headers: [("X-Rasa-Run", id)])
    },
    Route(
      "POST", "/stream", .scope(.run),
      RouteDescription("Runs a persona or an agent as server-sent events.", body: RunRequest.schema)
        .answering(["text/event-stream"])
    ) { try await RunStarting.start($0, as: .stream) },
    Route(
      "GET", "/llm/info", .scope(.read),
      RouteDescription("Which providers are configured, and by what.")
    ) { call in
      let found = try await call.rasa.providers()
      return .json([
        "providers": .array(found.providers.map(\.document)), "mock": .bool(found.usesMock),
      ])
    },
    Route("GET", "/llm/health", .scope(.read), RouteDescription("Whether the providers answer.")) {
      call in
      let checks = try await call.rasa.checkProviders()
      return .json([
        "providers": .array(
          checks.map { check in
            [
              "name": .string(check.provider),
              "status": .string(check.availability.rawValue),
              "error": check.problem?.json.value ?? .null,
            ]
          })
      ])
    },
    Route("GET", "/status", .token, RouteDescription("What the server is and does.")) { call in
      let (inside, waiting) = call.context.admission.standing
      return .json([
        "version": .string(Rasa.version), "status": .string(call.context.standing.phase.rawValue),
        "runs": .int(Int64(call.context.hub.count)), "admitted": .int(Int64(inside)),
        "waiting": .int(Int64(waiting)),
      ])
    },
  ]

  private static func run(_ call: Call) async throws -> (ValueObject, id: String) {
    let response = try await RunStarting.start(call, as: .wait)
    guard case .bytes(let bytes) = response.body,
      let document = try JSON.parse(bytes, named: "the result").object
    else { throw ServerProblem(500, "run", "the run has no result") }
    return (document, document["run"]?.string ?? "")
  }

  /// A run without output has none to give.
  private static func problem(of document: ValueObject) -> ServerProblem {
    let error = document["error"] ?? .null
    var problem = ServerProblem(
      document["status"]?.string == "parked" ? 409 : 502,
      error["kind"].string ?? document["status"]?.string ?? "run",
      error["message"].string ?? "the run waits for a person",
      suggestion: error["suggestion"].string ?? "`GET /v1/approvals` shows what it waits for")
    problem.run = document["run"]?.string
    return problem
  }
}

import RasaCore
import RasaHTTPServer
import RasaKit

/// Whether the server lives, what it does, and what it is.
enum Health {
  static let routes: [Route] = [
    Route("GET", "/healthz", .nobody, RouteDescription("Whether the process answers.")) { _ in
      .json(["status": "ok"])
    },
    Route(
      "GET", "/readyz", .nobody,
      RouteDescription("Whether requests are taken: 503 while the server starts or stops.")
    ) { call in
      let phase = call.context.standing.phase
      return .json(["status": .string(phase.rawValue)], status: phase == .ready ? 200 : 503)
    },
    Route(
      "GET", "/metrics", .scope(.read),
      RouteDescription("Counts in the text format of Prometheus.")
        .answering(["text/plain; version=0.0.4"])
    ) { call in
      ServerResponse(
        call.context.metrics.text(call.context), type: "text/plain; version=0.0.4; charset=utf-8",
        headers: [(name: "Cache-Control", value: "no-store")])
    },
    Route(
      "GET", "/openapi.json", .token, RouteDescription("What this server answers, as OpenAPI 3.1.")
    ) { _ in .json(OpenAPI.document(Routes.all)) },
    Route("GET", "/v1/version", .token, RouteDescription("The version of rasa.")) { _ in
      .json(["version": .string(Rasa.version)])
    },
  ]
}

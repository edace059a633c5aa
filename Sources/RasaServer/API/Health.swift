import RasaCore
import RasaHTTPServer

/// Whether the server lives.
enum Health {
  static let routes: [Route] = [
    Route("GET", "/healthz", .nobody, RouteDescription("Whether the process answers.")) { _ in
      .json(["status": "ok"])
    }
  ]
}

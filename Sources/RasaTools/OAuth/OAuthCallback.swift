import RasaCore
import RasaHTTPServer

/// The place that the browser comes back to, on this machine, for as long as one login takes.
final class OAuthCallback: Sendable {
  /// What came with the browser, for the login that was started.
  struct Arrival: Sendable, Hashable {
    var code: String?
    var error: String?
    var errorDescription: String?
    var issuer: String?
  }

  let redirect: String
  private let server: HTTPServer
  private let state: Waiting

  private final class Waiting: Sendable {
    private struct Contents {
      var arrival: Result<Arrival, Failure>?
      var waiter: CheckedContinuation<Result<Arrival, Failure>, Never>?
      var strangers = 0
    }
    private let contents = Locked(Contents())

    /// False if there has been one.
    func arrive(_ arrival: Result<Arrival, Failure>) -> Bool {
      let (isFirst, waiter) = contents.withLock { contents in
        guard contents.arrival == nil else {
          return (false, nil as CheckedContinuation<Result<Arrival, Failure>, Never>?)
        }
        contents.arrival = arrival
        defer { contents.waiter = nil }
        return (true, contents.waiter)
      }
      waiter?.resume(returning: arrival)
      return isFirst
    }

    func noteStranger() { contents.withLock { $0.strangers += 1 } }
    var strangers: Int { contents.withLock { $0.strangers } }

    func wait() async -> Result<Arrival, Failure> {
      await withCheckedContinuation { continuation in
        let arrival = contents.withLock { contents in
          if contents.arrival == nil { contents.waiter = continuation }
          return contents.arrival
        }
        if let arrival { continuation.resume(returning: arrival) }
      }
    }
  }

  static let path = "/callback"

  /// - Parameters:
  ///   - port: one that is registered; nil for any.
  ///   - expected: the `state` of the login. A page that the user has open somewhere can call here, too, but does not
  ///     know it.
  init(port: UInt16?, state expected: String, name: String) throws(Failure) {
    var configuration = HTTPServer.Configuration()
    configuration.port = port ?? 0
    configuration.limits.connections = 16
    configuration.limits.body = 0
    let waiting = Waiting()
    state = waiting
    server = try HTTPServer.start(configuration) { request in
      guard request.path == Self.path, request.method == "GET" else {
        return Self.page(404, "There is nothing here.")
      }
      guard let given = request.parameter("state"), isSame(given, expected) else {
        waiting.noteStranger()
        return Self.page(
          400, "This is not the login that was started. Go back to the terminal, and start again.")
      }
      let arrival = Arrival(
        code: request.parameter("code"), error: request.parameter("error"),
        errorDescription: request.parameter("error_description"), issuer: request.parameter("iss"))
      guard waiting.arrive(.success(arrival)) else {
        return Self.page(400, "This login is over.")
      }
      // Whether it worked is said in the terminal: nothing that came with the browser is shown here.
      return Self.page(
        200, "rasa has what it needs from here. Go back to the terminal; this page can be closed.")
    }
    redirect = "http://127.0.0.1:\(server.port)\(Self.path)"
  }

  private static func page(_ status: Int, _ text: String) -> ServerResponse {
    ServerResponse(
      status: status, "<!doctype html><meta charset=utf-8><title>rasa</title><p>\(text)</p>\n",
      type: "text/html; charset=utf-8",
      headers: [
        ("Content-Security-Policy", "default-src 'none'"), ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
      ])
  }

  /// The first arrival with the right state.
  func arrival(within limit: Duration, time: TimeSource) async throws(Failure) -> Arrival {
    let state = state
    let result: Result<Arrival, Failure> = await withTaskCancellationHandler {
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          guard (try? await time.sleep(limit)) != nil else { return }
          let strangers = state.strangers
          let words =
            strangers > 0 ? "; \(strangers) came with another state, and were sent away" : ""
          _ = state.arrive(
            .failure(
              Failure(
                .authentication,
                "nobody logged in within \(secondsText(limit / .seconds(1))) seconds\(words)",
                suggestion: "start the login again, and finish it in the browser")))
        }
        let result = await state.wait()
        group.cancelAll()
        return result
      }
    } onCancel: {
      _ = state.arrive(.failure(Failure(.cancelled, "the login was cancelled")))
    }
    return try result.get()
  }

  /// Returns when the browser has its page.
  func close() async { await server.stop(grace: .seconds(2)) }
}

/// Takes as long for every text of that length.
func isSame(_ left: String, _ right: String) -> Bool {
  guard left.utf8.count == right.utf8.count else { return false }
  return zip(left.utf8, right.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}

import RasaCore
import RasaHTTPServer
import RasaKit

/// Where a request comes from, as a browser says.
enum Origin: Sendable, Hashable {
  /// No browser, or a page of this server.
  case own
  /// A page elsewhere that the settings allow.
  case foreign(String)
}

/// Who may ask for what.
struct Access: Sendable {
  let tokens: TokenStore
  let cookies: CookieStore
  let settings: ServerSettings
  /// Such as `http://127.0.0.1:8000`, in every spelling.
  let ownOrigins: Set<String>

  /// A page of somebody else's may not ask, whatever token it has: a browser would send a cookie along.
  func checkOrigin(_ request: ServerRequest) throws(ServerProblem) -> Origin {
    guard let origin = request.header("origin") else { return .own }
    if ownOrigins.contains(origin.lowercased()) { return .own }
    if settings.origins.contains(origin.lowercased()) { return .foreign(origin) }
    throw ServerProblem(
      403, "origin", "pages of \(quoted(origin)) may not use this server",
      suggestion: "start the server with `--origin` and its name if they should")
  }

  /// Who asks.
  func client(for request: ServerRequest, _ need: Route.Need) throws(ServerProblem) -> Client {
    for name in ["token", "key", "api_key", "access_token"]
    where request.query.contains(where: { $0.name.lowercased() == name }) {
      throw ServerProblem(
        400, "token_in_url", "a token in a URL ends in logs and histories, so it is not taken",
        suggestion: "send it as `Authorization: Bearer …`, and replace this one")
    }
    if let token = try Self.token(of: request) {
      guard let client = tokens.client(for: token) else {
        throw ServerProblem(
          401, "token", "the token is not valid here",
          suggestion: "`rasa serve` prints where its token is")
      }
      return client
    }
    if let cookie = CookieStore.session(in: request), let page = cookies.csrf(of: cookie) {
      let isSafe = request.method == "GET" || request.method == "HEAD"
      guard isSafe || request.header("x-rasa-csrf").map({ equalInTime($0, page) }) == true else {
        throw ServerProblem(403, "csrf", "the request does not come from the page")
      }
      var client = Client.owner
      client.isBrowser = true
      return client
    }
    if need == .nobody { return .anonymous }
    if need == .ollama, settings.opensOllama { return tokens.openClient }
    throw ServerProblem(
      401, "token", "a token is needed",
      suggestion: "send `Authorization: Bearer …`; `rasa serve` prints where its token is")
  }

  func check(_ client: Client, _ need: Route.Need) throws(ServerProblem) {
    let scope: Scope
    switch need {
    case .nobody, .token: return
    case .ollama where client.name == tokens.openClient.name: return
    case .ollama: scope = .run
    case .scope(let needed): scope = needed
    }
    guard client.may(scope) else {
      throw ServerProblem(
        403, "scope", "the token \(quoted(client.name)) does not have the scope `\(scope.rawValue)`"
      )
    }
  }

  /// The token in any of the headers that clients send it in.
  private static func token(of request: ServerRequest) throws(ServerProblem) -> String? {
    var found: [String] = []
    if let text = request.header("authorization") {
      let parts = text.split(atByte: " ", maxSplits: 1, omittingEmpty: true)
      guard parts.count == 2, parts[0].lowercased() == "bearer" else {
        throw ServerProblem(401, "token", "the header authorization has no bearer token")
      }
      found.append(String(parts[1]))
    }
    for name in ["x-api-key", "api-key"] {
      if let text = request.header(name) { found.append(text) }
    }
    guard let first = found.first else { return nil }
    guard found.allSatisfy({ $0 == first }) else {
      throw ServerProblem(400, "token", "there is more than one token")
    }
    return first
  }
}

/// Compares in a time that does not tell how much of it is right.
func equalInTime(_ left: String, _ right: String) -> Bool {
  Digest.sha256(Array(left.utf8)) == Digest.sha256(Array(right.utf8))
}

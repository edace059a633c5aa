import RasaCore
import RasaDocuments
import RasaHTTPClient

/// Requests about authorization: small JSON documents, in time, and to addresses that the server may name.
struct OAuthExchange: Sendable {
  var client: HTTPClient
  var time: TimeSource
  /// Of the server that all this is about; if it is one of the user's own network, its authorization server may be there.
  var policy: AddressPolicy
  var timeout: Duration

  static let limit = 256_000

  init(client: HTTPClient, time: TimeSource, server: URLParts, timeout: Duration) {
    self.client = client
    self.time = time
    self.timeout = timeout
    var hosts = [server.host]
    if server.isLoopback { hosts += ["localhost", "127.0.0.1", "::1"] }
    policy = AddressPolicy(allowsPrivate: hosts)
  }

  struct Answer {
    var status: Int
    /// The challenge that came with it.
    var challenge: String?
    /// Nil where there is none, or it is no JSON object.
    var document: ValueObject?

    var value: Value { document.map { .object($0) } ?? .null }
    /// The server's own error (RFC 6749, 5.2), in printable words.
    var problem: String {
      guard let code = value["error"].string else { return "it answered \(status)" }
      let words = value["error_description"].string.map { ": " + $0.printable(atMost: 300) } ?? ""
      return "it answered \(status), `\(code.printable(atMost: 80))`\(words)"
    }
  }

  /// The challenge of a server that a request without a token was sent to.
  func refusal(of server: String) async throws(Failure) -> String? {
    let answer = try await post(server, json: .emptyObject)
    return answer.status == 401 ? answer.challenge : nil
  }

  func get(_ url: String) async throws(Failure) -> Answer {
    try await send(
      HTTPRequest(method: "GET", url: url, headers: [("Accept", "application/json")]), hops: 3)
  }

  func post(_ url: String, form: [(String, String)], headers: [(name: String, value: String)] = [])
    async throws(Failure) -> Answer
  {
    let body = form.map { "\(percentEncoded($0.0))=\(percentEncoded($0.1))" }.joined(separator: "&")
    return try await send(
      HTTPRequest(
        url: url,
        headers: [
          ("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"),
        ]
          + headers, body: Array(body.utf8)), hops: 0)
  }

  func post(_ url: String, json: Value) async throws(Failure) -> Answer {
    try await send(
      HTTPRequest(
        url: url, headers: [("Content-Type", "application/json"), ("Accept", "application/json")],
        body: json.jsonBytes(.compact, escaping: .onlyNeeded)), hops: 0)
  }

  private func send(_ request: HTTPRequest, hops: Int) async throws(Failure) -> Answer {
    let host = URLParts(request.url)?.hostAndPort ?? "the server"
    do {
      var request = request
      try requireSecure(request.url, "an address of the authorization")
      request.allowsPlainHTTP = true
      request.addressPolicy = policy
      let deadline = time.monotonic() &+ UInt64(max(0, timeout / .nanoseconds(1)))
      request.headerDeadline = deadline
      // A code or a token goes where it is meant to go, and is never sent on.
      let response =
        hops > 0
        ? try await client.send(request, following: RedirectPolicy(hops: hops))
        : try await client.send(request)
      let bytes = try await response.body.collect(limit: Self.limit + 1, deadline: deadline)
      let document = bytes.count > Self.limit ? nil : try? JSON.parse(bytes).object
      return Answer(
        status: response.status, challenge: response.headers.first(named: "www-authenticate"),
        document: document)
    } catch let failure as Failure {
      throw failure
    } catch let error as HTTPError {
      if error.code == .cancelled { throw Failure(.cancelled, "the authorization was cancelled") }
      var failure = Failure(
        .authentication, "\(host) could not be asked about the authorization: \(error.message)",
        suggestion: error.suggestion ?? "")
      failure.reason = "connection"
      throw failure
    } catch {
      throw Failure(.cancelled, "the authorization was cancelled")
    }
  }
}

/// https, or http to this machine; nothing else is sent secrets or opened in a browser.
@discardableResult
func requireSecure(_ url: String, _ what: String) throws(Failure) -> URLParts {
  guard let parts = URLParts(url), !parts.hasUser, url.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
  else {
    throw Failure(.authentication, "\(what) is no URL: `\(url.printable(atMost: 200))`")
  }
  guard parts.isSecure || parts.isLoopback else {
    throw Failure(
      .authentication, "\(what) is not encrypted: `\(url.printable(atMost: 200))`",
      suggestion: "report it to whoever runs the server: OAuth needs https")
  }
  return parts
}

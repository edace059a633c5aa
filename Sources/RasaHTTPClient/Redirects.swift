import RasaCore

/// Which redirects are followed. Each hop is a request of its own, so its address is checked like that of the first.
package struct RedirectPolicy: Sendable, Hashable {
  package var hops: Int
  package init(hops: Int = 5) { self.hops = hops }
}

extension HTTPClient {
  /// Sends the request and follows redirects.
  ///
  /// Nothing but `Accept` and what describes the body goes to another origin than the first, also when a later hop
  /// leads back. A redirect from https to http is refused.
  package func send(
    _ request: HTTPRequest, following policy: RedirectPolicy
  ) async throws -> HTTPResponse {
    var request = request
    var hops = 0
    while true {
      let response = try await send(request)
      guard let next = try request.redirected(by: response) else { return response }
      response.body.cancel()
      hops += 1
      guard hops <= policy.hops else {
        throw HTTPError(
          .redirect, "the server redirects more than \(policy.hops) times", isLasting: true)
      }
      request = next
    }
  }
}

extension HTTPRequest {
  /// The request that a response leads to; nil if it is an answer.
  func redirected(by response: HTTPResponse) throws(HTTPError) -> HTTPRequest? {
    guard [301, 302, 303, 307, 308].contains(response.status),
      let location = response.headers.first(named: "location"), !location.isEmpty
    else { return nil }
    guard location.utf8.count <= 16_384, let target = URLParts.resolve(location, at: url),
      let old = URLParts(url), let new = URLParts(target), !new.hasUser
    else {
      throw HTTPError(
        .redirect, "the server redirects to what is no URL of http or https", isLasting: true)
    }
    guard new.isSecure || !old.isSecure else {
      throw HTTPError(
        .redirect, "the server redirects from https to http, to \(new.host)", isLasting: true)
    }
    var next = self
    next.url = target
    // What browsers do with 301 and 302 for POST is what servers expect by now (RFC 9110, 15.4).
    let becomesGet =
      response.status == 303
      ? !["GET", "HEAD"].contains(method) : response.status < 303 && method == "POST"
    if becomesGet {
      next.method = "GET"
      next.body = []
      next.headers.removeAll { $0.name.lowercased().hasBytePrefix("content-") }
    }
    if old.origin != new.origin {
      next.headers.removeAll { header in
        !["accept", "accept-language", "content-type"].contains(header.name.lowercased())
      }
    }
    return next
  }
}

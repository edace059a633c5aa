import RasaCore
import RasaDocuments
import RasaHTTPClient

/// What a server says about who may use it (RFC 9728).
struct ProtectedResource: Sendable, Hashable {
  /// What tokens are for.
  var resource: String
  var issuers: [String]
  var scopes: [String]?
}

/// What an authorization server says about itself (RFC 8414, OpenID Connect Discovery).
struct AuthorizationServer: Sendable, Hashable {
  var issuer: String
  var authorizationEndpoint: String
  var tokenEndpoint: String
  var registrationEndpoint: String?
  var revocationEndpoint: String?
  var takesMetadataDocuments: Bool
  /// It promises to say who it is in its response (RFC 9207).
  var sendsIssuer: Bool
  var tokenMethods: [String]?
  var scopes: [String]
}

struct OAuthDiscovery: Sendable {
  let exchange: OAuthExchange
  /// The server's URL.
  let server: String

  init(exchange: OAuthExchange, server: String) {
    self.exchange = exchange
    self.server = server
  }

  /// The URL as it names the server: without fragment, and without the slash of an empty path.
  static func canonical(_ url: String) -> String? {
    guard let parts = URLParts(url), !parts.hasUser else { return nil }
    let path = parts.path == "/" ? "" : parts.path
    return parts.origin + path + (parts.query.map { "?\($0)" } ?? "")
  }

  /// What the server answers to a request without a token; nil where it refuses none, or does not say how.
  func challenge() async throws(Failure) -> AuthChallenge? {
    do throws(Failure) {
      guard let header = try await exchange.refusal(of: server) else { return nil }
      return AuthChallenge.parse(header).first { $0.scheme == "bearer" }
    } catch {
      // Its metadata may be at the usual place all the same.
      if error.kind == .cancelled { throw error }
      return nil
    }
  }

  /// - Parameter hint: the address that the challenge gave.
  func resource(hint: String?) async throws(Failure) -> ProtectedResource {
    guard let parts = URLParts(server), let canonical = Self.canonical(server) else {
      throw Failure(
        .configuration, "the server's URL cannot be read: \(server.printable(atMost: 200))")
    }
    var places: [String] = []
    if let hint {
      try requireSecure(hint, "the place of the server's metadata")
      places = [hint]
    } else {
      let well = parts.origin + "/.well-known/oauth-protected-resource"
      places = parts.path == "/" ? [well] : [well + parts.path, well]
    }
    for place in places {
      let answer = try await exchange.get(place)
      guard answer.status == 200, let document = answer.document else {
        if hint == nil, (400..<500).contains(answer.status) { continue }
        throw Failure(
          .authentication,
          "the metadata of \(parts.host) cannot be read from \(place): "
            + (answer.status == 200 ? "it is no JSON" : answer.problem))
      }
      return try read(document, canonical, parts)
    }
    // Servers of the first revision are their own authorization servers, or stand in front of them.
    return ProtectedResource(resource: canonical, issuers: [parts.origin], scopes: nil)
  }

  private func read(
    _ document: ValueObject, _ canonical: String, _ parts: URLParts
  ) throws(Failure) -> ProtectedResource {
    guard let resource = document["resource"]?.string else {
      throw Failure(
        .authentication, "the metadata of \(parts.host) does not say what it is for (`resource`)")
    }
    // A token for another resource would be sent to this server, which could use it there.
    guard let named = URLParts(resource), named.origin == parts.origin, named.fragment == nil,
      Self.path(parts.path, isBelow: named.path)
    else {
      throw Failure(
        .authentication,
        "the metadata of \(parts.host) is for another resource: `\(resource.printable(atMost: 200))`",
        suggestion: "check the server's URL (\(canonical)), or report it to whoever runs the server"
      )
    }
    let issuers = document["authorization_servers"]?.array?.compactMap(\.string) ?? []
    guard !issuers.isEmpty else {
      throw Failure(.authentication, "the metadata of \(parts.host) names no authorization server")
    }
    return ProtectedResource(
      resource: resource, issuers: Array(issuers.prefix(8)),
      scopes: document["scopes_supported"]?.array?.compactMap(\.string))
  }

  private static func path(_ path: String, isBelow top: String) -> Bool {
    let top = top.hasByteSuffix("/") ? top : top + "/"
    return (path.hasByteSuffix("/") ? path : path + "/").hasBytePrefix(top)
  }

  /// The authorization server of that name, by the first of its documents that there is.
  func authorizationServer(_ issuer: String) async throws(Failure) -> AuthorizationServer {
    let parts = try requireSecure(issuer, "the authorization server")
    guard parts.query == nil, parts.fragment == nil else {
      throw Failure(.authentication, "the authorization server's name has a query: `\(issuer)`")
    }
    let path =
      parts.path == "/"
      ? "" : parts.path.hasByteSuffix("/") ? String(parts.path.dropLast()) : parts.path
    let places =
      path.isEmpty
      ? ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
      : [
        "/.well-known/oauth-authorization-server" + path,
        "/.well-known/openid-configuration" + path,
        path + "/.well-known/openid-configuration",
      ]
    var last = ""
    for place in places {
      let answer = try await exchange.get(parts.origin + place)
      if (400..<500).contains(answer.status) {
        last = answer.problem
        continue
      }
      guard answer.status == 200, answer.document != nil else {
        throw Failure(
          .authentication,
          "the metadata of \(issuer) cannot be read: "
            + (answer.status == 200 ? "it is no JSON" : answer.problem))
      }
      return try read(answer.value, issuer)
    }
    throw Failure(
      .authentication, "\(issuer) has no metadata of an authorization server: \(last)",
      suggestion:
        "check the server's URL, or send a token in a header: Authorization: Bearer ${NAME}")
  }

  private func read(_ document: Value, _ issuer: String) throws(Failure) -> AuthorizationServer {
    guard document["issuer"].string?.hasSameBytes(as: issuer) == true else {
      throw Failure(
        .authentication,
        "the metadata of \(issuer) is that of `\((document["issuer"].string ?? "nobody").printable(atMost: 200))`",
        suggestion: "report it to whoever runs the server: somebody may be posing as another")
    }
    func endpoint(_ name: String, isRequired: Bool) throws(Failure) -> String? {
      guard let url = document[name].string else {
        if !isRequired { return nil }
        throw Failure(.authentication, "the metadata of \(issuer) has no `\(name)`")
      }
      try requireSecure(url, "`\(name)` of \(issuer)")
      return url
    }
    func list(_ name: String) -> [String]? { document[name].array?.compactMap(\.string) }
    guard list("code_challenge_methods_supported")?.contains("S256") == true else {
      throw Failure(
        .authentication,
        "\(issuer) does not say that it supports PKCE with S256, without which a code could be stolen",
        suggestion: "report it to whoever runs the server, or send a token in a header")
    }
    if let types = list("response_types_supported"), !types.contains("code") {
      throw Failure(.authentication, "\(issuer) gives no authorization codes")
    }
    return AuthorizationServer(
      issuer: issuer,
      authorizationEndpoint: try endpoint("authorization_endpoint", isRequired: true) ?? "",
      tokenEndpoint: try endpoint("token_endpoint", isRequired: true) ?? "",
      registrationEndpoint: try endpoint("registration_endpoint", isRequired: false),
      revocationEndpoint: try endpoint("revocation_endpoint", isRequired: false),
      takesMetadataDocuments: document["client_id_metadata_document_supported"].bool ?? false,
      sendsIssuer: document["authorization_response_iss_parameter_supported"].bool ?? false,
      tokenMethods: list("token_endpoint_auth_methods_supported"),
      scopes: list("scopes_supported") ?? [])
  }
}

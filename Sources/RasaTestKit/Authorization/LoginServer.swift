package import RasaCore
import RasaDocuments
package import RasaHTTPServer

/// A remote server with its own authorization server, on this machine: `/mcp` answers whoever has a token for it. What
/// it does wrong can be chosen.
package final class LoginServer: Sendable {
  package enum Fault: Sendable, Hashable {
    /// In the answer that the browser brings.
    case wrongState, wrongIssuer, noIssuer, refuses, noCode
    /// In its metadata.
    case noPKCE, otherIssuerInMetadata, otherResource, noAuthorizationServers, plainEndpoint,
      garbageMetadata
    case metadataRedirectsToPrivateAddress, metadataRedirectsForever, neverAnswersMetadata
    /// In its tokens.
    case expiredCode, garbageToken, macToken, tokenWithLineBreak, tokenRedirectsElsewhere,
      neverAnswersToken
    case refusesRefresh, failsRefresh
    case refusesRegistration
    /// It takes no token, whichever.
    case neverContent
  }

  package struct Configuration: Sendable {
    package var faults: Set<Fault> = []
    package var supportsRegistration = true
    package var supportsMetadataDocuments = false
    package var sendsIssuer = true
    /// Below the server's root, as `/tenant`.
    package var issuerPath = ""
    /// Only the document of OpenID Connect is there, behind the issuer's path.
    package var isOpenIDOnly = false
    /// The challenge says where the metadata is; else it is at the well-known place.
    package var hintsMetadata = true
    /// The metadata is at no well-known place, and only the challenge says where.
    package var hidesMetadata = false
    /// There is no metadata of the resource at all, as in the first revision.
    package var isFirstRevision = false
    /// Clients that are registered beforehand, with their secrets.
    package var clients: [String: String] = [:]
    package var secretMethods = ["none", "client_secret_basic"]
    package var tokenLifetime: Int64 = 3_600
    package var rotates = true
    /// What `/mcp` asks for.
    package var scopes = ["read"]
    /// Scopes that there are, and that `/mcp` does not ask for.
    package var otherScopes: [String] = []
    /// What `/mcp` says to whoever may ask it.
    package var resource: @Sendable (ServerRequest) -> ServerResponse = { _ in
      ServerResponse("hello")
    }
    package init() {}
  }

  package struct Contents: Sendable {
    package var configuration: Configuration
    /// One line for each request, as `POST /token refresh_token`.
    package var log: [String] = []
    /// Parameters of the last request to each endpoint.
    package var last: [String: [String: String]] = [:]
    fileprivate var codes: [String: [String: String]] = [:]
    fileprivate var accessTokens: [String: String] = [:]
    fileprivate var refreshTokens: [String: (scope: String, client: String)] = [:]
    fileprivate var registered: [String: String] = [:]
    fileprivate var count = 0
    package var revoked: [String] = []
    package var usedRefreshTokens = 0
  }

  private let contents: Locked<Contents>
  private let server: HTTPServer

  package init(_ configuration: Configuration = Configuration()) throws(Failure) {
    let contents = Locked(Contents(configuration: configuration))
    let port = Locked<UInt16>(0)
    self.contents = contents
    server = try HTTPServer.start { request in
      await answer(request, contents, "http://127.0.0.1:\(port.withLock { $0 })")
    }
    let chosen = server.port
    port.withLock { $0 = chosen }
  }

  package var baseURL: String { "http://127.0.0.1:\(server.port)" }
  package var url: String { baseURL + "/mcp" }
  package var issuer: String { baseURL + contents.withLock { $0.configuration.issuerPath } }
  package var state: Contents { contents.withLock { $0 } }
  package func change(_ body: (inout Configuration) -> Void) {
    contents.withLock { body(&$0.configuration) }
  }
  /// From now on no access token is taken that was given before.
  package func expireTokens() { contents.withLock { $0.accessTokens = [:] } }
  package func count(of line: String) -> Int { state.log.count { $0.hasPrefix(line) } }
  package func stop() async { await server.stop(grace: .zero) }
}

private typealias Contents = LoginServer.Contents

private func answer(
  _ request: ServerRequest, _ contents: Locked<Contents>, _ base: String
) async -> ServerResponse {
  let form = parameters(request)
  let (configuration, line) = contents.withLock { contents in
    let line = "\(request.method) \(request.path)" + (form["grant_type"].map { " \($0)" } ?? "")
    contents.log.append(line)
    contents.last[request.path] = form
    return (contents.configuration, line)
  }
  let faults = configuration.faults
  if request.path.hasPrefix("/.well-known/")
    || request.path.hasSuffix("/.well-known/openid-configuration")
    || (configuration.hidesMetadata && request.path == hiddenMetadata)
  {
    if faults.contains(.neverAnswersMetadata) { await forever() }
    if faults.contains(.garbageMetadata) { return ServerResponse("<html>", type: "text/html") }
    if faults.contains(.metadataRedirectsForever) {
      return ServerResponse(status: 302, "", headers: [("Location", request.path + "?again=1")])
    }
    if faults.contains(.metadataRedirectsToPrivateAddress) {
      return ServerResponse(
        status: 302, "", headers: [("Location", "http://169.254.169.254/latest/meta-data")])
    }
    return metadata(request.path, configuration, base)
  }
  if line.hasPrefix("POST /token"), faults.contains(.neverAnswersToken) { await forever() }
  return contents.withLock { contents in
    switch request.path {
    case "/mcp": resource(request, &contents, base)
    case "/authorize": authorize(form, &contents, base)
    case "/token": token(request, form, &contents, base)
    case "/register": register(request, &contents)
    case "/revoke": revoke(form, &contents)
    default: ServerResponse(status: 404, "no such place")
    }
  }
}

private func forever() async {
  // Until its client goes.
  while !Task.isCancelled { try? await Task.sleep(for: .seconds(60)) }
}

private func json(_ value: Value, status: Int = 200) -> ServerResponse {
  ServerResponse(
    status: status, value.json(), type: "application/json", headers: [("Cache-Control", "no-store")]
  )
}

private func failure(_ code: String, _ words: String = "", status: Int = 400) -> ServerResponse {
  json(["error": .string(code), "error_description": .string(words)], status: status)
}

/// Of the query, or of a form.
private func parameters(_ request: ServerRequest) -> [String: String] {
  guard request.method == "POST",
    request.header("content-type")?.hasPrefix("application/x-www-form") == true
  else { return Dictionary(request.query.map { ($0.name, $0.value) }) { _, last in last } }
  var form: [String: String] = [:]
  for pair in String(decoding: request.body, as: UTF8.self).split(separator: "&") {
    let sides = pair.split(separator: "=", maxSplits: 1)
    form[decoded(sides.first ?? "")] = decoded(sides.count > 1 ? sides[1] : "")
  }
  return form
}

private func decoded(_ text: Substring) -> String {
  var bytes: [UInt8] = []
  var rest = Array(text.utf8)[...]
  while let byte = rest.popFirst() {
    if byte == UInt8(ascii: "%"),
      let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
    {
      bytes.append(code)
      rest = rest.dropFirst(2)
    } else {
      bytes.append(byte == UInt8(ascii: "+") ? 32 : byte)
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

// MARK: - Metadata

private let hiddenMetadata = "/elsewhere/metadata"
private let usualMetadata = "/.well-known/oauth-protected-resource/mcp"

private func metadataPath(_ configuration: LoginServer.Configuration) -> String {
  configuration.hidesMetadata ? hiddenMetadata : usualMetadata
}

private func metadata(
  _ path: String, _ configuration: LoginServer.Configuration, _ base: String
) -> ServerResponse {
  let (faults, tenant) = (configuration.faults, configuration.issuerPath)
  switch path {
  case metadataPath(configuration) where !configuration.isFirstRevision:
    return json([
      "resource": .string(
        faults.contains(.otherResource) ? "https://bank.example.com/mcp" : base + "/mcp"),
      "authorization_servers": faults.contains(.noAuthorizationServers)
        ? [] : [.string(base + tenant)],
      "scopes_supported": .array(
        (configuration.scopes + configuration.otherScopes).map { .string($0) }),
    ])
  case "/.well-known/oauth-authorization-server" + tenant where !configuration.isOpenIDOnly,
    tenant + "/.well-known/openid-configuration" where configuration.isOpenIDOnly:
    var document: ValueObject = [
      "issuer": .string(
        faults.contains(.otherIssuerInMetadata) ? "https://honest.example.com" : base + tenant),
      "authorization_endpoint": .string(
        faults.contains(.plainEndpoint) ? "http://auth.example.com/authorize" : base + "/authorize"),
      "token_endpoint": .string(base + "/token"), "revocation_endpoint": .string(base + "/revoke"),
      "response_types_supported": ["code"],
      "token_endpoint_auth_methods_supported": .array(
        configuration.secretMethods.map { .string($0) }),
      "client_id_metadata_document_supported": .bool(configuration.supportsMetadataDocuments),
      "authorization_response_iss_parameter_supported": .bool(configuration.sendsIssuer),
    ]
    if !faults.contains(.noPKCE) { document["code_challenge_methods_supported"] = ["S256"] }
    if configuration.supportsRegistration {
      document["registration_endpoint"] = .string(base + "/register")
    }
    return json(.object(document))
  default: return ServerResponse(status: 404, "no such document")
  }
}

// MARK: - The resource

private func resource(_ request: ServerRequest, _ contents: inout Contents, _ base: String)
  -> ServerResponse
{
  let configuration = contents.configuration
  let token =
    (request.header("authorization") ?? "").split(separator: " ").last.map(String.init) ?? ""
  let hint =
    configuration.hintsMetadata && !configuration.isFirstRevision
    ? ", resource_metadata=\"\(base)\(metadataPath(configuration))\"" : ""
  let wanted = configuration.scopes.joined(separator: " ")
  guard let scope = contents.accessTokens[token], !configuration.faults.contains(.neverContent)
  else {
    return ServerResponse(
      status: 401, "no",
      headers: [
        (
          "WWW-Authenticate",
          "Bearer realm=\"mcp\", error=\"invalid_token\", scope=\"\(wanted)\"" + hint
        )
      ])
  }
  let granted = Set(scope.split(separator: " ").map(String.init))
  guard granted.isSuperset(of: configuration.scopes) else {
    return ServerResponse(
      status: 403, "no",
      headers: [
        ("WWW-Authenticate", "Bearer error=\"insufficient_scope\", scope=\"\(wanted)\"" + hint)
      ])
  }
  return configuration.resource(request)
}

// MARK: - Codes and tokens

private func authorize(
  _ form: [String: String], _ contents: inout Contents, _ base: String
) -> ServerResponse {
  let (configuration, faults) = (contents.configuration, contents.configuration.faults)
  guard let redirect = form["redirect_uri"], redirect.hasPrefix("http://127.0.0.1:"),
    let client = form["client_id"],
    configuration.clients[client] != nil || contents.registered[client] == redirect
      || (configuration.supportsMetadataDocuments && client.hasPrefix("https://")),
    form["response_type"] == "code", form["code_challenge_method"] == "S256",
    form["code_challenge"]?.count == 43,
    form["resource"] == base + "/mcp", let state = form["state"], state.count >= 16
  else { return ServerResponse(status: 400, "this is no request for a code") }
  var query: [(String, String)] = [("state", faults.contains(.wrongState) ? "another" : state)]
  if faults.contains(.refuses) {
    query += [("error", "access_denied"), ("error_description", "not\u{1B}[31m today")]
  } else if !faults.contains(.noCode) {
    contents.count += 1
    let code = "code-\(contents.count)"
    contents.codes[code] = form
    query.append(("code", code))
  }
  if faults.contains(.wrongIssuer) {
    query.append(("iss", "https://honest.example.com"))
  } else if configuration.sendsIssuer, !faults.contains(.noIssuer) {
    query.append(("iss", base + configuration.issuerPath))
  }
  let text = query.map { "\($0.0)=" + $0.1.utf8.map { "%" + hex($0) }.joined() }.joined(
    separator: "&")
  return ServerResponse(status: 302, "", headers: [("Location", "\(redirect)?\(text)")])
}

private func hex(_ byte: UInt8) -> String {
  let text = String(byte, radix: 16)
  return text.count == 1 ? "0" + text : text
}

private func token(
  _ request: ServerRequest, _ form: [String: String], _ contents: inout Contents, _ base: String
) -> ServerResponse {
  let (configuration, faults) = (contents.configuration, contents.configuration.faults)
  if faults.contains(.tokenRedirectsElsewhere) {
    return ServerResponse(status: 307, "", headers: [("Location", base + "/thief")])
  }
  var client = form["client_id"] ?? ""
  var secret = form["client_secret"]
  if let basic = request.header("authorization"), basic.hasPrefix("Basic "),
    let pair = Base64.decode(String(basic.dropFirst(6)))
  {
    let sides = String(decoding: pair, as: UTF8.self).split(separator: ":", maxSplits: 1)
    client = decoded(sides.first ?? "")
    secret = decoded(sides.last ?? "")
  }
  if let known = configuration.clients[client], known != (secret ?? "") {
    return failure("invalid_client", status: 401)
  }
  guard form["resource"] == base + "/mcp" else { return failure("invalid_target") }
  var scope = ""
  switch form["grant_type"] {
  case "authorization_code":
    guard let asked = contents.codes.removeValue(forKey: form["code"] ?? ""),
      !faults.contains(.expiredCode),
      asked["client_id"] == client, asked["redirect_uri"] == form["redirect_uri"],
      challenge(of: form["code_verifier"] ?? "") == asked["code_challenge"]
    else { return failure("invalid_grant", "the code is expired") }
    scope = asked["scope"] ?? ""
  case "refresh_token":
    if faults.contains(.failsRefresh) { return ServerResponse(status: 503, "later") }
    let old = form["refresh_token"] ?? ""
    guard let known = contents.refreshTokens[old], known.client == client,
      !faults.contains(.refusesRefresh)
    else {
      contents.usedRefreshTokens += 1
      return failure("invalid_grant", "the token is used up")
    }
    if configuration.rotates { contents.refreshTokens[old] = nil }
    scope = known.scope
  default: return failure("unsupported_grant_type")
  }
  contents.count += 1
  let (access, refresh) = ("access-secret-\(contents.count)", "refresh-secret-\(contents.count)")
  contents.accessTokens[access] = scope
  if configuration.rotates || form["grant_type"] == "authorization_code" {
    contents.refreshTokens[refresh] = (scope, client)
  }
  if faults.contains(.garbageToken) { return ServerResponse("access_token=x", type: "text/plain") }
  var answer: ValueObject = [
    "access_token": .string(
      faults.contains(.tokenWithLineBreak) ? access + "\r\nX-Evil: 1" : access),
    "token_type": faults.contains(.macToken) ? "mac" : "bearer",
    "expires_in": .int(configuration.tokenLifetime),
    "scope": .string(scope),
  ]
  if contents.refreshTokens[refresh] != nil { answer["refresh_token"] = .string(refresh) }
  return json(.object(answer))
}

private func challenge(of verifier: String) -> String {
  Base64.encode(Digest.sha256Bytes(Array(verifier.utf8)))
    .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
}

private func register(_ request: ServerRequest, _ contents: inout Contents) -> ServerResponse {
  guard !contents.configuration.faults.contains(.refusesRegistration),
    let document = try? JSON.parse(request.body),
    let redirect = document["redirect_uris"].array?.first?.string,
    document["application_type"] == "native"
  else { return failure("invalid_client_metadata", "we know everybody already") }
  contents.count += 1
  let id = "client-\(contents.count)"
  contents.registered[id] = redirect
  return json(["client_id": .string(id), "token_endpoint_auth_method": "none"], status: 201)
}

private func revoke(_ form: [String: String], _ contents: inout Contents) -> ServerResponse {
  let token = form["token"] ?? ""
  contents.revoked.append(token)
  contents.refreshTokens[token] = nil
  contents.accessTokens[token] = nil
  return ServerResponse("")
}

package import RasaCore
import RasaEngine
package import RasaHTTPClient
package import RasaPersona
package import RasaSystem

/// How a person takes part in a login.
package struct OAuthInteraction: Sendable {
  /// Shows a line.
  package var say: @Sendable (String) async -> Void
  /// Opens the page in a browser, if there is one; the address has been shown.
  package var open: @Sendable (_ url: String) async -> Void

  package init(
    say: @escaping @Sendable (String) async -> Void,
    open: @escaping @Sendable (_ url: String) async -> Void
  ) {
    self.say = say
    self.open = open
  }
}

/// Logins to one remote server: in the browser with a code and PKCE, refreshed, and ended.
package struct OAuthFlow: Sendable {
  package struct Limits: Sendable, Hashable {
    /// For each request.
    package var request = Duration.seconds(15)
    /// For the person in the browser.
    package var login = Duration.seconds(300)
    package init() {}
  }

  let name: String
  /// What a person types to log in.
  var loginCommand: String
  /// Its URL in canonical form.
  let server: String
  let settings: OAuthSettings
  let file: OAuthTokenFile
  let environment: Environment
  let time: TimeSource
  let limits: Limits
  let random: @Sendable (_ count: Int) -> [UInt8]
  private let discovery: OAuthDiscovery
  private var exchange: OAuthExchange { discovery.exchange }

  package init(
    server name: String, url: String, settings: OAuthSettings?, client: HTTPClient,
    file: OAuthTokenFile,
    environment: Environment, time: TimeSource = .system, limits: Limits = Limits(),
    random: @escaping @Sendable (_ count: Int) -> [UInt8] = systemRandomBytes
  ) throws(Failure) {
    guard let parts = URLParts(url), let canonical = OAuthDiscovery.canonical(url) else {
      throw Failure(
        .configuration, "the URL of `\(name)` cannot be read: \(url.printable(atMost: 200))")
    }
    self.name = name
    loginCommand = "rasa tools login \(name)"
    server = canonical
    self.settings = settings ?? OAuthSettings()
    self.file = file
    self.environment = environment
    self.time = time
    self.limits = limits
    self.random = random
    discovery = OAuthDiscovery(
      exchange: OAuthExchange(client: client, time: time, server: parts, timeout: limits.request),
      server: url)
  }

  /// Keeps the scopes that the next login has to ask for.
  func note(wanted scopes: [String]) async throws(Failure) {
    let server = server
    try await file.change { contents throws(Failure) in
      guard let place = contents.logins.lastIndex(where: { $0.server == server }) else { return }
      let missing = scopes.filter { !contents.logins[place].wanted.contains($0) }
      contents.logins[place].wanted += missing
    }
  }

  /// What to tell whoever cannot log in here and now.
  func needsLogin(_ why: String) -> Failure {
    var failure = Failure(
      .authentication, "`\(name)` \(why)",
      suggestion: "log in with `\(loginCommand)`, in a terminal")
    failure.reason = Failure.needsLogin
    return failure
  }
}

package func systemRandomBytes(_ count: Int) -> [UInt8] {
  var generator = SystemRandomNumberGenerator()
  return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}

// MARK: - Logging in

extension OAuthFlow {
  /// Has a person log in, and keeps what comes of it.
  ///
  /// - Parameters:
  ///   - challenge: what the server answered to a request without enough rights; nil if none was made.
  ///   - additional: scopes that are asked for beside those of the challenge.
  package func login(
    challenge: AuthChallenge? = nil, additional: [String] = [], with person: OAuthInteraction
  ) async throws(Failure) {
    let known = try file.read()
    var (challenge, additional) = (challenge, additional)
    if challenge == nil {
      challenge = try await discovery.challenge()
      // What was granted before is not to be lost.
      additional += known.login(to: server).map { $0.scopes + $0.wanted } ?? []
    }
    let resource = try await discovery.resource(hint: challenge?.parameters["resource_metadata"])
    let issuer =
      resource.issuers.first { issuer in known.login(to: server)?.issuer == issuer }
      ?? resource.issuers.first { known.clients[$0] != nil } ?? resource.issuers[0]
    let authority = try await discovery.authorizationServer(issuer)
    let (state, verifier) = (token(24), token(32))
    let client = try await client(of: authority, known.clients[authority.issuer])
    let callback = try OAuthCallback(port: port(of: client), state: state, name: name)
    let result: Result<OAuthLogin, Failure>
    do throws(Failure) {
      let registered = try await register(client, at: authority, redirect: callback.redirect)
      let scopes = scopes(challenge, resource, authority, additional)
      let url = authorizationURL(
        authority, registered, callback.redirect, scopes, resource.resource, state: state,
        verifier: verifier)
      await person.say(
        "To let rasa use `\(name)`, log in at \(authority.issuer.printable(atMost: 200)):")
      await person.say(url)
      await person.open(url)
      let arrival = try await callback.arrival(within: limits.login, time: time)
      let code = try code(arrival, of: authority)
      result = .success(
        try await redeem(
          code, at: authority, registered, callback.redirect, resource.resource, verifier,
          scopes: scopes))
    } catch {
      result = .failure(error)
    }
    await callback.close()
    let login = try result.get()
    try await file.change { contents throws(Failure) in contents.set(login) }
    await person.say("`\(name)` can be used now.")
  }

  private func token(_ count: Int) -> String { base64URL(random(count)) }

  private func scopes(
    _ challenge: AuthChallenge?, _ resource: ProtectedResource, _ authority: AuthorizationServer,
    _ additional: [String]
  ) -> [String] {
    let asked = challenge?.scopes ?? []
    var scopes =
      settings.scopes.isEmpty
      ? asked.isEmpty ? resource.scopes ?? [] : asked : settings.scopes + asked
    scopes += additional
    // Without it some servers give nothing to refresh with.
    if authority.scopes.contains("offline_access") { scopes.append("offline_access") }
    var seen: Set<String> = []
    return scopes.filter { seen.insert($0).inserted }
  }

  private func authorizationURL(
    _ authority: AuthorizationServer, _ client: OAuthClient, _ redirect: String, _ scopes: [String],
    _ resource: String, state: String, verifier: String
  ) -> String {
    var query = [
      ("response_type", "code"), ("client_id", client.id), ("redirect_uri", redirect),
      ("code_challenge", base64URL(Digest.sha256Bytes(Array(verifier.utf8)))),
      ("code_challenge_method", "S256"),
      ("state", state), ("resource", resource),
    ]
    if !scopes.isEmpty { query.append(("scope", scopes.joined(separator: " "))) }
    let text = query.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&")
    let endpoint = authority.authorizationEndpoint.split(atByte: "#", maxSplits: 1)[0]
    return endpoint + (endpoint.hasByte("?") ? "&" : "?") + text
  }

  private func code(_ arrival: OAuthCallback.Arrival, of authority: AuthorizationServer)
    throws(Failure) -> String
  {
    // Before anything else is believed: what another server answered is not this one's.
    if let issuer = arrival.issuer {
      guard issuer.hasSameBytes(as: authority.issuer) else {
        throw Failure(
          .authentication,
          "the answer in the browser is from another authorization server than \(authority.issuer)",
          suggestion: "do not try again before you know why: somebody may be after your login")
      }
    } else if authority.sendsIssuer {
      throw Failure(
        .authentication,
        "the answer in the browser does not say that it is from \(authority.issuer)",
        suggestion: "do not try again before you know why: somebody may be after your login")
    }
    if let error = arrival.error {
      let words = arrival.errorDescription.map { ": " + $0.printable(atMost: 300) } ?? ""
      if error == "access_denied" {
        throw Failure(.authentication, "the login to `\(name)` was refused in the browser\(words)")
      }
      throw Failure(
        .authentication,
        "\(authority.issuer) refused the login: `\(error.printable(atMost: 80))`\(words)")
    }
    guard let code = arrival.code, !code.isEmpty else {
      throw Failure(.authentication, "the answer in the browser has no code")
    }
    return code
  }
}

// MARK: - Clients

extension OAuthFlow {
  /// Who rasa is: what is registered beforehand, else the document that describes it, else what it registered itself
  /// as, or will (nil).
  private func client(
    of authority: AuthorizationServer, _ known: OAuthClient?
  ) async throws(Failure) -> OAuthClient? {
    if let id = settings.clientID {
      var client = OAuthClient(id: id, secretVariable: settings.clientSecretVariable)
      if settings.clientSecretVariable != nil {
        client.method = method(of: authority, hasSecret: true)
        _ = try secret(of: client)
      }
      return client
    }
    if let url = settings.metadataURL, authority.takesMetadataDocuments {
      return OAuthClient(id: url)
    }
    if let known { return known }
    guard authority.registrationEndpoint != nil else {
      throw Failure(
        .authentication, "\(authority.issuer) does not know rasa, and takes no registrations",
        suggestion:
          "register a client there with a redirect to http://127.0.0.1\(OAuthCallback.path), and name it under "
          + "`oauth:` of `\(name)` as `client_id`"
          + (authority.takesMetadataDocuments
            ? ", or the URL of a client ID metadata document as `client_metadata_url`" : ""))
    }
    return nil
  }

  private func method(of authority: AuthorizationServer, hasSecret: Bool) -> OAuthClient.Method {
    guard hasSecret else { return .none }
    let methods = authority.tokenMethods ?? ["client_secret_basic"]
    return methods.contains("client_secret_basic") || !methods.contains("client_secret_post")
      ? .basic : .post
  }

  /// The port that a client is registered with: a server may compare it, though it should not for this machine.
  private func port(of client: OAuthClient?) -> UInt16? {
    settings.callbackPort ?? client?.redirect.flatMap { URLParts($0)?.port }
  }

  private func register(
    _ client: OAuthClient?, at authority: AuthorizationServer, redirect: String
  ) async throws(Failure) -> OAuthClient {
    if let client { return client }
    guard let endpoint = authority.registrationEndpoint else {
      throw needsLogin("has no registration")
    }
    let answer = try await exchange.post(
      endpoint,
      json: [
        "client_name": "rasa", "application_type": "native", "redirect_uris": [.string(redirect)],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "none",
      ])
    guard (200..<300).contains(answer.status), let id = answer.value["client_id"].string,
      !id.isEmpty
    else {
      throw Failure(
        .authentication, "\(authority.issuer) did not register rasa: \(answer.problem)",
        suggestion:
          "register a client there by hand, and name it under `oauth:` of `\(name)` as `client_id`")
    }
    let secret = answer.value["client_secret"].string
    let method = answer.value["token_endpoint_auth_method"].string.flatMap(
      OAuthClient.Method.init(rawValue:))
    let registered = OAuthClient(
      id: id, secret: secret,
      method: method ?? self.method(of: authority, hasSecret: secret != nil),
      redirect: redirect)
    // Kept at once, so that the next login does not register another one.
    try await file.change { contents throws(Failure) in
      contents.clients[authority.issuer] = registered
    }
    return registered
  }

  private func secret(of client: OAuthClient) throws(Failure) -> String? {
    guard let variable = client.secretVariable else { return client.secret }
    if let value = environment[variable] { return value }
    throw Failure(
      .configuration, "the client of `\(name)` needs the variable \(variable), which is not set",
      suggestion: "set it: export \(variable)=…")
  }
}

// MARK: - Tokens

extension OAuthFlow {
  private func redeem(
    _ code: String, at authority: AuthorizationServer, _ client: OAuthClient, _ redirect: String,
    _ resource: String, _ verifier: String, scopes: [String]
  ) async throws(Failure) -> OAuthLogin {
    let answer = try await tokenRequest(
      authority.tokenEndpoint, client,
      [
        ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect),
        ("code_verifier", verifier), ("resource", resource),
      ])
    let login = OAuthLogin(
      issuer: authority.issuer, resource: resource, server: server,
      tokenEndpoint: authority.tokenEndpoint,
      revocationEndpoint: authority.revocationEndpoint, client: client, accessToken: "",
      scopes: scopes)
    return try filled(login, from: answer)
  }

  private func tokenRequest(
    _ endpoint: String, _ client: OAuthClient, _ form: [(String, String)]
  ) async throws(Failure) -> OAuthExchange.Answer {
    var form = form
    var headers: [(name: String, value: String)] = []
    let secret = try secret(of: client)
    switch client.method {
    case .basic:
      let pair = "\(percentEncoded(client.id)):\(percentEncoded(secret ?? ""))"
      headers.append(("Authorization", "Basic \(Base64.encode(Array(pair.utf8)))"))
    case .post: form += [("client_id", client.id), ("client_secret", secret ?? "")]
    case .none: form.append(("client_id", client.id))
    }
    return try await exchange.post(endpoint, form: form, headers: headers)
  }

  private func filled(_ login: OAuthLogin, from answer: OAuthExchange.Answer) throws(Failure)
    -> OAuthLogin
  {
    let value = answer.value
    guard answer.status == 200, let token = value["access_token"].string else {
      throw Failure(
        .authentication, "\(login.issuer) gave no token for `\(name)`: \(answer.problem)")
    }
    guard value["token_type"].string?.lowercased() == "bearer", !token.isEmpty,
      token.utf8.count <= 65_536,
      token.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
    else {
      throw Failure(
        .authentication, "\(login.issuer) gave a token for `\(name)` that cannot be used")
    }
    var login = login
    login.accessToken = token
    login.refreshToken = value["refresh_token"].string ?? login.refreshToken
    let seconds = value["expires_in"].int ?? value["expires_in"].string.flatMap { Int64($0) }
    login.issued = time.now()
    login.expires = seconds.map {
      Timestamp(milliseconds: time.now().milliseconds &+ min(max(0, $0), 315_360_000) * 1_000)
    }
    if let scope = value["scope"].string { login.scopes = AuthChallenge.scopes(scope) }
    return login
  }

  /// The login with a token that may be used: refreshed where that is due. Nil if there is none.
  ///
  /// - Parameter rejected: a token that the server no longer takes.
  func current(rejected: String? = nil) async throws(Failure) -> OAuthLogin? {
    guard let login = try file.read().login(to: server) else { return nil }
    guard isStale(login, rejected) else { return login }
    guard login.refreshToken != nil else { return rejected == nil && !isOver(login) ? login : nil }
    let server = server
    return try await file.change { contents async throws(Failure) -> OAuthLogin? in
      // Another process may have refreshed it while this one waited.
      guard let known = contents.login(to: server) else { return nil }
      guard isStale(known, rejected), let token = known.refreshToken else { return known }
      do throws(Failure) {
        let answer = try await tokenRequest(
          known.tokenEndpoint, known.client,
          [("grant_type", "refresh_token"), ("refresh_token", token), ("resource", known.resource)])
        if answer.value["error"].string == "invalid_grant" {
          // Used up, revoked or too old: only a person can help.
          contents.remove(server)
          return nil
        }
        let fresh = try filled(known, from: answer)
        contents.set(fresh)
        return fresh
      } catch {
        // What is not over yet can be used while its server is away.
        if error.kind == .cancelled || rejected != nil || isOver(known) { throw error }
        return known
      }
    }
  }

  private func isStale(_ login: OAuthLogin, _ rejected: String?) -> Bool {
    if let rejected, login.accessToken == rejected { return true }
    guard let expires = login.expires else { return false }
    // Some time before, as a request takes time, and clocks differ.
    let lifetime = login.issued.map { expires.milliseconds - $0.milliseconds } ?? .max
    return time.now().milliseconds > expires.milliseconds - min(60_000, max(0, lifetime / 4))
  }

  private func isOver(_ login: OAuthLogin) -> Bool {
    login.expires.map { $0 < time.now() } ?? false
  }

  /// Forgets the login and tells the authorization server so, if that takes it.
  ///
  /// - Returns: whether there was one.
  package func logout() async throws(Failure) -> Bool {
    let server = server
    let login = try await file.change { contents async throws(Failure) -> OAuthLogin? in
      defer { contents.remove(server) }
      return contents.login(to: server)
    }
    guard let login else { return false }
    if let endpoint = login.revocationEndpoint {
      // It is forgotten here in any case.
      _ = try? await tokenRequest(
        endpoint, login.client, [("token", login.refreshToken ?? login.accessToken)])
    }
    return true
  }
}

/// Base64 for URLs, without padding (RFC 4648, section 5).
func base64URL(_ bytes: [UInt8]) -> String {
  let text = Base64.encode(bytes).utf8.compactMap { byte -> UInt8? in
    switch byte {
    case UInt8(ascii: "+"): UInt8(ascii: "-")
    case UInt8(ascii: "/"): UInt8(ascii: "_")
    case UInt8(ascii: "="): nil
    default: byte
    }
  }
  return String(decoding: text, as: UTF8.self)
}

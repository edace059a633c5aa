import RasaCore
import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaHTTPServer
import RasaPersona
import RasaProcess
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaTools

@Suite struct OAuthTests {
  /// A server, the user's state folder, and a browser whose user says yes.
  private struct Place {
    let server: LoginServer
    let scratch = ScratchDirectory()
    let client = HTTPClient()
    let said = Locked<[String]>([])
    var settings = OAuthSettings()
    var environment = Environment(["CLIENT_SECRET": "a very & secret"])
    var limits = OAuthFlow.Limits()
    var time = TimeSource.system

    init(_ change: (inout LoginServer.Configuration) -> Void = { _ in }) throws {
      var configuration = LoginServer.Configuration()
      change(&configuration)
      server = try LoginServer(configuration)
    }

    var file: OAuthTokenFile { OAuthTokenFile(folder: scratch.file("state"), time: time) }

    func flow() throws -> OAuthFlow {
      try OAuthFlow(
        server: "notes", url: server.url, settings: settings, client: client, file: file,
        environment: environment, time: time, limits: limits)
    }

    var person: OAuthInteraction {
      let (client, said) = (client, said)
      return OAuthInteraction(
        say: { line in said.withLock { $0.append(line) } },
        open: { url in
          _ = try? await client.send(
            HTTPRequest(method: "GET", url: url, allowsPlainHTTP: true), following: RedirectPolicy()
          )
        })
    }

    func authorizer(alone: Bool = false) throws -> OAuthAuthorizer {
      OAuthAuthorizer(try flow(), with: alone ? nil : person)
    }

    /// What a client of the server does: asks, and asks again for as long as the authorizer says so.
    func request(_ authorizer: OAuthAuthorizer) async throws -> Int {
      for _ in 0..<10 {
        let headers = try await authorizer.headers(for: server.url).map {
          (name: $0.name, value: $0.value)
        }
        let response = try await client.send(
          HTTPRequest(url: server.url, headers: headers, allowsPlainHTTP: true))
        guard let challenge = response.headers.first(named: "www-authenticate"),
          try await authorizer.answer(challenge: challenge, status: response.status, of: server.url)
        else { return response.status }
      }
      throw Failure(.run, "it never ends")
    }

    /// Everything that a user or a log could see.
    var seen: String { said.withLock { $0.joined(separator: "\n") } }
  }

  // MARK: Logging in

  @Test(arguments: [
    "registers", "document", "secret in a header", "secret in the form", "openid of a tenant",
    "tenant",
    "no hint", "first revision", "no issuer",
  ])
  func aPersonLogsInOnce(_ kind: String) async throws {
    var place = try Place { configuration in
      switch kind {
      case "document":
        configuration.supportsMetadataDocuments = true
        configuration.supportsRegistration = false
      case "secret in a header": configuration.clients = ["rasa & co": "a very & secret"]
      case "secret in the form":
        configuration.clients = ["rasa & co": "a very & secret"]
        configuration.secretMethods = ["client_secret_post"]
      case "openid of a tenant":
        configuration.issuerPath = "/tenant1"
        configuration.isOpenIDOnly = true
      case "tenant": configuration.issuerPath = "/tenant1"
      case "no hint": configuration.hintsMetadata = false
      case "first revision": configuration.isFirstRevision = true
      case "no issuer": configuration.sendsIssuer = false
      default: break
      }
    }
    if kind == "document" { place.settings.metadataURL = "https://rasa.example.com/client.json" }
    if kind.hasPrefix("secret") {
      place.settings.clientID = "rasa & co"
      place.settings.clientSecretVariable = "CLIENT_SECRET"
    }
    #expect(try await place.request(place.authorizer()) == 200)
    #expect(
      place.server.count(of: "POST /register")
        == (kind.hasPrefix("secret") || kind == "document" ? 0 : 1))
    let asked = try #require(place.server.state.last["/authorize"])
    #expect(asked["resource"] == place.server.url)
    #expect(asked["scope"] == "read")
    if kind == "document" { #expect(asked["client_id"] == "https://rasa.example.com/client.json") }
    #expect(place.server.state.last["/token"]?["resource"] == place.server.url)
    // The next process needs nobody.
    #expect(try await place.request(place.authorizer(alone: true)) == 200)
    #expect(place.server.count(of: "GET /authorize") == 1)
    // What is secret is in the file alone, and that is its owner's.
    #expect(!place.seen.contains("secret"))
    let mode = RawFile.mode(of: place.file.path)
    #expect(mode == 0o600)
    #expect(try place.scratch.read("state/oauth-tokens.json")?.contains("a very & secret") == false)
  }

  @Test func aTokenGoesToItsServerAlone() async throws {
    let place = try Place()
    let authorizer = try place.authorizer()
    #expect(try await place.request(authorizer) == 200)
    for url in [
      place.server.baseURL + "/other", "http://127.0.0.1:1/mcp", "https://example.com/mcp",
      place.server.url + "?x=1", "not a URL",
    ] {
      #expect(try await authorizer.headers(for: url).isEmpty)
      #expect(try await !authorizer.answer(challenge: "Bearer", status: 401, of: url))
    }
    #expect(try await authorizer.headers(for: place.server.url).count == 1)
  }

  @Test func nobodyIsAskedWithoutATerminal() async throws {
    let place = try Place()
    let failure = try await #require(throws: Failure.self) {
      try await place.request(place.authorizer(alone: true))
    }
    #expect(failure.kind == Failure.Kind.authentication)
    #expect(failure.suggestion.contains("`rasa tools login notes`"))
    #expect(place.server.state.log == ["POST /mcp"])
  }

  @Test func aStrangersCallDoesNotEndTheLogin() async throws {
    let place = try Place()
    let client = place.client
    let statuses = Locked<[Int]>([])
    let person = OAuthInteraction(say: { _ in }) { url in
      let redirect = url.split(separator: "redirect_uri=")[1].prefix { $0 != "&" }
        .replacing("%3A", with: ":").replacing("%2F", with: "/")
      for query in [
        "", "?state=x&code=evil", "?state=&code=evil", "?code=evil", "?state=a&state=b",
      ] {
        let response = try? await client.send(
          HTTPRequest(method: "GET", url: redirect + query, allowsPlainHTTP: true))
        if let response { statuses.withLock { $0.append(response.status) } }
      }
      await place.person.open(url)
    }
    try await place.flow().login(with: person)
    #expect(statuses.withLock { $0 } == [400, 400, 400, 400, 400])
    #expect(try await place.request(place.authorizer(alone: true)) == 200)
  }

  /// From the refusal in the browser's hands to the result.
  @Test func aToolOfARemoteServerIsUsedAfterALogin() async throws {
    let place = try Place { configuration in
      configuration.resource = { request in
        guard let message = try? JSON.parse(request.body) else {
          return ServerResponse(status: 400, "")
        }
        let result: Value
        switch message["method"].string {
        case "initialize":
          result = [
            "protocolVersion": "2025-06-18", "capabilities": ["tools": .emptyObject],
            "serverInfo": ["name": "notes", "version": "1"],
          ]
        case "tools/list":
          result = ["tools": [["name": "read", "inputSchema": ["type": "object"]]]]
        case "tools/call": result = ["content": [["type": "text", "text": "a note"]]]
        default:
          guard !message["id"].isNull else { return ServerResponse(status: 202, "") }
          let error: Value = [
            "jsonrpc": "2.0", "id": message["id"], "error": ["code": -32601, "message": "no"],
          ]
          return ServerResponse(error.json(), type: "application/json")
        }
        let answer: Value = ["jsonrpc": "2.0", "id": message["id"], "result": result]
        return ServerResponse(answer.json(), type: "application/json")
      }
    }
    let declaration = ToolDeclaration(
      name: "notes", kind: .mcp(MCPServer(.http(url: place.server.url, headers: [], oauth: nil))),
      location: SourceLocation(file: "config.yaml", line: 1, column: 1))
    let alone = MCPSetting(authorizer: try place.authorizer(alone: true))
    let failure = try await #require(throws: Failure.self) {
      try await alone.call(declaration, "read")
    }
    #expect(failure.suggestion.contains("rasa tools login notes"), "\(failure)")
    let setting = MCPSetting(authorizer: try place.authorizer())
    guard case .result(let result) = try await setting.call(declaration, "read") else {
      throw Failure(.run, "no result")
    }
    #expect(result.text == "a note")
    #expect(place.server.count(of: "GET /authorize") == 1)
  }

  // MARK: What goes wrong

  @Test(arguments: [
    (LoginServer.Fault.wrongIssuer, "another authorization server"),
    (.noIssuer, "does not say that it is from"),
    (.refuses, "was refused in the browser: not\u{FFFD}[31m today"), (.noCode, "has no code"),
    (.noPKCE, "PKCE"), (.otherIssuerInMetadata, "is that of `https://honest.example.com`"),
    (.otherResource, "is for another resource: `https://bank.example.com/mcp`"),
    (.noAuthorizationServers, "names no authorization server"),
    (.plainEndpoint, "is not encrypted"),
    (.garbageMetadata, "it is no JSON"),
    (.metadataRedirectsToPrivateAddress, "a link-local address"),
    (.metadataRedirectsForever, "redirects more than"),
    (.neverAnswersMetadata, "no response came in time"),
    (.expiredCode, "`invalid_grant`: the code is expired"), (.garbageToken, "gave no token"),
    (.macToken, "cannot be used"), (.tokenWithLineBreak, "cannot be used"),
    (.tokenRedirectsElsewhere, "it answered 307"), (.neverAnswersToken, "no response came in time"),
    (
      .refusesRegistration,
      "did not register rasa: it answered 400, `invalid_client_metadata`: we know everybody"
    ),
    (.wrongState, "nobody logged in within"),
  ])
  func aLoginThatIsNotRightFails(_ fault: LoginServer.Fault, _ words: String) async throws {
    var place = try Place { $0.faults = [fault] }
    if [LoginServer.Fault.neverAnswersMetadata, .neverAnswersToken].contains(fault) {
      place.limits.request = .milliseconds(500)
    }
    if fault == .wrongState { place.limits.login = .milliseconds(500) }
    let failure = try await #require(throws: Failure.self) {
      try await place.request(place.authorizer())
    }
    #expect(failure.kind == .authentication, "\(failure)")
    #expect(failure.description.contains(words), "\(failure)")
    #expect(!failure.description.contains("access-secret"))
    #expect(try place.file.read().logins.isEmpty)
    #expect(place.server.count(of: "POST /thief") == 0)
    if [LoginServer.Fault.wrongIssuer, .noIssuer, .wrongState].contains(fault) {
      #expect(place.server.count(of: "POST /token") == 0)
    }
    // It can be tried again, and then works.
    place.server.change { $0.faults = [] }
    place.limits = OAuthFlow.Limits()
    #expect(try await place.request(place.authorizer()) == 200)
  }

  @Test func aServerThatNeverIsContentIsNotLoggedInToForever() async throws {
    let place = try Place { $0.faults = [.neverContent] }
    let failure = try await #require(throws: Failure.self) {
      try await place.request(place.authorizer())
    }
    #expect(failure.message.contains("does not take its login, just after the last one"))
    #expect(place.server.count(of: "GET /authorize") == 2)
  }

  @Test func aClientThatNobodyKnowsHearsHowToBecomeKnown() async throws {
    let place = try Place { $0.supportsRegistration = false }
    let failure = try await #require(throws: Failure.self) {
      try await place.request(place.authorizer())
    }
    #expect(failure.suggestion.contains("`client_id`"))
  }

  @Test func aMissingSecretIsNamedBeforeTheBrowserOpens() async throws {
    var place = try Place { $0.clients = ["rasa": "x"] }
    place.settings.clientID = "rasa"
    place.settings.clientSecretVariable = "MISSING"
    let failure = try await #require(throws: Failure.self) {
      try await place.request(place.authorizer())
    }
    #expect(failure.message.contains("MISSING"))
    #expect(place.server.count(of: "GET /authorize") == 0)
  }

  // MARK: Later

  @Test func manyRequestsOfSeveralProcessesRefreshOnce() async throws {
    let place = try Place()
    #expect(try await place.request(place.authorizer()) == 200)
    place.server.expireTokens()
    try await place.file.change { contents throws(Failure) in
      contents.logins[0].expires = Timestamp(milliseconds: 1)
    }
    let authorizers = try (0..<3).map { _ in try place.authorizer(alone: true) }
    try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<24 { group.addTask { try await place.request(authorizers[number % 3]) } }
      for try await status in group { #expect(status == 200) }
    }
    #expect(place.server.count(of: "POST /token refresh_token") == 1)
    #expect(place.server.state.usedRefreshTokens == 0)
  }

  @Test func aTokenThatIsNoLongerTakenIsRefreshedAtOnce() async throws {
    let place = try Place()
    #expect(try await place.request(place.authorizer()) == 200)
    place.server.expireTokens()
    #expect(try await place.request(place.authorizer(alone: true)) == 200)
    #expect(place.server.count(of: "POST /token refresh_token") == 1)
  }

  @Test func aRefreshThatIsRefusedEndsTheLogin() async throws {
    let place = try Place()
    #expect(try await place.request(place.authorizer()) == 200)
    place.server.expireTokens()
    place.server.change { $0.faults = [.refusesRefresh] }
    let failure = try await #require(throws: Failure.self) {
      try await place.request(place.authorizer(alone: true))
    }
    #expect(failure.suggestion.contains("rasa tools login notes"))
    #expect(try place.file.read().logins.isEmpty)
    // With somebody there it is one more login.
    place.server.change { $0.faults = [] }
    #expect(try await place.request(place.authorizer()) == 200)
  }

  @Test func aRefreshThatFailsKeepsTheLogin() async throws {
    let place = try Place()
    #expect(try await place.request(place.authorizer()) == 200)
    place.server.change { $0.faults = [.failsRefresh] }
    let now = TimeSource.system.now().milliseconds
    try await place.file.change { contents throws(Failure) in
      contents.logins[0].issued = Timestamp(milliseconds: now - 3_600_000)
      contents.logins[0].expires = Timestamp(milliseconds: now + 50_000)
    }
    // Due, but not over.
    #expect(try await place.request(place.authorizer(alone: true)) == 200)
    place.server.expireTokens()
    let failure = try await #require(throws: Failure.self) {
      try await place.request(place.authorizer(alone: true))
    }
    #expect(failure.message.contains("503"))
    #expect(try place.file.read().logins.count == 1)
    place.server.change { $0.faults = [] }
    #expect(try await place.request(place.authorizer(alone: true)) == 200)
  }

  @Test func moreRightsAreAskedForBesideThoseThatThereAre() async throws {
    let place = try Place()
    let authorizer = try place.authorizer()
    #expect(try await place.request(authorizer) == 200)
    place.server.change { $0.scopes = ["write"] }
    let failure = try await #require(throws: Failure.self) {
      try await place.request(place.authorizer(alone: true))
    }
    #expect(failure.message.contains("wants more rights: write"))
    #expect(try place.file.read().logins.first?.wanted == ["write"])
    #expect(try await place.request(authorizer) == 200)
    #expect(
      Set(place.server.state.last["/authorize"]?["scope"]?.split(separator: " ") ?? []) == [
        "read", "write",
      ])
  }

  @Test func aLoginOnRequestAsksTheServerWhatItWants() async throws {
    let place = try Place {
      $0.hidesMetadata = true
      $0.otherScopes = ["admin"]
    }
    try await place.flow().login(with: place.person)
    // What the challenge says, and not everything there is.
    #expect(place.server.state.last["/authorize"]?["scope"] == "read")
    #expect(try await place.request(place.authorizer(alone: true)) == 200)
    for scope in ["write", "send"] {
      place.server.change { $0.scopes = [scope] }
      await #expect(throws: Failure.self) {
        try await place.request(place.authorizer(alone: true))
      }
    }
    // What runs asked for in vain comes with the next login, and nothing is lost.
    try await place.flow().login(with: place.person)
    #expect(
      Set(place.server.state.last["/authorize"]?["scope"]?.split(separator: " ") ?? []) == [
        "read", "write", "send",
      ])
    #expect(try place.file.read().logins.first?.wanted == [])
    #expect(try await place.request(place.authorizer(alone: true)) == 200)
  }

  @Test func loggingOutForgetsAndRevokes() async throws {
    let place = try Place()
    #expect(try await place.request(place.authorizer()) == 200)
    #expect(try await place.flow().logout())
    #expect(try await !place.flow().logout())
    #expect(place.server.state.revoked.count == 1)
    #expect(try place.file.read().logins.isEmpty)
    #expect(try await place.authorizer(alone: true).headers(for: place.server.url).isEmpty)
  }

  @Test func aFileThatIsNoneIsReported() async throws {
    let place = try Place()
    try place.scratch.write("{", to: "state/oauth-tokens.json")
    let failure = try await #require(throws: Failure.self) {
      try await place.request(place.authorizer())
    }
    #expect(failure.kind == .storage)
    #expect(failure.suggestion.contains("oauth-tokens.json"))
  }

  // MARK: Declarations

  @Test func aDeclarationIsLoggedInToByItsName() async throws {
    let place = try Place()
    func declaration(_ headers: [Header], _ url: String) -> ToolDeclaration {
      ToolDeclaration(
        name: "notes", kind: .mcp(MCPServer(.http(url: url, headers: headers, oauth: nil))),
        location: SourceLocation(file: "config.yaml", line: 1, column: 1))
    }
    let logins = OAuthLogins(
      client: place.client, folder: place.scratch.file("state"),
      environment: Environment(["NOTES_URL": place.server.url]))
    let remote = declaration([], "${NOTES_URL}")
    try await logins.login(to: remote, with: place.person)
    let authorizer = try #require(logins.authorizer(for: remote))
    #expect(try await place.request(authorizer) == 200)
    #expect(try await logins.logout(from: remote))
    // A token of one's own goes before a login.
    #expect(
      logins.authorizer(
        for: declaration([Header(name: "authorization", value: "x")], "${NOTES_URL}")) == nil)
    #expect(logins.authorizer(for: declaration([], "${MISSING}")) == nil)
    let program = ToolDeclaration(
      name: "local", kind: .mcp(MCPServer(.stdio(command: ["x"], environment: [:], folder: nil))),
      location: SourceLocation(file: "config.yaml", line: 1, column: 1))
    let failure = try await #require(throws: Failure.self) {
      try await logins.login(to: program, with: place.person)
    }
    #expect(failure.message.contains("`local` is no remote server"))
  }

  @Test func theBrowserSeesTheAddressAndNoKey() throws {
    let scratch = ScratchDirectory()
    let program = try scratch.write("#!/bin/sh\n", to: "xdg-open")
    try FileSystem.write(Array("#!/bin/sh\n".utf8), to: program, mode: 0o755)
    let environment = Environment([
      "PATH": scratch.path, "DISPLAY": ":0", "API_KEY": "secret", "XDG_SESSION_TYPE": "wayland",
    ])
    let url = "https://auth.example.com/?a=$(reboot)&b=`x`"
    let command = try #require(Browser.command(url, environment))
    #expect(command.arguments.last == url)
    #expect(command.environment["API_KEY"] == nil && command.environment["DISPLAY"] == ":0")
    for other in ["file:///etc/passwd", "-x", "javascript:alert(1)"] {
      #expect(Browser.command(other, environment) == nil)
    }
    #expect(Browser.command(url, Environment(["PATH": "/nowhere"])) == nil)
  }

  // MARK: Challenges

  @Test(arguments: [
    ("Bearer", [AuthChallenge(scheme: "bearer")]), ("", []), (",,", []),
    ("\u{1}, Bearer", [AuthChallenge(scheme: "bearer")]),
    (
      "Bearer realm=\"a, b\", scope=\"x y\", error=invalid_token",
      [
        AuthChallenge(
          scheme: "bearer", parameters: ["realm": "a, b", "scope": "x y", "error": "invalid_token"])
      ]
    ),
    (
      "Basic realm=\"x\", BEARER Resource_Metadata = \"https://a/\\\"b\"",
      [
        AuthChallenge(scheme: "basic", parameters: ["realm": "x"]),
        AuthChallenge(scheme: "bearer", parameters: ["resource_metadata": "https://a/\"b"]),
      ]
    ),
    ("Bearer scope=\"never ends", [AuthChallenge(scheme: "bearer")]),
    (
      "Bearer scope=\"a\", scope=\"b\"",
      [AuthChallenge(scheme: "bearer", parameters: ["scope": "a"])]
    ),
    ("Negotiate, Bearer", [AuthChallenge(scheme: "negotiate"), AuthChallenge(scheme: "bearer")]),
  ])
  func challengesAreRead(_ header: String, _ expected: [AuthChallenge]) {
    #expect(AuthChallenge.parse(header) == expected)
  }

  @Test func theChallengeOfPKCEIsThatOfTheStandard() {
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    #expect(
      base64URL(Digest.sha256Bytes(Array(verifier.utf8)))
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
  }
}

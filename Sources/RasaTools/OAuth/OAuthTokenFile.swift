package import RasaCore
import RasaDocuments
import RasaSystem

/// A login, as it is kept.
struct OAuthLogin: Sendable, Hashable {
  var issuer: String
  var resource: String
  /// The server's URL: nobody else gets its token.
  var server: String
  var tokenEndpoint: String
  var revocationEndpoint: String?
  var client: OAuthClient
  var accessToken: String
  var refreshToken: String?
  /// When the token was given, and when it is over; nil where the server did not say.
  var issued: Timestamp?
  var expires: Timestamp?
  var scopes: [String]
  /// Scopes that the server asked for and that nobody could give then.
  var wanted: [String] = []
}

/// Who rasa is to an authorization server.
struct OAuthClient: Sendable, Hashable {
  enum Method: String, Sendable, Hashable {
    case none
    case basic = "client_secret_basic"
    case post = "client_secret_post"
  }
  var id: String
  /// Of a client that has registered itself. One of the environment is never stored.
  var secret: String?
  /// The variable with the secret.
  var secretVariable: String?
  var method = Method.none
  /// Where the browser is sent to, for clients that have registered it.
  var redirect: String?
}

/// The tokens of all servers, in one file that only its owner can read.
///
/// Processes that want to refresh the same token wait for one another: whoever comes second finds the new one.
package struct OAuthTokenFile: Sendable {
  let path: String
  private let time: TimeSource

  package init(folder: String, time: TimeSource = .system) {
    path = "\(folder)/oauth-tokens.json"
    self.time = time
  }

  struct Contents: Sendable, Hashable {
    var logins: [OAuthLogin] = []
    /// Clients that have registered themselves, by issuer.
    var clients: [String: OAuthClient] = [:]

    func login(to server: String) -> OAuthLogin? {
      logins.last { $0.server.hasSameBytes(as: server) }
    }

    mutating func set(_ login: OAuthLogin) {
      logins.removeAll {
        ($0.issuer == login.issuer && $0.resource == login.resource) || $0.server == login.server
      }
      logins.append(login)
    }

    mutating func remove(_ server: String) { logins.removeAll { $0.server == server } }
  }

  func read() throws(Failure) -> Contents {
    guard let bytes = try FileSystem.readIfPresent(path, limit: 4_000_000, followingLinks: false)
    else {
      return Contents()
    }
    let document: Value
    do { document = try JSON.parse(bytes, named: path) } catch {
      throw Failure(
        .storage, "the file of tokens cannot be read: \(error.message)",
        suggestion: "remove \(path), and log in again")
    }
    return Contents(document)
  }

  /// Changes the contents with nobody else in between, and returns when they are on disk.
  func change<Result: Sendable>(
    _ body: @Sendable (inout Contents) async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    let lock = try await lock()
    defer { withExtendedLifetime(lock) {} }
    var contents = try read()
    let before = contents
    let result: Result
    do throws(Failure) {
      result = try await body(&contents)
    } catch {
      if contents != before { try write(contents) }
      throw error
    }
    if contents != before { try write(contents) }
    return result
  }

  private func write(_ contents: Contents) throws(Failure) {
    try FileSystem.write(contents.value.jsonBytes(.pretty), to: path, mode: 0o600)
  }

  private func lock() async throws(Failure) -> FileLock {
    try FileSystem.makeFolder(FileSystem.parent(of: path))
    // A refresh takes one request, whose time is limited.
    let deadline = time.monotonic() &+ 60_000_000_000
    while true {
      if let lock = try FileLock.take(path + ".lock") { return lock }
      guard time.monotonic() < deadline else {
        throw Failure(
          .storage, "another process keeps the file of tokens locked: \(path).lock",
          suggestion: "end it, or try again")
      }
      do { try await time.sleep(.milliseconds(25)) } catch {
        throw Failure(.cancelled, "the authorization was cancelled")
      }
    }
  }
}

// MARK: - JSON

extension OAuthTokenFile.Contents {
  init(_ document: Value) {
    logins = document["logins"].array?.compactMap { OAuthLogin($0) } ?? []
    for (issuer, value) in document["clients"].object ?? ValueObject() {
      clients[issuer] = OAuthClient(value)
    }
  }

  var value: Value {
    [
      "logins": .array(logins.map(\.value)),
      "clients": .object(
        ValueObject(clients.sorted { $0.key < $1.key }.map { ($0.key, $0.value.value) })),
    ]
  }
}

extension OAuthLogin {
  init?(_ value: Value) {
    guard let issuer = value["issuer"].string, let resource = value["resource"].string,
      let server = value["server"].string, let endpoint = value["token_endpoint"].string,
      let client = OAuthClient(value["client"]), let token = value["access_token"].string
    else { return nil }
    self.init(
      issuer: issuer, resource: resource, server: server, tokenEndpoint: endpoint,
      revocationEndpoint: value["revocation_endpoint"].string, client: client, accessToken: token,
      refreshToken: value["refresh_token"].string,
      issued: value["issued"].int.map { Timestamp(milliseconds: $0) },
      expires: value["expires"].int.map { Timestamp(milliseconds: $0) },
      scopes: AuthChallenge.scopes(value["scope"].string ?? ""),
      wanted: AuthChallenge.scopes(value["wanted"].string ?? ""))
  }

  var value: Value {
    var object: ValueObject = [
      "issuer": .string(issuer), "resource": .string(resource), "server": .string(server),
      "token_endpoint": .string(tokenEndpoint), "client": client.value,
      "access_token": .string(accessToken), "scope": .string(scopes.joined(separator: " ")),
    ]
    if !wanted.isEmpty { object["wanted"] = .string(wanted.joined(separator: " ")) }
    object["revocation_endpoint"] = revocationEndpoint.map { .string($0) }
    object["refresh_token"] = refreshToken.map { .string($0) }
    object["issued"] = issued.map { .int($0.milliseconds) }
    object["expires"] = expires.map { .int($0.milliseconds) }
    return .object(object)
  }
}

extension OAuthClient {
  init?(_ value: Value) {
    guard let id = value["id"].string else { return nil }
    self.init(
      id: id, secret: value["secret"].string, secretVariable: value["secret_variable"].string,
      method: value["method"].string.flatMap(Method.init(rawValue:)) ?? .none,
      redirect: value["redirect"].string)
  }

  var value: Value {
    var object: ValueObject = ["id": .string(id), "method": .string(method.rawValue)]
    object["secret"] = secret.map { .string($0) }
    object["secret_variable"] = secretVariable.map { .string($0) }
    object["redirect"] = redirect.map { .string($0) }
    return .object(object)
  }
}

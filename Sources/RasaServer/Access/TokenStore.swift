import RasaCore
import RasaDocuments
import RasaKit
import RasaSystem

/// The tokens that are valid: that of whoever runs the server, and those of the file `tokens.json`, which is read again
/// when it has changed.
final class TokenStore: Sendable {
  /// What `--ollama-open` lets in.
  let openClient: Client
  private let owner: String
  private let file: TokenFile
  private let read: Locked<(stamp: FileStamp?, clients: [String: Client])>

  init(owner: String, file: TokenFile, openClient: Client) throws(Failure) {
    self.owner = Digest.sha256(owner)
    self.file = file
    self.openClient = openClient
    read = Locked((FileSystem.stamp(of: file.path), try file.clients()))
  }

  /// Nil for a token that is not valid.
  func client(for token: String) -> Client? {
    // Of digests it tells nobody anything how long a comparison takes.
    let digest = Digest.sha256(token)
    if digest == owner { return .owner }
    let stamp = FileSystem.stamp(of: file.path)
    let known = read.withLock { $0 }
    guard stamp != known.stamp else { return known.clients[digest] }
    // A file that cannot be read lets nobody in.
    let clients = (try? file.clients()) ?? [:]
    read.withLock { $0 = (stamp, clients) }
    return clients[digest]
  }
}

/// `tokens.json`: digests of tokens and what they allow.
struct TokenFile: Sendable {
  let path: String

  func clients() throws(Failure) -> [String: Client] {
    var clients: [String: Client] = [:]
    for (digest, client) in try entries() { clients[digest] = client }
    return clients
  }

  func entries() throws(Failure) -> [(digest: String, client: Client)] {
    guard let bytes = try FileSystem.readIfPresent(path, limit: 1_000_000) else { return [] }
    let document = try JSON.parse(bytes, named: path)
    var entries: [(digest: String, client: Client)] = []
    for entry in document["tokens"].array ?? [] {
      guard let digest = entry["sha256"].string, let client = Client(entry) else {
        throw Failure(
          .configuration, "\(path) cannot be read: an entry of `tokens` is damaged",
          suggestion: "`rasa tokens` makes and removes tokens")
      }
      entries.append((digest, client))
    }
    return entries
  }
}

extension Client {
  init?(_ entry: Value) {
    guard let name = entry["name"].string, let words = entry["scopes"].array else { return nil }
    var scopes: Set<Scope> = []
    for word in words {
      guard let scope = word.string.flatMap(Scope.init(rawValue:)) else { return nil }
      scopes.insert(scope)
    }
    self.init(name: name, scopes: scopes)
    models = (entry["models"].array ?? []).compactMap(\.string)
    user = entry["user"].string
    maxCost = entry["max_cost_usd"].string.flatMap { Rasa.Dollars($0) }
    daily = entry["daily_usd"].string.flatMap { Rasa.Dollars($0) }
    monthly = entry["monthly_usd"].string.flatMap { Rasa.Dollars($0) }
    requestsPerMinute = entry["requests_per_minute"].int.map { Int(clamping: $0) }
    concurrency = entry["concurrency"].int.map { Int(clamping: $0) }
  }
}

/// A secret that nobody can guess: 256 bits, as letters and digits.
func newSecret(_ prefix: String) -> String {
  var random = SystemRandomNumberGenerator()
  let letters = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
  let bytes = (0..<43).map { _ in letters[Int.random(in: 0..<62, using: &random)] }
  return prefix + String(decoding: bytes, as: UTF8.self)
}

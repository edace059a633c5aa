package import RasaCore
import RasaKit
import RasaSystem

/// The tokens of a server beside that of whoever runs it, as `rasa tokens` makes, lists and revokes them.
package struct TokenList: Sendable {
  package let path: String
  private var file: TokenFile { TokenFile(path: path) }

  /// - Parameter folder: where the server keeps its data.
  package init(folder: String) { path = FileSystem.path("tokens.json", in: folder) }

  /// What each allows, without the tokens themselves.
  package func list() throws(Failure) -> [Value] { try file.entries().map(\.client.document) }

  /// Makes a token from what it is to allow.
  ///
  /// - Parameter allowed: as `list` gives it.
  /// - Returns: the token, which is kept nowhere.
  package func create(_ allowed: Value) throws(Failure) -> String {
    guard let client = Client(allowed), !client.name.isEmpty, client.name.utf8.count <= 64,
      client.name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      throw Failure(
        .usage, "a token cannot have that name", suggestion: "use letters and digits, up to 64")
    }
    var entries = try file.entries()
    let taken = [Client.owner.name, Client.anonymous.name, Client.openName]
    guard !entries.contains(where: { $0.client.name == client.name }), !taken.contains(client.name)
    else {
      throw Failure(
        .usage, "there is a token \(quoted(client.name)) already",
        suggestion: "revoke it first, or take another name")
    }
    let token = newSecret("rasa_")
    entries.append((Digest.sha256(token), client))
    try write(entries)
    return token
  }

  /// - Returns: whether there was one of that name.
  package func revoke(_ name: String) throws(Failure) -> Bool {
    var entries = try file.entries()
    let count = entries.count
    entries.removeAll { $0.client.name == name }
    guard entries.count < count else { return false }
    try write(entries)
    return true
  }

  private func write(_ entries: [(digest: String, client: Client)]) throws(Failure) {
    let document: Value = [
      "tokens": .array(
        entries.map { digest, client in
          var entry = client.document.object ?? ValueObject()
          entry["sha256"] = .string(digest)
          return .object(entry)
        })
    ]
    try FileSystem.makeFolder(FileSystem.parent(of: path))
    try FileSystem.write(Array((document.json(.pretty) + "\n").utf8), to: path, mode: 0o600)
  }
}

extension Client {
  /// What `--ollama-open` lets in.
  static let openName = "ollama-open"

  var document: Value {
    [
      "name": .string(name), "scopes": .array(scopes.map(\.rawValue).sorted().map { .string($0) }),
      "models": .array(models.map { .string($0) }), "user": user.map { .string($0) } ?? .null,
      "max_cost_usd": maxCost.map { .string($0.decimalText) } ?? .null,
      "requests_per_minute": requestsPerMinute.map { .int(Int64($0)) } ?? .null,
      "concurrency": concurrency.map { .int(Int64($0)) } ?? .null,
    ]
  }
}

import RasaCore
import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaSystem

extension Rasa {
  /// A server of rasa on which runs are carried out, as `rasa serve` is one.
  public struct Remote: Sendable {
    let rasa: Rasa
    let url: String
    let token: String?

    /// Whom a run asks.
    public enum Subject: Sendable, Hashable {
      /// A persona by name or alias.
      case persona(String)
      /// An agent by ID.
      case agent(String)
      /// The agent that fits best.
      case fitting
    }

    /// Runs a persona or an agent on the server, and tells what happens as a run of this process would.
    ///
    /// A connection that breaks is made again, and goes on where it was. Cancelling the caller's task parks the run.
    ///
    /// - Parameters:
    ///   - subject: Whom to ask.
    ///   - input: What it is asked.
    ///   - options: How the run is to go.
    ///   - observer: Receives each event.
    ///   - approve: Decides what a person is asked; nil leaves it for later.
    /// - Returns: The result.
    /// - Throws: A `RasaError`, what the observer throws, and `CancellationError`.
    public func run(
      _ subject: Subject, input: String, options: RunOptions = RunOptions(), observer: Observer,
      approve: ApprovalHandler? = nil
    ) async throws -> RunResult {
      let client: HTTPClient
      do { client = try rasa.services.client } catch { throw RasaError(error) }
      let connection = RemoteConnection(client: client, url: url, token: token)
      var following = RemoteFollowing(connection, observer)
      do {
        var result = try await following.start(body(subject, input, options))
        while result["status"].string == "parked", let approve,
          try await following.answer(result, approve)
        {
          result = try await following.goOn()
        }
        return try following.end(result)
      } catch {
        // As a run here would be, and not left working for nobody.
        if let run = following.run, Task.isCancelled || !(error is RasaError) {
          _ = await Task { try? await connection.ask("POST", "/v1/runs/\(run)/park") }.value
        }
        throw error is Failure ? RasaError(error, { rasa.composition.redaction($0) }) : error
      }
    }

    private func body(
      _ subject: Subject, _ input: String, _ options: RunOptions
    ) -> RasaCore.Value {
      var body: ValueObject = ["input": .string(input), "stream": true]
      switch subject {
      case .persona(let name): body["persona"] = .string(name)
      case .agent(let id): body["agent"] = .string(id)
      case .fitting: body["auto"] = true
      }
      let preferences = options.preferences.names.map { name in
        (name, RasaCore.Value.string(options.preferences[name] ?? ""))
      }
      if !preferences.isEmpty { body["preferences"] = .object(ValueObject(preferences)) }
      if let session = options.session { body["session"] = .string(session) }
      if let user = options.user { body["user"] = .string(user) }
      if let moment = options.asOf { body["as_of_ms"] = .int(moment) }
      if let model = options.model { body["model"] = .string(model) }
      if let profile = options.profile { body["profile"] = .string(profile.rawValue) }
      if options.allowsPremium { body["premium"] = true }
      if let most = options.maxCost { body["max_cost_usd"] = .string(most.decimalText) }
      if let seconds = options.maxSeconds { body["max_seconds"] = .int(Int64(seconds)) }
      if options.ignoresRunLimit { body["force"] = true }
      if options.ignoresBudget { body["allow_budget_exceed"] = true }
      if !options.attachments.isEmpty {
        body["attachments"] = .array(
          options.attachments.map { ["name": .string($0.name), "data": .string($0.base64)] })
      }
      return .object(body)
    }
  }

  /// A server that is reached with these settings' network and certificates.
  ///
  /// - Parameters:
  ///   - url: Such as `http://127.0.0.1:8000`; beyond this machine it has to be `https`.
  ///   - token: The token to send; nil for none.
  /// - Throws: A `RasaError` of code `usage` for what is no such address.
  public func remote(_ url: String, token: String?) throws(RasaError) -> Remote {
    var base = url
    while base.hasBytePrefix("http"), base.utf8.last == UInt8(ascii: "/") { base.removeLast() }
    guard base.hasBytePrefix("http://") || base.hasBytePrefix("https://") else {
      throw RasaError(
        .usage, "\(quoted(url)) is no address of a server",
        suggestion: "give one such as http://127.0.0.1:8000")
    }
    if base.hasBytePrefix("http://"), !RemoteConnection.isLoopback(base) {
      throw RasaError(
        .usage, "\(quoted(url)) is another machine, and the token would be sent there unencrypted",
        suggestion: "use https")
    }
    return Remote(rasa: self, url: base, token: token)
  }
}

extension Rasa.Attachment {
  /// The bytes, in base64.
  var base64: String {
    own.type == .text ? Base64.encode(Array(own.payload.utf8)) : own.payload
  }
}

/// Requests to a server of rasa.
struct RemoteConnection: Sendable {
  let client: HTTPClient
  let url: String
  let token: String?

  static func isLoopback(_ url: String) -> Bool {
    let host = url.dropFirst("http://".utf8.count)
    return ["127.0.0.1", "localhost", "[::1]"].contains { name in
      host.hasBytePrefix(name) && [nil, ":", "/"].contains(host.dropFirst(name.count).first)
    }
  }

  func open(
    _ method: String, _ path: String, _ body: RasaCore.Value? = nil,
    headers: [(name: String, value: String)] = []
  ) async throws -> HTTPResponse {
    var all = headers
    if let token { all.append((name: "Authorization", value: "Bearer \(token)")) }
    if body != nil { all.append((name: "Content-Type", value: "application/json")) }
    let response: HTTPResponse
    do {
      response = try await client.send(
        HTTPRequest(
          method: method, url: url + path, headers: all, body: body?.jsonBytes(.compact) ?? [],
          allowsPlainHTTP: true))
    } catch let error as HTTPError {
      throw Failure(
        .provider, "the server at \(url) cannot be reached: \(error.message)",
        suggestion: "start it with `rasa serve`, or check `--api-url`")
    }
    guard !(200..<300).contains(response.status) else { return response }
    let bytes = (try? await response.body.collect(limit: 1_000_000)) ?? []
    throw Self.failure(response.status, bytes)
  }

  @discardableResult
  func ask(
    _ method: String, _ path: String, _ body: RasaCore.Value? = nil
  ) async throws -> RasaCore.Value {
    let response = try await open(method, path, body)
    return try JSON.parse(
      try await response.body.collect(limit: 64_000_000), named: "the server's answer",
      limits: JSONLimits(depth: 64, bytes: 64_000_000))
  }

  /// What the server says of a request that it refused, as a failure here.
  private static func failure(_ status: Int, _ bytes: [UInt8]) -> Failure {
    let error = (try? JSON.parse(bytes, named: "error"))?["error"] ?? .null
    let kinds: [Int: Failure.Kind] = [
      401: .authentication, 402: .budget, 403: .authentication, 404: .usage, 409: .run,
      422: .configuration, 429: .limit, 504: .timeout,
    ]
    let kind =
      error["code"].string.flatMap { Failure.Kind(rawValue: $0) } ?? kinds[status]
      ?? (status < 500 ? .usage : .provider)
    return Failure(
      kind, error["message"].string ?? "the server answered with \(status)",
      suggestion: error["suggestion"].string ?? "")
  }
}

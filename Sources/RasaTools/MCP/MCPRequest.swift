import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona

/// A request to a server, with what its caller can be told and asked meanwhile.
struct MCPRequest: Sendable {
  var method: String
  var params: ValueObject
  /// What identifies it to routers between here and an HTTP server.
  var name: String?
  /// Arguments that the tool wants as headers, too.
  var headers: [Header] = []
  /// The use of a tool: once sent, it may have been done whatever happens next.
  var isUse = false
  /// Seconds that it may still take; asked again whenever they have passed.
  var secondsLeft: @Sendable () -> Double
  var progress: @Sendable (ToolProgress) async throws -> Void = { _ in }
  /// Answers a question of the server to the user; nil where none may be asked.
  var ask: (@Sendable (Value) async throws -> Value)?

  /// The protocol forbids it for `initialize`, and the probe is to do no harm.
  var mayBeCancelled: Bool { method != "initialize" && method != "server/discover" }
}

/// A way to a server: a program's pipes, or HTTP.
protocol MCPTransport: Sendable {
  /// Whether the same connection can still be used.
  var isOpen: Bool { get }
  /// Throws a `Failure` of kind `timeout` where a use may have been done all the same.
  func exchange(_ request: MCPRequest, _ envelope: MCPEnvelope) async throws -> MCPReply
  func notify(_ method: String, _ params: Value, _ envelope: MCPEnvelope) async throws
  /// What was agreed holds from now on.
  func adopt(_ agreement: MCPAgreement)
  /// Has the server tell what changes, where it can.
  func listen(_ agreement: MCPAgreement, _ envelope: MCPEnvelope) async
  /// What the last lines of a program on standard error say, for errors.
  var lastWords: [String] { get }
  func close() async
}

/// What surrounds each request in its era.
struct MCPEnvelope: Sendable {
  /// The version that each request names; nil before and in the era of `initialize`.
  var version: String?
  var client: Value
  var mayAsk: Bool

  /// What rasa can do for servers.
  var capabilities: Value {
    var capabilities = ValueObject()
    if mayAsk { capabilities["elicitation"] = ["form": .emptyObject, "url": .emptyObject] }
    if version != nil {
      capabilities["extensions"] = ["io.modelcontextprotocol/tasks": .emptyObject]
    }
    return .object(capabilities)
  }

  func message(_ id: Int64, _ request: MCPRequest) -> JSONRPC.Message {
    var params = request.params
    var meta = params["_meta"]?.object ?? ValueObject()
    if request.isUse { meta["progressToken"] = .int(id) }
    if let version {
      meta["io.modelcontextprotocol/protocolVersion"] = .string(version)
      meta["io.modelcontextprotocol/clientInfo"] = client
      meta["io.modelcontextprotocol/clientCapabilities"] = capabilities
    }
    if !meta.isEmpty { params["_meta"] = .object(meta) }
    return .request(.number(id), method: request.method, params: .object(params))
  }
}

/// How long a use may still take. The time stands while a person is asked.
final class MCPUseClock: Sendable {
  private struct State: Sendable {
    var begun: UInt64
    var lastSign: UInt64
    var pausedAt: UInt64?
    var paused: UInt64 = 0
  }

  private let state: Locked<State>
  private let monotonic: @Sendable () -> UInt64
  private let limit: Double?
  private let silence: Double
  private let outer: @Sendable () -> Double

  /// - Parameters:
  ///   - limit: seconds for the whole use, where its declaration says so.
  ///   - silence: seconds without a sign of life, else.
  init(
    limit: Double?, silence: Double, within outer: @escaping @Sendable () -> Double,
    _ monotonic: @escaping @Sendable () -> UInt64
  ) {
    self.monotonic = monotonic
    self.limit = limit
    self.silence = silence
    self.outer = outer
    let now = monotonic()
    state = Locked(State(begun: now, lastSign: now))
  }

  var secondsLeft: Double {
    let now = monotonic()
    let own = state.withLock { state -> Double in
      if state.pausedAt != nil { return silence }
      guard let limit else { return silence - seconds(state.lastSign, now) }
      return limit - (seconds(state.begun, now) - Double(state.paused) / 1_000_000_000)
    }
    return min(own, outer())
  }

  func noteSign() {
    let now = monotonic()
    state.withLock { $0.lastSign = now }
  }

  func pausing<Result: Sendable>(
    _ work: () async throws -> Result
  ) async throws -> Result {
    let begun = monotonic()
    state.withLock { $0.pausedAt = begun }
    defer {
      let now = monotonic()
      state.withLock { state in
        state.pausedAt = nil
        state.paused &+= now &- begun
        state.lastSign = now
      }
    }
    return try await work()
  }

  private func seconds(_ from: UInt64, _ to: UInt64) -> Double {
    to > from ? Double(to - from) / 1_000_000_000 : 0
  }
}

import RasaCore
import RasaDocuments
package import RasaKit
package import RasaSystem

/// `rasa mcp`: the server at the two pipes of a client that has started it.
package struct MCPProgram {
  private let rasa: Rasa
  private let offered: [String]

  /// - Parameter offered: personas and agents that are tools, as patterns with `*`; empty for all.
  package init(_ rasa: Rasa, offering offered: [String] = []) {
    self.rasa = rasa
    self.offered = offered
  }

  /// - Throws: a `RasaError` of code `usage` where nothing would be offered.
  package func check() async throws(RasaError) {
    guard !offered.isEmpty else { return }
    var client = Client.owner
    client.models = offered
    guard try await MCPTool.all(rasa, for: client).isEmpty else { return }
    throw RasaError(
      .usage, "no persona or agent is called \(listed(offered.map { quoted($0) }, "or"))",
      suggestion: "`rasa personas list` and `rasa agents list` show their names")
  }

  /// Serves until the input ends or the task is cancelled.
  ///
  /// - Returns: how many runs were parked then.
  package func serve(input: Int32, output: Output) async throws -> Int {
    let client = Client(name: "mcp", scopes: Set(Scope.allCases), models: offered)
    let service = MCPService(rasa)
    let connection = PeerConnection(
      input: try StreamReader(input, named: "standard input"), output: output,
      Self.handler(service, client))
    let result: Result<Int, any Error>
    do { result = .success(try await connection.serve()) } catch { result = .failure(error) }
    let parked = await service.close()
    return try result.get() + parked
  }

  static func handler(_ service: MCPService, _ client: Client) -> PeerConnection.Handler {
    // What `initialize` has agreed on holds for the whole process, for requests that do not stand for themselves.
    let agreed = Locked<MCPCaller?>(nil)
    return PeerConnection.Handler(
      answer: { request, connection in
        if request.method == "initialize" {
          let caller = MCPCaller(initializing: request.params, client)
          agreed.withLock { $0 = caller }
          return service.greeting(caller)
        }
        let notify: @Sendable (String, Value) async -> Void = { await connection.notify($0, $1) }
        if MCPCaller.isStateless(request.params) {
          let caller = try MCPCaller(stateless: request.params, client)
          return try await service.answer(request, caller, MCPOutlet(notify: notify))
        }
        guard let caller = agreed.withLock({ $0 }) else {
          if request.method == "ping" { return .emptyObject }
          throw JSONRPC.Problem.params(
            "the request has no `_meta` with `\(MCPCaller.metaPrefix)protocolVersion`, and there was no `initialize` before it"
          )
        }
        return try await service.answer(
          request, caller, MCPOutlet(notify: notify) { try await connection.ask($0, $1) })
      },
      note: { method, params, connection in
        guard method == "notifications/cancelled", let id = JSONRPC.ID(params["requestId"]) else {
          return
        }
        connection.cancel { $0.id == id }
      }, first: ["initialize"], run: "tools/call")
  }
}

import RasaCore
import RasaDocuments
import RasaKit
import RasaSystem

/// Answers what MCP clients ask, in both eras of the protocol and whatever carries the messages.
///
/// Specification: modelcontextprotocol.io, revision 2026-07-28, and 2024-11-05 to 2025-11-25 for clients that begin with
/// `initialize`.
final class MCPService: Sendable {
  struct Settings: Sendable {
    /// How long a client that takes tasks waits for the answer itself.
    var taskAfter = Duration.seconds(10)
    var time = TimeSource.system
    init() {}
  }

  let rasa: Rasa
  let settings: Settings
  let live = LiveRuns()
  private let sealed = Locked<Seal?>(nil)

  init(_ rasa: Rasa, _ settings: Settings = Settings()) {
    self.rasa = rasa
    self.settings = settings
  }

  /// Parks the runs of tasks, and returns how many there were.
  func close() async -> Int { await live.close() }

  func seal() throws(JSONRPC.Problem) -> Seal {
    if let seal = sealed.withLock({ $0 }) { return seal }
    do throws(Failure) {
      let path = FileSystem.path("seal.key", in: rasa.folders.data)
      let seal = try Seal(keyFile: path)
      sealed.withLock { $0 = seal }
      return seal
    } catch {
      throw JSONRPC.Problem(code: JSONRPC.Problem.internalError, message: error.description)
    }
  }

  /// The result of a request.
  ///
  /// - Throws: a `JSONRPC.Problem`; `CancellationError` where nobody waits for an answer any more.
  func answer(
    _ request: PeerRequest, _ caller: MCPCaller, _ outlet: MCPOutlet
  ) async throws -> Value {
    let params = request.params
    switch request.method {
    case "tools/list": return try await list(params, caller)
    case "tools/call": return try await call(params, caller, outlet)
    case "server/discover" where caller.isStateless:
      return complete(
        [
          "supportedVersions": .array(
            (MCPRevision.stateless + MCPRevision.sessions).map(Value.string)),
          "capabilities": [
            "tools": ["listChanged": true], "extensions": .object([MCPCaller.tasks: .emptyObject]),
          ], "instructions": .string(Self.instructions), "ttlMs": 3_600_000,
          "cacheScope": "public",
        ], caller)
    case "tasks/get" where caller.isStateless: return try await task(params, caller)
    case "tasks/update" where caller.isStateless: return try await update(params, caller)
    case "tasks/cancel" where caller.isStateless: return try await cancel(params, caller)
    case "subscriptions/listen" where caller.isStateless:
      return try await listen(request, caller, outlet)
    case "ping" where !caller.isStateless: return .emptyObject
    default: throw JSONRPC.Problem.unknown(method: request.method)
    }
  }

  /// What `initialize` is answered with.
  func greeting(_ caller: MCPCaller) -> Value {
    [
      "protocolVersion": .string(caller.revision),
      "capabilities": ["tools": .emptyObject], "serverInfo": Self.information,
      "instructions": .string(Self.instructions),
    ]
  }

  static var information: Value {
    ["name": "rasa", "title": "rasa", "version": .string(BuiltWith.rasa)]
  }

  private static let instructions = """
    Each tool is a persona or an agent: it gets a task as `input`, works on it by itself, and returns its answer. Give it \
    everything that it needs to know. What is said in the notices of a result belongs to the answer.
    """

  /// A result, as the era of its client has it.
  func complete(_ result: ValueObject, _ caller: MCPCaller) -> Value {
    guard caller.isStateless else { return .object(result) }
    var result = result
    if result["resultType"] == nil { result["resultType"] = "complete" }
    result["_meta"] = .object(["\(MCPCaller.metaPrefix)serverInfo": Self.information])
    return .object(result)
  }

  // MARK: Tools

  private static let page = 1_000

  private func list(_ params: Value, _ caller: MCPCaller) async throws -> Value {
    _ = await rasa.discover()
    var tools = try await tools(caller)
    if let cursor = params["cursor"].string {
      guard let last = tools.firstIndex(where: { $0.name == cursor }) else {
        throw JSONRPC.Problem.params("there is no page after \(quoted(cursor))")
      }
      tools.removeFirst(last + 1)
    }
    let shown = tools.prefix(Self.page)
    var result: ValueObject = ["tools": .array(shown.map(\.definition))]
    if tools.count > shown.count, let last = shown.last {
      result["nextCursor"] = .string(last.name)
    }
    if caller.isStateless {
      result["ttlMs"] = 60_000
      result["cacheScope"] = "private"
    }
    return complete(result, caller)
  }

  func tools(_ caller: MCPCaller) async throws(JSONRPC.Problem) -> [MCPTool] {
    do throws(RasaError) {
      return try await MCPTool.all(rasa, for: caller.client)
    } catch {
      throw JSONRPC.Problem(code: JSONRPC.Problem.internalError, message: error.description)
    }
  }

  /// Tells of agents that come, go and change, until the client has heard enough.
  private func listen(
    _ request: PeerRequest, _ caller: MCPCaller, _ outlet: MCPOutlet
  ) async throws -> Value {
    let wantsTools = request.params["notifications"]["toolsListChanged"].bool == true
    let meta: Value = .object(["\(MCPCaller.metaPrefix)subscriptionId": request.id.value])
    let watcher = wantsTools ? try? await rasa.watchAgents() : nil
    await outlet.notify(
      "notifications/subscriptions/acknowledged",
      [
        "_meta": meta,
        "notifications": watcher == nil ? .emptyObject : ["toolsListChanged": true],
      ])
    if let watcher {
      await withTaskCancellationHandler {
        while await watcher.next() != nil {
          await outlet.notify("notifications/tools/list_changed", ["_meta": meta])
        }
      } onCancel: {
        watcher.stop()
      }
      try Task.checkCancellation()
    }
    // Of nothing else is anything told, so that the subscription is over.
    var result = complete([:], caller).object ?? ValueObject()
    result["_meta"] = meta
    return .object(result)
  }
}

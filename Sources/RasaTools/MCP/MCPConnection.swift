import RasaCore
import RasaEngine
import RasaPersona

/// One server of a process: started when it is first needed, shared by all who use it, started again when it has ended.
final class MCPConnection: Sendable {
  struct Listing: Sendable, Hashable {
    var tools: [MCPToolDefinition]
    var refused: [MCPToolDefinition.Refusal]
  }

  private enum Phase: Sendable {
    case idle
    case starting(Task<Ready, any Error>)
    case ready(Ready)
    case ended
  }

  private enum Waiting: Sendable {
    case there(Ready)
    case wait(Task<Ready, any Error>)
  }

  struct Ready: Sendable {
    var transport: any MCPTransport
    var agreement: MCPAgreement
  }

  private struct State: Sendable {
    var phase = Phase.idle
    /// What an earlier process of the server agreed to.
    var known: MCPAgreement?
    var listing: Listing?
    /// When the list is to be fetched anew, in monotonic nanoseconds.
    var freshUntil: UInt64 = 0
    /// Counts the server's words that its tools have changed.
    var changes = 0
    var failures = 0
    var lastFailure: (failure: Failure, time: UInt64)?
  }

  let name: String
  let declaration: ToolDeclaration
  let isHTTP: Bool
  private let setting: MCPServers.Setting
  private let open: @Sendable (@escaping @Sendable () -> Void) async throws -> any MCPTransport
  private let state = Locked(State())

  init(
    _ declaration: ToolDeclaration, isHTTP: Bool, _ setting: MCPServers.Setting,
    open: @escaping @Sendable (@escaping @Sendable () -> Void) async throws -> any MCPTransport
  ) {
    name = declaration.name
    self.declaration = declaration
    self.isHTTP = isHTTP
    self.setting = setting
    self.open = open
  }

  // MARK: Starting

  /// The open connection. Whoever comes while it is being made waits for the same one.
  func ready() async throws -> Ready {
    let now = setting.time.monotonic()
    let task = try state.withLock { state throws(Failure) -> Waiting in
      switch state.phase {
      case .ready(let ready) where ready.transport.isOpen: return .there(ready)
      case .starting(let task): return .wait(task)
      case .ended:
        throw Failure(.cancelled, "the MCP server `\(name)` was ended with the program")
      case .idle, .ready: break
      }
      if let last = state.lastFailure, state.failures >= setting.limits.failures,
        Double(now &- last.time) / 1_000_000_000 < setting.limits.pause
      {
        var failure = last.failure
        failure.message +=
          "; it failed \(state.failures) times in a row and is not started again for now"
        // Nothing has been sent this time.
        if failure.kind == .timeout { failure.kind = .run }
        throw failure
      }
      let known = state.known
      let task = Task { try await self.start(known) }
      state.phase = .starting(task)
      return .wait(task)
    }
    switch task {
    case .there(let ready): return ready
    case .wait(let task): return try await task.value
    }
  }

  private func start(_ known: MCPAgreement?) async throws -> Ready {
    do {
      let ready: Ready
      do {
        ready = try await negotiate(known)
      } catch  where known != nil {
        // Another version of the server may have been installed meanwhile.
        ready = try await negotiate(nil)
      }
      let isWanted = state.withLock { state in
        guard case .starting = state.phase else { return false }
        state.phase = .ready(ready)
        state.known = ready.agreement
        if state.known != known { state.listing = nil }
        return true
      }
      guard isWanted else {
        await ready.transport.close()
        throw Failure(.cancelled, "the MCP server `\(name)` was ended with the program")
      }
      return ready
    } catch {
      state.withLock { state in
        if case .starting = state.phase { state.phase = .idle }
      }
      if let failure = error as? Failure { noteFailure(failure) }
      throw error
    }
  }

  private func negotiate(_ known: MCPAgreement?) async throws -> Ready {
    var negotiation = MCPNegotiation(name: name, limits: setting.limits)
    var transport = try await open { [weak self] in self?.noteChange() }
    do {
      var step = negotiation.begin(known: known)
      while true {
        switch step {
        case .ask(let question, let seconds):
          step = negotiation.take(
            try await reply(to: question, transport, seconds), to: question)
        case .restart(let question, let seconds):
          await transport.close()
          transport = try await open { [weak self] in self?.noteChange() }
          step = negotiation.take(
            try await reply(to: question, transport, seconds), to: question)
        case .agreed(let agreement):
          transport.adopt(agreement)
          if !agreement.isModern {
            try await transport.notify(
              "notifications/initialized", .emptyObject, envelope(agreement))
          }
          return Ready(transport: transport, agreement: agreement)
        case .failed(var failure):
          let words = transport.lastWords.filter { !failure.details.contains($0) }
          failure.details += words
          failure.location = failure.location ?? declaration.location
          throw failure
        }
      }
    } catch {
      await transport.close()
      throw error
    }
  }

  private func reply(
    to question: MCPNegotiation.Question, _ transport: any MCPTransport, _ seconds: Double
  ) async throws -> MCPNegotiation.Reply {
    let begun = setting.time.monotonic()
    let monotonic = setting.time.monotonic
    let left: @Sendable () -> Double = { seconds - Double(monotonic() &- begun) / 1_000_000_000 }
    var envelope = MCPEnvelope(client: setting.client, mayAsk: declaration.mayAsk)
    let request: MCPRequest
    switch question {
    case .discover:
      envelope.version = MCPVersion.modern[0]
      request = MCPRequest(method: "server/discover", params: ValueObject(), secondsLeft: left)
    case .initialize(let version):
      request = MCPRequest(
        method: "initialize",
        params: [
          "protocolVersion": .string(version), "capabilities": envelope.capabilities,
          "clientInfo": setting.client,
        ], secondsLeft: left)
    }
    do {
      switch try await transport.exchange(request, envelope) {
      case .result(let result): return .result(result)
      case .problem(let problem): return .problem(problem)
      case .foreign(_, let what): return .foreign(what)
      }
    } catch let failure as Failure {
      switch failure.kind {
      case .timeout: return .silence
      case .run where !transport.isOpen: return .ended(failure)
      default: throw failure
      }
    }
  }

  /// What surrounds requests from now on.
  func envelope(_ agreement: MCPAgreement) -> MCPEnvelope {
    MCPEnvelope(
      version: agreement.isModern ? agreement.version : nil, client: setting.client,
      mayAsk: declaration.mayAsk)
  }

  // MARK: Requests

  /// Makes a request on the open connection, once more where the server had only forgotten its session.
  func exchange(
    _ request: MCPRequest
  ) async throws -> (reply: MCPReply, agreement: MCPAgreement) {
    var hasLostSession = false
    while true {
      let ready = try await ready()
      do {
        let reply = try await ready.transport.exchange(request, envelope(ready.agreement))
        state.withLock { $0.failures = 0 }
        return (reply, ready.agreement)
      } catch is MCPHTTPTransport.SessionLost {
        await ready.transport.close()
        guard !hasLostSession else {
          throw Failure(
            .run, "the MCP server `\(name)` forgets its sessions as soon as it has begun them")
        }
        hasLostSession = true
      } catch let failure as Failure {
        if !ready.transport.isOpen { noteFailure(failure) }
        throw failure
      }
    }
  }

  private func noteFailure(_ failure: Failure) {
    let now = setting.time.monotonic()
    state.withLock { state in
      state.failures += 1
      state.lastFailure = (failure, now)
    }
  }

  // MARK: Tools

  /// What is known of the tools may be out of date.
  func noteChange() {
    state.withLock { state in
      state.changes += 1
      state.freshUntil = 0
    }
  }

  /// The tools, from the server where what is known is too old.
  func listing() async throws -> Listing {
    let now = setting.time.monotonic()
    let known = state.withLock { state in state.freshUntil > now ? state.listing : nil }
    if let known { return known }
    let ready = try await ready()
    let changes = state.withLock { $0.changes }
    guard !ready.agreement.capabilities["tools"].isNull else {
      return Listing(tools: [], refused: [])
    }
    let (listing, life) = try await fetchListing()
    let fetched = setting.time.monotonic()
    let isFirst = state.withLock { state in
      defer { state.listing = listing }
      // A change that was reported meanwhile may not be in it.
      state.freshUntil =
        state.changes == changes ? life.map { fetched &+ $0 } ?? .max : 0
      return state.listing == nil
    }
    if isFirst { await subscribe(ready) }
    return listing
  }

  /// The definition of a tool as the server has it now: fetched anew only where it said that something has changed.
  func definition(named tool: String) async throws -> MCPToolDefinition? {
    let isChanged = state.withLock { $0.freshUntil == 0 }
    if isChanged { return try await listing().tools.first { $0.name.hasSameBytes(as: tool) } }
    return state.withLock { state in
      state.listing?.tools.first { $0.name.hasSameBytes(as: tool) }
    }
  }

  /// All pages, with how long they may be kept, in nanoseconds; nil as long as the server says nothing else.
  private func fetchListing() async throws -> (Listing, UInt64?) {
    var tools: [MCPToolDefinition] = []
    var refused: [MCPToolDefinition.Refusal] = []
    var names: Set<[UInt8]> = []
    var cursors: Set<String> = []
    var cursor: String?
    var bytes = 0
    var life: UInt64?
    while true {
      let (result, agreement) = try await list(cursor)
      for entry in result["tools"].array ?? [] {
        bytes += entry.jsonBytes().count
        guard tools.count + refused.count < setting.limits.tools else {
          throw endless("it has more than \(setting.limits.tools) tools")
        }
        guard bytes <= setting.limits.definitions else {
          throw endless(
            "its tools have more than \(setting.limits.definitions >> 20) MB of descriptions")
        }
        do throws(MCPToolDefinition.Refusal) {
          let tool = try MCPToolDefinition(entry, isHTTP: isHTTP && agreement.isModern)
          if names.insert(Array(tool.name.utf8)).inserted {
            tools.append(tool)
          } else {
            refused.append(.init(name: tool.name, reason: "another tool before it has its name"))
          }
        } catch {
          refused.append(error)
        }
      }
      if agreement.isModern {
        let milliseconds = UInt64(clamping: max(0, result["ttlMs"].int ?? 0))
        // A list that is out of date at once is still good for what is under way.
        let own = max(min(milliseconds, 86_400_000) * 1_000_000, 1_000_000_000)
        life = min(life ?? own, own)
      }
      guard let next = result["nextCursor"].string else { break }
      guard cursors.insert(next).inserted else {
        throw endless("its list of tools leads back to a page before")
      }
      guard cursors.count < setting.limits.pages else {
        throw endless("its list of tools has more than \(setting.limits.pages) pages")
      }
      cursor = next
    }
    return (Listing(tools: tools, refused: refused), life)
  }

  private func list(_ cursor: String?) async throws -> (Value, MCPAgreement) {
    let begun = setting.time.monotonic()
    let (monotonic, seconds) = (setting.time.monotonic, setting.limits.list)
    var params = ValueObject()
    if let cursor { params["cursor"] = .string(cursor) }
    let request = MCPRequest(
      method: "tools/list", params: params,
      secondsLeft: { seconds - Double(monotonic() &- begun) / 1_000_000_000 })
    let (reply, agreement) = try await exchange(request)
    switch reply {
    case .result(let result): return (result, agreement)
    case .problem(let problem):
      throw Failure(.run, "the MCP server `\(name)` does not list its tools: \(problem.text)")
    case .foreign(_, let what):
      throw Failure(.run, "the MCP server `\(name)` does not list its tools: \(what)")
    }
  }

  private func endless(_ what: String) -> Failure {
    Failure(
      .run, "the MCP server `\(name)` cannot be used: \(what)",
      suggestion: "report it to the authors of the server")
  }

  /// Changes are told where that costs nothing: over the pipes that are open anyway.
  private func subscribe(_ ready: Ready) async {
    guard let program = ready.transport as? MCPProgramTransport, ready.agreement.isModern,
      ready.agreement.capabilities["tools"]["listChanged"].bool == true
    else { return }
    let request = MCPRequest(
      method: "subscriptions/listen", params: ["notifications": ["toolsListChanged": true]],
      secondsLeft: { .infinity })
    try? await program.subscribe(request, envelope(ready.agreement))
  }

  /// What is known about the server itself, once it has started.
  var agreement: MCPAgreement? { state.withLock { $0.known } }

  // MARK: Ending

  func end() async {
    let phase = state.withLock { state in
      defer { state.phase = .ended }
      return state.phase
    }
    switch phase {
    case .idle, .ended: break
    case .starting(let task):
      task.cancel()
      _ = try? await task.value
    case .ready(let ready): await ready.transport.close()
    }
  }
}

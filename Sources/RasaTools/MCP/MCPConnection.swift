import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona

/// One server of a process: started when it is first needed, shared by all who use it, started again when it has ended.
final class MCPConnection: Sendable {
  struct Listing: Sendable, Hashable {
    var tools: [MCPToolDefinition] = []
    var refused: [MCPToolDefinition.Refusal] = []
    /// What the server tells models about itself.
    var instructions: String?
    /// Counts what it has offered in turn: two listings of one connection with the same number are the same.
    var number = 0
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
    /// Which start of the server it is.
    var number = 0
  }

  private struct State: Sendable {
    var phase = Phase.idle
    /// What an earlier process of the server agreed to.
    var known: MCPAgreement?
    var listing: Listing?
    /// The list is on its way, to all who ask for it before the server says that it has changed once more.
    var fetching: (changes: Int, task: Task<Listing, any Error>)?
    /// When the list is to be fetched anew, in monotonic nanoseconds.
    var freshUntil: UInt64 = 0
    /// When it was fetched.
    var fetched: UInt64 = 0
    /// Counts the server's words that its tools have changed.
    var changes = 0
    /// Whether the server tells this connection of changes, as far as it does.
    var isSubscribed = false
    var failures = 0
    var starts = 0
    /// The start that failed last: that is one failure, however many calls it takes with it.
    var failed = 0
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
    case .wait(let task): return try await value(of: task)
    }
  }

  private func start(_ known: MCPAgreement?) async throws -> Ready {
    do {
      var ready: Ready
      do {
        ready = try await negotiate(known)
      } catch  where known != nil {
        // Another version of the server may have been installed meanwhile.
        ready = try await negotiate(nil)
      }
      let isWanted = state.withLock { state in
        guard case .starting = state.phase else { return false }
        state.starts += 1
        ready.number = state.starts
        state.phase = .ready(ready)
        state.known = ready.agreement
        // Another process may have other tools.
        state.freshUntil = 0
        state.isSubscribed = false
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
    var lostSessions = 0
    while true {
      let ready = try await ready()
      do {
        let reply = try await ready.transport.exchange(request, envelope(ready.agreement))
        if request.isUse { state.withLock { $0.failures = 0 } }
        if case .problem(let problem) = reply,
          problem.code == JSONRPC.Problem.unsupportedVersion
        {
          await forget(ready)
        }
        return (reply, ready.agreement)
      } catch is MCPHTTPTransport.SessionLost {
        await ready.transport.close()
        lostSessions += 1
        // Others may use a new session up before this request gets to it.
        guard lostSessions < Self.mostLostSessions else {
          throw Failure(
            .run, "the MCP server `\(name)` forgets its sessions as soon as it has begun them")
        }
      } catch let failure as Failure {
        if !ready.transport.isOpen { noteFailure(failure, of: ready.number) }
        throw failure
      }
    }
  }

  private static let mostLostSessions = 4

  /// It speaks another revision than it did: what comes next asks it anew.
  private func forget(_ ready: Ready) async {
    state.withLock { state in
      guard case .ready(let current) = state.phase, current.number == ready.number else {
        return
      }
      state.phase = .idle
      state.known = nil
    }
    await ready.transport.close()
  }

  private func noteFailure(_ failure: Failure, of start: Int? = nil) {
    let now = setting.time.monotonic()
    state.withLock { state in
      if let start {
        guard state.failed != start else { return }
        state.failed = start
      }
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

  /// What the server offers, asked anew where what is known is too old.
  func listing() async throws -> Listing {
    let now = setting.time.monotonic()
    let known = state.withLock { state in state.freshUntil > now ? state.listing : nil }
    if let known { return known }
    let ready = try await ready()
    let fetch = state.withLock { state in
      if let running = state.fetching, running.changes == state.changes { return running.task }
      let changes = state.changes
      let task = Task { try await self.fetch(ready, changes) }
      state.fetching = (changes, task)
      return task
    }
    return try await value(of: fetch)
  }

  /// The same before a use, from the process that runs now: one that was started again may offer something else. A
  /// server that tells of changes is not asked for them, and no other with every use.
  func currentListing() async throws -> Listing {
    let ready = try await ready()
    let tells = !isHTTP && ready.agreement.capabilities["tools"]["listChanged"].bool == true
    let now = setting.time.monotonic()
    let (limit, known) = (setting.limits.between, state.withLock { $0 })
    if let listing = known.listing, known.freshUntil != 0,
      tells || Double(now &- known.fetched) / 1_000_000_000 < limit
    {
      return listing
    }
    return try await listing()
  }

  private func fetch(_ ready: Ready, _ changes: Int) async throws -> Listing {
    defer {
      state.withLock { state in
        if state.fetching?.changes == changes { state.fetching = nil }
      }
    }
    let begun = setting.time.monotonic()
    let (fetched, life) = try await fetchListing(ready)
    let (listing, subscribes) = state.withLock { state in
      var listing = fetched
      listing.instructions = state.known?.instructions
      listing.number = state.listing?.number ?? 0
      if listing != state.listing { listing.number += 1 }
      state.listing = listing
      state.fetched = begun
      // A change that was reported meanwhile may not be in it.
      state.freshUntil = state.changes == changes ? life.map { begun &+ $0 } ?? .max : 0
      defer { state.isSubscribed = true }
      return (listing, !state.isSubscribed)
    }
    if subscribes { await ready.transport.listen(ready.agreement, envelope(ready.agreement)) }
    return listing
  }

  /// All pages, with how long they may be kept, in nanoseconds; nil as long as the server says nothing else.
  private func fetchListing(_ ready: Ready) async throws -> (Listing, UInt64?) {
    var pages = Pages()
    guard !ready.agreement.capabilities["tools"].isNull else { return (Listing(), nil) }
    let (monotonic, limits) = (setting.time.monotonic, setting.limits)
    let begun = monotonic()
    var hasBegunAgain = false
    while true {
      let asked = monotonic()
      let secondsLeft: @Sendable () -> Double = {
        let now = monotonic()
        return min(
          limits.list - Double(now &- asked) / 1_000_000_000,
          limits.listing - Double(now &- begun) / 1_000_000_000)
      }
      var params = ValueObject()
      if let cursor = pages.cursor { params["cursor"] = .string(cursor) }
      let request = MCPRequest(method: "tools/list", params: params, secondsLeft: secondsLeft)
      let (reply, agreement) = try await exchange(request)
      switch reply {
      case .result(let result):
        if try add(result, agreement, to: &pages) { return (pages.listing, pages.life) }
      case .problem(let problem)
      where problem.code == JSONRPC.Problem.invalidParams && pages.cursor != nil && !hasBegunAgain:
        // What the cursor belonged to is gone.
        hasBegunAgain = true
        pages = Pages()
      case .problem(let problem): throw unlisted(problem.text)
      case .foreign(_, let what): throw unlisted(what)
      }
    }
  }

  /// The pages of a list so far.
  private struct Pages {
    var listing = Listing()
    var life: UInt64?
    var cursor: String?
    var names: Set<[UInt8]> = []
    var cursors: Set<String> = []
    var bytes = 0
  }

  /// Whether it was the last page.
  private func add(
    _ result: Value, _ agreement: MCPAgreement, to pages: inout Pages
  ) throws(Failure) -> Bool {
    // A server that says nothing of its tools has not said that it has none.
    guard let entries = result["tools"].array,
      result["resultType"].string ?? "complete" == "complete"
    else { throw unlisted("its answer has no list of tools") }
    let limits = setting.limits
    for entry in entries {
      pages.bytes += entry.jsonBytes().count
      guard pages.listing.tools.count + pages.listing.refused.count < limits.tools else {
        throw endless("it has more than \(limits.tools) tools")
      }
      guard pages.bytes <= limits.definitions else {
        throw endless("its tools have more than \(limits.definitions >> 20) MB of descriptions")
      }
      do throws(MCPToolDefinition.Refusal) {
        let tool = try MCPToolDefinition(entry, isHTTP: isHTTP && agreement.isModern)
        if pages.names.insert(Array(tool.name.utf8)).inserted {
          pages.listing.tools.append(tool)
        } else {
          pages.listing.refused.append(
            .init(name: tool.name, reason: "another tool before it has its name"))
        }
      } catch {
        pages.listing.refused.append(error)
      }
    }
    if agreement.isModern {
      let milliseconds = UInt64(clamping: max(0, result["ttlMs"].int ?? 0))
      // A list that is out of date at once is still good for what is under way.
      let own = max(min(milliseconds, 86_400_000) * 1_000_000, 1_000_000_000)
      pages.life = min(pages.life ?? own, own)
    }
    guard let next = result["nextCursor"].string else { return true }
    guard pages.cursors.insert(next).inserted else {
      throw endless("its list of tools leads back to a page before")
    }
    guard pages.cursors.count < limits.pages else {
      throw endless("its list of tools has more than \(limits.pages) pages")
    }
    pages.cursor = next
    return false
  }

  private func unlisted(_ why: String) -> Failure {
    Failure(.run, "the MCP server `\(name)` does not list its tools: \(why)")
  }

  private func endless(_ what: String) -> Failure {
    Failure(
      .run, "the MCP server `\(name)` cannot be used: \(what)",
      suggestion: "report it to the authors of the server")
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

/// The value of a task that others wait for, too. It goes on when only one who waits is cancelled.
private func value<Success: Sendable>(
  of task: Task<Success, any Error>
) async throws -> Success {
  let (results, continuation) = AsyncStream.makeStream(of: Result<Success, any Error>.self)
  Task {
    continuation.yield(await task.result)
    continuation.finish()
  }
  for await result in results { return try result.get() }
  throw CancellationError()
}

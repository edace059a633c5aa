import RasaCore
import RasaDocuments

/// Messages as lines over the pipes of a program. Any number of requests share them.
///
/// The task that makes a request writes it itself, unless another is writing: then that one takes it along. One task
/// reads; it hands what arrives to the inboxes of the requests.
final class MCPProgramTransport: MCPTransport {
  private struct State: Sendable {
    var session: MCPSession
    var inboxes: [Int64: MCPInbox] = [:]
    var outgoing: [UInt8] = []
    /// The request whose task is writing; 0 for another's.
    var writer: Int64?
    /// How many writes the program has taken.
    var written = 0
    /// Why it is of no use any more.
    var failure: Failure?
    var isClosing = false
  }

  private let name: String
  private let pipe: any MCPPipe
  private let time: TimeSource
  private let limits: MCPLimits
  private let toolsChanged: @Sendable () -> Void
  private let state: Locked<State>
  private let reader = Locked<Task<Void, Never>?>(nil)

  /// What is written by a task of its own, as a pipe may not take it at once.
  private static let longestDirectWrite = 16_384

  init(
    name: String, pipe: any MCPPipe, time: TimeSource, limits: MCPLimits,
    toolsChanged: @escaping @Sendable () -> Void
  ) {
    self.name = name
    self.pipe = pipe
    self.time = time
    self.limits = limits
    self.toolsChanged = toolsChanged
    state = Locked(State(session: MCPSession(name: name, limits: limits)))
    let task = Task { await self.readAll() }
    reader.withLock { $0 = task }
  }

  var isOpen: Bool { state.withLock { $0.failure == nil && !$0.isClosing } }

  func adopt(_ agreement: MCPAgreement) {
    state.withLock { $0.session.isModern = agreement.isModern }
  }

  func exchange(_ request: MCPRequest, _ envelope: MCPEnvelope) async throws -> MCPReply {
    let inbox = MCPInbox()
    let begun = state.withLock { state -> Result<(Int64, Int), Failure> in
      if let failure = state.failure { return .failure(failure) }
      let id = state.session.begin(request.method, mayBeAsked: request.ask != nil)
      state.inboxes[id] = inbox
      return .success((id, state.written))
    }
    let (id, written) = try begun.get()
    let timer = Task { await self.expire(inbox, written, request.secondsLeft) }
    defer {
      timer.cancel()
      state.withLock { state in
        state.inboxes[id] = nil
        state.session.forget(id)
      }
    }
    do {
      try await send(envelope.message(id, request).bytes, for: id)
      while true {
        switch try await inbox.next() {
        case .of(.replied(let reply)): return reply
        case .of(.progress(let progress)): try await request.progress(progress)
        case .of(.asked(let question, let params)):
          try await answer(question, params, request, for: id)
        case .of(.failed(let failure)): throw request.isUse ? inDoubt(failure) : failure
        case .late:
          if request.mayBeCancelled { cancel(id, because: "it takes too long") }
          throw late(request)
        }
      }
    } catch {
      // Whatever it was, nobody waits for the answer any more.
      if request.mayBeCancelled { cancel(id, because: "the client gave it up") }
      throw error
    }
  }

  private func answer(
    _ question: JSONRPC.ID, _ params: Value, _ request: MCPRequest, for id: Int64
  ) async throws {
    guard let ask = request.ask else { return }
    do {
      try await send(JSONRPC.Message.result(question, ask(params)).bytes, for: id)
    } catch let failure as Failure where failure.kind == .usage {
      // What the server asks is no question.
      let problem = JSONRPC.Problem(
        code: JSONRPC.Problem.invalidParams, message: failure.message)
      try await send(JSONRPC.Message.failure(question, problem).bytes, for: id)
    }
  }

  func notify(_ method: String, _ params: Value, _ envelope: MCPEnvelope) async throws {
    try await send(JSONRPC.Message.notification(method: method, params: params).bytes, for: 0)
  }

  /// Asks a server of the stateless era to be told of changes; others tell unasked. The answer to this request comes
  /// when that ends, and nobody waits for it.
  func listen(_ agreement: MCPAgreement, _ envelope: MCPEnvelope) async {
    guard agreement.isModern, agreement.capabilities["tools"]["listChanged"].bool == true else {
      return
    }
    let request = MCPRequest(
      method: "subscriptions/listen", params: ["notifications": ["toolsListChanged": true]],
      secondsLeft: { .infinity })
    let id = state.withLock { $0.session.begin(request.method) }
    try? await send(envelope.message(id, request).bytes, for: 0)
  }

  private func cancel(_ id: Int64, because reason: String) {
    let actions = state.withLock { $0.session.cancel(id, because: reason) }
    perform(actions)
  }

  /// - Parameter written: how much the program had taken when the request began.
  private func expire(
    _ inbox: MCPInbox, _ written: Int, _ secondsLeft: @Sendable () -> Double
  ) async {
    while true {
      let left = secondsLeft()
      guard left > 0 else { break }
      guard (try? await time.sleep(.seconds(min(left, 1_000_000)))) != nil else { return }
    }
    inbox.post(.late)
    // A program that does not read keeps the one who writes to it, whoever that is, and everything that comes after; only
    // its end lets them go.
    if state.withLock({ $0.writer != nil && $0.written == written }) {
      end(Failure(.run, "the MCP server `\(name)` does not read its input"))
    }
  }
}

// MARK: - Writing

extension MCPProgramTransport {
  private func send(_ message: [UInt8], for id: Int64) async throws {
    let result = state.withLock { state -> Result<Bool, Failure> in
      if let failure = state.failure { return .failure(failure) }
      state.outgoing += message
      state.outgoing.append(0x0A)
      if state.writer != nil { return .success(false) }
      state.writer = message.count <= Self.longestDirectWrite ? id : 0
      return .success(true)
    }
    guard try result.get() else { return }
    if message.count <= Self.longestDirectWrite {
      await writeAll()
    } else {
      Task { await self.writeAll() }
    }
  }

  /// Has it written by a task of its own. A server that asks and asks, and reads nothing, is not collected answers for.
  private func enqueue(_ message: [UInt8]) {
    let (starts, isTooMuch) = state.withLock { state -> (Bool, Bool) in
      guard state.failure == nil else { return (false, false) }
      state.outgoing += message
      state.outgoing.append(0x0A)
      defer { if state.writer == nil { state.writer = 0 } }
      return (state.writer == nil, state.outgoing.count > 2 * limits.message)
    }
    if isTooMuch { return end(Failure(.run, "the MCP server `\(name)` does not read its input")) }
    if starts { Task { await self.writeAll() } }
  }

  /// Until nothing is left, whoever it comes from.
  private func writeAll() async {
    while true {
      let bytes = state.withLock { state -> [UInt8] in
        let bytes = state.outgoing
        state.outgoing = []
        if bytes.isEmpty || state.failure != nil { state.writer = nil }
        return bytes
      }
      guard !bytes.isEmpty else { return }
      do throws(Failure) {
        try await pipe.write(bytes)
        state.withLock { $0.written += 1 }
      } catch  where error.kind == .cancelled {
        // Not a byte was written, and others' messages may be among them.
        state.withLock { $0.outgoing = bytes + $0.outgoing }
        Task { await self.writeAll() }
        return
      } catch {
        // Most likely it has ended, and how is more worth knowing than that its pipe is closed.
        let ending = await pipe.finish(within: .milliseconds(200))
        return end(Failure(.run, "the MCP server `\(name)` ended (\(ending))"))
      }
    }
  }
}

// MARK: - Reading

extension MCPProgramTransport {
  private func readAll() async {
    var failure: Failure?
    do throws(Failure) {
      while let bytes = try await pipe.read() {
        guard let actions = feed(bytes) else { break }
        perform(actions)
      }
    } catch {
      failure = error
    }
    let isClosing = state.withLock { $0.isClosing }
    let ending = await pipe.finish(within: isClosing ? limits.ending : .zero)
    end(failure ?? Failure(.run, "the MCP server `\(name)` ended (\(ending))"))
    fail()
  }

  /// Nil if it is of no use any more.
  private func feed(_ bytes: [UInt8]) -> [MCPSession.Action]? {
    state.withLock { state in state.failure == nil ? state.session.feed(bytes) : nil }
  }

  private func perform(_ actions: [MCPSession.Action]) {
    for action in actions {
      switch action {
      case .deliver(let event, let id):
        state.withLock { $0.inboxes[id] }?.post(.of(event))
      case .send(let message): enqueue(message.bytes)
      case .toolsChanged: toolsChanged()
      case .end(let failure): end(failure)
      }
    }
  }

  /// The first reason is the one that counts. The reader tells those who wait, when it knows how the program ended.
  private func end(_ failure: Failure) {
    let isFirst = state.withLock { state in
      if state.failure != nil { return false }
      var failure = failure
      if let odd = state.session.oddLine {
        let line = "it printed: \(odd)"
        if !failure.details.contains(line) { failure.details.append(line) }
      }
      state.failure = failure
      return true
    }
    guard isFirst else { return }
    fail()
    let pipe = pipe
    let grace = limits.ending
    Task { _ = await pipe.finish(within: grace) }
  }

  private func fail() {
    let (failure, inboxes) = state.withLock { state in
      defer { state.inboxes = [:] }
      return (state.failure, Array(state.inboxes.values))
    }
    guard var failure else { return }
    failure.details += lastWords
    for inbox in inboxes { inbox.post(.of(.failed(failure))) }
  }

  var lastWords: [String] {
    let refusals = pipe.remarks.prefix(6).map { $0.printable(atMost: 200, ellipsis: "…") }
    return refusals
      + pipe.errorTail.byteLines.suffix(6).compactMap { line in
        let text = line.printable(atMost: 200, ellipsis: "…")
        return text.isEmpty ? nil : "it said: \(text)"
      }
  }

  private func inDoubt(_ failure: Failure) -> Failure {
    var failure = failure
    failure.kind = .timeout
    failure.message += " during a call, and it is not known whether that was done"
    return failure
  }

  private func late(_ request: MCPRequest) -> Failure {
    var failure = Failure(
      .timeout, "the MCP server `\(name)` did not answer `\(request.method)` in time",
      suggestion: request.isUse ? "raise `timeout:` where the server is declared" : "",
      details: lastWords)
    if let odd = state.withLock({ $0.session.oddLine }) {
      failure.details.append("it printed: \(odd)")
    }
    return failure
  }

  func close() async {
    let wasClosing = state.withLock { state in
      defer { state.isClosing = true }
      return state.isClosing
    }
    if !wasClosing { _ = await pipe.finish(within: limits.ending) }
    await reader.withLock { $0 }?.value
  }
}

import RasaCore
import RasaEngine
import RasaPersona
import RasaSystem

/// Reads one answer while it arrives: hands it on, watches its silences, meters its cost.
extension Gate {
  /// What may follow a finish reason (usage, the end mark) comes at once or not at all.
  static let patienceAfterFinish = Duration.seconds(5)
  private static let patienceAfterEnd = Duration.milliseconds(50)

  func read(
    _ reading: inout Reading, _ call: WireCall, from candidate: Candidate, _ plan: CallPlan,
    under hold: inout Hold, onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws {
    let patience = firstContentTimeout(for: candidate, plan.profile) + timeToSend(plan)
    let idle = idleTimeout(for: candidate)
    var deadline = plan.limit(reading.startedAt.advanced(by: patience))
    var stream: any ChatStream
    var tries = 0
    while true {
      try await renew(&hold, at: time.monotonic(), isUnsent: true)
      faultPoint("call.sending")
      do {
        stream = try await adapter(for: candidate, of: plan.context.run).ask(
          call, under: hold, deadline: deadline)
        break
      } catch let problem as ProviderProblem where problem.kind == .timeout {
        throw try silence(problem, after: patience, reading, plan)
      } catch let problem as ProviderProblem where problem.isBelowHTTP {
        // The call's own time may have ended while it was still connecting.
        if let deadline = plan.deadline, time.monotonic() >= deadline { throw plan.tooLate }
        throw problem
      } catch is NotSent {
        try hold.askAgain(&tries)
      }
    }
    reading.isAccepted = true
    faultPoint("call.sent")
    // With the input's share fixed, what is held is used up when the answer is longer than its cap.
    let most =
      hold.price.isFree ? Transcript.longest : hold.cap.map(Transcript.most) ?? Transcript.longest
    while true {
      let hasMore: Bool
      do {
        hasMore = try await stream.advance(deadline: deadline)
      } catch let problem as ProviderProblem where problem.kind == .timeout {
        if stream.progress.finish != nil {
          stream.conclude()
          guard try await take(&stream.progress, into: &reading, within: most, onEvent) else {
            reading.finish = .cutOff
            return
          }
          try end(&reading, stream.progress, plan.request)
          return
        }
        let waited = reading.firstContentAt == nil ? patience : idle
        throw try silence(problem, after: waited, reading, plan)
      }
      let contentEvents = reading.transcript.contentEvents
      guard try await take(&stream.progress, into: &reading, within: most, onEvent) else {
        stream.cancel()
        reading.finish = .cutOff
        return
      }
      if reading.transcript.contentEvents > contentEvents {
        deadline = plan.limit(time.monotonic().advanced(by: idle))
      }
      if let problem = stream.progress.problem { throw problem }
      if stream.progress.isDone || !hasMore { break }
      let now = time.monotonic()
      if stream.progress.finish != nil {
        deadline = min(deadline, plan.limit(now.advanced(by: Self.patienceAfterFinish)))
      }
      try await renew(&hold, at: now)
    }
    await stream.drain(deadline: time.monotonic().advanced(by: Self.patienceAfterEnd))
    try end(&reading, stream.progress, plan.request)
  }

  /// What has come since the last time. False when the hold pays for no more.
  private func take(
    _ progress: inout ChatProgress, into reading: inout Reading, within most: Int64,
    _ onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> Bool {
    // What a client was shown cannot be taken back: it stays a part of the answer.
    if progress.takeBack(), !options.servesClient {
      reading.transcript.takeBack()
      try await onEvent(.retracted(reason: "what the model had said so far was its reasoning"))
    }
    var content = progress.takeContent()
    reading.usage = progress.usage
    // The pieces of a tool call are content too, though there is nothing to show of them.
    let isContent = progress.contentEvents > reading.transcript.contentEvents
    guard isContent || !content.text.isEmpty || !content.reasoning.isEmpty else { return true }
    if isContent, reading.firstContentAt == nil { reading.firstContentAt = time.monotonic() }
    reading.transcript.contentEvents = progress.contentEvents
    let isWithin = reading.transcript.add(&content, within: most)
    if !content.reasoning.isEmpty { try await onEvent(.reasoning(content.reasoning)) }
    if !content.text.isEmpty { try await onEvent(.text(content.text)) }
    faultPoint("call.content")
    return isWithin
  }

  /// How the answer ended, and whether it is one.
  private func end(
    _ reading: inout Reading, _ progress: ChatProgress, _ request: ModelRequest
  ) throws(ProviderProblem) {
    reading.finish = progress.finish ?? .stop
    reading.isComplete = true
    reading.toolCalls = progress.toolCalls
    reading.transcript.add(reading.toolCalls)
    // Only what belongs to tool calls is ever handed back.
    if !reading.toolCalls.isEmpty { reading.reasoning = progress.reasoningParts }
    let isStray = !reading.toolCalls.isEmpty && !request.mayCallTools
    if isStray {
      reading.toolCalls = []
      reading.reasoning = []
      if reading.finish == .toolCalls { reading.finish = .stop }
    }
    reading.refusal = progress.refusal
    if options.servesClient { return }
    if reading.finish.isWhole, reading.toolCalls.isEmpty, reading.transcript.text.isBlank {
      reading.finish = .empty
    }
    if reading.finish.isNoAnswer {
      throw ProviderProblem(reading.finish, saying: progress.refusal, calledTools: isStray)
    }
  }

  /// What a silence means: the end of the call's own time, a stream that broke, or a provider that
  /// did not begin.
  private func silence(
    _ problem: ProviderProblem, after patience: Duration, _ reading: Reading, _ plan: CallPlan
  ) throws -> ProviderProblem {
    if let deadline = plan.deadline, time.monotonic() >= deadline { throw plan.tooLate }
    let seconds = patience.nanoseconds / 1_000_000_000
    let span = seconds > 0 ? "\(seconds) s" : "\(patience.nanoseconds / 1_000_000) ms"
    if reading.firstContentAt == nil {
      return ProviderProblem(.timeout, "no part of an answer arrived within \(span)")
    }
    return ProviderProblem(.idle, "the answer went silent for \(span)")
  }

  func firstContentTimeout(for candidate: Candidate, _ profile: PerformanceProfile) -> Duration {
    if let timeout = options.firstContentTimeout ?? candidate.settings?.firstContentTimeout {
      return timeout
    }
    // A model on this machine may have to be loaded first.
    if candidate.settings?.isLocal == true { return .seconds(120) }
    if candidate.facts?.isThinking == true { return .seconds(90) }
    switch profile {
    case .speed: return .seconds(15)
    case .balanced: return .seconds(30)
    case .expert: return .seconds(60)
    case .thinking: return .seconds(90)
    }
  }

  /// What is attached has to be sent before anything can come: an upload of a megabit a second is waited
  /// for.
  func timeToSend(_ plan: CallPlan) -> Duration {
    let bytes = (plan.attachments + plan.returned).reduce(0) { $0 + Int64($1.payload.utf8.count) }
    return .milliseconds(bytes / 125)
  }

  func idleTimeout(for candidate: Candidate) -> Duration {
    candidate.settings?.idleTimeout ?? options.idleTimeout
  }

  private func adapter(for candidate: Candidate, of run: Identifier) -> any ChatAdapter {
    guard let settings = candidate.settings else {
      return MockAdapter(delay: options.mockDelay, time: time)
    }
    if let native = settings.native { return NativeAdapter(provider: native, time: time) }
    return HTTPAdapter(settings: settings, client: client, time: time, maySend: maySend(for: run))
  }

  /// A process that was stopped may have lost its run before it wakes up and sends.
  func maySend(for run: Identifier) -> @Sendable () -> Bool {
    let ledger = ledger
    return { ledger.isSurelyOwned(run) }
  }
}

/// How far one attempt has come.
struct Reading: Sendable {
  var startedAt: UInt64
  /// The provider has taken the request on.
  var isAccepted = false
  var firstContentAt: UInt64?
  var transcript = Transcript()
  var usage: ReportedUsage?
  var toolCalls: [ToolCall] = []
  var reasoning: [ReasoningPart] = []
  var finish = FinishReason.stop
  /// The words of a model that declined.
  var refusal = ""
  /// The answer came to its own end, so what the provider counted is all of it.
  var isComplete = false

  init(startedAt: UInt64) { self.startedAt = startedAt }
}

extension Hold {
  /// Whether the run is still this process's is asked before the next try, however lately it was.
  mutating func askAgain(_ tries: inout Int) throws {
    tries += 1
    guard tries < 3 else {
      throw ProviderProblem(
        .connection, "the request was not sent: this process was suspended too often")
    }
    renewedAt = 0
  }
}

extension CallPlan {
  /// No wait is longer than the whole call may take.
  func limit(_ moment: UInt64) -> UInt64 { min(moment, deadline ?? .max) }
}

extension String {
  /// Nothing but white space.
  fileprivate var isBlank: Bool { utf8.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) } }
}

import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaSystem

/// One attempt to pass a request on: hold, send, hand on, settle.
extension Gate {
  /// How long an answer may take that comes in one piece.
  private static let wholeAnswerTime = Duration.seconds(600)

  func attempt(
    _ passing: ForwardedPassing, _ plan: CallPlan,
    _ emit: @Sendable (ForwardedPart) async throws -> Void
  ) async throws -> ForwardedOutcome {
    var passing = passing
    let candidate = passing.candidate
    let quirks = quirks(of: candidate)
    passing.asksForUsage =
      passing.endpoint == .openAIChat && passing.words.stream == true
      && !passing.words.asksForUsage && quirks.asksForUsage
    var plan = plan
    plan.isFree = passing.endpoint.isFree
    if passing.endpoint.hasNoOutput {
      plan.wholeAnswer = 0
      plan.request.maxTokens = 0
    } else if !passing.endpoint.streams(passing.words) {
      plan.wholeAnswer = try wholeAnswer(of: passing.words, from: candidate, plan)
    }
    let wire = WireCall(
      request: plan.request, model: passing.model, cap: nil, inputEstimate: 0,
      quirks: WireQuirks(passing.settings))
    var books = CallAccounting()
    while true {
      switch try await reserve(plan, candidate, wire, &books, onEvent: { _ in }) {
      case .refused(let problem, let policy):
        if !passing.isLast, policy == .downgrade { return .next(problem, .zero) }
        throw Failure(
          .budget, problem.message, suggestion: "raise the limit, or ask for a shorter answer")
      case .held(let hold):
        let outcome = try await forward(passing, plan, under: hold, emit)
        // The provider does not know the wish for its counts, which was not the client's.
        guard case .next(let problem, _) = outcome, passing.asksForUsage,
          problem.blamesUsageOptions
        else { return outcome }
        passing.asksForUsage = false
        var known = quirks
        known.asksForUsage = false
        remember(known, of: candidate)
      }
    }
  }

  /// The tokens that are held for an answer that comes in one piece: nothing can cut it off at less, and its provider is
  /// told of no cap but the request's own.
  private func wholeAnswer(
    of words: ForwardedWords, from candidate: Candidate, _ plan: CallPlan
  ) throws(Failure) -> Int64? {
    if let most = words.most { return most }
    if let most = candidate.facts?.maxOutput {
      let (all, overflow) = most.multipliedReportingOverflow(by: words.choices)
      return overflow ? .max : all
    }
    let legs = plan.legs(on: day(at: time.now()), options: options, ignoringBudget: false)
    guard legs.contains(where: { $0.limit != nil }), price(of: candidate)?.isFree != true else {
      return nil
    }
    throw Failure(
      .budget,
      "the answer is not streamed and nothing bounds its length, so no budget could cover it",
      suggestion: "set `max_tokens` in the request, or ask for a stream")
  }

  private func forward(
    _ passing: ForwardedPassing, _ plan: CallPlan, under hold: consuming Hold,
    _ emit: @Sendable (ForwardedPart) async throws -> Void
  ) async throws -> ForwardedOutcome {
    let candidate = passing.candidate
    var reading = Reading(startedAt: time.monotonic())
    var outlet = ForwardedOutlet(filters: passing.asksForUsage)
    do {
      let problem = try await pass(passing, plan, &reading, &outlet, under: &hold, emit)
      let (usage, cost): (Usage, Money)
      if let problem {
        cost = try await settle(hold, failed: problem, plan, candidate, passing.model, reading)
        guard outlet.isOpen else { return .next(problem, cost) }
        usage = cost == .zero ? Usage(isReported: false) : used(reading, hold).usage
      } else {
        (usage, cost) =
          plan.isFree ? (Usage(isReported: false), .zero) : used(reading, hold)
        let answer = ModelAnswer(
          text: reading.transcript.text, provider: candidate.provider, model: passing.model,
          usage: usage, cost: cost, finish: reading.finish, cap: hold.cap, ceiling: hold.ceiling)
        let observation =
          plan.isFree ? nil : observation(of: reading, usage, plan, at: candidate, under: hold)
        if let observation { state.withLock { $0.note(observation) } }
        var settlement = Settlement(
          reservation: hold.reservation, actual: cost, usage: usage, outcome: .answered,
          observation: observation)
        // The end of its run follows at once, and is waited for.
        settlement.mayWait = true
        let entry = resultEntry(plan, hold.reservation, answer, notices: [])
        let settled = settlement
        try await Task { try await settle(settled, recording: entry) }.value
        await clearProvider(of: candidate)
      }
      return .handedOn(
        ForwardedAnswer(
          provider: candidate.provider, model: passing.model, status: outlet.status, usage: usage,
          cost: cost, isPriceKnown: hold.isPriceKnown && passing.words.unknownCost == nil,
          finish: reading.finish, problem: problem?.message))
    } catch let problem as ProviderProblem {
      let cost = try await settle(hold, failed: problem, plan, candidate, passing.model, reading)
      if !outlet.isOpen, !passing.isLast, problem.mayNotBeOfOthers { return .next(problem, cost) }
      throw failure(of: candidate, problem)
    } catch {
      // A refusal costs nothing, whether or not anybody reads it to its end.
      let refusal =
        outlet.status == 0 || reading.isAccepted
        ? nil
        : ProviderProblem(status: outlet.status, headers: { _ in nil }, body: [], now: time.now())
      let message =
        error is CancellationError
        ? "the call was cancelled"
        : (error as? Failure)?.message ?? "the reader of the answer stopped: \(error)"
      _ = try await settle(
        hold, plan, candidate, model: passing.model, reading, after: refusal, outcome: .cancelled,
        reason: "cancelled", message: message, partial: reading.transcript.text)
      throw error
    }
  }

  /// Settles a request that the provider did not answer, and returns what it cost.
  private func settle(
    _ hold: borrowing Hold, failed problem: ProviderProblem, _ plan: CallPlan,
    _ candidate: Candidate, _ model: String, _ reading: Reading
  ) async throws -> Money {
    let observation = observation(of: problem, at: candidate)
    if let observation { state.withLock { $0.note(observation) } }
    return try await settle(
      hold, plan, candidate, model: model, reading, after: problem, outcome: .failed,
      reason: problem.kind.rawValue, message: problem.message,
      partial: reading.transcript.text, observation)
  }

  /// Returns the provider's error: after its bytes have been handed on, or where they are not, so that another
  /// one can be asked.
  private func pass(
    _ passing: ForwardedPassing, _ plan: CallPlan, _ reading: inout Reading,
    _ outlet: inout ForwardedOutlet, under hold: inout Hold,
    _ emit: @Sendable (ForwardedPart) async throws -> Void
  ) async throws -> ProviderProblem? {
    let (candidate, settings) = (passing.candidate, passing.settings)
    let isStream = passing.endpoint.streams(passing.words)
    let patience =
      isStream
      ? firstContentTimeout(for: candidate, plan.profile)
      : max(Self.wholeAnswerTime, firstContentTimeout(for: candidate, plan.profile))
    let idle = idleTimeout(for: candidate)
    let adapter = HTTPAdapter(
      settings: settings, client: client, time: time, maySend: maySend(for: plan.context.run))
    var deadline = plan.limit(reading.startedAt.advanced(by: patience))
    var tries = 0
    let response: HTTPResponse
    while true {
      try await renew(&hold, at: time.monotonic(), isUnsent: true)
      do {
        response = try await adapter.forward(passing, under: hold, deadline: deadline)
        break
      } catch is NotSent { try hold.askAgain(&tries) }
    }
    let isAnswer = (200..<300).contains(response.status)
    reading.isAccepted = isAnswer
    outlet.note(status: response.status, response.headers.fields)
    guard isAnswer else {
      return try await refusal(response, passing, adapter, &outlet, idle: idle, plan, emit)
    }
    if passing.isLast { try await outlet.open(emit) }
    var decoder = passing.endpoint.decoder(
      contentType: response.headers.first(named: "content-type"))
    let most =
      hold.price.isFree || plan.wholeAnswer != nil
      ? Transcript.longest : hold.cap.map(Transcript.most) ?? Transcript.longest
    while let chunk = try await next(of: response.body, adapter, &decoder, deadline: deadline) {
      let now = time.monotonic()
      // Counted before they are handed on: the provider bills them even if the reader is gone.
      decoder.feed(chunk)
      let isPaid = note(&decoder, in: &reading, within: most)
      reading.isComplete = decoder.progress.isDone
      if !outlet.isOpen {
        if let problem = decoder.progress.problem, problem.mayNotBeOfOthers {
          response.body.cancel()
          return problem.redacted(settings.key)
        }
        if decoder.progress.contentEvents > 0 || decoder.progress.isDone || outlet.isFull {
          try await outlet.open(emit)
        }
      }
      try await outlet.send(chunk, emit)
      guard isPaid else {
        response.body.cancel()
        reading.isComplete = false
        reading.finish = .cutOff
        return nil
      }
      // What may follow a finish reason comes at once or not at all.
      let isFinished = decoder.progress.finish != nil
      deadline = plan.limit(
        now.advanced(
          by: isFinished ? min(idle, Self.patienceAfterFinish) : isStream ? idle : patience))
      try await renew(&hold, at: now)
    }
    let isWhole = decoder.progress.isDone
    decoder.finish()
    _ = note(&decoder, in: &reading, within: .max)
    let problem = isWhole ? nil : decoder.progress.problem?.redacted(settings.key)
    if let problem, !outlet.isOpen, problem.mayNotBeOfOthers { return problem }
    try await outlet.open(emit)
    try await outlet.finish(emit)
    if let problem { return problem }
    reading.isComplete = true
    reading.finish = decoder.progress.finish ?? .stop
    reading.transcript.add(decoder.progress.toolCalls)
    return nil
  }

  /// An answer that is an error: handed on as it is, unless another model may do better.
  private func refusal(
    _ response: HTTPResponse, _ passing: ForwardedPassing, _ adapter: HTTPAdapter,
    _ outlet: inout ForwardedOutlet, idle: Duration, _ plan: CallPlan,
    _ emit: @Sendable (ForwardedPart) async throws -> Void
  ) async throws -> ProviderProblem {
    if passing.isLast, !passing.asksForUsage { try await outlet.open(emit) }
    var refusal: [UInt8] = []
    while true {
      let deadline = plan.limit(time.monotonic().advanced(by: idle))
      guard let chunk = try await adapter.next(of: response.body, deadline: deadline) else { break }
      if refusal.count < 65_536 { refusal += chunk } else { try await outlet.open(emit) }
      try await outlet.send(chunk, emit)
    }
    let problem = ProviderProblem(
      status: response.status, headers: { response.headers.first(named: $0) }, body: refusal,
      now: time.now(), address: passing.settings.baseURL
    ).redacted(passing.settings.key)
    let isHandedOn =
      (passing.isLast || !problem.mayNotBeOfOthers)
      && !(passing.asksForUsage && problem.blamesUsageOptions)
    if isHandedOn {
      try await outlet.open(emit)
      try await outlet.finish(emit)
    }
    return problem
  }

  /// The next bytes; nil at the end. After a finish reason a silence is an end, too: some servers leave
  /// the connection open.
  private func next(
    of body: HTTPBody, _ adapter: HTTPAdapter, _ decoder: inout any ChatDecoder, deadline: UInt64
  ) async throws -> [UInt8]? {
    do { return try await adapter.next(of: body, deadline: deadline) } catch let problem
      as ProviderProblem
    {
      guard problem.kind == .timeout, decoder.progress.finish != nil else { throw problem }
      decoder.progress.isDone = true
      return nil
    }
  }

  /// False when the hold pays for no more.
  private func note(
    _ decoder: inout any ChatDecoder, in reading: inout Reading, within most: Int64
  ) -> Bool {
    var content = decoder.progress.takeContent()
    reading.usage = decoder.progress.usage
    let events = decoder.progress.contentEvents
    guard events > reading.transcript.contentEvents || !content.text.isEmpty else { return true }
    if reading.firstContentAt == nil { reading.firstContentAt = time.monotonic() }
    reading.transcript.contentEvents = events
    return reading.transcript.add(&content, within: most)
  }
}

/// What goes to the client, once it is known that it is this answer.
struct ForwardedOutlet: Sendable {
  /// Of an answer without content no more than this waits.
  private static let most = 1 << 20

  private(set) var status = 0
  private(set) var isOpen = false
  private var headers: [(name: String, value: String)] = []
  private var waiting: [UInt8] = []
  private var filter: UsageFilter?

  init(filters: Bool) { filter = filters ? UsageFilter() : nil }

  var isFull: Bool { waiting.count > Self.most }

  mutating func note(status: Int, _ headers: [(name: String, value: String)]) {
    self.status = status
    // An error is no stream, and its bytes are all handed on.
    if !(200..<300).contains(status) { filter = nil }
    // What is taken out makes it shorter.
    self.headers =
      filter == nil ? headers : headers.filter { $0.name.lowercased() != "content-length" }
  }

  mutating func open(_ emit: @Sendable (ForwardedPart) async throws -> Void) async throws {
    guard !isOpen else { return }
    isOpen = true
    try await emit(.head(status: status, headers: headers))
    if !waiting.isEmpty { try await emit(.bytes(waiting)) }
    waiting = []
  }

  mutating func send(
    _ chunk: [UInt8], _ emit: @Sendable (ForwardedPart) async throws -> Void
  ) async throws {
    try await hand(on: filter?.take(chunk) ?? chunk, emit)
  }

  /// Hands on what waited for the end of its event.
  mutating func finish(_ emit: @Sendable (ForwardedPart) async throws -> Void) async throws {
    try await hand(on: filter?.finish() ?? [], emit)
  }

  private mutating func hand(
    on bytes: [UInt8], _ emit: @Sendable (ForwardedPart) async throws -> Void
  ) async throws {
    guard !bytes.isEmpty else { return }
    if isOpen { try await emit(.bytes(bytes)) } else { waiting += bytes }
  }
}

extension ProviderProblem {
  /// Servers repeat what they were sent.
  fileprivate func redacted(_ key: Secret?) -> ProviderProblem {
    guard let key else { return self }
    var problem = self
    problem.message = key.redacting(message)
    return problem
  }

  /// Whether another model may answer: what is wrong with the request itself is wrong everywhere.
  fileprivate var mayNotBeOfOthers: Bool {
    switch kind {
    case .rejected, .unsupported, .tooLong, .refused, .filtered, .empty: false
    default: true
    }
  }

  fileprivate var blamesUsageOptions: Bool {
    (kind == .rejected || kind == .unsupported)
      && ((parameter?.hasBytePrefix("stream_options") ?? false)
        || message.lowercased().hasBytes("stream_options"))
  }
}

extension HTTPAdapter {
  /// The response as it is, whatever its status.
  func forward(
    _ passing: ForwardedPassing, under hold: borrowing Hold, deadline: UInt64
  ) async throws -> HTTPResponse {
    let usual = settings.headers(idempotencyKey: hold.idempotencyKey)
    let names = Set(usual.map { $0.name.lowercased() }).union(Self.ownHeaders)
    let more = passing.request.headers.filter { !names.contains($0.name.lowercased()) }
    let body = passing.body.bytes(model: passing.newName, askingForUsage: passing.asksForUsage)
    do {
      return try await client.send(
        HTTPRequest(
          method: "POST", url: settings.address(of: passing.request.path), headers: usual + more,
          body: body, allowsPlainHTTP: settings.allowsPlainHTTP, headerDeadline: deadline,
          connectTimeout: settings.connectTimeout, trace: hold.trace, maySend: maySend))
    } catch let error as HTTPError {
      throw try ProviderProblem(error, at: settings.baseURL)
    }
  }

  /// Headers of the connection, and every form of a key: a caller's key is not the provider's.
  private static var ownHeaders: Set<String> {
    [
      "host", "content-length", "connection", "transfer-encoding", "accept-encoding", "expect",
      "authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "te", "trailer",
      "upgrade", "proxy-authorization", "keep-alive",
    ]
  }

  func next(of body: HTTPBody, deadline: UInt64) async throws -> [UInt8]? {
    do { return try await body.next(deadline: deadline) } catch let error as HTTPError {
      throw try ProviderProblem(error, at: settings.baseURL, isInStream: true)
    }
  }
}

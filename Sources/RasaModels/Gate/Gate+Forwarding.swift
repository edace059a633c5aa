package import RasaCore
import RasaDocuments
package import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaSystem

/// A request in a provider's own words, to be passed on byte for byte.
package struct ForwardedRequest: Sendable {
  /// Below the interface's version, such as `/chat/completions`.
  package var path: String
  package var body: [UInt8]
  /// Sent beside those that the provider wants.
  package var headers: [(name: String, value: String)]

  package init(path: String, body: [UInt8], headers: [(name: String, value: String)] = []) {
    self.path = path
    self.body = body
    self.headers = headers
  }
}

/// What came back, in the order in which it came.
package enum ForwardedPart: Sendable {
  case head(status: Int, headers: [(name: String, value: String)])
  case bytes([UInt8])
}

/// What a request that was passed on came to.
package struct ForwardedAnswer: Sendable {
  package var provider: String
  package var model: String
  package var status: Int
  package var usage: Usage
  package var cost: Money
  package var finish: FinishReason
  /// What the provider said was wrong, or what of its answer cannot be read here; its bytes were passed
  /// on all the same.
  package var problem: String?
}

/// Passes a request on with its exact bytes, and the answer back with its own. Money is held before
/// anything is sent, and settled by what the answer says; nothing is asked twice, for whoever sent the
/// request decides about that.
extension Gate {
  package func forward(
    _ request: ForwardedRequest, for context: CallContext,
    emit: @Sendable (ForwardedPart) async throws -> Void
  ) async throws -> ForwardedAnswer {
    let words = try ForwardedWords(request.body)
    var plan = CallPlan(words.request, context, options, startedAt: time.monotonic())
    plan.digest = Digest.sha256(request.body)
    await recall()
    guard let first = try await chain(plan).candidates.first, let settings = first.settings,
      settings.native == nil, var candidate = try? await resolved(first, plan),
      let model = candidate.model
    else {
      throw Failure(
        .configuration, "no provider takes requests for that model over HTTP",
        suggestion: "name one that is configured, as `provider:model`; `rasa llm info` shows them")
    }
    try settings.checkForwarding(to: request.path)
    candidate.facts = try candidate.facts ?? catalogue.facts(for: model)
    let wire = WireCall(
      request: plan.request, model: model, cap: nil, inputEstimate: 0,
      quirks: WireQuirks(settings))
    var books = CallAccounting()
    switch try await reserve(plan, candidate, wire, &books, onEvent: { _ in }) {
    case .refused(let problem, _):
      throw Failure(
        .budget, problem.message, suggestion: "raise the limit, or ask for a shorter answer")
    case .held(let hold):
      return try await forward(request, to: candidate, settings, model, plan, under: hold, emit)
    }
  }

  private func forward(
    _ request: ForwardedRequest, to candidate: Candidate, _ settings: ProviderSettings,
    _ model: String, _ plan: CallPlan, under hold: consuming Hold,
    _ emit: @Sendable (ForwardedPart) async throws -> Void
  ) async throws -> ForwardedAnswer {
    var reading = Reading(startedAt: time.monotonic())
    var status = 0
    do {
      let problem = try await pass(
        request, settings, candidate, plan, &reading, &status, under: &hold, emit)
      let (usage, cost): (Usage, Money)
      let finish = reading.finish
      if let problem {
        let observation = observation(of: problem, at: candidate)
        if let observation { state.withLock { $0.note(observation) } }
        cost = try await settle(
          hold, plan, candidate, model: model, reading, after: problem, outcome: .failed,
          reason: problem.kind.rawValue, message: problem.message,
          partial: reading.transcript.text, observation)
        usage = cost == .zero ? Usage(isReported: false) : used(reading, hold).usage
      } else {
        (usage, cost) = used(reading, hold)
        let answer = ModelAnswer(
          text: reading.transcript.text, provider: candidate.provider, model: model, usage: usage,
          cost: cost, finish: finish, cap: hold.cap, ceiling: hold.ceiling)
        let observation = observation(of: reading, usage, plan, at: candidate, under: hold)
        if let observation { state.withLock { $0.note(observation) } }
        let settlement = Settlement(
          reservation: hold.reservation, actual: cost, usage: usage, outcome: .answered,
          observation: observation)
        let entry = resultEntry(plan, hold.reservation, answer, notices: [])
        let ledger = ledger
        try await Task { try await ledger.settle(settlement, recording: [entry]) }.value
        settlements.note()
        await clearProvider(of: candidate)
      }
      return ForwardedAnswer(
        provider: candidate.provider, model: model, status: status, usage: usage, cost: cost,
        finish: finish, problem: problem?.message)
    } catch let problem as ProviderProblem {
      let observation = observation(of: problem, at: candidate)
      if let observation { state.withLock { $0.note(observation) } }
      _ = try await settle(
        hold, plan, candidate, model: model, reading, after: problem, outcome: .failed,
        reason: problem.kind.rawValue, message: problem.message,
        partial: reading.transcript.text, observation)
      var failure = Failure(
        problem.kind == .timeout || problem.kind == .idle ? .timeout : .provider,
        "\(candidate.provider) \(model): \(problem.message)",
        suggestion: problem.suggestion(at: settings))
      failure.reason = problem.kind.rawValue
      throw failure
    } catch {
      _ = try await settle(
        hold, plan, candidate, model: model, reading, outcome: .cancelled, reason: "cancelled",
        message: (error as? Failure)?.message ?? "the call was cancelled",
        partial: reading.transcript.text)
      throw error
    }
  }

  /// Returns what the provider said was wrong, after it has been passed on.
  private func pass(
    _ request: ForwardedRequest, _ settings: ProviderSettings, _ candidate: Candidate,
    _ plan: CallPlan, _ reading: inout Reading, _ status: inout Int, under hold: inout Hold,
    _ emit: @Sendable (ForwardedPart) async throws -> Void
  ) async throws -> ProviderProblem? {
    let patience = firstContentTimeout(for: candidate, plan.profile)
    let idle = idleTimeout(for: candidate)
    let adapter = HTTPAdapter(
      settings: settings, client: client, time: time, maySend: maySend(for: plan.context.run))
    var deadline = plan.limit(reading.startedAt.advanced(by: patience))
    var tries = 0
    let response: HTTPResponse
    while true {
      try await renew(&hold, at: time.monotonic(), isUnsent: true)
      do {
        response = try await adapter.forward(request, under: hold, deadline: deadline)
        break
      } catch is NotSent { try hold.askAgain(&tries) }
    }
    status = response.status
    let isAnswer = (200..<300).contains(status)
    reading.isAccepted = isAnswer
    try await emit(.head(status: status, headers: response.headers.fields))
    var decoder = settings.dialect.decoder(
      contentType: response.headers.first(named: "content-type"), callPrefix: "0")
    let most =
      hold.price.isFree ? Transcript.longest : hold.cap.map(Transcript.most) ?? Transcript.longest
    var refusal: [UInt8] = []
    while let chunk = try await adapter.next(of: response.body, deadline: deadline) {
      try await emit(.bytes(chunk))
      let now = time.monotonic()
      deadline = plan.limit(now.advanced(by: idle))
      try await renew(&hold, at: now)
      guard isAnswer else {
        if refusal.count < 65_536 { refusal += chunk }
        continue
      }
      decoder.feed(chunk)
      guard note(&decoder, in: &reading, within: most) else {
        response.body.cancel()
        reading.finish = .cutOff
        return nil
      }
    }
    guard isAnswer else {
      return ProviderProblem(
        status: status, headers: { response.headers.first(named: $0) }, body: refusal,
        now: time.now(), address: settings.baseURL)
    }
    decoder.finish()
    _ = note(&decoder, in: &reading, within: .max)
    if let problem = decoder.progress.problem { return problem }
    reading.isComplete = true
    reading.finish = decoder.progress.finish ?? .stop
    reading.transcript.add(decoder.progress.toolCalls)
    return nil
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

extension HTTPAdapter {
  /// The response as it is, whatever its status.
  func forward(
    _ request: ForwardedRequest, under hold: borrowing Hold, deadline: UInt64
  ) async throws -> HTTPResponse {
    let usual = settings.headers(idempotencyKey: hold.idempotencyKey)
    let names = Set(usual.map { $0.name.lowercased() }).union(Self.ownHeaders)
    let more = request.headers.filter { !names.contains($0.name.lowercased()) }
    do {
      return try await client.send(
        HTTPRequest(
          method: "POST", url: settings.address(of: request.path), headers: usual + more,
          body: request.body, allowsPlainHTTP: settings.allowsPlainHTTP, headerDeadline: deadline,
          connectTimeout: settings.connectTimeout, trace: hold.trace, maySend: maySend))
    } catch let error as HTTPError {
      throw try ProviderProblem(error, at: settings.baseURL)
    }
  }

  /// What belongs to the connection, and every form of a key: the caller's is not the provider's.
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

extension ProviderSettings {
  /// Only what an answer says of its own cost can be paid for.
  fileprivate func checkForwarding(to path: String) throws(Failure) {
    let plain = String(path.prefix { $0 != "?" })
    let isKnown =
      switch dialect {
      case .openAI: plain == "/chat/completions"
      case .anthropic: plain == "/messages"
      case .ollama: plain == "/api/chat"
      case .gemini:
        plain.hasPrefix("/models/")
          && (plain.hasSuffix(":generateContent") || plain.hasSuffix(":streamGenerateContent"))
      }
    guard isKnown else {
      throw Failure(
        .usage, "\(quoted(path)) is no place at \(name) whose cost can be told",
        suggestion: "pass on requests for answers of a model, such as /chat/completions")
    }
  }
}

/// What of a request's body decides what it costs.
private struct ForwardedWords {
  var request: ModelRequest
  /// A file in the body: what a page or an image is reckoned at.
  private static let perFile = 2_000
  private static let longestWord = 4_096

  init(_ body: [UInt8]) throws(Failure) {
    let document: Value
    do throws(Failure) { document = try JSON.parse(body, named: "the request") } catch {
      var failure = error
      failure.kind = .usage
      throw failure
    }
    var words = ""
    var files = 0
    Self.gather(document, &words, &files)
    // Nobody counts the tokens of a file that is not looked at: it is reckoned as words.
    words += String(repeating: " word", count: files * Self.perFile)
    let most =
      document["max_completion_tokens"].int ?? document["max_tokens"].int
      ?? document["generationConfig"]["maxOutputTokens"].int
      ?? document["options"]["num_predict"].int
    let choices = max(1, min(document["n"].int ?? 1, 128))
    request = ModelRequest(
      messages: [ChatMessage(.user, words)], name: "forward",
      maxTokens: most.flatMap { $0 > 0 ? Int(clamping: min($0, 1 << 32) * choices) : nil })
  }

  private static func gather(_ value: Value, _ words: inout String, _ files: inout Int) {
    switch value {
    case .string(let text):
      if text.utf8.count > longestWord, !text.utf8.contains(UInt8(ascii: " ")) {
        files += 1
      } else {
        words += text + "\n"
      }
    case .array(let elements): for element in elements { gather(element, &words, &files) }
    case .object(let object):
      for (key, value) in object {
        words += key + " "
        gather(value, &words, &files)
      }
    default: break
    }
  }
}

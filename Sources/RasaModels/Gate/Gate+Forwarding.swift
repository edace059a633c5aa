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
  /// Sent in addition to those that the provider requires.
  package var headers: [(name: String, value: String)]

  package init(path: String, body: [UInt8], headers: [(name: String, value: String)] = []) {
    self.path = path
    self.body = body
    self.headers = headers
  }
}

/// A part of the response, in order.
package enum ForwardedPart: Sendable {
  case head(status: Int, headers: [(name: String, value: String)])
  case bytes([UInt8])
}

/// The outcome of a forwarded request.
package struct ForwardedAnswer: Sendable {
  package var provider: String
  package var model: String
  package var status: Int
  package var usage: Usage
  package var cost: Money
  package var finish: FinishReason
  /// The provider's error, or why its answer cannot be read here; its bytes were passed on all the same.
  package var problem: String?
}

/// Passes a request on with its exact bytes, and the answer back with its own. Money is held before
/// anything is sent, and settled by the usage that the answer reports. Nothing is repeated: retries are up
/// to the sender of the request.
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
        .configuration, "no provider accepts forwarded requests for that model",
        suggestion: "name one that is configured, as `provider:model`; `rasa llm info` shows them")
    }
    try settings.checkForwarding(to: request.path)
    candidate.facts = try candidate.facts ?? catalogue.facts(for: model)
    let named = words.model ?? settings.model(inPath: request.path)
    try checkModel(named, is: model, candidate)
    let wire = WireCall(
      request: plan.request, model: model, cap: nil, inputEstimate: 0,
      quirks: WireQuirks(settings))
    if !settings.streams(words, path: request.path) {
      plan.wholeAnswer = try wholeAnswer(of: words, from: candidate, plan)
    }
    var books = CallAccounting()
    switch try await reserve(plan, candidate, wire, &books, onEvent: { _ in }) {
    case .refused(let problem, _):
      throw Failure(
        .budget, problem.message, suggestion: "raise the limit, or ask for a shorter answer")
    case .held(let hold):
      return try await forward(request, to: candidate, settings, model, plan, under: hold, emit)
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

  /// What is held and booked is the price of one model, so the request must not ask another one.
  private func checkModel(
    _ named: String?, is model: String, _ candidate: Candidate
  ) throws(Failure) {
    guard let named, named != model else { return }
    // Other names of the same model cost the same.
    if let facts = candidate.facts, try catalogue.facts(for: named)?.id == facts.id { return }
    throw Failure(
      .usage, "the request is for the model \(quoted(named)), and \(quoted(model)) would be paid",
      suggestion: "name the same model in both")
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
      if let problem {
        cost = try await settle(hold, failed: problem, plan, candidate, model, reading)
        usage = cost == .zero ? Usage(isReported: false) : used(reading, hold).usage
      } else {
        (usage, cost) = used(reading, hold)
        let answer = ModelAnswer(
          text: reading.transcript.text, provider: candidate.provider, model: model, usage: usage,
          cost: cost, finish: reading.finish, cap: hold.cap, ceiling: hold.ceiling)
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
        finish: reading.finish, problem: problem?.message)
    } catch let problem as ProviderProblem {
      _ = try await settle(hold, failed: problem, plan, candidate, model, reading)
      var failure = Failure(
        problem.kind == .timeout || problem.kind == .idle ? .timeout : .provider,
        "\(candidate.provider) \(model): \(problem.message)",
        suggestion: problem.suggestion(at: settings))
      failure.reason = problem.kind.rawValue
      throw failure
    } catch {
      // A refusal costs nothing, whether or not anybody reads it to its end.
      let refusal =
        status == 0 || reading.isAccepted
        ? nil
        : ProviderProblem(status: status, headers: { _ in nil }, body: [], now: time.now())
      let message =
        error is CancellationError
        ? "the call was cancelled"
        : (error as? Failure)?.message ?? "the reader of the answer stopped: \(error)"
      _ = try await settle(
        hold, plan, candidate, model: model, reading, after: refusal, outcome: .cancelled,
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

  /// Returns the provider's error, after its bytes have been passed on.
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
    while let chunk = try await next(of: response.body, adapter, &decoder, deadline: deadline) {
      let now = time.monotonic()
      guard isAnswer else {
        if refusal.count < 65_536 { refusal += chunk }
        try await emit(.bytes(chunk))
        deadline = plan.limit(now.advanced(by: idle))
        continue
      }
      // Counted before they are handed on: the provider bills them even if the reader is gone.
      decoder.feed(chunk)
      let isPaid = note(&decoder, in: &reading, within: most)
      reading.isComplete = decoder.progress.isDone
      try await emit(.bytes(chunk))
      guard isPaid else {
        response.body.cancel()
        reading.isComplete = false
        reading.finish = .cutOff
        return nil
      }
      // What may follow a finish reason comes at once or not at all.
      let isFinished = decoder.progress.finish != nil
      deadline = plan.limit(
        now.advanced(by: isFinished ? min(idle, Self.patienceAfterFinish) : idle))
      try await renew(&hold, at: now)
    }
    guard isAnswer else {
      let problem = ProviderProblem(
        status: status, headers: { response.headers.first(named: $0) }, body: refusal,
        now: time.now(), address: settings.baseURL)
      return problem.redacted(settings.key)
    }
    let isWhole = decoder.progress.isDone
    decoder.finish()
    _ = note(&decoder, in: &reading, within: .max)
    if !isWhole, let problem = decoder.progress.problem { return problem.redacted(settings.key) }
    reading.isComplete = true
    reading.finish = decoder.progress.finish ?? .stop
    reading.transcript.add(decoder.progress.toolCalls)
    return nil
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

extension ProviderProblem {
  /// Servers repeat what they were sent.
  fileprivate func redacted(_ key: Secret?) -> ProviderProblem {
    guard let key else { return self }
    var problem = self
    problem.message = key.redacting(message)
    return problem
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

extension ProviderSettings {
  /// The model in the path of a request whose body names none: `/models/MODEL:generateContent`.
  fileprivate func model(inPath path: String) -> String? {
    let folder = "/models/"
    guard dialect == .gemini, path.hasPrefix(folder) else { return nil }
    let name = path.dropFirst(folder.count).prefix { $0 != ":" && $0 != "?" }
    return name.isEmpty ? nil : String(name)
  }

  /// Only endpoints whose answers report their usage can be paid for.
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
        .usage, "\(quoted(path)) is not an endpoint of \(name) whose cost is known",
        suggestion: "forward only requests for model answers, such as /chat/completions")
    }
  }
}

/// The parts of a request's body that determine its cost.
private struct ForwardedWords {
  var request: ModelRequest
  /// The model that it asks; nil where the path says it.
  var model: String?
  /// The most tokens that all of its answers may have; nil where it does not say.
  var most: Int64?
  /// How many answers it asks for.
  let choices: Int64
  /// The `stream` member.
  let stream: Bool?

  /// The least tokens that a file is reckoned at, such as an image.
  private static let leastPerFile = 2_000
  /// A page of a PDF has more tokens than this share of its bytes in base64.
  private static let bytesPerToken = 8
  /// More than any model reads.
  private static let mostForFiles = 4_000_000
  /// Members that hold a file's bytes, and those that say where a file is.
  private static let encoded: Set = ["data", "file_data", "images", "b64_json"]
  private static let references: Set = [
    "url", "image_url", "file_url", "file_uri", "fileUri", "file_id",
  ]

  init(_ body: [UInt8]) throws(Failure) {
    let document: Value
    do throws(Failure) { document = try JSON.parse(body, named: "the request") } catch {
      var failure = error
      failure.kind = .usage
      throw failure
    }
    model = document["model"].string
    stream = document["stream"].bool
    var words = ""
    var tokens = 0
    Self.gather(document, in: "", &words, &tokens)
    // Files are not decoded, so their tokens are estimated as words.
    words += String(repeating: " word", count: min(tokens, Self.mostForFiles))
    choices = max(1, min(document["n"].int ?? 1, 128))
    let asked =
      document["max_completion_tokens"].int ?? document["max_tokens"].int
      ?? document["generationConfig"]["maxOutputTokens"].int
      ?? document["options"]["num_predict"].int
    if let asked, asked > 0 { most = min(asked, 1 << 32) * choices }
    request = ModelRequest(
      messages: [ChatMessage(.user, words)], name: "forward",
      maxTokens: most.map { Int(clamping: $0) })
  }

  private static func gather(
    _ value: Value, in member: String, _ words: inout String, _ tokens: inout Int
  ) {
    switch value {
    case .string(let text):
      if let file = fileTokens(text, in: member) { tokens += file } else { words += text + "\n" }
    case .array(let elements):
      for element in elements { gather(element, in: member, &words, &tokens) }
    case .object(let object):
      for (key, value) in object {
        words += key + " "
        gather(value, in: key, &words, &tokens)
      }
    default: break
    }
  }

  /// What a file is reckoned at; nil for a text. Text counts as such however long its words are.
  private static func fileTokens(_ text: String, in member: String) -> Int? {
    var bytes = Array(text.utf8)[...]
    if bytes.starts(with: "data:".utf8) {
      guard let comma = bytes.firstIndex(of: UInt8(ascii: ",")) else { return nil }
      bytes = bytes[(comma + 1)...]
    } else if references.contains(member) {
      return leastPerFile
    } else if !encoded.contains(member) {
      return nil
    }
    guard bytes.allSatisfy(isBase64) else { return nil }
    // What every PDF begins with.
    let isPDF = bytes.starts(with: "JVBERi".utf8)
    return max(leastPerFile, isPDF ? bytes.count / bytesPerToken : 0)
  }

  private static func isBase64(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"),
      UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="), 0x0A, 0x0D:
      true
    default: false
    }
  }
}

extension ProviderSettings {
  /// Whether the answer comes in pieces, so that it can be cut off.
  fileprivate func streams(_ words: ForwardedWords, path: String) -> Bool {
    switch dialect {
    case .openAI, .anthropic: words.stream == true
    case .ollama: words.stream != false
    case .gemini: path.hasBytes(":streamGenerateContent")
    }
  }
}

import RasaCore
import RasaDocuments
package import RasaEngine
import RasaHTTPClient
import RasaSystem

/// Vectors come through the same door as answers: money is held before anything is asked, and
/// settled whatever its outcome.
extension Gate {
  /// Vectors of up to `EmbeddingLimits.textsPerCall` texts, by the model that the options name.
  ///
  /// - Parameters:
  ///   - purpose: nil where texts are compared with each other.
  ///   - seconds: how long all of it may take.
  ///   - keeping: where the vectors are kept, in the transaction that settles what they cost.
  package func embed(
    _ texts: [String], as purpose: EmbeddingPurpose? = nil, for context: CallContext,
    within seconds: Double? = nil, keeping: EmbeddingKeeping = .nowhere
  ) async throws -> Embeddings {
    try EmbeddingLimits.check(texts, ofClient: options.servesClient)
    guard options.model != nil else {
      throw Failure(.usage, "no model is named that makes vectors")
    }
    let plan = CallPlan(
      .vectors(of: texts, within: seconds), context, options, startedAt: time.monotonic())
    await recall()
    let candidates = try await chain(plan).candidates
    guard var contender = inOrderOfAvailability(candidates).first else {
      throw Failure(.provider, "no model can be asked", suggestion: "see `rasa doctor`")
    }
    let call = try EmbeddingCall(texts, purpose, at: contender.candidate, keeping)
    let retries = RetryPolicy(base: options.retryDelay, longest: options.longestRetryDelay)
    var earliest = contender.notBefore
    var round = 1
    while true {
      try await wait(until: earliest, plan)
      switch try await attempt(call, plan) {
      case .made(let embeddings): return embeddings
      case .failed(let problem):
        contender.note(
          problem, longestDelay: options.longestRetryDelay, at: time.monotonic())
        guard !contender.isOut, round < options.rounds else { throw failure(call, problem) }
        let pause = retries.delay(round: round - 1, random: random())
        earliest = max(contender.notBefore, time.monotonic().advanced(by: pause))
        if let deadline = plan.deadline, earliest >= deadline { throw failure(call, problem) }
        round += 1
      }
    }
  }

  /// What identifies a request for vectors.
  package func digest(ofVectors texts: [String], for context: CallContext) -> String {
    digest(of: .vectors(of: texts), for: context)
  }

  /// The candidate that would make vectors; no request is made. Throws where there is none.
  package func embeddingModel(for context: CallContext) async throws -> EmbeddingModel {
    let plan = CallPlan(.vectors(of: []), context, options, startedAt: time.monotonic())
    guard let candidate = try await chain(plan).candidates.first else {
      throw Failure(.provider, "no model can be asked", suggestion: "see `rasa doctor`")
    }
    let call = try EmbeddingCall([], nil, at: candidate)
    return EmbeddingModel(
      provider: call.settings.name, model: call.model, address: call.settings.baseURL)
  }

  /// What vectors of texts cost at most, in however many calls, without asking anyone.
  package func estimate(
    vectorsOf texts: [String], for context: CallContext
  ) async throws -> CallEstimate {
    try await estimate(.vectors(of: texts), for: context)
  }

  // MARK: One attempt

  private enum Outcome {
    case made(Embeddings)
    case failed(ProviderProblem)
  }

  private func attempt(_ call: EmbeddingCall, _ plan: CallPlan) async throws -> Outcome {
    var books = CallAccounting()
    let wire = WireCall(
      request: plan.request, model: call.model, cap: 0, inputEstimate: 0,
      quirks: WireQuirks(call.settings))
    switch try await reserve(plan, call.candidate, wire, &books, onEvent: { _ in }) {
    case .refused(let problem, _): return .failed(problem)
    case .held(let hold): return try await perform(call, plan, under: hold)
    }
  }

  private func perform(
    _ call: EmbeddingCall, _ plan: CallPlan, under hold: consuming Hold
  ) async throws -> Outcome {
    var reading = Reading(startedAt: time.monotonic())
    let vectors: [[Float]]
    do {
      vectors = try await read(&reading, call, plan, under: &hold)
    } catch let problem as ProviderProblem {
      let observation = observation(of: problem, at: call.candidate)
      if let observation { state.withLock { $0.note(observation) } }
      _ = try await settle(
        hold, plan, call.candidate, model: call.model, reading, after: problem, outcome: .failed,
        reason: problem.kind.rawValue, message: problem.message, partial: "",
        observation)
      return .failed(problem)
    } catch let failure as Failure {
      _ = try await settle(
        hold, plan, call.candidate, model: call.model, reading,
        outcome: .failed, reason: failure.kind.rawValue, message: failure.message, partial: "")
      throw failure
    } catch {
      _ = try await settle(
        hold, plan, call.candidate, model: call.model, reading,
        outcome: .cancelled, reason: "cancelled", message: "the call was cancelled", partial: "")
      throw error
    }
    reading.isComplete = true
    let (usage, cost) = used(reading, hold)
    let embeddings = Embeddings(
      vectors: vectors, provider: call.candidate.provider, model: call.model, usage: usage,
      cost: cost, isPriceKnown: hold.isPriceKnown)
    faultPoint("call.complete")
    let observation = observation(
      of: reading, usage, plan, at: call.candidate, under: hold)
    if let observation { state.withLock { $0.note(observation) } }
    var settlement = Settlement(
      reservation: hold.reservation, actual: embeddings.cost, usage: usage, outcome: .answered,
      observation: observation)
    var space: String?
    switch call.keeping {
    case .nowhere: break
    case .journal: space = call.space
    case .items(let items, let viewer):
      settlement.vectors = MadeVectors(
        model: call.space,
        vectors: zip(items, vectors).map { MadeVectors.One(item: $0, numbers: $1) },
        viewer: viewer)
    }
    let entry = resultEntry(plan, hold.reservation, embeddings, keptAs: space)
    // They have been paid for, also when nobody wants them any more.
    try await Task { try await settle(settlement, recording: entry) }.value
    await clearProvider(of: call.candidate)
    return .made(embeddings)
  }

  /// One document, within the time that a chat has to its first content.
  private func read(
    _ reading: inout Reading, _ call: EmbeddingCall, _ plan: CallPlan, under hold: inout Hold
  ) async throws -> [[Float]] {
    let patience = firstContentTimeout(for: call.candidate, plan.profile)
    let deadline = plan.limit(reading.startedAt.advanced(by: patience))
    let adapter = HTTPAdapter(
      settings: call.settings, client: client, time: time, maySend: maySend(for: plan.context.run))
    let bytes: [UInt8]
    do {
      var tries = 0
      let body: HTTPBody
      while true {
        try await renew(&hold, at: time.monotonic(), isUnsent: true)
        do {
          body = try await adapter.ask(call.wire, under: hold, deadline: deadline)
          break
        } catch is NotSent { try hold.askAgain(&tries) }
      }
      reading.isAccepted = true
      faultPoint("call.sent")
      bytes = try await adapter.document(
        body, limit: EmbeddingLimits.answerBytes, deadline: deadline)
    } catch var problem as ProviderProblem where problem.kind == .timeout {
      let milliseconds = min(
        Double(patience.nanoseconds) / 1e6, (plan.request.timeout ?? .infinity) * 1e3)
      let span =
        milliseconds >= 1_000 ? "\(Int(milliseconds / 1_000)) s" : "\(Int(milliseconds)) ms"
      problem.message = "the vectors were not there within \(span)"
      throw problem
    }
    reading.firstContentAt = time.monotonic()
    do {
      let document = try JSON.parse(
        bytes, named: "the answer", limits: JSONLimits(bytes: EmbeddingLimits.answerBytes))
      let read = try call.settings.dialect.embeddings(in: document, of: call.count)
      reading.usage = read.usage
      return read.vectors
    } catch let failure as Failure {
      var unusable = Failure(
        .provider,
        "\(call.name) gave no vectors that can be used: \(failure.message)",
        suggestion: "name another embedding model")
      unusable.reason = Failure.unusableVectors
      throw unusable
    } catch var problem as ProviderProblem {
      if let key = call.settings.key { problem.message = key.redacting(problem.message) }
      throw problem
    }
  }

  private func failure(_ call: EmbeddingCall, _ problem: ProviderProblem) -> Failure {
    let kind: Failure.Kind =
      switch problem.kind {
      case .authentication, .payment: .authentication
      case .budget, .unknownPrice: .budget
      case .timeout: .timeout
      default: .provider
      }
    var failure = Failure(
      kind, "\(call.name) made no vectors: \(problem.message)",
      suggestion: problem.mendOfVectors(at: call.settings, model: call.model))
    failure.reason = problem.kind.rawValue
    return failure
  }
}

/// What is asked of whom.
private struct EmbeddingCall {
  let candidate: Candidate
  let settings: ProviderSettings
  let model: String
  let wire: WireRequest
  let count: Int
  let keeping: EmbeddingKeeping

  var name: String { "\(settings.name) \(model)" }

  init(
    _ texts: [String], _ purpose: EmbeddingPurpose?, at candidate: Candidate,
    _ keeping: EmbeddingKeeping = .nowhere
  ) throws(Failure) {
    guard let settings = candidate.settings, let model = candidate.model else {
      throw Failure(
        .configuration, "the mock makes no vectors", suggestion: Self.suggestion(naming: "a model"))
    }
    guard
      let wire = settings.dialect.embeddingRequest(
        model: model, texts: texts, for: purpose)
    else {
      throw Failure(
        .configuration, "\(settings.name) offers no vectors of texts",
        suggestion: Self.suggestion(naming: "a model of another provider"))
    }
    self.candidate = candidate
    self.settings = settings
    self.model = model
    self.wire = wire
    count = texts.count
    self.keeping = keeping
  }

  /// Under which name its vectors are kept.
  var space: String {
    EmbeddingModel(provider: settings.name, model: model, address: settings.baseURL).space
  }

  private static func suggestion(naming what: String) -> String {
    "name \(what), such as openai:text-embedding-3-small, gemini:gemini-embedding-001 or "
      + "ollama:nomic-embed-text"
  }
}

extension Failure {
  /// The reason of an answer that has no vectors.
  package static let unusableVectors = "unusableVectors"
}

extension ModelRequest {
  /// What is held, digested and estimated as any other request is. Nothing is written for it.
  fileprivate static func vectors(
    of texts: [String], within seconds: Double? = nil
  ) -> ModelRequest {
    var request = ModelRequest(
      messages: texts.map { ChatMessage(.user, $0) }, name: "vectors", maxTokens: 0)
    request.timeout = seconds
    return request
  }
}

import RasaCore
package import RasaEngine
import RasaPersona

/// A request as one model gets it.
struct FittedRequest: Sendable, Hashable {
  var key: ModelKey
  var request: ModelRequest
  var size: RequestSize
  /// About how many tokens all of it has.
  var tokens: Int64
  /// Those of the conversation.
  var history: Int64
  /// Those of what tools have returned.
  var results: Int64 = 0
  /// Of all turns of the conversation, how many are in it.
  var kept: Int
  var turns: Int
  var window: Int64
  var session: String?
  /// Nil where nothing is left out.
  var cut: HistoryCut?

  /// What an error says; nil for a request without a conversation.
  var sent: SentConversation {
    SentConversation(session: session, tokens: tokens, kept: kept, turns: turns, window: window)
  }
}

/// How long a request may be, and what of a conversation is sent.
extension Gate {
  /// Where nobody knows a model's window, this much has room in most of those in use.
  static let usualWindow: Int64 = 32_768
  /// Ollama reserves memory for the window that it is asked for, on the user's own machine.
  static let usualOllamaWindow: Int64 = 16_384
  /// An answer is left at most this part of a window to begin with.
  private static let shareOfAnswer: Int64 = 3

  /// The window of a model: as its server has said or as the catalogue knows it, and what is taken for it where neither does.
  func window(of candidate: Candidate) -> (tokens: Int64, known: Int64?) {
    if candidate.isMock { return (.max / 4, nil) }
    if let known = quirks(of: candidate).window ?? candidate.facts?.context {
      return (known, known)
    }
    return (
      candidate.settings?.dialect == .ollama ? Self.usualOllamaWindow : Self.usualWindow, nil
    )
  }

  package func window(for context: CallContext) async -> Int64? {
    let plan = CallPlan(ModelRequest(messages: []), context, options, startedAt: 0)
    await recall()
    guard let chain = try? await chain(plan),
      var first = inOrderOfAvailability(chain.candidates).first?.candidate
    else { return nil }
    if first.facts == nil, let model = first.model {
      first.facts = try? catalogue.facts(for: model)
    }
    return window(of: first).known
  }

  package func fitted(
    _ request: ModelRequest, for context: CallContext
  ) async throws -> ModelRequest {
    guard request.history != nil else { return request }
    let plan = CallPlan(request, context, options, startedAt: time.monotonic())
    await recall()
    let chain = try await chain(plan)
    guard var first = inOrderOfAvailability(chain.candidates).first?.candidate else {
      return request
    }
    if first.facts == nil, let model = first.model { first.facts = try catalogue.facts(for: model) }
    return fit(plan, first).request
  }

  func size(of plan: CallPlan, for candidate: Candidate) -> RequestSize {
    guard plan.request.history != nil || plan.request.reader != nil else { return plan.size }
    if let fitted = plan.fitted, fitted.key == candidate.key { return fitted.size }
    return fit(plan, candidate).size
  }

  func meter(of candidate: Candidate) -> TokenMeter {
    state.withLock { state in
      TokenMeter(state.standing(candidate.key), scale: state.scale(of: candidate.key))
    }
  }

  /// The request with as many of the newest turns as the model has room for.
  ///
  /// - Parameters:
  ///   - most: no more tokens than this for the conversation.
  ///   - kept: exactly so many turns, as in an earlier attempt.
  func fit(
    _ plan: CallPlan, _ candidate: Candidate, atMost most: Int64 = .max, keeping kept: Int? = nil
  ) -> FittedRequest {
    let window = window(of: candidate).tokens
    let meter = meter(of: candidate)
    let request = plan.request
    let attached = candidate.tokens(
      of: plan.attachments + plan.returned.filter { candidate.takes($0.kind) == true }
    ).reduce(0) { min($0 + $1, .max / 4) }
    var fitted = FittedRequest(
      key: candidate.key, request: request, size: plan.size, tokens: 0, history: 0, kept: 0,
      turns: 0, window: window)
    guard let history = request.history, history.fits(request), !candidate.isMock else {
      fitted.tokens = meter.tokens(of: plan.size, messages: request.messages.count) + attached
      shortenResults(of: &fitted, plan, candidate, meter)
      return fitted
    }
    let schema = request.schema?.json(.canonical) ?? ""
    let rest = request.withoutHistory
    let fixed =
      meter.tokens(
        of: RequestSize(rest, schema: schema), messages: rest.messages.count + rest.tools.count)
      + attached
    let room = min(window - fixed - answerRoom(for: plan, candidate, window), most)
    let pieces = history.pieces(of: request)
    var fit = HistoryFit(
      count: history.count, earlier: history.earlier, summary: history.summary,
      room: room / history.times, meter: meter
    ) { pieces($0) }
    if let kept, kept != fit.kept {
      fit = HistoryFit(
        count: min(kept, history.count),
        earlier: history.earlier + max(0, history.count - kept), summary: history.summary,
        room: .max / 4, meter: meter
      ) { pieces(history.count - min(kept, history.count) + $0) }
    }
    if fit.isCut {
      fitted.request = fit.applied(to: request)
      fitted.size = RequestSize(fitted.request, schema: schema)
    }
    fitted.history = fit.tokens * history.times
    fitted.tokens = fixed + fitted.history
    fitted.kept = fit.kept
    fitted.turns = history.count + history.earlier
    fitted.session = history.session
    if fit.isCut {
      fitted.cut = HistoryCut(
        session: history.session, kept: fit.kept, turns: fitted.turns - fit.kept,
        tokens: fit.leftTokens, shortenedBytes: fit.shortened?.missing ?? 0,
        summarised: fit.isSummarised
          ? min(history.summary?.turns ?? 0, fitted.turns - fit.kept) : 0,
        model: "\(candidate.provider):\(candidate.model ?? "")", window: window)
    }
    shortenResults(of: &fitted, plan, candidate, meter)
    return fitted
  }

  /// Where there is no room even without a conversation: the results of tools are shown by their beginnings, the oldest
  /// first, where the model can read on in them. Of a window that nobody knows a refusal has to tell.
  private func shortenResults(
    of fitted: inout FittedRequest, _ plan: CallPlan, _ candidate: Candidate, _ meter: TokenMeter
  ) {
    guard fitted.request.reader != nil, !candidate.isMock else { return }
    fitted.results = fitted.request.resultTokens(meter)
    guard let window = window(of: candidate).known else { return }
    let over = fitted.tokens - (window - answerRoom(for: plan, candidate, window))
    let cut = fitted.request.shortenResults(by: over, meter)
    guard cut.count > 0 else { return }
    let before = fitted.size
    fitted.size = RequestSize(
      fitted.request, schema: fitted.request.schema?.json(.canonical) ?? "")
    let messages = fitted.request.messages.count
    fitted.tokens -=
      meter.tokens(of: before, messages: messages)
      - meter.tokens(of: fitted.size, messages: messages)
    fitted.results = fitted.request.resultTokens(meter)
    var left =
      fitted.cut
      ?? HistoryCut(
        session: fitted.session, kept: fitted.kept, turns: 0, tokens: 0, shortenedBytes: 0,
        summarised: 0, model: "\(candidate.provider):\(candidate.model ?? "")", window: window)
    left.shortenedResults = cut.count
    left.resultBytes = cut.bytes
    fitted.cut = left
  }

  /// The request as it was in the attempt that is in doubt; nil where it cannot be had again.
  func fit(
    _ plan: CallPlan, _ candidate: Candidate, asIn doubt: UncertainCall
  ) -> FittedRequest? {
    guard let history = plan.request.history, history.fits(plan.request) else {
      return fit(plan, candidate)
    }
    let kept = doubt.turns ?? history.count + history.earlier
    if kept >= history.count, history.earlier == 0 {
      return fit(plan, candidate, keeping: history.count)
    }
    let again = fit(plan, candidate, keeping: kept)
    return again.cut?.shortenedBytes ?? 0 > 0 ? nil : again
  }

  /// What is left for the answer.
  private func answerRoom(
    for plan: CallPlan, _ candidate: Candidate, _ window: Int64
  ) -> Int64 {
    let room = outputRoom(for: plan, candidate)
    let wanted = plan.request.maxTokens == nil ? room.start : room.ceiling ?? room.start
    return min(wanted, window / Self.shareOfAnswer)
  }

  /// What a model that refused a request for its length is sent next; nil where nothing of a conversation is left to leave
  /// out.
  func fit(
    _ plan: CallPlan, _ candidate: Candidate, after problem: ProviderProblem
  ) -> FittedRequest? {
    guard let sent = plan.fitted else { return nil }
    guard sent.history > 0, sent.kept > 0 else {
      let smaller = fit(plan, candidate)
      return smaller.results < sent.results ? smaller : nil
    }
    var smaller = fit(plan, candidate)
    // What is known now may not explain the refusal; less is sent in any case.
    if smaller.history > sent.history * 5 / 6 || problem.length.requested == nil {
      smaller = fit(plan, candidate, atMost: sent.history * 2 / 3)
    }
    return smaller
  }

  /// Keeps what a refusal for length teaches of a model.
  func learnWindow(
    from problem: ProviderProblem, _ plan: CallPlan, _ candidate: Candidate,
    _ quirks: inout WireQuirks
  ) {
    guard let sent = plan.fitted, candidate.settings != nil else { return }
    if let most = problem.length.most, most >= 256 {
      quirks.window = most
      if let requested = problem.length.requested, requested > sent.tokens, sent.tokens > 0 {
        let (product, overflow) = requested.multipliedReportingOverflow(by: 1_050)
        let scale = state.withLock { $0.scale(of: candidate.key) }
        if !overflow {
          state.withLock {
            $0.remember(scale: product / sent.tokens * scale / 1_000, of: candidate.key)
          }
        }
      }
    } else if sent.history > 0 || sent.results > 0 {
      // It says no figure: what is known is that this much is too much.
      let spare = sent.history > 0 ? sent.history : sent.results
      quirks.window = max(1_024, min(sent.window, sent.tokens) - spare / 3)
    } else {
      return
    }
    remember(quirks, of: candidate)
  }

  /// Says what of the conversation is not sent.
  func tell(
    of fitted: FittedRequest?, _ onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws {
    if let cut = fitted?.cut { try await onEvent(.trimmed(cut)) }
  }
}

extension ModelRequest {
  /// Everything but the conversation so far.
  var withoutHistory: ModelRequest {
    guard let history else { return self }
    var request = self
    switch history.place {
    case .messages(let first):
      request.messages.removeSubrange(first..<(first + 2 * history.count))
    case .lines(let message, let offsets, _):
      let bytes = Array(messages[message].text.utf8)
      let length = history.lengths.reduce(0, +)
      var text: [UInt8] = []
      var copied = 0
      for offset in offsets {
        text += bytes[copied..<offset]
        copied = offset + length
      }
      text += bytes[copied...]
      request.messages[message].text = String(decoding: text, as: UTF8.self)
    }
    request.history = nil
    return request
  }
}

extension RequestHistory {
  /// The texts of each turn.
  func pieces(of request: ModelRequest) -> (Int) -> (input: String, output: String) {
    switch place {
    case .messages(let first):
      return { index in
        (
          request.messages[first + 2 * index].text, request.messages[first + 2 * index + 1].text
        )
      }
    case .lines(let message, let offsets, _):
      let bytes = Array(request.messages[message].text.utf8)
      var starts = [offsets.first ?? 0]
      for length in lengths { starts.append(starts[starts.count - 1] + length) }
      return { index in
        (String(decoding: bytes[starts[index]..<starts[index + 1]], as: UTF8.self), "")
      }
    }
  }
}

import RasaCore
import RasaDocuments
import RasaPersona

/// The reply to one question, with all answers that it took to complete it.
struct Reply: Sendable {
  var text: String
  /// Every answer that was paid for, in order.
  var answers: [ModelAnswer]
  /// How often the model was asked to go on.
  var continued = 0
  /// Why it was not asked any further, although its end is missing and there might be room.
  var obstacle: Failure?

  init(_ answer: ModelAnswer) {
    text = answer.text
    answers = [answer]
  }

  /// How the last answer ended.
  var finish: FinishReason { answers.last?.finish ?? .stop }

  /// The tokens of all parts of the text.
  var tokens: Int64 {
    var usage = Usage()
    for answer in answers.suffix(continued + 1) { usage.add(answer.usage) }
    return usage.output
  }

  /// Whether it was cut by what was held for it, and more may be held: the server stopped at the cap,
  /// or we did, by our own measure, which dense text reaches before the server's count does.
  var hasRoomLeft: Bool {
    guard finish.isCut, let cap = answers.last?.cap else { return false }
    guard let ceiling = answers.last?.ceiling else { return true }
    guard continued > 0 else { return cap < ceiling }
    return tokens < ceiling
  }
}

/// A structured answer that was cut: asking the same once more would be cut as well.
struct CutShort: Error {
  var failure: Failure
}

extension OperatorProcedure {
  /// An answer is asked on so often at most.
  static let mostContinuations = 32
  /// One that has to be given anew gets twice the room each time.
  static let mostWidenings = 6

  /// Asks, and asks again while the answer is cut and more room is available: a text is continued;
  /// a structured answer, and one that is nothing but reasoning, is requested again.
  func reply(
    to request: ModelRequest, _ definition: OperatorDefinition, _ invocation: Invocation,
    label: String, attempt: Int
  ) async throws -> Reply {
    let name = { (kind: String) in
      (label == "call" ? kind : "\(label).\(kind)") + (attempt > 1 ? ".\(attempt)" : "")
    }
    var reply = Reply(
      try await call(request, definition, invocation, label: label, occurrence: attempt))
    var rounds = 0
    while reply.hasRoomLeft,
      request.schema == nil
        ? reply.text.isBlank || !reply.toolCalls.isEmpty : !reply.holdsJSON,
      rounds < Self.mostWidenings
    {
      rounds += 1
      var wider = request
      wider.room = reply.answers.last.flatMap { last in
        last.cap.map { min($0.doubled, last.ceiling ?? .max) }
      }
      do {
        let answer = try await call(
          wider, definition, invocation, label: name("again"), occurrence: rounds)
        reply.text = answer.text
        reply.answers.append(answer)
      } catch let failure as Failure where failure.endsNothing {
        reply.obstacle = failure
        break
      }
    }
    guard request.schema == nil, !reply.text.isBlank, reply.toolCalls.isEmpty else { return reply }
    while reply.hasRoomLeft, reply.continued < Self.mostContinuations {
      do {
        let answer = try await call(
          request.continuing(reply), definition, invocation, label: name("more"),
          occurrence: reply.continued + 1, after: reply.text)
        let whole = ContinuationJoiner.join(reply.text, answer.text)
        let isLonger = whole.utf8.count > reply.text.utf8.count
        reply.text = whole
        reply.answers.append(answer)
        reply.continued += 1
        if !isLonger { break }
      } catch let failure as Failure where failure.endsNothing {
        reply.obstacle = failure
        break
      }
    }
    return reply
  }

  /// Tells what a reader of the answer has to know about it.
  func noteEnding(
    of reply: Reply, _ definition: OperatorDefinition, at step: Step
  ) async throws {
    if reply.continued > 0 {
      try await notice(.continued(reply, of: definition.name, at: step))
    }
    guard !reply.finish.isWhole, definition.output == nil else { return }
    try await notice(
      .cut(reply, of: definition.name, at: step, maxTokens: definition.maxTokens))
  }

  /// - Parameter isRecorded: whether the journal is to keep it, as no other line says the same.
  func notice(_ notice: RunNotice, isRecorded: Bool = true) async throws {
    guard runState.note(notice) else { return }
    if isRecorded {
      dependencies.journal.record([notice.entry(of: start.run, at: dependencies.time.now())])
    }
    try await emit(.notice(notice))
  }

  /// Nothing came of the question that could count as its answer.
  func nothing(_ reply: Reply, _ definition: OperatorDefinition) -> Failure {
    let last = reply.answers.last
    let model = last.map { "\($0.provider):\($0.model)" } ?? "the model"
    guard reply.finish.isCut else { return ModelAnswer.nothing(from: model, reply.finish) }
    return Failure(
      .provider,
      "\(model) was cut off at \(reply.tokens) tokens before it began its answer: it was still "
        + "thinking",
      suggestion: reply.remedy(for: definition.name, maxTokens: definition.maxTokens))
  }
}

extension ModelAnswer {
  /// An answer that is none, as a failure of the attempt.
  var failure: Failure? {
    guard finish.isNoAnswer else { return nil }
    return Self.nothing(from: "\(provider):\(model)", finish)
  }

  static func nothing(from model: String, _ finish: FinishReason) -> Failure {
    let what =
      switch finish {
      case .refused: "declined to answer"
      case .filtered: "was stopped by its provider's content filter"
      case .toolCalls: "asked for tools that the operator does not have"
      case .stop, .empty, .length, .cutOff: "gave an empty answer"
      }
    return Failure(
      .provider, "\(model) \(what)",
      suggestion: "put the request in other words, or name another model with `--model`")
  }
}

extension Reply {
  fileprivate var holdsJSON: Bool {
    if case .value = JSON.extraction(from: text) { true } else { false }
  }
}

extension ModelRequest {
  /// The question that an answer is continued with. What was said so far stands as the model's own
  /// words, and its last ones once more, so that it can take them up and be joined to them exactly.
  fileprivate func continuing(_ reply: Reply) -> ModelRequest {
    var request = self
    let last = reply.text.lastWords
    let end =
      last.isEmpty
      ? "Continue it from exactly where it stops."
      : "Begin with its last words, which are «\(last)», and go on from there."
    request.messages.append(ChatMessage(.assistant, reply.text))
    request.messages.append(
      ChatMessage(
        .user,
        "Your answer above was cut off before its end. \(end) Write only what is missing, without "
          + "any remark."))
    if let answer = reply.answers.last {
      request.continuation = Continuation(
        provider: answer.provider, model: answer.model, text: reply.text, tokens: reply.tokens)
    }
    return request
  }
}

extension Failure {
  /// Whether the answer so far can be delivered although its rest is missing. What
  /// ends the run, or concerns its journal, is no such matter.
  fileprivate var endsNothing: Bool {
    switch kind {
    case .run, .provider, .budget, .authentication, .configuration, .limit: true
    case .timeout: !isOfWholeRun
    case .usage, .approval, .cancelled, .storage: false
    }
  }
}

extension String {
  /// Whether there is nothing in it to read.
  var isBlank: Bool { utf8.allSatisfy { $0 <= 0x20 } }

  /// The last few words of the last line.
  fileprivate var lastWords: String {
    let line =
      utf8.split(separator: 0x0A, omittingEmptySubsequences: false).last ?? Substring("").utf8
    var words = line.suffix(60)
    if words.count < line.count {
      guard let space = words.firstIndex(of: 0x20) else {
        return String(decoding: words.drop { $0 & 0xC0 == 0x80 }, as: UTF8.self)
      }
      words = words[words.index(after: space)...]
    }
    return String(decoding: words, as: UTF8.self)
  }
}

extension Int64 {
  fileprivate var doubled: Int64 {
    let (product, overflow) = multipliedReportingOverflow(by: 2)
    return overflow ? .max : product
  }
}

import RasaCore
import RasaPersona

/// Notices about answers and operators, in words.
extension RunNotice {
  static func fallback(_ answer: ModelAnswer, at step: Step) -> RunNotice? {
    // Where no model was named, that the mock answered is said once, at the end.
    guard let fallback = answer.fallback,
      !answer.isMock || fallback.insteadOf != ModelFallback.anyModel
    else { return nil }
    return self.fallback(fallback, to: "\(answer.provider):\(answer.model)", at: step)
  }

  static func fallback(_ fallback: ModelFallback, to answering: String, at step: Step) -> RunNotice
  {
    RunNotice(
      .fallback, at: step,
      "\(answering) answers instead of \(fallback.insteadOf): \(fallback.because)",
      facts: [
        "answered_by": .string(answering), "instead_of": .string(fallback.insteadOf),
        "because": .string(fallback.because),
      ])
  }

  static func skipped(_ step: Step, because reason: String) -> RunNotice {
    RunNotice(
      .skipped, at: step, "`\(step.operatorName)` failed and was left out: \(reason)",
      suggestion: "`on_error: {else: fail}` in its file makes that the end of the run",
      facts: ["because": .string(reason)])
  }

  static func objection(_ objection: RouteLimitReached) -> RunNotice {
    let times = objection.bound == 1 ? "once" : "\(objection.bound) times"
    let reasons = objection.reasons.isEmpty ? "" : ": " + objection.reasons.joined(separator: "; ")
    var facts: ValueObject = [
      "to": .string(objection.target), "at_most": .int(Int64(objection.bound)),
      "reasons": .array(objection.reasons.map { .string($0) }),
    ]
    if !objection.condition.isEmpty { facts["when"] = .string(objection.condition) }
    return RunNotice(
      .objection, at: objection.step,
      "`\(objection.step.operatorName)` still objects, and has sent it back to "
        + "`\(objection.target)` \(times) already\(reasons)",
      suggestion: "raise `at_most` of that route, or read the answer with this in mind",
      facts: facts)
  }

  static func continued(_ reply: Reply, of name: String, at step: Step) -> RunNotice {
    let parts = reply.continued + 1
    return RunNotice(
      .continued, at: step,
      "the answer of `\(name)` was longer than the room held for it, and came in \(parts) parts",
      facts: ["continued": .int(Int64(reply.continued))])
  }

  /// - Parameter maxTokens: what the operator's file allows.
  static func cut(
    _ reply: Reply, of name: String, at step: Step, maxTokens: Int?
  ) -> RunNotice {
    var facts: ValueObject = [
      "finish": .string(reply.finish.rawValue), "tokens": .int(reply.tokens),
      "continued": .int(Int64(reply.continued)),
    ]
    if let cap = reply.answers.last?.cap { facts["cap"] = .int(cap) }
    let end =
      switch reply.finish {
      case .length: "is cut off at \(reply.tokens) tokens"
      case .cutOff: "is cut off at \(reply.tokens) tokens, for no more was held for it"
      case .filtered: "breaks off: the provider's content filter stopped it"
      case .refused: "is what the model said when it declined to answer"
      case .stop, .empty, .toolCalls: "is not whole"
      }
    return RunNotice(
      .cut, at: step, "the answer of `\(name)` \(end)",
      suggestion: reply.remedy(for: name, maxTokens: maxTokens), facts: facts)
  }
}

extension RunNotice {
  static func trimmed(_ cut: HistoryCut, at step: Step) -> RunNotice {
    let name = cut.session.map { " of the session `\($0)`" } ?? ""
    let all = cut.kept + cut.turns
    var message: String
    if cut.turns > 0 {
      message =
        "\(cut.turns) of \(all) \(all == 1 ? "turn" : "turns")\(name), about \(cut.tokens) tokens, "
        + "\(cut.turns == 1 ? "is" : "are") left out for \(cut.model), which reads \(cut.window) tokens"
      if cut.summarised > 0 { message += "; a summary stands for \(cut.summarised) of them" }
    } else if cut.shortenedResults > 0 {
      message = ""
    } else {
      message = "the only turn\(name) is larger than \(cut.model) reads, \(cut.window) tokens"
    }
    if cut.shortenedBytes > 0 {
      message += "; of the newest turn, \(cut.shortenedBytes) bytes in its middle are left out"
    }
    if cut.shortenedResults > 0 {
      let results = cut.shortenedResults == 1 ? "one result" : "\(cut.shortenedResults) results"
      if !message.isEmpty { message += "; " }
      message +=
        "of \(results) of tools only the beginning is shown to \(cut.model), which reads \(cut.window) tokens"
    }
    var facts: ValueObject = [
      "model": .string(cut.model), "window": .int(cut.window), "turns": .int(Int64(cut.turns)),
      "tokens": .int(cut.tokens), "kept": .int(Int64(cut.kept)),
    ]
    if let session = cut.session { facts["session"] = .string(session) }
    if cut.summarised > 0 { facts["summarised"] = .int(Int64(cut.summarised)) }
    if cut.shortenedBytes > 0 { facts["shortened_bytes"] = .int(Int64(cut.shortenedBytes)) }
    if cut.shortenedResults > 0 {
      facts["results"] = .int(Int64(cut.shortenedResults))
      facts["result_bytes"] = .int(Int64(cut.resultBytes))
    }
    return RunNotice(.history, at: step, message, facts: facts)
  }

  /// Whether it has said what this says.
  func isTrimming(_ cut: HistoryCut) -> Bool {
    kind == .history && facts["model"]?.string == cut.model
      && (facts["results"] != nil || cut.shortenedResults == 0)
  }
}

extension Reply {
  /// The setting that would have given more room.
  func remedy(for name: String, maxTokens: Int?) -> String {
    if let obstacle {
      let suggestion = obstacle.suggestion.isEmpty ? "" : " (\(obstacle.suggestion))"
      return "it could not be continued: \(obstacle.message)\(suggestion)"
    }
    switch finish {
    case .filtered, .refused: return "put the request in other words, or name another model"
    case .cutOff:
      if let maxTokens, answers.last?.cap == Int64(maxTokens) {
        return "the server went past `max_tokens` of `\(name)`, now \(maxTokens): raise it"
      }
      return "raise `--max-cost` or the budget, or ask for less"
    case .length:
      if let maxTokens, answers.last?.ceiling.map({ $0 <= Int64(maxTokens) }) ?? true {
        return "raise `max_tokens` of `\(name)`, now \(maxTokens)"
      }
      if endedBelowItsCap {
        return "the server stopped before it had used what it was allowed: raise its own limit, "
          + "choose another model, or ask for less"
      }
      return "the model gives no more in one answer: ask for less, or choose another model"
    case .stop, .empty, .toolCalls: return ""
    }
  }
}

extension Reply {
  /// The server has a limit of its own: the answer ended with `length`, and no cap of ours was reached.
  private var endedBelowItsCap: Bool {
    guard let last = answers.last, last.usage.isReported else { return false }
    return last.cap.map { last.usage.output < $0 } ?? true
  }
}

/// A route would have been taken once more but for its bound.
package struct RouteLimitReached: Sendable, Hashable {
  package var step: Step
  /// The operator or frame that the route leads to, or `end`.
  package var target: String
  /// The route's condition; empty when it has none.
  package var condition: String
  package var bound: Int
  /// What the operator said, without what the condition looks at.
  package var reasons: [String]

  package init(step: Step, target: String, condition: String, bound: Int, reasons: [String]) {
    self.step = step
    self.target = target
    self.condition = condition
    self.bound = bound
    self.reasons = reasons
  }
}

package import RasaCore
package import RasaPersona

/// What kind of thing is done outside of the run; the raw value begins the kind of its journal lines.
package enum EffectKind: String, Sendable, Hashable, CaseIterable {
  /// A call to a model, by the gate.
  case model = "call"
  /// Something that an operator of kind `tool` has done.
  case tool
  /// The answer of a hook.
  case hook
}

/// One journal line about an effect. All code that writes or reads such lines goes through this type and its
/// codec.
///
/// An effect may take several attempts. Each has an intent, committed before anything is sent, and one
/// of `result`, `failed` and `uncertain`. `ended` says that the effect as a whole failed.
package struct EffectEvent: Sendable, Hashable {
  package var key: EffectKey
  package var kind: EffectKind
  package var phase: Phase

  package enum Phase: Sendable, Hashable {
    case intent(EffectIntent)
    case result(EffectResult, attempt: Identifier)
    case failed(EffectFailure, attempt: Identifier)
    /// Given up without knowing whether it was done.
    case uncertain(EffectDoubt, attempt: Identifier)
    /// The failure that the operator received. If `isRefused`, nothing was attempted, because the budget did not
    /// allow it.
    case ended(Failure, isRefused: Bool)
    /// Reused from another run instead of performed.
    case reused(EffectResult, from: Identifier, request: String)
  }

  package init(_ kind: EffectKind, _ key: EffectKey, _ phase: Phase) {
    self.kind = kind
    self.key = key
    self.phase = phase
  }
}

/// An attempt that is about to be made.
package struct EffectIntent: Sendable, Hashable {
  package enum Subject: Sendable, Hashable {
    case model(ModelIntent)
    case tool(name: String, arguments: Value)
    case hook(name: String, point: String)
  }
  /// Names the attempt; of a call to a model its reservation.
  package var attempt: Identifier
  /// The digest of the request.
  package var request: String
  /// The key by which a provider or tool recognises a second attempt; nil if it is the attempt's own name.
  package var idempotencyKey: String?
  package var subject: Subject

  package init(
    attempt: Identifier, request: String, idempotencyKey: String? = nil, subject: Subject
  ) {
    self.attempt = attempt
    self.request = request
    self.idempotencyKey = idempotencyKey
    self.subject = subject
  }
}

/// What a call to a model is begun with, beside the request.
package struct ModelIntent: Sendable, Hashable {
  /// What the price list says for this call, in dollars per million tokens.
  package struct Price: Sendable, Hashable {
    package var version: String
    package var input: Money
    package var output: Money

    package init(version: String, input: Money, output: Money) {
      self.version = version
      self.input = input
      self.output = output
    }
  }

  package var provider: String
  package var model: String
  /// Tokens of the prompt.
  package var input: Int64 = 0
  /// Tokens that are held for the answer.
  package var output: Int64 = 0
  /// What is held.
  package var held = Money.zero
  /// The cap that is sent, in tokens; nil when none is.
  package var cap: Int64?
  /// What the gate has given up of the request's usual form, in its own words.
  package var adaptations = ""
  package var price: Price?
  package var attachmentTokens: [Int64] = []
  /// What of the conversation had no room; nil where all of it is sent.
  package var cut: HistoryCut?
  package var isPriceKnown = true
  package var isForced = false
  package var mayExceedBudget = false
  package var exceedsBudget = false

  package init(provider: String, model: String) {
    self.provider = provider
    self.model = model
  }
}

package enum EffectResult: Sendable, Hashable {
  /// `notices` are what its reader has to know about the accounting.
  case answer(ModelAnswer, notices: [String] = [])
  case vectors(VectorsMade)
  /// What a tool returned.
  case tool(ToolResult)
  /// A tool has to know more before it does anything.
  case inputRequired(ToolInputRequest)
  /// What a hook answered.
  case value(Value)

  package var cost: Money {
    switch self {
    case .answer(let answer, _): answer.cost
    case .vectors(let made): made.cost
    case .tool, .inputRequired, .value: .zero
    }
  }
}

/// Vectors of texts. Most are not in the journal: they can be computed again, and would be most of it. That of a
/// question that recall compares with is, so that a resumed run recalls the same without paying again.
package struct VectorsMade: Sendable, Hashable {
  package var provider: String
  package var model: String
  package var count: Int64
  package var dimensions: Int64
  package var usage: Usage
  package var cost: Money
  /// The only one, where it is kept.
  package var kept: MemoryQuery.Vector?

  package init(
    provider: String, model: String, count: Int64, dimensions: Int64, usage: Usage, cost: Money,
    kept: MemoryQuery.Vector? = nil
  ) {
    self.kept = kept
    self.provider = provider
    self.model = model
    self.count = count
    self.dimensions = dimensions
    self.usage = usage
    self.cost = cost
  }
}

/// An attempt that failed.
package struct EffectFailure: Sendable, Hashable {
  /// The reason of an attempt that was cut off on this side and may have been performed all the same.
  package static let cancelled = "cancelled"

  package var provider: String
  package var model: String
  /// In the words of the provider's problems.
  package var reason: String
  package var message: String
  package var usage: Usage
  package var cost: Money
  /// What had come of an answer; it is kept, and never counts as one.
  package var partial: String

  package init(
    provider: String = "", model: String = "", reason: String, message: String,
    usage: Usage = Usage(isReported: false), cost: Money = .zero, partial: String = ""
  ) {
    self.provider = provider
    self.model = model
    self.reason = reason
    self.message = message
    self.usage = usage
    self.cost = cost
    self.partial = partial
  }

  package var isCancelled: Bool { reason == Self.cancelled }
}

/// The decision about an attempt that may or may not have been performed.
package struct EffectDoubt: Sendable, Hashable {
  package var provider: String
  package var model: String
  /// Nil for a decision that this version does not know.
  package var decision: UncertainPolicy?
  package var cost: Money

  package init(
    provider: String = "", model: String = "", decision: UncertainPolicy?, cost: Money = .zero
  ) {
    self.provider = provider
    self.model = model
    self.decision = decision
    self.cost = cost
  }
}

extension UncertainCall {
  /// Nil for an intent that is no call to a model.
  init?(_ key: EffectKey, _ intent: EffectIntent) {
    guard case .model(let model) = intent.subject else { return nil }
    self.init(
      key: key, reservation: intent.attempt, provider: model.provider, model: model.model,
      amount: model.held, idempotencyKey: intent.idempotencyKey ?? intent.attempt.text,
      cap: model.cap, adaptations: model.adaptations)
    turns = model.cut?.kept
  }
}

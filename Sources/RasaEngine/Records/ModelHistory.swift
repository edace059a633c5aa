package import RasaCore

/// One model at one provider, asked with one key: availability is not the same for all keys.
package struct ModelKey: Sendable, Hashable {
  package var provider: String
  /// The beginning of the key's SHA-256; empty without a key.
  package var account: String
  /// Empty for what is true of all models of the provider.
  package var model: String

  package init(provider: String, account: String = "", model: String) {
    self.provider = provider
    self.account = account
    self.model = model
  }
}

package enum Availability: String, Sendable, Hashable, CaseIterable {
  case available, unavailable, unknown
}

/// What kind of text a request mostly is: how many tokens a byte takes depends on it.
package enum TextKind: String, Sendable, Hashable, CaseIterable {
  /// Plain words with blanks between them.
  case prose
  /// Numbers, signs, code, JSON.
  case dense
  /// More than a fifth outside ASCII.
  case foreign
}

/// What one call, or one look at the provider's list, has taught.
package struct ModelObservation: Sendable, Hashable {
  package enum Outcome: Sendable, Hashable {
    case answered
    /// `until`: until when it is not worth asking again.
    case failed(reason: String, until: Timestamp)
  }
  package var key: ModelKey
  package var time: Timestamp
  package var outcome: Outcome
  /// Nanoseconds to the first content.
  package var firstContent: Int64?
  package var tokensPerSecond: Double?
  /// How many bytes were sent, and how many tokens the provider counted them as.
  package var counted: (kind: TextKind, bytes: Int64, estimate: Int64, tokens: Int64)?
  /// How many tokens of output an operator was given.
  package var output: Output?
  /// What the provider's own counts cost, in thousandths of the most that was to be expected.
  package var overrun: Int64?
  /// The form of request that was accepted, where that is not the one that is remembered.
  package var adapted: AdaptedForm?

  package struct Output: Sendable, Hashable {
    package var operatorName: String
    package var tokens: Int64
    /// False when the answer's end was missing.
    package var isWhole: Bool
    /// How many of the tokens came from the earlier answer that this one continued.
    package var continuing: Int64?
    package init(operatorName: String, tokens: Int64, isWhole: Bool, continuing: Int64? = nil) {
      self.continuing = continuing
      self.operatorName = operatorName
      self.tokens = tokens
      self.isWhole = isWhole
    }
  }

  package init(
    key: ModelKey, time: Timestamp, outcome: Outcome, firstContent: Int64? = nil,
    tokensPerSecond: Double? = nil,
    counted: (kind: TextKind, bytes: Int64, estimate: Int64, tokens: Int64)? = nil,
    output: Output? = nil, overrun: Int64? = nil
  ) {
    self.output = output
    self.overrun = overrun
    self.key = key
    self.time = time
    self.outcome = outcome
    self.firstContent = firstContent
    self.tokensPerSecond = tokensPerSecond
    self.counted = counted
  }

  package static func == (left: ModelObservation, right: ModelObservation) -> Bool {
    left.key == right.key && left.time == right.time && left.outcome == right.outcome
      && left.firstContent == right.firstContent && left.tokensPerSecond == right.tokensPerSecond
      && left.counted?.kind == right.counted?.kind && left.counted?.bytes == right.counted?.bytes
      && left.counted?.estimate == right.counted?.estimate
      && left.counted?.tokens == right.counted?.tokens && left.output == right.output
      && left.overrun == right.overrun && left.adapted == right.adapted
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

/// What a server does not take of a request. Servers change, so it is believed for a while only: then
/// the whole request is sent once more.
package struct AdaptedForm: Sendable, Hashable {
  /// Milliseconds: a week.
  package static let lifetime: Int64 = 7 * 86_400_000

  /// The gate's words for what is left out or said otherwise; none when the server takes everything.
  package var words: String
  /// The settings under which that was learnt: under others it says nothing.
  package var settings: String
  package var learntAt: Timestamp

  package init(words: String, settings: String, learntAt: Timestamp) {
    self.words = words
    self.settings = settings
    self.learntAt = learntAt
  }

  package func isBelieved(at now: Timestamp) -> Bool {
    (0..<Self.lifetime).contains(now.milliseconds - learntAt.milliseconds)
  }
}

/// What is remembered of a model, folded from observations. Both stores keep it as this says.
package struct ModelStanding: Sendable, Hashable {
  /// How long what was seen counts: then the state is unknown again.
  package static let memory: Int64 = 300_000
  /// So many failures in a row open the circuit.
  package static let failuresToOpen: Int64 = 3

  /// How the estimates of one kind of text have fared.
  package struct Counting: Sendable, Hashable {
    package var calls: Int64 = 0
    package var bytes: Int64 = 0
    package var estimated: Int64 = 0
    package var tokens: Int64 = 0
    /// The most tokens that a thousand bytes were.
    package var densest: Int64 = 0
    /// How often the provider counted more than was estimated.
    package var exceeded: Int64 = 0
    /// How many further counts it takes until this is trusted again.
    package var distrusted: Int64 = 0
    package init() {}
  }

  package var key: ModelKey
  package var seenAt: Timestamp
  /// Nil while it is available.
  package var unavailableUntil: Timestamp?
  package var reason = ""
  /// In a row.
  package var failures: Int64 = 0
  package var calls: Int64 = 0
  /// Nanoseconds; half of what was known, half of what is new.
  package var firstContent: Int64?
  package var tokensPerSecond: Double?
  package var counting: [TextKind: Counting] = [:]
  /// What operators have needed of it, by their names.
  package var needs: [String: OutputNeed] = [:]
  /// By how much its counts pass what they can be expected to be, in thousandths: holds are that
  /// much larger. 0 while they do not.
  package var overrun: Int64 = 0
  /// Nil for a server that takes everything, or was not asked.
  package var adapted: AdaptedForm?

  /// Beyond a thousand times what was expected nothing can be held any more.
  package static let largestOverrun: Int64 = 1_000_000

  package init(key: ModelKey, seenAt: Timestamp) {
    self.key = key
    self.seenAt = seenAt
  }

  package mutating func note(_ observation: ModelObservation) {
    seenAt = max(seenAt, observation.time)
    switch observation.outcome {
    case .answered:
      unavailableUntil = nil
      reason = ""
      failures = 0
      // A look at the provider's list shows that it is there, and is no call.
      if observation.firstContent != nil { calls = min(calls, .max - 1) + 1 }
    case .failed(let reason, let until):
      unavailableUntil = until
      self.reason = reason
      failures = min(failures, .max - 1) + 1
    }
    if let new = observation.firstContent {
      firstContent = firstContent.map { $0 / 2 + new / 2 } ?? new
    }
    if let new = observation.tokensPerSecond {
      tokensPerSecond = tokensPerSecond.map { $0 / 2 + new / 2 } ?? new
    }
    if let counted = observation.counted, counted.bytes > 0 {
      counting[counted.kind, default: Counting()].note(
        bytes: counted.bytes, estimate: counted.estimate, tokens: counted.tokens)
    }
    if let output = observation.output {
      needs[output.operatorName, default: OutputNeed()].note(
        tokens: output.tokens, isWhole: output.isWhole, continuing: output.continuing)
    }
    if let new = observation.adapted { adapted = new.words.isEmpty ? nil : new }
    if let seen = observation.overrun {
      // What was seen once is held for until it has not been seen for a while.
      let faded = overrun - max(overrun - 1_000, 0) / 4
      let kept = max(faded, min(seen, Self.largestOverrun))
      overrun = kept > 1_010 ? kept : 0
    }
  }

  package func availability(at now: Timestamp) -> Availability {
    if let unavailableUntil {
      // A clock that was set back must not keep a model away for longer than it ever would be.
      return now < unavailableUntil
        && unavailableUntil.milliseconds - now.milliseconds <= Self.memory ? .unavailable : .unknown
    }
    let age = now.milliseconds - seenAt.milliseconds
    return (0...Self.memory).contains(age) ? .available : .unknown
  }

  /// It has failed so often in a row that it is asked once only, and after all others.
  package func isOpen(at now: Timestamp) -> Bool {
    failures >= Self.failuresToOpen && availability(at: now) == .unavailable
  }
}

extension ModelStanding.Counting {
  /// So many counts in a row have to be within the estimate after one was not.
  private static let countsToTrustAgain: Int64 = 20

  mutating func note(bytes newBytes: Int64, estimate: Int64, tokens newTokens: Int64) {
    func sum(_ left: Int64, _ right: Int64) -> Int64 {
      let (sum, overflow) = left.addingReportingOverflow(right)
      return overflow ? .max : sum
    }
    calls = sum(calls, 1)
    bytes = sum(bytes, newBytes)
    estimated = sum(estimated, estimate)
    tokens = sum(tokens, newTokens)
    let (scaled, overflow) = newTokens.multipliedReportingOverflow(by: 1_000)
    densest = max(densest, overflow ? .max : (scaled + newBytes - 1) / newBytes)
    if newTokens > estimate {
      exceeded = sum(exceeded, 1)
      distrusted = Self.countsToTrustAgain
    } else {
      distrusted = max(0, distrusted - 1)
    }
  }
}

/// What was learnt of models, over processes.
package protocol ModelHistory: Sendable {
  func standings() async throws -> [ModelStanding]
  /// What a look at a provider has taught; what a call has taught comes with its settlement.
  func observe(_ observations: [ModelObservation]) async throws
}

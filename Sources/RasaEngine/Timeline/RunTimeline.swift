package import RasaCore

/// A run as a person reads it: the frames it went through, the operators in each, and under each
/// what it asked, wrote and led to. It is made of the journal, and knows nothing of screens.
package struct RunTimeline: Sendable {
  /// Nil when the journal is so damaged that its first line is missing.
  package internal(set) var start: RunStart?
  package internal(set) var items: [Item] = []
  package internal(set) var end = End.open
  package internal(set) var startedAt: Timestamp?
  /// When the last line was written.
  package internal(set) var changedAt: Timestamp?
  /// Milliseconds in which the run was active, that is, neither parked nor dead.
  package internal(set) var activeMilliseconds: Int64 = 0
  package internal(set) var lines = 0

  package enum Item: Sendable {
    case section(Section)
    case notice(Notice)
  }

  /// A visit of a frame, or what came of it after the run had been parked.
  package struct Section: Sendable {
    package var frame: String
    package var visit: Int
    package var isContinued: Bool
    package var passes: [Pass] = []
    /// The journal line that says so; nil while the line is not written.
    package var entered: Int?
  }

  /// One pass through an operator.
  package struct Pass: Sendable {
    package var step: Step
    /// Whether it was a rule: these are not in the journal, as they can be worked out again.
    package var isRule = false
    package var lines: [Line] = []
    /// The journal line of its end; nil for one that has not come to it.
    package var finished: Int?
  }

  package enum Line: Sendable {
    case call(Call)
    case question(Asked)
    case wrote([Update])
    case skipped(reason: String)
    case permission(Permission)
    /// What recall left out for lack of room; what it found is among what it wrote.
    case recalled(RecallRecord)
    case moved(Move)
    case warned(String)
    /// What a reader of the answer has to know about this pass.
    case noticed(RunNotice)
  }

  /// What was decided about a use of a tool, where a question does not tell it.
  package struct Permission: Sendable, Hashable {
    package var tool: String
    package var isRefused: Bool
    package var because: String
    /// The grant that allowed it, or that was given with it.
    package var grant: String?
  }

  package struct Move: Sendable, Hashable {
    package var from: String
    package var to: String
    package var reason: String
    /// The journal line.
    package var sequence: Int
  }

  /// Something that happened to the run as a whole.
  package struct Notice: Sendable {
    package enum Kind: Sendable {
      case parked(Parking)
      case resumed(by: String)
      case changed(ValueObject)
      case warned(String)
      case moved(Move)
    }
    package var time: Timestamp
    /// The journal line.
    package var sequence: Int
    package var kind: Kind
  }

  package enum End: Sendable {
    /// The journal does not say: the run is under way, or its process died.
    case open
    case parked(Parking)
    case finished(output: Value)
    case failed(Failure)
  }

  /// One question to a model.
  package struct Call: Sendable {
    package enum Outcome: Sendable, Hashable {
      /// Asked; what became of it is not recorded.
      case open
      case answered
      case failed(reason: String, message: String)
      /// Given up without knowing whether it was answered, and what was decided then.
      case uncertain(decision: String)
      /// Taken from another run instead of being asked.
      case reused(from: String)
    }
    package var key: EffectKey
    package var provider: String
    package var model: String
    package var outcome: Outcome
    package var usage: Usage
    /// What was paid; of one that is open, what is held for it.
    package var cost: Money
    /// Whether its price is known: where it is not, it counts as nothing.
    package var isPriceKnown = true
    package var text: String
    package var isMock: Bool
    package var finish: String
    package var fallback: ModelFallback?
    /// What a tool was used with; null for a model.
    package var arguments = Value.null
    /// Whether a tool said that it failed.
    package var isError = false
    /// Whether a tool was used at all: one that was refused has a result, too.
    package var isMade = true
    /// What the model wanted to have called.
    package var toolCalls: [ToolCall] = []
    package var askedAt: Timestamp
    package var endedAt: Timestamp?
  }

  /// A question to a person, and the answer when there is one.
  package struct Asked: Sendable {
    package var approval: String
    package var key: EffectKey
    package var title: String
    package var subject: String
    package var askedAt: Timestamp
    package var expiresAt: Timestamp?
    package var answer: HumanAnswer?
    package var answeredAt: Timestamp?
    /// Whether the answer was given in the run that this one is a fork of.
    package var isInherited = false
  }
}

extension RunTimeline.Call {
  /// Whether it is a question to a hook, which is no call of the run's own.
  package var isHook: Bool { HookPlace.reading(key) != nil }

  /// Whether it is the use of a tool.
  package var isTool: Bool { provider == Self.toolProvider }
  /// What stands where the provider of a model's call stands.
  static let toolProvider = "tool"
}

extension RunTimeline {
  package var sections: [Section] {
    items.compactMap { if case .section(let section) = $0 { section } else { nil } }
  }

  package var passes: [Pass] { sections.flatMap(\.passes) }

  package var calls: [Call] { passes.flatMap(\.calls) }

  /// The questions that nobody has answered.
  package var openQuestions: [Asked] {
    passes.flatMap(\.questions).filter { $0.answer == nil }
  }

  /// What the calls of a run come to.
  package struct Totals: Sendable, Hashable {
    /// Calls of models.
    package var answered = 0
    /// Uses of tools that came to an end.
    package var tools = 0
    package var failed = 0
    /// Given up, because nobody knows whether they were answered.
    package var doubted = 0
    package var reused = 0
    /// Asked, with an outcome that nobody knows or that is still to come.
    package var open = 0
    package var usage = Usage()
    package var spent = Money.zero
    package var held = Money.zero
  }

  package var totals: Totals {
    var totals = Totals()
    for call in calls where !call.isHook {
      switch call.outcome {
      case .answered where call.isTool: totals.tools += call.isMade ? 1 : 0
      case .answered:
        totals.answered += 1
        totals.usage.add(call.usage)
        totals.spent += call.cost
      case .failed:
        totals.failed += 1
        totals.spent += call.cost
      case .uncertain:
        totals.doubted += 1
        totals.spent += call.cost
      case .reused: totals.reused += 1
      case .open:
        totals.open += 1
        totals.held += call.cost
      }
    }
    return totals
  }
}

extension RunTimeline.Pass {
  package var calls: [RunTimeline.Call] {
    lines.compactMap { if case .call(let call) = $0 { call } else { nil } }
  }

  package var questions: [RunTimeline.Asked] {
    lines.compactMap { if case .question(let asked) = $0 { asked } else { nil } }
  }

  package var updates: [Update] {
    lines.flatMap { line -> [Update] in
      if case .wrote(let updates) = line { updates } else { [] }
    }
  }

  package var notices: [RunNotice] {
    lines.compactMap { if case .noticed(let notice) = $0 { notice } else { nil } }
  }

  package var moves: [RunTimeline.Move] {
    lines.compactMap { if case .moved(let move) = $0 { move } else { nil } }
  }
}

import RasaCore
import RasaEngine
import RasaPersona
import RasaStore

extension Rasa {
  /// A run as a person reads it: the frames that it visited, the operators in each, and what each of
  /// them asked, wrote and led to. It is made of the journal.
  ///
  /// ```swift
  /// let timeline = try await rasa.timeline(ofRun: id)
  /// for case .visit(let visit) in timeline.items {
  ///   for pass in visit.passes { print(visit.title, pass.step.name, pass.calls.count) }
  /// }
  /// ```
  public struct Timeline: Sendable {
    /// The run as lists have it.
    public var run: RunSummary
    /// What was attached to its input, without the content.
    public var attachments: [Attachment]
    /// The moment of which it recalls, in milliseconds since 1970; nil where that is when it ran.
    public var asOf: Int64?
    /// Of a fork: where it comes from.
    public var fork: Fork?
    /// What happened, in order.
    public var items: [Item]
    /// How it ended.
    public var ending: Ending
    /// How long it was at work. Times in which it was parked or its process was dead do not count.
    public var activeDuration: Duration
    /// What its calls come to.
    public var totals: Totals
    /// Why rules and prompts are not known; nil when they are.
    public var rulesProblem: RasaError?
    /// Why the journal cannot be read beyond some line; nil when all of it can.
    public var damage: RasaError?
    let account: RunArchive.Account

    /// The timeline as `rasa runs show --json` prints it.
    public var json: JSON { JSON(.object(account.timeline.document)) }
    /// The path of the run as a Mermaid diagram.
    public var diagram: String { account.timeline.mermaid }

    /// Where a fork comes from.
    public struct Fork: Sendable, Hashable, Codable {
      /// The run that it reuses the answers of.
      public var run: String
      /// The last line of that run's journal that counts; nil for all of them.
      public var sequence: Int?
      /// The keys that were set, such as `critique.verdict`.
      public var changes: [String]
    }

    /// A part of a timeline.
    @nonexhaustive
    public enum Item: Sendable, Hashable {
      /// The run was in a frame.
      case visit(Visit)
      /// Something happened to the whole run.
      case incident(Incident)
    }

    /// How a run ended.
    @nonexhaustive
    public enum Ending: Sendable, Hashable {
      /// The journal does not tell: the run is under way, or its process died.
      case open
      /// It waits, or was stopped.
      case parked
      /// It came to its answer.
      case finished(output: JSON)
      /// It failed.
      case failed(RasaError)
    }

    /// A visit of a frame, or the rest of one after the run had been parked.
    public struct Visit: Sendable, Hashable {
      /// The frame. The frames of delegated work have qualified names.
      public var frame: String
      /// The frame as people read it: `planner › short_term_frame` for one of delegated work.
      public var title: String
      /// Counts the visits of that frame, from 1.
      public var number: Int
      /// Whether the visit began before the run was parked.
      public var isContinued: Bool
      /// The operators, in the order in which they began.
      public var passes: [Pass]
    }

    /// One round of an operator.
    public struct Pass: Sendable, Hashable {
      /// The operator.
      public var step: Step
      /// Whether it is a rule. Rules are worked out again, as the journal does not have them.
      public var isRule: Bool
      /// Whether it came to its end.
      public var isFinished: Bool
      /// What it asked, wrote and led to.
      public var entries: [Entry]

      /// The calls of models and tools among the entries.
      public var calls: [Call] {
        entries.compactMap { if case .call(let call) = $0 { call } else { nil } }
      }
      /// The questions to people among the entries.
      public var questions: [Question] {
        entries.compactMap { if case .question(let question) = $0 { question } else { nil } }
      }
    }

    /// Something that an operator did.
    @nonexhaustive
    public enum Entry: Sendable, Hashable {
      /// It called a model or a tool.
      case call(Call)
      /// It asked a person.
      case question(Question)
      /// It wrote to the state.
      case wrote([Write])
      /// It did not run.
      case skipped(reason: String)
      /// It was decided whether a tool is used, by a grant, an edit or a refusal.
      case permission(Permission)
      /// It looked up what is remembered, and left some of it out.
      case recalled(Recall)
      /// A route led somewhere else than onwards.
      case moved(Move)
      /// Something odd that did not stop the run.
      case warning(String)
      /// Something that a reader of the answer has to know.
      case notice(Notice)
    }

    /// The bounds of what is recalled, and what had no room. What was recalled is among what its operator wrote.
    public struct Recall: Sendable, Hashable, Codable {
      /// Something that fitted the question.
      public struct LeftOut: Sendable, Hashable, Codable {
        /// The number by which `rasa memory` knows it.
        public var id: Int64
        /// `turn`, `note` or `fact`.
        public var kind: String
        /// How it begins.
        public var text: String
        /// The bound that it would have exceeded: `items` or `tokens`.
        public var because: String
      }
      /// The most items that are recalled.
      public var mostItems: Int
      /// The most tokens of them, by an estimate.
      public var mostTokens: Int
      /// The tokens of those that were.
      public var tokens: Int
      /// What had no room.
      public var leftOut: [LeftOut]
    }

    /// What was decided about a use of a tool.
    public struct Permission: Sendable, Hashable {
      /// The tool.
      public var tool: String
      /// Whether it was not used.
      public var isRefused: Bool
      /// Who or what decided so.
      public var because: String
      /// The grant that allowed it, or that was given with it.
      public var grant: String?
    }

    /// A call of a model or a tool.
    public struct Call: Sendable, Hashable {
      /// What became of a call.
      @nonexhaustive
      public enum Outcome: Sendable, Hashable {
        /// It was made, and its outcome is not recorded.
        case open
        /// It was answered.
        case answered
        /// It failed.
        case failed(reason: String, message: String)
        /// It was given up, and nobody knows whether it was answered.
        case uncertain(decision: String)
        /// The answer of another run was reused.
        case reused(from: String)
      }

      /// Which of the operator's calls it is: `call`, `repair`, `review`, …; more may come.
      public var label: String
      /// Counts the attempts, from 1.
      public var attempt: Int
      /// The provider, `tool` for a tool.
      public var provider: String
      /// The model, or the name of the tool.
      public var model: String
      /// What became of it.
      public var outcome: Outcome
      /// Tokens of input.
      public var inputTokens: Int
      /// Tokens of output, reasoning included.
      public var outputTokens: Int
      /// What was paid; of an open call, what is held for it.
      public var cost: Dollars
      /// The answer, or as much of it as had arrived.
      public var text: String
      /// Whether the mock answered.
      public var isMock: Bool
      /// How the answer ended, such as `stop` or `length`; empty when it did not.
      public var finish: String
      /// `provider:model` that was named or asked first, where another one answered.
      public var insteadOf: String?
      /// What a tool was used with; `null` for a model.
      public var arguments: JSON
      /// Whether a tool said that it failed.
      public var isError: Bool
      /// The tools that the model wanted to have called, by the names that it knows them by.
      public var toolCalls: [String]
      /// When it was made, in milliseconds since 1970.
      public var askedAt: Int64
      /// When its outcome was there, in milliseconds since 1970.
      public var endedAt: Int64?
    }

    /// A question to a person.
    public struct Question: Sendable, Hashable {
      /// What was decided.
      public struct Answer: Sendable, Hashable {
        /// Who decided.
        public var by: String
        /// `approve`, `edit`, `reject`, `feedback` or `answer`.
        public var decision: String
        /// What was written with the decision.
        public var text: JSON
      }

      /// The ID of the question.
      public var approval: String
      /// The question; empty for one that was asked in another run.
      public var title: String
      /// The key of the state that was decided about.
      public var subject: String
      /// When it was asked, in milliseconds since 1970.
      public var askedAt: Int64
      /// Until when it can be answered, in milliseconds since 1970; nil for always.
      public var expiresAt: Int64?
      /// The answer; nil while it waits.
      public var answer: Answer?
      /// When it was answered, in milliseconds since 1970.
      public var answeredAt: Int64?
      /// Whether it was answered in the run that this one is a fork of.
      public var isInherited: Bool
    }

    /// A value that an operator wrote.
    public struct Write: Sendable, Hashable, Codable {
      /// The key, such as `critique.verdict`.
      public var path: String
      /// The value.
      public var value: JSON
    }

    /// A route that led somewhere else than onwards.
    public struct Move: Sendable, Hashable, Codable {
      /// The operator or frame that it led from.
      public var from: String
      /// The operator or frame that it led to.
      public var to: String
      /// The rule, or what was decided.
      public var reason: String
    }

    /// Something that happened to the whole run.
    public struct Incident: Sendable, Hashable {
      /// What happened.
      @nonexhaustive
      public enum Kind: Sendable, Hashable {
        /// The run waits for these answers.
        case parked(waitsFor: [String])
        /// Somebody stopped it.
        case interrupted
        /// Somebody resumed it.
        case resumed(by: String)
        /// A fork set these keys at its beginning.
        case changed(keys: [String])
        /// Something odd that did not stop the run.
        case warning(String)
        /// A route led somewhere else than onwards.
        case moved(Move)
      }
      /// What happened.
      public var kind: Kind
      /// When, in milliseconds since 1970.
      public var time: Int64
    }

    /// What the calls of a run come to.
    public struct Totals: Sendable, Hashable, Codable {
      /// Calls of models that were answered.
      public var answered: Int
      /// Uses of tools that came to an end.
      public var tools: Int
      /// Calls that failed.
      public var failed: Int
      /// Calls that were given up, and of which nobody knows whether they were answered.
      public var uncertain: Int
      /// Answers of another run that were reused.
      public var reused: Int
      /// Calls whose outcome is not recorded.
      public var open: Int
      /// Tokens of input.
      public var inputTokens: Int
      /// Tokens of output, reasoning included.
      public var outputTokens: Int
      /// Whether all tokens are as providers reported them. Otherwise some are estimated.
      public var isReported: Bool
      /// What was paid.
      public var spent: Dollars
      /// What is held for open calls.
      public var held: Dollars
    }

    /// The questions that wait for an answer.
    public var openQuestions: [Question] {
      items.flatMap { item -> [Question] in
        guard case .visit(let visit) = item else { return [] }
        return visit.passes.flatMap(\.questions).filter { $0.answer == nil }
      }
    }
  }

  /// The run as a person reads it.
  ///
  /// - Throws: A `RasaError` of code `usage` when there is no such run. A damaged journal is no error:
  ///   what could be read is returned, and `damage` says why the rest could not.
  public func timeline(ofRun id: String) async throws(RasaError) -> Timeline {
    try await redacted {
      Timeline(try await archive.account(of: try await archive.find(id)))
    }
  }
}

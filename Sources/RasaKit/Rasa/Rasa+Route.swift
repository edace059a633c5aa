extension Rasa {
  /// What is asked for of a choice of agent and model.
  public struct RouteOptions: Sendable, Hashable {
    /// What a usual answer may be expected to cost at most. What has no known price is left out then.
    public var maxCost: Dollars?
    /// How many seconds an answer may be expected to take at most.
    public var maxSeconds: Double?
    /// Whether agents and models of which little is known are tried; else the best so far is chosen.
    public var explores = true
    /// The same seed makes the same choice from the same history: from 0 to 2⁵³ − 1. Nil draws one.
    public var seed: UInt64?
    /// A file with another policy than the usual one.
    public var policyFile: String?
    /// What kind of agent and model is wanted; nil leaves it to the task and the agents.
    public var profile: Profile?
    /// Allows models that are used only when they are asked for.
    public var allowsPremium = false
    /// Asked instead of everything that agents recommend: `model` or `provider:model`.
    public var model: String?
    /// Who asks; nil is the account's name.
    public var user: String?

    /// Any agent and model, at any price.
    public init() {}
  }

  /// A choice of an agent and a model for a task, and what it rests on.
  public struct Route: Sendable, Hashable {
    /// An agent with a model that it may ask.
    public struct Candidate: Sendable, Hashable {
      /// The agent's ID.
      public var agent: String
      /// The model, as `provider:model`; empty where it is found only when the run begins.
      public var model: String
      /// How well the agent fits the task, from 0 to 100.
      public var relevance: Double
      /// The share of its runs on tasks of this category that succeeded; nil without such runs.
      public var success: Leaderboard.Figure?
      /// How many of its runs on tasks of this category succeeded.
      public var succeeded: Int
      /// Its runs on other tasks.
      public var otherRuns: Int
      /// How many of these succeeded.
      public var otherSucceeded: Int
      /// The rate of success that is expected, from its runs and its description, from 0 to 1.
      public var expectedSuccess: Double
      /// The part of its places for runs at the same time that is taken, from 0.
      public var load: Double
      /// What an answer is expected to cost; nil where nobody knows.
      public var cost: Dollars?
      /// How many seconds it is expected to take; nil where no run tells.
      public var seconds: Double?
      /// What cost and time take off its score.
      public var penalty: Double
      /// What it is compared by.
      public var score: Double
      /// How likely it was to be chosen, from 0 to 1.
      public var probability: Double
      /// Why it cannot be chosen; nil where it can.
      public var exclusion: String?
    }

    /// An agent that was not considered.
    public struct Other: Sendable, Hashable {
      /// The agent's ID.
      public var agent: String
      /// Why not.
      public var reason: String
    }

    /// What the decision is kept as; nil where nothing is kept, because learning is turned off.
    public var id: String?
    /// The kind of task.
    public var category: String
    /// How hard the task is, from 1 to 5.
    public var complexity: Int
    /// What draws the same choice again, from the same history.
    public var seed: UInt64
    /// Whether another one was likelier to be the best: this one was chosen to learn how it does.
    public var isExplored: Bool
    /// Whether the choice rests on how runs went. Else on recommendation alone.
    public var learns: Bool
    /// The chosen one.
    public var chosen: Candidate
    /// Everything that was considered, the chosen one included: the likeliest first, excluded ones last.
    public var candidates: [Candidate]
    /// Agents that could do the task and were not considered.
    public var others: [Other]
    /// What the choice rests on, as one clause.
    public var reason: String
    /// The options of `rasa run` that run the choice, without the task.
    public var runOptions: [String]
  }

  /// Another policy of choosing, judged on the decisions that were made.
  public struct RouteReplay: Sendable, Hashable {
    /// A figure, and where it lies with 95 % confidence.
    public struct Estimate: Sendable, Hashable {
      /// The figure.
      public var value: Double
      /// The lower end.
      public var low: Double
      /// The upper end.
      public var high: Double
    }

    /// One quantity. Estimates are nil where the decisions cannot tell.
    public struct Measure: Sendable, Hashable {
      /// How many decisions it rests on.
      public var decisions: Int
      /// The mean of what was chosen.
      public var logged: Double
      /// The mean under the other policy, by inverse propensity.
      public var inversePropensity: Estimate?
      /// The mean under the other policy, doubly robust.
      public var doublyRobust: Estimate?
      /// The doubly robust mean less what was logged.
      public var difference: Estimate?
      /// Whether the two differ for all that is known; nil where the decisions cannot tell.
      public var isDifferent: Bool?
    }

    /// Decisions that were looked at.
    public var stored: Int
    /// Those of them that led to a run of which it is known whether it succeeded.
    public var decisions: Int
    /// How many decisions of the other policy's own these are worth.
    public var effectiveDecisions: Double
    /// The share of the other policy's choices that had no chance of being made.
    public var uncovered: Double
    /// The share of successes, from 0 to 1; nil without decisions.
    public var success: Measure?
    /// Dollars for a run; nil where no cost is known.
    public var cost: Measure?
    /// Seconds for a run; nil without decisions.
    public var seconds: Measure?
    /// Why nothing is claimed; empty where something is.
    public var doubts: [String]
  }
}

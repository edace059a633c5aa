import RasaCore

/// A task for which an agent and a model are to be chosen.
package struct RoutingTask: Sendable, Hashable {
  package var text: String
  package var category: String
  /// From 1 to 5.
  package var complexity: Int
  /// Dollars that the answer may be expected to cost at most.
  package var maxCost: Double?
  /// Seconds that it may be expected to take at most.
  package var maxSeconds: Double?
  /// The same seed makes the same choice among the same arms.
  package var seed: UInt64

  package init(
    text: String, category: String, complexity: Int = 3, maxCost: Double? = nil,
    maxSeconds: Double? = nil, seed: UInt64
  ) {
    self.text = text
    self.category = category
    self.complexity = min(5, max(1, complexity))
    self.maxCost = maxCost
    self.maxSeconds = maxSeconds
    self.seed = seed
  }
}

/// The mean of numbers, some of which may be unknown.
package struct RunningMean: Sendable, Hashable {
  package var count: Int
  package var total: Double

  package init(count: Int = 0, total: Double = 0) {
    self.count = count
    self.total = total
  }

  /// Nil where nothing is known.
  package var value: Double? { count > 0 ? total / Double(count) : nil }

  package mutating func add(_ number: Double?) {
    guard let number, number.isFinite else { return }
    count += 1
    total += number
  }

  package static func + (left: RunningMean, right: RunningMean) -> RunningMean {
    RunningMean(count: left.count + right.count, total: left.total + right.total)
  }
}

/// How a run ended, as far as it is known.
package struct RoutingOutcome: Sendable, Hashable {
  package var succeeded: Bool
  package var score: Double?
  /// In dollars.
  package var cost: Double?
  package var seconds: Double?
  /// Seconds until the first token.
  package var firstToken: Double?

  package init(
    succeeded: Bool, score: Double? = nil, cost: Double? = nil, seconds: Double? = nil,
    firstToken: Double? = nil
  ) {
    self.succeeded = succeeded
    self.score = score
    self.cost = cost
    self.seconds = seconds
    self.firstToken = firstToken
  }
}

/// How runs have ended so far.
package struct RoutingTally: Sendable, Hashable {
  /// Those of which it is known whether they succeeded.
  package var runs = 0
  package var succeeded = 0
  package var score = RunningMean()
  package var cost = RunningMean()
  package var seconds = RunningMean()
  package var firstToken = RunningMean()

  package init() {}

  package mutating func add(_ outcome: RoutingOutcome) {
    runs += 1
    if outcome.succeeded { succeeded += 1 }
    score.add(outcome.score)
    cost.add(outcome.cost)
    seconds.add(outcome.seconds)
    firstToken.add(outcome.firstToken)
  }

  package mutating func add(_ other: RoutingTally) {
    runs += other.runs
    succeeded += other.succeeded
    score = score + other.score
    cost = cost + other.cost
    seconds = seconds + other.seconds
    firstToken = firstToken + other.firstToken
  }
}

/// An agent with a model: one of the choices.
package struct RoutingArm: Sendable, Hashable {
  package var agent: String
  package var model: String
  /// How well the agent's description fits the task, from 0 to 100.
  package var relevance: Double?
  /// The part of its places for tasks at the same time that is taken.
  package var load: Double
  /// What an answer is expected to cost by the model's prices, in dollars.
  package var price: Double?
  /// Its runs on tasks of this category.
  package var inCategory: RoutingTally
  /// All its runs, these included.
  package var overall: RoutingTally

  package init(
    agent: String, model: String, relevance: Double? = nil, load: Double = 0, price: Double? = nil,
    inCategory: RoutingTally = RoutingTally(), overall: RoutingTally = RoutingTally()
  ) {
    self.agent = agent
    self.model = model
    self.relevance = relevance
    self.load = load
    self.price = price
    self.inCategory = inCategory
    self.overall = overall
  }
}

import RasaCore
import RasaEngine
import RasaLearning
import RasaPersona

extension Rasa {
  /// How one run went, and the points that it earned.
  public struct RunReport: Sendable, Hashable, Codable {
    /// A term of the reward.
    public struct Term: Sendable, Hashable, Codable {
      /// What it is for: `completion`, `quality`, `speed`, `efficiency`, `satisfaction`, `peers`; penalties are
      /// `failure`, `cost`, `time`, `rating`.
      public var name: String
      /// Negative for a penalty.
      public var points: Double
      /// How it comes about.
      public var reason: String
    }

    /// What a model said of the answer.
    public struct Evaluation: Sendable, Hashable, Codable {
      /// `judge` or `peer`.
      public var kind: String
      /// The judge or the peer.
      public var name: String
      /// Who answered, as `provider:model`.
      public var model: String
      /// From 0 to 1; nil where the answer could not be read as a judgement.
      public var score: Double?
      /// From 0 to 1, by criterion.
      public var criteria: [String: Double]
      /// What it said in words.
      public var feedback: String
      /// What it cost.
      public var cost: Dollars
    }

    /// A frame, operator, model or tool that the run used, once.
    public struct Node: Sendable, Hashable, Codable {
      /// `frame`, `operator`, `model` or `tool`.
      public var kind: String
      /// Its name; of a model `provider:model`.
      public var name: String
      /// How long it took.
      public var seconds: Double
      /// Tokens of input and output.
      public var tokens: Int64
      /// What it cost.
      public var cost: Dollars
      /// Why it failed, as a word; nil where it did not.
      public var error: String?
    }

    /// The run.
    public var run: String
    /// The persona or agent.
    public var agent: String
    /// Which kind of task it was: see `objectives()`.
    public var category: String
    /// From 1 to 5.
    public var complexity: Int
    /// `done`, `failed` or `cancelled`.
    public var status: String
    /// How it ended: `stop`, `length` where the end of the answer is missing, the kind of a failure.
    public var finish: String
    /// Who wrote the answer, as `provider:model`; empty where nobody did.
    public var model: String
    /// Whether the mock answered.
    public var isMock: Bool
    /// The temperature that was asked for; nil for the model's own.
    public var temperature: Double?
    /// Tokens of input.
    public var inputTokens: Int64
    /// Tokens of output.
    public var outputTokens: Int64
    /// What it cost, as far as prices are known.
    public var cost: Dollars
    /// Whether all prices are known.
    public var isCostKnown: Bool
    /// How long it worked, without waiting for people.
    public var seconds: Double
    /// From its start to the first text of its answer; nil where that is not known.
    public var firstTokenSeconds: Double?
    /// What judges found, from 0 to 1, by criterion: `accuracy`, `relevance`, `completeness`, `clarity`. What nobody
    /// judged is missing.
    public var criteria: [String: Double]
    /// From 0 to 1: how little it needed.
    public var efficiency: Double
    /// The score from 0 to 1; nil where nobody has judged the run.
    public var score: Double?
    /// What the score rests on: `judge`, `peers`, `stars`, `failure` or `none`.
    public var basis: String
    /// Whether it counts as a success; nil for one that was cancelled.
    public var isSuccess: Bool?
    /// Dollars for a whole point of the score; nil without a score or a known cost.
    public var costPerPoint: Double?
    /// The stars that the user gave.
    public var stars: Int?
    /// What the user said with them.
    public var comment: String
    /// The mean of the peers' scores.
    public var peers: Double?
    /// The points that it earned.
    public var reward: Int
    /// How these come about.
    public var terms: [Term]
    /// What it used, in order.
    public var nodes: [Node]
    /// What models said of the answer.
    public var evaluations: [Evaluation]
    /// When it ended, in milliseconds since 1970 in UTC.
    public var endedAt: Int64
  }

  /// How a run went: its score, and the reward term by term.
  ///
  /// - Parameter id: The run's ID, or the beginning of it.
  /// - Throws: A `RasaError` of code `usage` when there is no such run, and of code `run` when it has no record: it has
  ///   not ended, or is of an earlier version.
  public func report(ofRun id: String) async throws(RasaError) -> RunReport {
    try await redacted {
      let run = try await measuredRun(id)
      guard let stored = try await store.performance(of: run) else {
        throw Failure.unmeasured(run)
      }
      return RunReport(stored, try await store.evaluations(of: run))
    }
  }

  /// Gives a run stars, or takes them back.
  ///
  /// - Parameters:
  ///   - id: The run's ID, or the beginning of it; nil for the newest run that has ended.
  ///   - stars: From 1 to 5; nil takes back what was given before.
  ///   - comment: What is said with them.
  /// - Returns: How the run went, with the stars.
  @discardableResult
  public func rate(
    _ id: String?, stars: Int?, comment: String = ""
  ) async throws(RasaError) -> RunReport {
    try await redacted {
      if let stars, !(1...5).contains(stars) {
        throw Failure(
          .usage, "\(stars) stars are none that can be given", suggestion: "give 1 to 5")
      }
      let run: Identifier
      if let id {
        run = try await measuredRun(id)
      } else {
        guard let newest = try await store.records(of: nil, limit: 1).first else {
          throw Failure(
            .usage, "there is no run that could be rated", suggestion: "start one with `rasa run`")
        }
        run = newest.performance.run
      }
      let weights = try composition.weights()
      guard
        let stored = try await store.judge(
          run, .stars(stars, comment: comment, by: composition.user(nil)), weights: weights)
      else { throw Failure.unmeasured(run) }
      return RunReport(stored, try await store.evaluations(of: run))
    }
  }

  /// A record outlives its run.
  func measuredRun(_ id: String) async throws -> Identifier {
    if try await store.performance(of: Identifier(id)) != nil { return Identifier(id) }
    return try await archive.find(id).id
  }

  /// Works out all statistics anew from the records of runs.
  ///
  /// - Returns: How many records there are.
  public func rebuildStatistics() async throws(RasaError) -> Int {
    try await redacted { try await store.rebuildStatistics(weights: try composition.weights()) }
  }

  /// Counts what a persona or agent did as done by one of another name, because it was renamed.
  ///
  /// - Parameters:
  ///   - old: The name that its runs had.
  ///   - new: The name that it has now.
  /// - Returns: How many records there are of the old name.
  /// - Throws: A `RasaError` of code `usage` when there are none, or both names are the same.
  @discardableResult
  public func renameRecords(of old: String, to new: String) async throws(RasaError) -> Int {
    try await redacted {
      guard !new.isEmpty, old != new else {
        throw Failure(
          .usage, "`\(new)` is no other name", suggestion: "give the name that it has now")
      }
      let count = try await store.renameAgent(old, to: new)
      guard count > 0 else {
        let known = try await store.performance(PerformanceQuery(by: [.agent])).compactMap(
          \.keys.first)
        throw Failure(
          .usage, "there are no records of `\(old)`",
          suggestion: nearestName(to: old, among: known).map { "did you mean `\($0)`?" }
            ?? "`rasa leaderboard` lists whose there are")
      }
      return count
    }
  }

  /// A kind of task.
  public struct TaskCategory: Sendable, Hashable, Codable {
    /// Its name.
    public var name: String
    /// What such tasks ask for.
    public var description: String
    /// What makes an answer a good one.
    public var criteria: String
    /// Words by which such a task is recognised.
    public var words: [String]
    /// Agents that are known to do such tasks well.
    public var agents: [String]
    /// Whether it is of the user's own file.
    public var isUsers: Bool
  }

  /// The kinds of tasks: the user's own first.
  public func taskCategories() async throws(RasaError) -> [TaskCategory] {
    try await prepared { rasa throws(Failure) in
      try rasa.composition.objectives.objectives().map {
        TaskCategory(
          name: $0.category, description: $0.description, criteria: $0.criteria, words: $0.words,
          agents: $0.agents, isUsers: $0.isUsers)
      }
    }
  }

  /// Adds a kind of task to the user's `objectives.yaml`, which is made if it does not exist.
  ///
  /// - Parameters:
  ///   - name: Lower-case letters, digits, `-` and `_`.
  ///   - words: Words by which such a task is recognised; `tax*` stands for any ending.
  ///   - description: What such tasks ask for.
  ///   - criteria: What makes an answer a good one.
  /// - Returns: The path of the file.
  /// - Throws: A `RasaError` of code `usage` when the user has one of that name already.
  @discardableResult
  public func addTaskCategory(
    _ name: String, words: [String], description: String = "", criteria: String = ""
  ) async throws(RasaError) -> String {
    try await prepared { rasa throws(Failure) in
      try rasa.composition.objectives.add(
        name, words: words, description: description, criteria: criteria)
      return rasa.composition.objectives.path
    }
  }

  /// Which kind of task a text is, and which of its words say so.
  public func category(ofTask task: String) -> (name: String, words: [String]) {
    let found = composition.objectives.classify(task)
    return (found.category, found.signs)
  }
}

extension Failure {
  static func unmeasured(_ run: Identifier) -> Failure {
    Failure(
      .run, "there is no record of how \(run) went",
      suggestion: "a run gets one when it ends; those of earlier versions, and those with "
        + "`learning: {enabled: false}`, have none")
  }
}

extension Rasa.RunReport {
  init(_ stored: StoredPerformance, _ evaluations: [RunEvaluation]) {
    let run = stored.performance
    self.run = run.run.text
    agent = run.agent
    category = run.category
    complexity = run.complexity
    status = run.status.name
    finish = run.finish
    model = run.model
    isMock = run.isMock
    temperature = run.temperature
    inputTokens = run.inputTokens
    outputTokens = run.outputTokens
    cost = Rasa.Dollars(run.cost)
    isCostKnown = run.isCostKnown
    seconds = run.seconds
    firstTokenSeconds = run.firstTokenMilliseconds.map { Double($0) / 1000 }
    criteria = run.quality.named
    efficiency = run.efficiency
    score = stored.score.overall
    basis = stored.score.basis.name
    isSuccess = stored.score.isSuccess
    costPerPoint = stored.score.costPerPoint
    stars = run.stars
    comment = stored.comment
    peers = run.peers
    // Of the score that is stored: the weights may have changed since.
    let reward = run.reward(RewardWeights(), withScore: stored.score.overall)
    self.reward = reward.points
    terms = reward.terms.map { Term(name: $0.kind.rawValue, points: $0.points, reason: $0.reason) }
    nodes = run.nodes.map {
      Node(
        kind: $0.kind.name, name: $0.name, seconds: Double($0.milliseconds) / 1000,
        tokens: $0.tokens, cost: Rasa.Dollars($0.cost), error: $0.error)
    }
    self.evaluations = evaluations.map {
      Evaluation(
        kind: $0.kind == .judge ? "judge" : "peer", name: $0.name, model: $0.model,
        score: $0.overall, criteria: $0.criteria.named.merging($0.others) { own, _ in own },
        feedback: $0.feedback, cost: Rasa.Dollars($0.cost))
    }
    endedAt = run.endedAt.milliseconds
  }
}

extension Quality {
  var named: [String: Double] {
    var named: [String: Double] = [:]
    for criterion in Criterion.allCases { named[criterion.rawValue] = self[criterion] }
    return named
  }
}

package import RasaCore

/// A decision as it is stored: arms as rows of a table, because there may be a thousand. The user's words stand in
/// `task` alone.
extension RoutingDecision {
  private static let columns = [
    "agent", "model", "relevance", "load", "price", "in_category", "overall", "success", "trusted",
    "base", "availability", "cost", "seconds", "penalty", "score", "probability", "excluded",
  ]

  /// One cell for each column.
  private static func row(_ arm: RoutingArm, _ made: ArmAssessment) -> Value {
    .array([
      .string(arm.agent), .string(arm.model), number(arm.relevance), .double(arm.load),
      number(arm.price), value(of: arm.inCategory), value(of: arm.overall),
      .array([.double(made.success.alpha), .double(made.success.beta)]), .bool(made.isTrusted),
      .double(made.base), .double(made.availability), number(made.cost), number(made.seconds),
      .double(made.penalty), .double(made.score), .double(made.probability),
      value(of: made.exclusion),
    ])
  }

  package var value: Value {
    [
      "task": .string(task.text), "category": .string(task.category),
      "complexity": .int(Int64(task.complexity)), "max_cost": Self.number(task.maxCost),
      "max_seconds": Self.number(task.maxSeconds), "seed": .int(Int64(bitPattern: task.seed)),
      "policy": policy.value, "policy_digest": .string(policy.digest),
      "chosen": chosen.map { .int(Int64($0)) } ?? .null,
      "columns": .array(Self.columns.map { .string($0) }),
      "arms": .array(zip(arms, assessments).map { Self.row($0, $1) }),
    ]
  }

  /// Nil where something is missing, as of a decision of a later version.
  package init?(_ value: Value, time: Timestamp) {
    guard let category = value["category"].string, let seed = value["seed"].int,
      let policy = try? RoutingPolicy(value["policy"]), let names = value["columns"].array,
      let rows = value["arms"].array
    else { return nil }
    let places = Self.columns.map { column in names.firstIndex { $0.string == column } }
    var arms: [RoutingArm] = []
    var assessments: [ArmAssessment] = []
    for row in rows {
      guard let cells = row.array, cells.count == names.count else { return nil }
      var column = 0
      func next() -> Value {
        defer { column += 1 }
        return places[column].map { cells[$0] } ?? .null
      }
      arms.append(
        RoutingArm(
          agent: next().string ?? "", model: next().string ?? "", relevance: next().double,
          load: next().double ?? 0, price: next().double, inCategory: Self.tally(next()),
          overall: Self.tally(next())))
      let success = next().array ?? []
      assessments.append(
        ArmAssessment(
          success: BetaDistribution(
            alpha: success.first?.double ?? 0, beta: success.last?.double ?? 0),
          isTrusted: next().bool ?? false, base: next().double ?? 0,
          availability: next().double ?? 0, cost: next().double, seconds: next().double,
          penalty: next().double ?? 0))
      // The score follows from its parts.
      _ = next()
      assessments[assessments.count - 1].probability = next().double ?? 0
      assessments[assessments.count - 1].exclusion = Self.exclusion(next())
    }
    let chosen = value["chosen"].int.map { Int(clamping: $0) }
    if let chosen, !arms.indices.contains(chosen) { return nil }
    self.init(
      task: RoutingTask(
        text: value["task"].string ?? "", category: category,
        complexity: value["complexity"].int.map { Int(clamping: $0) } ?? 3,
        maxCost: value["max_cost"].double, maxSeconds: value["max_seconds"].double,
        seed: UInt64(bitPattern: seed)),
      arms: arms, assessments: assessments, chosen: chosen, policy: policy, time: time)
  }

  private static func number(_ number: Double?) -> Value { number.map { .double($0) } ?? .null }

  /// Runs, successes, and the means that choices rest on, with how many runs each is of.
  private static func value(of tally: RoutingTally) -> Value {
    .array([
      .int(Int64(tally.runs)), .int(Int64(tally.succeeded)), .int(Int64(tally.cost.count)),
      .double(tally.cost.total), .int(Int64(tally.seconds.count)), .double(tally.seconds.total),
    ])
  }

  private static func tally(_ value: Value) -> RoutingTally {
    var tally = RoutingTally()
    guard let parts = value.array, parts.count == 6 else { return tally }
    func count(_ index: Int) -> Int { Int(clamping: max(0, parts[index].int ?? 0)) }
    tally.runs = count(0)
    tally.succeeded = count(1)
    tally.cost = RunningMean(count: count(2), total: parts[3].double ?? 0)
    tally.seconds = RunningMean(count: count(4), total: parts[5].double ?? 0)
    return tally
  }

  private static func value(of exclusion: ArmAssessment.Exclusion?) -> Value {
    switch exclusion {
    case nil: .null
    case .busy: "busy"
    case .unknownCost: "unknown_cost"
    case .tooExpensive(let expected, let limit):
      .array(["too_expensive", .double(expected), .double(limit)])
    case .tooSlow(let expected, let limit):
      .array(["too_slow", .double(expected), .double(limit)])
    }
  }

  private static func exclusion(_ value: Value) -> ArmAssessment.Exclusion? {
    switch value.string {
    case "busy": return .busy
    case "unknown_cost": return .unknownCost
    default: break
    }
    guard let parts = value.array, parts.count == 3, let expected = parts[1].double,
      let limit = parts[2].double
    else { return nil }
    return parts[0] == "too_slow"
      ? .tooSlow(expected: expected, limit: limit) : .tooExpensive(expected: expected, limit: limit)
  }
}

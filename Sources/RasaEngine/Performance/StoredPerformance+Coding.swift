package import RasaCore
package import RasaLearning

/// Records of how runs went, as files have them: one JSON object for each.
extension StoredPerformance {
  package var value: Value {
    let run = performance
    func share(_ value: Double?) -> Value { value.map { .double($0) } ?? .null }
    var criteria = ValueObject()
    for criterion in Quality.Criterion.allCases where run.quality[criterion] != nil {
      criteria[criterion.rawValue] = share(run.quality[criterion])
    }
    return [
      "run": .string(run.run.text), "agent": .string(run.agent),
      "user": run.user.map { .string($0) } ?? .null, "category": .string(run.category),
      "complexity": .int(Int64(run.complexity)), "status": .string(run.status.name),
      "finish": .string(run.finish), "model": .string(run.model), "is_mock": .bool(run.isMock),
      "temperature": share(run.temperature), "input_tokens": .int(run.inputTokens),
      "output_tokens": .int(run.outputTokens), "cost_usd": .string(run.cost.decimalText),
      "is_cost_known": .bool(run.isCostKnown), "duration_ms": .int(run.milliseconds),
      "first_token_ms": run.firstTokenMilliseconds.map { .int($0) } ?? .null,
      "day": .string(run.day.description), "ended_at_ms": .int(run.endedAt.milliseconds),
      "criteria": .object(criteria), "peers": share(run.peers),
      "stars": run.stars.map { .int(Int64($0)) } ?? .null, "comment": .string(comment),
      "weights": .string(run.weights),
      "nodes": .array(
        run.nodes.map { node in
          [
            "kind": .string(node.kind.name), "name": .string(node.name),
            "duration_ms": .int(node.milliseconds), "tokens": .int(node.tokens),
            "cost_usd": .string(node.cost.decimalText),
            "error": node.error.map { .string($0) } ?? .null,
          ]
        }),
    ]
  }

  /// - Parameter weights: the set of that name, with which the run is scored.
  package init(_ value: Value, weights: (String) -> ScoringWeights) throws(Failure) {
    guard let object = value.object else { throw Self.wrong("it is no JSON object") }
    func text(_ key: String, _ otherwise: String? = nil) throws(Failure) -> String {
      if let text = object[key]?.string { return text }
      if (object[key] ?? .null).isNull, let otherwise { return otherwise }
      throw Self.wrong("`\(key)` is not a text")
    }
    func count(_ key: String) throws(Failure) -> Int64? {
      let found = object[key] ?? .null
      if found.isNull { return nil }
      guard let number = found.int, number >= 0 else {
        throw Self.wrong("`\(key)` is not a number from 0")
      }
      return number
    }
    func share(_ key: String, in value: Value) throws(Failure) -> Double? {
      if value[key].isNull { return nil }
      guard let number = value[key].double ?? value[key].int.map(Double.init),
        (0...1).contains(number)
      else { throw Self.wrong("`\(key)` is not a number from 0 to 1") }
      return number.inTenThousandths
    }
    func money(_ value: Value) throws(Failure) -> Money {
      if value.isNull { return .zero }
      guard let money = value.string.flatMap({ Money(decimal: $0) }), money >= .zero else {
        throw Self.wrong("`cost_usd` is not an amount as text, such as \"0.012\"")
      }
      return money
    }
    let status = try text("status")
    guard let status = RunPerformance.Status.allCases.first(where: { $0.name == status }) else {
      throw Self.wrong("`status` is none of done, failed and cancelled")
    }
    guard let day = LocalDay(try text("day")) else {
      throw Self.wrong("`day` is not a day such as 2026-01-31")
    }
    let (id, agent) = (try text("run"), try text("agent"))
    guard !id.isEmpty, !agent.isEmpty else { throw Self.wrong("`run` or `agent` is empty") }
    let ended = try count("ended_at_ms") ?? day.ordinal * 86_400_000
    let user = try text("user", "")
    var run = RunPerformance(
      run: Identifier(id), agent: agent, user: user.isEmpty ? nil : user,
      category: try text("category", ObjectiveClassifier.unknown),
      complexity: Int(min(max(try count("complexity") ?? 2, 1), 5)), status: status,
      finish: try text("finish", status == .done ? "stop" : status.name), day: day,
      endedAt: Timestamp(milliseconds: ended))
    run.model = try text("model", "")
    run.isMock = object["is_mock"]?.bool ?? false
    run.temperature = object["temperature"]?.double
    run.inputTokens = try count("input_tokens") ?? 0
    run.outputTokens = try count("output_tokens") ?? 0
    run.cost = try money(object["cost_usd"] ?? .null)
    run.isCostKnown = object["is_cost_known"]?.bool ?? true
    run.milliseconds = try count("duration_ms") ?? 0
    run.firstTokenMilliseconds = try count("first_token_ms")
    var criteria: [Quality.Criterion: Double] = [:]
    for criterion in Quality.Criterion.allCases {
      criteria[criterion] = try share(criterion.rawValue, in: object["criteria"] ?? .null)
    }
    run.quality = Quality(criteria)
    run.peers = try share("peers", in: value)
    if let stars = try count("stars") {
      guard (1...5).contains(stars) else { throw Self.wrong("`stars` is not from 1 to 5") }
      run.stars = Int(stars)
    }
    run.weights = try text("weights", ScoringWeights.standardName)
    for node in object["nodes"]?.array ?? [] {
      guard let kind = NodeUse.Kind.allCases.first(where: { $0.name == node["kind"].string }),
        let name = node["name"].string
      else { throw Self.wrong("one of `nodes` has no kind or name") }
      var use = NodeUse(kind, name)
      use.milliseconds = max(0, node["duration_ms"].int ?? 0)
      use.tokens = max(0, node["tokens"].int ?? 0)
      use.cost = try money(node["cost_usd"])
      use.error = node["error"].string
      run.nodes.append(use)
    }
    self.init(
      performance: run, score: run.score(weights(run.weights)), comment: try text("comment", ""))
  }

  private static func wrong(_ message: String) -> Failure {
    Failure(.configuration, "this is no record of a run: \(message)")
  }
}

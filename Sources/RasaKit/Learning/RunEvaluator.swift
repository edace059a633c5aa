import RasaCore
import RasaEngine
import RasaLearning
import RasaModels
import RasaPersona
import RasaStore

/// A run whose answer is to be judged.
struct JudgedRun: Sendable {
  var run: Identifier
  var start: RunStart
  var output: Value
  var performance: RunPerformance

  /// Of a longer text the middle is left out.
  private static let mostBytes = 48_000

  /// What is shown to a judge: one JSON text, so that nothing in it ends its quotes.
  func material(_ objective: Objective?) -> String {
    var material = task(objective)
    material["answer"] = .string(Self.shortened(output.promptText))
    return Value.object(material).json(.compact)
  }

  func task(_ objective: Objective?) -> ValueObject {
    var material: ValueObject = ["task": .string(Self.shortened(start.input))]
    if !start.preferences.isEmpty { material["preferences"] = .object(start.preferences) }
    if !start.attachments.isEmpty {
      material["files_you_do_not_see"] = .array(start.attachments.map { .string($0.name) })
    }
    if start.session != nil {
      material["note"] =
        "The task is a part of a conversation, whose earlier turns you do not see and which may explain it."
    }
    if let objective, !objective.criteria.isEmpty {
      material["good_answers_to_such_tasks"] = .string(objective.criteria)
    }
    return material
  }

  static func shortened(_ text: String) -> String {
    let bytes = Array(text.utf8)
    guard bytes.count > mostBytes else { return text }
    // Not in the middle of a character.
    func isStart(_ place: Int) -> Bool { bytes[place] & 0xC0 != 0x80 }
    var head = mostBytes * 3 / 4
    while head > 0, !isStart(head) { head -= 1 }
    var tail = bytes.count - mostBytes / 4
    while tail < bytes.count, !isStart(tail) { tail += 1 }
    let first = String(decoding: bytes[..<head], as: UTF8.self)
    let last = String(decoding: bytes[tail...], as: UTF8.self)
    return "\(first)\n[\(tail - head) bytes are left out here]\n\(last)"
  }
}

/// Asks somebody how good the answer of a run was, and keeps what was said.
struct RunEvaluator: Sendable {
  let services: RunServices
  let settings: EvaluationSettings
  let warn: @Sendable (Warning) -> Void

  enum Outcome: Sendable {
    case kept(Judgement, StoredPerformance, by: Identifier)
    /// What was said could not be read.
    case unreadable(cost: Money)
    /// It will never be made, and is off the list.
    case impossible(String)
    /// Another process is at it.
    case atWork
    /// It is still to be made.
    case failed(Failure, cost: Money)
  }

  /// - Parameters:
  ///   - isAnew: whether it is asked for once more where it has been made.
  ///   - most: what it may cost; nil for what its limits allow.
  func evaluate(
    _ run: Identifier, by name: String, isAnew: Bool, most: Money?
  ) async throws -> Outcome {
    let store = services.store
    guard let judged = try await judged(run) else {
      try await store.endEvaluation(of: run, name)
      return .impossible("it has no answer, or was deleted")
    }
    guard !judged.performance.isMock else {
      try await store.endEvaluation(of: run, name)
      return .impossible("the mock wrote its answer")
    }
    let evaluator = try Evaluator(named: name, settings, services.composition)
    let known = try await store.evaluations(of: run).contains { $0.name == name }
    let id = Identifier.ofEvaluation(name, of: run)
    var answer: OwnAnswer?
    if let listing = try await store.run(id.text) {
      guard !listing.isAlive else { return .atWork }
      if listing.record.status == .done, !(known && isAnew) {
        answer = try await kept(listing)
      } else {
        // Of one question there is nothing to go on with.
        _ = try await store.deleteRuns([id])
      }
    }
    if answer == nil {
      let plan = plan(judged, evaluator, most)
      var start = services.start(evaluator.graph, plan)
      start.run = id
      answer = try await services.answer(evaluator.graph, plan, start, onWarning: warn)
    }
    guard let answer else { return .atWork }
    return try await conclude(answer, judged, evaluator, id)
  }

  /// What it would cost at most; nil if that is not known.
  func price(of run: Identifier, by name: String) async throws -> (model: String, cost: Money?)? {
    guard let judged = try await judged(run), !judged.performance.isMock else { return nil }
    let evaluator = try Evaluator(named: name, settings, services.composition)
    let priced = try await services.rehearse(
      evaluator.graph, plan(judged, evaluator, nil), explains: false, onWarning: { _ in })
    guard let first = priced.calls.first?.estimate else { return nil }
    return (
      "\(first.provider):\(first.model)",
      priced.isComplete && priced.isBounded ? priced.total : nil
    )
  }

  func judged(_ run: Identifier) async throws -> JudgedRun? {
    guard let stored = try await services.store.performance(of: run),
      try await services.store.run(run.text) != nil
    else { return nil }
    let timeline = RunTimeline(try await services.store.entries(of: run))
    guard let start = timeline.start, case .finished(let output) = timeline.end,
      output.promptText.utf8.contains(where: { $0 > 0x20 })
    else { return nil }
    return JudgedRun(
      run: run, start: start, output: output, performance: stored.performance)
  }

  private func plan(_ judged: JudgedRun, _ evaluator: Evaluator, _ most: Money?) -> RunPlan {
    let objective = try? services.composition.objectives.objectives().first {
      $0.category == judged.performance.category
    }
    var plan = RunPlan(input: judged.material(evaluator.kind == .classifier ? nil : objective))
    // What is forgotten of the user is forgotten of this, too.
    plan.user = judged.start.user
    plan.isEvaluation = true
    plan.gate.maxCost = most
    if evaluator.kind != .peer { plan.gate.model = settings.model }
    if evaluator.kind != .classifier, !settings.allowsSameModel {
      plan.gate.avoided = Set([judged.performance.modelName].filter { !$0.isEmpty })
    }
    return plan
  }

  /// What a process has been told that died before it could keep it.
  private func kept(_ listing: RunListing) async throws -> OwnAnswer? {
    let entries = try await services.store.entries(of: listing.record.id)
    let timeline = RunTimeline(entries)
    guard case .finished(let output) = timeline.end else { return nil }
    let writers = timeline.calls.filter { !$0.isTool && !$0.isHook && !$0.model.isEmpty }
    return OwnAnswer(
      output: output, cost: listing.cost,
      answeredBy: writers.map { "\($0.provider):\($0.model)" },
      usedMock: writers.contains { $0.isMock })
  }

  private func conclude(
    _ answer: OwnAnswer, _ judged: JudgedRun, _ evaluator: Evaluator, _ id: Identifier
  ) async throws -> Outcome {
    let store = services.store
    if let failure = answer.failure { return .failed(failure, cost: answer.cost) }
    guard !answer.usedMock else {
      _ = try await store.deleteRuns([id])
      return .failed(
        Failure(
          .configuration, "the mock cannot judge answers",
          suggestion: "set the key of a provider, and no LLM_PROVIDER=mock"), cost: answer.cost)
    }
    if evaluator.kind != .classifier, !settings.allowsSameModel,
      answer.answeredBy.contains(judged.performance.model)
    {
      // A server chose its model itself.
      try await store.endEvaluation(of: judged.run, evaluator.name)
      return .impossible("\(judged.performance.model) wrote the answer, and would judge itself")
    }
    guard let judgement = evaluator.judgement(answer, at: services.composition.time.now()) else {
      try await store.endEvaluation(of: judged.run, evaluator.name)
      return .unreadable(cost: answer.cost)
    }
    let stored = try await store.judge(
      judged.run, judgement, weights: try services.composition.weights())
    guard let stored, try await store.run(judged.run.text) != nil else {
      // The run was deleted meanwhile, and this holds its task and its answer.
      _ = try await store.deleteRuns([id])
      return .impossible("it was deleted meanwhile")
    }
    return .kept(judgement, stored, by: id)
  }
}

extension RunPerformance {
  /// Of its model, without the provider.
  var modelName: String {
    model.firstIndex(of: ":").map { String(model[model.index(after: $0)...]) } ?? model
  }
}

import RasaCore
import RasaEngine
import RasaModels
import RasaSystem

extension PreparedEvaluation {
  /// Makes the trials, a few at once, and writes each down when it ends: what was done is reused next time, however
  /// this ends.
  ///
  /// - Parameter onTrial: is told how many trials have ended, of how many.
  package func run(
    _ rasa: Rasa, against baseline: String? = nil,
    onTrial: @escaping @Sendable (_ done: Int, _ all: Int) -> Void
  ) async throws(RasaError) -> EvaluationReport {
    try await rasa.redacted {
      let before = try baseline.map { name throws(Failure) in
        try EvaluationHistory.lines(of: Self.file(of: name, in: options.folder))
      }
      try FileSystem.makeFolder(options.folder)
      let id = rasa.composition.newIdentifier("e").text
      var file = FileSystem.path("\(id).jsonl", in: options.folder)
      var warnings: [String] = []
      var tests: [Rasa.RecordingTest] = []
      for recording in recordings { tests.append(try await rasa.test(recording)) }
      var trials = units.map(\.trial)
      var purse = Purse(left: options.maxCost)
      var spent = Money.zero
      try await withThrowingTaskGroup(of: (Int, Money, EvaluationTrial, [String]).self) { group in
        var (inFlight, done) = (0, 0)
        func take(_ ended: (Int, Money, EvaluationTrial, [String])) throws(Failure) {
          let (index, held, trial, notes) = ended
          inFlight -= 1
          done += 1
          let cost = trial.judgeCost + (trial.isReused ? .zero : trial.answer?.cost ?? .zero)
          spent += cost
          purse.giveBack(held - cost)
          trials[index] = trial
          for note in notes where !warnings.contains(note) { warnings.append(note) }
          try FileSystem.append(Array((trial.value.json(.compact) + "\n").utf8), to: file)
          onTrial(done, units.count)
        }
        for (index, unit) in units.enumerated() {
          // A trial gets all that it may need, or what is left once no other can give anything back.
          while inFlight > 0, inFlight >= options.jobs || !purse.covers(unit.most),
            let ended = try await group.next()
          { try take(ended) }
          let isFree = unit.earlier != nil && !unit.asksJudges(options)
          guard let held = isFree ? .zero : purse.take(unit.most) else {
            trials[index].notRunBecause = "the evaluation's limit of cost was reached"
            done += 1
            continue
          }
          inFlight += 1
          let limit = options.maxCost == nil || isFree ? nil : held
          group.addTask {
            let (trial, notes) = try await self.make(unit, limit, rasa)
            return (index, held, trial, notes)
          }
        }
        while let ended = try await group.next() { try take(ended) }
      }
      if let name = options.name {
        let kept = FileSystem.path("\(name).jsonl", in: options.folder)
        let lines = trials.map { $0.value.json(.compact) + "\n" }.joined()
        try FileSystem.write(lines, to: kept)
        try FileSystem.removeFile(file)
        file = kept
      }
      let groups = groups(of: trials)
      return EvaluationReport(
        id: id, file: file, plan: plan, groups: groups, recordings: tests, spent: spent,
        warnings: plan.warnings + warnings,
        comparison: before.map {
          EvaluationComparison(
            groups, baseline: baseline ?? "", $0, tolerance: options.tolerance)
        })
    }
  }

  private static func file(of name: String, in folder: String) throws(Failure) -> String {
    for path in [name, FileSystem.path("\(name).jsonl", in: folder)]
    where FileSystem.kind(of: path) == .file { return path }
    throw Failure(
      .usage, "there are no results \(name)",
      suggestion: "give a results file, or the `--name` of an evaluation in \(folder)")
  }

  private func groups(of trials: [EvaluationTrial]) -> [EvaluationGroup] {
    var groups: [EvaluationGroup] = []
    for (unit, trial) in zip(units, trials) {
      if let last = groups.last, last.name == trial.name, last.model == trial.model {
        groups[groups.count - 1].trials.append(trial)
      } else {
        groups.append(
          EvaluationGroup(
            name: trial.name, file: trial.file, subject: trial.subject, model: trial.model,
            tolerance: unit.tolerance, trials: [trial]))
      }
    }
    return groups
  }

  // MARK: One trial

  private func make(
    _ unit: EvaluationUnit, _ limit: Money?, _ rasa: Rasa
  ) async throws -> (EvaluationTrial, [String]) {
    var trial = unit.trial
    var notes: [String] = []
    var left = limit
    let answer: EvaluatedAnswer
    if let earlier = unit.earlier, let kept = EvaluatedAnswer(earlier) {
      answer = kept
      trial.isReused = true
      for (digest, judgement) in earlier["judgements"].object ?? ValueObject() {
        trial.judgements[digest] = judgement
      }
    } else {
      switch try await ask(unit, limit, rasa) {
      case .answer(let given): answer = given
      case .overBudget(let given, let reason):
        trial.answer = nil
        trial.judgeCost = given.cost
        trial.notRunBecause = reason
        return (trial, notes)
      }
      left = left.map { $0 - answer.cost }
    }
    trial.answer = answer
    guard answer.failure == nil else { return (trial, notes) }
    for expectation in unit.evaluated.expectations {
      if let result = expectation.check(answer, input: unit.evaluated.input) {
        trial.results.append(result)
      } else if case .judge(let criterion) = expectation.kind {
        let result = try await judged(
          expectation, criterion, unit, &trial, &left, &notes, rasa)
        trial.results.append(result)
      }
    }
    return (trial, notes)
  }

  private enum Asked {
    case answer(EvaluatedAnswer)
    case overBudget(EvaluatedAnswer, String)
  }

  private func ask(_ unit: EvaluationUnit, _ limit: Money?, _ rasa: Rasa) async throws -> Asked {
    var options = unit.options
    options.maxCost = limit.map { Rasa.Dollars($0) }
    let begin = rasa.composition.time.monotonic()
    func seconds() -> Double { Double(rasa.composition.time.monotonic() &- begin) / 1e9 }
    let ready = try unit.runnable.ready(unit.evaluated.input, options: options)
    do {
      let result = try await ready.run(Rasa.Observer { _ in })
      var answer = EvaluatedAnswer(
        run: result.run, output: result.output.value, state: result.state.value,
        cost: result.cost.money, seconds: seconds(), answeredBy: result.answeredBy)
      if let question = result.pending.first {
        answer.failure = "it waits for a person: \(question.step.name)"
        // Nobody is going to answer.
        _ = try? await rasa.cancel(result.run)
      }
      return .answer(answer)
    } catch {
      let failure = RasaError(error)
      guard !Task.isCancelled, failure.code != .cancelled else { throw CancellationError() }
      // What concerns every trial ends the evaluation.
      if [.usage, .configuration, .authentication, .storage].contains(failure.code) { throw error }
      let cost = (try? await rasa.run(withID: ready.id))?.cost.money ?? .zero
      let words = Expectation.excerpt(failure.message)
      let answer = EvaluatedAnswer(
        run: ready.id, output: .null, state: .null, cost: cost, seconds: seconds(),
        answeredBy: [], failure: "the run failed: \(words)")
      return failure.code == .budget ? .overBudget(answer, words) : .answer(answer)
    }
  }

  private func judged(
    _ expectation: Expectation, _ criterion: JudgeCriterion, _ unit: EvaluationUnit,
    _ trial: inout EvaluationTrial, _ left: inout Money?, _ notes: inout [String], _ rasa: Rasa
  ) async throws -> ExpectationResult {
    guard let answer = trial.answer else { throw CancellationError() }
    let named = criterion.model ?? options.judge
    var result = ExpectationResult(title: expectation.title, verdict: .notJudged)
    func conclude(_ score: Double, _ reason: String) -> ExpectationResult {
      result.score = score
      result.reason = reason
      result.verdict = score >= criterion.least ? .pass : .fail
      return result
    }
    let digest = unit.judgementDigest(criterion, named, answer)
    if let kept = trial.judgements[digest], let score = kept["score"].double {
      return conclude(score, kept["reason"].string ?? "")
    }
    var plan = judge.plan(
      criterion, task: unit.evaluated.input, answer: answer.text, model: named)
    plan.gate.maxCost = left
    if named == nil {
      let price = try await rasa.services.rehearse(judge.graph, plan, explains: false) { _ in }
      if let first = price.calls.first?.estimate,
        answer.answeredBy.contains("\(first.provider):\(first.model)")
      {
        result.reason = "the judge would be the model that it judges; name one with `--judge`"
        return result
      }
    }
    let judgement = try await judge.judge(plan) { _ in }
    trial.judgeCost += judgement.cost
    left = left.map { $0 - judgement.cost }
    guard let score = judgement.score else {
      result.reason = judgement.reason
      return result
    }
    trial.judgements[digest] = [
      "score": .double(score), "reason": .string(judgement.reason),
      "judge": .array(judgement.answeredBy.map { .string($0) }),
    ]
    return conclude(score, judgement.reason)
  }
}

extension EvaluationUnit {
  func judgementDigest(
    _ criterion: JudgeCriterion, _ model: String?, _ answer: EvaluatedAnswer
  ) -> String {
    Digest.of([
      "criterion": .string(criterion.words), "task": .string(evaluated.input),
      "answer": answer.output, "model": .string(model ?? ""),
    ])
  }

  /// Whether a judge has to be asked about an answer that is kept.
  func asksJudges(_ options: EvaluationOptions) -> Bool {
    guard let earlier, let answer = EvaluatedAnswer(earlier) else { return true }
    return evaluated.expectations.contains { expectation in
      guard case .judge(let criterion) = expectation.kind else { return false }
      let digest = judgementDigest(criterion, criterion.model ?? options.judge, answer)
      return earlier["judgements"][digest].isNull
    }
  }
}

/// What an evaluation may still spend.
private struct Purse {
  /// Nil without a limit.
  var left: Money?

  func covers(_ most: Money?) -> Bool {
    guard let left else { return true }
    return most.map { $0 <= left } ?? false
  }

  /// Holds the most that a trial may need, or what is left; nil if nothing is.
  mutating func take(_ most: Money?) -> Money? {
    guard let left else { return .zero }
    let held = most.map { min($0, left) } ?? left
    guard left > .zero || most == .zero else { return nil }
    self.left = left - held
    return held
  }

  mutating func giveBack(_ money: Money) { left = left.map { $0 + money } }
}

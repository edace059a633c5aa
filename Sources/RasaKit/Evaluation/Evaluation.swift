package import RasaCore
package import RasaLearning

/// How a set of cases is evaluated.
package struct EvaluationOptions: Sendable {
  /// The persona or agent for all cases, whichever they name; nil leaves it to them.
  package var subject: EvaluationCase.Subject?
  /// The models to ask; none leaves it to each persona or agent.
  package var models: [String] = []
  /// The model that judges where a case names none.
  package var judge: String?
  package var trials = 1
  /// The share of trials that may fail, where a case does not say.
  package var tolerance = 0.0
  /// The most that all of it may cost.
  package var maxCost: Money?
  /// How many trials run at once.
  package var jobs = 4
  /// Where results are kept.
  package var folder = Self.standardFolder
  /// The name that the results are kept under; nil for an ID.
  package var name: String?
  /// Asks everything anew.
  package var isFresh = false

  package static let standardFolder = ".rasa/eval"
  package init() {}
}

/// What an evaluation is going to do, before a cent is spent.
package struct EvaluationPlan: Sendable {
  package var recordings = 0
  package var cases = 0
  package var models: [String] = []
  package var trials = 0
  package var reused = 0
  /// What the trials that are run cost when each call is made once.
  package var expected = Money.zero
  package var most = Money.zero
  package var knowsPrices = true
  package var isBounded = true
  package var warnings: [String] = []

  package var value: Value {
    [
      "recordings": .int(Int64(recordings)), "cases": .int(Int64(cases)),
      "models": .array(models.map { .string($0) }), "trials": .int(Int64(trials)),
      "reused": .int(Int64(reused)), "expected_usd": .string(expected.decimalText),
      "most_usd": .string(most.decimalText), "knows_prices": .bool(knowsPrices),
      "is_bounded": .bool(isBounded),
    ]
  }

  package var text: String {
    var text = "\(cases) \(cases == 1 ? "case" : "cases")"
    if models.count > 1 { text += " × \(models.count) models" }
    text += ", \(trials) \(trials == 1 ? "trial" : "trials")"
    if reused > 0 { text += ", \(reused) of them reused" }
    if recordings > 0 {
      text += "; \(recordings) \(recordings == 1 ? "recording" : "recordings") replayed"
    }
    guard trials > reused else { return text + "; nothing to pay" }
    text += "; expected \(expected), \(isBounded ? "at most" : "likely at most") \(most)"
    return knowsPrices ? text : text + ", and what models without a known price cost"
  }
}

/// All trials of one case with one model.
package struct EvaluationGroup: Sendable {
  package enum Verdict: String, Sendable {
    case pass, fail
    case notRun = "not_run"
  }

  package var name: String
  package var file: String
  package var subject: String
  package var model: String
  package var tolerance: Double
  package var trials: [EvaluationTrial]

  package func count(_ status: EvaluationTrial.Status) -> Int {
    trials.count { $0.status == status }
  }
  /// The trials that count.
  package var ran: Int { trials.count - count(.notRun) }
  package var passes: Int { count(.passed) }
  package var interval: Interval { .wilson(successes: passes, of: ran) }
  package var verdict: Verdict {
    if count(.notRun) > 0 { return .notRun }
    // A rate such as 0.8 and its tolerance of 0.2 are not exact.
    return Double(passes) >= Double(ran) * (1 - tolerance) - 1e-9 ? .pass : .fail
  }
  package var cost: Money {
    trials.reduce(.zero) { $0 + ($1.answer?.cost ?? .zero) + $1.judgeCost }
  }
  package var seconds: Double {
    let all = trials.compactMap(\.answer?.seconds)
    return all.isEmpty ? 0 : all.reduce(0, +) / Double(all.count)
  }
  /// Why trials did not pass, each reason once and how often.
  package var problems: [(text: String, count: Int)] {
    var all: [(text: String, count: Int)] = []
    for problem in trials.flatMap(\.problems) {
      if let index = all.firstIndex(where: { $0.text == problem }) {
        all[index].count += 1
      } else {
        all.append((problem, 1))
      }
    }
    return all
  }

  package var value: Value {
    [
      "case": .string(name), "file": .string(file), "subject": .string(subject),
      "model": .string(model), "status": .string(verdict.rawValue),
      "passes": .int(Int64(passes)), "trials": .int(Int64(trials.count)),
      "not_judged": .int(Int64(count(.notJudged))), "not_run": .int(Int64(count(.notRun))),
      "reused": .int(Int64(trials.count { $0.isReused })),
      "rate": .double(ran == 0 ? 0 : Double(passes) / Double(ran)),
      "rate_low": .double(interval.low), "rate_high": .double(interval.high),
      "tolerance": .double(tolerance), "cost_usd": .string(cost.decimalText),
      "took_ms": .double(seconds * 1000),
      "problems": .array(problems.map { .string($0.text) }),
      "runs": .array(trials.compactMap { $0.answer.map { .string($0.run) } }),
    ]
  }
}

/// What an evaluation came to.
package struct EvaluationReport: Sendable {
  package var id: String
  /// The file that has every trial.
  package var file: String
  package var plan: EvaluationPlan
  package var groups: [EvaluationGroup]
  package var recordings: [Rasa.RecordingTest]
  /// What this evaluation has spent; reused trials cost nothing.
  package var spent: Money
  package var warnings: [String]
  package var comparison: EvaluationComparison?

  package var isCutByBudget: Bool { groups.contains { $0.verdict == .notRun } }
  package var failed: Int {
    groups.count { $0.verdict == .fail } + recordings.count { $0.verdict != .ok }
  }
  package var count: Int { groups.count + recordings.count }

  package var value: Value {
    var object: ValueObject = [
      "evaluation": .string(id), "results": .string(file), "plan": plan.value,
      "spent_usd": .string(spent.decimalText), "cases": .array(groups.map(\.value)),
      "recordings": .array(
        recordings.map {
          ["file": .string($0.path), "status": .string($0.verdict.description)]
        }),
      "failed": .int(Int64(failed)), "warnings": .array(warnings.map { .string($0) }),
    ]
    if let comparison { object["comparison"] = comparison.value }
    return .object(object)
  }
}

/// An evaluation beside an earlier one.
package struct EvaluationComparison: Sendable {
  package struct Case: Sendable {
    package var name: String
    package var pairs: PairedComparison
  }

  package var baseline: String
  package var cases: [Case]
  package var all: PairedComparison
  /// How much worse it may be.
  package var tolerance: Double

  /// Worse by more than is tolerated, and by more than chance.
  package var isWorse: Bool { all.isSignificant && -all.difference > tolerance }

  package var verdict: String {
    if all.pairs == 0 { return "no trial is in both, so nothing can be compared" }
    if all.changed < PairedComparison.leastChanged {
      return "\(all.changed) of \(all.pairs) trials changed: too few to show a difference"
    }
    if !all.isSignificant { return "the data shows no difference" }
    if isWorse { return "worse than the baseline" }
    return all.difference < 0 ? "worse, but within the tolerance" : "better than the baseline"
  }

  package var value: Value {
    func object(_ pairs: PairedComparison) -> ValueObject {
      [
        "pairs": .int(Int64(pairs.pairs)), "only_baseline_passes": .int(Int64(pairs.onlyBefore)),
        "only_now_passes": .int(Int64(pairs.onlyAfter)), "difference": .double(pairs.difference),
        "difference_low": .double(pairs.interval.low),
        "difference_high": .double(pairs.interval.high), "p": .double(pairs.probability),
      ]
    }
    var whole = object(all)
    whole["baseline"] = .string(baseline)
    whole["finding"] = .string(verdict)
    whole["is_worse"] = .bool(isWorse)
    whole["cases"] = .array(
      cases.map {
        var one = object($0.pairs)
        one["case"] = .string($0.name)
        return .object(one)
      })
    return .object(whole)
  }

  /// Pairs trials by case, model and number. Where both evaluations asked one model each, which may be another,
  /// by case and number.
  init(_ groups: [EvaluationGroup], baseline: String, _ lines: [Value], tolerance: Double) {
    self.baseline = baseline
    self.tolerance = tolerance
    all = PairedComparison()
    cases = []
    let isOneModel =
      Set(groups.map(\.model)).count == 1
      && Set(lines.compactMap { $0["model"].string }).count == 1
    func key(_ name: String, _ model: String, _ number: Int) -> [String] {
      [name, isOneModel ? "" : model, "\(number)"]
    }
    var before: [[String]: Bool] = [:]
    for line in lines {
      guard let name = line["case"].string, let model = line["model"].string,
        let number = line["trial"].int, let status = line["status"].string,
        status != EvaluationTrial.Status.notRun.rawValue
      else { continue }
      before[key(name, model, Int(clamping: number))] =
        status == EvaluationTrial.Status.passed.rawValue
    }
    for group in groups {
      var pairs = PairedComparison()
      for trial in group.trials where trial.status != .notRun {
        guard let passed = before[key(group.name, group.model, trial.number)] else { continue }
        pairs.add(before: passed, after: trial.status == .passed)
        all.add(before: passed, after: trial.status == .passed)
      }
      let model = Set(groups.map(\.model)).count > 1 ? " [\(group.model)]" : ""
      cases.append(Case(name: group.name + model, pairs: pairs))
    }
  }
}

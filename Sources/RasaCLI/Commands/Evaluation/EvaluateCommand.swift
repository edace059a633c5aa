import RasaCore
import RasaKit
import RasaTerminal

/// `rasa evaluate`: models say how good the answers of runs were.
struct EvaluateCommand {
  let rasa: Rasa
  let console: Console
  let print: Printer
  let style: Style

  func run(_ command: ParsedCommand) async throws {
    if command.flag("agreement") { return try await agreement() }
    let options = options(command)
    if let other = command.text("against") { return try await compare(options, with: other) }
    if command.flag("dry-run") { return try await plan(options) }
    let (print, style) = (print, style)
    let problems = Locked<[any Error]>([])
    let report = try await interruptible { _ in
      try await rasa.evaluate(options) { evaluated in
        guard !print.isJSON else { return }
        do {
          try print(text: evaluated.text(style))
        } catch {
          problems.withLock { $0.append(error) }
        }
      }
    }
    if let problem = problems.withLock({ $0.first }) { throw problem }
    if print.isJSON {
      try print(.object(report.document))
    } else {
      try print(text: report.summary + "\n")
    }
    try await tellWhenOff(options)
    try conclude(report)
  }

  private func options(_ command: ParsedCommand) -> Rasa.EvaluateOptions {
    var options = Rasa.EvaluateOptions()
    options.runs = command.arguments
    options.evaluators = command.text("by")?.split(atByte: ",", omittingEmpty: true)
      .map { $0.split(atByte: " ", omittingEmpty: true).joined(separator: " ") }
    options.model = command.text("model")
    options.maxCost = command.money("max-cost").flatMap { Rasa.Dollars($0.decimalText) }
    options.limit = command.integer("limit")
    if command.flag("same-model") { options.allowsSameModel = true }
    return options
  }

  private func conclude(_ report: Rasa.EvaluateReport) throws {
    if let stopped = report.stopped {
      throw Failure(
        stopped.code == .budget ? .budget : .authentication, stopped.message,
        suggestion: stopped.suggestion.isEmpty
          ? "what was not made still waits: `rasa evaluate` goes on" : stopped.suggestion)
    }
    let missed = report.evaluations.filter { [.failed, .abandoned].contains($0.outcome) }
    guard let first = missed.first else { return }
    let count = missed.count == 1 ? "1 evaluation was" : "\(missed.count) evaluations were"
    throw Failure(.run, "\(count) not made: \(first.problem)")
  }

  /// Otherwise somebody could wait for evaluations that never come.
  private func tellWhenOff(_ options: Rasa.EvaluateOptions) async throws {
    guard options.runs.isEmpty, try await !rasa.evaluatesRuns() else { return }
    try console.note(
      "rasa: no runs are kept for evaluation; `learning: {evaluation: {max_daily: 0.25}}` in your config.yaml "
        + "keeps a fifth of them\n")
  }

  // MARK: Two answers

  private func compare(_ options: Rasa.EvaluateOptions, with other: String) async throws {
    guard options.runs.count == 1, let run = options.runs.first else {
      throw Failure(
        .usage, "`--against` compares two runs",
        suggestion: "write it as `rasa evaluate RUN --against RUN`")
    }
    let (rasa, named) = (rasa, run)
    let found = try await interruptible { _ in
      try await rasa.compareAnswers(of: named, and: other, options)
    }
    if print.isJSON {
      return try print([
        "better": found.better.map { .string($0) } ?? .null,
        "opinions": .array(
          found.opinions.map {
            [
              "first": .string($0.first), "better": $0.better.map { .string($0) } ?? .null,
              "reason": .string($0.reason),
            ]
          }), "models": .array(found.models.map { .string($0) }),
        "cost_usd": .string(found.cost.decimalText),
      ])
    }
    try print(
      text: (found.better.map { "\($0) has the better answer, in both orders\n" }
        ?? "neither is clearly better\n")
        + found.opinions.map { opinion in
          "  with \(opinion.first) first: \(opinion.better ?? "neither"). \(opinion.reason)\n"
        }.joined() + style.dim("\(found.models.joined(separator: ", ")), \(found.cost)") + "\n")
  }

  // MARK: Without asking

  private func plan(_ options: Rasa.EvaluateOptions) async throws {
    let planned = try await rasa.plannedEvaluations(options)
    try print(
      Table(
        columns: ["RUN", "BY", "MODEL", "AT MOST"],
        rows: planned.map { one in
          [
            one.run, one.evaluator, one.model ?? "none: there is no answer to judge",
            one.cost.map { "\($0)" } ?? (one.model == nil ? "-" : "not known"),
          ]
        },
        values: planned.map { one in
          [
            "run": .string(one.run), "evaluator": .string(one.evaluator),
            "model": one.model.map { .string($0) } ?? .null,
            "cost_at_most_usd": one.cost.map { .string($0.decimalText) } ?? .null,
          ]
        }, whenEmpty: "no run waits to be evaluated"))
    try await tellWhenOff(options)
  }

  private func agreement() async throws {
    let found = try await rasa.judgeAgreement()
    try print(
      Table(
        columns: ["BY", "MODEL", "RUNS", "CORRELATION", "95 %", "HIGHER BY"],
        rows: found.map { one in
          [
            one.evaluator, one.model, "\(one.runs)",
            one.correlation.map { $0.fixed(2) } ?? (one.bias == nil ? "too few runs" : "-"),
            one.interval.map { "\($0.lowerBound.fixed(2)) to \($0.upperBound.fixed(2))" } ?? "-",
            one.bias.map { "\($0 >= 0 ? "+" : "")\($0.fixed(2))" } ?? "-",
          ]
        },
        values: found.map { one in
          [
            "evaluator": .string(one.evaluator), "model": .string(one.model),
            "runs": .int(Int64(one.runs)), "correlation": .orNull(one.correlation),
            "correlation_low": .orNull(one.interval?.lowerBound),
            "correlation_high": .orNull(one.interval?.upperBound), "bias": .orNull(one.bias),
          ]
        }, whenEmpty: "no run has both stars and an evaluation"))
  }
}

extension Rasa.Evaluated {
  fileprivate func text(_ style: Style) -> String {
    let who = agent.isEmpty ? run : "\(run) of \(agent)"
    guard outcome == .made else {
      return "\(who)  \(evaluator): \(style.yellow("not evaluated")), \(problem)\n"
    }
    if let category, let complexity {
      return "\(who)  \(evaluator): \(category), complexity \(complexity) of 5\n"
    }
    let parts = criteria.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.fixed(2))" }
    return
      "\(who)  \(evaluator): \(style.bold(score?.fixed(2) ?? "-"))  "
      + style.dim("\(parts.joined(separator: ", ")); \(model), \(cost)") + "\n"
      + (feedback.isEmpty
        ? "" : feedback.split(atByte: "\n", omittingEmpty: true).map { "    \($0)\n" }.joined())
  }
}

extension Rasa.EvaluateReport {
  fileprivate var summary: String {
    let made = evaluations.count { $0.outcome == .made }
    let waits = waiting == 0 ? "" : "; \(waiting) still wait\(waiting == 1 ? "s" : "")"
    guard !evaluations.isEmpty || stopped != nil || waiting > 0 else {
      return "no run waits to be evaluated"
    }
    return "\(made == 1 ? "1 evaluation" : "\(made) evaluations") for \(spent)\(waits)"
  }

  fileprivate var document: ValueObject {
    [
      "evaluations": .array(
        evaluations.map { one in
          [
            "run": .string(one.run), "agent": .string(one.agent),
            "evaluator": .string(one.evaluator), "outcome": .string(one.outcome.rawValue),
            "problem": .string(one.problem), "model": .string(one.model),
            "score": .orNull(one.score),
            "criteria": .object(
              ValueObject(
                one.criteria.sorted { $0.key < $1.key }.map { ($0.key, .double($0.value)) })),
            "feedback": .string(one.feedback),
            "category": one.category.map { .string($0) } ?? .null,
            "complexity": one.complexity.map { .int(Int64($0)) } ?? .null,
            "cost_usd": .string(one.cost.decimalText),
            "evaluation_run": one.evaluationRun.map { .string($0) } ?? .null,
          ]
        }),
      "spent_usd": .string(spent.decimalText), "waiting": .int(Int64(waiting)),
      "stopped": stopped.map { .string($0.message) } ?? .null,
    ]
  }
}

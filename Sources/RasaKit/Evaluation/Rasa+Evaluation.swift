import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaSystem

/// Cases that were read and priced: nothing has been asked.
package struct PreparedEvaluation: Sendable {
  package var plan: EvaluationPlan
  var units: [EvaluationUnit]
  var recordings: [Rasa.RecordingFile]
  var options: EvaluationOptions
  var judge: EvaluationJudge
}

/// One trial that is to be made.
struct EvaluationUnit: Sendable {
  var evaluated: EvaluationCase
  var subject: String
  var model: String
  var number: Int
  var tolerance: Double
  var key: String
  var runnable: Rasa.Runnable
  var options: Rasa.RunOptions
  /// The line of an earlier evaluation that has the answer.
  var earlier: Value?
  /// What it costs at most with its judges; nil where nobody knows.
  var most: Money?

  var trial: EvaluationTrial {
    EvaluationTrial(
      name: evaluated.name, file: evaluated.file, subject: subject, model: model, number: number,
      key: key)
  }
}

extension Rasa {
  /// Reads the cases and recordings at some paths, and says what evaluating them costs.
  package func evaluation(
    of paths: [String], options: EvaluationOptions
  ) async throws(RasaError) -> PreparedEvaluation {
    try await redacted {
      let (cases, recordings) = try Self.cases(at: paths)
      var prepared = PreparedEvaluation(
        plan: EvaluationPlan(), units: [], recordings: recordings, options: options,
        judge: try EvaluationJudge(self))
      prepared.plan.recordings = recordings.count
      prepared.plan.cases = cases.count
      prepared.plan.models = options.models
      let history = options.isFresh ? nil : EvaluationHistory(folder: options.folder)
      var runnables: [EvaluationCase.Subject: Runnable] = [:]
      for one in cases {
        guard let subject = options.subject ?? one.subject else {
          throw Failure(
            .configuration, "the case `\(one.name)` names no persona or agent",
            suggestion: "add `persona: …` or `agent: …`, or give `--persona` or `--agent`",
            at: one.location)
        }
        if runnables[subject] == nil {
          runnables[subject] =
            switch subject {
            case .persona(let name): try await prepare(persona: name)
            case .agent(let id): try await prepare(agent: id)
            }
        }
        guard let runnable = runnables[subject] else { continue }
        for model in options.models.isEmpty ? [""] : options.models {
          try await prepared.add(one, runnable, model, history, self)
        }
      }
      return prepared
    }
  }

  private static func cases(
    at paths: [String]
  ) throws(Failure) -> ([EvaluationCase], [RecordingFile]) {
    var cases: [EvaluationCase] = []
    var recordings: [RecordingFile] = []
    for path in paths {
      let files: [NamedFile]
      switch FileSystem.kind(of: path) {
      case nil:
        throw Failure(
          .usage, "there is no file or folder \(path)",
          suggestion: "name a folder with cases in YAML, or recordings")
      case .folder:
        files = try RecordingFile.files(in: FileRoot(path), endings: [".json", ".yaml", ".yml"])
        guard !files.isEmpty else {
          throw Failure(
            .usage, "there are no cases in \(path)",
            suggestion: "write them in YAML, or `rasa runs export RUN --as-test \(path)`")
        }
      default: files = [NamedFile(path)]
      }
      for file in files {
        if file.path.hasByteSuffix(".json") {
          recordings.append(RecordingFile(file))
        } else {
          for one in try EvaluationCaseReader.read(
            try file.read(limit: 4 << 20), file: file.path)
          {
            if let first = cases.first(where: { $0.name == one.name }) {
              throw Failure(
                .configuration,
                "there is another case `\(one.name)` in \(first.file), line \(first.location.line)",
                suggestion: "give each case a name of its own", at: one.location)
            }
            cases.append(one)
          }
        }
      }
    }
    return (cases, recordings)
  }
}

extension PreparedEvaluation {
  /// Adds the trials of one case with one model.
  fileprivate mutating func add(
    _ one: EvaluationCase, _ runnable: Rasa.Runnable, _ model: String,
    _ history: EvaluationHistory?, _ rasa: Rasa
  ) async throws {
    var runOptions = Rasa.RunOptions()
    runOptions.isEvaluation = true
    if !model.isEmpty { runOptions.model = model }
    for (name, value) in one.preferences { runOptions.preferences[name] = value }
    var digests: [Value] = []
    for path in one.attachments {
      let attachment = try await rasa.attachment(path: path).attachment
      runOptions.attachments.append(attachment)
      digests.append(.string(Digest.sha256(try FileSystem.read(path, limit: 1 << 30))))
    }
    let forecast = try await runnable.forecast(one.input, options: runOptions)
    let expected = forecast.calls.reduce(Money.zero) { $0 + ($1.cost?.money ?? .zero) }
    var (judgesExpected, judgesMost) = (Money.zero, Money.zero)
    var isKnown = forecast.knowsPrices
    var isBounded = forecast.isBounded
    let length = forecast.calls.last?.outputTokens ?? 500
    for case .judge(let criterion) in one.expectations.map(\.kind) {
      // An answer as long as it can be; nobody knows its words yet.
      let plan = judge.plan(
        criterion, task: one.input, answer: String(repeating: "word ", count: min(length, 8_000)),
        model: criterion.model ?? options.judge)
      let price = try await rasa.services.rehearse(judge.graph, plan, explains: false) { _ in }
      judgesExpected += price.calls.reduce(.zero) { $0 + $1.estimate.cost }
      judgesMost += price.total
      isKnown = isKnown && price.isComplete
      isBounded = isBounded && price.isBounded
      let first = price.calls.first.map { "\($0.estimate.provider):\($0.estimate.model)" }
      let isNamed = criterion.model ?? options.judge != nil
      if let first, forecast.calls.contains(where: { "\($0.provider):\($0.model)" == first }) {
        let words =
          isNamed
          ? "the judge \(first) is also the model that it judges"
          : "answers of \(first) are not judged by \(first) itself; name another with `--judge`"
        if !self.plan.warnings.contains(words) {
          self.plan.warnings.append(words)
        }
      }
    }
    for number in 1...(one.trials ?? options.trials) {
      let key = Digest.of([
        "case": .string(one.name), "input": .string(one.input),
        "preferences": .array(one.preferences.map { [.string($0.name), .string($0.value)] }),
        "attachments": .array(digests), "persona": .string(runnable.graph.digest),
        "model": .string(model), "trial": .int(Int64(number)),
      ])
      let unit = EvaluationUnit(
        evaluated: one, subject: runnable.name, model: model, number: number,
        tolerance: one.tolerance ?? options.tolerance, key: key, runnable: runnable,
        options: runOptions, earlier: history?.trials[key],
        most: isKnown && isBounded ? forecast.mostCost.money + judgesMost : nil)
      plan.trials += 1
      if unit.earlier != nil { plan.reused += 1 }
      if unit.earlier == nil || unit.asksJudges(options) {
        plan.expected += judgesExpected + (unit.earlier == nil ? expected : .zero)
        plan.most += judgesMost + (unit.earlier == nil ? forecast.mostCost.money : .zero)
        plan.knowsPrices = plan.knowsPrices && isKnown
        plan.isBounded = plan.isBounded && isBounded
      }
      units.append(unit)
    }
  }
}

import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// `rasa eval`: asks anew what cases ask, and measures how often the answers are as expected.
struct EvalCommand {
  let rasa: Rasa
  let console: Console
  let print: Printer
  let style: Style

  func run(_ command: ParsedCommand) async throws {
    let options = try options(command)
    let prepared = try await rasa.evaluation(of: command.arguments, options: options)
    if command.flag("dry-run") {
      if print.isJSON { return try print(prepared.plan.value) }
      return try print(text: prepared.plan.text + "\n")
    }
    try console.note("rasa: \(printable(prepared.plan.text))\n")
    for warning in prepared.plan.warnings { console.warn(warning) }
    let (rasa, console, baseline) = (rasa, console, command.text("against"))
    let showsProgress = console.terminal.errorIsTerminal
    let report: EvaluationReport
    do {
      report = try await interruptible { _ in
        try await prepared.run(rasa, against: baseline) { done, all in
          guard showsProgress else { return }
          try? console.errors.write("\r\(done) of \(all) trials\(done == all ? "\r\u{1B}[K" : "")")
        }
      }
    } catch var interrupted as Interrupted {
      if interrupted.suggestion.isEmpty {
        interrupted.suggestion = "what was done is kept: the same command goes on there"
      }
      throw interrupted
    }
    for warning in report.warnings.dropFirst(prepared.plan.warnings.count) {
      console.warn(warning)
    }
    if let path = command.text("junit") {
      try FileSystem.write(report.junit, to: path, followingLinks: true)
    }
    if print.isJSON {
      try print(report.value)
    } else {
      try print(text: EvaluationText(style: style).text(of: report))
    }
    try conclude(report)
  }

  private func options(_ command: ParsedCommand) throws -> EvaluationOptions {
    var options = EvaluationOptions()
    let (persona, agent) = (command.text("persona"), command.text("agent"))
    guard persona == nil || agent == nil else {
      throw Failure(.usage, "`--persona` and `--agent` exclude each other")
    }
    options.subject = persona.map { .persona($0) } ?? agent.map { .agent($0) }
    options.models = command.texts("model")
    options.judge = command.text("judge")
    options.trials = command.integer("trials") ?? 1
    options.jobs = command.integer("jobs") ?? 4
    options.maxCost = command.money("max-cost")
    options.folder = command.text("results") ?? EvaluationOptions.standardFolder
    options.isFresh = command.flag("fresh")
    if let text = command.text("tolerance") {
      guard let share = Double(text), (0...1).contains(share) else {
        throw Failure(
          .usage, "`--tolerance` must be a number from 0 to 1, but is `\(text)`",
          suggestion: "0.02 tolerates two of a hundred trials")
      }
      options.tolerance = share
    }
    if let name = command.text("name") {
      guard name.utf8.allSatisfy({ $0 != UInt8(ascii: "/") && $0 > 0x20 }), !name.hasBytePrefix(".")
      else {
        throw Failure(
          .usage, "`\(name)` cannot be the name of results",
          suggestion: "a name is one word without `/`, such as `main`")
      }
      options.name = name
    }
    return options
  }

  private func conclude(_ report: EvaluationReport) throws {
    let broken = report.recordings.count { $0.verdict == .broken }
    if broken > 0 {
      throw Failure(
        .configuration, "\(broken) of the recordings cannot be replayed",
        suggestion: "`rasa test` says why")
    }
    if report.isCutByBudget {
      let count = report.groups.reduce(0) { $0 + $1.count(.notRun) }
      throw Failure(
        .budget, "\(count) trials were not made: a limit of cost was reached",
        suggestion: "raise `--max-cost` or the budget; what was done is kept and not paid for again"
      )
    }
    if let comparison = report.comparison {
      guard comparison.isWorse else { return }
      throw Failure(.run, "the answers are worse than those of \(comparison.baseline)")
    }
    guard report.failed == 0 else {
      throw Failure(
        .run, "\(report.failed) of \(report.count) cases failed",
        suggestion: "`rasa runs show RUN` shows the run of a trial; \(report.file) names them")
    }
  }
}

/// A report as people read it.
struct EvaluationText {
  let style: Style

  func text(of report: EvaluationReport) -> String {
    var text = ""
    let showsModel = Set(report.groups.map(\.model)).count > 1
    for group in report.groups {
      let word: String =
        switch group.verdict {
        case .pass: style.green("pass   ")
        case .fail: style.red("FAIL   ")
        case .notRun: style.yellow("not run")
        }
      var facts = [
        "\(group.passes)/\(group.ran)", group.rateText, "\(group.cost)",
        "\(group.seconds.fixed(1)) s",
      ]
      let reused = group.trials.count { $0.isReused }
      if reused > 0 { facts.append("\(reused) reused") }
      let name = showsModel ? "\(group.name) [\(group.model)]" : group.name
      text +=
        "\(word)  \(name)  \(style.dim(facts.filter { !$0.isEmpty }.joined(separator: "  ")))\n"
      for problem in group.problems.prefix(5) {
        text += "         \(problem.count) × \(problem.text)\n"
      }
    }
    for test in report.recordings {
      let word = test.verdict == .ok ? style.green("pass   ") : style.red("FAIL   ")
      text += "\(word)  \(test.path)  \(style.dim("replayed"))\n"
    }
    if let comparison = report.comparison { text += "\n" + comparison.text + "\n" }
    text += "\(report.count - report.failed) of \(report.count) passed; spent \(report.spent)"
    return text + "; results in \(report.file)\n"
  }
}

import RasaCore
import RasaKit
import RasaTerminal

/// `rasa agents enhance`: what an agent's file does not say, proposed and, when wanted, written.
struct AgentsEnhanceCommand {
  let rasa: Rasa
  let console: Console
  let print: Printer

  /// One agent after the other: what is wrong with one does not keep the next from being looked at.
  func run(_ command: ParsedCommand) async throws {
    guard command.arguments.count > 1 else {
      let report = try await enhance(command.arguments[0], command)
      if print.isJSON { try print(report) }
      return
    }
    var reports: [Value] = []
    var errors: [RasaError] = []
    for word in command.arguments {
      do {
        for path in try await rasa.agentFiles(word) {
          reports.append(try await enhance(path, command))
        }
      } catch let error as RasaError {
        errors.append(error)
      }
    }
    if print.isJSON { try print(.array(reports)) }
    if let error = RasaError(allOf: errors) { throw error }
  }

  private func enhance(_ word: String, _ command: ParsedCommand) async throws -> Value {
    let enhancement = try await proposed(word, command)
    guard !enhancement.proposals.isEmpty else {
      if !print.isJSON { try print(text: "\(enhancement.agent) has no missing fields\n") }
      return report(enhancement, isWritten: false)
    }
    if !print.isJSON { try show(enhancement) }
    var isWritten = command.flag("write")
    if !isWritten, !print.isJSON {
      let answer = try await console.ask(
        "Write it? [y/N] ", whenInterrupted: "nothing was written")
      isWritten = ["y", "yes"].contains(answer?.lowercased() ?? "")
    }
    if isWritten { try await rasa.apply(enhancement) }
    if !print.isJSON {
      try print(
        text: isWritten
          ? "wrote \(enhancement.file)\n" : "nothing was written; `--write` writes the proposal\n")
    }
    return report(enhancement, isWritten: isWritten)
  }

  private func proposed(
    _ word: String, _ command: ParsedCommand
  ) async throws -> Rasa.AgentEnhancement {
    var options = Rasa.EnhanceOptions()
    options.model = command.text("model")
    options.asksModel = command.flag("with-model")
    options.maxCost = command.text("max-cost").flatMap { Rasa.Dollars($0) }
    let (rasa, console) = (rasa, console)
    options.notify = { try? console.note(printable($0) + "\n") }
    guard options.asksModel else {
      return try await rasa.enhancement(ofAgent: word, options: options)
    }
    return try await TrustQuestion(rasa: rasa, console: console).during { settle in
      options.beforeAsking = settle
      return try await interruptible { [options] _ in
        try await rasa.enhancement(ofAgent: word, options: options)
      }
    }
  }

  private func show(_ enhancement: Rasa.AgentEnhancement) throws {
    let style = console.terminal.style(of: .output)
    let difference = LineDifference(from: enhancement.before, to: enhancement.after)
    var lines = ["--- \(enhancement.file)", "+++ \(enhancement.file), enhanced"].map {
      style.bold(TerminalText.line($0))
    }
    lines += difference.unified().map { line in
      let text = TerminalText.escaped(line)
      if line.hasPrefix("+ ") { return style.green(text) }
      return line.hasPrefix("- ") ? style.red(text) : text
    }
    lines.append("")
    lines += enhancement.proposals.map {
      style.dim(TerminalText.line("\($0.key): \($0.reason)"))
    }
    try print(asItStands: lines.joined(separator: "\n") + "\n")
  }

  private func report(_ enhancement: Rasa.AgentEnhancement, isWritten: Bool) -> Value {
    [
      "id": .string(enhancement.agent), "file": .string(enhancement.file),
      "written": .bool(isWritten),
      "proposals": .array(
        enhancement.proposals.map {
          [
            "key": .string($0.key), "value": Value($0.value), "reason": .string($0.reason),
          ]
        }),
    ]
  }
}

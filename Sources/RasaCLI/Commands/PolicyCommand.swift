import RasaCore
import RasaKit
import RasaTerminal

/// `rasa tools policy`: the rules about tools, and what they say about a use.
struct PolicyCommand {
  let rasa: Rasa
  let print: Printer
  let style: Style

  func run(_ command: ParsedCommand) async throws {
    guard let tool = command.arguments.first else { return try await list() }
    guard command.arguments.count <= 2 else {
      throw Failure(
        .usage, "`rasa tools policy` takes one tool and its arguments",
        suggestion: "write the arguments as one JSON object in quotes: '{\"name\": \"value\"}'")
    }
    let arguments = command.arguments.count > 1 ? command.arguments[1] : "{}"
    let decision = try await rasa.policy(
      tool: tool, arguments: arguments, persona: command.text("persona"))
    if print.isJSON { return try print(Value(decision.json)) }
    var verdict = decision.decision
    if verdict == "ask" {
      if decision.people > 1 { verdict += ", \(decision.people) people" }
      if let seconds = decision.expires { verdict += ", within \(secondsText(seconds)) s" }
      if decision.onExpiry != "park" { verdict += ", then \(decision.onExpiry)" }
    }
    var lines = ["\(style.bold(verdict))  \(TerminalText.exact(decision.because))"]
    for (label, rule) in [("rule", decision.rule), ("stricter", decision.tightenedBy)] {
      guard let rule else { continue }
      lines += ["", style.dim("\(label), at \(TerminalText.exact(rule.place)):")]
      lines += TerminalText.exact(rule.text).byteLines.filter { !$0.isEmpty }.map { "  \($0)" }
    }
    if decision.rule == nil { lines += ["", style.dim("no rule of yours is about it")] }
    try print(text: lines.joined(separator: "\n") + "\n")
  }

  private func list() async throws {
    let rules = try await rasa.policyRules()
    try print(
      Table(
        columns: ["PLACE", "OF", "RULE"],
        rows: rules.map { rule in
          [
            TerminalText.exact(rule.place), rule.isProject ? "the project" : "you",
            TerminalText.exact(rule.text).byteLines.filter { !$0.isEmpty }.joined(separator: "; "),
          ]
        }, values: rules.map { Value($0.json) },
        whenEmpty: "no rules: what reads only is allowed, and everything else asks"))
  }
}

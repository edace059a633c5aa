import RasaCore
import RasaKit
import RasaTerminal

/// Where two runs diverge, as lines for people: what the first has is marked with `-`, what the second
/// has with `+`.
struct ComparisonText {
  let comparison: Rasa.RunComparison
  let style: Style
  let width: Int
  let others: UntrustedText

  private var left: Rasa.Timeline { comparison.left }
  private var right: Rasa.Timeline { comparison.right }

  var lines: [String] {
    var lines = [
      style.red("- A  \(left.run.id)") + "  " + about(left.run),
      style.green("+ B  \(right.run.id)") + "  " + about(right.run), "",
    ]
    if !comparison.start.isEmpty {
      lines.append(style.bold("They start differently:"))
      for difference in comparison.start { lines += text(of: difference) }
      lines.append("")
    }
    lines += way
    if !comparison.knowsPrompts {
      let without = [left, right].filter { $0.rulesProblem != nil }.map(\.run.id)
      lines.append("")
      lines.append(
        style.yellow("prompts are not compared:")
          + " \(without.joined(separator: " and ")) keeps no copy of its persona")
    }
    lines.append("")
    lines += totals
    return lines
  }

  private func about(_ run: Rasa.RunSummary) -> String {
    others.line(run.persona) + "  "
      + others.opening(run.input, to: max(24, width - 44 - run.persona.count))
  }

  // MARK: The way

  private var way: [String] {
    let same = comparison.same.count
    let steps = "\(same) \(same == 1 ? "step is" : "steps are") the same"
    guard let divergence = comparison.divergence else {
      return [style.bold(same == 0 ? "Neither has taken a step." : "All \(steps).")]
    }
    var lines: [String] = []
    if same > 0, let last = comparison.same.last {
      lines.append("\(steps), the last \(others.line(last.title))")
    }
    if divergence.left == divergence.right, let step = divergence.left {
      lines.append(style.bold("They diverge at \(others.line(step.title)):"))
      for difference in divergence.differences { lines += text(of: difference) }
    } else {
      lines.append(style.bold("They diverge:"))
      lines.append("  " + style.red("- \(goesOn(divergence.left))"))
      lines.append("  " + style.green("+ \(goesOn(divergence.right))"))
    }
    let after = (divergence.stepsAfterLeft, divergence.stepsAfterRight)
    if after.0 > 0 || after.1 > 0 {
      lines.append("after that: \(after.0) more in A, \(after.1) more in B")
    }
    return lines
  }

  private func goesOn(_ step: Rasa.Step?) -> String {
    step.map { "continues with \(others.line($0.title))" } ?? "takes no further step"
  }

  private func text(of difference: Rasa.RunComparison.Difference) -> [String] {
    let title: String
    switch difference.subject {
    case .start: title = difference.path
    case .prompt: title = "prompt (\(difference.path))"
    case .state: title = difference.path.isEmpty ? "what was written" : difference.path
    case .path: title = "its end"
    default: title = "\(difference.subject)"
    }
    let head = "  \(style.dim("\(others.line(title)):"))"
    guard let first = difference.left.string, let second = difference.right.string,
      first.hasByte("\n") || second.hasByte("\n")
    else {
      let (first, second) = clipped(text(of: difference.left), text(of: difference.right))
      return [head, "    " + style.red("- \(first)"), "    " + style.green("+ \(second)")]
    }
    return [head]
      + LineDifference(from: first, to: second).unified().map { line in
        let clean = others.opening(line, to: longestLine)
        if line.hasPrefix("- ") { return "    " + style.red(clean) }
        if line.hasPrefix("+ ") { return "    " + style.green(clean) }
        return "    " + clean
      }
  }

  /// A line that is longer is cut on a terminal: `--json` has all of it.
  private var longestLine: Int { others.isOnTerminal ? 400 : Printer.unlimited }

  private func text(of value: Rasa.JSON) -> String {
    value.isNull ? "(nothing)" : others.line(value.string ?? value.description)
  }

  /// Two lines from shortly before where they begin to differ, when they are long.
  private func clipped(_ first: String, _ second: String) -> (String, String) {
    guard max(first.utf8.count, second.utf8.count) > longestLine else {
      return (first, second)
    }
    let common = zip(first, second).prefix { $0 == $1 }.count
    let skipped = max(0, common - 60)
    func part(_ text: String) -> String {
      (skipped > 0 ? "…" : "") + fit(String(text.dropFirst(skipped)), to: longestLine)
    }
    return (part(first), part(second))
  }

  // MARK: Totals

  private var totals: [String] {
    let output = comparison.hasSameOutput.map { $0 ? "the same" : "different" } ?? "not in both"
    let rows = [
      ["", "A", "B"],
      ["status", "\(left.run.status)", "\(right.run.status)"],
      ["calls", calls(left.totals), calls(right.totals)],
      ["tokens", tokens(left.totals), tokens(right.totals)],
      ["dollars", "\(left.run.cost)", "\(right.run.cost)"],
      ["at work"]
        + [left, right].map { durationText(milliseconds: $0.activeDuration.milliseconds) },
    ]
    let width = rows.map { displayWidth($0[1]) }.max() ?? 0
    return rows.map { row in
      let padding = String(repeating: " ", count: width - displayWidth(row[1]) + 3)
      return "\(style.dim(row[0].padded(to: 9)))\(row[1])\(padding)\(row[2])"
    } + ["\(style.dim("answer".padded(to: 9)))\(output)"]
  }

  private func calls(_ totals: Rasa.Timeline.Totals) -> String {
    "\(totals.answered)" + (totals.tools > 0 ? ", \(totals.tools) of tools" : "")
      + (totals.reused > 0 ? " and \(totals.reused) reused" : "")
      + (totals.failed > 0 ? ", \(totals.failed) failed" : "")
      + (totals.uncertain > 0 ? ", \(totals.uncertain) in doubt" : "")
  }

  private func tokens(_ totals: Rasa.Timeline.Totals) -> String {
    "\(totals.inputTokens) + \(totals.outputTokens)"
  }
}

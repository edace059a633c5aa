import RasaCore
import RasaEngine
import RasaKit
import RasaStore
import RasaTerminal

/// Where two runs part, as lines for people: what the first has is marked with `-`, what the second
/// has with `+`.
struct ComparisonText {
  let comparison: RunComparison
  let left: RunArchive.Account
  let right: RunArchive.Account
  let style: Style
  let width: Int
  let others: UntrustedText

  var lines: [String] {
    var lines = [
      style.red("- A  \(left.found.id)") + "  " + about(left),
      style.green("+ B  \(right.found.id)") + "  " + about(right), "",
    ]
    if !comparison.start.isEmpty {
      lines.append(style.bold("They start differently:"))
      for difference in comparison.start { lines += text(of: difference) }
      lines.append("")
    }
    lines += way
    if !comparison.knowsPrompts {
      let without = [left, right].filter { $0.walk == nil }.map(\.found.id.text)
      lines.append("")
      lines.append(
        style.yellow("prompts are not compared:")
          + " \(without.joined(separator: " and ")) keeps no copy of its persona")
    }
    lines.append("")
    lines += totals
    return lines
  }

  private func about(_ account: RunArchive.Account) -> String {
    let record = account.found.run.record
    return others.line(record.persona) + "  "
      + others.opening(record.input, to: max(24, width - 44 - record.persona.count))
  }

  // MARK: The way

  private var way: [String] {
    let same = comparison.same.count
    let steps = "\(same) \(same == 1 ? "step is" : "steps are") the same"
    guard let parting = comparison.parting else {
      return [style.bold(same == 0 ? "Neither has taken a step." : "All \(steps).")]
    }
    var lines: [String] = []
    if same > 0, let last = comparison.same.last {
      lines.append("\(steps), the last \(others.line(last.title))")
    }
    if parting.left == parting.right, let step = parting.left {
      lines.append(style.bold("They diverge at \(others.line(step.title)):"))
      for difference in parting.differences { lines += text(of: difference) }
    } else {
      lines.append(style.bold("They diverge:"))
      lines.append("  " + style.red("- \(goesOn(parting.left))"))
      lines.append("  " + style.green("+ \(goesOn(parting.right))"))
    }
    let after = comparison.after
    if after.left > 0 || after.right > 0 {
      lines.append("after that: \(after.left) more in A, \(after.right) more in B")
    }
    return lines
  }

  private func goesOn(_ step: Step?) -> String {
    step.map { "continues with \(others.line($0.title))" } ?? "takes no further step"
  }

  private func text(of difference: RunComparison.Difference) -> [String] {
    let title: String
    switch difference.subject {
    case .start(let path): title = path
    case .prompt(let place): title = "prompt (\(place))"
    case .state(let path): title = path.isEmpty ? "what was written" : path
    case .schema, .model, .answer, .decision: title = difference.subject.name
    case .path: title = "its end"
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

  private func text(of value: Value) -> String {
    value.isNull ? "(nothing)" : others.line(value.string ?? value.json())
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
    let equal = comparison.isOutputEqual(left, right)
    let output = equal.map { $0 ? "the same" : "different" } ?? "not in both"
    let first = (left.timeline.totals, left.found)
    let second = (right.timeline.totals, right.found)
    let rows = [
      ["", "A", "B"],
      ["status", first.1.condition.rawValue, second.1.condition.rawValue],
      ["calls", calls(first.0), calls(second.0)],
      ["tokens", tokens(first.0), tokens(second.0)],
      ["dollars", "\(first.1.run.cost)", "\(second.1.run.cost)"],
      [
        "at work", durationText(milliseconds: left.timeline.activeMilliseconds),
        durationText(milliseconds: right.timeline.activeMilliseconds),
      ],
    ]
    let width = rows.map { displayWidth($0[1]) }.max() ?? 0
    return rows.map { row in
      let padding = String(repeating: " ", count: width - displayWidth(row[1]) + 3)
      return "\(style.dim(row[0].padded(to: 9)))\(row[1])\(padding)\(row[2])"
    } + ["\(style.dim("answer".padded(to: 9)))\(output)"]
  }

  private func calls(_ totals: RunTimeline.Totals) -> String {
    "\(totals.answered)" + (totals.reused > 0 ? " and \(totals.reused) reused" : "")
      + (totals.failed > 0 ? ", \(totals.failed) failed" : "")
      + (totals.doubted > 0 ? ", \(totals.doubted) in doubt" : "")
  }

  private func tokens(_ totals: RunTimeline.Totals) -> String {
    "\(totals.usage.input) + \(totals.usage.output)"
  }
}

import RasaCore
import RasaEngine
import RasaKit
import RasaStore
import RasaTerminal

/// A run's timeline as lines for people. Everything that others wrote is made ready for the output
/// before it is set off with colours.
struct TimelineText {
  let account: RunArchive.Account
  let style: Style
  let width: Int
  let isVerbose: Bool
  let time: TimeSource
  let others: UntrustedText

  private var timeline: RunTimeline { account.timeline }

  var lines: [String] {
    var lines = header
    for item in timeline.items {
      switch item {
      case .section(let section): lines += self.lines(of: section)
      case .notice(let notice): lines += ["", text(of: notice)]
      }
    }
    lines += ending
    let next = account.next
    if !next.isEmpty {
      lines.append("")
      lines += next.map { "\(style.dim("next"))  \(style.cyan($0))" }
    }
    return lines
  }

  // MARK: Header

  private var header: [String] {
    let run = account.found.run
    let totals = timeline.totals
    var rows = [
      ("run", style.bold(run.record.id.text)), ("persona", line(run.record.persona)),
      ("input", whole(run.record.input)),
      ("status", status),
    ]
    for attachment in timeline.start?.attachments ?? [] {
      rows.append(("file", line("\(attachment.line), sha256 \(attachment.digest.prefix(12))…")))
    }
    if let session = run.record.session { rows.append(("session", line(session))) }
    if let fork = timeline.start?.fork {
      let place = fork.sequence.map { ", from line \($0) on" } ?? ""
      let changes =
        fork.changes.isEmpty
        ? "" : ", with another \(fork.changes.keys.joined(separator: ", "))"
      rows.append(("fork of", line("\(fork.run)\(place)\(changes)")))
    }
    rows.append(
      (
        "began",
        "\(momentText(run.record.startedAt, time)), at work for "
          + durationText(milliseconds: timeline.activeMilliseconds)
      ))
    let held = totals.held > .zero ? ", \(totals.held) held" : ""
    rows.append(("money", "\(run.cost) spent\(held)"))
    rows.append(("calls", calls(totals)))
    return rows.map { "\(style.dim($0.0.padded(to: 8))) \($0.1)" }
  }

  private var status: String {
    let condition = account.found.condition
    let text = condition.text(waiting: account.found.run.waiting)
    switch condition {
    case .done: return style.green(text)
    case .failed, .died: return style.red(text)
    case .parked, .answered, .interrupted, .cancelled: return style.yellow(text)
    case .running: return style.cyan(text)
    }
  }

  private func calls(_ totals: RunTimeline.Totals) -> String {
    var parts = ["\(totals.answered) answered"]
    if totals.reused > 0 { parts.append("\(totals.reused) reused") }
    if totals.failed > 0 { parts.append("\(totals.failed) failed") }
    if totals.doubted > 0 { parts.append("\(totals.doubted) in doubt") }
    if totals.open > 0 { parts.append("\(totals.open) open") }
    let estimated = totals.usage.isReported ? "" : " (estimated)"
    return parts.joined(separator: ", ")
      + "; \(totals.usage.input) + \(totals.usage.output) tokens\(estimated)"
  }

  // MARK: Steps

  private func lines(of section: RunTimeline.Section) -> [String] {
    var title = line(frameTitle(section.frame))
    if section.visit > 1 { title += ", visit \(section.visit)" }
    if section.isContinued { title += ", continued" }
    var lines = ["", style.bold(title)]
    for pass in section.passes {
      let round = pass.step.round > 1 ? style.dim(", round \(pass.step.round)") : ""
      let rule = pass.isRule ? style.dim(" (rule)") : ""
      lines.append("  \(style.cyan(line(pass.step.operatorName)))\(rule)\(round)")
      for entry in pass.lines { lines += text(of: entry).map { "    \($0)" } }
      if pass.finished == nil, pass.lines.isEmpty { lines.append("    \(style.dim("not done"))") }
    }
    return lines
  }

  private func text(of entry: RunTimeline.Line) -> [String] {
    switch entry {
    case .call(let call): return text(of: call)
    case .question(let asked): return text(of: asked)
    case .wrote(let updates):
      return updates.indices.flatMap { index in
        let isSet = updates[..<index].contains { $0.path == updates[index].path }
        return text(of: updates[index], isSet: isSet)
      }
    case .skipped(let reason): return ["\(style.yellow("skipped:")) \(line(reason))"]
    case .moved(let move): return [text(of: move)]
    case .warned(let message): return ["\(style.yellow("warning:")) \(line(message))"]
    case .noticed(let notice): return [style.yellow("! ") + line(notice.line)]
    }
  }

  private func text(of move: RunTimeline.Move) -> String {
    "→ \(line(move.to))  \(style.dim("(\(line(move.reason)))"))"
  }

  /// - Parameter isSet: whether a fork put it in the place of what the operator wrote.
  private func text(of update: Update, isSet: Bool) -> [String] {
    let name = line(update.path.description) + (isSet ? ", set by the fork" : "")
    if isVerbose {
      let value = others.whole(update.value.promptText)
      return ["\(style.dim("\(name):"))"]
        + value.byteLines
        .map { "  \($0)" }
    }
    let value = update.value.string ?? update.value.json()
    return [
      "\(style.dim("\(name):")) \(others.opening(value, to: max(24, width - 8 - name.count)))"
    ]
  }

  private func text(of call: RunTimeline.Call) -> [String] {
    var facts = [line(call.name)]
    let label = call.key.label.prefix { $0 != "@" }
    if label != "call" { facts.append(line(String(label))) }
    if call.key.occurrence > 1 {
      // Of an answer that was continued, or asked for with more room, each part has a number.
      let isPart = label.split(separator: ".").contains { $0 == "more" || $0 == "again" }
      facts.append("\(isPart ? "no." : "try") \(call.key.occurrence)")
    }
    let tokens = "\(call.usage.input) + \(call.usage.output) tokens"
    let took = call.endedAt.map {
      durationText(milliseconds: $0.milliseconds - call.askedAt.milliseconds)
    }
    switch call.outcome {
    case .answered:
      facts += [tokens, "\(call.cost)"] + (took.map { [$0] } ?? [])
      if call.isMock, call.provider != "mock" { facts.append("mock") }
      if let ending = FinishReason(recorded: call.finish)?.words {
        facts.append(style.yellow(ending))
      }
      if let fallback = call.fallback {
        facts.append(style.yellow("instead of \(line(fallback.insteadOf))"))
      }
    case .reused(let from): facts += ["reused from \(line(from))", tokens]
    case .failed(let reason, let message):
      let why = [reason, message].filter { !$0.isEmpty }.joined(separator: ": ")
      facts += [
        style.red("failed") + (took.map { " after \($0)" } ?? ""), "\(call.cost)", line(why),
      ]
      if !call.text.isEmpty { facts.append("“\(others.opening(call.text, to: 60))” had arrived") }
    case .uncertain(let decision):
      facts += [
        style.yellow("in doubt"), "\(call.cost)",
        "unknown whether it was answered (\(line(decision)))",
      ]
    case .open:
      let isAlive = account.found.run.isAlive
      facts += [
        isAlive ? style.cyan("under way") : style.yellow("was under way when the process ended"),
        "\(call.cost) held",
      ]
    }
    return [facts.joined(separator: style.dim(" · "))]
  }

  private func text(of asked: RunTimeline.Asked) -> [String] {
    var lines: [String] = []
    if !asked.title.isEmpty {
      lines.append(
        "asked: \(others.opening(asked.title, to: max(24, width - 34)))  \(style.dim(line(asked.approval)))"
      )
    }
    guard let answer = asked.answer else {
      let until = asked.expiresAt.map { ", until \(time.localDay($0))" } ?? ""
      lines.append(
        style.yellow("waits for an answer") + " since \(momentText(asked.askedAt, time))\(until)")
      return lines
    }
    let name = line(answer.by)
    let verb =
      switch answer.decision {
      case .approve: style.green("approved")
      case .edit: style.green("edited")
      case .reject: style.red("rejected")
      case .feedback: style.yellow("corrected")
      case .answer: style.green("answered")
      }
    let when = asked.answeredAt.map { ", \(momentText($0, time))" } ?? ""
    let inherited = asked.isInherited ? ", in the run that this one is a fork of" : ""
    let said = answer.text.isNull ? "" : ": \(whole(answer.text.promptText))"
    let id = asked.title.isEmpty ? "  \(style.dim(line(asked.approval)))" : ""
    lines.append("\(name) \(verb) it\(when)\(inherited)\(said)\(id)")
    return lines
  }

  // MARK: Around them

  private func text(of notice: RunTimeline.Notice) -> String {
    let when = style.dim(momentText(notice.time, time))
    switch notice.kind {
    case .parked(let parking):
      let why =
        switch parking.reason {
        case .approval: "waits for \(parking.waitsFor.joined(separator: ", "))"
        case .interrupted: "interrupted"
        }
      return "\(style.yellow("parked:")) \(line(why)), \(when)"
    case .resumed(let by): return "\(style.yellow("resumed")) by \(line(by)), \(when)"
    case .changed(let changes): return "changed: \(line(changes.keys.joined(separator: ", ")))"
    case .warned(let message): return "\(style.yellow("warning:")) \(line(message))"
    case .moved(let move): return "\(line(move.from)) " + text(of: move)
    }
  }

  private var ending: [String] {
    switch timeline.end {
    case .open, .parked: return []
    case .finished(let output):
      return ["", "\(style.green("answer:")) \(whole(output.promptText))"]
    case .failed(let failure):
      var lines = ["", "\(style.red("failed:")) \(line(failure.message))"]
      lines += failure.details.map { "  \(line($0))" }
      if !failure.suggestion.isEmpty { lines.append("→ \(line(failure.suggestion))") }
      return lines
    }
  }

  /// On one line.
  private func line(_ text: String) -> String { others.line(text) }

  /// A text in full when that is wanted, else its beginning.
  private func whole(_ text: String) -> String {
    isVerbose ? others.whole(text) : others.opening(text, to: max(24, width - 12))
  }
}

extension FinishReason {
  /// What there is to say about an answer that ended so; nil for a whole one.
  fileprivate var words: String? {
    switch self {
    case .stop, .toolCalls: nil
    case .length, .cutOff: "cut off"
    case .filtered: "stopped by the content filter"
    case .refused: "declined"
    case .empty: "empty"
    }
  }
}

import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// A run's timeline as lines for people. Everything that others wrote is made ready for the output
/// before it is set off with colours.
struct TimelineText {
  let timeline: Rasa.Timeline
  let style: Style
  let width: Int
  let isVerbose: Bool
  let time: TimeSource
  let others: UntrustedText

  var lines: [String] {
    var lines = header
    for item in timeline.items {
      switch item {
      case .visit(let visit): lines += self.lines(of: visit)
      case .incident(let incident): lines += ["", text(of: incident)]
      }
    }
    lines += ending
    let next = timeline.next
    if !next.isEmpty {
      lines.append("")
      lines += next.map { "\(style.dim("next"))  \(style.cyan($0))" }
    }
    return lines
  }

  // MARK: Header

  private var header: [String] {
    let run = timeline.run
    var rows = [
      ("run", style.bold(run.id)), ("persona", line(run.persona)), ("input", whole(run.input)),
      ("status", status),
    ]
    for attachment in timeline.attachments {
      let size = byteCountText(attachment.byteCount)
      rows.append(
        (
          "file",
          line(
            "\(attachment.name) (\(attachment.summary), \(size)), "
              + "sha256 \(attachment.sha256.prefix(12))…")
        ))
    }
    if let session = run.session { rows.append(("session", line(session))) }
    if let asOf = timeline.asOf {
      rows.append(("as of", time.localDay(Timestamp(milliseconds: asOf)).description))
    }
    if let fork = timeline.fork {
      let place = fork.sequence.map { ", from line \($0) on" } ?? ""
      let changes =
        fork.changes.isEmpty ? "" : ", with another \(fork.changes.joined(separator: ", "))"
      rows.append(("fork of", line("\(fork.run)\(place)\(changes)")))
    }
    rows.append(
      ("began", "\(moment(run.startedAt)), at work for \(text(of: timeline.activeDuration))"))
    let held = timeline.totals.held > .zero ? ", \(timeline.totals.held) held" : ""
    rows.append(("money", "\(run.cost) spent\(held)"))
    rows.append(("calls", calls))
    if let problem = timeline.rulesProblem {
      rows.append(("rules", style.yellow(line("not shown: \(problem.message)"))))
    }
    return rows.map { "\(style.dim($0.0.padded(to: 8))) \($0.1)" }
  }

  private var status: String {
    let text = timeline.run.statusText
    switch timeline.run.status {
    case .done: return style.green(text)
    case .failed, .died: return style.red(text)
    case .running: return style.cyan(text)
    default: return style.yellow(text)
    }
  }

  private var calls: String {
    let totals = timeline.totals
    var parts = ["\(totals.answered) answered"]
    if totals.tools > 0 {
      parts.append("\(totals.tools) \(totals.tools == 1 ? "use" : "uses") of tools")
    }
    if totals.reused > 0 { parts.append("\(totals.reused) reused") }
    if totals.failed > 0 { parts.append("\(totals.failed) failed") }
    if totals.uncertain > 0 { parts.append("\(totals.uncertain) in doubt") }
    if totals.open > 0 { parts.append("\(totals.open) open") }
    let estimated = totals.isReported ? "" : " (estimated)"
    return parts.joined(separator: ", ")
      + "; \(totals.inputTokens) + \(totals.outputTokens) tokens\(estimated)"
  }

  private func moment(_ milliseconds: Int64) -> String {
    momentText(Timestamp(milliseconds: milliseconds), time)
  }

  private func text(of duration: Duration) -> String {
    durationText(milliseconds: duration.milliseconds)
  }

  // MARK: Steps

  private func lines(of visit: Rasa.Timeline.Visit) -> [String] {
    var title = line(visit.title)
    if visit.number > 1 { title += ", visit \(visit.number)" }
    if visit.isContinued { title += ", continued" }
    var lines = ["", style.bold(title)]
    for pass in visit.passes {
      let round = pass.step.round > 1 ? style.dim(", round \(pass.step.round)") : ""
      let rule = pass.isRule ? style.dim(" (rule)") : ""
      lines.append("  \(style.cyan(line(pass.step.name)))\(rule)\(round)")
      for entry in pass.entries { lines += text(of: entry).map { "    \($0)" } }
      if !pass.isFinished, pass.entries.isEmpty { lines.append("    \(style.dim("not done"))") }
    }
    return lines
  }

  private func text(of entry: Rasa.Timeline.Entry) -> [String] {
    switch entry {
    case .call(let call): return text(of: call)
    case .question(let question): return text(of: question)
    case .wrote(let updates):
      return updates.indices.flatMap { index in
        let isSet = updates[..<index].contains { $0.path == updates[index].path }
        return text(of: updates[index], isSet: isSet)
      }
    case .skipped(let reason): return ["\(style.yellow("skipped:")) \(line(reason))"]
    case .permission(let made):
      let by = made.grant.map { ", grant \($0)" } ?? ""
      let verb = made.isRefused ? style.yellow("refused:") : style.dim("allowed:")
      return ["\(verb) \(line("\(made.tool): \(made.because)\(by)"))"]
    case .recalled(let recall): return text(of: recall)
    case .moved(let move): return [text(of: move)]
    case .warning(let message): return ["\(style.yellow("warning:")) \(line(message))"]
    case .notice(let notice): return [style.yellow("! ") + line(notice.line)]
    }
  }

  private func text(of move: Rasa.Timeline.Move) -> String {
    "→ \(line(move.to))  \(style.dim("(\(line(move.reason)))"))"
  }

  /// What had no room, and in which bound.
  private func text(of recall: Rasa.Timeline.Recall) -> [String] {
    var lines: [String] = []
    for (bound, most) in [("items", recall.mostItems), ("tokens", recall.mostTokens)] {
      let cut = recall.leftOut.filter { $0.because == bound }
      guard !cut.isEmpty else { continue }
      let reason =
        bound == "items"
        ? "of at most \(most) items" : "in \(most) tokens, of which \(recall.tokens) are used"
      lines.append("\(style.yellow("left out:")) \(cut.count) had no room, \(reason)")
      for item in isVerbose ? cut[...] : cut.prefix(3) {
        lines.append("  #\(item.id) \(others.opening(item.text, to: max(24, width - 16)))")
      }
    }
    return lines
  }

  /// Each item with why it is there.
  private func text(ofMemories memories: [Rasa.JSON], _ name: String) -> [String] {
    guard !memories.isEmpty else { return ["\(style.dim("\(name):")) nothing"] }
    var lines = ["\(style.dim("\(name):")) \(memories.count)"]
    for memory in memories {
      let id = memory["id"].int.map { "#\($0) " } ?? ""
      let kind = memory["kind"].string ?? "fact"
      let trust = memory["trust"].string.map { ", \($0)" } ?? ""
      lines.append(
        "  \(id)\(style.cyan(line(kind + trust))) "
          + others.opening(memory["text"].string ?? memory.text, to: max(24, width - 24)))
      var facts: [String] = []
      if memory["stated"].bool == true { facts.append("stated by the person") }
      if let score = memory["score"].double { facts.append("score \(score)") }
      for share in memory["shares"].array ?? [] {
        let words = (share["words"].array ?? []).compactMap(\.string)
        let matched = words.isEmpty ? "" : " (\(words.joined(separator: ", ")))"
        facts.append("\(share["reason"].text) \(share["value"].text)\(matched)")
      }
      if let source = memory["source"].string {
        facts.append(source == "by-hand" ? "added by hand" : "from \(source)")
      }
      if !facts.isEmpty { lines.append("    \(style.dim(line(facts.joined(separator: ", "))))") }
    }
    return lines
  }

  /// - Parameter isSet: whether a fork put it in the place of what the operator wrote.
  private func text(of update: Rasa.Timeline.Write, isSet: Bool) -> [String] {
    let name = line(update.path) + (isSet ? ", set by the fork" : "")
    if update.path == "context.memories", let memories = update.value.array, !isSet {
      return text(ofMemories: memories, name)
    }
    if isVerbose {
      let value = others.whole(update.value.text)
      return ["\(style.dim("\(name):"))"]
        + value.byteLines
        .map { "  \($0)" }
    }
    let value = update.value.string ?? update.value.description
    return [
      "\(style.dim("\(name):")) \(others.opening(value, to: max(24, width - 8 - name.count)))"
    ]
  }

  /// A hook costs no tokens and no money.
  private func text(ofHook call: Rasa.Timeline.Call) -> String {
    let point = call.label.split(separator: ":").dropFirst().first.map { " at \($0)" } ?? ""
    var facts = [line("hook \(call.model)\(point)")]
    switch call.outcome {
    case .answered, .reused:
      facts.append(
        call.text == "{}" ? "passed" : others.opening(call.text, to: max(24, width - 40)))
    case .failed(_, let message): facts.append("\(style.red("failed:")) \(line(message))")
    case .uncertain, .open: facts.append(style.yellow("its answer is not recorded"))
    }
    if case .reused(let from) = call.outcome { facts.append("reused from \(line(from))") }
    if let took = call.duration { facts.append(text(of: took)) }
    return facts.joined(separator: style.dim(" · "))
  }

  private func text(of call: Rasa.Timeline.Call) -> [String] {
    if call.provider == "hook" { return [text(ofHook: call)] }
    var facts = [line("\(call.provider):\(call.model)")]
    if call.label != "call" { facts.append(line(call.label)) }
    if call.attempt > 1 {
      // Of an answer that was continued, or asked for with more room, each part has a number.
      let isPart = call.label.split(separator: ".").contains { $0 == "more" || $0 == "again" }
      facts.append("\(isPart ? "no." : "try") \(call.attempt)")
    }
    if call.provider == "tool" { return text(ofTool: call) }
    let tokens = "\(call.inputTokens) + \(call.outputTokens) tokens"
    let took = call.duration.map { text(of: $0) }
    switch call.outcome {
    case .answered:
      facts += [tokens, "\(call.cost)"] + (took.map { [$0] } ?? [])
      if call.isMock, call.provider != "mock" { facts.append("mock") }
      if let ending = Self.words[call.finish] { facts.append(style.yellow(ending)) }
      if let other = call.insteadOf { facts.append(style.yellow("instead of \(line(other))")) }
      if !call.toolCalls.isEmpty {
        facts.append("calls \(line(call.toolCalls.joined(separator: ", ")))")
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
      facts += [
        timeline.run.isAlive
          ? style.cyan("under way") : style.yellow("was under way when the process ended"),
        "\(call.cost) held",
      ]
    }
    return [facts.joined(separator: style.dim(" · "))]
  }

  /// What it was used with, and what came of it.
  private func text(ofTool call: Rasa.Timeline.Call) -> [String] {
    var facts = [line("tool:\(call.model)")]
    if call.attempt > 1 { facts.append("try \(call.attempt)") }
    let given = call.arguments.isNull ? "" : line(call.arguments.description)
    if !given.isEmpty {
      facts.append(isVerbose ? given : others.opening(call.arguments.description, to: 60))
    }
    if let took = call.duration { facts.append(text(of: took)) }
    switch call.outcome {
    case .answered: if call.isError { facts.append(style.red("failed")) }
    case .reused(let from): facts.append("reused from \(line(from))")
    case .failed(let reason, let message):
      let why = [reason, message].filter { !$0.isEmpty }.joined(separator: ": ")
      facts += [style.red("failed"), line(why)]
    case .uncertain(let decision):
      facts += [style.yellow("in doubt"), "unknown whether it was done (\(line(decision)))"]
    case .open:
      facts.append(
        timeline.run.isAlive
          ? style.cyan("under way") : style.yellow("was under way when the process ended"))
    }
    let first = facts.joined(separator: style.dim(" · "))
    guard !call.text.isEmpty else { return [first] }
    guard isVerbose else {
      return [first, "  \(others.opening(call.text, to: max(24, width - 10)))"]
    }
    return [first] + others.whole(call.text).byteLines.map { "  \($0)" }
  }

  private func text(of asked: Rasa.Timeline.Question) -> [String] {
    var lines: [String] = []
    if !asked.title.isEmpty {
      lines.append(
        "asked: \(others.opening(asked.title, to: max(24, width - 34)))  \(style.dim(line(asked.approval)))"
      )
    }
    guard let answer = asked.answer else {
      let until =
        asked.expiresAt.map { ", until \(time.localDay(Timestamp(milliseconds: $0)))" } ?? ""
      lines.append(
        style.yellow("waits for an answer") + " since \(moment(asked.askedAt))\(until)")
      return lines
    }
    let name = line(answer.by)
    let verb =
      switch answer.decision {
      case "approve": style.green("approved")
      case "edit": style.green("edited")
      case "reject": style.red("rejected")
      case "feedback": style.yellow("corrected")
      default: style.green("answered")
      }
    let when = asked.answeredAt.map { ", \(moment($0))" } ?? ""
    let inherited = asked.isInherited ? ", in the run that this one is a fork of" : ""
    let said = answer.text.isNull ? "" : ": \(whole(answer.text.text))"
    let id = asked.title.isEmpty ? "  \(style.dim(line(asked.approval)))" : ""
    lines.append("\(name) \(verb) it\(when)\(inherited)\(said)\(id)")
    return lines
  }

  // MARK: Around them

  private func text(of incident: Rasa.Timeline.Incident) -> String {
    let when = style.dim(moment(incident.time))
    switch incident.kind {
    case .parked(let waitsFor):
      return "\(style.yellow("parked:")) "
        + line("waits for \(waitsFor.joined(separator: ", "))") + ", \(when)"
    case .interrupted: return "\(style.yellow("parked:")) interrupted, \(when)"
    case .resumed(let by): return "\(style.yellow("resumed")) by \(line(by)), \(when)"
    case .changed(let keys): return "changed: \(line(keys.joined(separator: ", ")))"
    case .warning(let message): return "\(style.yellow("warning:")) \(line(message))"
    case .moved(let move): return "\(line(move.from)) " + text(of: move)
    }
  }

  private var ending: [String] {
    switch timeline.ending {
    case .open, .parked: return []
    case .finished(let output):
      return ["", "\(style.green("answer:")) \(whole(output.text))"]
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

  /// What there is to say about an answer that ended so; nothing about a whole one.
  private static let words = [
    "length": "cut off", "cut_off": "cut off", "filtered": "stopped by the content filter",
    "refused": "declined", "empty": "empty",
  ]
}

extension Rasa.Timeline {
  /// The commands that can be given now.
  var next: [String] {
    guard !run.personaDigest.isEmpty else { return [] }
    switch run.status {
    case .parked:
      return openQuestions.flatMap { asked in
        ["rasa approvals show \(asked.approval)", "rasa approvals approve \(asked.approval)"]
      }
    case .answered, .interrupted, .died: return ["rasa resume \(run.id)"]
    case .failed: return ["rasa resume \(run.id)", "rasa runs fork \(run.id)"]
    case .running: return ["rasa runs events \(run.id) --follow", "rasa runs cancel \(run.id)"]
    default: return []
    }
  }
}

extension Duration {
  /// Whole milliseconds.
  var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}

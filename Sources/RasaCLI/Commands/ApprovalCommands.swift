import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// `rasa approvals …`: what runs ask of people, answered from anywhere.
struct ApprovalCommands {
  let rasa: Rasa
  let console: Console
  let print: Printer
  let style: Style

  private let time = TimeSource.system

  func run(_ command: ParsedCommand) async throws {
    switch command.path.last {
    case "list": try await list(command)
    case "show": try await show(command.arguments[0])
    case "grants": try await grants(command)
    default: try await answer(command)
    }
  }

  // MARK: Looking

  private func list(_ command: ParsedCommand) async throws {
    let all = command.flag("all")
    let limit = command.integer("limit") ?? 20
    let records =
      limit > 0
      ? try await rasa.approvals(ofRun: command.text("run"), includingSettled: all, limit: limit)
      : []
    try print(
      Table(
        columns: ["ID", "RUN", "ASKED BY", "ASKED", all ? "STANDING" : "UNTIL", "QUESTION"],
        rows: records.map { record in
          [
            record.id, record.approval.run, record.approval.step.name, moment(record.askedAt),
            all
              ? standing(record)
              : record.isEscalated ? "escalated" : record.expiresAt.map { until($0) } ?? "-",
            print.others.opening(record.approval.title, to: 200),
          ]
        },
        values: records.map { Value($0.json) },
        whenEmpty: all ? "no questions yet" : "no open questions"))
  }

  /// What people have allowed for sessions and runs, or one of these taken back.
  private func grants(_ command: ParsedCommand) async throws {
    if let id = command.text("revoke") {
      let grant = try await rasa.revoke(grant: id, as: command.text("user"))
      if print.isJSON { return try print(Value(grant.json)) }
      return try print.output.write(
        print.others.whole(
          "revoked: \(grant.id); what it covered is asked about again\n"))
    }
    let grants = try await rasa.grants(
      includingRevoked: command.flag("all"), limit: command.integer("limit") ?? 20)
    try print(
      Table(
        columns: ["ID", "HOLDS IN", "BY", "GIVEN", "RULE"],
        rows: grants.map { grant in
          [
            grant.id,
            grant.revokedBy.map { "revoked by \($0)" }
              ?? grant.session.map { "the session \($0)" } ?? "the run \(grant.run)",
            grant.by, moment(grant.madeAt),
            escaped(grant.rule).split(separator: "\n").joined(separator: "; "),
          ]
        },
        values: grants.map { Value($0.json) }, whenEmpty: "nothing is granted"))
  }

  private func show(_ word: String) async throws {
    let record = try await rasa.approval(withID: word)
    let approval = record.approval
    let run = try await rasa.run(withID: approval.run)
    if print.isJSON {
      var document = Value(record.json).object ?? ValueObject()
      document["input"] = .string(run.input)
      document["persona"] = .string(run.persona)
      document["cost_usd"] = .string(run.cost.decimalText)
      return try print(.object(document))
    }
    var rows = [
      ("approval", style.bold(record.id)),
      ("asked by", escaped(approval.asker)),
      ("run", approval.run), ("persona", escaped(run.persona)),
      ("input", print.others.opening(run.input, to: max(24, print.width - 11))),
      ("cost", "\(run.cost) so far"), ("asked", moment(record.askedAt)),
    ]
    if let expires = record.expiresAt, record.status == .pending {
      rows.append(("until", until(expires)))
    }
    if approval.isPermission {
      rows.append(("tool", escaped(approval.tool ?? "")))
      rows.append(("at stake", escaped(approval.risk)))
      rows.append(("why", escaped(approval.because)))
      for source in approval.sources { rows.append(("", escaped(source))) }
      if approval.people > 1 {
        let so =
          record.approvedBy.isEmpty ? "nobody" : record.approvedBy.joined(separator: ", ")
        rows.append(
          ("people", escaped("\(approval.people) have to approve; approved so far by \(so)")))
      }
    }
    rows.append(("standing", standing(record)))
    var lines = rows.map { "\(style.dim($0.0.padded(to: 9))) \($0.1)" }
    for context in approval.context where context.name != "input" {
      lines += ["", style.dim("\(escaped(context.name)):"), exact(context.text)]
    }
    lines += ["", style.bold(escaped(approval.title))]
    if approval.wantsAnswer {
      lines += approval.fields.map { member in
        let optional = member.isRequired ? "" : ", may be left out"
        return escaped(
          "  \(member.name) (\(member.hint)\(optional))"
            + (member.description.isEmpty ? "" : "  \(member.description)"))
      }
      if let standard = approval.standard {
        lines.append(style.dim("unless somebody answers: ") + escaped(standard))
      }
    } else {
      // The payload is what counts: every character of it is seen, hidden ones as their numbers.
      lines += [
        style.dim(
          approval.isPermission
            ? "its exact arguments:"
            : "\(approval.subject), as it is now (sha256 \(record.payloadDigest.prefix(12))):"),
        exact(approval.shownText),
      ]
      if let rule = approval.proposedGrant {
        lines += [
          "", style.dim("what `approve --session` would allow from then on:"), exact(rule),
        ]
      }
      if let leads = approval.consequences {
        let choices = [
          ("approve", leads.approve), ("edit", leads.edit), ("reject", leads.reject),
          ("feedback", leads.feedback),
        ]
        lines.append("")
        lines += choices.map { escaped("\($0.0.padded(to: 9)) \($0.1)") }
      }
    }
    if record.status == .pending {
      lines.append("")
      for verb in approval.wantsAnswer
        ? ["answer", "reject"] : ["approve", "edit", "reject", "feedback"]
      {
        let more =
          switch verb {
          case "reject": " --reason \"…\""
          case "feedback": " \"…\""
          case "answer":
            approval.schema == nil
              ? " --text \"…\"" : approval.fields.map { " --value \($0.name)=…" }.joined()
          default: ""
          }
        lines.append(
          "\(style.dim("next"))  \(style.cyan("rasa approvals \(verb) \(record.id)\(more)"))")
      }
    }
    try print.output.write(lines.joined(separator: "\n") + "\n")
  }

  /// In a pipe, too: behind it is a pager or a file that a person decides by. `--json` has the bytes.
  private func escaped(_ text: String) -> String { TerminalText.exact(text) }

  /// Behind a rule at the left edge, so that nothing of it can pass for a line of this page.
  private func exact(_ text: String) -> String {
    let columns =
      Terminal(console.environment).columns(of: .output).map { max($0 - 3, 8) } ?? .max
    return TerminalText.exactRows(text, columns: columns).joined(separator: "\n")
  }

  private func moment(_ milliseconds: Int64) -> String {
    momentText(Timestamp(milliseconds: milliseconds), time)
  }

  /// Until when: in minutes and hours where it is soon.
  private func until(_ milliseconds: Int64) -> String {
    let left = (milliseconds - time.now().milliseconds) / 60_000
    switch left {
    case ..<0: return "\(time.localDay(Timestamp(milliseconds: milliseconds)))"
    case 0: return "less than 1 min"
    case 1..<120: return "in \(left) min"
    case 120..<2880: return "in \(left / 60) h"
    default: return "\(time.localDay(Timestamp(milliseconds: milliseconds)))"
    }
  }

  private func standing(_ record: Rasa.ApprovalRecord) -> String {
    switch record.status {
    case .pending:
      return record.isEscalated
        ? "escalated: nobody answered in time, and it still waits" : "waits for an answer"
    case .expired: return "expired"
    case .withdrawn: return "withdrawn: the run no longer waits for it"
    default:
      let text =
        record.answer.isNull
        ? "" : ": \(print.others.opening(Value(record.answer).promptText, to: 60))"
      return print.others.line("\(decision(on: record))\(text)")
    }
  }

  /// Who decided what, and when.
  private func decision(on record: Rasa.ApprovalRecord) -> String {
    "\(record.answeredBy ?? ""): \(record.decision ?? ""), \(moment(record.answeredAt ?? 0))"
  }

  // MARK: Answering

  private func answer(_ command: ParsedCommand) async throws {
    let record = try await rasa.approval(withID: command.arguments[0])
    // Nobody is to write a text that cannot count any more.
    guard record.status == .pending else { throw try await late(record) }
    let decision = try await decision(command, on: record.approval)
    guard decision != .later else {
      throw Failure(
        .approval, "nothing was answered: \(record.id) is still open",
        suggestion: record.approval.wantsAnswer
          ? "`rasa approvals answer \(record.id)` answers it"
          : "`rasa approvals approve \(record.id)` approves it unchanged")
    }
    let answered = try await give(decision, to: record, as: command.text("user"))
    let settings = RunSettings(goingOnBy: command)
    if answered.status == .pending { return try printCounted(answered, settings.format) }
    let run = try await rasa.run(withID: record.approval.run)
    let recorded =
      "recorded: \(answered.answeredBy ?? "") \(Self.past[answered.decision ?? ""] ?? "answered") "
      + record.id
    // Its tools are used with the rights of whom it belongs to, not of whoever agrees.
    let isLater = command.flag("later") || !rasa.ownsDatabase
    if settings.format != .text, run.isAlive || isLater {
      return try printRecorded(answered, run, settings.format)
    }
    if run.isAlive {
      return try print.output.write(
        print.others.whole(
          "\(recorded); the process that runs \(run.id) will use the answer\n"))
    }
    if isLater {
      let waiting = run.openQuestions
      let rest = waiting > 0 ? ", which has \(waiting) more open" : ""
      return try print.output.write(
        print.others.whole(
          "\(recorded); `rasa resume \(run.id)`"
            + (rasa.ownsDatabase ? "" : ", typed by its user,") + " continues the run\(rest)\n"))
    }
    if !settings.isQuiet { try console.note(printable("rasa: \(recorded)\n")) }
    try rasa.warmUp()
    try await ResumeCommand(launch: Launch(rasa: rasa, console: console), print: print)
      .resume(run, settings)
  }

  /// One of several people has approved.
  private func printCounted(_ record: Rasa.ApprovalRecord, _ format: OutputFormat) throws {
    guard format == .text else {
      var document = Value(record.json).object ?? ValueObject()
      if format == .streamJSON { document["type"] = "recorded" }
      return try print.output.write(
        Value.object(document).json(format == .streamJSON ? .compact : .pretty) + "\n")
    }
    let left = record.approval.people - record.approvedBy.count
    try print.output.write(
      print.others.whole(
        "recorded: \(record.approvedBy.last ?? "") approved \(record.id); "
          + "\(left) more \(left == 1 ? "person has" : "people have") to approve it\n"))
  }

  private func give(
    _ decision: Rasa.Decision, to record: Rasa.ApprovalRecord, as user: String?
  ) async throws -> Rasa.ApprovalRecord {
    do {
      return try await rasa.answer(approval: record.id, decision, as: user)
    } catch {
      guard error.code == .approval else { throw error }
      let now = try await rasa.approval(withID: record.id)
      // It still waits: this person has answered already.
      guard now.status != .pending else { throw error }
      throw try await late(now)
    }
  }

  private static let past = [
    "approve": "approved", "edit": "edited", "reject": "rejected", "feedback": "corrected",
  ]

  /// For a program: the question as it stands now, and what becomes of its run.
  private func printRecorded(
    _ record: Rasa.ApprovalRecord, _ run: Rasa.RunSummary, _ format: OutputFormat
  ) throws {
    var document = Value(record.json).object ?? ValueObject()
    document["run_is_alive"] = .bool(run.isAlive)
    document["still_waiting"] = .int(Int64(run.openQuestions))
    document["resume"] = run.isAlive ? .null : .string("rasa resume \(run.id)")
    if format == .streamJSON { document["type"] = "recorded" }
    try print.output.write(
      Value.object(document).json(format == .streamJSON ? .compact : .pretty) + "\n")
  }

  /// `.later` when nothing was decided. Throws where it does not fit the question.
  private func decision(
    _ command: ParsedCommand, on approval: Rasa.Approval
  ) async throws -> Rasa.Decision {
    switch command.path.last {
    case "approve":
      if command.flag("session") || command.text("pattern") != nil {
        return try checked(.grant(command.text("pattern")), on: approval)
      }
      return try checked(.approve, on: approval)
    case "reject": return .reject(reason: command.text("reason") ?? "")
    case "feedback":
      let text = command.arguments.dropFirst().joined(separator: " ")
      return try checked(.feedback(text), on: approval)
    case "answer": return try await reply(command, to: approval)
    default: break
    }
    if let text = command.text("text") { return try checked(.edit(text), on: approval) }
    if let file = command.text("file") {
      return try checked(.edit(try readText(file)), on: approval)
    }
    return try await edited(approval)
  }

  private func checked(
    _ decision: Rasa.Decision, on approval: Rasa.Approval
  ) throws(RasaError) -> Rasa.Decision {
    try approval.check(decision)
    return decision
  }

  /// What an operator asked the user for: from the command line, a file, or the person here.
  private func reply(
    _ command: ParsedCommand, to approval: Rasa.Approval
  ) async throws -> Rasa.Decision {
    // An answer to a review is refused before anybody has to write it.
    if !approval.wantsAnswer { try approval.check(.answer("")) }
    if let text = command.text("text") { return try checked(.answer(text), on: approval) }
    if let file = command.text("file") {
      return try checked(.answer(try readText(file)), on: approval)
    }
    var members = Rasa.Pairs<String>()
    for text in command.texts("value") {
      guard let end = text.utf8.firstIndex(of: UInt8(ascii: "=")) else { continue }
      members[String(text[..<end])] = String(text[text.utf8.index(after: end)...])
    }
    if !members.isEmpty { return try checked(.members(members), on: approval) }
    let prompt = ApprovalPrompt(environment: console.environment, style: style)
    guard Terminal(console.environment).inputIsTerminal, prompt.isPossible else {
      throw Failure(
        .usage, "there is no terminal to answer on",
        suggestion: "add `--text \"…\"`, `--value NAME=VALUE`, or `--file FILE`")
    }
    return try await prompt.answer(to: approval)
  }

  /// In the person's editor, again and again until it fits; `.later` when nothing was changed.
  private func edited(_ approval: Rasa.Approval) async throws -> Rasa.Decision {
    guard Terminal(console.environment).inputIsTerminal else {
      throw Failure(
        .usage, "there is no terminal for an editor",
        suggestion: "add `--text \"…\"`, or `--file FILE`, where `-` reads standard input")
    }
    let before = approval.text
    let editor = TextEditor(environment: console.environment)
    var text = before
    while true {
      guard let written = try await editor.edit(text, terminal: 0) else {
        throw Failure(.usage, "the editor ended with an error", suggestion: "nothing was answered")
      }
      // Editors end a text with a line end, whether it had one or not.
      text =
        written.hasSuffix("\n") && !before.hasSuffix("\n") ? String(written.dropLast()) : written
      if text == before { return .later }
      do throws(RasaError) {
        return try checked(.edit(text), on: approval)
      } catch {
        try console.note("rasa: \(printable(error.description))\n")
        let reader = LineReader(history: nil, environment: console.environment)
        guard case .text(let line) = try await reader.nextLine(prompt: "Edit it again? [Y/n] "),
          ["", "y", "yes"].contains(line.lowercased())
        else { throw error }
      }
    }
  }

  /// Why an answer does not count any more.
  private func late(_ record: Rasa.ApprovalRecord) async throws -> Failure {
    let run = try await rasa.run(withID: record.approval.run)
    let id = run.id
    let canContinue = run.status.canResume || run.status == .parked
    switch record.status {
    case .answered:
      return Failure(
        .approval,
        "\(record.answeredBy ?? "") already answered it: \(record.decision ?? ""), "
          + moment(record.answeredAt ?? 0),
        suggestion: canContinue
          ? "`rasa resume \(id)` continues the run"
          : "the run is \(run.status): `rasa runs show \(id)`")
    case .expired:
      return Failure(
        .approval, "\(record.id) has expired without an answer",
        suggestion: canContinue || run.status == .failed
          ? "`rasa resume \(id)` asks again" : "the run is \(run.status)")
    default:
      return Failure(
        .approval, "the run no longer waits for it: \(id) is \(run.status)",
        suggestion: "`rasa runs show \(id)` shows what it did")
    }
  }
}

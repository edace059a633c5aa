import RasaCore
import RasaEngine
import RasaKit
import RasaStore
import RasaSystem
import RasaTerminal

/// `rasa approvals …`: what runs ask of people, answered from anywhere.
struct ApprovalCommands {
  let composition: CompositionRoot
  let store: any RunStore
  let print: Printer
  let style: Style

  private var archive: RunArchive { RunArchive(composition: composition, store: store) }

  func run(_ command: ParsedCommand) async throws {
    switch command.path.last {
    case "list": try await list(command)
    case "show": try await show(command.arguments[0])
    default: try await answer(command)
    }
  }

  // MARK: Looking

  private func list(_ command: ParsedCommand) async throws {
    var run: Identifier? = nil
    if let word = command.text("run") { run = try await archive.find(word).id }
    let all = command.flag("all")
    let approvals = try await store.approvals(
      ApprovalFilter(onlyPending: !all, run: run), limit: command.integer("limit") ?? 20)
    try print(
      Table(
        columns: ["ID", "RUN", "ASKED BY", "ASKED", all ? "STANDING" : "UNTIL", "QUESTION"],
        rows: approvals.map { approval in
          [
            approval.id, approval.run.text, approval.question.key.operatorName,
            momentText(approval.askedAt, composition.time),
            all
              ? standing(approval)
              : approval.expiresAt.map { "\(composition.time.localDay($0))" } ?? "-",
            print.others.opening(approval.question.title, to: 200),
          ]
        },
        values: approvals.map(\.document),
        whenEmpty: all ? "no questions yet" : "no open questions"))
  }

  private func show(_ word: String) async throws {
    let approval = try await archive.approval(word)
    let run = try await store.run(approval.run.text)
    if print.isJSON {
      var document = approval.document.object ?? ValueObject()
      document["input"] = run.map { .string($0.record.input) } ?? .null
      document["persona"] = run.map { .string($0.record.persona) } ?? .null
      document["cost_usd"] = run.map { .string($0.cost.decimalText) } ?? .null
      return try print(.object(document))
    }
    let question = approval.question
    var rows = [
      ("approval", style.bold(approval.id)),
      ("asked by", escaped("\(question.key.operatorName) in \(frameTitle(question.key.frame))")),
      ("run", approval.run.text),
    ]
    if let run {
      rows.append(("persona", escaped(run.record.persona)))
      rows.append(("input", print.others.opening(run.record.input, to: max(24, print.width - 11))))
      rows.append(("cost", "\(run.cost) so far"))
    }
    rows.append(("asked", momentText(approval.askedAt, composition.time)))
    if let expires = approval.expiresAt, approval.standing == .pending {
      rows.append(("until", "\(composition.time.localDay(expires))"))
    }
    rows.append(("standing", standing(approval)))
    var lines = rows.map { "\(style.dim($0.0.padded(to: 9))) \($0.1)" }
    for context in question.context where context.name != "input" {
      lines += ["", style.dim("\(escaped(context.name)):"), exact(context.text)]
    }
    lines += ["", style.bold(escaped(question.title))]
    if question.form == .answer {
      lines += question.members.map { member in
        let optional = member.isRequired ? "" : ", may be left out"
        return escaped(
          "  \(member.name) (\(member.hint)\(optional))"
            + (member.description.isEmpty ? "" : "  \(member.description)"))
      }
      if let standard = question.standard {
        lines.append(style.dim("unless somebody answers: ") + escaped(standard.promptText))
      }
    } else {
      // The payload is what counts: every character of it is seen, hidden ones as their numbers.
      lines += [
        style.dim(
          "\(question.subject), as it is now (sha256 \(approval.payloadDigest.prefix(12))):"),
        exact(question.text),
      ]
      if let leads = question.consequences {
        let choices = [
          ("approve", leads.approve), ("edit", leads.edit), ("reject", leads.reject),
          ("feedback", leads.feedback),
        ]
        lines.append("")
        lines += choices.map { escaped("\($0.0.padded(to: 9)) \($0.1)") }
      }
    }
    if approval.standing == .pending {
      lines.append("")
      let isAsked = question.form == .answer
      for verb in isAsked ? ["answer", "reject"] : ["approve", "edit", "reject", "feedback"] {
        let more =
          switch verb {
          case "reject": " --reason \"…\""
          case "feedback": " \"…\""
          case "answer":
            question.schema == nil
              ? " --text \"…\""
              : question.members.map {
                " --value \($0.name)=…"
              }.joined()
          default: ""
          }
        lines.append(
          "\(style.dim("next"))  \(style.cyan("rasa approvals \(verb) \(approval.id)\(more)"))")
      }
    }
    try print.output.write(lines.joined(separator: "\n") + "\n")
  }

  /// In a pipe, too: behind it is a pager or a file that a person decides by. `--json` has the bytes.
  private func escaped(_ text: String) -> String { TerminalText.exact(text) }

  /// Behind a rule at the left edge, so that nothing of it can pass for a line of this page.
  private func exact(_ text: String) -> String {
    let columns =
      Terminal(composition.environment).columns(of: .output).map { max($0 - 3, 8) } ?? .max
    return TerminalText.exactRows(text, columns: columns).joined(separator: "\n")
  }

  private func standing(_ approval: Approval) -> String {
    switch approval.standing {
    case .pending: return "waits for an answer"
    case .expired: return "expired"
    case .withdrawn: return "withdrawn: the run no longer waits for it"
    case .answered(let answer, let moment):
      let said =
        answer.text.isNull ? "" : ": \(print.others.opening(answer.text.promptText, to: 60))"
      return print.others.line(
        "\(answer.by): \(answer.decision.rawValue), \(momentText(moment, composition.time))\(said)")
    }
  }

  // MARK: Answering

  private func answer(_ command: ParsedCommand) async throws {
    let approval = try await archive.approval(command.arguments[0])
    // Nobody is to write a text that cannot count any more.
    guard approval.standing == .pending else { throw try await late(approval) }
    let user = composition.user(command.text("user"))
    guard let answer = try await answer(command, to: approval.question, by: user) else {
      throw Failure(
        .approval, "nothing was answered: \(approval.id) is still open",
        suggestion: approval.question.form == .answer
          ? "`rasa approvals answer \(approval.id)` answers it"
          : "`rasa approvals approve \(approval.id)` approves it unchanged")
    }
    let shown = answer.having(shown: approval.payloadDigest)
    switch try await store.answer(approval.id, shown) {
    case .unknown: throw Failure(.usage, "\(approval.id) has been deleted")
    case .late(let known): throw try await late(known)
    case .accepted: break
    }
    let settings = RunSettings(goingOnBy: command)
    let run = try await archive.find(approval.run.text)
    let recorded = "recorded: \(user) \(answer.decision.past) \(approval.id)"
    if settings.format != .text, run.run.isAlive || command.flag("later") {
      return try await printRecorded(approval.id, run, settings.format)
    }
    if run.run.isAlive {
      return try print.output.write(
        print.others.whole(
          "\(recorded); the process that runs \(run.id) will use the answer\n"))
    }
    if command.flag("later") {
      let waiting = run.run.waiting
      let rest = waiting > 0 ? ", which has \(waiting) more open" : ""
      return try print.output.write(
        print.others.whole("\(recorded); `rasa resume \(run.id)` continues the run\(rest)\n"))
    }
    if !settings.isQuiet { try composition.note(printable("rasa: \(recorded)\n")) }
    let rasa = Rasa(composition, store)
    try rasa.warmUp()
    try await ResumeCommand(launch: Launch(rasa: rasa, console: composition.console), print: print)
      .resume(Rasa.RunSummary(run), settings)
  }

  /// For a program: the question as it stands now, and what becomes of its run.
  private func printRecorded(
    _ approval: String, _ run: RunArchive.Found, _ format: OutputFormat
  ) async throws {
    var document = try await archive.approval(approval).document.object ?? ValueObject()
    document["run_is_alive"] = .bool(run.run.isAlive)
    document["still_waiting"] = .int(Int64(run.run.waiting))
    document["resume"] = run.run.isAlive ? .null : .string("rasa resume \(run.id)")
    if format == .streamJSON { document["type"] = "recorded" }
    try print.output.write(
      Value.object(document).json(format == .streamJSON ? .compact : .pretty) + "\n")
  }

  /// What an operator asked the user for: from the command line, a file, or the person here.
  private func reply(
    _ command: ParsedCommand, to question: Question, by user: String
  ) async throws -> HumanAnswer? {
    // An answer to a review is refused before anybody has to write it.
    if question.form != .answer { _ = try question.reply(.null, by: user) }
    if let text = command.text("text") { return try question.reply(text, by: user) }
    if let file = command.text("file") {
      return try question.reply(try readText(file), by: user)
    }
    let members = command.texts("value").compactMap { text in
      text.utf8.firstIndex(of: UInt8(ascii: "=")).map { end in
        (name: String(text[..<end]), text: String(text[text.utf8.index(after: end)...]))
      }
    }
    if !members.isEmpty { return try question.reply(members: members, by: user) }
    let prompt = ApprovalPrompt(environment: composition.environment, style: style)
    guard Terminal(composition.environment).inputIsTerminal, prompt.isPossible else {
      throw Failure(
        .usage, "there is no terminal to answer on",
        suggestion: "add `--text \"…\"`, `--value NAME=VALUE`, or `--file FILE`")
    }
    return try await prompt.answer(to: question, by: user)
  }

  private func answer(
    _ command: ParsedCommand, to question: Question, by user: String
  ) async throws -> HumanAnswer? {
    switch command.path.last {
    case "approve":
      if question.form == .answer { throw question.mustBeAnswered }
      return HumanAnswer(.approve, by: user)
    case "reject":
      let reason = command.text("reason").map { Value.string($0) } ?? .null
      return HumanAnswer(.reject, text: reason, by: user)
    case "feedback":
      if question.form == .answer { throw question.mustBeAnswered }
      let text = command.arguments.dropFirst().joined(separator: " ")
      return HumanAnswer(.feedback, text: .string(text), by: user)
    case "answer": return try await reply(command, to: question, by: user)
    default: break
    }
    if let text = command.text("text") { return try question.edit(text, by: user) }
    if let file = command.text("file") { return try question.edit(try readText(file), by: user) }
    return try await edited(question, by: user)
  }

  /// In the person's editor, again and again until it fits; nil when nothing was changed.
  private func edited(_ question: Question, by user: String) async throws -> HumanAnswer? {
    guard Terminal(composition.environment).inputIsTerminal else {
      throw Failure(
        .usage, "there is no terminal for an editor",
        suggestion: "add `--text \"…\"`, or `--file FILE`, where `-` reads standard input")
    }
    let before = question.payload.string ?? question.payload.json(.pretty)
    let editor = TextEditor(environment: composition.environment)
    var text = before
    while true {
      guard let written = try await editor.edit(text, terminal: 0) else {
        throw Failure(.usage, "the editor ended with an error", suggestion: "nothing was answered")
      }
      // Editors end a text with a line end, whether it had one or not.
      text =
        written.hasSuffix("\n") && !before.hasSuffix("\n") ? String(written.dropLast()) : written
      if text == before { return nil }
      do throws(Failure) {
        return try question.edit(text, by: user)
      } catch {
        try composition.note("rasa: \(printable(error.description))\n")
        let reader = LineReader(history: nil, environment: composition.environment)
        guard case .text(let line) = try await reader.nextLine(prompt: "Edit it again? [Y/n] "),
          ["", "y", "yes"].contains(line.lowercased())
        else { throw error }
      }
    }
  }

  /// Why an answer does not count any more.
  private func late(_ approval: Approval) async throws -> Failure {
    let run = try await archive.find(approval.run.text)
    let id = run.id
    let goesOn = run.condition.canGoOn || run.condition == .parked
    switch approval.standing {
    case .answered(let answer, let moment):
      return Failure(
        .approval,
        "\(answer.by) already answered it: \(answer.decision.rawValue), "
          + momentText(moment, composition.time),
        suggestion: goesOn
          ? "`rasa resume \(id)` continues the run"
          : "the run is \(run.condition.rawValue): `rasa runs show \(id)`")
    case .expired:
      return Failure(
        .approval, "nobody answered it in time: \(approval.id) has expired",
        suggestion: goesOn || run.condition == .failed
          ? "`rasa resume \(id)` asks again" : "the run is \(run.condition.rawValue)")
    case .withdrawn, .pending:
      return Failure(
        .approval, "the run no longer waits for it: \(id) is \(run.condition.rawValue)",
        suggestion: "`rasa runs show \(id)` shows what it did")
    }
  }
}

extension HumanAnswer.Decision {
  fileprivate var past: String {
    switch self {
    case .approve: "approved"
    case .edit: "edited"
    case .reject: "rejected"
    case .feedback: "corrected"
    case .answer: "answered"
    }
  }
}

extension Approval {
  /// The question as lists give it to programs.
  fileprivate var document: Value {
    var object: ValueObject = [
      "approval": .string(id), "run": .string(run.text),
      "operator": .string(question.key.operatorName), "frame": .string(question.key.frame),
      "visit": .int(Int64(question.key.visit)), "title": .string(question.title),
      "subject": .string(question.subject.description), "payload": question.payload,
      "form": .string(question.form.rawValue),
      "payload_digest": .string(payloadDigest),
      "context": .array(
        question.context.map { ["name": .string($0.name), "text": .string($0.text)] }),
      "asked_at_ms": .int(askedAt.milliseconds),
      "expires_at_ms": expiresAt.map { .int($0.milliseconds) } ?? .null,
    ]
    if let schema = question.schema { object["schema"] = schema }
    if let standard = question.standard { object["default"] = standard }
    if let leads = question.consequences {
      object["leads_to"] = [
        "approve": .string(leads.approve), "edit": .string(leads.edit),
        "reject": .string(leads.reject), "feedback": .string(leads.feedback),
      ]
    }
    switch standing {
    case .pending: object["standing"] = "pending"
    case .expired: object["standing"] = "expired"
    case .withdrawn: object["standing"] = "withdrawn"
    case .answered(let answer, let moment):
      object["standing"] = "answered"
      object["answer"] = [
        "decision": .string(answer.decision.rawValue), "text": answer.text,
        "by": .string(answer.by), "at_ms": .int(moment.milliseconds),
      ]
    }
    return .object(object)
  }
}

extension Question {
  /// What a person sees of what is decided about, and edits.
  fileprivate var text: String { payload.string ?? payload.json(.pretty) }
}

extension ApprovalPrompt {
  /// Asks until the answer fits. Nil when nobody answered.
  fileprivate func answer(to question: Question, by user: String) async throws -> HumanAnswer? {
    let approval = Rasa.Approval(question, id: "", run: "")
    return try question.answer(try await answer(to: approval), by: user)
  }
}

import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// `rasa run` and `rasa chat`.
struct RunCommand {
  let composition: CompositionRoot
  let launch: Launch

  private var rasa: Rasa { launch.rasa }
  private var console: Console { launch.console }

  func run(_ command: ParsedCommand) async throws {
    if command.text("mode") == "api" { return try await runOnServer(command) }
    if let recording = command.text("replay") {
      let settings = RunSettings(goingOnBy: command)
      // Neither the database nor the network is touched.
      let presentation = launch.presentation(settings)
      return try await RecordingCommands(rasa: rasa, console: console).replay(
        recording, persona: command.text("persona"), isPinned: settings.options.usesPinnedFiles,
        settings, on: presentation.screen)
    }
    let (settings, presentation) = try await asked(command)
    if command.flag("dry-run") { return try await rehearse(settings, at: presentation) }
    try rasa.warmUp()
    let (runnable, _) = try await runnable(for: settings, at: presentation)
    try await launch.settle(runnable)
    if settings.isVerbose, !settings.options.attachments.isEmpty {
      try await noteAttachments(runnable, settings, at: presentation)
    }
    if let session = settings.options.session,
      let unfinished = try await launch.unfinished(
        inSession: session, of: settings.options.user),
      try await launch.isToGoOn(with: unfinished, settings)
    {
      _ = try await launch.resume(unfinished.id, settings, at: presentation)
      return
    }
    _ = try await launch.run(runnable, settings, at: presentation)
    if let problem = await launch.embedMemories(of: runnable, settings, isWaitedFor: true) {
      presentation.warn(problem)
    }
    // Nothing is closed: the journal's end is on the disk, and the process ends here.
  }

  /// The settings with the input and what is attached to it, and where the run is shown.
  private func asked(_ command: ParsedCommand) async throws -> (RunSettings, RunPresentation) {
    var settings = try await settings(command)
    let attached = command.texts("attach")
    let (attachments, notes) = try await AttachmentInput(rasa).read(
      attached, beside: command.input)
    settings.options.attachments = attachments
    settings.input = try InputReader(composition: composition, isQuiet: settings.isQuiet).input(
      command.input, besideText: command.flag("stdin") && !attached.contains("-"))
    let presentation = launch.presentation(settings)
    note(notes, at: presentation)
    return (settings, presentation)
  }

  private func note(_ notes: [String], at presentation: RunPresentation) {
    for note in notes { presentation.say(note) }
  }

  /// What is attached, and what it may cost.
  private func noteAttachments(
    _ runnable: Rasa.Runnable, _ settings: RunSettings, at presentation: RunPresentation
  ) async throws {
    let attachments = settings.options.attachments
    let names = attachments.map(\.line).joined(separator: ", ")
    let isShown = attachments.contains { $0.mediaType != "text/plain" }
    let forecast = try await runnable.attachmentForecast(
      settings.input, options: settings.options, warn: presentation.warn)
    presentation.say("attached \(names)" + (isShown ? ": \(cost(forecast))" : ""))
  }

  private func cost(_ forecast: Rasa.AttachmentForecast?) -> String {
    guard let forecast else { return "no operator reads it" }
    let money = forecast.knowsPrices ? ", \(forecast.cost)" : ", price unknown"
    return "\(forecast.isBounded ? "at most" : "about") \(forecast.tokens) tokens\(money) with "
      + forecast.models.joined(separator: ", ")
  }

  // MARK: On a server

  /// The same run, carried out by a server: its files, its models, its books.
  private func runOnServer(_ command: ParsedCommand) async throws {
    for option in ["replay", "record", "dry-run", "explain-selection", "pinned"]
    where command.declares(option) && command.isGiven(option) {
      throw Failure(
        .usage, "`--\(option)` is not possible with `--mode api`",
        suggestion: "leave it out, or run locally")
    }
    let (settings, presentation) = try await asked(command)
    let subject: Rasa.Remote.Subject =
      switch settings.subject {
      case .persona(let name): .persona(name)
      case .agent(let id): .agent(id)
      case .fitting: .fitting
      }
    let url = command.text("api-url") ?? "http://127.0.0.1:8000"
    let remote = try rasa.remote(url, token: try token(of: url))
    try await launch.run(subject, on: remote, settings, at: presentation)
  }

  /// `RASA_TOKEN`, else that of a server of the same user on this machine.
  private func token(of url: String) throws(Failure) -> String? {
    if let token = composition.environment["RASA_TOKEN"], !token.isEmpty { return token }
    guard url.hasBytePrefix("http://") else { return nil }
    let file = FileSystem.path("server.token", in: rasa.folders.data)
    let bytes = try FileSystem.readIfPresent(file, limit: 4_096) ?? []
    let token = String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self)
    return token.isEmpty ? nil : token
  }

  // MARK: Who is asked

  private func subject(_ command: ParsedCommand) async throws -> RunSubject {
    if let persona = command.text("persona") { return .persona(persona) }
    if let agent = command.text("agent") { return .agent(agent) }
    if command.declares("auto"), command.flag("auto") { return .fitting }
    throw await noSubject(command)
  }

  /// Nobody answers by guess, since an answer costs money: what to type is said instead.
  private func noSubject(_ command: ParsedCommand) async -> Failure {
    let line = "rasa \(command.path.joined(separator: " "))"
    var question = ""
    if command.declares("auto") {
      switch command.input {
      case .text(let text), .textAndStandardInput(let text):
        question = " " + CommandParser.shellWord(text)
      case .standardInput, .unstated: question = " \"…\""
      }
    }
    let names = ((try? await rasa.personas()) ?? []).map(\.name)
    let shown = names.prefix(6).joined(separator: ", ")
    let more = names.count > 6 ? " and \(names.count - 6) more" : ""
    let example = "`\(line) -p \(names.first ?? "NAME")\(question)`"
    let auto =
      command.declares("auto")
      ? ", or `\(line) --auto\(question)` for the best-matching agent" : ""
    return Failure(
      .usage, "no persona or agent is given, and `\(line)` does not choose one",
      suggestion: "write \(example)\(auto); "
        + (shown.isEmpty ? "" : "personas are \(shown)\(more); ")
        + "`rasa agents list` shows the agents for `--agent ID`")
  }

  /// The persona or agent, ready to run, with its warnings reported, and a notice if it was chosen automatically.
  private func runnable(
    for settings: RunSettings, at presentation: RunPresentation
  ) async throws -> (Rasa.Runnable, notices: [Rasa.Notice]) {
    let runnable: Rasa.Runnable
    var notices: [Rasa.Notice] = []
    switch settings.subject {
    case .persona(let name): runnable = try await rasa.prepare(persona: name)
    case .agent(let id): runnable = try await rasa.prepare(agent: id)
    case .fitting:
      let choice = try await rasa.prepare(bestFor: settings.input, options: settings.options)
      for warning in choice.warnings { presentation.warn(warning) }
      presentation.say(choice.sentence)
      notices = [choice.notice]
      runnable = choice.runnable
    }
    for warning in runnable.warnings(given: settings.options.preferences) {
      presentation.warn(warning)
    }
    return (runnable, notices)
  }

  // MARK: Settings

  private func settings(_ command: ParsedCommand) async throws -> RunSettings {
    var settings = RunSettings(subject: try await subject(command), input: "")
    settings.options.preferences = Rasa.Pairs(command.pairs("preferences"))
    settings.options.session = command.text("session")
    settings.options.user = command.text("user")
    settings.options.asOf = try pastDay(command)
    settings.approval = command.choice("approval", of: ApprovalMode.self) ?? .ask
    settings.isVerbose = command.flag("verbose")
    settings.setModelAndMoney(command)
    settings.isQuiet = command.flag("quiet")
    settings.isPlain = command.flag("plain")
    guard command.path.last == "run" else { return settings }
    settings.recording = command.text("record")
    settings.format = command.choice("output-format", of: OutputFormat.self) ?? .text
    settings.streams = command.flag("stream")
    return settings
  }

  /// The end of the day that `--as-of` names, in milliseconds since 1970.
  private func pastDay(_ command: ParsedCommand) throws(Failure) -> Int64? {
    let time = composition.time
    let today = time.localDay(time.now())
    guard let day = command.day("as-of", from: today) else { return nil }
    guard day <= today else {
      throw Failure(
        .usage, "`--as-of \(day)` is in the future",
        suggestion: "name a day up to today, \(today)")
    }
    return time.end(of: day).milliseconds
  }

  // MARK: Dry run

  /// Prints every prompt and what it would cost at most, and asks nobody.
  private func rehearse(_ settings: RunSettings, at presentation: RunPresentation) async throws {
    try rasa.warmUp()
    let (runnable, notices) = try await runnable(for: settings, at: presentation)
    let forecast: Rasa.Forecast
    do {
      forecast = try await runnable.forecast(
        settings.input, options: settings.options, explains: settings.explainsSelection,
        warn: presentation.warn)
    } catch {
      await rasa.close()
      throw error
    }
    if settings.format == .text {
      for call in forecast.calls { try print(call) }
      try console.output.write(
        "in all \(forecast.isBounded ? "at most" : "about") "
          + "\(forecast.knowsPrices ? "" : "(known prices only) ")\(forecast.mostCost)"
          + ", with every loop and repair\n")
    } else {
      let summary: Value = [
        "persona": .string(runnable.name), "calls": .array(forecast.calls.map(\.document)),
        "most_cost_usd": .string(forecast.mostCost.decimalText),
        "prices_known": .bool(forecast.knowsPrices), "is_bounded": .bool(forecast.isBounded),
        "notices": .array(
          notices.map { notice in
            var facts = Value(notice.json).object ?? ValueObject()
            // No decision is kept of what is not run.
            facts["decision"] = nil
            return .object(facts)
          }),
      ]
      try console.output.write(settings.format.text(of: summary))
    }
    await rasa.close()
  }

  private func print(_ call: Rasa.Forecast.Call) throws {
    let price = call.cost.map { "\($0)" } ?? "price unknown"
    var text =
      "── \(call.name) in \(call.frameTitle) · \(call.provider):\(call.model) · "
      + "\(call.isBounded ? "at most" : "about") \(call.inputTokens) + \(call.outputTokens) tokens, \(price)"
    if call.most > 1 { text += ", up to \(call.most) times" }
    text += "\n"
    if let selection = call.selection { text += selection.text }
    for message in call.messages { text += "[\(message.role)]\n\(message.text)\n\n" }
    for (attachment, tokens) in zip(call.attachments, call.attachmentTokens) {
      text += "[attached]\n\(attachment.line), about \(tokens) tokens\n\n"
    }
    if let schema = call.schema { text += "[answer as JSON]\n\(schema)\n\n" }
    let others = UntrustedText(isOnTerminal: console.output.isTerminal)
    try console.output.write(others.whole(text))
  }

  // MARK: Chat

  /// What has been changed since counts from the next question on, all of it or nothing.
  private func reload(
    _ runnable: inout Rasa.Runnable, _ subject: RunSubject, at presentation: RunPresentation
  ) async {
    let changed = runnable.changedFiles()
    guard !changed.isEmpty else { return }
    do throws(RasaError) {
      switch subject {
      case .persona(let name): runnable = try await rasa.prepare(persona: name)
      case .agent(let word): runnable = try await rasa.prepare(agent: word)
      case .fitting: runnable = try await rasa.prepare(agent: runnable.name)
      }
      presentation.say("\(changed.joined(separator: ", ")) has changed, and applies from now on")
    } catch {
      let file = error.file.map { file in
        error.line.map { "\(file):\($0):\(error.column ?? 1): " } ?? "\(file): "
      }
      presentation.warn("\(file ?? "")\(error.message); continuing with the previous version")
    }
  }

  func chat(_ command: ParsedCommand) async throws {
    var settings = try await settings(command)
    let session = settings.options.session ?? rasa.newSession()
    settings.options.session = session
    try rasa.warmUp()
    let presentation = launch.presentation(settings)
    var (runnable, _) = try await runnable(for: settings, at: presentation)
    try await launch.settle(runnable)
    var chat = launch
    chat.later = LaterWork()
    let reader = LineReader(
      history: InputHistory(path: "\(rasa.folders.state)/history"), completing: ChatCommand.words,
      environment: console.environment)
    try console.note(
      "\(runnable.name), session \(session). Ctrl-C stops an answer, Ctrl-D ends the chat, "
        + "/help shows more.\n")
    let input = AttachmentInput(rasa)
    let (given, notes) = try await input.read(command.texts("attach"), beside: .unstated)
    var attachments = ChatAttachments(input, console, beginningWith: given)
    note(notes, at: presentation)
    if !given.isEmpty {
      settings.options.attachments = given
      try await noteAttachments(runnable, settings, at: presentation)
    }
    var commands = ChatCommands(
      rasa: rasa, console: console, settings: settings, name: runnable.name)
    let prompt = console.terminal.glyphs.own("you › ")
    var asked = 0
    var failures: [Failure] = []
    // What comes to nothing while the person reads and types is said before the next prompt.
    func sayProblems() {
      for problem in chat.later?.takeProblems() ?? [] { presentation.warn(problem) }
    }
    reading: while true {
      sayProblems()
      switch try await reader.nextLine(prompt: prompt) {
      case .end: break reading
      case .interrupted: continue
      case .text(let line):
        guard line.utf8.contains(where: { $0 > 0x20 }) else { continue }
        do {
          let outcome = try await commands.take(line)
          settings = commands.settings
          let check = { [settings, runnable] (new: [Rasa.Attachment]) in
            var asking = settings
            asking.options.attachments = new
            try await noteAttachments(runnable, asking, at: presentation)
          }
          switch outcome {
          case .goOn: continue
          case .leave: break reading
          case .attach(let path):
            try await attachments.attach(path, check: check)
            continue
          case .askAgain(let text):
            settings.input = text
            settings.options.attachments = attachments.releaseAgain()
          case .ask(let text):
            guard let question = try await attachments.take(text, check: check) else { continue }
            settings.input = question
            settings.options.attachments = attachments.release()
          }
        } catch {
          guard let failure = error as? Failure ?? (error as? RasaError)?.failure else {
            throw error
          }
          asked += 1
          failures.append(failure)
          try console.note("rasa: \(printable(failure.description))\n")
          continue
        }
        asked += 1
        await reload(&runnable, settings.subject, at: presentation)
        do {
          commands.note(answer: try await chat.run(runnable, settings, at: presentation))
          chat.later?.start { [launch, runnable, settings, later = chat.later] in
            let problem = await launch.embedMemories(of: runnable, settings)
            if let problem { later?.note(problem) }
          }
        } catch let closed as OutputClosed {
          await rasa.close()
          throw closed
        } catch let interrupted as Interrupted where interrupted.signal == .interrupt {
          try console.note("(stopped)\n")
        } catch {
          guard let failure = error as? Failure ?? (error as? RasaError)?.failure else {
            throw error
          }
          if failure.kind == .cancelled {
            // Ctrl-C at a question is a key there, and no signal.
            try console.note("(stopped)\n")
            continue
          }
          // One answer failed; the conversation has not, and what was attached need not be named again.
          failures.append(failure)
          attachments.keep(settings.options.attachments)
          try console.note("rasa: \(printable(failure.description))\n")
        }
      }
    }
    await chat.later?.finish()
    sayProblems()
    await rasa.close()
    // At a terminal the person has seen each; a program behind a pipe looks at the exit code.
    guard let last = failures.last, !console.terminal.inputIsTerminal else { return }
    throw Failure(
      last.kind, "\(failures.count) of \(asked) answers failed, the last with: \(last.message)")
  }
}

extension Rasa.Forecast.Call {
  fileprivate var document: Value {
    var value: ValueObject = [
      "frame": .string(frame), "operator": .string(name),
      "provider": .string(provider), "model": .string(model),
      "input_tokens": .int(Int64(inputTokens)), "output_tokens": .int(Int64(outputTokens)),
      "cost_usd": cost.map { .string($0.decimalText) } ?? .null,
      "is_bounded": .bool(isBounded), "most_runs": .int(Int64(most)),
      "messages": .array(
        messages.map { ["role": .string($0.role), "text": .string($0.text)] }),
      "schema": schema.map { Value($0) } ?? .null,
    ]
    if !attachments.isEmpty {
      value["attachments"] = .array(
        zip(attachments, attachmentTokens).map { attachment, tokens in
          var facts = Value(attachment.json).object ?? ValueObject()
          facts["tokens"] = .int(Int64(tokens))
          return .object(facts)
        })
    }
    if let selection { value["selection"] = Value(selection.json) }
    return .object(value)
  }
}

extension Rasa.Attachment {
  /// `photo.png (PNG image, 640×480, 12 kB)`.
  var line: String { "\(name) (\(summary), \(byteCountText(byteCount)))" }
}

import RasaCore
import RasaEngine
import RasaKit
import RasaModels
import RasaPersona
import RasaAgents
import RasaStore
import RasaSystem
import RasaTerminal

/// `rasa run` and `rasa chat`.
struct RunCommand {
  let house: CompositionRoot

  func run(_ command: ParsedCommand) async throws {
    try refuseWhatIsNotHere(command)
    if let recording = command.text("replay") {
      let settings = RunSettings(goingOnBy: command)
      // Neither the database nor the network is touched.
      let stand = house.stand(settings)
      return try await RecordingCommands(rasa: Rasa(house, house.store()), console: house.console)
        .replay(
          recording, persona: command.text("persona"), isPinned: settings.isPinned, settings,
          on: stand.screen)
    }
    var settings = try settings(command)
    let attached = command.texts("attach")
    let (attachments, notes) = try await AttachmentInput(Rasa(house, house.store())).read(
      attached, beside: command.input)
    settings.attachments = attachments.map(\.own)
    settings.input = try InputReader(house: house, isQuiet: settings.isQuiet).input(
      command.input, besideText: command.flag("stdin") && !attached.contains("-"))
    if command.flag("dry-run") {
      note(notes, at: house.stand(settings))
      return try await rehearse(settings)
    }
    let workshop = try RunServices(house)
    let stand = workshop.stand(settings)
    note(notes, at: stand)
    let graph = try await graph(for: &settings, workshop, at: stand)
    try await house.settleTrust()
    if settings.isVerbose, !attachments.isEmpty {
      try await noteAttachments(graph, settings, workshop, at: stand)
    }
    if let session = settings.session,
      let unfinished = try await workshop.unfinished(
        in: SessionID(session, of: house.user(settings.user))),
      try await workshop.isToGoOn(with: unfinished, settings)
    {
      _ = try await workshop.resume(unfinished.record.id, settings, at: stand)
      return
    }
    _ = try await workshop.run(graph, settings, at: stand)
    // Nothing is closed: the journal's end is on the disk, and the process ends here.
  }

  private func note(_ notes: [String], at stand: RunPresentation) {
    for note in notes { stand.say(note) }
  }

  /// What is attached, and what it may cost.
  private func noteAttachments(
    _ graph: Graph, _ settings: RunSettings, _ workshop: RunServices, at stand: RunPresentation
  ) async throws {
    let cost = try await workshop.attachmentCost(
      graph, settings.plan, onWarning: stand.warn)
    let names = settings.attachments.map(\.line).joined(separator: ", ")
    stand.say("attached \(names)" + (settings.attachments.media.isEmpty ? "" : ": \(cost)"))
  }

  private func refuseWhatIsNotHere(_ command: ParsedCommand) throws(Failure) {
    if command.text("mode") == "api" {
      throw Failure(
        .usage, "`--mode api` needs a server, and this version runs locally only",
        suggestion: "omit `--mode`, or use `--mode local`")
    }
  }

  // MARK: Who is asked

  private func subject(_ command: ParsedCommand) throws(Failure) -> RunSubject {
    if let persona = command.text("persona") { return .persona(persona) }
    if let agent = command.text("agent") { return .agent(agent) }
    if command.declares("auto"), command.flag("auto") { return .fitting }
    throw noSubject(command)
  }

  /// Nobody answers by guess, since an answer costs money: what to type is said instead.
  private func noSubject(_ command: ParsedCommand) -> Failure {
    let line = "rasa \(command.path.joined(separator: " "))"
    var question = ""
    if command.declares("auto") {
      switch command.input {
      case .text(let text), .textAndStandardInput(let text):
        question = " " + CommandParser.shellWord(text)
      case .standardInput, .unstated: question = " \"…\""
      }
    }
    let names = ((try? house.library.personas()) ?? []).map(\.name)
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

  /// Who is asked, ready to run, with what is odd about them told.
  private func graph(
    for settings: inout RunSettings, _ workshop: RunServices, at stand: RunPresentation
  ) async throws -> Graph {
    if !house.askedNarrowing.isEmpty { _ = try house.agentRegistry { _ in } }
    let graph: Graph
    switch settings.subject {
    case .persona(let name): graph = try house.graph(name)
    case .agent(let id): graph = try house.graph(agent: id)
    case .fitting:
      let pick = try await house.pick(
        for: settings.input, maxCost: settings.gate.maxCost, history: workshop.store,
        options: settings.gate, onWarning: stand.warn)
      stand.say(pick.sentence)
      settings.notices.append(pick.notice)
      graph = try house.graph(agent: pick.agent.id)
    }
    for warning in graph.warnings(given: settings.preferences) { stand.warn(warning) }
    return graph
  }

  // MARK: Settings

  func settings(_ command: ParsedCommand) throws(Failure) -> RunSettings {
    var settings = RunSettings(subject: try subject(command), input: "")
    settings.preferences = command.pairs("preferences")
    settings.session = command.text("session")
    settings.user = command.text("user")
    settings.approval = command.choice("approval", of: ApprovalMode.self) ?? .ask
    settings.isVerbose = command.flag("verbose")
    settings.agents = house.askedNarrowing.lists.flatMap(\.patterns)
    settings.setModelAndMoney(command)
    settings.isQuiet = command.flag("quiet")
    settings.isPlain = command.flag("plain")
    guard command.path.last == "run" else { return settings }
    settings.recording = command.text("record")
    settings.format = command.choice("output-format", of: OutputFormat.self) ?? .text
    settings.streams = command.flag("stream")
    return settings
  }

  // MARK: Dry run

  /// Prints every prompt and what it would cost at most, and asks nobody.
  private func rehearse(_ settings: RunSettings) async throws {
    var settings = settings
    let workshop = try RunServices(house)
    let stand = workshop.stand(settings)
    let graph = try await graph(for: &settings, workshop, at: stand)
    let rehearsal: PricedRehearsal
    do {
      rehearsal = try await workshop.rehearse(
        graph, settings.plan, explains: settings.explainsSelection, onWarning: stand.warn)
    } catch {
      await workshop.close()
      throw error
    }
    let total = rehearsal.total
    let (isComplete, isBounded) = (rehearsal.isComplete, rehearsal.isBounded)
    let values = rehearsal.calls.map { $0.call.value($0.estimate, $0.selection) }
    if settings.format == .text {
      for priced in rehearsal.calls { try print(priced.call, priced.estimate, priced.selection) }
    }
    if settings.format == .text {
      try house.output.write(
        "in all \(isBounded ? "at most" : "about") \(isComplete ? "" : "(known prices only) ")\(total)"
          + ", with every loop and repair\n")
    } else {
      let summary: Value = [
        "persona": .string(graph.persona.name), "calls": .array(values),
        "most_cost_usd": .string(total.decimalText), "prices_known": .bool(isComplete),
        "is_bounded": .bool(isBounded), "notices": .array(settings.notices.map(\.value)),
      ]
      try house.output.write(settings.format.text(of: summary))
    }
    await workshop.close()
  }

  private func print(
    _ call: RehearsedCall, _ estimate: CallEstimate, _ selection: SelectionReport?
  ) throws {
    let price = estimate.isPriceKnown ? "\(estimate.cost)" : "price unknown"
    var text =
      "── \(call.operatorName) in \(frameTitle(call.frame)) · \(estimate.provider):\(estimate.model) · "
      + "\(estimate.isBounded ? "at most" : "about") \(estimate.inputTokens) + \(estimate.outputTokens) tokens, \(price)"
    if call.most > 1 { text += ", up to \(call.most) times" }
    text += "\n"
    if let selection { text += selection.text }
    for message in call.request.messages {
      text += "[\(message.role.rawValue)]\n\(message.text)\n\n"
    }
    for (attachment, tokens) in zip(call.request.attachments, estimate.attachmentTokens) {
      text += "[attached]\n\(attachment.line), about \(tokens) tokens\n\n"
    }
    if let schema = call.request.schema { text += "[answer as JSON]\n\(schema.json(.compact))\n\n" }
    let others = UntrustedText(isOnTerminal: house.output.isTerminal)
    try house.output.write(others.whole(text))
  }

  // MARK: Chat

  /// What has been changed since counts from the next question on, all of it or nothing.
  private func reload(_ graph: inout Graph, _ subject: RunSubject, at stand: RunPresentation) {
    guard let pinned = PinnedFiles(graph.pinned) else { return }
    let changed = house.changes(since: pinned)
    guard !changed.isEmpty else { return }
    do throws(Failure) {
      switch subject {
      case .persona(let name): graph = try house.graph(name)
      case .agent(let word): graph = try house.graph(agent: word)
      case .fitting: graph = try house.graph(agent: graph.persona.name)
      }
      stand.say("\(changed.joined(separator: ", ")) has changed, and applies from now on")
    } catch {
      stand.warn(
        Warning("\(error.message); continuing with the previous version", at: error.location))
    }
  }

  func chat(_ command: ParsedCommand) async throws {
    var settings = try settings(command)
    let session = settings.session ?? house.newIdentifier("s").text
    settings.session = session
    let workshop = try RunServices(house)
    let stand = workshop.stand(settings)
    var graph = try await graph(for: &settings, workshop, at: stand)
    try await house.settleTrust()
    let reader = LineReader(
      history: InputHistory(path: house.historyPath), completing: ChatCommand.words,
      environment: house.environment)
    try house.note(
      "\(graph.persona.name), session \(session). Ctrl-C stops an answer, Ctrl-D ends the chat, "
        + "/help shows more.\n")
    let (given, notes) = try await AttachmentInput(Rasa(house, house.store())).read(
      command.texts("attach"), beside: .unstated)
    var attachments = ChatAttachments(house, beginningWith: given.map(\.own))
    note(notes, at: stand)
    if !given.isEmpty {
      settings.attachments = given.map(\.own)
      try await noteAttachments(graph, settings, workshop, at: stand)
    }
    var commands = ChatCommands(
      house: house, store: workshop.store, settings: settings, name: graph.persona.name)
    let prompt = Terminal(house.environment).glyphs.own("you › ")
    var asked = 0
    var failures: [Failure] = []
    reading: while true {
      switch try await reader.nextLine(prompt: prompt) {
      case .end: break reading
      case .interrupted: continue
      case .text(let line):
        guard line.utf8.contains(where: { $0 > 0x20 }) else { continue }
        do {
          let outcome = try await commands.take(line)
          settings = commands.settings
          let check = { [settings, graph] (new: [Attachment]) in
            var asking = settings
            asking.attachments = new
            try await noteAttachments(graph, asking, workshop, at: stand)
          }
          switch outcome {
          case .goOn: continue
          case .leave: break reading
          case .attach(let path):
            try await attachments.attach(path, check: check)
            continue
          case .askAgain(let text):
            settings.input = text
            settings.attachments = attachments.releaseAgain()
          case .ask(let text):
            guard let question = try await attachments.take(text, check: check) else { continue }
            settings.input = question
            settings.attachments = attachments.release()
          }
        } catch let failure as Failure {
          asked += 1
          failures.append(failure)
          try house.note("rasa: \(printable(failure.description))\n")
          continue
        }
        asked += 1
        reload(&graph, settings.subject, at: stand)
        do {
          commands.note(answer: try await workshop.run(graph, settings, at: stand))
        } catch let closed as OutputClosed {
          await workshop.close()
          throw closed
        } catch let interrupted as Interrupted where interrupted.signal == .interrupt {
          try house.note("(stopped)\n")
        } catch let failure as Failure where failure.kind == .cancelled {
          // Ctrl-C at a question is a key there, and no signal.
          try house.note("(stopped)\n")
        } catch let failure as Failure {
          // One answer failed; the conversation has not, and what was attached need not be named again.
          failures.append(failure)
          attachments.keep(settings.attachments)
          try house.note("rasa: \(printable(failure.description))\n")
        }
      }
    }
    await workshop.close()
    // At a terminal the person has seen each; a program behind a pipe looks at the exit code.
    guard let last = failures.last, !Terminal(house.environment).inputIsTerminal else { return }
    throw Failure(
      last.kind, "\(failures.count) of \(asked) answers failed, the last with: \(last.message)")
  }
}

extension RehearsedCall {
  fileprivate func value(_ estimate: CallEstimate, _ selection: SelectionReport?) -> Value {
    var value: ValueObject = [
      "frame": .string(frame), "operator": .string(operatorName),
      "provider": .string(estimate.provider), "model": .string(estimate.model),
      "input_tokens": .int(estimate.inputTokens), "output_tokens": .int(estimate.outputTokens),
      "cost_usd": estimate.isPriceKnown ? .string(estimate.cost.decimalText) : .null,
      "is_bounded": .bool(estimate.isBounded), "most_runs": .int(Int64(most)),
      "messages": .array(
        request.messages.map { ["role": .string($0.role.rawValue), "text": .string($0.text)] }),
      "schema": request.schema ?? .null,
    ]
    if !request.attachments.isEmpty {
      value["attachments"] = .array(
        zip(request.attachments, estimate.attachmentTokens).map { attachment, tokens in
          var facts = attachment.facts
          facts["tokens"] = .int(tokens)
          return .object(facts)
        })
    }
    if let selection { value["selection"] = selection.value }
    return .object(value)
  }
}

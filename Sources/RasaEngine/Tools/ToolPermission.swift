import RasaCore
import RasaPersona

/// What became of the wish to use a tool.
enum ToolPermission: Sendable, Hashable {
  /// With these arguments, which a person may have edited.
  case go(arguments: Value)
  case refused(reason: String)
}

extension OperatorProcedure {
  /// Decides about one use: by what is recorded, by the rules, by what was granted, by where the run's data
  /// came from, and by a person where one of these says so. Throws `Deferred` if nobody can be asked now.
  func permit(
    _ use: ToolUse, _ tool: ToolDescription, _ definition: OperatorDefinition,
    _ invocation: Invocation
  ) async throws -> ToolPermission {
    let request = ToolPermissionRecord.digest(tool: use.name, use.arguments)
    if let known = recordedPermission(for: use, request, tool) { return known }
    let verdict = try await verdict(on: use, of: tool)
    if case .deny(let reason) = verdict {
      return refuse(use, request, "it is forbidden: \(reason)")
    }
    let flow = tool.flow
    let taint = try await taint(before: flow, invocation)
    let completes = taint.isCompleted(by: flow)
    var asked: ToolAsk
    switch verdict {
    case .allow(let reason) where !completes:
      // Most uses need no line of their own: that they were allowed is told by their being used.
      if flow.isEmpty { return .go(arguments: use.arguments) }
      return go(use, request, flow, because: reason)
    case .ask(let ask):
      asked = ask
      if !completes, ask.people == 1, let grant = try await grant(for: use) {
        return go(use, request, flow, because: "\(grant.by) granted it", grant: grant.id)
      }
    case .allow, .deny: asked = ToolAsk(because: "")
    }
    if completes {
      asked.because = "it would bring private data, content of strangers and a way out together"
    }
    var wanted = use
    var key = use.key.permission
    while true {
      var question = await question(
        about: wanted, tool, definition, invocation, asked,
        sources: completes ? taint.explanation(of: use.name, flow) : [])
      question.key = key
      let answer = try await answer(to: question, lifetime: asked.lifetime, inherits: false)
      let isEdited = wanted.arguments != use.arguments
      switch answer.decision {
      case .approve:
        return go(
          wanted, request, flow, because: "\(answer.by) approved it",
          grant: answer.grant == nil
            ? nil : ToolGrant.identity(approval: question.identity(in: start.run)),
          isEdited: isEdited)
      case .edit:
        wanted.arguments = answer.text["arguments"]
        switch try await self.verdict(on: wanted, of: tool) {
        case .deny(let reason):
          // Nobody can write into a call what the rules forbid.
          return refuse(use, request, "with the edited arguments it is forbidden: \(reason)")
        case .ask(let stricter) where stricter.people > asked.people:
          // Nor decide alone about what two have to approve. They cannot edit it again.
          asked = stricter
          key = use.key.editedPermission
        case .allow, .ask:
          return go(wanted, request, flow, because: "\(answer.by) edited it", isEdited: true)
        }
      case .reject, .feedback, .answer:
        let reason = answer.text.promptText
        return refuse(
          use, request, "\(answer.by) refused it" + (reason.isEmpty ? "" : ": \(reason)"))
      }
    }
  }

  // MARK: What is known

  /// What was decided about this use before: in this run, or where another run's result is taken over.
  private func recordedPermission(
    for use: ToolUse, _ request: String, _ tool: ToolDescription
  ) -> ToolPermission? {
    if let known = recorded.own.permission(at: use.key), known.request == request {
      if let reason = known.refusal { return .refused(reason: reason) }
      // One that was not used yet is decided by the rules as they are now.
      if recorded.own.done(at: use.key) != nil || !recorded.own.open(at: use.key).isEmpty {
        return .go(arguments: known.arguments ?? use.arguments)
      }
    }
    if recorded.own.done(at: use.key)?.request == request { return .go(arguments: use.arguments) }
    guard let inherited = recorded.inherited, let origin = start.fork?.run else { return nil }
    let known = inherited.permission(at: use.key).flatMap { $0.request == request ? $0 : nil }
    if let reason = known?.refusal { return refuse(use, request, reason) }
    var taken = use
    taken.arguments = known?.arguments ?? use.arguments
    // An approval is used up by the run that it was given to; its result can be taken over.
    let done = ToolPermissionRecord.digest(tool: use.name, taken.arguments)
    guard inherited.done(done, at: use.key) != nil else { return nil }
    return go(
      taken, request, tool.flow, because: "\(origin) used it",
      isEdited: taken.arguments != use.arguments)
  }

  func verdict(on use: ToolUse, of tool: ToolDescription) async throws -> ToolVerdict {
    try await dependencies.policy.verdict(on: use, of: tool)
      .tightened(by: graph.persona.policy.first(for: use.name, use.arguments))
  }

  func grant(for use: ToolUse) async throws -> ToolGrant? {
    try await dependencies.grants.grants(of: start.run, session: start.sessionID)
      .first { $0.covers(tool: use.name, use.arguments) }
  }

  /// What is in the run. Where it matters, what earlier runs of the conversation had taken in counts, too.
  private func taint(before flow: DataFlow, _ invocation: Invocation) async throws -> Taint {
    for source in start.attachments.taint { runState.note(source) }
    for source in invocation.view[.memories].memoryTaint { runState.note(source) }
    if flow.contains(.wayOut), let session = start.sessionID, !runState.taint.isCompleted(by: flow),
      invocation.view["context.session"].array?.isEmpty == false,
      runState.takeSessionTaint()
    {
      for run in try await runs(in: session, invocation) where run != start.run {
        let log = EffectLog(try await dependencies.journal.entries(of: run))
        for source in log.taint.sources {
          runState.note(Taint.Source(source.flow, "\(source.name) in \(run)"))
        }
        if runState.taint.isCompleted(by: flow) { break }
      }
    }
    return runState.taint
  }

  /// The runs whose turns the model may know, the newest first: those in the prompt, and all of them where a summary says
  /// something of the others.
  private func runs(in session: SessionID, _ invocation: Invocation) async throws -> [Identifier] {
    let turns = invocation.view[.conversation].array ?? []
    let isSummarised = !invocation.view["context.summary"].isNull
    let runs = turns.reversed().compactMap { $0["run"].string.map { Identifier($0) } }
    if runs.count == turns.count, !isSummarised { return runs }
    // A run that an earlier version began does not say which they are.
    let limit = isSummarised ? .max : turns.count
    return try await dependencies.memory.turns(of: session, limit: limit).reversed().map(\.run)
  }

  // MARK: What is decided

  private func go(
    _ use: ToolUse, _ request: String, _ flow: DataFlow, because reason: String,
    grant: String? = nil, isEdited: Bool = false
  ) -> ToolPermission {
    runState.note(Taint.Source(flow, "`\(use.name)`"))
    var record = ToolPermissionRecord(tool: use.name, request: request, because: reason)
    record.flow = flow
    record.grant = grant
    if isEdited { record.arguments = use.arguments }
    note(record, of: use)
    return .go(arguments: use.arguments)
  }

  private func refuse(_ use: ToolUse, _ request: String, _ reason: String) -> ToolPermission {
    var record = ToolPermissionRecord(tool: use.name, request: request, because: reason)
    record.refusal = reason
    note(record, of: use)
    return .refused(reason: reason)
  }

  private func note(_ record: ToolPermissionRecord, of use: ToolUse) {
    dependencies.journal.record([
      record.entry(of: start.run, at: use.key, time: dependencies.time.now())
    ])
  }

  // MARK: The question

  private func question(
    about use: ToolUse, _ tool: ToolDescription, _ definition: OperatorDefinition,
    _ invocation: Invocation, _ asked: ToolAsk, sources: [String]
  ) async -> Question {
    var question = Question(
      // The occurrence is of the use: those of the question are times that it expired.
      key: use.key.permission,
      title: "\(definition.name) wants to use `\(use.name)`", subject: StatePath(use.name),
      payload: ["tool": .string(use.name), "arguments": use.arguments], schema: tool.parameters,
      context: [Question.ContextLine(name: "input", text: start.input)], spent: runState.spent)
    question.form = .permission
    var permission = Question.Permission(
      tool: use.name, risk: tool.risk, because: asked.because, people: asked.people)
    permission.onExpiry = asked.onExpiry
    permission.sources = sources
    // What brings the three together is looked at each time, and two people look at each use.
    if sources.isEmpty, asked.people == 1 {
      permission.proposal =
        ToolRule(
          .allow, tools: [ToolNamePattern(exactly: use.name)],
          arguments: ArgumentPatterns(exactly: use.arguments)
        ).value
    }
    question.permission = permission
    question.consequences = await foresight(onPermissionOf: use, definition, invocation)
    return question
  }
}

extension ToolDescription {
  /// In a few words, for the person who decides.
  fileprivate var risk: String {
    switch sideEffects {
    case .none: "reads only, as far as is declared"
    case .idempotent: "changes something; twice is the same as once"
    case .yes:
      switch origin {
      case .program, .builtIn, .operator, .agent, .skill: "changes something"
      case .client: "the client does it, and may ask before"
      case .server, .http, .process: "changes something, or nobody has said that it does not"
      }
    }
  }
}

/// What was decided about one use of a tool, as the journal has it.
struct ToolPermissionRecord: Sendable, Hashable {
  var tool: String
  /// The digest of the tool's name and the arguments that were asked for.
  var request: String
  var because: String
  /// The grant that allowed it, or that was given with it.
  var grant: String?
  /// The arguments, where a person has edited them.
  var arguments: Value?
  var flow: DataFlow = []
  /// Why it was not used.
  var refusal: String?

  init(tool: String, request: String, because: String) {
    self.tool = tool
    self.request = request
    self.because = because
  }

  /// As effects are identified.
  static func digest(tool: String, _ arguments: Value) -> String {
    Digest.sha256(
      Value.object(["tool": .string(tool), "arguments": arguments]).jsonBytes(.canonical))
  }

  func entry(of run: Identifier, at key: EffectKey, time: Timestamp) -> JournalEntry {
    var body: ValueObject = [
      "tool": .string(tool), "request": .string(request), "because": .string(because),
    ]
    if let grant { body["grant"] = .string(grant) }
    if let arguments { body["arguments"] = arguments }
    if !flow.isEmpty { body["flow"] = flow.value }
    return JournalEntry(
      run: run, time: time, kind: refusal == nil ? "tool.permitted" : "tool.refused",
      key: key.description, body: .object(body))
  }

  /// Nil for any other line.
  init?(_ entry: JournalEntry) {
    guard entry.kind == "tool.permitted" || entry.kind == "tool.refused" else { return nil }
    let body = entry.body
    self.init(
      tool: body["tool"].string ?? "", request: body["request"].string ?? "",
      because: body["because"].string ?? "")
    grant = body["grant"].string
    arguments = body["arguments"].isNull ? nil : body["arguments"]
    flow = DataFlow(body["flow"])
    if entry.kind == "tool.refused" { refusal = because }
  }
}

extension EffectKey {
  /// The key of the question whether a tool may be used.
  var permission: EffectKey { step.effect("\(label).permission.\(occurrence)") }
  /// The key of the question about arguments that a person has written and may not approve alone.
  var editedPermission: EffectKey { step.effect("\(label).permission.\(occurrence).edited") }
}

import RasaCore
import RasaPersona

/// Questions to people: each is written down before anybody sees it, and answered once.
extension OperatorProcedure {
  /// How long a question waits when its operator does not say.
  private static let lifetime = 7.0 * 24 * 60 * 60

  func ask(
    _ definition: OperatorDefinition, _ invocation: Invocation, about subject: StatePath
  ) async throws -> HumanAnswer {
    let read = invocation.view.reader(in: kind(of: invocation))
    var title = "\(definition.name) asks for a review of `\(subject)`"
    if definition.isReviewer, let prompt = definition.prompt { title = prompt.render(read) }
    var question = Question(
      key: invocation.step.effect("review"), title: title, subject: subject,
      payload: graph.payload(of: subject, invocation.view),
      schema: schema(of: subject, definition),
      context: context(
        of: graph.nodes[invocation.node].writes + definition.reads, invocation,
        without: graph.paths(decidedBy: subject)), spent: runState.spent)
    question.consequences = graph.consequences(
      of: invocation.node, about: subject, isPending: invocation.isPending)
    await foresee(&question, about: subject, invocation)
    return try await answer(
      to: question, lifetime: definition.kind == .human ? definition.timeout : nil)
  }

  /// What helps to answer: what was asked of the persona, and what operators wrote.
  private func context(
    of paths: [StatePath], _ invocation: Invocation, without left: [StatePath]
  ) -> [Question.ContextLine] {
    var context = [Question.ContextLine(name: "input", text: start.input)]
    for path in paths where !State.provided.contains(path.key) && !left.contains(path) {
      let text = invocation.view[path].words
      if !text.isEmpty, !context.contains(where: { $0.name == path.description }) {
        context.append(Question.ContextLine(name: path.description, text: text))
      }
    }
    return context
  }

  /// Asks the user for something that only they know; their answer is what the operator writes.
  func askUser(
    _ definition: OperatorDefinition, _ invocation: Invocation
  ) async throws -> [Update] {
    let read = invocation.view.reader(in: kind(of: invocation))
    let asked = definition.ask?.render(read) ?? ""
    var payload = Value.string(asked)
    if let schema = definition.output { payload = ["ask": .string(asked), "form": schema] }
    var question = Question(
      key: invocation.step.effect("ask"), title: asked,
      subject: StatePath(definition.writes.first?.key ?? "answer"), payload: payload,
      schema: definition.output, context: context(of: definition.reads, invocation, without: []),
      spent: runState.spent)
    question.form = .answer
    question.standard = definition.standardAnswer
    let answer = try await answer(to: question, lifetime: definition.timeout)
    guard answer.decision == .answer else {
      let reason = answer.text.promptText
      throw Failure(
        .approval, "\(answer.by) did not answer" + (reason.isEmpty ? "" : ": \(reason)"),
        suggestion: "run it again, and answer what it asks for")
    }
    // It may have been given to an earlier form of the question.
    let problems = try question.problems(of: answer.text)
    guard problems.isEmpty else {
      throw Failure(
        .run, "the answer of \(answer.by) does not have the form that the operator's file asks for",
        suggestion: "`rasa runs fork \(start.run)` asks again", details: Array(problems.prefix(8)))
    }
    return updates(definition, answer.text)
  }

  /// What a replacement has to look like: the form that its writer was asked for.
  private func schema(of subject: StatePath, _ definition: OperatorDefinition) -> Value? {
    guard subject.components.count == 1 else { return nil }
    let writer =
      definition.kind == .llm && definition.writes.contains { $0.key == subject.key }
      ? definition : graph.writer(of: subject).map { graph.nodes[$0].definition }
    guard let writer, let schema = writer.output else { return nil }
    if writer.writes.count == 1, writer.writes.first?.type == .object { return schema }
    let member = schema["properties"][subject.key]
    return member.isNull ? nil : member
  }

  /// The recorded answer, the one that somebody has given meanwhile, or the one that a person gives
  /// now. Throws `Deferred` when it is left for later.
  ///
  /// - Parameter inherits: whether the answer of the run that this one is a fork of counts.
  func answer(
    to first: Question, lifetime: Double?, inherits: Bool = true
  ) async throws -> HumanAnswer {
    let digest = first.payloadDigest
    let journal = dependencies.journal
    var question = first
    while true {
      let known =
        inherits
        ? recorded.humanAnswer(at: question.key, payloadDigest: digest)
        : recorded.own.humanAnswer(at: question.key, payloadDigest: digest)
      if let known {
        let now = dependencies.time.now()
        if recorded.own.humanAnswer(at: question.key, payloadDigest: digest) == nil {
          let approval = Approval(
            run: start.run, question: question, askedAt: now, standing: .answered(known, at: now))
          journal.record([RunEvent.answered(approval, known).entry(of: start.run, at: now)])
        }
        return known
      }
      let now = dependencies.time.now()
      let seconds = min(max(lifetime ?? Self.lifetime, 0), 3_153_600_000)
      let approval = Approval(
        run: start.run, question: question, askedAt: now,
        expiresAt: Timestamp(milliseconds: now.milliseconds + Int64(seconds * 1000)))
      let asked = RunEvent.asked(approval)
      let standing = try await journal.ask(
        approval, recording: [asked.entry(of: start.run, at: now)])
      if let answer = try await answer(to: standing, asked) { return answer }
      // Nobody answered in time: the same question, put again.
      question.key.occurrence += 1
    }
  }

  /// Nil when the question has expired.
  private func answer(to approval: Approval, _ asked: RunEvent) async throws -> HumanAnswer? {
    switch approval.standing {
    case .answered(let answer, _): return try await note(answer, to: approval)
    case .expired, .withdrawn: return nil
    case .pending: break
    }
    try await emit(.event(asked))
    let time = dependencies.time
    runState.beginAsking(at: time.monotonic())
    defer { runState.endAsking(at: time.monotonic()) }
    let decision = try await dependencies.approvalHandler.decide(approval.question)
    guard let decision else { throw Deferred(approvals: [approval]) }
    switch try await dependencies.journal.answer(approval.id, decision) {
    case .accepted(let approval): return try await note(decision, to: approval)
    case .counted(let approval):
      let left = approval.people - approval.votes.count
      let others = left == 1 ? "person has" : "people have"
      try await emit(.event(.warned("\(decision.by) approved it; \(left) more \(others) to")))
      throw Deferred(approvals: [approval])
    case .late(let approval):
      guard case .answered(let first, _) = approval.standing else { return nil }
      try await emit(
        .event(.warned("\(first.by) had already answered: \(first.decision.rawValue)")))
      return try await note(first, to: approval)
    case .unknown: throw Failure(.storage, "the question \(approval.id) is not in the journal")
    }
  }

  private func note(_ answer: HumanAnswer, to approval: Approval) async throws -> HumanAnswer {
    let event = RunEvent.answered(approval, answer)
    dependencies.journal.record([event.entry(of: start.run, at: dependencies.time.now())])
    try await emit(.event(event))
    return answer
  }
}

extension Value {
  /// For people: a decision as a sentence, an object as lines, a list as points.
  var words: String {
    if let decision = self["decision"].string, let by = self["by"].string, !by.isEmpty {
      let verb =
        switch HumanAnswer.Decision(rawValue: decision) {
        case .approve: "approved it"
        case .edit: "edited it"
        case .reject: "rejected it"
        case .feedback: "asked for a correction"
        case .answer: "answered"
        case nil: decision
        }
      let reason = self["reason"].promptText
      return "\(by) \(verb)" + (reason.isEmpty ? "" : ": \(reason)")
    }
    return lines.joined(separator: "\n")
  }

  private var lines: [String] {
    switch self {
    case .null: return []
    case .object(let object):
      return object.flatMap { name, value -> [String] in
        let lines = value.lines
        switch value {
        case .object, .array: return ["\(name):"] + lines.map { "  \($0)" }
        default: return ["\(name): \(lines.first ?? "")"] + lines.dropFirst().map { "  \($0)" }
        }
      }
    case .array(let array):
      return array.flatMap { value -> [String] in
        let lines = value.lines
        return ["- \(lines.first ?? "")"] + lines.dropFirst().map { "  \($0)" }
      }
    case .string(let text):
      return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    default: return [promptText]
    }
  }
}

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
    if definition.kind == .human, let prompt = definition.prompt { title = prompt.render(read) }
    let shown = graph.nodes[invocation.node].writes + definition.reads
    var context: [Question.ContextLine] = []
    for path in shown where path != subject && !State.provided.contains(path.key) {
      let text = invocation.view[path].promptText
      if !text.isEmpty, !context.contains(where: { $0.name == path.description }) {
        context.append(Question.ContextLine(name: path.description, text: text))
      }
    }
    let question = Question(
      key: invocation.step.effect("review"), title: title, subject: subject,
      payload: invocation.view[subject], schema: schema(of: subject, definition), context: context,
      spent: stage.spent)
    return try await answer(
      to: question, lifetime: definition.kind == .human ? definition.timeout : nil)
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
  func answer(to first: Question, lifetime: Double?) async throws -> HumanAnswer {
    let digest = first.payloadDigest
    let journal = surroundings.journal
    var question = first
    while true {
      if let known = recorded.humanAnswer(at: question.key, payloadDigest: digest) {
        let now = surroundings.time.now()
        if recorded.own.humanAnswer(at: question.key, payloadDigest: digest) == nil {
          let approval = Approval(
            run: start.run, question: question, askedAt: now, standing: .answered(known, at: now))
          journal.record([RunEvent.answered(approval, known).entry(of: start.run, at: now)])
        }
        return known
      }
      let now = surroundings.time.now()
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
    try await show(.event(asked))
    let time = surroundings.time
    let from = time.monotonic()
    let decision = try await surroundings.people.decide(approval.question)
    stage.wait(time.monotonic() &- from)
    guard let decision else { throw Deferred(approvals: [approval]) }
    switch try await surroundings.journal.answer(approval.id, decision) {
    case .accepted(let approval): return try await note(decision, to: approval)
    case .late(let approval):
      guard case .answered(let first, _) = approval.standing else { return nil }
      try await show(
        .event(.warned("\(first.by) had already answered: \(first.decision.rawValue)")))
      return try await note(first, to: approval)
    case .unknown: throw Failure(.storage, "the question \(approval.id) is not in the journal")
    }
  }

  private func note(_ answer: HumanAnswer, to approval: Approval) async throws -> HumanAnswer {
    let event = RunEvent.answered(approval, answer)
    surroundings.journal.record([event.entry(of: start.run, at: surroundings.time.now())])
    try await show(.event(event))
    return answer
  }
}

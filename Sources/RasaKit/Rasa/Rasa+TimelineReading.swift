import RasaCore
import RasaEngine
import RasaPersona

extension Rasa.Timeline {
  init(_ account: RunArchive.Account) {
    self.account = account
    let timeline = account.timeline
    run = Rasa.RunSummary(account.found)
    attachments = (timeline.start?.attachments ?? []).map { Rasa.Attachment($0) }
    asOf = timeline.start?.asOf?.milliseconds
    fork = timeline.start?.fork.map {
      Fork(run: $0.run.text, sequence: $0.sequence, changes: Array($0.changes.keys))
    }
    items = timeline.items.map { item in
      switch item {
      case .section(let section): .visit(Visit(section))
      case .notice(let notice): .incident(Incident(notice))
      }
    }
    ending =
      switch timeline.end {
      case .open: .open
      case .parked: .parked
      case .finished(let output): .finished(output: Rasa.JSON(output))
      case .failed(let failure): .failed(RasaError(failure))
      }
    activeDuration = .milliseconds(timeline.activeMilliseconds)
    totals = Totals(timeline.totals)
    rulesProblem = account.walkProblem.map { RasaError($0) }
    damage = account.damage.map { RasaError($0) }
  }
}

extension Rasa.Attachment {
  /// What is known of it, as JSON documents have it, without its content.
  public var json: Rasa.JSON { Rasa.JSON(.object(own.facts)) }

  /// What it is, for people: `PNG image, 640×480`.
  public var summary: String { own.summary }
}

extension Rasa.Step {
  /// As people read it: `critic in session_frame, visit 2`.
  public var title: String {
    "\(name) in \(frame)" + (visit > 1 ? ", visit \(visit)" : "")
      + (round > 1 ? ", round \(round)" : "")
  }

  /// The frame as people read it: `planner › short_term_frame` for one of delegated work.
  public var frameTitle: String { RasaEngine.frameTitle(frame) }
}

extension Rasa.Notice {
  /// The message and what to do, on one line for a person.
  public var line: String { suggestion.isEmpty ? message : "\(message) → \(suggestion)" }
}

extension Rasa.Timeline.Visit {
  fileprivate init(_ section: RunTimeline.Section) {
    frame = section.frame
    title = RasaEngine.frameTitle(section.frame)
    number = section.visit
    isContinued = section.isContinued
    passes = section.passes.map { pass in
      Rasa.Timeline.Pass(
        step: Rasa.Step(pass.step), isRule: pass.isRule, isFinished: pass.finished != nil,
        entries: pass.lines.map { Rasa.Timeline.Entry($0) })
    }
  }
}

extension Rasa.Timeline.Entry {
  fileprivate init(_ line: RunTimeline.Line) {
    switch line {
    case .call(let call): self = .call(Rasa.Timeline.Call(call))
    case .question(let asked): self = .question(Rasa.Timeline.Question(asked))
    case .wrote(let updates):
      self = .wrote(
        updates.map { update in
          Rasa.Timeline.Write(path: update.path.description, value: Rasa.JSON(update.value))
        })
    case .skipped(let reason): self = .skipped(reason: reason)
    case .permission(let made):
      self = .permission(
        Rasa.Timeline.Permission(
          tool: made.tool, isRefused: made.isRefused, because: made.because, grant: made.grant))
    case .recalled(let record):
      self = .recalled(
        Rasa.Timeline.Recall(
          mostItems: record.bounds.items, mostTokens: record.bounds.tokens, tokens: record.tokens,
          leftOut: record.cut.map { cut in
            Rasa.Timeline.Recall.LeftOut(
              id: cut.id, kind: cut.kind, text: cut.text, because: cut.because.rawValue)
          }))
    case .moved(let move): self = .moved(Rasa.Timeline.Move(move))
    case .warned(let message): self = .warning(message)
    case .noticed(let notice): self = .notice(Rasa.Notice(notice))
    }
  }
}

extension Rasa.Timeline.Call {
  fileprivate init(_ call: RunTimeline.Call) {
    label = String(call.key.label.prefix { $0 != "@" })
    arguments = Rasa.JSON(call.arguments)
    isError = call.isError
    toolCalls = call.toolCalls.map(\.name)
    attempt = call.key.occurrence
    provider = call.provider
    model = call.model
    outcome =
      switch call.outcome {
      case .open: .open
      case .answered: .answered
      case .failed(let reason, let message): .failed(reason: reason, message: message)
      case .uncertain(let decision): .uncertain(decision: decision)
      case .reused(let from): .reused(from: from)
      }
    inputTokens = Int(clamping: call.usage.input)
    outputTokens = Int(clamping: call.usage.output)
    cost = Rasa.Dollars(call.cost)
    text = call.text
    isMock = call.isMock
    finish = call.finish
    insteadOf = call.fallback?.insteadOf
    askedAt = call.askedAt.milliseconds
    endedAt = call.endedAt?.milliseconds
  }

  /// How long it took; nil while it is open.
  public var duration: Duration? { endedAt.map { .milliseconds($0 - askedAt) } }
}

extension Rasa.Timeline.Question {
  fileprivate init(_ asked: RunTimeline.Asked) {
    approval = asked.approval
    title = asked.title
    subject = asked.subject
    askedAt = asked.askedAt.milliseconds
    expiresAt = asked.expiresAt?.milliseconds
    answer = asked.answer.map {
      Answer(by: $0.by, decision: $0.decision.rawValue, text: Rasa.JSON($0.text))
    }
    answeredAt = asked.answeredAt?.milliseconds
    isInherited = asked.isInherited
  }
}

extension Rasa.Timeline.Move {
  fileprivate init(_ move: RunTimeline.Move) {
    from = move.from
    to = move.to
    reason = move.reason
  }
}

extension Rasa.Timeline.Incident {
  fileprivate init(_ notice: RunTimeline.Notice) {
    time = notice.time.milliseconds
    kind =
      switch notice.kind {
      case .parked(let parking):
        switch parking.reason {
        case .approval: .parked(waitsFor: parking.waitsFor)
        case .interrupted: .interrupted
        }
      case .resumed(let by): .resumed(by: by)
      case .changed(let changes): .changed(keys: Array(changes.keys))
      case .warned(let message): .warning(message)
      case .moved(let move): .moved(Rasa.Timeline.Move(move))
      }
  }
}

extension Rasa.Timeline.Totals {
  fileprivate init(_ totals: RunTimeline.Totals) {
    answered = totals.answered
    tools = totals.tools
    failed = totals.failed
    uncertain = totals.doubted
    reused = totals.reused
    open = totals.open
    inputTokens = Int(clamping: totals.usage.input)
    outputTokens = Int(clamping: totals.usage.output)
    isReported = totals.usage.isReported
    spent = Rasa.Dollars(totals.spent)
    held = Rasa.Dollars(totals.held)
  }
}

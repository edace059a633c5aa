package import RasaCore

extension RunEvent {
  /// The name of the event in the journal.
  package var kind: String {
    switch self {
    case .started: "run.started"
    case .contextOpened: "context.opened"
    case .frameEntered: "frame.entered"
    case .operatorFinished: "operator.finished"
    case .moved: "run.moved"
    case .objected: "run.objected"
    case .asked: "human.asked"
    case .answered: "human.answered"
    case .warned: "run.warned"
    case .resumed: "run.resumed"
    case .parked: "run.parked"
    case .changed: "state.changed"
    case .finished: "run.finished"
    case .failed: "run.failed"
    }
  }

  /// The effect's key, for events about effects.
  package var key: String? {
    switch self {
    case .asked(let approval), .answered(let approval, _): approval.question.key.description
    default: nil
    }
  }

  package func entry(of run: Identifier, at time: Timestamp) -> JournalEntry {
    JournalEntry(run: run, time: time, event: self)
  }

  package var body: Value {
    switch self {
    case .started(let start): start.value
    case .contextOpened(let context): ConversationContext.grouped(context)
    case .frameEntered(let frame, let visit):
      ["frame": .string(frame), "visit": .int(Int64(visit))]
    case .operatorFinished(let step, let outcome):
      ["step": step.value, "outcome": outcome.value]
    case .moved(let from, let to, let reason):
      ["from": .string(from), "to": .string(to), "reason": .string(reason)]
    case .objected(let objection): objection.value
    case .asked(let approval):
      .object(
        approval.question.value.object ?? ValueObject(),
        and: [
          ("approval", .string(approval.id)),
          ("expires_ms", approval.expiresAt.map { .int($0.milliseconds) } ?? .null),
        ])
    case .answered(let approval, let answer):
      .object(
        answer.value.object ?? ValueObject(),
        and: [
          ("approval", .string(approval.id)), ("payload_digest", .string(approval.payloadDigest)),
        ])
    case .warned(let message): ["message": .string(message)]
    case .resumed(let by): ["by": .string(by)]
    case .changed(let changes): .object(changes)
    case .parked(let parking):
      [
        "reason": .string(parking.reason.rawValue),
        "waits_for": .array(parking.waitsFor.map { .string($0) }),
      ]
    case .finished(let output): ["output": output]
    case .failed(let failure):
      .object(failure.journalBody)
    }
  }

  /// Reads back the events that the state is folded from; nil for all others, and for lines that
  /// this build does not know.
  package init?(folding entry: JournalEntry) {
    let body = entry.body
    switch entry.kind {
    case "run.started":
      self = .started(RunStart(body))
    case "context.opened": self = .contextOpened(ConversationContext.flat(body))
    case "state.changed": self = .changed(body.object ?? ValueObject())
    case "operator.finished":
      guard let step = Step(body["step"]), let outcome = OperatorOutcome(body["outcome"]) else {
        return nil
      }
      self = .operatorFinished(step, outcome)
    default: return nil
    }
  }
}

extension Value {
  fileprivate static func object(_ object: ValueObject, and more: [(String, Value)]) -> Value {
    var object = object
    for (key, value) in more { object[key] = value }
    return .object(object)
  }
}

extension RunStart {
  fileprivate var value: Value {
    var object: ValueObject = [
      "run": .string(run.text), "persona": .string(persona), "digest": .string(personaDigest),
      "session": session.map { .string($0) } ?? .null, "user": .string(user),
      "input": .string(input), "preferences": .object(preferences),
    ]
    if !options.isEmpty { object["options"] = .object(options) }
    if !attachments.isEmpty {
      object["attachments"] = .array(attachments.map { .object($0.facts) })
    }
    if let fork {
      object["fork"] = [
        "run": .string(fork.run.text),
        "sequence": fork.sequence.map { .int(Int64($0)) } ?? .null,
        "changes": .object(fork.changes),
      ]
    }
    return .object(object)
  }

  fileprivate init(_ body: Value) {
    let fork = body["fork"]
    self.init(
      run: Identifier(body["run"].string ?? ""), persona: body["persona"].string ?? "",
      personaDigest: body["digest"].string ?? "", session: body["session"].string,
      user: body["user"].string ?? "", input: body["input"].string ?? "",
      preferences: body["preferences"].object ?? ValueObject(),
      options: body["options"].object ?? ValueObject(),
      fork: fork["run"].string.map { run in
        ForkPoint(
          run: Identifier(run), sequence: fork["sequence"].int.map { Int(clamping: $0) },
          changes: fork["changes"].object ?? ValueObject())
      },
      attachments: (body["attachments"].array ?? []).compactMap { Attachment(facts: $0) })
  }
}

extension Step {
  var value: Value {
    [
      "frame": .string(frame), "visit": .int(Int64(visit)), "operator": .string(operatorName),
      "round": .int(Int64(round)), "review": .bool(isReview),
    ]
  }

  init?(_ value: Value) {
    guard let frame = value["frame"].string, let visit = value["visit"].int,
      let name = value["operator"].string
    else { return nil }
    self.init(
      frame: frame, visit: Int(visit), operatorName: name,
      round: Int(value["round"].int ?? 1), isReview: value["review"].bool ?? false)
  }
}

extension OperatorOutcome {
  var value: Value {
    switch self {
    case .wrote(let updates):
      [
        "wrote": .array(
          updates.map { ["path": .string($0.path.description), "value": $0.value] })
      ]
    case .skipped(let reason): ["skipped": .string(reason)]
    case .answered(let answer): ["answered": answer.value]
    }
  }

  init?(_ value: Value) {
    if let updates = value["wrote"].array {
      self = .wrote(
        updates.compactMap { update in
          update["path"].string.map { Update(StatePath($0), update["value"]) }
        })
    } else if let reason = value["skipped"].string {
      self = .skipped(reason: reason)
    } else if let answer = HumanAnswer(value["answered"]) {
      self = .answered(answer)
    } else {
      return nil
    }
  }
}

extension HumanAnswer {
  var value: Value {
    var object: ValueObject = [
      "decision": .string(decision.rawValue), "text": text, "by": .string(by),
    ]
    if let uid { object["uid"] = .int(Int64(uid)) }
    if let grant { object["grant"] = grant }
    return .object(object)
  }

  init?(_ value: Value) {
    guard let decision = value["decision"].string.flatMap(Decision.init(rawValue:)) else {
      return nil
    }
    self.init(decision, text: value["text"], by: value["by"].string ?? "")
    uid = value["uid"].int.flatMap { UInt32(exactly: $0) }
    grant = value["grant"].isNull ? nil : value["grant"]
  }
}

package import RasaCore

extension RunTimeline {
  /// The run as a document for programs, without what only a store knows.
  package var document: ValueObject {
    let totals = totals
    var document: ValueObject = [
      "run": start.map { .string($0.run.text) } ?? .null,
      "persona": start.map { .string($0.persona) } ?? .null,
      "persona_digest": start.map { .string($0.personaDigest) } ?? .null,
      "session": start?.session.map { .string($0) } ?? .null,
      "user": start.map { .string($0.user) } ?? .null,
      "input": start.map { .string($0.input) } ?? .null,
      "preferences": .object(start?.preferences ?? ValueObject()),
      "started_at_ms": startedAt.map { .int($0.milliseconds) } ?? .null,
      "changed_at_ms": changedAt.map { .int($0.milliseconds) } ?? .null,
      "active_ms": .int(activeMilliseconds), "lines": .int(Int64(lines)),
      "cost_usd": .string(totals.spent.decimalText),
      "held_usd": .string(totals.held.decimalText),
      "calls": totals.value,
      "usage": totals.usage.document,
    ]
    if let fork = start?.fork {
      document["fork"] = [
        "run": .string(fork.run.text),
        "sequence": fork.sequence.map { .int(Int64($0)) } ?? .null,
        "changes": .object(fork.changes),
      ]
    }
    if let asOf = start?.asOf { document[RunStart.asOfOption] = .int(asOf.milliseconds) }
    if let attachments = start?.attachments, !attachments.isEmpty {
      document["attachments"] = .array(attachments.map { .object($0.facts) })
    }
    document["timeline"] = .array(items.map(\.value))
    switch end {
    case .open: break
    case .parked(let parking):
      document["waits_for"] = .array(parking.waitsFor.map { .string($0) })
    case .finished(let output): document["output"] = output
    case .failed(let failure): document["error"] = failure.value
    }
    return document
  }
}

extension RunTimeline.Totals {
  fileprivate var value: Value {
    [
      "answered": .int(Int64(answered)), "tools": .int(Int64(tools)), "failed": .int(Int64(failed)),
      "in_doubt": .int(Int64(doubted)),
      "reused": .int(Int64(reused)), "open": .int(Int64(open)),
    ]
  }
}

extension Usage {
  /// The counts in the words of the command line's documents.
  package var document: Value {
    [
      "input_tokens": .int(input), "output_tokens": .int(output),
      "cached_input_tokens": .int(cachedInput), "reasoning_tokens": .int(reasoning),
      "reported": .bool(isReported),
    ]
  }
}

extension RunTimeline.Item {
  fileprivate var value: Value {
    switch self {
    case .section(let section):
      [
        "type": "frame", "frame": .string(section.frame), "visit": .int(Int64(section.visit)),
        "continued": .bool(section.isContinued),
        "operators": .array(section.passes.map(\.value)),
      ]
    case .notice(let notice): notice.value
    }
  }
}

extension RunTimeline.Notice {
  fileprivate var value: Value {
    var object: ValueObject
    switch kind {
    case .parked(let parking): object = RunEvent.parked(parking).body.object ?? ValueObject()
    case .resumed(let by): object = ["by": .string(by)]
    case .changed(let changes): object = ["changes": .object(changes)]
    case .warned(let message): object = ["message": .string(message)]
    case .moved(let move): object = move.value
    }
    let type =
      switch kind {
      case .parked: "parked"
      case .resumed: "resumed"
      case .changed: "changed"
      case .warned: "warned"
      case .moved: "moved"
      }
    object["type"] = .string(type)
    object["at_ms"] = .int(time.milliseconds)
    return .object(object)
  }
}

extension RunTimeline.Move {
  fileprivate var value: ValueObject {
    ["from": .string(from), "to": .string(to), "reason": .string(reason)]
  }
}

extension RunTimeline.Pass {
  fileprivate var value: Value {
    var object: ValueObject = [
      "operator": .string(step.operatorName), "round": .int(Int64(step.round)),
      "rule": .bool(isRule), "finished": .bool(finished != nil),
      "calls": .array(calls.map(\.value)), "questions": .array(questions.map(\.value)),
      "wrote": .array(
        updates.map { ["path": .string($0.path.description), "value": $0.value] }),
      "moves": .array(moves.map { .object($0.value) }),
    ]
    for case .skipped(let reason) in lines { object["skipped"] = .string(reason) }
    let permissions = lines.compactMap { line -> Value? in
      guard case .permission(let permission) = line else { return nil }
      return [
        "tool": .string(permission.tool), "refused": .bool(permission.isRefused),
        "because": .string(permission.because),
        "grant": permission.grant.map(Value.string) ?? .null,
      ]
    }
    if !permissions.isEmpty { object["permissions"] = .array(permissions) }
    // Of a recall that was made again the last one counts.
    for case .recalled(let record) in lines { object["recall"] = .object(record.body) }
    let warnings = lines.compactMap { line -> Value? in
      if case .warned(let message) = line { .string(message) } else { nil }
    }
    if !warnings.isEmpty { object["warnings"] = .array(warnings) }
    if !notices.isEmpty { object["notices"] = .array(notices.map(\.value)) }
    return .object(object)
  }
}

extension RunTimeline.Call {
  fileprivate var value: Value {
    var object: ValueObject = [
      "label": .string(key.label), "try": .int(Int64(key.occurrence)),
      "provider": .string(provider), "model": .string(model),
      "outcome": .string(outcome.name), "usage": usage.document,
      "asked_at_ms": .int(askedAt.milliseconds),
      "took_ms": endedAt.map { .int($0.milliseconds - askedAt.milliseconds) } ?? .null,
      "text": .string(text), "mock": .bool(isMock),
    ]
    object[outcome == .open ? "held_usd" : "cost_usd"] = .string(cost.decimalText)
    if !finish.isEmpty { object["finish"] = .string(finish) }
    if isTool {
      object["arguments"] = arguments
      object["is_error"] = .bool(isError)
    }
    if !toolCalls.isEmpty { object["tool_calls"] = .array(toolCalls.map(\.value)) }
    if let fallback {
      object["instead_of"] = .string(fallback.insteadOf)
      object["because"] = .string(fallback.because)
    }
    switch outcome {
    case .open, .answered: break
    case .failed(let reason, let message):
      object["reason"] = .string(reason)
      object["message"] = .string(message)
    case .uncertain(let decision): object["decision"] = .string(decision)
    case .reused(let from): object["from"] = .string(from)
    }
    return .object(object)
  }
}

extension RunTimeline.Call.Outcome {
  fileprivate var name: String {
    switch self {
    case .open: "open"
    case .answered: "answered"
    case .failed: "failed"
    case .uncertain: "uncertain"
    case .reused: "reused"
    }
  }
}

extension RunTimeline.Asked {
  fileprivate var value: Value {
    [
      "approval": .string(approval), "title": .string(title), "subject": .string(subject),
      "asked_at_ms": .int(askedAt.milliseconds),
      "expires_at_ms": expiresAt.map { .int($0.milliseconds) } ?? .null,
      "answered_at_ms": answeredAt.map { .int($0.milliseconds) } ?? .null,
      "inherited": .bool(isInherited), "answer": answer?.value ?? .null,
    ]
  }
}

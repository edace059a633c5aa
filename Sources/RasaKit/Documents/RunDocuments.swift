package import RasaCore
import RasaEngine

// Documents about runs, as the command line prints them and the server sends them.

extension Rasa.RunResult {
  /// What `--json`, the last line of `stream-json` and the server give. A parked run has its `error` as well: there is no
  /// answer.
  package func document(_ failure: Failure?) -> ValueObject {
    var value: ValueObject = [
      "run": .string(run), "status": pending.isEmpty ? "done" : "parked",
      "finish": pending.isEmpty ? .string(finish) : .null,
      "persona": .string(persona), "session": session.map { .string($0) } ?? .null,
      "output": output.value, "state": state.value,
      "calls": .int(Int64(calls)), "steps": .int(Int64(steps)),
      "usage": [
        "input_tokens": .int(Int64(inputTokens)), "output_tokens": .int(Int64(outputTokens)),
        "cached_input_tokens": .int(Int64(cachedInputTokens)),
        "reasoning_tokens": .int(Int64(reasoningTokens)),
        "reported": .bool(isReported),
      ],
      "cost_usd": .string(cost.decimalText), "mock": .bool(usedMock),
      "continued": .int(Int64(continued)), "notices": .array(notices.map { $0.json.value }),
      "answered_by": .array(answeredBy.map(Value.string)),
    ]
    let attached = attachments.value
    if attached.array?.isEmpty == false { value["attachments"] = attached }
    if !files.isEmpty { value["files"] = .array(files.map { $0.json.value }) }
    if let failure {
      value["resume"] = failure.run?.resume.map { .string($0) } ?? .null
      value["error"] = failure.value
    }
    if let insteadOf {
      value["instead_of"] = .string(insteadOf)
      value["because"] = .string(because ?? "")
    }
    if !pending.isEmpty {
      value["waits_for"] = .array(
        pending.map { approval in
          [
            "approval": .string(approval.id), "operator": .string(approval.step.name),
            "title": .string(approval.title),
          ]
        })
    }
    return value
  }
}

extension Rasa.RunSummary {
  /// The run as lists give it to programs.
  public var json: Rasa.JSON {
    let document: RasaCore.Value = [
      "run": .string(id), "persona": .string(persona), "status": .string(status.description),
      "is_alive": .bool(isAlive), "session": session.map { .string($0) } ?? .null,
      "fork_of": forkOf.map { .string($0) } ?? .null, "user": .string(user),
      "started_at_ms": .int(startedAt), "changed_at_ms": .int(changedAt),
      "cost_usd": .string(cost.decimalText), "waiting": .int(Int64(openQuestions)),
      "lines": .int(Int64(journalLines)), "input": .string(input),
    ]
    return Rasa.JSON(document)
  }
}

extension Rasa.JournalLine {
  /// The line as a document. What it says has a member of its own, because its members may have any
  /// names.
  public var json: Rasa.JSON {
    var object: ValueObject = [
      "sequence": .int(Int64(sequence)), "at_ms": .int(time), "kind": .string(kind),
    ]
    if let key { object["key"] = .string(key) }
    if !body.isNull { object["body"] = body.value }
    return Rasa.JSON(.object(object))
  }
}

extension Rasa.JournalLine {
  /// The line in the form of `stream-json`; nil if that stream has no such line.
  package var event: Value? {
    guard Self.streamed.contains(kind) else { return nil }
    var object = body.value.object ?? ValueObject()
    object["type"] = .string(kind)
    return .object(object)
  }

  /// The kinds of lines that an observer of a run gets in the order of its journal.
  package static let streamed: Set<String> = [
    "run.started", "frame.entered", "run.moved", "run.objected", "human.asked", "human.answered",
    "run.warned", "run.resumed", "run.parked",
  ]
}

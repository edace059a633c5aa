package import RasaCore
import RasaPersona

extension Recording {
  /// The file's text: members always in the same order, so that two of them can be compared.
  package var text: String { value.json(.pretty) + "\n" }

  package var value: Value {
    var object: ValueObject = [
      "rasa_recording": .int(Recording.version),
      "persona": ["name": .string(start.persona), "digest": .string(start.personaDigest)],
      "run": run,
      "context": ReadableText.marked(context),
    ]
    if !changes.isEmpty { object["changes"] = .array(changes.map(\.recorded)) }
    object["effects"] = .array(effects.map(\.value))
    object["expected"] = expected.value
    object["files"] = .array(
      files.files.map { file in
        [
          "kind": .string(file.kind.rawValue), "name": .string(file.name),
          "path": .string(file.path), "text": ReadableText.value(file.text),
        ]
      })
    return .object(object)
  }

  private var run: Value {
    var object: ValueObject = [
      "id": .string(start.run.text), "started_ms": .int(startedAt.milliseconds),
      "input": ReadableText.value(start.input),
      "preferences": ReadableText.marked(.object(start.preferences)), "user": .string(start.user),
    ]
    if let session = start.session { object["session"] = .string(session) }
    if let fork = start.fork { object["fork_of"] = .string(fork.run.text) }
    if !start.attachments.isEmpty {
      object["attachments"] = .array(
        start.attachments.map { attachment in
          var facts = attachment.facts
          // A prompt is put together from a text again; of an image only the digest counts.
          if attachment.kind == .text { facts["text"] = ReadableText.value(attachment.payload) }
          return .object(facts)
        })
    }
    if !options.isEmpty { object["options"] = .object(options) }
    return .object(object)
  }
}

extension Recording.Change {
  fileprivate var recorded: Value {
    [
      "after": after.map { .string($0.place) } ?? .null, "key": .string(key),
      "value": ReadableText.marked(value),
    ]
  }
}

extension Recording.Effect {
  fileprivate var value: Value {
    switch self {
    case .call(let call): call.value
    case .question(let asked): asked.value
    case .recall(let recalled):
      recalled.value
    case .offer(let offer):
      offer.value
    }
  }
}

extension ToolOffer {
  fileprivate var value: Value {
    var object: ValueObject = [
      "offered": .string(key.description),
      "tools": .array(tools.map { ReadableText.marked($0.body) }),
    ]
    if let window { object["window"] = .int(window) }
    return .object(object)
  }
}

extension Recording.Recalled {
  fileprivate var value: Value {
    var object: ValueObject = ["recall": .string(step.place)]
    if let memories {
      object["memories"] = ReadableText.marked(memories)
    } else {
      object["cut_off"] = true
    }
    return .object(object)
  }
}

extension Recording.Call {
  fileprivate var value: Value {
    var object: ValueObject = ["call": .string(key.description), "after_ms": .int(after)]
    if let request { object["request"] = request.value }
    if let digest { object["request_digest"] = .string(digest) }
    switch outcome {
    case .answer(let answer):
      var fields = answer.value
      fields["text"] = ReadableText.value(answer.text)
      object["answer"] = .object(fields)
    case .tool(let result):
      object["result"] = ReadableText.marked(.object(result.withoutPayloads.body))
    case .inputRequired(let request): object["input_required"] = ReadableText.marked(request.body)
    case .failure(let failure):
      object["failure"] = failure.recorded
      // Before there were tools, every failure of this kind meant a call in doubt.
      if failure.kind == .run { object["in_doubt"] = false }
    case .inDoubt(let failure):
      object["failure"] = failure.recorded
      object["in_doubt"] = true
    case .cutOff: object["cut_off"] = true
    }
    return .object(object)
  }
}

extension RecordedRequest {
  package var value: Value {
    var object: ValueObject = [
      "messages": .array(
        messages.map { message in
          var object: ValueObject = [
            "role": .string(message.role.rawValue), "text": ReadableText.value(message.text),
          ]
          if !message.toolCalls.isEmpty {
            object["tool_calls"] = .array(message.toolCalls.map { ReadableText.marked($0.value) })
          }
          if !message.reasoning.isEmpty {
            object["reasoning"] = .array(message.reasoning.map { ReadableText.marked($0.value) })
          }
          if let id = message.toolCallID { object["tool_call_id"] = .string(id) }
          if message.isError { object["is_error"] = true }
          if let number = message.resultNumber { object["result_number"] = .string(number) }
          if !message.attachments.isEmpty {
            object["attachments"] = .array(message.attachments.map { .object($0.facts) })
          }
          return .object(object)
        })
    ]
    if let schema { object["schema"] = ReadableText.marked(schema) }
    if let maxTokens { object["max_tokens"] = .int(Int64(maxTokens)) }
    if let temperature { object["temperature"] = .double(temperature) }
    if let profile { object["profile"] = .string(profile.rawValue) }
    return .object(object)
  }
}

extension Recording.Asked {
  fileprivate var value: Value {
    var object: ValueObject = [
      "question": .string(key.description), "after_ms": .int(after),
      "payload": ReadableText.marked(payload), "payload_digest": .string(payloadDigest),
    ]
    if let answer {
      object["decision"] = .string(answer.decision.rawValue)
      if !answer.text.isNull { object["text"] = ReadableText.marked(answer.text) }
      object["by"] = .string(answer.by)
    }
    if let failure { object["failure"] = failure.recorded }
    return .object(object)
  }
}

extension Recording.Expectation {
  fileprivate var value: Value {
    var object: ValueObject = ["status": .string(status.rawValue)]
    if status == .done { object["output"] = ReadableText.marked(output) }
    if let failure { object["failure"] = failure.recorded }
    object["state"] = .object(
      ValueObject(state.sorted { $0.key < $1.key }.map { ($0.key, ReadableText.marked($0.value)) }))
    object["path"] = .array(path.map { .string($0.place) })
    object["calls"] = .int(calls)
    object["cost_usd"] = .string(cost.decimalText)
    return .object(object)
  }
}

extension Failure {
  fileprivate var recorded: Value {
    var object: ValueObject = [
      "kind": .string(kind.rawValue), "message": ReadableText.value(message),
    ]
    if !suggestion.isEmpty { object["mend"] = ReadableText.value(suggestion) }
    if let reason { object["reason"] = .string(reason) }
    if isOfWholeRun { object["whole_run"] = true }
    if !details.isEmpty { object["details"] = .array(details.map { .string($0) }) }
    return .object(object)
  }
}

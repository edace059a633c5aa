import RasaCore
import RasaEngine
import RasaPersona
import RasaSystem
import RasaTerminal

/// Shows one run: the answer on standard output, everything else on standard error.
protocol RunScreen: Sendable {
  func show(_ progress: RunProgress) async throws
  /// - Parameter failure: what is wrong all the same: above all, that it waits for people.
  func finish(_ result: RunResult, of run: Identifier, failure: Failure?) async throws
  /// Takes away what would be in the way of an error message or a question.
  func clear() async
}

/// One JSON document at the end; what people want to know meanwhile stands on standard error.
struct JSONScreen: RunScreen {
  let commentary: TextScreen
  let deliver: @Sendable (Value) throws -> Void

  func show(_ progress: RunProgress) async throws { try await commentary.show(progress) }
  func clear() async { await commentary.clear() }

  func finish(_ result: RunResult, of run: Identifier, failure: Failure?) async throws {
    try await commentary.finish(result, of: run, failure: failure)
    try deliver(.object(result.document(of: run, failure)))
  }
}

/// One JSON document a line, as things happen; the last one is the result.
struct StreamJSONScreen: RunScreen {
  let commentary: TextScreen
  let output: Output

  func show(_ progress: RunProgress) async throws {
    try await commentary.show(progress)
    guard let line = progress.line else { return }
    try write(line)
  }

  func clear() async { await commentary.clear() }

  func finish(_ result: RunResult, of run: Identifier, failure: Failure?) async throws {
    try await commentary.finish(result, of: run, failure: failure)
    var value = result.document(of: run, failure)
    value["type"] = "result"
    try write(.object(value))
  }

  private func write(_ line: Value) throws {
    try commentary.progress.write(line.json(.compact) + "\n", to: output)
  }
}

extension RunResult {
  /// What the JSON formats print. A parked run has its `error` as well: there is no answer.
  func document(of run: Identifier, _ failure: Failure?) -> ValueObject {
    var value: ValueObject = [
      "run": .string(run.text), "status": waitsFor.isEmpty ? "done" : "parked",
      "finish": waitsFor.isEmpty ? .string(finish.rawValue) : .null,
      "persona": state["persona.name"], "session": session.map { .string($0) } ?? .null,
      "output": output, "state": writtenState,
      "calls": .int(Int64(calls)), "steps": .int(Int64(steps)),
      "usage": [
        "input_tokens": .int(usage.input), "output_tokens": .int(usage.output),
        "cached_input_tokens": .int(usage.cachedInput), "reasoning_tokens": .int(usage.reasoning),
        "reported": .bool(usage.isReported),
      ],
      "cost_usd": .string(cost.decimalText), "mock": .bool(usedMock),
      "continued": .int(Int64(continued)), "notices": .array(notices.map(\.value)),
      "answered_by": .array(answeredBy.map(Value.string)),
    ]
    if !attachments.isEmpty { value["attachments"] = .array(attachments.map(\.value)) }
    if let failure {
      value["resume"] = failure.run?.resume.map { .string($0) } ?? .null
      value["error"] = failure.value
    }
    if let fallback {
      value["instead_of"] = .string(fallback.insteadOf)
      value["because"] = .string(fallback.because)
    }
    if !waitsFor.isEmpty {
      value["waits_for"] = .array(
        waitsFor.map { approval in
          [
            "approval": .string(approval.id),
            "operator": .string(approval.question.key.operatorName),
            "title": .string(approval.question.title),
          ]
        })
    }
    return value
  }

  /// What operators wrote, without what the runtime provided.
  private var writtenState: Value {
    .object(
      ValueObject(
        (state.value.object ?? ValueObject())
          .filter { !State.provided.contains($0.key) && $0.key != "output" }
          .map { ($0.key, $0.value) }))
  }
}

extension RunProgress {
  /// The event as a line of `stream-json`; nil for what is not shown there.
  var line: Value? {
    func step(_ type: String, _ step: Step, _ more: (String, Value)...) -> Value {
      .object(
        ValueObject(
          [
            ("type", .string(type)), ("frame", .string(step.frame)),
            ("visit", .int(Int64(step.visit))), ("operator", .string(step.operatorName)),
          ] + more))
    }
    switch self {
    case .event(.operatorFinished), .event(.contextOpened), .event(.finished): return nil
    case .event(let event):
      var value = event.body.object ?? ValueObject()
      value["type"] = .string(event.kind)
      return .object(value)
    case .operatorStarted(let at, let kind):
      return step("operator.started", at, ("kind", .string(kind)))
    case .modelChosen(let at, let provider, let model):
      return step("model.chosen", at, ("provider", .string(provider)), ("model", .string(model)))
    case .textArrived, .sentBack: return nil
    case .restarted(let at, let restart, let wasShown):
      return step(
        "restart", at, ("reason", .string(restart.reason)), ("was_shown", .bool(wasShown)))
    case .operatorEnded(let at, let answers):
      return step(
        "operator.ended", at,
        (
          "calls",
          .array(
            answers.map { answer in
              var call: ValueObject = [
                "provider": .string(answer.provider), "model": .string(answer.model),
                "input_tokens": .int(answer.usage.input),
                "output_tokens": .int(answer.usage.output),
                "finish": .string(answer.finish.rawValue),
                "cost_usd": .string(answer.cost.decimalText), "mock": .bool(answer.isMock),
              ]
              if let fallback = answer.fallback {
                call["instead_of"] = .string(fallback.insteadOf)
                call["because"] = .string(fallback.because)
              }
              return .object(call)
            })
        ))
    case .output(let text): return ["type": "text", "text": .string(text)]
    case .reasoning(let at, let text): return step("reasoning", at, ("text", .string(text)))
    case .notice(let notice):
      var value = notice.value.object ?? ValueObject()
      value["type"] = "notice"
      return .object(value)
    }
  }
}

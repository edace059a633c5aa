import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// Shows one run: the answer on standard output, everything else on standard error.
protocol RunScreen: Sendable {
  func show(_ observation: Rasa.Observation) async throws
  /// - Parameter failure: what is wrong all the same: above all, that it waits for people.
  func finish(_ result: Rasa.RunResult, failure: Failure?) async throws
  /// Takes away what would be in the way of an error message or a question.
  func clear() async
}

/// One JSON document at the end; what people want to know meanwhile stands on standard error.
struct JSONScreen: RunScreen {
  let commentary: TextScreen
  let deliver: @Sendable (Value) throws -> Void

  func show(_ observation: Rasa.Observation) async throws { try await commentary.show(observation) }
  func clear() async { await commentary.clear() }

  func finish(_ result: Rasa.RunResult, failure: Failure?) async throws {
    try await commentary.finish(result, failure: failure)
    try deliver(.object(result.document(failure)))
  }
}

/// One JSON document a line, as things happen; the last one is the result.
struct StreamJSONScreen: RunScreen {
  let commentary: TextScreen
  let output: Output

  func show(_ observation: Rasa.Observation) async throws {
    try await commentary.show(observation)
    guard let line = observation.json else { return }
    try write(line.description)
  }

  func clear() async { await commentary.clear() }

  func finish(_ result: Rasa.RunResult, failure: Failure?) async throws {
    try await commentary.finish(result, failure: failure)
    var value = result.document(failure)
    value["type"] = "result"
    try write(Value.object(value).json(.compact))
  }

  private func write(_ line: String) throws {
    try commentary.progress.write(line + "\n", to: output)
  }
}

extension Rasa.RunResult {
  /// What the JSON formats print. A parked run has its `error` as well: there is no answer.
  func document(_ failure: Failure?) -> ValueObject {
    var value: ValueObject = [
      "run": .string(run), "status": pending.isEmpty ? "done" : "parked",
      "finish": pending.isEmpty ? .string(finish) : .null,
      "persona": .string(persona), "session": session.map { .string($0) } ?? .null,
      "output": Value(output), "state": Value(state),
      "calls": .int(Int64(calls)), "steps": .int(Int64(steps)),
      "usage": [
        "input_tokens": .int(Int64(inputTokens)), "output_tokens": .int(Int64(outputTokens)),
        "cached_input_tokens": .int(Int64(cachedInputTokens)),
        "reasoning_tokens": .int(Int64(reasoningTokens)),
        "reported": .bool(isReported),
      ],
      "cost_usd": .string(cost.decimalText), "mock": .bool(usedMock),
      "continued": .int(Int64(continued)), "notices": .array(notices.map { Value($0.json) }),
      "answered_by": .array(answeredBy.map(Value.string)),
    ]
    let attached = Value(attachments)
    if attached.array?.isEmpty == false { value["attachments"] = attached }
    if !files.isEmpty { value["files"] = .array(files.map { Value($0.json) }) }
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

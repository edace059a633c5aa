package import RasaCore
import RasaDocuments
import RasaPersona

/// What operators of kind `tool` call.
package protocol Tool: Sendable {
  func perform(_ use: ToolUse) async throws -> Value
}

/// One use of a tool.
package struct ToolUse: Sendable, Hashable {
  package var run: Identifier
  package var step: Step
  /// Where in the run it is asked for.
  package var key: EffectKey
  package var name: String
  package var arguments: Value
  /// The same for every attempt at this use, so that the tool can recognise a second one.
  package var idempotencyKey: String

  package init(
    run: Identifier, step: Step, key: EffectKey, name: String, arguments: Value,
    idempotencyKey: String
  ) {
    self.run = run
    self.step = step
    self.key = key
    self.name = name
    self.arguments = arguments
    self.idempotencyKey = idempotencyKey
  }
}

extension OperatorProcedure {
  func useTool(
    _ definition: OperatorDefinition, _ invocation: Invocation, attempt: Int
  ) async throws -> Completion {
    guard let name = definition.tools.first, let tool = dependencies.tools[name] else {
      throw Failure(
        .configuration,
        "`\(definition.name)` calls the tool `\(definition.tools.first ?? "")`, which this program does "
          + "not have",
        suggestion: "resume the run in the program that registers it", at: definition.location)
    }
    let read = invocation.view.reader(in: kind(of: invocation))
    let arguments = Value.object(
      ValueObject(definition.reads.map { ($0.description, read($0)) }))
    let key = invocation.step.effect("tool:\(name)", occurrence: attempt)
    // One name for each attempt, as what a person decides about one says nothing about the next.
    let earlier = recorded.own.attempts(at: key)
    let effect = ToolEffect(
      use: ToolUse(
        run: start.run, step: invocation.step, key: key, name: name, arguments: arguments,
        idempotencyKey: "\(start.run)/\(invocation.step.effect(name))"),
      attempt: Identifier("\(start.run)/\(key)" + (earlier > 0 ? "~\(earlier + 1)" : "")),
      tool: tool, definition: definition, dependencies: dependencies, runState: runState)
    let value: Value
    do {
      value = try await perform(effect, definition)
    } catch let failure as Failure where failure.kind != .cancelled && failure.kind != .storage {
      record(
        EffectEvent(.tool, effect.key, .ended(dependencies.redact(failure), isRefused: false)))
      throw failure
    }
    return Completion(
      step: invocation.step, outcome: .wrote(updates(definition, value)), answers: [])
  }
}

/// A use of a tool, with both of its commits in the journal.
private struct ToolEffect: Effect {
  let use: ToolUse
  let attempt: Identifier
  let tool: any Tool
  let definition: OperatorDefinition
  let dependencies: RunDependencies
  let runState: SharedRunState

  var kind: EffectKind { .tool }
  var key: EffectKey { use.key }
  private var run: Identifier { use.run }

  func digest() -> String {
    Digest.sha256(
      Value.object(["tool": .string(use.name), "arguments": use.arguments]).jsonBytes(.canonical))
  }

  func answer(_ result: EffectResult) -> Value? {
    guard case .value(let value) = result else { return nil }
    return value
  }

  func noteReuse(_ answer: Value) {}

  func question(about attempt: InDoubtEffect) -> (title: String, payload: ValueObject) {
    (
      "Use `\(use.name)` again? It is not known whether it finished before the run stopped, so it may "
        + "happen twice.",
      [
        "call": .string(attempt.key.description), "arguments": use.arguments,
        "attempt": .string(attempt.intent.attempt.text),
      ]
    )
  }

  func failure(inDoubt attempt: InDoubtEffect) -> Failure {
    Failure(
      .run,
      "the tool `\(use.name)` was running when the run stopped, and it is not known whether it finished"
    )
  }

  func giveUp(_ attempt: InDoubtEffect, decision: UncertainPolicy) async throws {
    try await commit(
      .uncertain(EffectDoubt(decision: decision), attempt: attempt.intent.attempt))
  }

  func perform(after doubt: InDoubtEffect?) async throws -> Value {
    let now = dependencies.time.monotonic()
    guard runState.secondsLeft(at: now) > 0 else { throw runState.timeoutFailure(at: now) }
    let intent = EffectIntent(
      attempt: attempt, request: digest(), idempotencyKey: use.idempotencyKey,
      subject: .tool(name: use.name, arguments: use.arguments))
    try await commit(.intent(intent))
    let value: Value
    do {
      guard let result = try await performInTime() else {
        throw EffectTimeout(attempt: InDoubtEffect(key: key, intent: intent), failure: timeout())
      }
      try check(result)
      value = result
    } catch let failure as Failure where failure.kind == .timeout {
      // It gave up waiting for something that may have happened all the same.
      throw EffectTimeout(attempt: InDoubtEffect(key: key, intent: intent), failure: failure)
    } catch let failure as Failure where failure.kind != .cancelled {
      let redacted = dependencies.redact(failure)
      try await commit(
        .failed(
          EffectFailure(
            reason: redacted.reason ?? redacted.kind.rawValue, message: redacted.message),
          attempt: attempt))
      throw failure
    }
    // One that was cancelled leaves its intent open: it may have been done.
    try await commit(.result(.value(value), attempt: attempt))
    return value
  }

  /// Nil if the time of the operator or of the run is over first.
  private func performInTime() async throws -> Value? {
    let (time, runState, tool, use) = (dependencies.time, runState, tool, use)
    let begun = time.monotonic()
    let own = definition.timeout
    return try await time.result(of: { try await tool.perform(use) }) {
      let now = time.monotonic()
      let left = runState.secondsLeft(at: now)
      guard let own else { return left }
      return min(left, own - Double(now - begun) / 1_000_000_000)
    }
  }

  private func timeout() -> Failure {
    let now = dependencies.time.monotonic()
    guard runState.secondsLeft(at: now) > 0 else { return runState.timeoutFailure(at: now) }
    return Failure(
      .timeout,
      "the tool `\(use.name)` did not return within \(secondsText(definition.timeout ?? 0)) seconds",
      suggestion: "raise `timeout:` of `\(definition.name)`, or make the tool faster")
  }

  private func check(_ value: Value) throws(Failure) {
    guard let output = definition.output else { return }
    let problems = try Schema.compile(output).problems(in: value)
    guard !problems.isEmpty else { return }
    throw Failure(
      .run, "the tool `\(use.name)` returned a value that `\(definition.name)` does not accept",
      suggestion: "change what it returns, or the `output:` schema",
      details: Array(problems.prefix(8)))
  }

  private func commit(_ phase: EffectEvent.Phase) async throws {
    try await dependencies.journal.append([
      EffectEvent(.tool, key, phase).entry(of: run, at: dependencies.time.now())
    ])
  }
}

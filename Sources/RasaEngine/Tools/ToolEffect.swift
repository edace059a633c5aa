import RasaCore
import RasaDocuments
import RasaPersona

/// A use of a tool, with both of its commits in the journal.
struct ToolEffect: Effect {
  let use: ToolUse
  let attempt: Identifier
  let tool: ToolAtHand
  let definition: OperatorDefinition
  let clock: OperatorClock
  let context: ToolContext
  /// Whether a model reads the result, failures included; an operator of kind `tool` fails of one.
  let isForModel: Bool
  let dependencies: RunDependencies

  var kind: EffectKind { .tool }
  var key: EffectKey { use.key }
  var uncertain: UncertainPolicy { definition.uncertain(about: tool.description) }
  private var run: Identifier { use.run }

  func digest() -> String {
    var request: ValueObject = ["tool": .string(use.name), "arguments": use.arguments]
    if let responses = use.responses { request["responses"] = responses }
    return Digest.sha256(Value.object(request).jsonBytes(.canonical))
  }

  func answer(_ result: EffectResult) -> ToolOutcome? {
    switch result {
    case .tool(let result): .result(result)
    case .inputRequired(let request): .inputRequired(request)
    case .answer, .vectors, .value: nil
    }
  }

  func noteReuse(_ answer: ToolOutcome) {}

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

  func perform(after doubt: InDoubtEffect?) async throws -> ToolOutcome {
    try clock.check()
    let tool = try await tool.resolve()
    let intent = EffectIntent(
      attempt: attempt, request: digest(), idempotencyKey: use.idempotencyKey,
      subject: .tool(name: use.name, arguments: use.arguments))
    try await commit(.intent(intent))
    let outcome: ToolOutcome
    do {
      outcome = try await performInTime(tool)
      if case .result(let result) = outcome, !result.isError { try check(result) }
    } catch let failure as Failure where failure.kind == .timeout && failure.isOfWholeRun {
      // Its intent stays open: whoever resumes the run decides.
      throw EffectTimeout(attempt: InDoubtEffect(key: key, intent: intent), failure: failure)
    } catch let failure as Failure where failure.kind == .timeout && !isForModel {
      // It gave up waiting for something that may have happened all the same.
      throw EffectTimeout(attempt: InDoubtEffect(key: key, intent: intent), failure: failure)
    } catch let failure as Failure where isForModel && !failure.endsLoop {
      // The model reads it, and a resumed run does not try once more what the model has moved on from.
      var result = ToolResult(dependencies.redact(failure))
      if failure.kind == .timeout {
        result.content.append(.text("It may have been done all the same."))
      }
      try await commit(.result(.tool(result), attempt: attempt))
      return .result(result)
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
    switch outcome {
    case .result(let result): try await commit(.result(.tool(result), attempt: attempt))
    case .inputRequired(let request):
      try await commit(.result(.inputRequired(request), attempt: attempt))
    }
    return outcome
  }

  /// Throws if the time of the operator or of the run is over first.
  private func performInTime(_ tool: any Tool) async throws -> ToolOutcome {
    let (clock, use, context) = (clock, use, context)
    let outcome = try await dependencies.time.result(
      of: { try await tool.perform(use, context) }, within: { clock.secondsLeft })
    guard let outcome else {
      try clock.checkRun()
      throw Failure(
        .timeout,
        "the tool `\(use.name)` did not return within \(secondsText(definition.timeout ?? 0)) seconds",
        suggestion: "raise `timeout:` of `\(definition.name)`, or make the tool faster")
    }
    return outcome
  }

  private func check(_ result: ToolResult) throws(Failure) {
    // A schema that cannot be read is the server's affair.
    if let output = tool.description.output, let structured = result.structured,
      let schema = try? Schema.compile(output)
    {
      let problems = schema.problems(in: structured, named: "result")
      guard problems.isEmpty else {
        throw Failure(
          .run, "the tool `\(use.name)` returned a result that does not fit its own schema",
          suggestion: "tell the tool's author", details: Array(problems.prefix(8)))
      }
    }
    guard !isForModel, let output = definition.output else { return }
    let problems = try Schema.compile(output).problems(in: result.value)
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

/// A tool as an operator has it: described, and there when it is used.
struct ToolAtHand: Sendable {
  var description: ToolDescription
  var resolve: @Sendable () async throws -> any Tool

  init(_ tool: any Tool) {
    description = tool.description
    resolve = { tool }
  }

  init(_ description: ToolDescription, resolve: @escaping @Sendable () async throws -> any Tool) {
    self.description = description
    self.resolve = resolve
  }

  /// What is wrong with arguments for it.
  func problems(of arguments: Value) -> [String] {
    guard arguments.object != nil else { return ["the arguments are no object"] }
    // What cannot be read here is checked by whoever wrote it.
    guard let schema = try? Schema.compile(description.parameters) else { return [] }
    return schema.problems(in: arguments, named: "arguments")
  }
}

/// The time that an operator has. It stands while a person is asked.
struct OperatorClock: Sendable {
  private let seconds: Double?
  private let begun: UInt64
  private let askedBefore: UInt64
  private let time: TimeSource
  private let runState: SharedRunState

  init(_ seconds: Double?, _ time: TimeSource, _ runState: SharedRunState) {
    self.seconds = seconds
    self.time = time
    self.runState = runState
    begun = seconds == nil ? 0 : time.monotonic()
    askedBefore = seconds == nil ? 0 : runState.asked(at: begun)
  }

  /// Of the operator or of the run, whichever ends first.
  var secondsLeft: Double {
    let now = time.monotonic()
    return min(ownSecondsLeft(at: now) ?? .infinity, runState.secondsLeft(at: now))
  }

  /// Nil without a limit of its own.
  func ownSecondsLeft(at now: UInt64) -> Double? {
    guard let seconds else { return nil }
    let asked = runState.asked(at: now) &- askedBefore
    return seconds - (Double(now &- begun) - Double(asked)) / 1_000_000_000
  }

  func check() throws(Failure) {
    try checkRun()
    guard let left = ownSecondsLeft(at: time.monotonic()), left <= 0 else { return }
    throw Failure(
      .timeout, "it took longer than \(secondsText(seconds ?? 0)) seconds",
      suggestion: "raise `timeout:` of the operator")
  }

  func checkRun() throws(Failure) {
    let now = time.monotonic()
    guard runState.secondsLeft(at: now) > 0 else { throw runState.timeoutFailure(at: now) }
  }
}

extension OperatorDefinition {
  /// What becomes of a use of a tool that may or may not have happened. Unless it is said, a person decides about what
  /// has side effects; the program's own functions recognise a second use.
  func uncertain(about tool: ToolDescription) -> UncertainPolicy {
    if saysUncertain || tool.origin == .program { return uncertain }
    return tool.sideEffects == .yes ? .ask : uncertain
  }
}

extension ToolResult {
  /// How a model is told of a failure.
  init(_ failure: Failure) {
    var text = failure.message
    if !failure.suggestion.isEmpty { text += " (\(failure.suggestion))" }
    for detail in failure.details.prefix(8) { text += "\n- \(detail)" }
    self.init([.text(text)], isError: true)
  }
}

extension Failure {
  /// The reason of one about a server that offers something else than what was approved. Its details are the server's
  /// own words, which no model is to read.
  package static let changedServer = "changed_server"

  /// Whether no model can get around it: it is about the whole run.
  var endsLoop: Bool {
    switch kind {
    case .cancelled, .storage, .budget: true
    case .timeout: isOfWholeRun
    // A guard that cannot be asked is to be mended, a login is a person's to make, and a server that changes under a run
    // is for a person to look at: nothing for a model to work around.
    default:
      reason == Failure.hookFailed || reason == Failure.policyUnreadable
        || reason == Failure.changedServer || reason == Failure.needsLogin
    }
  }
}

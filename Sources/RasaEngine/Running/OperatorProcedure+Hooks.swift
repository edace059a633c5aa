import RasaCore
import RasaPersona

/// What is left of something after the hooks at a point.
enum Hooked<Payload: Sendable>: Sendable {
  case go(Payload)
  case refused(Failure)
}

/// The points of a run at which hooks are asked. Each question is an effect like any other, so a resumed, forked or
/// replayed run has the answers and asks nobody again.
extension OperatorProcedure {
  /// Whether there may be hooks at all: a run without any pays for nothing but this question.
  var mayHaveHooks: Bool { dependencies.mayHaveHooks(graph, delegation) }

  /// The request as the hooks before a call to a model leave it. Only texts may change: roles, attachments and
  /// the calls of tools have to fit together.
  func hooked(
    _ request: ModelRequest, _ definition: OperatorDefinition, _ key: EffectKey
  ) async throws -> ModelRequest {
    // A recorded answer was given to what the hooks had left of the request then.
    guard mayHaveHooks, recorded.own.done(at: key) == nil else { return request }
    let messages = request.messages
    let left = try await askOrFail(
      HookPlace(.beforeModel, key), definition.name,
      [
        "messages": .array(
          messages.map { ["role": .string($0.role.rawValue), "text": .string($0.text)] })
      ],
      subject: "a call to a model"
    ) { change in
      guard change.keys == ["messages"] else { return "at this point only `messages` may change" }
      let changed = change["messages"]?.array ?? []
      let fits =
        changed.count == messages.count
        && zip(changed, messages).allSatisfy {
          $0["role"].string == $1.role.rawValue && $0["text"].string != nil
        }
      return fits
        ? nil : "`messages` must be as many as before, with the same roles, each with a text"
    }
    guard let left else { return request }
    var request = request
    for (index, message) in (left["messages"]?.array ?? []).enumerated() {
      request.messages[index].text = message["text"].string ?? ""
    }
    return request
  }

  /// The arguments as the hooks before the use of a tool leave them. They are asked before the policy and people are,
  /// so that what these decide about is what is done.
  func hooked(
    before use: ToolUse, _ definition: OperatorDefinition
  ) async throws -> Hooked<Value> {
    guard mayHaveHooks else { return .go(use.arguments) }
    do {
      let left = try await ask(
        HookPlace(.beforeTool, use.key, tool: use.name), definition.name,
        ["tool": .string(use.name), "arguments": use.arguments], subject: "the use of `\(use.name)`"
      ) { change in
        guard change.keys == ["arguments"] else {
          return "at this point only `arguments` may change"
        }
        return change["arguments"]?.object == nil ? "`arguments` must be an object" : nil
      }
      return .go(left?["arguments"] ?? use.arguments)
    } catch let refusal as HookRefusal {
      return .refused(refusal.failure)
    }
  }

  /// The result as the hooks after the use of a tool leave it.
  func hooked(
    _ result: ToolResult, of use: ToolUse, _ definition: OperatorDefinition
  ) async throws -> Hooked<ToolResult> {
    guard mayHaveHooks else { return .go(result) }
    var payload: ValueObject = [
      "tool": .string(use.name), "arguments": use.arguments, "text": .string(result.text),
      "is_error": .bool(result.isError),
    ]
    if let structured = result.structured { payload["structured"] = structured }
    do {
      let left = try await ask(
        HookPlace(.afterTool, use.key, tool: use.name), definition.name, payload,
        subject: "what `\(use.name)` returned"
      ) { change in
        for (key, value) in change {
          switch key {
          case "text": if value.string == nil { return "`text` must be a text" }
          case "structured":
            guard let structured = result.structured, structured.hasForm(of: value) else {
              return "`structured` must have the form that the tool's has"
            }
          default: return "at this point only `text` and `structured` may change"
          }
        }
        return nil
      }
      guard let left else { return .go(result) }
      var result = result
      if result.structured != nil { result.structured = left["structured"] }
      let text = left["text"]?.string ?? ""
      if text != result.text {
        // Images stay where they are, below the text.
        result.content =
          (text.isEmpty ? [] : [.text(text)])
          + result.content.filter { if case .attachment = $0 { true } else { false } }
      }
      return .go(result)
    } catch let refusal as HookRefusal {
      return .refused(refusal.failure)
    }
  }

  /// The input as the hooks at the start of the run leave it; nil if they leave it as it is.
  func hookedInput(_ state: State) async throws -> Value? {
    guard mayHaveHooks else { return nil }
    let left = try await askOrFail(
      HookPlace(.runStart, step: HookPlace.ofRun(in: delegation?.scope)), nil,
      [
        "input": state[.input], "preferences": .object(start.preferences),
        "attachments": .array(start.attachments.map { .object($0.facts) }),
      ], subject: "the run"
    ) { change in
      guard change.keys == ["input"] else { return "at this point only `input` may change" }
      return change["input"]?.string == nil ? "`input` must be a text" : nil
    }
    return left?["input"]
  }

  /// The output as the hooks before it leave it; nil if they leave it as it is.
  func hookedOutput(_ output: Value) async throws -> Value? {
    guard mayHaveHooks else { return nil }
    let left = try await askOrFail(
      HookPlace(.beforeOutput, step: HookPlace.ofRun(in: delegation?.scope)), nil,
      ["output": output], subject: "the answer"
    ) { change in
      guard change.keys == ["output"] else { return "at this point only `output` may change" }
      guard let changed = change["output"], output.hasForm(of: changed) else {
        return "`output` must have the form that the answer has"
      }
      return nil
    }
    return left?["output"]
  }

  /// Tells the hooks at the end of the run how it ended. There is nothing left to change or refuse.
  ///
  /// - Parameter ends: how often the run has come to an end before.
  func hookEnd(_ payload: ValueObject, ends: Int) async throws {
    guard mayHaveHooks else { return }
    _ = try await askOrFail(
      HookPlace(.runEnd, step: HookPlace.ofRun(in: delegation?.scope), occurrence: ends + 1), nil,
      payload, subject: "the end of the run"
    ) { _ in "the run is over: nothing can change any more" }
  }

  // MARK: Asking

  /// Those of the persona, of those that it works for, and of the user, in this order: the user's see what comes
  /// of all others. What belongs to a whole run concerns only the persona that it is.
  func hooks(
    at place: HookPlace, _ operatorName: String?
  ) -> [(name: String, hook: HookDefinition)] {
    var found: [(name: String, hook: HookDefinition)] = []
    func add(_ hooks: [HookDefinition], _ prefix: String) {
      for hook in hooks where hook.point == place.point {
        guard operatorName.map({ hook.applies(toOperator: $0, tool: place.tool) }) ?? true else {
          continue
        }
        found.append((prefix + hook.name, hook))
      }
    }
    add(graph.persona.hooks, "")
    guard delegation == nil || !place.point.isOfRun else { return found }
    for (level, hooks) in (delegation?.hooks ?? []).enumerated() {
      add(hooks, "above\(level + 1).")
    }
    add(dependencies.hooks?.hooks(at: place) ?? [], HookPlace.userPrefix)
    return found
  }

  /// The same where nothing but the operator or the run can be refused.
  private func askOrFail(
    _ place: HookPlace, _ operatorName: String?, _ payload: ValueObject, subject: String,
    _ problem: @escaping @Sendable (_ change: ValueObject) -> String?
  ) async throws -> ValueObject? {
    do {
      return try await ask(place, operatorName, payload, subject: subject, problem)
    } catch let refusal as HookRefusal {
      throw refusal.failure
    }
  }

  /// The payload as the hooks leave it, nil if they leave it as it is. Throws what they refuse.
  private func ask(
    _ place: HookPlace, _ operatorName: String?, _ payload: ValueObject, subject: String,
    _ problem: @escaping @Sendable (_ change: ValueObject) -> String?
  ) async throws -> ValueObject? {
    var changed: ValueObject?
    for (name, hook) in hooks(at: place, operatorName) {
      guard let runner = dependencies.hooks else {
        throw Failure(
          .configuration,
          "`\(graph.persona.name)` has the hook `\(hook.name)`, and this program asks no hooks",
          suggestion: "run it with `rasa run`", at: hook.location)
      }
      let payload = changed ?? payload
      let key = place.key(of: name)
      let effect = HookEffect(
        call: HookCall(
          hook: hook, key: key, payload: payload,
          document: document(place, hook, operatorName, payload),
          idempotencyKey: "\(start.run)/\(key)"),
        run: start.run, attempts: recorded.own.attempts(at: key), runner: runner,
        dependencies: dependencies, runState: runState, subject: subject, problem: problem)
      let answer: HookAnswer
      do {
        answer = try await self.answer(of: effect)
      } catch let failure as Failure where failure.kind != .cancelled && failure.kind != .storage {
        if !failure.isOfWholeRun {
          record(
            EffectEvent(.hook, key, .ended(dependencies.redact(failure), isRefused: false)))
        }
        throw failure
      }
      switch answer {
      case .pass: break
      case .change(let members):
        var left = payload
        for (key, value) in members { left[key] = value }
        changed = left
        // What a model is told nobody takes for what was written.
        guard place.point != .beforeModel else { break }
        try await notice(
          notice(
            hook, place,
            "the hook `\(hook.name)` changed \(members.keys.map { "`\($0)`" }.joined(separator: " and ")) of \(subject)",
            ["changed": .array(members.keys.map(Value.string))]))
      case .failed(let message):
        try await notice(
          notice(
            hook, place,
            "the hook `\(hook.name)` failed, and \(subject) went on without it: \(message)",
            ["failed": .string(message)]))
      case .refuse(let reason):
        throw HookRefusal(hook, subject, reason: reason)
      }
    }
    return changed
  }

  private func notice(
    _ hook: HookDefinition, _ place: HookPlace, _ message: String, _ facts: ValueObject
  ) -> RunNotice {
    var facts = facts
    facts["hook"] = .string(hook.name)
    facts["point"] = .string(hook.point.rawValue)
    return RunNotice(.hook, at: place.point.isOfRun ? nil : place.step, message, facts: facts)
  }

  /// A refusal is an answer, which another run takes over only if its own hook gives it.
  private func answer(of effect: HookEffect) async throws -> HookAnswer {
    if recorded.own.done(at: effect.key) == nil,
      let known = recorded.inherited?.done(effect.digest(), at: effect.key),
      case .refuse = effect.answer(known.result)
    {
      return try await effect.perform(after: nil)
    }
    return try await perform(effect, Self.pacing)
  }

  /// An attempt in doubt is made again: whoever writes a hook has to expect that.
  private static let pacing = OperatorDefinition(name: "hooks", kind: .rule, uncertain: .retry)

  private func document(
    _ place: HookPlace, _ hook: HookDefinition, _ operatorName: String?, _ payload: ValueObject
  ) -> Value {
    var document: ValueObject = [
      "event": .string(place.point.rawValue), "hook": .string(hook.name),
      "run": .string(start.run.text), "persona": .string(start.persona),
      "user": .string(start.user), "operator": operatorName.map(Value.string) ?? .null,
    ]
    document["step"] =
      operatorName == nil
      ? .null
      : [
        "frame": .string(place.step.frame), "visit": .int(Int64(place.step.visit)),
        "round": .int(Int64(place.step.round)),
      ]
    document["payload"] = dependencies.redact(.object(payload))
    return .object(document)
  }
}

extension Failure {
  /// The reason of what fails because a hook gave no usable answer.
  static let hookFailed = "hook_failed"
  /// The reason of a use that nobody can decide about, because the rules cannot be read.
  package static let policyUnreadable = "policy"
  /// The reason of a use for which a person has to log in first.
  package static let needsLogin = "login"
}

/// A hook has refused something. Not a failure by itself: a model that wanted to use a tool is told.
struct HookRefusal: Error {
  var failure: Failure

  init(_ hook: HookDefinition, _ subject: String, reason: String) {
    let why = reason.isEmpty ? "" : ": \(reason)"
    failure = Failure(
      .approval, "the hook `\(hook.name)` refused \(subject)\(why)",
      suggestion: "do what it asks for, or change the hook",
      at: hook.location.line > 0 ? hook.location : nil)
    failure.reason = "hook"
  }
}

extension Redaction {
  /// Every text in a value.
  func callAsFunction(_ value: Value) -> Value {
    switch value {
    case .string(let text): .string(self(text))
    case .array(let elements): .array(elements.map { self($0) })
    case .object(let members): .object(ValueObject(members.map { ($0.key, self($0.value)) }))
    default: value
    }
  }
}

extension Value {
  /// Whether both are texts, both lists, both objects, …
  fileprivate func hasForm(of other: Value) -> Bool {
    switch (self, other) {
    case (.string, .string), (.array, .array), (.object, .object), (.bool, .bool), (.null, .null):
      true
    case (.int, .int), (.int, .double), (.double, .int), (.double, .double): true
    default: false
    }
  }
}

/// A question to a hook.
private struct HookEffect: Effect {
  let call: HookCall
  let run: Identifier
  /// How many attempts the journal has.
  let attempts: Int
  let runner: any HookRunner
  let dependencies: RunDependencies
  let runState: SharedRunState
  let subject: String
  let problem: @Sendable (_ change: ValueObject) -> String?

  var kind: EffectKind { .hook }
  var key: EffectKey { call.key }
  var uncertain: UncertainPolicy { .retry }
  private var hook: HookDefinition { call.hook }

  func digest() -> String {
    let action: Value =
      switch hook.action {
      case .program(let command): .array(command.map(Value.string))
      case .http(let url, _): .string(url)
      }
    return Digest.sha256(
      Value.object(["hook": action, "payload": .object(call.payload)]).jsonBytes(.canonical))
  }

  func answer(_ result: EffectResult) -> HookAnswer? {
    guard case .value(let value) = result else { return nil }
    return HookAnswer(recorded: value)
  }

  func noteReuse(_ answer: HookAnswer) {}

  func question(about attempt: InDoubtEffect) -> (title: String, payload: ValueObject) {
    ("Ask the hook `\(hook.name)` again?", ["call": .string(attempt.key.description)])
  }

  func failure(inDoubt attempt: InDoubtEffect) -> Failure {
    Failure(.run, "the hook `\(hook.name)` was being asked when the run stopped")
  }

  func giveUp(_ attempt: InDoubtEffect, decision: UncertainPolicy) async throws {
    try await commit(
      .uncertain(EffectDoubt(decision: decision), attempt: attempt.intent.attempt))
  }

  func perform(after doubt: InDoubtEffect?) async throws -> HookAnswer {
    let attempt = Identifier("\(run)/\(key)" + (attempts > 0 ? "~\(attempts + 1)" : ""))
    // A run whose time is up has an end all the same, which its hooks hear of.
    let isBounded = hook.point != .runEnd
    try checkTime(isBounded)
    try await commit(
      .intent(
        EffectIntent(
          attempt: attempt, request: digest(), idempotencyKey: call.idempotencyKey,
          subject: .hook(name: hook.name, point: hook.point.rawValue))))
    var answer: HookAnswer
    do {
      let (time, runState, runner, call) = (dependencies.time, runState, runner, call)
      let begun = time.monotonic()
      let timeout = hook.timeout
      let said = try await time.result(of: { try await runner.ask(call) }) {
        let now = time.monotonic()
        let left = timeout - Double(now &- begun) / 1_000_000_000
        return isBounded ? min(left, runState.secondsLeft(at: now)) : left
      }
      // Its intent stays open: whoever resumes the run asks again.
      try checkTime(isBounded)
      guard let said else {
        throw Failure(
          .timeout, "it did not answer within \(secondsText(timeout)) seconds",
          suggestion: "make it faster, or raise its `timeout:`")
      }
      answer = try HookAnswer(dependencies.redact(said))
      switch answer {
      case .change(let members):
        if let problem = problem(members) { throw HookAnswer.unusable(problem) }
      case .refuse where hook.point == .runEnd:
        throw HookAnswer.unusable("the run is over: nothing can be refused any more")
      case .pass, .refuse, .failed: break
      }
    } catch let failure as Failure where failure.kind != .cancelled && !failure.isOfWholeRun {
      let failure = dependencies.redact(failure)
      guard hook.onFailure == .pass else {
        try await commit(
          .failed(
            EffectFailure(
              reason: failure.reason ?? failure.kind.rawValue, message: failure.message),
            attempt: attempt))
        throw told(failure)
      }
      answer = .failed(message: failure.message)
    }
    try await commit(.result(.value(answer.value), attempt: attempt))
    return answer
  }

  private func checkTime(_ isBounded: Bool) throws(Failure) {
    guard isBounded else { return }
    let now = dependencies.time.monotonic()
    guard runState.secondsLeft(at: now) > 0 else { throw runState.timeoutFailure(at: now) }
  }

  /// As the operator or the run fails of it. One from a recording has the words already.
  private func told(_ failure: Failure) -> Failure {
    if failure.reason == Failure.hookFailed { return failure }
    var told = Failure(
      .run, "the hook `\(hook.name)` failed before \(subject): \(failure.message)",
      suggestion: failure.suggestion.isEmpty
        ? "mend it; with `on_failure: pass` it would not stand in the way" : failure.suggestion,
      at: hook.location.line > 0 ? hook.location : nil, details: failure.details)
    told.reason = Failure.hookFailed
    return told
  }

  private func commit(_ phase: EffectEvent.Phase) async throws {
    try await dependencies.journal.append([
      EffectEvent(.hook, key, phase).entry(of: run, at: dependencies.time.now())
    ])
  }
}

extension RunDependencies {
  /// False where nothing of a run needs to be put together for hooks.
  func mayHaveHooks(_ graph: Graph, _ delegation: DelegationScope?) -> Bool {
    hooks?.hasOwn == true || !graph.persona.hooks.isEmpty || delegation?.hooks.isEmpty == false
  }
}

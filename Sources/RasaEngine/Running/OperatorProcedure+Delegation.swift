import RasaCore
import RasaDocuments
import RasaPersona

/// Operators of kind `agent`: a persona or agent runs inside the run.
extension OperatorProcedure {
  func delegate(
    _ definition: OperatorDefinition, _ invocation: Invocation, attempt: Int
  ) async throws -> Completion {
    let node = graph.nodes[invocation.node]
    guard let delegate = node.delegate(definition) else {
      throw Failure(
        .configuration, "`\(definition.name)` names no agent", at: definition.location)
    }
    var delegation = graph.delegation(
      of: definition, at: invocation.step, attempt: attempt, start, above: delegation)
    passOn(to: &delegation, invocation)
    delegation.today = invocation.view["context.today"]
    var begun = start
    begun.persona = delegate.persona.name
    begun.personaDigest = delegate.digest
    begun.session = nil
    begun.input = definition.task(invocation.view.promptReader(in: kind(of: invocation)))
    if !definition.seesAttachments { begun.attachments = [] }
    let live = node.isLive ? node.writes.first : nil
    if attempt > 1, let live, let keeps = runState.restart(live) {
      let again = Restart(.askedAgain, "asked again", keeps: keeps)
      try await emit(.restarted(invocation.step, again))
    }
    let waits = delegate.persona.hooks.contains { $0.point == .beforeOutput }
    let ended = try await run(
      delegate, begun, in: delegation, invocation, parts: waits ? [] : delegate.outputParts,
      emit: waits
        ? withoutDrafts(passing(on: live, of: invocation.step))
        : passing(on: live, of: invocation.step), isLastRound: invocation.isLastRound)
    let updates = try updates(
      definition, output: ended.output, of: ended.state,
      loops: delegate.persona.agent?.loop != nil)
    return Completion(step: invocation.step, outcome: .wrote(updates), answers: [])
  }

  /// Has a delegate of a tool's use do its work, and gives what it came to know.
  ///
  /// - Parameter scope: where in the run; the same when it is resumed.
  func work(
    _ delegate: Graph.ToolDelegate, arguments: Value, _ invocation: Invocation, scope: String
  ) async throws -> (output: Value, state: State) {
    let inside = delegate.graph
    var delegation = graph.delegation(start, scope: scope, above: delegation)
    delegation.today = invocation.view["context.today"]
    passOn(to: &delegation, invocation)
    var begun = start
    begun.persona = inside.persona.name
    begun.personaDigest = inside.digest
    begun.session = nil
    begun.attachments = []
    var changes = ValueObject()
    switch delegate.work {
    case .agent: begun.input = arguments["task"].promptText
    case .operator(let inputs):
      for (name, path) in inputs {
        let value = arguments[name]
        if value.isNull { continue }
        if path == .input { begun.input = value.promptText } else { changes["\(path)"] = value }
      }
    }
    return try await run(
      inside, begun, in: delegation, invocation, parts: [],
      emit: passing(on: nil, of: invocation.step), given: changes)
  }

  /// Has a persona, an agent or an operator work inside this run.
  ///
  /// - Parameters:
  ///   - parts: what its output is made of, where that is shown while it is written.
  ///   - isLastRound: it cannot be gone back for this one any more.
  ///   - changes: keys that have a value before it begins.
  private func run(
    _ inside: Graph, _ begun: RunStart, in delegation: DelegationScope, _ invocation: Invocation,
    parts: [Composition.Part], emit: @escaping RunObserver, isLastRound: Bool = false,
    given changes: ValueObject = ValueObject()
  ) async throws -> (output: Value, state: State) {
    // Held until this returns. Other processes may keep it for longer than this run has time.
    let (outer, runState) = (dependencies, runState)
    let slot = try await outer.acquireSlot(of: inside) {
      runState.secondsLeft(at: outer.time.monotonic())
    }
    guard let slot else { throw runState.timeoutFailure(at: outer.time.monotonic()) }
    defer { withExtendedLifetime(slot) {} }
    var dependencies = outer.tightened(by: graph.persona.policy)
    if !inside.persona.tools.isEmpty {
      dependencies.tools = outer.tools.declaring(inside.persona.tools)
    }
    let inner = SharedRunState(
      parts: parts, seconds: inside.persona.limits.ownSeconds,
      startedAt: outer.time.monotonic(), inside: runState)
    var driver = RunDriver(
      machine: RunMachine(graph: inside.within(delegation.scope)), start: begun,
      options: options, dependencies: dependencies, runState: inner, emit: emit,
      recorded: recorded, changes: [:], delegation: delegation)
    driver.outputWaits = inside.persona.hooks.contains { $0.point == .beforeOutput }
    driver.prepareQuestions { try await prospect(after: invocation) }
    guard
      let output = try await driver.runDelegated(isLastRound: isLastRound, given: changes)
    else { throw Deferred(approvals: driver.waitsFor) }
    return (output, driver.machine.state)
  }

  /// What holds for whoever works for this operator, too: hooks, and what the run found around it.
  private func passOn(to delegation: inout DelegationScope, _ invocation: Invocation) {
    for key in ["skills", "project", "preferences"] {
      let value = invocation.view[StatePath("context.\(key)")]
      if !value.isNull { delegation.surroundings[key] = value }
    }
    guard mayHaveHooks else { return }
    delegation.hooks = [graph.persona.hooks] + (self.delegation?.hooks ?? [])
  }

  /// Passes on what the inner run emits; its output only if that is the outer run's output.
  private func passing(on live: StatePath?, of step: Step) -> RunObserver {
    { progress in
      switch progress {
      case .output(let text):
        if let live, let shown = runState.emit(text, of: live) {
          runState.noteOutput(at: dependencies.time.monotonic())
          try await emit(.output(shown))
        }
      case .restarted(let inner, var restart):
        restart.keeps = restart.wasShown ? live.flatMap { runState.restart($0) } : nil
        try await emit(.restarted(inner, restart))
      default: try await emit(progress)
      }
    }
  }

  /// One key takes the output; of several, each takes what the inner run wrote under that name, and
  /// the output where it wrote nothing of it.
  private func updates(
    _ definition: OperatorDefinition, output: Value, of state: State, loops: Bool
  ) throws(Failure) -> [Update] {
    var output = output
    if let form = definition.output {
      let schema = try Schema.compile(form)
      let (problems, value) = check(output.promptText, schema)
      guard let value, problems.isEmpty else {
        throw Failure(
          .run,
          "what `\(definition.agent ?? "")` answered does not have the form that "
            + "`\(definition.name)` asks for",
          suggestion: "ask for JSON in its prompt, or take `output:` out",
          details: Array(problems.prefix(8)))
      }
      output = value
    }
    let writes = definition.writes
    return writes.enumerated().map { place, write in
      let path = StatePath(write.key)
      if loops, write.key == "\(writes[0].key)_loop" { return Update(path, state["loop"]) }
      let own = state[path]
      let takesOwn = place > 0 && write.type != .text && !own.isNull
      return Update(path, takesOwn ? own : output)
    }
  }
}

extension RunDriver {
  /// - Parameter onward: what follows around this run once it is done.
  fileprivate mutating func prepareQuestions(_ onward: @escaping Onward) {
    guard graph.mayAsk else { return }
    folded = FoldedEvents()
    self.onward = onward
  }

  /// Runs inside another run, from its beginning or from what the journal has of it. Nil when it has
  /// to wait for people.
  ///
  /// - Parameter isLastRound: it cannot be gone back for this one any more.
  /// - Parameter changes: keys that have a value before it begins.
  fileprivate mutating func runDelegated(
    isLastRound: Bool, given changes: ValueObject
  ) async throws -> Value? {
    guard let delegation else { return nil }
    let known = recorded.own.lines(in: delegation.scope)
    // The model was told so, and has gone on.
    if let failed = known.last(where: { $0.kind == "agent.failed" }) {
      throw Failure(journal: failed.body)
    }
    if known.isEmpty {
      let began = JournalEntry(
        run: start.run, time: dependencies.time.now(), kind: "agent.started",
        key: delegation.scope,
        body: ["persona": .string(start.persona), "input": .string(start.input)])
      dependencies.journal.record([began])
    }
    var context = Graph.emptyContext(on: delegation.today).object ?? [:]
    if isLastRound { context["last_round"] = true }
    for (key, value) in delegation.surroundings { context[key] = value }
    try fold(.contextOpened(.object(context)))
    try fold(.started(start))
    if !changes.isEmpty { try fold(.changed(changes)) }
    if let input = try await procedure.hookedInput(machine.state) {
      try fold(.changed(["input": input]))
    }
    let consequences = try fold(known)
    if known.isEmpty {
      try await emitPending()
    } else {
      try await emitPending(consequences.missing(from: machine.drainEvents()))
    }
    try await advanceToEnd()
    switch machine.status {
    case .failed(let failure): throw failure
    case .running:
      guard !waitsFor.isEmpty else {
        throw Failure(
          .run, "`\(start.persona)` stopped before its end: nothing is due any more",
          suggestion: "check it with `rasa agents validate \(start.persona)`")
      }
      return nil
    case .finished(let written):
      let output = try await released(written)
      try await procedure.hookEnd(
        ["status": "done", "output": output, "steps": .int(Int64(machine.steps))], ends: 0)
      guard !known.contains(where: { $0.kind == "agent.finished" }) else { return output }
      let facts = machine.state[.remembered]
      runState.remember(facts, of: start.persona)
      var body: ValueObject = [
        "persona": .string(start.persona), "steps": .int(Int64(machine.steps)),
      ]
      if !facts.isNull { body["remembered"] = facts }
      dependencies.journal.record([
        JournalEntry(
          run: start.run, time: dependencies.time.now(), kind: "agent.finished",
          key: delegation.scope, body: .object(body))
      ])
      return output
    }
  }
}

extension RunDependencies {
  /// A slot for an agent that limits how often it works at the same time.
  func acquireSlot(of graph: Graph) async throws -> any Sendable {
    guard let most = graph.persona.agent?.maxConcurrentTasks else { return () }
    return try await limits.acquireSlot(of: graph.persona.name, atMost: most)
  }

  /// Nil if the time is over before there is one.
  func acquireSlot(
    of graph: Graph, within secondsLeft: @escaping @Sendable () -> Double
  ) async throws -> (any Sendable)? {
    guard graph.persona.agent?.maxConcurrentTasks != nil else { return () }
    return try await time.result(of: { try await acquireSlot(of: graph) }, within: secondsLeft)
  }
}

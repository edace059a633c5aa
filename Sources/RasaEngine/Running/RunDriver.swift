import RasaCore
import RasaPersona

/// One run under way.
struct RunDriver {
  var machine: RunMachine
  let start: RunStart
  let options: RunOptions
  let dependencies: RunDependencies
  let runState: SharedRunState
  let emit: RunObserver
  var recorded: RecordedEffects
  /// What a fork writes over what some steps wrote.
  let changes: [Step: [Update]]
  /// Questions that were left for later.
  var waitsFor: [Approval] = []
  /// Nil for the run itself; set where a persona or agent works inside a run.
  var delegation: DelegationScope?
  /// What the machine has folded, for questions that say what follows; nil where nothing can ask.
  var folded: FoldedEvents?
  /// What follows in the run around this one once it is done.
  var onward: Onward?
  /// Whether nothing of the output is shown before hooks have seen all of it.
  var outputWaits = false
  /// The output as the hooks have left it, once they have been asked.
  var releasedOutput: Value?
  /// How often the run had come to an end before this process resumed it.
  var ends = 0
  /// Whether hooks have been told of this end.
  var hasToldEnd = false
  /// The parts of the output that could still change when it was last looked at what to show.
  var emittedOpen = UInt64.max

  var graph: Graph { machine.graph }

  // MARK: Beginning and end

  mutating func open(_ origin: Origin?) async throws {
    let now = dependencies.time.now()
    var record = RunRecord(
      id: start.run, session: start.session, persona: start.persona,
      personaDigest: start.personaDigest, user: start.user, input: start.input, startedAt: now,
      forkOf: start.fork?.run)
    record.decision = start.decision
    let begun = RunEvent.started(start)
    var entries = [begun.entry(of: start.run, at: now)]
    if !graph.pinned.isNull {
      entries.append(
        JournalEntry(run: start.run, time: now, kind: "persona.pinned", body: graph.pinned))
    }
    entries += start.attachedEntries(at: now)
    entries += start.notices.map { $0.entry(of: start.run, at: now) }
    dependencies.journal.open(record, entries)
    try await openContext(origin)
    try await emit(.event(begun))
    try fold(begun)
    for notice in start.notices where runState.note(notice) { try await emit(.notice(notice)) }
    let changed = start.fork?.changes.filter { change in
      !changes.values.joined().contains { $0.path == StatePath(change.key) }
    }
    if let changed, !changed.isEmpty {
      let event = RunEvent.changed(ValueObject(changed.map { ($0.key, $0.value) }))
      try fold(event)
      dependencies.journal.record([event.entry(of: start.run, at: now)])
    }
    try await hookStart()
    try await emitPending()
  }

  /// What carries out operators.
  var procedure: OperatorProcedure {
    OperatorProcedure(
      graph: graph, start: start, options: options, dependencies: dependencies, emit: emit,
      runState: runState, recorded: recorded, delegation: delegation, folded: folded,
      onward: onward)
  }

  /// Has the machine fold an event.
  mutating func fold(_ event: RunEvent) throws(Failure) {
    try machine.apply(event)
    folded?.append(event)
  }

  /// Has the hooks at the start see the input, which they may change.
  private mutating func hookStart() async throws {
    guard dependencies.mayHaveHooks(graph, delegation),
      let input = try await procedure.hookedInput(machine.state),
      input != machine.state[.input]
    else { return }
    let event = RunEvent.changed(["input": input])
    try fold(event)
    dependencies.journal.record([event.entry(of: start.run, at: dependencies.time.now())])
  }

  /// Tells the hooks at the end how the run ended, once.
  private mutating func hookEnd(_ payload: ValueObject) async throws {
    guard !hasToldEnd, dependencies.mayHaveHooks(graph, delegation) else { return }
    hasToldEnd = true
    var payload = payload
    payload["cost_usd"] = .string(runState.spent.decimalText)
    payload["steps"] = .int(Int64(machine.steps))
    try await procedure.hookEnd(payload, ends: ends)
  }

  private mutating func openContext(_ origin: Origin?) async throws {
    var known = origin?.context
    if known == nil { known = try await context() }
    let opened = RunEvent.contextOpened(known ?? .null)
    try fold(opened)
    dependencies.journal.record([opened.entry(of: start.run, at: dependencies.time.now())])
  }

  /// Folds the journal, and makes due again what was under way when it ended.
  mutating func reopen(_ history: RunHistory, by: String) async throws {
    let hasContext = history.entries.contains { $0.kind == "context.opened" }
    let consequences = try fold(history.entries)
    recorded.own = EffectLog(history.entries)
    runState.begin(
      with: recorded.own.answers, spent: recorded.own.spent,
      notices: history.entries.flatMap { RunNotice.recorded(in: $0) })
    for source in recorded.own.taint.sources { runState.note(source) }
    if recorded.own.hasWrittenText { runState.noteText() }
    for step in recorded.own.finishedSteps { runState.noteEnd(of: step) }
    ends = history.entries.count { $0.kind == "run.failed" }
    let resumed = RunEvent.resumed(by: by)
    dependencies.journal.record([
      resumed.entry(of: start.run, at: dependencies.time.now())
    ])
    if !hasContext { try await openContext(nil) }
    // Once anything has been done, the hooks at the start had their say.
    if !history.entries.contains(where: \.isWork) { try await hookStart() }
    try await emit(.event(resumed))
    // This process's reader has to know them as well.
    for notice in runState.notices { try await emit(.notice(notice)) }
    // What was sent back before is in the journal.
    _ = machine.drainSentBack()
    // The consequences of the last lines may be missing from the journal.
    try await emitPending(consequences.missing(from: machine.drainEvents()))
  }

  /// How many of the events that follow from a journal's lines are in the journal themselves.
  struct RecordedConsequences {
    var lines = 0
    /// Counted apart, because earlier versions did not write them.
    var objections = 0

    mutating func count(_ entry: JournalEntry) {
      switch entry.kind {
      case "frame.entered", "run.moved": lines += 1
      // Earlier versions also warned of operators that were skipped.
      case "run.warned":
        if entry.body["message"].string?.hasBytes("` was skipped: ") != true { lines += 1 }
      case "run.objected": objections += 1
      default: break
      }
    }

    func missing(from events: [RunEvent]) -> ArraySlice<RunEvent> {
      var left = self
      return events.filter { event in
        if case .objected = event {
          left.objections -= 1
          return left.objections < 0
        }
        left.lines -= 1
        return left.lines < 0
      }[...]
    }
  }

  /// Folds lines of the journal, and makes due again what was under way when they end.
  mutating func fold(_ entries: [JournalEntry]) throws(Failure) -> RecordedConsequences {
    var consequences = RecordedConsequences()
    for entry in entries where entry.key == delegation?.scope { consequences.count(entry) }
    try machine.fold(entries, in: delegation?.scope)
    if let folded {
      for entry in entries where entry.key == delegation?.scope {
        if let event = RunEvent(folding: entry) { folded.append(event) }
      }
    }
    machine.reissue()
    return consequences
  }

  private func context() async throws -> Value {
    let known = try await graph.context(
      of: start, at: dependencies.time.now(), in: dependencies.time, options,
      dependencies.memory, dependencies.gate)
    guard var context = known.object else { return known }
    let stated = try await statedBefore(in: context["session"] ?? .null)
    if !stated.isEmpty { context["preferences"] = .object(stated) }
    for (key, value) in start.surroundings { context[key] = value }
    return .object(context)
  }

  /// The preferences that hold in the conversation since an earlier turn, and are not given anew.
  private func statedBefore(in conversation: Value) async throws -> ValueObject {
    guard let run = conversation.array?.last?["run"].string else { return ValueObject() }
    var stated = ValueObject()
    // Its journal may have been deleted since.
    for entry in try await dependencies.journal.entries(of: Identifier(run)).prefix(8) {
      if entry.kind == "context.opened" {
        for (key, value) in entry.body["preferences"].object ?? [:] where stated[key] == nil {
          stated[key] = value
        }
      } else if case .started(let before) = RunEvent(folding: entry), before.user == start.user {
        for (key, value) in before.preferences { stated[key] = value }
      }
    }
    return ValueObject(
      stated.filter { start.preferences[$0.key] == nil }.map { ($0.key, $0.value) })
  }

  /// Drives the run to its end, or until it has to wait for people.
  mutating func runToEnd() async throws -> RunResult {
    try await advanceToEnd()
    switch machine.status {
    case .finished(let output): return try await close(output)
    case .failed(let failure): throw failure
    case .running:
      guard waitsFor.isEmpty else { return try await park() }
      throw Failure(
        .run, "the run stopped before its end: nothing is due any more",
        suggestion: "check the persona with `rasa personas validate \(start.persona)`")
    }
  }

  private func park() async throws -> RunResult {
    let parked = RunEvent.parked(Parking(.approval, waitsFor: waitsFor.map(\.id)))
    try await dependencies.journal.close(
      start.run, assessed(RunEnding(.parked)),
      [parked.entry(of: start.run, at: dependencies.time.now())])
    try await emit(.event(parked))
    return result(.null)
  }

  private mutating func close(_ output: Value) async throws -> RunResult {
    let output = try await released(output)
    try await hookEnd(["status": "done", "output": output])
    let now = dependencies.time.now()
    var turn: SessionTurn? = nil
    if let session = start.sessionID, graph.frames.contains(where: { $0.kind == .session }) {
      turn = SessionTurn(
        session: session, run: start.run, time: now,
        input: start.attachments.remembered(below: start.input), output: output.promptText)
    }
    let finished = RunEvent.finished(output: output)
    try await dependencies.journal.close(
      start.run,
      assessed(
        RunEnding(
          .done, turn: turn, notes: workingNotes(at: now), facts: remembered(at: now),
          scope: keptScope, trust: writtenTrust)),
      [finished.entry(of: start.run, at: now)])
    try await emit(.event(finished))
    return result(output)
  }

  /// The output as it may be shown. Where it had to wait for hooks, it is shown now.
  mutating func released(_ output: Value) async throws -> Value {
    guard outputWaits else { return output }
    if let releasedOutput { return releasedOutput }
    let output = try await procedure.hookedOutput(output) ?? output
    releasedOutput = output
    if !output.isNull { try await show(output.promptText) }
    return output
  }

  /// Shows the output as soon as only `remember` operators are left, so that the reader does not wait for them.
  private mutating func releaseEarly() async throws {
    guard outputWaits, releasedOutput == nil, let output = machine.settledOutput else { return }
    _ = try await released(output)
  }

  private func result(_ output: Value) -> RunResult {
    let answers = runState.answers
    var usage = Usage()
    for answer in answers { usage.add(answer.usage) }
    var result = RunResult(
      session: start.session, output: output, state: machine.state, cost: runState.spent,
      usage: usage,
      steps: machine.steps, calls: answers.count, usedMock: answers.contains(where: \.isMock),
      waitsFor: waitsFor, notices: runState.notices)
    result.mockReason = answers.first(where: \.isMock)?.fallback?.because
    for answer in answers where !result.answeredBy.contains(answer.source) {
      result.answeredBy.append(answer.source)
    }
    result.fallback = answers.lazy.compactMap(\.fallback).first
    result.attachments = start.attachments.reports(answers)
    result.files = runState.files
    return result
  }

  /// With what the record of how the run went says beside its journal.
  private func assessed(_ ending: RunEnding) -> RunEnding {
    guard var facts = options.assess?(start) else { return ending }
    facts.temperature = graph.draftTemperature
    facts.firstTokenMilliseconds = runState.firstOutputMilliseconds
    var ending = ending
    ending.performance = facts
    return ending
  }

  /// For whom the turn and the notes are kept: for the conversation only where there is one.
  private var keptScope: MemoryScope { graph.persona.memory.keep }

  /// Whose word the answer and the notes are: what a tool or page brought into the run may be in them.
  private var writtenTrust: MemoryTrust {
    runState.taint.flow.contains(.untrustedContent) ? .tool : .model
  }

  private func workingNotes(at now: Timestamp) -> [WorkingNote] {
    guard let session = start.sessionID else { return [] }
    return machine.notes.map {
      WorkingNote(
        session: session, run: start.run, time: now, text: $0.shortened(to: WorkingNote.mostBytes))
    }
  }

  /// What the run and the agents in it want to be remembered.
  private func remembered(at now: Timestamp) -> [NewFact] {
    let own = (persona: start.persona, facts: machine.state[.remembered])
    return ([own] + recorded.own.delegated + runState.remembered).flatMap { persona, facts in
      (facts.array ?? []).compactMap { NewFact(remembered: $0, of: persona, start, at: now) }
    }
  }

  /// Records how the run failed, or that it was interrupted and can be resumed, and returns the error to
  /// throw. If the journal fails now, that must not hide the first failure.
  mutating func closeAfter(_ error: any Error) async -> any Error {
    var failure: Failure
    var ending: RunEnding
    let last: RunEvent
    if let known = error as? Failure, known.kind != .cancelled {
      failure = dependencies.redact(known)
      if failure.kind != .storage, let second = await hookFailure(failure) {
        failure.details.append(second.message)
      }
      ending = RunEnding(.failed)
      last = .failed(failure)
    } else {
      // What is no failure of the run (the reader of its output has gone) stops it all the same.
      failure = Failure(
        .cancelled, "the run was interrupted", suggestion: "`rasa resume \(start.run)` continues it"
      )
      ending = RunEnding(.parked)
      last = .parked(Parking(.interrupted, waitsFor: waitsFor.map(\.id)))
    }
    let isForeign = !(error is Failure || error is CancellationError)
    let entry = last.entry(of: start.run, at: dependencies.time.now())
    let journal = dependencies.journal
    let run = start.run
    ending = assessed(ending)
    let ended = ending
    // A cancelled task could not wait for the journal; this one can.
    let written = Task {
      do {
        try await journal.close(run, ended, [entry])
        return nil as Failure?
      } catch {
        return error as? Failure ?? Failure(.storage, "\(error)")
      }
    }
    let second = await written.value
    // If another process has taken the run over, that is why this one stopped.
    if let second, failure.kind == .cancelled, second.kind == .run { return second }
    if isForeign, second == nil { return error }
    var result = failure
    if failure.kind != .cancelled, runState.hasText {
      // A failure of the store says by itself that nothing recorded is lost.
      result.details.append(
        failure.kind == .storage
          ? "`rasa runs show \(run) --verbose` shows what was written before"
          : "what was written before is kept: `rasa runs show \(run) --verbose`")
    }
    if let second {
      if isForeign { result.details.append("what stopped it: \(error)") }
      let reason = second.message == failure.message ? "" : ": \(second.message)"
      result.details.append(
        "its end could not be written down\(reason); it counts as running until its lease ends, and "
          + "`rasa resume \(run)` then continues it")
    }
    return result
  }

  /// Tells the hooks at the end of a run that failed. What they fail of must not hide why it did.
  private mutating func hookFailure(_ failure: Failure) async -> Failure? {
    do {
      try await hookEnd([
        "status": "failed",
        "error": ["kind": .string(failure.kind.rawValue), "message": .string(failure.message)],
      ])
      return nil
    } catch {
      return error as? Failure
    }
  }

  /// A line of the journal; the key of a line about delegated work is its scope.
  func entry(_ event: RunEvent, at time: Timestamp) -> JournalEntry {
    guard let delegation else { return event.entry(of: start.run, at: time) }
    return JournalEntry(
      run: start.run, time: time, kind: event.kind, key: delegation.scope, body: event.body)
  }

  // MARK: Driving

  mutating func advanceToEnd() async throws {
    var driver = self
    let procedure = procedure
    if let rank = options.rank { return try await advanceToEnd(procedure, by: rank) }
    let time = dependencies.time
    self = try await withThrowingTaskGroup(of: Completion.self) { group in
      var running = 0
      defer { group.cancelAll() }
      while driver.machine.isRunning {
        var due = driver.machine.due()
        try await driver.emitPending()
        guard driver.machine.isRunning else { break }
        try await driver.releaseEarly()
        if running == 0, due.isEmpty { break }
        guard driver.runState.secondsLeft(at: time.monotonic()) > 0 else {
          throw driver.runState.timeoutFailure(at: time.monotonic())
        }
        // One thing alone needs no task of its own.
        if running == 0, due.count == 1 {
          try await driver.apply(try await procedure.perform(due.removeLast()))
          continue
        }
        // Local work is done here, after what takes longer has been started.
        let first = due.partition { $0.isQuick(in: driver.graph) }
        for invocation in due[..<first] {
          running += 1
          group.addTask { try await procedure.perform(invocation) }
        }
        for invocation in due[first...] {
          try await driver.apply(try await procedure.perform(invocation))
        }
        if first == due.endIndex, let completion = try await group.next() {
          running -= 1
          try await driver.apply(completion)
        }
      }
      return driver
    }
  }

  mutating func apply(_ completion: Completion) async throws {
    waitsFor += completion.waitsFor
    guard var outcome = completion.outcome else { return }
    let step = completion.step
    if let updates = changes[step] {
      switch outcome {
      case .wrote(let written): outcome = .wrote(written + updates)
      case .skipped: outcome = .wrote(updates)
      case .answered: break
      }
    }
    if case .wrote(let updates) = outcome, updates.contains(where: \.isAnswer) {
      runState.noteText()
    }
    switch outcome {
    case .wrote, .skipped: runState.noteEnd(of: step)
    case .answered: break
    }
    let event = RunEvent.operatorFinished(step, outcome)
    try fold(event)
    dependencies.journal.record([entry(event, at: dependencies.time.now())])
    try await emit(.event(event))
    try await emitPending()
  }

  /// Emits the events that followed, and the output that can no longer change.
  mutating func emitPending() async throws {
    try await emitPending(machine.drainEvents()[...])
    for way in machine.drainSentBack() { try await emit(.sentBack(way)) }
  }

  mutating func emitPending(_ events: ArraySlice<RunEvent>) async throws {
    if !events.isEmpty {
      let now = dependencies.time.now()
      dependencies.journal.record(events.map { entry($0, at: now) })
      for event in events {
        try await emit(.event(event))
        guard case .objected(let objection) = event else { continue }
        let notice = RunNotice.objection(objection)
        if runState.note(notice) { try await emit(.notice(notice)) }
      }
    }
    let open = machine.openParts
    if open != emittedOpen || !machine.isRunning {
      emittedOpen = open
      if let text = runState.advance(open: open, machine.state) { try await show(text) }
      // The path of the run wrote none of the parts: emit its output.
      if case .finished(let output) = machine.status, !output.isNull, !outputWaits,
        runState.takeUnemitted()
      {
        try await show(output.promptText)
      }
    }
  }

  private func show(_ text: String) async throws {
    runState.noteOutput(at: dependencies.time.monotonic())
    try await emit(.output(text))
  }
}

extension Update {
  /// Whether it is worth reading even if the run fails.
  fileprivate var isAnswer: Bool {
    (path.key == "draft" || path.key == "output") && !value.promptText.isEmpty
  }
}

extension Invocation {
  /// Local work of microseconds, not worth a task of its own.
  fileprivate func isQuick(in graph: Graph) -> Bool {
    let definition = graph.nodes[node].definition
    guard review == nil else { return false }
    switch definition.kind {
    case .rule: return true
    case .memory:
      // Recall may wait for a vector, and remembering for a model.
      return definition.memory == .remember && graph.persona.memory.extract == nil
    default: return false
    }
  }
}

extension JournalEntry {
  /// Whether it says that an operator has done something, or had it done.
  fileprivate var isWork: Bool {
    ["operator.", "call.", "tool.", "human.", "agent."].contains { kind.utf8.starts(with: $0.utf8) }
  }
}

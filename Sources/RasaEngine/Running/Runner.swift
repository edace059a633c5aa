package import RasaCore
package import RasaPersona

/// What a run needs of the outside.
package struct Surroundings: Sendable {
  package var gate: any ModelGate
  package var journal: any Journal
  package var memory: any MemoryStore
  package var people: any People
  package var time: TimeSource

  package init(
    gate: any ModelGate, journal: any Journal, memory: any MemoryStore, people: any People,
    time: TimeSource
  ) {
    self.gate = gate
    self.journal = journal
    self.memory = memory
    self.people = people
    self.time = time
  }
}

package struct RunOptions: Sendable {
  /// Overrides what operators and persona say.
  package var profile: PerformanceProfile?
  /// Turns of the conversation, and notes, that are put into the context.
  package var turns: Int
  package var notes: Int

  package init(profile: PerformanceProfile? = nil, turns: Int = 20, notes: Int = 50) {
    self.profile = profile
    self.turns = turns
    self.notes = notes
  }
}

package struct RunResult: Sendable {
  package var output: Value
  package var state: State
  package var cost: Money
  package var usage: Usage
  package var steps: Int
  package var calls: Int
  /// True when any model that contributed was the mock.
  package var usedMock: Bool
}

/// Drives a machine: performs what is due, at the same time where the machine allows it, and feeds
/// the outcomes back, until the run has ended.
package struct Runner: Sendable {
  private let surroundings: Surroundings
  private let options: RunOptions

  package init(_ surroundings: Surroundings, options: RunOptions = RunOptions()) {
    self.surroundings = surroundings
    self.options = options
  }

  package func run(
    _ graph: Graph, _ start: RunStart, observer: @escaping RunObserver = { _ in }
  ) async throws -> RunResult {
    let stage = Stage(
      parts: graph.outputParts, seconds: graph.persona.limits.seconds,
      startedAt: surroundings.time.monotonic())
    var drive = Drive(
      machine: RunMachine(graph: graph), start: start, options: options,
      surroundings: surroundings, stage: stage, show: observer)
    do {
      try await drive.open()
      try await drive.untilEnd()
      return try await drive.close()
    } catch {
      throw await drive.closeAfter(error)
    }
  }
}

/// One run under way.
private struct Drive {
  var machine: RunMachine
  let start: RunStart
  let options: RunOptions
  let surroundings: Surroundings
  let stage: Stage
  let show: RunObserver
  var answers: [ModelAnswer] = []
  /// The parts of the output that could still change when it was last looked at what to show.
  var shownOpen = UInt64.max

  var graph: Graph { machine.graph }

  // MARK: Beginning and end

  mutating func open() async throws {
    let record = RunRecord(
      id: start.run, session: start.session, persona: start.persona,
      personaDigest: start.personaDigest, user: start.user, input: start.input,
      startedAt: surroundings.time.now())
    let begun = RunEvent.started(start)
    surroundings.journal.open(record, [begun.entry(of: start.run, at: record.startedAt)])
    let opened = RunEvent.contextOpened(try await context())
    machine.apply(opened)
    surroundings.journal.record([opened.entry(of: start.run, at: record.startedAt)])
    try await show(.event(begun))
    machine.apply(begun)
    try await tell()
  }

  /// Session history and working notes, for personas that have frames of those kinds.
  private func context() async throws -> Value {
    let kinds = Set(graph.frames.map(\.kind))
    var turns: [Value] = []
    var notes: [Value] = []
    if let session = start.session {
      if kinds.contains(.session) {
        turns = try await surroundings.memory.turns(of: session, limit: options.turns).map { turn in
          ["input": .string(turn.input), "output": .string(turn.output)]
        }
      }
      if kinds.contains(.shortTerm) {
        notes = try await surroundings.memory.notes(of: session, limit: options.notes)
          .map { ["text": .string($0.text)] }
      }
    }
    return ["session": .array(turns), "notes": .array(notes), "memories": []]
  }

  func close() async throws -> RunResult {
    let output: Value
    switch machine.status {
    case .finished(let value): output = value
    case .failed(let failure): throw failure
    case .running:
      throw Failure(
        .run, "the run stopped before its end: nothing is due any more",
        mend: "check the persona with `rasa personas validate \(start.persona)`")
    }
    let now = surroundings.time.now()
    var turn: SessionTurn? = nil
    if let session = start.session, graph.frames.contains(where: { $0.kind == .session }) {
      turn = SessionTurn(
        session: session, run: start.run, time: now, input: start.input,
        output: output.promptText)
    }
    let finished = RunEvent.finished(output: output)
    let facts = remembered(at: now)
    if !facts.isEmpty { try await surroundings.memory.remember(facts) }
    try await surroundings.journal.close(
      start.run, status: .done, turn: turn, notes: workingNotes(at: now),
      [finished.entry(of: start.run, at: now)])
    try await show(.event(finished))
    return result(output)
  }

  private func result(_ output: Value) -> RunResult {
    var usage = Usage()
    for answer in answers {
      usage.input += answer.usage.input
      usage.output += answer.usage.output
      usage.cachedInput += answer.usage.cachedInput
      usage.reasoning += answer.usage.reasoning
      usage.isReported = usage.isReported && answer.usage.isReported
    }
    return RunResult(
      output: output, state: machine.state, cost: stage.spent, usage: usage,
      steps: machine.steps, calls: answers.count, usedMock: answers.contains(where: \.isMock))
  }

  private func workingNotes(at now: Timestamp) -> [WorkingNote] {
    guard let session = start.session else { return [] }
    return machine.notes.map {
      WorkingNote(session: session, run: start.run, time: now, text: String($0.prefix(2000)))
    }
  }

  private func remembered(at now: Timestamp) -> [MemoryFact] {
    (machine.state["context.remembered"].array ?? []).map { fact in
      MemoryFact(
        persona: start.persona, user: start.user, text: fact["text"].promptText,
        sourceRun: start.run, time: now, trust: fact["trust"].promptText)
    }
  }

  /// Writes down how the run failed and returns what to throw. A journal that fails now must not
  /// hide the first failure.
  func closeAfter(_ error: any Error) async -> any Error {
    // What is no failure of the run (the reader of its output has gone) goes on as it is.
    let isForeign = !(error is Failure || error is CancellationError)
    let failure =
      error as? Failure
      ?? (error is CancellationError
        ? Failure(.cancelled, "the run was cancelled")
        : Failure(.run, "the run failed: \(error)"))
    let now = surroundings.time.now()
    let journal = surroundings.journal
    let run = start.run
    // A cancelled task could not wait for the journal; this one can.
    let written = Task {
      do {
        try await journal.close(
          run, status: failure.kind == .cancelled ? .cancelled : .failed, turn: nil, notes: [],
          [RunEvent.failed(failure).entry(of: run, at: now)])
        return nil as Failure?
      } catch {
        return error as? Failure
      }
    }
    let second = await written.value
    if isForeign { return error }
    guard let second, second.kind != failure.kind else { return failure }
    var both = failure
    both.details.append("and its end could not be written down: \(second.message)")
    return both
  }

  // MARK: Driving

  mutating func untilEnd() async throws {
    var drive = self
    let procedure = OperatorProcedure(
      graph: graph, start: start, options: options, surroundings: surroundings, show: show,
      stage: stage)
    let time = surroundings.time
    self = try await withThrowingTaskGroup(of: Completion.self) { group in
      var running = 0
      defer { group.cancelAll() }
      while drive.machine.isRunning {
        var due = drive.machine.due()
        try await drive.tell()
        guard drive.machine.isRunning else { break }
        if running == 0, due.isEmpty { break }
        guard drive.stage.secondsLeft(at: time.monotonic()) > 0 else { throw drive.stage.tooLate }
        // One thing alone needs no task of its own.
        if running == 0, due.count == 1 {
          try await drive.apply(try await procedure.perform(due.removeLast()))
          continue
        }
        // Local work is done here, after what takes longer has been started.
        let first = due.partition { $0.isQuick(in: drive.graph) }
        for invocation in due[..<first] {
          running += 1
          group.addTask { try await procedure.perform(invocation) }
        }
        for invocation in due[first...] {
          try await drive.apply(try await procedure.perform(invocation))
        }
        if first == due.endIndex, let completion = try await group.next() {
          running -= 1
          try await drive.apply(completion)
        }
      }
      return drive
    }
  }

  private mutating func apply(_ completion: Completion) async throws {
    for answer in completion.answers {
      answers.append(answer)
      stage.add(answer.cost)
    }
    var step = completion.step
    step.isReview = false
    let event = RunEvent.operatorFinished(completion.step, completion.outcome)
    machine.apply(.operatorFinished(step, completion.outcome))
    surroundings.journal.record([event.entry(of: start.run, at: surroundings.time.now())])
    try await show(.event(event))
    try await tell()
  }

  /// Passes on what followed, and what of the output can be shown now.
  mutating func tell() async throws {
    let told = machine.takeTold()
    if !told.isEmpty {
      let now = surroundings.time.now()
      surroundings.journal.record(told.map { $0.entry(of: start.run, at: now) })
      for event in told { try await show(.event(event)) }
    }
    let open = machine.openParts
    if open != shownOpen || !machine.isRunning {
      shownOpen = open
      if let text = stage.advance(open: open, machine.state) { try await show(.output(text)) }
    }
  }
}

extension Invocation {
  /// Local work of microseconds, not worth a task of its own.
  fileprivate func isQuick(in graph: Graph) -> Bool {
    let kind = graph.nodes[node].definition.kind
    return review == nil && (kind == .memory || kind == .rule)
  }
}

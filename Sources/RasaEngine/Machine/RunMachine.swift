package import RasaCore
import RasaPersona

/// A run as a value: `apply` folds what happened, `due` hands out what may happen next. No clock, no
/// input or output, no waiting: a driver performs what is due and applies the outcomes.
///
/// The state is a fold of the events alone. `apply` carries out rules and looks ahead by itself, so
/// any prefix of a journal gives the state of that moment, whether or not anybody called `due`.
///
/// Operators mean what they would mean if they ran one after the other in list order. One that
/// needs nothing an unfinished earlier one writes is due at once, as long as no earlier one can
/// lead elsewhere; outcomes are applied in order, so the state never shows who was faster.
package struct RunMachine: Sendable {
  package enum Status: Sendable, Hashable {
    case running
    case finished(output: Value)
    case failed(Failure)
  }

  package let graph: Graph
  package internal(set) var state = State()
  package internal(set) var status = Status.running
  /// Operators applied so far.
  package internal(set) var steps = 0
  /// What the short-term frames keep, in order.
  package internal(set) var notes: [String] = []

  var lanes: [Lane] = []
  /// How often each frame was entered.
  var visits: [Int]
  /// How often each bounded edge was taken.
  var taken: [Int]
  /// How often a person sent something back.
  var rejections = 0
  /// What the run begins with, as far as it is known.
  private var opening = Opening()
  private struct Opening: Sendable {
    var start: RunStart?
    var context: Value?
    var changes = ValueObject()
  }
  /// Whether an operator's outcome has been folded: the beginning is over then.
  private var hasOutcomes = false
  var pendingEvents: [RunEvent] = []
  /// Routes back that were taken since the last `drainSentBack`.
  private(set) var sentBack: [SentBack] = []
  /// Every outcome that counted, with the state it met; nil while nobody wants to know.
  var committed: [CommittedOutcome]?
  /// Set only in a copy that looks ahead, where some outcomes are unknown.
  var conjecture: Conjecture?

  /// How far ahead of the one to be applied next an operator may start.
  static let lookahead = 32
  /// How often a person may send something back before the run ends as denied.
  static let mostRejections = 5

  package init(graph: Graph) {
    self.graph = graph
    visits = Array(repeating: 0, count: graph.frames.count)
    taken = Array(repeating: 0, count: graph.counterCount)
  }

  // MARK: Folding

  /// Folds one event. A run begins once its start and its context are known.
  ///
  /// - Throws: for a line that cannot follow those before it, which only a damaged journal, or one of
  ///   another persona, has. The machine is unchanged then.
  package mutating func apply(_ event: RunEvent) throws(Failure) {
    switch event {
    case .started(let start):
      try checkOpening(event)
      opening.start = start
      begin()
    case .contextOpened(let context):
      try checkOpening(event)
      opening.context = context
      begin()
    case .changed(let changes):
      try checkOpening(event)
      for (key, value) in changes { opening.changes[key] = value }
      begin()
    case .operatorFinished(let step, let outcome):
      // Operators that were still running when the run ended no longer change anything.
      guard isRunning else { return }
      try finish(step, outcome)
    case .failed(let failure): if isRunning { status = .failed(failure) }
    case .finished(let output): if isRunning { status = .finished(output: output) }
    case .frameEntered, .moved, .objected, .asked, .answered, .warned, .resumed, .parked: break
    }
  }

  /// Folds the lines of a journal that are about this run itself.
  ///
  /// - Parameters:
  ///   - entries: from the beginning, or as many as there are.
  ///   - scope: the name under which it works inside another run; lines about it have that as their key.
  /// - Throws: at the first line that does not fit; those before it are folded.
  package mutating func fold(
    _ entries: some Sequence<JournalEntry>, in scope: String? = nil
  ) throws(Failure) {
    for entry in entries where entry.key == scope {
      if let event = RunEvent(folding: entry) { try apply(event) }
    }
  }

  private func checkOpening(_ event: RunEvent) throws(Failure) {
    guard hasOutcomes else { return }
    throw Failure(
      .storage,
      "the journal does not fit together: `\(event.kind)` comes after an operator has finished",
      suggestion: RunMachine.damageHint)
  }

  static let damageHint = "see what there is with `rasa runs events`; `rasa run` begins anew"

  /// The routes back that were taken since the last call.
  package mutating func drainSentBack() -> [SentBack] {
    guard !sentBack.isEmpty else { return [] }
    defer { sentBack = [] }
    return sentBack
  }

  mutating func note(_ way: SentBack) { sentBack.append(way) }

  /// What followed from the events applied since the last call: lines for the journal and for
  /// whoever watches.
  package mutating func drainEvents() -> [RunEvent] {
    guard !pendingEvents.isEmpty else { return [] }
    defer { pendingEvents = [] }
    return pendingEvents
  }

  /// Begins from scratch with what is known of the beginning, as soon as that is enough: lines about
  /// the beginning may come one by one, and rules that need nothing else run with all of them.
  private mutating func begin() {
    guard let start = opening.start, let context = opening.context else { return }
    state = graph.openingState(start, context: context, changes: opening.changes)
    status = .running
    steps = 0
    notes = []
    pendingEvents = []
    sentBack = []
    if committed != nil { committed = [] }
    rejections = 0
    for index in visits.indices { visits[index] = 0 }
    for index in taken.indices { taken[index] = 0 }
    lanes = [Lane()]
    enter(0, in: 0)
    proceed()
  }

  private mutating func finish(_ step: Step, _ outcome: OperatorOutcome) throws(Failure) {
    guard let (lane, index) = place(of: step),
      case .run(var slot) = lanes[lane].items[index]
    else { throw misfit(step, "it was not under way") }
    switch (slot.phase, outcome) {
    case (.reviewing(let review, _), .answered(let answer)):
      hasOutcomes = true
      settle(review, answer, lane: lane)
      proceed()
    case (.reviewing, _): throw misfit(step, "a person's decision about it was still to come")
    case (.done, _): throw misfit(step, "it had finished before")
    case (.waiting, _): throw misfit(step, "what it needs was not there yet")
    case (.ready, _), (.running, _):
      if case .answered = outcome,
        step.isReview || !graph.nodes[slot.node].definition.isReviewer
      {
        throw misfit(step, "it was not waiting for a decision")
      }
      hasOutcomes = true
      slot.phase = .done(outcome)
      lanes[lane].items[index] = .run(slot)
      proceed()
    }
  }

  private func place(of step: Step) -> (lane: Int, index: Int)? {
    for lane in lanes.indices where !lanes[lane].isOver {
      for index in lanes[lane].head..<lanes[lane].items.count {
        if case .run(let slot) = lanes[lane].items[index], slot.step.isSameRun(as: step) {
          return (lane, index)
        }
      }
    }
    return nil
  }

  private func misfit(_ step: Step, _ reason: String) -> Failure {
    let name = step.isReview ? "a decision about `\(step.operatorName)`" : "`\(step.operatorName)`"
    return Failure(
      .storage,
      "the journal does not fit its persona: it says that \(name) in `\(step.frame)`, visit "
        + "\(step.visit), finished, but \(reason)", suggestion: RunMachine.damageHint)
  }

  // MARK: Moving on

  /// Goes as far as it can without the outside: applies outcomes, carries out rules, looks ahead.
  mutating func proceed() {
    advance()
    var lane = 0
    while lane < lanes.count, isRunning {
      if lookAhead(lane: lane) {
        // A rule may have moved any lane: look again from the start.
        advance()
        lane = 0
      } else {
        lane += 1
      }
    }
  }

  /// Applies every outcome whose turn has come, in every lane, until something has to happen first.
  private mutating func advance() {
    var lane = 0
    while lane < lanes.count, isRunning {
      if advance(lane: lane) { lane = 0 } else { lane += 1 }
    }
    guard isRunning, lanes.allSatisfy({ $0.isOver }) else { return }
    complete()
  }

  /// Returns whether another lane may have become free to go on.
  private mutating func advance(lane: Int) -> Bool {
    while isRunning, !lanes[lane].isOver, lanes[lane].openBranches == 0 {
      guard !lanes[lane].isEmpty else { return end(lane: lane) }
      switch lanes[lane].items[lanes[lane].head] {
      case .enter(let frame, let visit):
        lanes[lane].popFirst()
        lanes[lane].noted.removeAll(keepingCapacity: true)
        pendingEvents.append(.frameEntered(frame: graph.frames[frame].name, visit: visit))
      case .run(let slot):
        guard case .done(let outcome) = slot.phase else { return false }
        commit(slot, outcome, lane: lane)
      case .leave(let frame):
        lanes[lane].popFirst()
        leave(frame, lane: lane)
      }
    }
    return false
  }

  private mutating func end(lane: Int) -> Bool {
    lanes[lane].isOver = true
    guard let parent = lanes[lane].branchOf else { return false }
    lanes[parent].openBranches -= 1
    return lanes[parent].openBranches == 0
  }

  private mutating func complete() {
    guard let output = answer else {
      status = .failed(
        Failure(
          .run, "the run ended without an answer: nothing wrote `output` or `draft` on this path",
          suggestion: "see the path with `rasa personas graph \(graph.persona.name)`"))
      return
    }
    status = .finished(output: output)
  }

  /// The output; where this way wrote none, its parts put together, the draft, or the text of the
  /// last operator in the persona that has written one.
  private var answer: Value? {
    func holds(_ value: Value) -> Bool { !value.isNull && value.string?.isBlank != true }
    if holds(state[.output]) { return state[.output] }
    if graph.outputParts.count > 1 {
      let parts = Value.string(
        Composition(key: "output", parts: graph.outputParts).text { state[$0] })
      if holds(parts) { return parts }
    }
    if holds(state[.draft]) { return state[.draft] }
    for node in graph.nodes.reversed() {
      for path in node.writes.reversed() where path.key != "context" {
        if state[path].string != nil, holds(state[path]) { return state[path] }
      }
    }
    return nil
  }

  // MARK: Entering and leaving

  mutating func nextVisit(of frame: Int) -> Int {
    visits[frame] += 1
    return visits[frame]
  }

  /// Puts a visit of the frame at the end of the lane's items.
  ///
  /// - Parameters:
  ///   - start: the place of the first operator to run.
  ///   - prelude: an operator of another frame that runs before.
  mutating func enter(_ frame: Int, in lane: Int, from start: Int = 0, prelude: Int? = nil) {
    let visit = nextVisit(of: frame)
    let name = graph.frames[frame].name
    lanes[lane].items.append(.enter(frame: frame, visit: visit))
    func add(_ node: Int) {
      let step = Step(
        frame: name, visit: visit, operatorName: graph.nodes[node].definition.name)
      lanes[lane].items.append(.run(Lane.Slot(node: node, step: step)))
    }
    if let prelude { add(prelude) }
    for node in graph.frames[frame].nodes.dropFirst(start) { add(node) }
    lanes[lane].items.append(.leave(frame: frame))
  }

  private mutating func leave(_ index: Int, lane: Int) {
    let frame = graph.frames[index]
    if frame.kind == .shortTerm {
      for update in lanes[lane].noted {
        notes.append("\(update.path): \(update.value.promptText)")
      }
    }
    // What follows was already put in place while looking ahead.
    guard lanes[lane].isEmpty else { return }
    if !frame.branches.isEmpty, !lanes[lane].hasForked {
      fork(frame.branches, from: index, lane: lane)
      return
    }
    lanes[lane].hasForked = false
    leaveOnwards(from: index, lane: lane)
  }

  private mutating func fork(_ branches: [Int], from index: Int, lane: Int) {
    lanes[lane].openBranches = branches.count
    lanes[lane].hasForked = true
    lanes[lane].items.append(.leave(frame: index))
    lanes.removeAll { $0.isOver && $0.branchOf != nil }
    for branch in branches {
      lanes.append(Lane(branchOf: lane))
      enter(branch, in: lanes.count - 1)
    }
  }

  /// Takes the first transition that applies, else the next declared frame.
  private mutating func leaveOnwards(from index: Int, lane: Int) {
    for edge in graph.frames[index].transitions {
      guard holds(edge.when), take(edge.bound) else { continue }
      if edge.target != graph.frames[index].following || edge.when != nil {
        pendingEvents.append(
          .moved(
            from: graph.frames[index].name,
            to: edge.target.map { graph.frames[$0].name } ?? "end",
            reason: edge.when?.source ?? "next"))
      }
      if let target = edge.target { go(to: target, in: lane) }
      return
    }
    if let following = graph.frames[index].following { go(to: following, in: lane) }
  }

  /// Enters the frame, or the next one that is not left out.
  mutating func go(to frame: Int, in lane: Int) {
    var target: Int? = frame
    while let frame = target, frame != lanes[lane].skipUntil, lanes[lane].skipping.contains(frame) {
      target = graph.frames[frame].following
    }
    if target == lanes[lane].skipUntil {
      lanes[lane].skipping = []
      lanes[lane].skipUntil = nil
    }
    if let target { enter(target, in: lane) }
  }

  /// Where the lane certainly goes from the end of a frame; nil while that is open.
  func certainSuccessor(of index: Int) -> Int?? {
    let frame = graph.frames[index]
    guard frame.branches.isEmpty else { return nil }
    guard let first = frame.transitions.first else { return .some(frame.following) }
    guard first.when == nil, first.bound == nil else { return nil }
    return .some(first.target)
  }

  mutating func holds(_ condition: Guard?) -> Bool {
    guard let condition else { return true }
    if conjecture != nil { return supposes(condition, in: state) }
    let (holds, warning) = condition.evaluate { state[$0] }
    if let warning {
      pendingEvents.append(.warned("the guard `\(condition.source)` is false: \(warning)"))
    }
    return holds
  }

  func isLastRound(of node: Int) -> Bool {
    graph.nodes[node].routes.contains { route in
      route.isLoop && route.bound.map { taken[$0.counter] >= $0.atMost } ?? false
    }
  }

  /// Counts a passage of a bounded edge; false when the bound is used up.
  mutating func take(_ bound: Graph.Bound?) -> Bool {
    guard let bound else { return true }
    guard taken[bound.counter] < bound.atMost else { return false }
    taken[bound.counter] += 1
    return true
  }

  /// The parts of the output, as bits, that may still change; all of them once there will be none.
  package var openParts: UInt64 {
    switch status {
    case .running: break
    case .finished: return 0
    case .failed: return .max
    }
    var open: UInt64 = 0
    for lane in lanes.indices where !lanes[lane].isOver {
      var index = lanes[lane].head
      while index < lanes[lane].items.count {
        switch lanes[lane].items[index] {
        case .enter:
          index += 1
          continue
        case .run(let slot): open |= graph.facts[slot.node].openParts
        case .leave(let frame): open |= graph.frames[frame].openParts
        }
        break
      }
    }
    return open
  }

  /// The output, where all that is left to do is to remember something; nil otherwise.
  package var settledOutput: Value? {
    guard isRunning, openParts == 0, !graph.outputParts.isEmpty else { return nil }
    for lane in lanes where !lane.isOver {
      for item in lane.items[min(lane.head, lane.items.count)...] {
        switch item {
        case .run(let slot):
          guard graph.nodes[slot.node].definition.memory == .remember else { return nil }
        case .leave: break
        case .enter: return nil
        }
      }
    }
    return answer
  }

  package var isRunning: Bool { if case .running = status { true } else { false } }
}

extension Graph {
  /// What a run knows before its first operator.
  func openingState(
    _ start: RunStart, context: Value, changes: ValueObject = ValueObject()
  ) -> State {
    var state = State()
    state.write(context, at: "context")
    state.write(.string(start.input), at: "input")
    // What was stated earlier in the conversation still holds.
    var preferences = context["preferences"].object ?? ValueObject()
    for (key, value) in start.preferences { preferences[key] = value }
    state.write(.object(preferences), at: "preferences")
    state.write(.object(persona.metadata), at: "metadata")
    state.metadataAsWritten = persona.metadataAsWritten
    state.write(
      [
        "name": .string(persona.name), "description": .string(persona.description),
        "prompt_style": .string(persona.promptStyle),
      ], at: "persona")
    for (key, value) in changes { state.write(value, at: StatePath(key)) }
    return state
  }
}

extension Step {
  fileprivate func isSameRun(as other: Step) -> Bool {
    frame == other.frame && visit == other.visit && operatorName == other.operatorName
      && round == other.round
  }
}

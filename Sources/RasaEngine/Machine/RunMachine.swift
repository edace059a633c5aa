package import RasaCore
import RasaPersona

/// A run as a value: `apply` folds what happened, `due` says what may happen next. No clock, no
/// input or output, no waiting: a driver performs what is due and applies the outcomes.
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
  var told: [RunEvent] = []
  /// Ways back that were taken since somebody asked.
  private(set) var sentBack: [SentBack] = []
  /// Every outcome that counted, with the state it met; nil while nobody wants to know.
  var landings: [Landing]?

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

  package mutating func apply(_ event: RunEvent) {
    guard isRunning else { return }
    switch event {
    case .started(let start): begin(start)
    case .contextOpened(let context): state.write(context, at: "context")
    case .operatorFinished(let step, let outcome): finish(step, outcome)
    case .failed(let failure): status = .failed(failure)
    case .finished(let output): status = .finished(output: output)
    case .changed(let changes):
      for (key, value) in changes { state.write(value, at: StatePath(key)) }
    case .frameEntered, .moved, .objected, .asked, .answered, .warned, .resumed, .parked: break
    }
  }

  /// The ways back that were taken since the last call.
  package mutating func takeSentBack() -> [SentBack] {
    guard !sentBack.isEmpty else { return [] }
    defer { sentBack = [] }
    return sentBack
  }

  mutating func note(_ way: SentBack) { sentBack.append(way) }

  /// What followed from the events applied since the last call: lines for the journal and for
  /// whoever watches.
  package mutating func takeTold() -> [RunEvent] {
    guard !told.isEmpty else { return [] }
    defer { told = [] }
    return told
  }

  private mutating func begin(_ start: RunStart) {
    state.write(.string(start.input), at: "input")
    state.write(.object(start.preferences), at: "preferences")
    state.write(.object(graph.persona.metadata), at: "metadata")
    state.metadataAsWritten = graph.persona.metadataAsWritten
    state.write(
      [
        "name": .string(graph.persona.name), "description": .string(graph.persona.description),
        "prompt_style": .string(graph.persona.promptStyle),
      ], at: "persona")
    lanes = [Lane()]
    enter(0, in: 0)
    advance()
  }

  private mutating func finish(_ step: Step, _ outcome: OperatorOutcome) {
    for lane in lanes.indices {
      for index in lanes[lane].head..<lanes[lane].items.count {
        guard case .run(var slot) = lanes[lane].items[index], slot.step.isSameRun(as: step) else {
          continue
        }
        switch (slot.phase, outcome) {
        case (.reviewing(let review, _), .answered(let answer)):
          settle(review, answer, lane: lane)
          return
        case (.waiting, _), (.running, _):
          slot.phase = .done(outcome)
          lanes[lane].items[index] = .run(slot)
          if index == lanes[lane].head { advance() }
          return
        default: return
        }
      }
    }
  }

  // MARK: Moving on

  /// Applies every outcome whose turn has come, in every lane, until something has to happen first.
  mutating func advance() {
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
        told.append(.frameEntered(frame: graph.frames[frame].name, visit: visit))
      case .run(let slot):
        guard case .done(let outcome) = slot.phase else { return false }
        land(slot, outcome, lane: lane)
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
          mend: "see the path with `rasa personas graph \(graph.persona.name)`"))
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
    proceed(from: index, lane: lane)
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
  private mutating func proceed(from index: Int, lane: Int) {
    for edge in graph.frames[index].transitions {
      guard holds(edge.when), take(edge.bound) else { continue }
      if edge.target != graph.frames[index].following || edge.when != nil {
        told.append(
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
    let (holds, warning) = condition.evaluate { state[$0] }
    if let warning { told.append(.warned("the guard `\(condition.source)` is false: \(warning)")) }
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

  package var isRunning: Bool { if case .running = status { true } else { false } }
}

extension Step {
  fileprivate func isSameRun(as other: Step) -> Bool {
    frame == other.frame && visit == other.visit && operatorName == other.operatorName
      && round == other.round
  }
}

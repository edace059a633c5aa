import RasaCore
import RasaPersona

/// The assumptions of a copy of the machine that looks ahead from a pause: which values are still unknown, and how
/// conditions on them turn out.
struct Conjecture: Sendable {
  /// What stands in the state for such a value.
  static let value = Value.string("‹not known yet›")

  /// What is unknown stays so: that a rule writes over it is not worth keeping apart.
  private(set) var unknown: Set<StatePath> = []
  /// How conditions turn out, in the order in which they are met; those that are not listed hold.
  fileprivate var suppositions: [Bool] = []
  fileprivate var met = 0

  func knows(_ path: StatePath) -> Bool { !unknown.contains { $0.overlaps(path) } }

  mutating func forget(_ paths: [StatePath]) { unknown.formUnion(paths) }

  /// A rule that looks at what is unknown may write anything.
  mutating func noteRule(_ node: Graph.Node) {
    if !node.reads.allSatisfy(knows) { forget(node.writes) }
  }
}

extension RunMachine {
  /// Whether a condition holds here; where that is open, what is supposed of it.
  mutating func supposes(_ condition: Guard, in state: State) -> Bool {
    guard var conjecture else { return false }
    if let decided = condition.decided({ conjecture.knows($0) ? state[$0] : nil }) {
      return decided
    }
    if conjecture.met == conjecture.suppositions.count { conjecture.suppositions.append(true) }
    let supposed = conjecture.suppositions[conjecture.met]
    conjecture.met += 1
    self.conjecture = conjecture
    return supposed
  }

  /// The most branches of one step that are followed. With more, the foresight falls back to a bound.
  private static let mostWays = 256

  /// Every machine that can come of an event: one for each way in which the open conditions turn out.
  ///
  /// - Throws: where the event does not fit, or there are too many ways.
  func ways(after event: RunEvent) throws -> [RunMachine] {
    var found: [RunMachine] = []
    var suppositions: [Bool] = []
    repeat {
      var machine = self
      // The limit of steps is nothing to be foreseen: it ends runs that go on without an end.
      machine.steps = 0
      machine.conjecture = machine.conjecture ?? Conjecture()
      machine.conjecture?.suppositions = suppositions
      machine.conjecture?.met = 0
      try machine.apply(event)
      _ = machine.drainEvents()
      _ = machine.drainSentBack()
      suppositions = machine.conjecture?.suppositions ?? []
      machine.conjecture?.suppositions = []
      found.append(machine)
      guard found.count <= Self.mostWays else {
        throw Failure(.limit, "there are more than \(Self.mostWays) ways on from one step")
      }
      // The last condition that was supposed to hold does not in the next way.
      while suppositions.last == false { suppositions.removeLast() }
      if !suppositions.isEmpty { suppositions[suppositions.count - 1] = false }
    } while !suppositions.isEmpty
    return found
  }

  /// Every state that the machine can reach when an operator ends whose output is unknown.
  func ways(after operation: Invocation) throws -> [RunMachine] {
    let node = graph.nodes[operation.node]
    var informed = self
    informed.conjecture = informed.conjecture ?? Conjecture()
    informed.conjecture?.forget(node.writes)
    let updates = node.writes.map { Update($0, Conjecture.value) }
    var found = try informed.ways(after: .operatorFinished(operation.step, .wrote(updates)))
    if node.definition.onError.otherwise == .skip {
      found += try ways(after: .operatorFinished(operation.step, .skipped(reason: "")))
    }
    return found
  }

  /// What tells two machines of one run apart, as far as that decides how they go on.
  struct Position: Hashable {
    var lanes: [Int] = []
    var taken: [Int] = []
    var rejections = 0
    var unknown: Set<StatePath> = []
    var values: [Value] = []
    var outcomes: [OperatorOutcome] = []
    /// Nodes that wait for a person.
    var asking: Set<Int> = []
  }

  func position(asking: Set<Int>) -> Position {
    var position = Position(
      taken: taken, rejections: rejections, unknown: conjecture?.unknown ?? [], asking: asking)
    for lane in lanes {
      position.lanes += [
        -1, lane.branchOf ?? -1, lane.openBranches, lane.isOver ? 1 : 0, lane.skipUntil ?? -1,
        lane.hasForked ? 1 : 0,
      ]
      position.lanes += lane.skipping.sorted() + [-2]
      for item in lane.items[lane.head...] {
        switch item {
        case .enter(let frame, _): position.lanes += [0, frame]
        case .leave(let frame): position.lanes += [1, frame]
        case .run(let slot):
          let phase: Int
          switch slot.phase {
          case .waiting: phase = 2
          case .ready, .running: phase = 3
          case .reviewing(let review, _): phase = review.pending == nil ? 4 : 5
          case .done(let outcome):
            phase = 6
            position.outcomes.append(outcome)
          }
          position.lanes += [phase, slot.node]
        }
      }
    }
    var keys: Set<String> = []
    for path in graph.nodes.lazy.flatMap(\.writes) where keys.insert(path.key).inserted {
      position.values.append(state[StatePath(path.key)])
    }
    return position
  }
}

import RasaCore
import RasaPersona

/// What can follow from somewhere on until a person is asked or the run ends: upper bounds of every way there is.
struct Prospect: Sendable, Hashable {
  /// An operator that asks a person.
  struct Asking: Sendable, Hashable {
    /// In the order of the persona.
    var place: Int
    var name: String
    /// Whether it asks whenever the run gets there.
    var isCertain: Bool
  }

  var calls = CallBound()
  var asking: [Asking] = []
  var mayEnd = false
  /// Why the run fails where no other end can be reached.
  var failure: Failure?

  /// This or the other.
  mutating func formUnion(_ other: Prospect) {
    calls = calls.orMore(other.calls)
    mayEnd = mayEnd || other.mayEnd
    failure = failure ?? other.failure
    for asking in other.asking { note(asking) }
  }

  mutating func note(_ more: Asking) {
    if let place = asking.firstIndex(where: { $0.name == more.name }) {
      asking[place].isCertain = asking[place].isCertain && more.isCertain
    } else {
      asking.append(more)
    }
  }
}

/// The most calls of models, and the most that they cost.
struct CallBound: Sendable, Hashable {
  var calls = 0
  /// Nil where a price is not known.
  var cost: Money? = .zero

  static func + (one: CallBound, other: CallBound) -> CallBound {
    CallBound(
      calls: min(one.calls + other.calls, 1_000_000),
      cost: one.cost.flatMap { cost in other.cost.map { cost + $0 } })
  }

  func orMore(_ other: CallBound) -> CallBound {
    CallBound(
      calls: max(calls, other.calls),
      cost: cost.flatMap { cost in other.cost.map { max(cost, $0) } })
  }
}

/// What follows in the run around a part of it, once that part is done.
typealias Onward = @Sendable () async throws -> Prospect

/// The events that the machine of a run has folded, so that it can be had as it is now, by whoever must not change it.
final class FoldedEvents: Sendable {
  private let events = Locked<[RunEvent]>([])

  func append(_ event: RunEvent) { events.withLock { $0.append(event) } }

  func machine(of graph: Graph) throws(Failure) -> RunMachine {
    var machine = RunMachine(graph: graph)
    for event in events.withLock({ $0 }) { try machine.apply(event) }
    _ = machine.drainEvents()
    return machine
  }
}

extension ReviewPolicy {
  fileprivate var asks: Bool { if case .never = self { false } else { true } }
}

extension Graph {
  /// Whether there is anything in it that can ask a person.
  var mayAsk: Bool {
    nodes.contains { node in
      let definitions = [node.definition] + (node.substitute.map { [$0] } ?? [])
      let asks = definitions.contains {
        $0.kind == .human || $0.kind == .tool || $0.mayAsk || !$0.tools.isEmpty || $0.review.asks
      }
      return asks
        || node.routes.contains { if case .review = $0.action { true } else { false } }
        || node.delegates.contains { $0.graph.mayAsk }
    }
  }
}

package import RasaCore
import RasaPersona

/// An operator, or a person's look at what one wrote, that may start now.
package struct Invocation: Sendable {
  package var step: Step
  package var node: Int
  /// The state with everything that earlier operators wrote and this one reads.
  package var view: State
  /// What a person is to look at; nil when the operator itself is to run.
  package var review: StatePath?
  /// Whether it is looked at before it counts, by the operator's own `review:`.
  package var isPending = false
  /// Whether an agent that goes back over frames may not do so again.
  package var isLastRound = false
}

extension RunMachine {
  /// What may start now. Each invocation is given out once; rules are carried out here, as they
  /// ask nothing of the outside.
  package mutating func due() -> [Invocation] {
    var found: [Invocation] = []
    var lane = 0
    while lane < lanes.count {
      let before = steps
      let ranRule = collect(&found, lane: lane)
      if ranRule { advance() }
      guard isRunning else { return [] }
      // A rule may have moved any lane: look again from the start.
      lane = ranRule || steps != before ? 0 : lane + 1
    }
    return found
  }

  /// Makes everything due again that was given out and has no outcome: whoever performed it is gone.
  package mutating func reissue() {
    for lane in lanes.indices {
      for index in lanes[lane].items.indices.dropFirst(lanes[lane].head) {
        guard case .run(var slot) = lanes[lane].items[index] else { continue }
        switch slot.phase {
        case .running: slot.phase = .waiting
        case .reviewing(let review, _): slot.phase = .reviewing(review, isAsked: false)
        case .waiting, .done: continue
        }
        lanes[lane].items[index] = .run(slot)
      }
    }
  }

  /// Adds what is due in one lane; returns whether a rule ran whose turn to be applied has come.
  private mutating func collect(_ found: inout [Invocation], lane: Int) -> Bool {
    guard !lanes[lane].isOver, lanes[lane].openBranches == 0 else { return false }
    var unfinished: UInt64 = 0
    var finishedEarly: [Int] = []
    var ranFirst = false
    var index = lanes[lane].head
    var seen = 0
    while seen < RunMachine.lookahead {
      if index == lanes[lane].items.count { break }
      switch lanes[lane].items[index] {
      case .enter: break
      case .leave(let frame):
        if index == lanes[lane].items.count - 1 {
          guard index > lanes[lane].head, lanes[lane].skipping.isEmpty,
            case .some(let next) = certainSuccessor(of: frame),
            let next
          else { return ranFirst }
          enter(next, in: lane)
        }
      case .run(var slot):
        seen += 1
        let facts = graph.facts[slot.node]
        switch slot.phase {
        case .waiting where facts.readMask & unfinished == 0:
          let view = view(lane: lane, finishedEarly)
          if facts.isRule {
            let (updates, warnings) = graph.nodes[slot.node].definition
              .evaluateRules(view, in: facts.kind)
            slot.phase = .done(.wrote(updates))
            slot.warnings = warnings
            ranFirst = ranFirst || index == lanes[lane].head
          } else {
            slot.phase = .running
            var invocation = Invocation(step: slot.step, node: slot.node, view: view)
            invocation.isLastRound = isLastRound(of: slot.node)
            found.append(invocation)
          }
          lanes[lane].items[index] = .run(slot)
        case .reviewing(let review, false):
          slot.phase = .reviewing(review, isAsked: true)
          lanes[lane].items[index] = .run(slot)
          var step = slot.step
          step.isReview = true
          var view = state
          if let pending = review.pending { view.apply(pending) }
          found.append(
            Invocation(
              step: step, node: slot.node, view: view, review: review.subject,
              isPending: review.pending != nil))
        default: break
        }
        if slot.isDone {
          finishedEarly.append(index)
        } else {
          unfinished |= facts.writeMask
        }
        if facts.mayLeave { return ranFirst }
        if ranFirst { return true }
      }
      index += 1
    }
    return ranFirst
  }

  /// The state, with what earlier operators wrote whose turn to be applied has not come yet.
  private func view(lane: Int, _ finishedEarly: [Int]) -> State {
    guard !finishedEarly.isEmpty else { return state }
    var view = state
    for index in finishedEarly {
      if case .run(let slot) = lanes[lane].items[index],
        case .done(.wrote(let updates)) = slot.phase
      {
        view.apply(updates)
      }
    }
    return view
  }
}

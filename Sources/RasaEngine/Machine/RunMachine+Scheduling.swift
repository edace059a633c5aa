package import RasaCore
import RasaPersona

/// An operator, or a person's look at what one wrote, that may start now.
package struct Invocation: Sendable {
  package var step: Step
  package var node: Int
  /// The state with everything that earlier operators wrote and this one reads.
  package var view: State
  /// What a person reviews; nil if the operator itself runs.
  package var review: StatePath?
  /// Whether it is looked at before it counts, by the operator's own `review:`.
  package var isPending = false
  /// Whether an agent that goes back over frames may not do so again.
  package var isLastRound = false
}

extension RunMachine {
  /// What may start now and has not been handed out. Nothing but that it was handed out changes.
  package mutating func due() -> [Invocation] {
    guard isRunning else { return [] }
    var found: [Invocation] = []
    for lane in lanes.indices {
      for index in lanes[lane].head..<lanes[lane].items.count {
        guard case .run(var slot) = lanes[lane].items[index] else { continue }
        switch slot.phase {
        case .ready: slot.phase = .running
        case .reviewing(let review, isAsked: false):
          slot.phase = .reviewing(review, isAsked: true)
        default: continue
        }
        found.append(invocation(of: slot, lane: lane, index: index))
        lanes[lane].items[index] = .run(slot)
      }
    }
    return found
  }

  /// What has no outcome and could have one next, whether or not it was handed out.
  func open() -> [Invocation] {
    var found: [Invocation] = []
    for lane in lanes.indices where !lanes[lane].isOver {
      for index in lanes[lane].head..<lanes[lane].items.count {
        guard case .run(let slot) = lanes[lane].items[index] else { continue }
        switch slot.phase {
        case .ready, .running, .reviewing:
          found.append(invocation(of: slot, lane: lane, index: index))
        case .waiting, .done: continue
        }
      }
    }
    return found
  }

  /// Every operator that may have been started and whose outcome has not counted.
  func pending() -> [Invocation] {
    var found: [Invocation] = []
    for lane in lanes.indices {
      for index in lanes[lane].head..<lanes[lane].items.count {
        guard case .run(let slot) = lanes[lane].items[index], !graph.facts[slot.node].isRule else {
          continue
        }
        switch slot.phase {
        case .ready, .running, .done:
          found.append(invocation(of: slot, lane: lane, index: index))
        case .waiting, .reviewing: continue
        }
      }
    }
    return found
  }

  /// Makes everything due again that was handed out and has no outcome, because the process that performed it is gone.
  package mutating func reissue() {
    for lane in lanes.indices {
      for index in lanes[lane].items.indices.dropFirst(lanes[lane].head) {
        guard case .run(var slot) = lanes[lane].items[index] else { continue }
        switch slot.phase {
        case .running: slot.phase = .ready
        case .reviewing(let review, _): slot.phase = .reviewing(review, isAsked: false)
        case .waiting, .ready, .done: continue
        }
        lanes[lane].items[index] = .run(slot)
      }
    }
  }

  private func invocation(of slot: Lane.Slot, lane: Int, index: Int) -> Invocation {
    if case .reviewing(let review, _) = slot.phase {
      var step = slot.step
      step.isReview = true
      var view = state
      if let pending = review.pending { view.apply(pending) }
      return Invocation(
        step: step, node: slot.node, view: view, review: review.subject,
        isPending: review.pending != nil)
    }
    var invocation = Invocation(
      step: slot.step, node: slot.node, view: view(lane: lane, before: index))
    invocation.isLastRound = isLastRound(of: slot.node)
    return invocation
  }

  /// Enters frames that certainly follow, marks operators of one lane that may start, and carries out
  /// rules, which ask nothing of the outside; returns whether a rule ran whose turn to be applied has
  /// come.
  mutating func lookAhead(lane: Int) -> Bool {
    guard !lanes[lane].isOver, lanes[lane].openBranches == 0 else { return false }
    var unfinished: UInt64 = 0
    var index = lanes[lane].head
    var seen = 0
    while seen < RunMachine.lookahead, index < lanes[lane].items.count {
      switch lanes[lane].items[index] {
      case .enter: break
      case .leave(let frame):
        if index == lanes[lane].items.count - 1 {
          guard index > lanes[lane].head, lanes[lane].skipping.isEmpty,
            case .some(let next) = certainSuccessor(of: frame),
            let next
          else { return false }
          enter(next, in: lane)
        }
      case .run(var slot):
        seen += 1
        let facts = graph.facts[slot.node]
        if case .waiting = slot.phase, facts.readMask & unfinished == 0 {
          if facts.isRule {
            let (updates, warnings) = graph.nodes[slot.node].definition
              .evaluateRules(view(lane: lane, before: index), in: facts.kind)
            slot.phase = .done(.wrote(updates))
            slot.warnings = warnings
            conjecture?.noteRule(graph.nodes[slot.node])
          } else {
            slot.phase = .ready
          }
          lanes[lane].items[index] = .run(slot)
          if facts.isRule, index == lanes[lane].head { return true }
        }
        if !slot.isDone { unfinished |= facts.writeMask }
        if facts.mayLeave { return false }
      }
      index += 1
    }
    return false
  }

  /// The state, with what earlier operators wrote whose turn to be applied has not come yet.
  private func view(lane: Int, before index: Int) -> State {
    var view = state
    for earlier in lanes[lane].head..<index {
      if case .run(let slot) = lanes[lane].items[earlier],
        case .done(.wrote(let updates)) = slot.phase
      {
        view.apply(updates)
      }
    }
    return view
  }
}

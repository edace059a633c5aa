import RasaCore
import RasaPersona

/// What happens when an operator's turn to count has come.
extension RunMachine {
  /// Applies the outcome of the operator at the head of the lane.
  mutating func commit(_ slot: Lane.Slot, _ outcome: OperatorOutcome, lane: Int) {
    steps += 1
    pendingEvents += slot.warnings.map { .warned($0) }
    committed?.append(
      CommittedOutcome(step: slot.step, node: slot.node, view: state, outcome: outcome))
    guard steps <= graph.persona.limits.steps else {
      status = .failed(
        Failure(
          .limit, "the run took more than \(graph.persona.limits.steps) steps",
          suggestion: "raise `limits: {steps: …}` in the persona, or bound its loops more tightly",
          details: ["the last one was `\(slot.step.operatorName)` in `\(slot.step.frame)`"]))
      return
    }
    switch outcome {
    case .wrote(let updates):
      if graph.facts[slot.node].mayLeave, needsReview(graph.nodes[slot.node], updates) {
        let subject = graph.nodes[slot.node].writes.first ?? "draft"
        let review = Lane.Review(subject: subject, pending: updates)
        lanes[lane].items[lanes[lane].head] = .run(slot.reviewing(review))
      } else {
        count(updates, of: slot.node, lane: lane)
        takeFirstApplicableRoute(slot, lane: lane)
      }
    case .skipped:
      forgetVerdict(of: slot.node)
      lanes[lane].popFirst()
    case .answered(let answer):
      let subject = graph.nodes[slot.node].definition.reviewSubject ?? "draft"
      decide(answer, on: subject, slot, lane: lane)
    }
  }

  private mutating func needsReview(_ node: Graph.Node, _ updates: [Update]) -> Bool {
    switch node.definition.review {
    case .never: return false
    case .always: return true
    case .when(let condition):
      var view = state
      view.apply(updates)
      if conjecture != nil { return supposes(condition, in: view) }
      let (holds, warning) = condition.evaluate { view[$0] }
      if let warning {
        pendingEvents.append(.warned("the guard `\(condition.source)` is false: \(warning)"))
      }
      return holds
    }
  }

  private mutating func count(_ updates: [Update], of node: Int, lane: Int) {
    state.apply(updates)
    guard graph.facts[node].kind == .shortTerm else { return }
    lanes[lane].noted += updates.filter { $0.value.string?.isEmpty == false }
  }

  /// What an operator's routes look at is about what it saw: of one that was left out this time, an
  /// earlier verdict is none about what there is now.
  private mutating func forgetVerdict(of node: Int) {
    let node = graph.nodes[node]
    for path in node.writes where !state[path].isNull {
      let decides = node.routes.contains { route in
        route.when?.reads.contains { $0.overlaps(path) } ?? false
      }
      if decides { state.write(.null, at: path) }
    }
  }

  /// Takes the first route that applies, or continues with the next operator.
  private mutating func takeFirstApplicableRoute(_ slot: Lane.Slot, lane: Int) {
    guard graph.facts[slot.node].mayLeave else { return lanes[lane].popFirst() }
    var usedUp: Graph.NodeRoute?
    for route in graph.nodes[slot.node].routes {
      guard holds(route.when) else { continue }
      guard take(route.bound) else {
        // One without a condition is only a repetition, which has come to its end.
        if route.when != nil { usedUp = usedUp ?? route }
        continue
      }
      let reason = route.when?.source ?? "then"
      if let way = wayBack(of: slot, by: route) { note(way) }
      lanes[lane].skipping = Set(route.skipping)
      lanes[lane].skipUntil = route.skipping.isEmpty ? nil : graph.nodes[slot.node].frame
      switch route.action {
      case .node(let target): jump(to: target, lane: lane, from: slot, reason: reason)
      case .frame(let target):
        move(from: slot, to: graph.frames[target].name, reason)
        lanes[lane].clear()
        go(to: target, in: lane)
      case .end:
        move(from: slot, to: "end", reason)
        lanes[lane].clear()
      case .review(let subject):
        let review = Lane.Review(subject: subject, pending: nil)
        lanes[lane].items[lanes[lane].head] = .run(slot.reviewing(review))
      }
      return
    }
    if let usedUp { pendingEvents.append(.objected(objection(of: slot, by: usedUp))) }
    lanes[lane].popFirst()
  }

  private func objection(of slot: Lane.Slot, by route: Graph.NodeRoute) -> RouteLimitReached {
    RouteLimitReached(
      step: slot.step, target: target(of: route), condition: route.when?.source ?? "",
      bound: route.bound?.atMost ?? 0, reasons: reasons(of: slot, for: route))
  }

  private func wayBack(of slot: Lane.Slot, by route: Graph.NodeRoute) -> SentBack? {
    let isBack =
      switch route.action {
      case .node(let node): node <= slot.node
      case .frame(let frame): frame <= graph.nodes[slot.node].frame
      case .end, .review: false
      }
    guard isBack else { return nil }
    return SentBack(
      from: slot.step.operatorName, to: target(of: route), reasons: reasons(of: slot, for: route),
      times: route.bound.map { taken[$0.counter] }, most: route.bound?.atMost)
  }

  private func target(of route: Graph.NodeRoute) -> String {
    switch route.action {
    case .node(let node): graph.nodes[node].definition.name
    case .frame(let frame): graph.frames[frame].name
    case .end, .review: "end"
    }
  }

  /// What the operator said, without what the route's condition looks at.
  private func reasons(of slot: Lane.Slot, for route: Graph.NodeRoute) -> [String] {
    let decisive = Set((route.when?.reads ?? []).map(\.description))
    var reasons: [String] = []
    for path in graph.nodes[slot.node].writes where !decisive.contains(path.description) {
      guard case .object(let object) = state[path] else {
        reasons += state[path].sentences
        continue
      }
      for (key, value) in object where !decisive.contains("\(path).\(key)") {
        reasons += value.sentences
      }
    }
    return Array(reasons.prefix(8))
  }

  private mutating func jump(to target: Int, lane: Int, from slot: Lane.Slot, reason: String) {
    let frame = graph.nodes[target].frame
    move(from: slot, to: graph.nodes[target].definition.name, reason)
    lanes[lane].clear()
    enter(frame, in: lane, from: graph.frames[frame].nodes.firstIndex(of: target) ?? 0)
  }

  private mutating func move(from slot: Lane.Slot, to target: String, _ reason: String) {
    pendingEvents.append(.moved(from: slot.step.operatorName, to: target, reason: reason))
  }

  // MARK: People

  /// A person has looked at what the operator at the head of the lane wrote, or led to.
  mutating func settle(_ review: Lane.Review, _ answer: HumanAnswer, lane: Int) {
    guard case .run(let slot) = lanes[lane].items[lanes[lane].head] else { return }
    if let pending = review.pending {
      switch answer.decision {
      case .approve:
        count(pending, of: slot.node, lane: lane)
        takeFirstApplicableRoute(slot, lane: lane)
      case .edit:
        count(pending, of: slot.node, lane: lane)
        replace(review.subject, with: answer.text)
        takeFirstApplicableRoute(slot, lane: lane)
      case .answer: misunderstood(answer)
      case .reject where graph.nodes[slot.node].definition.kind == .rule:
        // Rules would say the same again: whoever wrote what they were given has to do better.
        sendBack(answer, subject: review.subject, slot, lane: lane)
      case .reject:
        if refuse(answer) {
          var again = slot
          again.step.round += 1
          again.phase = .waiting
          lanes[lane].items[lanes[lane].head] = .run(again)
        }
      case .feedback:
        count(pending, of: slot.node, lane: lane)
        correct(answer, slot, lane: lane)
      }
    } else {
      decide(answer, on: review.subject, slot, lane: lane)
    }
  }

  /// Carries out a person's decision about a key of the state.
  private mutating func decide(
    _ answer: HumanAnswer, on subject: StatePath, _ slot: Lane.Slot, lane: Int
  ) {
    for write in graph.nodes[slot.node].definition.writes
    where graph.nodes[slot.node].definition.isReviewer {
      state.write(
        [
          "decision": .string(answer.decision.rawValue), "by": .string(answer.by),
          "reason": answer.decision == .edit ? .null : answer.text,
        ], at: StatePath(write.key))
    }
    switch answer.decision {
    case .approve: proceedAfterDecision(slot, lane: lane)
    case .edit:
      replace(subject, with: answer.text)
      proceedAfterDecision(slot, lane: lane)
    case .reject: sendBack(answer, subject: subject, slot, lane: lane)
    case .feedback: correct(answer, slot, lane: lane)
    case .answer: misunderstood(answer)
    }
  }

  /// Puts a person's text in the place of what was shown. The whole output is also what it was made
  /// of: beside the words of a person nothing is left of what they replaced.
  private mutating func replace(_ subject: StatePath, with value: Value) {
    let body = graph.outputParts.first { $0.heading == nil && $0.from != .output }
    // Where nothing writes the output itself it is its part, which may be written anew later.
    if subject != .output || body == nil
      || graph.nodes.contains(where: { $0.writes.contains(.output) })
    {
      state.write(value, at: subject)
    }
    guard subject == .output else { return }
    for part in graph.outputParts where part.from != .output {
      state.write(part == body ? value : .null, at: part.from)
    }
  }

  /// Back to whoever wrote it, with the reason; the end of the run without one.
  private mutating func sendBack(
    _ answer: HumanAnswer, subject: StatePath, _ slot: Lane.Slot, lane: Int
  ) {
    guard refuse(answer) else { return }
    guard let author = graph.author(of: subject), canReach(author, from: lane) else {
      status = .failed(denied(by: answer))
      return
    }
    jump(to: author, lane: lane, from: slot, reason: "sent back by \(answer.by)")
  }

  /// Journals check answers before they take them; this one was not checked.
  private mutating func misunderstood(_ answer: HumanAnswer) {
    status = .failed(
      Failure(
        .approval, "\(answer.by) gave an answer where a decision was asked for",
        suggestion: "run it again, and approve, edit or reject what is shown"))
  }

  /// A `human` operator's own routes count after its decision; a review's do not, as the review is
  /// one of them.
  private mutating func proceedAfterDecision(_ slot: Lane.Slot, lane: Int) {
    if graph.nodes[slot.node].definition.isReviewer {
      takeFirstApplicableRoute(slot, lane: lane)
    } else {
      lanes[lane].popFirst()
    }
  }

  private func canReach(_ node: Int, from lane: Int) -> Bool {
    let target = graph.frames[graph.nodes[node].frame]
    return lanes[lane].branchOf == nil && !target.isBranch
  }

  /// Keeps the reason for the operator that has to do better; false when the run ends here: without
  /// a reason there is nothing to do better.
  private mutating func refuse(_ answer: HumanAnswer) -> Bool {
    rejections += 1
    let reason = answer.text.promptText
    guard !reason.isEmpty, rejections <= RunMachine.mostRejections else {
      status = .failed(denied(by: answer))
      return false
    }
    addFeedback(reason)
    return true
  }

  private func denied(by answer: HumanAnswer) -> Failure {
    let reason = answer.text.promptText
    return Failure(
      .approval, "\(answer.by) rejected it" + (reason.isEmpty ? "" : ": \(reason)"),
      suggestion: "run it again with another input, or approve it next time")
  }

  private mutating func addFeedback(_ text: String) {
    let known = state["feedback"].string.map { $0 + "\n" } ?? ""
    state.write(.string(known + text), at: "feedback")
  }

  /// A correction re-enters at the short-term frame: it becomes a working note, and what from there
  /// on makes the answer runs again.
  private mutating func correct(_ answer: HumanAnswer, _ slot: Lane.Slot, lane: Int) {
    guard lanes[lane].branchOf == nil else {
      // A branch cannot leave its group: its operators run again with the correction.
      addFeedback(answer.text.promptText)
      let frame = graph.nodes[slot.node].frame
      move(from: slot, to: graph.frames[frame].name, "correction by \(answer.by)")
      lanes[lane].clear()
      enter(frame, in: lane)
      return
    }
    addFeedback(answer.text.promptText)
    notes.append("correction: \(answer.text.promptText)")
    move(from: slot, to: graph.frames[graph.reentry].name, "correction by \(answer.by)")
    lanes[lane].clear()
    enter(graph.reentry, in: lane, prelude: graph.reentryPrelude)
  }
}

extension Value {
  /// What it says, a line for each element of a list.
  fileprivate var sentences: [String] {
    switch self {
    case .string(let text): text.isBlank ? [] : [text.opening(300)]
    case .array(let elements): elements.flatMap(\.sentences)
    case .object(let object):
      [object.compactMap { $0.value.string }.joined(separator: ": ").opening(300)]
        .filter { !$0.isEmpty }
    default: []
    }
  }
}

extension Lane.Slot {
  fileprivate func reviewing(_ review: Lane.Review) -> Lane.Slot {
    var slot = self
    slot.phase = .reviewing(review, isAsked: false)
    return slot
  }
}

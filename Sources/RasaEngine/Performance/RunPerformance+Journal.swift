package import RasaCore
package import RasaLearning

extension RunPerformance {
  /// What a journal says of how a run went; nil where its beginning is missing.
  package init?(
    journal entries: [JournalEntry], of run: Identifier, status: Status, _ facts: PerformanceFacts,
    endedAt: Timestamp
  ) {
    let timeline = RunTimeline(entries)
    guard let start = timeline.start else { return nil }
    let writer = timeline.writer
    self.init(
      run: run, agent: start.persona, user: start.user.isEmpty ? nil : start.user,
      category: facts.category,
      complexity: facts.complexity, status: status, finish: timeline.finish(status, writer),
      day: facts.day, endedAt: endedAt)
    model = writer.map { "\($0.provider):\($0.model)" } ?? ""
    isMock = timeline.calls.contains { $0.isMock }
    temperature = facts.temperature
    firstTokenMilliseconds = facts.firstTokenMilliseconds
    milliseconds = timeline.workedMilliseconds
    weights = facts.weights.name
    for call in timeline.calls where call.isPaid {
      inputTokens &+= max(0, call.usage.input)
      outputTokens &+= max(0, call.usage.output)
      cost += call.cost
      isCostKnown = isCostKnown && call.isPriceKnown
    }
    nodes = timeline.nodes(startedAt: timeline.startedAt ?? endedAt)
  }
}

extension RunTimeline.Call {
  /// Whether it was paid for in this run.
  fileprivate var isPaid: Bool {
    if isHook || isTool { return false }
    if case .reused = outcome { return false }
    return true
  }

  fileprivate var milliseconds: Int64 {
    guard let endedAt else { return 0 }
    // A clock may have been set back meanwhile.
    return max(0, endedAt.milliseconds &- askedAt.milliseconds)
  }

  /// Why it failed, as a kind; nil where it did not.
  fileprivate var error: String? {
    switch outcome {
    case .answered: isError ? "tool" : nil
    case .reused: nil
    case .failed(let reason, _): reason
    case .uncertain: "uncertain"
    case .open: "open"
    }
  }
}

extension RunTimeline {
  /// The call that wrote the answer: the last one of the operator that wrote the draft or the output last; else the
  /// last answer of all.
  fileprivate var writer: Call? {
    func isAnswer(_ call: Call) -> Bool {
      if call.isHook || call.isTool { return false }
      switch call.outcome {
      case .answered, .reused: return true
      default: return false
      }
    }
    for pass in passes.reversed()
    where pass.updates.contains(where: { $0.path.key == "draft" || $0.path.key == "output" }) {
      if let call = pass.calls.last(where: isAnswer) { return call }
    }
    return calls.last(where: isAnswer)
  }

  fileprivate func finish(_ status: RunPerformance.Status, _ writer: Call?) -> String {
    switch status {
    case .cancelled: return "cancelled"
    case .failed:
      guard case .failed(let failure) = end else { return "failed" }
      return failure.kind.rawValue
    case .done:
      for pass in passes.reversed() {
        guard let cut = pass.notices.first(where: { $0.kind == .cut }) else { continue }
        return cut.facts["finish"]?.string ?? "length"
      }
      return "stop"
    }
  }

  /// The time in which the run was active, without that in which people were asked.
  fileprivate var workedMilliseconds: Int64 {
    var asked: [(from: Int64, to: Int64)] = []
    for question in passes.flatMap(\.questions) where !question.isInherited {
      guard let end = question.answeredAt ?? changedAt else { continue }
      asked.append((question.askedAt.milliseconds, end.milliseconds))
    }
    asked.sort { $0.from < $1.from }
    var waited: Int64 = 0
    var last = Int64.min
    for question in asked where question.to > max(last, question.from) {
      waited += question.to - max(last, question.from)
      last = question.to
    }
    return max(0, activeMilliseconds - min(waited, activeMilliseconds))
  }

  fileprivate func nodes(startedAt: Timestamp) -> [NodeUse] {
    var nodes: [NodeUse] = []
    for section in sections {
      let place = nodes.count
      var frame = NodeUse(.frame, section.frame.innermost)
      for pass in section.passes where !pass.isRule {
        var node = NodeUse(.operator, pass.step.operatorName)
        for call in pass.calls where !call.isHook {
          var use = NodeUse(
            call.isTool ? .tool : .model,
            call.isTool ? call.model : "\(call.provider):\(call.model)")
          use.milliseconds = call.milliseconds
          use.error = call.error
          if call.isPaid {
            use.tokens = max(0, call.usage.input) &+ max(0, call.usage.output)
            use.cost = call.cost
          }
          // Calls of one operator follow each other, but for tools that are used at the same time.
          node.milliseconds += use.milliseconds
          node.tokens &+= use.tokens
          node.cost += use.cost
          // One that was refused has no provider.
          if !call.model.isEmpty { nodes.append(use) }
        }
        node.error = pass.error ?? (pass.finished == nil ? pass.calls.last?.error ?? "open" : nil)
        frame.milliseconds += node.milliseconds
        frame.tokens &+= node.tokens
        frame.cost += node.cost
        if frame.error == nil { frame.error = node.error }
        nodes.append(node)
      }
      nodes.insert(frame, at: place)
    }
    return nodes
  }
}

extension RunTimeline.Pass {
  fileprivate var error: String? {
    for line in lines {
      if case .skipped = line { return "skipped" }
    }
    return nil
  }
}

extension String {
  /// Of a frame inside an agent, its own name.
  fileprivate var innermost: String {
    lastIndex(of: ">").map { String(self[index(after: $0)...]) } ?? self
  }
}

import RasaCore

extension Recording.Expectation {
  /// The end of a run, as its journal tells it.
  ///
  /// - Parameter walk: of the same journal.
  init(
    _ entries: [JournalEntry], _ walk: JournalFold, on graph: Graph, effects: [Recording.Effect]
  ) {
    self.init(
      state: ValueObject(
        (walk.state.value.object ?? ValueObject())
          .filter { !State.provided.contains($0.key) && $0.key != StatePath.output.key }
          .map { ($0.key, $0.value) }), path: graph.sequence(of: walk))
    let end = entries.last { ["run.finished", "run.failed", "run.parked"].contains($0.kind) }
    switch end?.kind {
    case "run.finished":
      status = .done
      output = end?.body["output"] ?? .null
    case "run.failed":
      status = .failed
      failure = end.map { Failure(journal: $0.body) }
      failure?.withdrawPlace()
    default: break
    }
    for case .call(let call) in effects {
      guard case .answer(let answer) = call.outcome else { continue }
      calls += 1
      cost += answer.cost
    }
  }

  /// Everything in which two runs part, the way before where it led.
  func differences(to found: Self) -> [Difference] {
    var differences: [Difference] = []
    if path != found.path { differences.append(.path(expected: path, found: found.path)) }
    for key in state.keys + found.state.keys.filter({ state[$0] == nil }) {
      let expected = state[key] ?? .null
      let value = found.state[key] ?? .null
      if expected != value {
        differences.append(.state(key: key, expected: expected, found: value))
      }
    }
    if output != found.output {
      differences.append(.output(expected: output, found: found.output))
    }
    if status != found.status {
      differences.append(.status(expected: status, found: found.status))
    }
    if failure?.kind != found.failure?.kind || failure?.message != found.failure?.message {
      differences.append(.failure(expected: failure, found: found.failure))
    }
    if calls != found.calls { differences.append(.calls(expected: calls, found: found.calls)) }
    if cost != found.cost { differences.append(.cost(expected: cost, found: found.cost)) }
    return differences
  }
}

extension Graph {
  /// The operators whose outcomes counted, in an order that does not tell which branch was faster.
  fileprivate func sequence(of walk: JournalFold) -> [Step] {
    var sequence: [Step] = []
    var side: [(branch: Int, step: Step)] = []
    func takeSide() {
      for branch in Set(side.map(\.branch)).sorted() {
        sequence += side.filter { $0.branch == branch }.map(\.step)
      }
      side = []
    }
    for stop in walk.stops where stop.outcome != nil {
      if let index = frameIndex(named: stop.step.frame), frames[index].isBranch {
        side.append((index, stop.step))
      } else {
        takeSide()
        sequence.append(stop.step)
      }
    }
    takeSide()
    return sequence
  }
}

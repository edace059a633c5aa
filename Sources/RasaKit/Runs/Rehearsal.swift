package import RasaCore
package import RasaEngine
package import RasaModels
import RasaPersona

/// Every call that a run may make, priced, without asking anyone.
package struct PricedRehearsal: Sendable {
  package struct Call: Sendable {
    package var call: RehearsedCall
    package var estimate: CallEstimate
    package var selection: SelectionReport?
  }

  package var calls: [Call] = []
  package var total = Money.zero
  /// Whether the price of every model is known.
  package var isComplete = true
  /// Whether every answer has a bound.
  package var isBounded = true
}

extension RunServices {
  package func rehearse(
    _ graph: Graph, _ plan: RunPlan, explains: Bool,
    onWarning: @escaping @Sendable (Warning) -> Void
  ) async throws -> PricedRehearsal {
    try warnOfHooks(of: graph, onWarning)
    let gate = try gate(plan.gate, onWarning: onWarning, onlyEstimates: true)
    let start = start(graph, plan)
    let options = RunOptions()
    let calls = graph.rehearse(
      start, profile: plan.gate.profile,
      context: try await graph.context(
        of: start, at: composition.time.now(), in: composition.time, options, store, gate),
      memories: try await graph.memories(of: start, store, at: composition.time.now()))
    var rehearsal = PricedRehearsal()
    for (call, cost) in zip(calls, try await gate.costs(of: calls)) {
      rehearsal.isComplete = rehearsal.isComplete && cost.estimate.isPriceKnown
      rehearsal.isBounded = rehearsal.isBounded && cost.estimate.isBounded
      rehearsal.total += cost.total
      let selection = explains ? try await gate.explain(call.request, for: call.context) : nil
      rehearsal.calls.append(
        PricedRehearsal.Call(
          call: try await gate.fitted(call), estimate: cost.estimate, selection: selection))
    }
    return rehearsal
  }
}

extension RunServices {
  /// Says which hooks a rehearsal leaves out that could change what is sent.
  func warnOfHooks(
    of graph: Graph, _ onWarning: @Sendable (Warning) -> Void
  ) throws(Failure) {
    var names: [String] = []
    for hook in graph.persona.hooks + (try composition.configuration().hooks)
    where hook.point != .runEnd {
      let name = "`\(hook.name)` at \(hook.point.rawValue)"
      if !names.contains(name) { names.append(name) }
    }
    guard !names.isEmpty else { return }
    onWarning(
      Warning(
        "no hook is asked here: \(names.joined(separator: ", ")) can change or refuse what a run sends"
      ))
  }
}

extension Gate {
  /// The call as it would be sent: without the turns for which the model that is asked first has no room.
  fileprivate func fitted(_ call: RehearsedCall) async throws -> RehearsedCall {
    var call = call
    call.request = try await fitted(call.request, for: call.context)
    return call
  }
}

package import RasaCore
package import RasaPersona

/// The path that a run took, derived from its journal and its persona without asking
/// anyone: for every operator in order, rules included, what it saw, what it asked
/// a model, and its outcome.
package struct JournalFold: Sendable {
  package struct Stop: Sendable {
    package var step: Step
    package var kind: OperatorKind
    package var view: State
    /// What a model was asked first; nil for operators that ask none.
    package var request: ModelRequest?
    /// Nil for one that was due when the journal ended.
    package var outcome: OperatorOutcome?
  }

  package private(set) var stops: [Stop] = []
  /// What the run knew in the end.
  package private(set) var state: State
  /// Why the walk ends before the journal does: a line that does not fit its persona.
  package private(set) var damage: Failure?

  /// - Parameters:
  ///   - graph: of the persona that the run was begun with.
  ///   - entries: its journal from the beginning, or as much of it as can be read.
  package init(_ graph: Graph, _ entries: some Collection<JournalEntry>) {
    var graph = graph
    graph.expectWrites(
      JournalFold.additions(to: graph, in: entries.lazy.compactMap { RunEvent(folding: $0) }))
    var machine = RunMachine(graph: graph)
    machine.committed = []
    do throws(Failure) {
      try machine.fold(entries)
    } catch {
      damage = error
    }
    state = machine.state
    var attachments: [Attachment] = []
    do throws(Failure) {
      attachments = try RunStart(recordedIn: entries)?.attachments ?? []
    } catch {
      damage = damage ?? error
    }
    for outcome in machine.committed ?? [] {
      stops.append(
        JournalFold.stop(
          graph, outcome.step, outcome.node, outcome.view, outcome.outcome, attachments))
    }
    for invocation in machine.pending() {
      stops.append(
        JournalFold.stop(
          graph, invocation.step, invocation.node, invocation.view, nil, attachments))
    }
  }

  private static func stop(
    _ graph: Graph, _ step: Step, _ node: Int, _ view: State, _ outcome: OperatorOutcome?,
    _ attachments: [Attachment]
  ) -> Stop {
    let definition = graph.nodes[node].definition
    var stop = Stop(step: step, kind: definition.kind, view: view, outcome: outcome)
    if definition.kind == .llm {
      stop.request = Prompt.request(
        for: definition, view: view, kind: graph.frames[graph.nodes[node].frame].kind,
        system: graph.systemMessage(view), attachments: attachments)
    }
    return stop
  }

  /// What steps wrote beyond what their operators declare, as a fork's changes are.
  private static func additions(to graph: Graph, in events: some Sequence<RunEvent>) -> [Step:
    [Update]]
  {
    var additions: [Step: [Update]] = [:]
    for case .operatorFinished(let step, .wrote(let updates)) in events where !step.isInside {
      let declared = graph.nodes.filter { $0.definition.name == step.operatorName }
        .flatMap(\.writes)
      let more = updates.filter { update in !declared.contains { $0.overlaps(update.path) } }
      if !more.isEmpty { additions[step, default: []] += more }
    }
    return additions
  }
}

/// An outcome at the moment it counted, and the state before.
struct CommittedOutcome: Sendable {
  var step: Step
  var node: Int
  var view: State
  var outcome: OperatorOutcome
}

package import RasaCore
package import RasaEngine
package import RasaModels
import RasaPersona
import RasaStore

/// A new run that takes over what another one has had.
package struct ForkPlan: Sendable {
  package var origin: Identifier
  /// The last line of its journal that is taken over; nil for all of them.
  package var sequence: Int?
  package var changes = ValueObject()
  /// Another persona, by name or path; nil for the one that the run keeps.
  package var persona: String?
  package var input: String?
  /// Added to those of the origin.
  package var preferences = ValueObject()

  package init(origin: Identifier) { self.origin = origin }
}

/// A fork that is ready to begin.
package struct PreparedFork: Sendable {
  package var graph: Graph
  package var start: RunStart
  package var origin: Origin
  /// The plan with what the origin has kept.
  package var plan: RunPlan
}

/// What a fork takes over, and what the rest of it costs at most.
package struct ForkCost: Sendable {
  package var forecast: Forecast
  package var calls = 0
  package var most = Money.zero
  package var isPriced = true
}

extension RunServices {
  package func prepare(_ fork: ForkPlan, _ plan: RunPlan) async throws -> PreparedFork {
    guard let found = try await store.run(fork.origin.text) else {
      throw Failure(
        .usage, "there is no run \(fork.origin)", suggestion: "`rasa runs list` shows them")
    }
    let reading = try await store.journal(of: found.record.id)
    let history = RunHistory(record: found.record, entries: reading.entries)
    if let damage = reading.damage, (fork.sequence ?? .max) > reading.entries.count { throw damage }
    guard let origin = try Origin(history, upTo: fork.sequence) else {
      throw Failure(.storage, "the journal of \(found.record.id) does not begin with its start")
    }
    if let sequence = fork.sequence, sequence < 1 || sequence > reading.entries.count {
      throw Failure(
        .usage, "\(found.record.id) has no line \(sequence)",
        suggestion:
          "`rasa runs events \(found.record.id)` numbers its \(reading.entries.count) lines")
    }
    let composition = composition.narrowed(asFor: origin.start)
    let graph =
      try fork.persona.map { name throws(Failure) in try composition.graph(name) }
      ?? self.graph(forFork: history, composition)
    for (key, value) in fork.changes { try graph.checkChange(of: StatePath(key), to: value) }
    let plan = plan.goingOn(with: origin.start.options)
    var start = start(graph, plan)
    start.input = fork.input ?? origin.start.input
    start.attachments = origin.start.attachments
    start.preferences = origin.start.preferences
    for (key, value) in fork.preferences { start.preferences[key] = value }
    if plan.user == nil { start.user = origin.start.user }
    start.fork = ForkPoint(
      run: found.record.id, sequence: fork.sequence, changes: fork.changes)
    return PreparedFork(graph: graph, start: start, origin: origin, plan: plan)
  }

  /// Finds out what is taken over and prices the rest, without asking anyone.
  package func cost(
    of fork: PreparedFork, people: any ApprovalHandler,
    onWarning: @escaping @Sendable (Warning) -> Void,
    onSelection: (@Sendable (SelectionReport) -> Void)? = nil
  ) async throws -> ForkCost {
    try warnOfHooks(of: fork.graph, onWarning)
    let runner = try runner(
      fork.plan, people: people, onWarning: onWarning, onSelection: onSelection,
      onlyEstimates: true)
    let forecast = try await runner.forecast(fork.graph, fork.start, inheriting: fork.origin)
    let gate = try gate(fork.plan.gate, onWarning: { _ in }, onlyEstimates: true)
    var cost = ForkCost(forecast: forecast)
    for (call, price) in zip(
      forecast.rest, try await gate.costs(of: forecast.rest, among: forecast.all))
    {
      cost.isPriced = cost.isPriced && price.estimate.isPriceKnown
      cost.calls += call.most
      cost.most += price.total
    }
    return cost
  }

  /// The persona as it is now, when it is here; else as the run keeps it.
  private func graph(forFork history: RunHistory, _ composition: CompositionRoot) throws(Failure)
    -> Graph
  {
    let kept = history.entries.first { $0.kind == "persona.pinned" }
    guard let pinned = kept.flatMap({ PinnedFiles($0.body) }) else {
      return try composition.graph(history.record.persona)
    }
    guard composition.changes(since: pinned).isEmpty else {
      let path = pinned.persona(named: history.record.persona)?.path ?? ""
      return try composition.graph(path.hasBytePrefix("/") ? path : history.record.persona)
    }
    return try Graph.compile(
      pinned, named: history.record.persona, engines: composition.library.engines,
      under: composition.library)
  }
}

extension Graph {
  /// A value that its operator could not have written leads nowhere: no guard knows the word, and the
  /// fork would seem to have had its way.
  func checkChange(of path: StatePath, to value: Value) throws(Failure) {
    for node in nodes {
      let definition = node.definition
      guard let output = definition.output,
        definition.writes.contains(where: { $0.key == path.key })
      else { continue }
      // One key takes the whole answer, several take the members of their names.
      var schema = definition.writes.count == 1 ? output : output["properties"][path.key]
      for name in path.components.dropFirst() {
        let members = schema["properties"].object
        guard members?[name] == nil, let members, schema["additionalProperties"] == false else {
          schema = schema["properties"][name]
          continue
        }
        throw Failure(
          .usage, "`\(definition.name)` writes no \(quoted(path.description))",
          suggestion:
            "\(nearestName(to: name, among: members.keys).map { "did you mean `\($0)`? " } ?? "")"
            + "`\(path.key)` has \(listed(members.keys.map { "`\($0)`" }, "and"))")
      }
      guard let words = schema["enum"].array, !words.contains(value) else { continue }
      let known = words.map(\.promptText)
      throw Failure(
        .usage, "\(quoted(path.description)) cannot be \(quoted(value.promptText))",
        suggestion: (nearestName(to: value.promptText, among: known).map {
          "did you mean `\($0)`? "
        }
          ?? "")
          + "`\(definition.name)` writes \(listed(known.map { "`\($0)`" }, "or")) there")
    }
  }
}

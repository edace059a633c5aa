import RasaCore
import RasaEngine
import RasaKit
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem

/// A new run that takes over what another one has had.
struct ForkPlan: Sendable {
  var origin: Identifier
  /// The last line of its journal that is taken over; nil for all of them.
  var sequence: Int?
  var changes = ValueObject()
  /// Another persona, by name or path; nil for the one that the run keeps.
  var persona: String?
  var input: String?
  /// Added to those of the origin.
  var preferences = ValueObject()
}

extension Workshop {
  /// Says what is taken over and what the rest can cost, and then runs it.
  func fork(
    _ plan: ForkPlan, _ settings: RunSettings, at stand: Stand, isDryRun: Bool = false
  ) async throws -> RunResult? {
    guard let found = try await store.run(plan.origin.text) else {
      throw Failure(
        .usage, "there is no run \(plan.origin)", mend: "`rasa runs list` shows them")
    }
    let reading = try await store.journal(of: found.record.id)
    let history = RunHistory(record: found.record, entries: reading.entries)
    if let damage = reading.damage, (plan.sequence ?? .max) > reading.entries.count { throw damage }
    guard let origin = try Origin(history, upTo: plan.sequence) else {
      throw Failure(.storage, "the journal of \(found.record.id) does not begin with its start")
    }
    if let sequence = plan.sequence, sequence < 1 || sequence > reading.entries.count {
      throw Failure(
        .usage, "\(found.record.id) has no line \(sequence)",
        mend: "`rasa runs events \(found.record.id)` numbers its \(reading.entries.count) lines")
    }
    let house = house.narrowed(asFor: origin.start)
    let graph: Graph
    if let persona = plan.persona {
      graph = try house.graph(persona)
    } else {
      graph = try self.graph(forFork: history, house)
    }
    for (key, value) in plan.changes { try graph.checkChange(of: StatePath(key), to: value) }
    if !isDryRun { try await house.settleTrust() }
    let settings = settings.goingOn(with: origin.start.options)
    var start = start(graph, settings)
    start.input = plan.input ?? origin.start.input
    start.attachments = origin.start.attachments
    start.preferences = origin.start.preferences
    for (key, value) in plan.preferences { start.preferences[key] = value }
    if settings.user == nil { start.user = origin.start.user }
    start.fork = ForkPoint(
      run: found.record.id, sequence: plan.sequence, changes: plan.changes)
    let runner = try runner(settings, at: stand, onlyEstimates: true)
    let forecast = try await runner.forecast(graph, start, inheriting: origin)
    try await tell(forecast, of: found.record.id, settings, at: stand, isDryRun: isDryRun)
    if isDryRun { return nil }
    let begin = start
    return try await show(start.run, settings, at: stand) { runner, observer in
      try await runner.run(graph, begin, inheriting: origin, observer: observer)
    }
  }

  /// The persona as it is now, when it is here; else as the run keeps it.
  private func graph(forFork history: RunHistory, _ house: House) throws(Failure) -> Graph {
    let kept = history.entries.first { $0.kind == "persona.pinned" }
    guard let pinned = kept.flatMap({ PinnedFiles($0.body) }) else {
      return try house.graph(history.record.persona)
    }
    guard house.changes(since: pinned).isEmpty else {
      let path = pinned.persona(named: history.record.persona)?.path ?? ""
      return try house.graph(path.hasBytePrefix("/") ? path : history.record.persona)
    }
    return try Graph.compile(
      pinned, named: history.record.persona, engines: house.library.engines, under: house.library)
  }

  private func tell(
    _ forecast: Forecast, of origin: Identifier, _ settings: RunSettings, at stand: Stand,
    isDryRun: Bool
  ) async throws {
    let gate = try house.gate(
      ledger: store, history: store, client: client, options: settings.gate, onWarning: { _ in },
      onlyEstimates: true)
    var most = Money.zero
    var calls = 0
    var isPriced = true
    let costs = try await gate.costs(of: forecast.rest, among: forecast.all)
    for (call, cost) in zip(forecast.rest, costs) {
      isPriced = isPriced && cost.estimate.isPriceKnown
      calls += call.most
      most += cost.total
    }
    let taken = "\(forecast.reused) \(forecast.reused == 1 ? "call" : "calls")"
    if settings.format == .text || !isDryRun {
      guard isDryRun || !settings.isQuiet else { return }
      let rest =
        forecast.isComplete
        ? "no calls are left"
        : "the rest is at most \(calls) \(calls == 1 ? "call" : "calls") and "
          + "\(isPriced ? "" : "(where prices are known) ")\(most)"
      let line = "reuses \(taken) of \(origin) (saves \(forecast.saved)); \(rest)\n"
      try (isDryRun ? house.output : house.errors).write(line)
    } else {
      let value: Value = [
        "fork_of": .string(origin.text), "reused_calls": .int(Int64(forecast.reused)),
        "reused_cost_usd": .string(forecast.saved.decimalText), "most_calls": .int(Int64(calls)),
        "most_cost_usd": .string(most.decimalText), "prices_known": .bool(isPriced),
        "asks": .array(forecast.rest.map { .string($0.operatorName) }),
      ]
      try house.output.write(settings.format.text(of: value))
    }
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
          mend:
            "\(nearestName(to: name, among: members.keys).map { "did you mean `\($0)`? " } ?? "")"
            + "`\(path.key)` has \(listed(members.keys.map { "`\($0)`" }, "and"))")
      }
      guard let words = schema["enum"].array, !words.contains(value) else { continue }
      let known = words.map(\.promptText)
      throw Failure(
        .usage, "\(quoted(path.description)) cannot be \(quoted(value.promptText))",
        mend: (nearestName(to: value.promptText, among: known).map { "did you mean `\($0)`? " }
          ?? "")
          + "`\(definition.name)` writes \(listed(known.map { "`\($0)`" }, "or")) there")
    }
  }
}

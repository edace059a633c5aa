package import RasaCore
import RasaPersona

extension Recording {
  /// Makes a recording of a run, at its end or wherever it stands.
  ///
  /// What is expected is what the journal tells. The prompts, which a journal has only as digests,
  /// come from going through the run once more.
  ///
  /// - Parameters:
  ///   - entries: the run's journal from its beginning.
  ///   - graph: of the persona that the run was begun with.
  ///   - options: how the run was asked for, by the name of the option.
  /// - Returns: the recording, and where going through the run once more did not come to the same.
  package static func make(
    of entries: [JournalEntry], on graph: Graph, options: ValueObject = ValueObject()
  ) async throws -> (recording: Recording, differences: [Difference]) {
    let facts = try JournalFacts(entries)
    let walk = JournalFold(graph, entries)
    if let damage = walk.damage { throw damage }
    var draft = Recording(
      start: facts.start, startedAt: facts.startedAt, options: options, context: facts.context,
      changes: facts.changes, effects: facts.effects,
      expected: Expectation(entries, walk, on: graph, effects: []),
      files: PinnedFiles(graph.pinned) ?? PinnedFiles())
    // Where the other run was left does not matter any more: what was taken over is in the effects.
    draft.start.fork?.sequence = nil
    var replay = Replay(draft, on: graph)
    replay.rank = facts.rank
    replay.fallback = facts.outcome
    let replayed = try await replay.run()
    draft.effects = replayed.observed.effects
    let hasEnded = draft.expected.status != .parked
    // How far a run came that has not ended does not depend on which lines were written in time.
    if !hasEnded { draft.expected = replayed.observed.expected }
    draft.expected.calls = replayed.observed.expected.calls
    draft.expected.cost = replayed.observed.expected.cost
    // What was cut off when the run ended has had no influence on it, and is left out.
    let differences = replayed.differences.filter { difference in
      switch difference {
      case .calls, .cost: false
      case .missingCall(let key), .missingQuestion(let key): facts.isFinished(key)
      case .path, .state, .output, .status, .failure: hasEnded
      default: true
      }
    }
    return (draft, differences)
  }

  /// The persona that a run was begun with: the copy that its journal keeps, else the one that stands
  /// in the library now if it is the same.
  ///
  /// - Parameter current: compiles a persona of the library.
  package static func graph(
    of entries: [JournalEntry], current: (String) throws(Failure) -> Graph
  ) throws(Failure) -> Graph {
    guard let first = entries.first, case .started(let start) = RunEvent(folding: first) else {
      throw JournalFacts.noStart
    }
    if let pinned = entries.first(where: { $0.kind == "persona.pinned" })?.body,
      let files = PinnedFiles(pinned)
    {
      return try Graph.compile(files, named: start.persona, isOnlyRead: true)
    }
    let graph = try current(start.persona)
    guard graph.digest == start.personaDigest else {
      throw Failure(
        .configuration,
        "the run \(start.run) keeps no copy of its persona, and `\(start.persona)` has changed "
          + "since", suggestion: "ask again with `rasa run --record FILE`")
    }
    return graph
  }
}

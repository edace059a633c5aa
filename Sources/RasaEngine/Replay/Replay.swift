package import RasaCore
import RasaPersona

/// Goes through a recorded run again: the persona is really run, with every guard, prompt, check,
/// repair and route, and everything from outside is as it was recorded. Nobody is asked.
///
/// One operator runs at a time, in the order in which their outcomes counted, so that the same
/// recording gives the same result each time; what operators mean does not depend on it.
package struct Replay: Sendable {
  let recording: Recording
  let graph: Graph
  /// Of several operators that are due, the one with the lowest number runs first.
  var rank: @Sendable (Step) -> Int
  /// What becomes of calls, questions and memories that are not in the recording; without an outcome
  /// they are a difference.
  var fallback: @Sendable (EffectKey) -> Recording.Call.Outcome? = { _ in nil }

  /// - Parameter graph: of the persona as it stands now, or as it was.
  package init(_ recording: Recording, on graph: Graph) {
    self.recording = recording
    self.graph = graph
    rank = recording.rank
  }

  /// Throws only when it is cancelled, or when the observer does.
  package func run(observer: @escaping RunObserver = { _ in }) async throws -> Replayed {
    let environment = ReplayEnvironment(recording, fallback: fallback)
    let journal = DiscardingJournal()
    var outside = RunDependencies(
      gate: environment, journal: journal, memory: environment, approvalHandler: environment,
      time: environment.time)
    outside.tools = environment
    outside.hooks = environment
    outside.policy = environment
    let runner = Runner(
      outside,
      options: RunOptions(
        profile: recording.options["profile"]?.string.flatMap { PerformanceProfile(rawValue: $0) },
        rank: rank))
    var result: RunResult?
    var failure: Failure?
    do {
      result = try await runner.run(graph, start, inheriting: origin) { progress in
        environment.see(progress)
        try await observer(progress)
      }
    } catch let known as Failure {
      try Task.checkCancellation()
      failure = known
    }
    let found = journal.contents
    var observed = recording
    observed.start.personaDigest = graph.digest
    observed.effects = environment.asked
    observed.expected = Recording.Expectation(
      found.entries, JournalFold(graph, found.entries), on: graph, effects: environment.asked)
    if let files = PinnedFiles(graph.pinned) { observed.files = files }
    return Replayed(
      differences: environment.differences + environment.unasked(in: recording)
        + recording.expected.differences(to: observed.expected),
      observed: observed, result: result, failure: failure)
  }

  /// The run as it is begun again.
  package var start: RunStart {
    var start = recording.start
    start.personaDigest = graph.digest
    return start
  }

  /// The context, what was recalled, and what a fork changed, as if it came from a run before.
  private var origin: Origin {
    var entries: [JournalEntry] = []
    for case .recall(let recalled) in recording.effects {
      guard let memories = recalled.memories else { continue }
      let finished = RunEvent.operatorFinished(
        recalled.step, .wrote([Update(.memories, memories)]))
      entries.append(finished.entry(of: start.run, at: recording.startedAt))
    }
    var changes: [Step: [Update]] = [:]
    for change in recording.changes {
      guard let step = change.after else { continue }
      changes[step, default: []].append(Update(StatePath(change.key), change.value))
    }
    return Origin(
      start: start, effects: EffectLog(entries),
      context: recording.context.isNull ? nil : recording.context, changes: changes)
  }
}

/// The result of a replay.
package struct Replayed: Sendable {
  package var differences: [Difference]
  /// The recording that this replay would have made.
  package var observed: Recording
  /// Nil when the run failed.
  package var result: RunResult?
  package var failure: Failure?

  /// Whether every call and question had a recorded answer, so that the recording can be brought up
  /// to date by what was observed.
  package var isComplete: Bool {
    !differences.contains { difference in
      switch difference {
      case .newCall, .newQuestion, .newRecall: true
      default: false
      }
    }
  }
}

extension Recording {
  /// Passes in the order of their last effects; one without any is nobody's business and goes first.
  var rank: @Sendable (Step) -> Int {
    var places: [Step: Int] = [:]
    for (index, effect) in effects.enumerated() {
      var step = effect.step
      places[step] = index
      // A question may be the operator's own or a review of what it wrote.
      if effect.isQuestion {
        step.isReview = true
        places[step] = index
      }
      while let outer = step.outer {
        places[outer] = index
        step = outer
      }
    }
    return { [places] step in places[step] ?? -1 }
  }
}

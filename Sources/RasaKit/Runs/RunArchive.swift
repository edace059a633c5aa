package import RasaCore
package import RasaEngine
import RasaPersona
package import RasaStore

/// Finds runs and reads what is known of them.
package struct RunArchive: Sendable {
  package let composition: CompositionRoot
  package let store: any RunStore

  package init(composition: CompositionRoot, store: any RunStore) {
    self.composition = composition
    self.store = store
  }

  /// A run with how it stands.
  package struct Found: Sendable {
    package var run: RunListing
    package var condition: RunCondition
    package var id: Identifier { run.record.id }
  }

  /// A run as its journal tells it, as far as it can be read.
  package struct Account: Sendable {
    package var found: Found
    package var entries: [JournalEntry]
    package var damage: Failure?
    package var timeline: RunTimeline
    /// Nil when the run keeps no copy of its persona that can be used.
    package var walk: JournalFold?
    /// Why there is no walk, so that the rules are missing from the timeline.
    package var walkProblem: Failure?
  }

  package func find(_ idOrPrefix: String) async throws -> Found {
    guard let run = try await store.run(idOrPrefix) else {
      let known = try await store.runs(RunFilter(limit: 200)).map(\.record.id.text)
      let hint = nearestName(to: idOrPrefix, among: known).map { "did you mean `\($0)`? " } ?? ""
      throw Failure(
        .usage, "there is no run \(quoted(idOrPrefix))",
        suggestion: hint + "`rasa runs list` shows them")
    }
    return try await found(run)
  }

  /// The question of that ID, or of the one ID that begins so.
  package func approval(_ idOrPrefix: String) async throws -> Approval {
    if let approval = try await store.approval(idOrPrefix) { return approval }
    let known = try await store.approvals(ApprovalFilter(onlyPending: false), limit: 200).map(\.id)
    let hint = nearestName(to: idOrPrefix, among: known).map { "did you mean `\($0)`? " } ?? ""
    throw Failure(
      .usage, "there is no approval \(quoted(idOrPrefix))",
      suggestion: hint + "`rasa approvals list` shows what is waiting")
  }

  package func found(_ run: RunListing) async throws -> Found {
    var reason: Parking.Reason? = nil
    if run.record.status == .parked, run.waiting == 0 { reason = try await parkingReason(of: run) }
    return Found(run: run, condition: RunCondition(run, parkedFor: reason))
  }

  /// The last lines say why it was parked; nil when they cannot be read.
  private func parkingReason(of run: RunListing) async throws -> Parking.Reason? {
    let reading = try await store.journal(of: run.record.id, after: max(0, run.lines - 4))
    let parked = reading.entries.last { $0.kind == "run.parked" }
    return parked?.body["reason"].string.flatMap(Parking.Reason.init(rawValue:))
  }

  /// The owners of runs that rasa starts by itself: embedding memories and questions, summarising conversations, and
  /// judging answers.
  package static let internalOwners: Set<String> = [
    EmbeddingMatcher.owner, ConversationSummariser.persona, Evaluator.persona,
  ]

  /// The newest runs of these conditions, all when none is named.
  package func list(
    session: String? = nil, persona: String? = nil, user: String? = nil,
    includesInternal: Bool = true, conditions: Set<RunCondition> = [],
    limit: Int
  ) async throws -> [Found] {
    let statuses = Set(conditions.map(\.status))
    // The store does not distinguish all conditions; that is done here, so it is asked for more.
    let isExact =
      conditions.isEmpty
      || conditions.allSatisfy { condition in
        Set(RunCondition.allCases.filter { $0.status == condition.status }).isSubset(of: conditions)
      }
    let runs = try await store.runs(
      RunFilter(
        session: session, user: user, persona: persona,
        exceptOwners: includesInternal ? [] : Self.internalOwners, status: statuses,
        limit: isExact ? limit : 100_000))
    var found: [Found] = []
    for run in runs {
      let one = try await self.found(run)
      guard conditions.isEmpty || conditions.contains(one.condition) else { continue }
      found.append(one)
      if found.count == limit { break }
    }
    return found
  }

  package func account(of found: Found) async throws -> Account {
    let reading = try await store.journal(of: found.id)
    var timeline = RunTimeline(reading.entries)
    do throws(Failure) {
      let walk = try walk(reading.entries)
      timeline.add(walk)
      return Account(
        found: found, entries: reading.entries, damage: reading.damage ?? walk.damage,
        timeline: timeline, walk: walk)
    } catch {
      return Account(
        found: found, entries: reading.entries, damage: reading.damage, timeline: timeline,
        walkProblem: error)
    }
  }

  /// The steps of the run, by the persona that it keeps.
  private func walk(_ entries: [JournalEntry]) throws(Failure) -> JournalFold {
    guard let kept = entries.first(where: { $0.kind == "persona.pinned" }),
      let pinned = PinnedFiles(kept.body),
      let name = entries.first?.body["persona"].string
    else { throw Failure(.storage, "the run keeps no copy of its persona") }
    let graph = try Graph.compile(
      pinned, named: name, engines: composition.library.engines, isOnlyRead: true)
    return JournalFold(graph, entries)
  }
}

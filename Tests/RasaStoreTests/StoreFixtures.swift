import RasaCore
import RasaEngine
import RasaTestKit
import Testing

@testable import RasaStore

/// The two stores, which must not be told apart.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
  case sqlite, memory
  var testDescription: String { rawValue }
}

extension RunStore {
  func record(of run: Identifier) async throws -> RunRecord? {
    try await self.run(run.text)?.record
  }
}

/// Time that stands still until it is moved.
final class FixedTime: Sendable {
  private let milliseconds: Locked<Int64>
  init(_ milliseconds: Int64 = 1_700_000_000_000) { self.milliseconds = Locked(milliseconds) }

  var now: Timestamp { Timestamp(milliseconds: milliseconds.withLock { $0 }) }
  func pass(seconds: Int64) { milliseconds.withLock { $0 += seconds * 1000 } }

  var source: TimeSource { source(keeping: nil) }

  /// - Parameter folder: stays for as long as somebody has the source.
  func source(keeping folder: ScratchDirectory?) -> TimeSource {
    TimeSource(
      now: { withExtendedLifetime(folder) { self.now } },
      localDay: { _ in LocalDay(year: 2023, month: 11, day: 14) },
      monotonic: { 0 }, sleep: { _ in })
  }
}

/// A store of the kind in a place of its own, which further workers can open. A further kind of store
/// is a case of `StoreKind` and one here, and every suite that takes a kind is its conformance suite.
struct Fixture {
  /// In seconds; long enough for nothing to be renewed by itself during a test.
  static let lease: Int64 = 3600

  let folder = ScratchDirectory()
  let time = FixedTime()
  let store: any RunStore

  init(_ kind: StoreKind, owner: String? = nil) {
    switch kind {
    case .sqlite:
      store = openStore(
        at: folder.file("rasa.db"), time: time.source(keeping: folder), owner: owner,
        lease: .seconds(Self.lease))
    case .memory:
      store = MemoryRunStore(
        sharing: nil, time: time.source, owner: owner ?? "this process",
        lease: .seconds(Self.lease))
    }
  }

  /// A worker that has a run of that name, in which it may hold money, and is not heard of any more
  /// once `lapse` has been called.
  func gone(with run: String) async throws -> any RunStore {
    let gone = another("gone")
    gone.open(record(run), [entry(run, "started")])
    try await gone.append([])
    try await gone.append([entry(run, "a")])
    return gone
  }

  func lapse() { time.pass(seconds: Self.lease + 1) }

  /// Another worker on the same store.
  func another(_ owner: String) -> any RunStore {
    if let store = store as? MemoryRunStore {
      return MemoryRunStore(
        sharing: store, time: time.source, owner: owner, lease: .seconds(Self.lease))
    }
    return openStore(
      at: folder.file("rasa.db"), time: time.source, owner: owner, lease: .seconds(Self.lease))
  }
}

func record(
  _ id: String, session: String? = nil, persona: String = "analyst", at time: Int64 = 1000
) -> RunRecord {
  RunRecord(
    id: Identifier(id), session: session, persona: persona, personaDigest: "d1", user: "ann",
    input: "What about AMD?", startedAt: Timestamp(milliseconds: time))
}

func entry(_ run: String, _ kind: String, _ body: Value = .null, key: String? = nil) -> JournalEntry
{
  JournalEntry(
    run: Identifier(run), time: Timestamp(milliseconds: 5), kind: kind, key: key, body: body)
}

func turn(_ session: SessionID, _ run: String, at time: Int64 = 10) -> SessionTurn {
  SessionTurn(
    session: session, run: Identifier(run), time: Timestamp(milliseconds: time),
    input: "in \(run)", output: "out \(run)")
}

func note(_ session: SessionID, _ text: String, at time: Timestamp) -> WorkingNote {
  WorkingNote(session: session, run: "r", time: time, text: text)
}

func fact(
  _ text: String, persona: String = "analyst", user: String = "ann", run: String = "r1",
  at time: Int64 = 10, trust: MemoryTrust = .person
) -> NewFact {
  NewFact(
    user: user, persona: persona, text: text, run: Identifier(run),
    time: Timestamp(milliseconds: time), trust: trust)
}

/// Whose facts are meant; nil for everybody's.
struct FactOwner {
  var persona: String?
  var user: String?

  var filter: MemoryFilter { MemoryFilter(user: user, persona: persona, kinds: [.fact]) }
}

extension RunStore {
  /// The newest facts that hold, newest first.
  func facts(of owner: FactOwner = FactOwner(), limit: Int = 99) async throws -> [MemoryItem] {
    try await items(owner.filter, before: nil, limit: limit)
  }

  /// The facts that fit best, best first.
  func facts(of owner: FactOwner, about query: String, limit: Int = 9) async throws -> [MemoryItem]
  {
    try await search(
      MemoryQuery(
        text: query, kinds: [.fact], user: owner.user, persona: owner.persona, limit: limit)
    ).map(\.item)
  }

  func forgetAll(of owner: FactOwner) async throws -> Int {
    try await forgetItems(owner.filter).facts
  }
}

func request(
  _ id: String, _ amount: Int64, _ legs: [BudgetLeg], run: String = "r1",
  persona: String = "analyst", operatorName: String = "respond", provider: String = "openai",
  model: String = "m", price: String = "2023-11", day: LocalDay = november(14)
) -> ReservationRequest {
  ReservationRequest(
    id: Identifier(id), run: Identifier(run),
    key: EffectKey(frame: "session", visit: 1, operatorName: operatorName, label: "call"),
    persona: persona, operatorName: operatorName, provider: provider, model: model, price: price,
    day: day, amount: Money(picoDollars: amount), legs: legs)
}

func november(_ day: Int) -> LocalDay { LocalDay(year: 2023, month: 11, day: day) }

func settlement(
  _ id: String, _ actual: Int64, outcome: Settlement.Outcome = .answered,
  observation: ModelObservation? = nil
) -> Settlement {
  Settlement(
    reservation: Identifier(id), actual: Money(picoDollars: actual),
    usage: Usage(input: 10, output: 20, cachedInput: 5, cacheWrites: 3, reasoning: 2),
    outcome: outcome, observation: observation)
}

func leg(_ run: String, _ limit: Int64?) -> BudgetLeg {
  BudgetLeg(
    scope: .execution(Identifier(run)), limit: limit.map { Money(picoDollars: $0) })
}

func dayLeg(_ owner: String, _ day: Int, _ limit: Int64?) -> BudgetLeg {
  BudgetLeg(
    scope: .day(owner: owner, november(day)),
    limit: limit.map { Money(picoDollars: $0) })
}

func monthLeg(_ owner: String, _ limit: Int64?) -> BudgetLeg {
  BudgetLeg(
    scope: .month(owner: owner, "2023-11"), limit: limit.map { Money(picoDollars: $0) })
}

extension Balance {
  init(_ settled: Int64, held: Int64) {
    self.init(settled: Money(picoDollars: settled), held: Money(picoDollars: held))
  }
}

/// Ann's, as the runs of the fixtures are.
extension SessionID: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) { self.init(value, of: "ann") }
}

extension Identifier: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) { self.init(value) }
}

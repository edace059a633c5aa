import RasaCore
import RasaEngine
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

@Suite struct `Every memory of models` {
  private static let key = ModelKey(provider: "openai", account: "ab12", model: "m")

  private static func answered(
    _ key: ModelKey = key, at time: Int64, kind: TextKind = .prose, tokens: Int64 = 30
  ) -> ModelObservation {
    ModelObservation(
      key: key, time: Timestamp(milliseconds: time), outcome: .answered,
      firstContent: time * 1000, tokensPerSecond: Double(time) / 3,
      counted: (kind, 100, 40, tokens),
      output: ModelObservation.Output(
        operatorName: "o'neil\"; -- \(kind)", tokens: tokens, isWhole: time % 20 == 10),
      overrun: tokens == .max ? tokens : time * 100)
  }

  private static func failed(_ key: ModelKey = key, at time: Int64) -> ModelObservation {
    ModelObservation(
      key: key, time: Timestamp(milliseconds: time),
      outcome: .failed(reason: "429: o'neil\"; --", until: Timestamp(milliseconds: time + 60)))
  }

  @Test(arguments: StoreKind.allCases)
  func `keeps what the rules make of observations`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    #expect(try await store.standings().isEmpty)
    let whole = ModelKey(provider: "openai", account: "ab12", model: "")
    let other = ModelKey(provider: "gemini", model: "flash")
    let observations = [
      Self.answered(at: 10), Self.answered(at: 30, kind: .dense, tokens: 50), Self.failed(at: 40),
      Self.failed(at: 50), Self.failed(whole, at: 60), Self.answered(other, at: 70, tokens: .max),
      Self.answered(other, at: 80, kind: .foreign, tokens: .max), Self.answered(other, at: 20),
    ]
    var expected: [ModelKey: ModelStanding] = [:]
    for observation in observations {
      expected[
        observation.key, default: ModelStanding(key: observation.key, seenAt: observation.time)
      ].note(observation)
    }
    try await store.observe(Array(observations.prefix(3)))
    try await store.observe([])
    try await store.observe(Array(observations.dropFirst(3)))
    #expect(try await store.standings() == [other, whole, Self.key].map { expected[$0] })
    let known = try #require(try await store.standings().last)
    #expect(known.failures == 2 && known.calls == 2)
    #expect(known.counting[.dense]?.exceeded == 1)
    #expect(known.counting[.prose]?.densest == 300)
    #expect(known.counting[.dense]?.distrusted == 20)
    #expect(known.needs.count == 2 && known.needs["o'neil\"; -- prose"]?.answers == 1)
    #expect(known.overrun == 3_000)
    let far = try #require(try await store.standings().first { $0.key == other })
    #expect(far.overrun > 1_000 && far.overrun <= ModelStanding.largestOverrun)
  }

  @Test(arguments: StoreKind.allCases)
  func `keeps which form of request was accepted, until another is`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    func accepted(_ words: String?, at time: Int64) -> ModelObservation {
      var observation = Self.answered(at: time)
      observation.adapted = words.map {
        AdaptedForm(words: $0, settings: "ab12", learntAt: Timestamp(milliseconds: time))
      }
      return observation
    }
    func kept() async throws -> AdaptedForm? { try await store.standings().first?.adapted }
    try await store.observe([accepted(nil, at: 10)])
    #expect(try await kept() == nil)
    try await store.observe([accepted("no_temperature 'o", at: 20), accepted(nil, at: 30)])
    #expect(
      try await kept()
        == AdaptedForm(
          words: "no_temperature 'o", settings: "ab12", learntAt: Timestamp(milliseconds: 20)))
    try await store.observe([accepted("", at: 40)])
    #expect(try await kept() == nil)
  }

  @Test(arguments: StoreKind.allCases)
  func `learns from a settlement once`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.reserve(request("a", 60, [leg("r1", 100)]), recording: [])
    let observation = Self.answered(at: 10)
    try await store.settle(settlement("a", 25, observation: observation), recording: [])
    try await store.settle(settlement("a", 25, observation: observation), recording: [])
    await #expect(throws: Failure.self) {
      try await store.settle(settlement("never", 1, observation: observation), recording: [])
    }
    await #expect(throws: Failure.self) {
      try await store.settle(
        settlement("a", 1, observation: observation), recording: [entry("none", "lost")])
    }
    let standings = try await store.standings()
    #expect(standings.map(\.calls) == [1])
    #expect(standings.first?.counting[.prose]?.calls == 1)
  }

  @Test func `is shared by all who have the file`() async throws {
    let folder = ScratchDirectory()
    let time = FixedTime()
    let stores = (0..<2).map { _ in
      SQLiteStore(path: folder.file("rasa.db"), time: time.source)
    }
    try await stores[0].observe([Self.failed(at: 10)])
    try await stores[1].observe([Self.failed(at: 20)])
    try await stores[0].observe([Self.failed(at: 30)])
    for store in stores {
      let standing = try #require(try await store.standings().first)
      #expect(standing.failures == 3)
      #expect(standing.unavailableUntil == Timestamp(milliseconds: 90))
    }
  }

  /// Two stores of one file, and what the second one sees of what the first one's calls teach.
  private struct Sharing {
    let folder = ScratchDirectory()
    let time = FixedTime()
    let mine: SQLiteStore
    let other: SQLiteStore

    init() {
      (mine, other) = (
        SQLiteStore(path: folder.file("rasa.db"), time: time.source),
        SQLiteStore(path: folder.file("rasa.db"), time: time.source)
      )
    }

    func call(_ id: String, _ observation: ModelObservation) async throws {
      _ = try await mine.reserve(request(id, 60, [leg("r1", nil)]), recording: [])
      try await mine.settle(settlement(id, 25, observation: observation), recording: [])
    }

    func seen() async throws -> [Int64] { try await other.standings().map(\.calls) }
  }

  @Test func `shows others what calls teach when the last run ends`() async throws {
    let shared = Sharing()
    shared.mine.open(record("r1"), [])
    shared.mine.open(record("r2"), [])
    try await shared.call("a", Self.answered(at: 10))
    try await shared.call("b", Self.answered(at: 20))
    #expect(try await shared.seen().isEmpty)
    try await shared.mine.close("r2", RunEnding(.done), [])
    #expect(try await shared.seen().isEmpty)
    try await shared.mine.close("r1", RunEnding(.done), [])
    #expect(try await shared.seen() == [2])
  }

  @Test func `shows others what calls teach after ten seconds, with a failure, and when it closes`()
    async throws
  {
    let shared = Sharing()
    try await shared.call("a", Self.answered(at: 10))
    shared.time.pass(seconds: 10)
    #expect(try await shared.seen().isEmpty)
    try await shared.call("b", Self.answered(at: 20))
    #expect(try await shared.seen() == [2])
    try await shared.call("c", Self.answered(at: 30))
    #expect(try await shared.seen() == [2])
    try await shared.call("d", Self.failed(at: 40))
    #expect(try await shared.seen() == [3])
    #expect(try await shared.other.standings().first?.failures == 1)
    try await shared.call("e", Self.answered(at: 50))
    await shared.mine.close()
    #expect(try await shared.seen() == [4])
  }

  @Test func `keeps what calls teach when it cannot be written yet`() async throws {
    let shared = Sharing()
    shared.mine.open(record("r1"), [])
    try await shared.call("a", Self.answered(at: 10))
    try await shared.mine.append([entry("r1", "run.started")])
    // The end of a run that is another's by now writes nothing.
    try await shared.mine.writer.write { try $0.run("UPDATE runs SET epoch = epoch + 1") }
    await #expect(throws: Failure.self) {
      try await shared.mine.close("r1", RunEnding(.done), [])
    }
    #expect(try await shared.seen().isEmpty)
    #expect(try await shared.mine.standings().map(\.calls) == [1])
    #expect(try await shared.seen() == [1])
  }
}

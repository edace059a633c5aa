import RasaCore
import RasaEngine
import RasaPersona
import Testing

@testable import RasaStore

@Suite struct `A summary of a conversation` {
  private func fixture(_ kind: StoreKind, turns: Int) async throws -> Fixture {
    let fixture = Fixture(kind)
    for number in 1...turns {
      let run = Identifier("r\(number)")
      fixture.store.open(record(run.text, session: "s"), [])
      try await fixture.store.close(run, RunEnding(.done, turn: turn("s", run.text)), [])
    }
    return fixture
  }

  private func summarise(
    _ store: any RunStore, turns: Int, by run: Identifier, _ text: String
  ) async throws -> Bool {
    store.open(record(run.text), [])
    let begun = try await store.beginSummary(
      of: "s", turns: turns, upTo: Identifier("r\(turns)"), by: run)
    guard begun == run else { return false }
    try await store.close(run, RunEnding(.done), [])
    return try await store.keepSummary(text, of: "s", by: run)
  }

  @Test(arguments: StoreKind.allCases)
  func `is extended, and the one that covers most counts`(kind: StoreKind) async throws {
    let fixture = try await fixture(kind, turns: 9)
    defer { withExtendedLifetime(fixture) {} }
    let store = fixture.store
    #expect(try await store.summary(of: "s") == nil)
    #expect(try await summarise(store, turns: 4, by: "a1", "four"))
    #expect(
      try await store.summary(of: "s") == ConversationSummary(text: "four", turns: 4, upTo: "r4"))
    #expect(try await summarise(store, turns: 7, by: "a2", "seven"))
    #expect(try await store.summary(of: "s")?.turns == 7)
    #expect(try await store.pendingSummary(of: "s", beyond: 7) == nil)
    #expect(try await store.summary(of: "other") == nil)
  }

  @Test(arguments: StoreKind.allCases)
  func `is made by one of two that begin it`(kind: StoreKind) async throws {
    let fixture = try await fixture(kind, turns: 5)
    defer { withExtendedLifetime(fixture) {} }
    let store = fixture.store
    #expect(try await store.beginSummary(of: "s", turns: 3, upTo: "r3", by: "a1") == "a1")
    #expect(try await store.beginSummary(of: "s", turns: 3, upTo: "r3", by: "a2") == "a1")
    #expect(try await store.keepSummary("other", of: "s", by: "a2") == false)
    #expect(try await store.summary(of: "s") == nil)
    #expect(try await store.pendingSummary(of: "s", beyond: 0) == "a1")
    #expect(try await store.pendingSummary(of: "s", beyond: 3) == nil)
    try await store.dropSummary(of: "s", by: "a1")
    #expect(try await store.pendingSummary(of: "s", beyond: 0) == nil)
    #expect(try await store.beginSummary(of: "s", turns: 3, upTo: "r3", by: "a2") == "a2")
    // A turn that is not there cannot be covered.
    #expect(try await store.beginSummary(of: "s", turns: 3, upTo: "r33", by: "a3") == nil)
  }

  @Test(arguments: StoreKind.allCases)
  func `goes with every turn that is forgotten, and so do the runs that have read it`(
    kind: StoreKind
  ) async throws {
    let fixture = try await fixture(kind, turns: 9)
    defer { withExtendedLifetime(fixture) {} }
    let store = fixture.store
    #expect(try await summarise(store, turns: 4, by: "a1", "four"))
    #expect(try await summarise(store, turns: 7, by: "a2", "seven"))
    store.open(record("a3"), [])
    #expect(try await store.beginSummary(of: "s", turns: 8, upTo: "r8", by: "a3") == "a3")
    let forgotten = try await store.forgetItems(MemoryFilter(run: "r2"))
    #expect(forgotten.turns == 2)
    #expect(try await store.summary(of: "s") == nil)
    #expect(try await store.keepSummary("late", of: "s", by: "a3") == false)
    for run in ["a1", "a2"] { #expect(try await store.run(run) == nil) }
    // What is left can be summarised anew.
    #expect(try await store.beginSummary(of: "s", turns: 3, upTo: "r4", by: "a4") == "a4")
  }

  @Test(arguments: StoreKind.allCases)
  func `goes with its session`(kind: StoreKind) async throws {
    let fixture = try await fixture(kind, turns: 5)
    defer { withExtendedLifetime(fixture) {} }
    let store = fixture.store
    #expect(try await summarise(store, turns: 4, by: "a1", "four"))
    #expect(try await store.deleteSession("s"))
    #expect(try await store.summary(of: "s") == nil)
    #expect(try await store.run("a1") == nil)
  }
}

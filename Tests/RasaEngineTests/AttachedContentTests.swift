import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("What was attached, in a journal that has lost it")
struct AttachedContentTests {
  private static let attached = [
    Attachment(
      name: "plan.txt", type: .text, byteCount: 5, digest: "t", pixels: nil, pages: nil,
      payload: "words"),
    Attachment(
      name: "map.png", type: .png, byteCount: 3, digest: "i", pixels: nil, pages: nil,
      payload: "AAAA"),
  ]

  @Test("is never sent as nothing: whoever goes on is told", arguments: ["plan.txt", "map.png"])
  func missing(_ name: String) async throws {
    let graph = try compile(
      persona(
        frames: [frame("a")],
        operators: [try model("one", reads: ["input"], writes: [text("draft")])]))
    var begin = start(graph)
    begin.attachments = Self.attached
    let reference = FakeStore()
    _ = try await Runner(
      ResumeTests.dependencies(
        FakeGate(journal: reference, RunnerTests.script), reference, ResumeTests.people(nil))
    ).run(graph, begin)
    let whole = try await reference.claim(begin.run)
    #expect(try whole.start?.attachments == Self.attached)

    let lost = try #require(Self.attached.first { $0.name == name }?.digest)
    let asked = try #require(reference.kinds.firstIndex(of: "call.intent"))
    let entries = whole.entries.prefix(asked).filter { entry in
      entry.kind != RunStart.attachedKind || entry.body["sha256"].string != lost
    }
    let damaged = RunHistory(record: whole.record, entries: Array(entries))
    let store = FakeStore()
    let gate = FakeGate(journal: store, RunnerTests.script)
    let dependencies = ResumeTests.dependencies(gate, store, ResumeTests.people(nil))
    let failure = await #expect(throws: Failure.self) {
      try await Runner(dependencies).resume(graph, damaged, by: "test")
    }
    #expect(failure?.kind == .storage && failure?.message.contains("`\(name)`") == true)
    #expect(gate.requests.isEmpty && store.kinds.isEmpty)
    #expect(throws: Failure.self) { try Origin(damaged) }
    #expect(JournalFold(graph, damaged.entries).damage == failure)
  }
}

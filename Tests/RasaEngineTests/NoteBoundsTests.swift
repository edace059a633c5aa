import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("Working notes in a run")
struct NoteBoundsTests {
  private let now = Timestamp(milliseconds: 1_700_000_000_000)

  private func notes(_ texts: [String], daysAgo: (Int) -> Double = { _ in 0 }) -> [WorkingNote] {
    texts.enumerated().map { index, text in
      WorkingNote(
        session: SessionID("s", of: "u"), run: Identifier("r1"),
        time: Timestamp(milliseconds: now.milliseconds - Int64(daysAgo(index) * 86_400_000)),
        text: text)
    }
  }

  @Test("are the newest first, within the tokens that there are for them")
  func newestFirst() {
    #expect(NoteBounds().lines(of: notes(["old", "new"]), at: now) == ["new", "old"])
    #expect(NoteBounds().lines(of: [], at: now) == [])
    let many = notes((1...40).map { "note \($0) " + String(repeating: "x", count: 290) })
    let lines = NoteBounds(tokens: 950).lines(of: many, at: now)
    #expect(lines.first?.hasPrefix("note 40 ") == true)
    #expect(lines.dropLast().reduce(0) { $0 + $1.utf8.count } <= 3_000)
    #expect(lines[lines.count - 2].hasSuffix("… (cut)"))
    #expect(lines.last == "(\(40 - (lines.count - 1)) older notes are left out for lack of room)")
  }

  @Test("are left out by age")
  func byAge() {
    let kept = NoteBounds(days: 7).lines(
      of: notes(["a", "b", "c"]) { [30, 6.9, 0][$0] }, at: now)
    #expect(kept == ["c", "b"])
  }

  @Test("say where they are cut, between characters")
  func cut() throws {
    let long = String(repeating: "語", count: 2_000)
    #expect(long.shortened(to: 10) == "語語語 … (cut)")
    #expect("short".shortened(to: 10) == "short")
    let line = try #require(NoteBounds(tokens: 100).lines(of: notes([long]), at: now).first)
    #expect(line.hasSuffix("語 … (cut)") && line.utf8.count <= 300)
    #expect(NoteBounds(tokens: 0).lines(of: notes([long]), at: now).count == 1)
  }
}

@Suite("The context of a long conversation")
struct ConversationContextTests {
  private func context(_ count: Int) -> Value {
    [
      "session": .array(
        (0..<count).map {
          [
            "input": .string("q\($0)"), "output": .string("a\($0)"),
            "run": .string("r0000000000\($0 &* 7_919)"),
          ]
        }), "notes": [], "today": "2026-03-01",
    ]
  }

  @Test("is the same after it has been written in groups and read", arguments: [0, 1, 16, 17, 500])
  func roundTrip(_ count: Int) {
    let context = context(count)
    #expect(ConversationContext.flat(ConversationContext.grouped(context)) == context)
    // As earlier versions wrote it.
    #expect(ConversationContext.flat(context) == context)
  }

  @Test("has the same groups in the next run, but for the last one")
  func sharesGroups() {
    let before = ConversationContext.grouped(context(300))["session"].array ?? []
    let after = ConversationContext.grouped(context(301))["session"].array ?? []
    #expect(before.count > 8 && before.count < 60)
    #expect(Array(after.prefix(before.count - 1)) == Array(before.dropLast()))
  }

  @Test("says which runs are surely in the prompt")
  func shownRuns() {
    var some = context(10).object ?? [:]
    #expect(ConversationContext.shownRuns(.object(some)).count == 10)
    some["shown_turns"] = 3
    let turns = some["session"]?.array ?? []
    #expect(
      ConversationContext.shownRuns(.object(some))
        == Set(turns.suffix(3).map { Identifier($0["run"].promptText) }))
  }
}

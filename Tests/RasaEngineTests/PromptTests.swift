import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("Prompts and headings")
struct PromptTests {
  // MARK: The day

  private func dependencies(_ gate: FakeGate, _ store: FakeStore, day: Int) -> RunDependencies {
    var time = TimeSource.still()
    time.localDay = { _ in LocalDay(year: 2026, month: 3, day: day) }
    return RunDependencies(
      gate: gate, journal: store, memory: store, approvalHandler: ResumeTests.people(nil),
      time: time)
  }

  private func days(_ gate: FakeGate) -> Set<String> {
    Set(
      gate.requests.compactMap { $0.messages[0].text.split(separator: "\n").last.map(String.init) })
  }

  @Test("every call is told the day on which the run began, also when it goes on later")
  func day() async throws {
    let graph = try compile(try analyst())
    let store = FakeStore()
    let gate = FakeGate(journal: store, RunnerTests.script)
    let whole = try await Runner(dependencies(gate, store, day: 2)).run(graph, start(graph))
    #expect(days(gate) == ["Today is Monday, 2026-03-02."])

    // Cut after the first answer, and taken up on the next day.
    let lines = try #require(store.kinds.firstIndex(of: "call.result")) + 1
    let rest = FakeStore(copying: store, lines: lines)
    let second = FakeGate(journal: rest, RunnerTests.script)
    let resumed = try await Runner(dependencies(second, rest, day: 3)).resume(
      graph, try await rest.claim(Identifier("run-1")), by: "ada")
    #expect(resumed.output == whole.output)
    #expect(days(second) == ["Today is Monday, 2026-03-02."])
  }

  @Test("a fork keeps the day of its origin, so that its answers count again")
  func forkedDay() async throws {
    let graph = try compile(try analyst())
    let store = FakeStore()
    let gate = FakeGate(journal: store, RunnerTests.script)
    _ = try await Runner(dependencies(gate, store, day: 2)).run(graph, start(graph))
    let origin = try #require(Origin(try await store.claim(Identifier("run-1"))))
    let later = FakeStore()
    let second = FakeGate(journal: later, RunnerTests.script)
    var begin = start(graph)
    begin.run = Identifier("run-2")
    begin.fork = ForkPoint(run: Identifier("run-1"), sequence: nil, changes: ValueObject())
    _ = try await Runner(dependencies(second, later, day: 9)).run(graph, begin, inheriting: origin)
    #expect(second.requests.isEmpty)
  }

  @Test("a journal of an earlier version, which knows no day, is gone on with without one")
  func noDay() async throws {
    let graph = try compile(try analyst())
    let store = FakeStore()
    let gate = FakeGate(journal: store, RunnerTests.script)
    _ = try await Runner(dependencies(gate, store, day: 2)).run(graph, start(graph))
    let lines = try #require(store.kinds.firstIndex(of: "call.result")) + 1
    let rest = FakeStore(copying: store, lines: lines)
    var history = try await rest.claim(Identifier("run-1"))
    history.entries = history.entries.map { entry in
      guard entry.kind == "context.opened" else { return entry }
      return JournalEntry(
        run: entry.run, time: entry.time, kind: entry.kind, key: entry.key,
        body: ["session": [], "notes": [], "memories": []])
    }
    let second = FakeGate(journal: rest, RunnerTests.script)
    _ = try await Runner(dependencies(second, rest, day: 3)).resume(graph, history, by: "ada")
    #expect(!second.requests.isEmpty)
    #expect(second.requests.allSatisfy { !$0.messages[0].text.contains("Today is") })
  }

  // MARK: The system message

  @Test(
    "a name is said as words, and a style that is the default is not said",
    arguments: [
      ("default", "Your role: stock analyst.\nHelps."),
      ("Default", "Your role: stock analyst.\nHelps."), ("  ", "Your role: stock analyst.\nHelps."),
      ("brief", "Your role: stock analyst.\nHelps.\nStyle: brief"),
    ])
  func system(_ row: (style: String, message: String)) {
    let persona = PersonaDefinition(
      name: "stock_analyst", description: "Helps.", frames: [], operators: [],
      promptStyle: row.style)
    #expect(Prompt.system(for: persona, instructions: nil) == row.message)
  }

  // MARK: Headings

  @Test(
    "a text that begins with a heading keeps it",
    arguments: [
      ("## Warum\n\nDarum.", true), ("\n # Why", true), ("###### x", true), ("#\ttab", true),
      ("####### x", false), ("#1 is best", false), ("Because.", false), ("- # x", false),
      ("", nil), (" \n", nil), ("##", nil), (" ######", nil),
    ] as [(String, Bool?)])
  func headings(_ row: (text: String, isHeaded: Bool?)) {
    #expect(Composition.Part.beginsWithHeading(row.text) == row.isHeaded)
  }

  @Test(
    "what is shown piece by piece is what is composed, wherever the pieces are cut",
    arguments: ["## Warum\n\nDarum.", "Darum.", "#1", "##", " \n## Pourquoi", "\n\nDarum", "#"])
  func pieces(_ text: String) {
    let composition = Composition(
      key: "output", parts: [.init(from: "draft"), .init(from: "why", heading: "## Why")])
    let state: [StatePath: Value] = ["draft": "The draft.", "why": .string(text)]
    let whole = composition.text { state[$0] ?? .null }
    let bytes = Array(text.utf8)
    for cut in 0...bytes.count {
      var live = LiveOutput(parts: composition.parts)
      var shown = live.emit("The draft.", of: "draft") ?? ""
      shown += live.advance { place, path in place == 0 ? state[path] : nil } ?? ""
      for piece in [bytes[..<cut], bytes[cut...]] where !piece.isEmpty {
        shown += live.emit(String(decoding: piece, as: UTF8.self), of: "why") ?? ""
      }
      shown += live.advance { _, path in state[path] } ?? ""
      #expect(shown == whole, "cut at \(cut)")
    }
  }
}

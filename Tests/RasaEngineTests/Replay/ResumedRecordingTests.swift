import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("Recordings of runs that stopped, went on, or are forks")
struct ResumedRecordingTests {
  private func expectRecording(
    _ entries: [JournalEntry], on graph: Graph, _ comment: Comment,
    status: RunRecord.Status? = nil
  ) async throws {
    let made = try await Recording.make(of: entries, on: graph)
    #expect(made.differences == [], comment)
    if let status { #expect(made.recording.expected.status == status, comment) }
    try await expectFaithful(made.recording, on: graph, comment)
  }

  @Test(
    "stopped after any line, and gone on with from there", arguments: try ResumeTests.examples())
  func anyLine(_ example: ResumeTests.Example) async throws {
    let graph = try compile(example.persona)
    let reference = FakeStore()
    let people = ResumeTests.people(example.decision)
    _ = try await Runner(
      ResumeTests.dependencies(FakeGate(journal: reference, example.script), reference, people)
    ).run(graph, start(graph))
    for count in 1..<reference.snapshot.entries.count {
      let store = FakeStore(copying: reference, lines: count)
      let history = try await store.claim(Identifier("run-1"))
      try await expectRecording(
        history.entries, on: graph, "stopped after line \(count)")
      _ = try await Runner(
        ResumeTests.dependencies(FakeGate(journal: store, example.script), store, people)
      ).resume(graph, history, by: "test")
      try await expectRecording(
        store.snapshot.entries, on: graph, "gone on after line \(count)", status: .done)
    }
  }

  @Test("forks, with what they change and what they take over")
  func forks() async throws {
    let graph = try compile(try analyst())
    let first = FakeStore()
    _ = try await Runner(
      ResumeTests.dependencies(
        FakeGate(journal: first, RunnerTests.script), first, ResumeTests.people(nil))
    ).run(graph, start(graph))
    let history = try await first.claim(Identifier("run-1"))
    let changes: [ValueObject] = [
      [:], ["draft": "mine"], ["explanation": "because\nof this"], ["feedback": "be brief"],
    ]
    for change in changes {
      for sequence in [nil, 9] as [Int?] {
        let store = FakeStore()
        var begin = start(graph, input: "question")
        begin.run = Identifier("run-2")
        begin.fork = ForkPoint(run: Identifier("run-1"), sequence: sequence, changes: change)
        _ = try await Runner(
          ResumeTests.dependencies(
            FakeGate(journal: store, RunnerTests.script), store, ResumeTests.people(nil))
        ).run(graph, begin, inheriting: try Origin(history, upTo: sequence))
        try await expectRecording(
          store.snapshot.entries, on: graph, "\(change) at \(sequence ?? 0)", status: .done)
      }
    }
  }

  @Test("a question that was put again when nobody answered counts once")
  func expired() async throws {
    let graph = try compile(
      persona(
        frames: [frame("session_frame")], operators: [try shipped("respond"), try shipped("hitl")]))
    let store = FakeStore()
    let gate = FakeGate(journal: store, RunnerTests.script)
    let parked = try await Runner(
      ResumeTests.dependencies(gate, store, FakePeople { _ in nil })
    ).run(graph, start(graph))
    let approval = try #require(parked.waitsFor.first)
    store.expire(approval.id)
    _ = try await Runner(
      ResumeTests.dependencies(
        gate, store, FakePeople { _ in HumanAnswer(.approve, by: "eve") })
    ).resume(graph, try await store.claim(Identifier("run-1")), by: "test")
    let made = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(made.differences == [])
    #expect(made.recording.effects.count { $0.isQuestion } == 1)
    try await expectFaithful(made.recording, on: graph)
  }

  @Test("nobody may be asked: the run fails with its question, again")
  func nobody() async throws {
    var studio = try Studio(shipped: "contract_reviewer")
    studio.people = FakePeople { _ in throw Failure(.approval, "nobody may be asked") }
    let recording = try await studio.record()
    #expect(recording.expected.failure?.kind == .approval)
    try await expectFaithful(recording, on: studio.graph)
  }

  @Test("a run whose time was up is again out of time")
  func time() async throws {
    let clock = Locked<UInt64>(0)
    var time = TimeSource.still()
    time.monotonic = { clock.withLock { $0 } }
    let graph = try compile(try analyst())
    let store = FakeStore()
    let gate = FakeGate(journal: store) { request, context, onEvent in
      guard request.name == "respond" else {
        return try await RunnerTests.script(request, context, onEvent)
      }
      clock.withLock { $0 += 300_000_000_000 }
      throw Failure(.timeout, "the call took too long")
    }
    _ = try? await Runner(
      RunDependencies(
        gate: gate, journal: store, memory: store, approvalHandler: FakePeople(), time: time)
    ).run(graph, start(graph))
    try await expectRecording(store.snapshot.entries, on: graph, "out of time", status: .failed)
  }
}

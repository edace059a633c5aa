import RasaCore
import RasaDocuments
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaEngine

@Suite("Recordings: every kind of run is gone through again without a difference")
struct RecordingTests {
  @Test(
    "the personas that ship",
    arguments: [
      ("strategic_stock_analyst", 7, "respond says"), ("contract_reviewer", 4, "respond says"),
      ("incident_responder", 9, "respond says"), ("support_triage", 0, "Hello,"),
    ])
  func shipped(_ name: String, _ calls: Int64, _ beginning: String) async throws {
    var studio = try Studio(shipped: name)
    studio.people = FakePeople { _ in HumanAnswer(.approve, by: "eve") }
    let recording = try await studio.record()
    #expect(recording.expected.status == .done)
    #expect(recording.expected.calls == calls)
    #expect(recording.expected.output.promptText.hasPrefix(beginning))
    #expect(recording.expected.path.isEmpty == false)
    try await expectFaithful(recording, on: studio.graph)
    // The copy of the persona in the file is the same persona.
    let pinned = try Graph.compile(recording.files, named: recording.start.persona)
    #expect(pinned.digest == studio.graph.digest)
    try await expectFaithful(recording, on: pinned)
  }

  @Test("what a replay shows while it runs is what the run showed")
  func streaming() async throws {
    let studio = try Studio(shipped: "strategic_stock_analyst")
    let recording = try await studio.record()
    let screen = Screen()
    let replayed = try await Replay(recording, on: studio.graph).run { screen.show($0) }
    #expect(.string(screen.output) == recording.expected.output)
    #expect(screen.pieces.count > 2)
    #expect(replayed.result?.output == recording.expected.output)
    #expect(replayed.result?.cost == recording.expected.cost)
  }

  @Test(
    "decisions of people",
    arguments: [
      [HumanAnswer(.approve, by: "eve")],
      [HumanAnswer(.edit, text: "edited\nby hand", by: "eve")],
      [HumanAnswer(.reject, text: "too long", by: "eve"), HumanAnswer(.approve, by: "eve")],
      [HumanAnswer(.feedback, text: "say it again", by: "eve"), HumanAnswer(.approve, by: "eve")],
      [HumanAnswer(.reject, by: "eve")],
    ])
  func decisions(_ answers: [HumanAnswer]) async throws {
    for name in ["contract_reviewer", "reviewed"] {
      var studio =
        name == "reviewed"
        ? try Studio(
          persona(
            frames: [frame("session_frame")],
            operators: [
              try model(
                "respond", reads: ["input"], optional: ["feedback"], writes: [text("draft")],
                prompt: "{{input}} {{feedback}}", review: .always)
            ])) : try Studio(shipped: name)
      let given = Locked(0)
      studio.people = FakePeople { _ in
        answers[
          given.withLock { count in
            defer { count += 1 }
            return min(count, answers.count - 1)
          }]
      }
      let recording = try await studio.record()
      let isDenied = answers.count == 1 && answers[0].decision == .reject
      #expect(recording.expected.status == (isDenied ? .failed : .done))
      #expect(recording.effects.contains { $0.isQuestion })
      try await expectFaithful(recording, on: studio.graph, "\(name): \(answers)")
    }
  }

  @Test("a question that still waits leaves the run parked")
  func parked() async throws {
    var studio = try Studio(shipped: "contract_reviewer")
    studio.people = FakePeople { _ in nil }
    let recording = try await studio.record()
    #expect(recording.expected.status == .parked)
    guard case .question(let asked) = recording.effects.last else {
      Issue.record("no question: \(recording.effects)")
      return
    }
    #expect(asked.answer == nil)
    try await expectFaithful(recording, on: studio.graph)
  }

  @Test("repairs, further tries, substitutes and operators that are done without")
  func errors() async throws {
    let schema: Value = [
      "type": "object", "properties": ["n": ["type": "integer"]], "required": ["n"],
    ]
    func definition(_ policy: ErrorPolicy) throws -> PersonaDefinition {
      persona(
        frames: [frame("a")],
        operators: [
          rule("first", set: ["draft": "default"]),
          try model(
            "shaky", reads: ["input"], writes: [Write(key: "draft", type: .any)], output: schema,
            onError: policy),
          try model("spare", reads: ["input"], writes: [Write(key: "draft", type: .any)]),
          try model("last", reads: ["input", "draft"], writes: [text("more")]),
        ].filter { policy.otherwise == .run("spare") || $0.name != "spare" })
    }
    let script: FakeGate.Script = { request, context, onEvent in
      switch (request.name, context.key.occurrence, context.key.label) {
      case ("shaky", 1, "call"): #"{"n": "no number"}"#
      case ("shaky", 1, _): "no json either"
      case ("shaky", 2, _): throw Failure(.provider, "the provider is down")
      case ("shaky", _, "call"): #"{"n": "three"}"#
      case ("shaky", _, _): #"{"n": 3}"#
      default: try await FakeGate.stream(request.name, onEvent)
      }
    }
    let cases: [(ErrorPolicy, RunRecord.Status)] = [
      (ErrorPolicy(retry: 2), .done), (ErrorPolicy(retry: 1), .failed), (ErrorPolicy(), .failed),
      (ErrorPolicy(retry: 1, otherwise: .skip), .done), (ErrorPolicy(otherwise: .skip), .done),
      (ErrorPolicy(retry: 1, otherwise: .run("spare")), .done),
    ]
    for (policy, status) in cases {
      var studio = try Studio(definition(policy))
      studio.script = script
      let recording = try await studio.record()
      #expect(recording.expected.status == status, "\(policy)")
      try await expectFaithful(recording, on: studio.graph, "\(policy)")
    }
  }

  @Test("runs that fail, and what else was under way then")
  func failures() async throws {
    for kind in [Failure.Kind.budget, .provider, .timeout, .authentication] {
      for isWritten in [true, false] {
        var studio = try Studio(
          persona(
            frames: [frame("a")],
            operators: [
              try model("quick", reads: ["input"], writes: [text("q")]),
              try model("broken", reads: ["input"], writes: [text("draft")]),
              try model("slow", reads: ["input"], writes: [text("s")]),
            ]))
        let isQuickDone = Latch()
        let store = studio.store
        let graph = studio.graph
        studio.script = { request, _, onEvent in
          switch request.name {
          case "broken":
            await isQuickDone.wait()
            throw Failure(kind, "no luck", details: ["a detail"])
          case "slow":
            try await TimeSource.still().sleep(.seconds(1))
            return ""
          default: return "quick"
          }
        }
        let gate = FakeGate(journal: isWritten ? store : nil, studio.script)
        let runner = Runner(
          RunDependencies(
            gate: gate, journal: store, memory: store, approvalHandler: FakePeople(), time: .still()
          ))
        _ = try? await runner.run(graph, start(graph)) { progress in
          if case .event(.operatorFinished) = progress { await isQuickDone.open() }
        }
        guard isWritten else {
          // A refused reservation leaves no line about its call; the others' are put back.
          let entries = store.snapshot.entries
          #expect(!entries.contains { $0.kind == "call.failed" })
          let made = try await Recording.make(of: entries, on: graph)
          #expect(made.recording.expected.failure?.message == "no luck")
          continue
        }
        let made = try await Recording.make(of: store.snapshot.entries, on: graph)
        #expect(made.differences == [])
        let recording = made.recording
        #expect(recording.expected.failure?.kind == kind)
        #expect(recording.expected.path.map(\.operatorName) == ["quick"])
        #expect(recording.effects.map(\.step.operatorName) == ["quick", "slow", "broken"])
        try await expectFaithful(recording, on: graph, "\(kind)")
      }
    }
  }

  @Test("a run that was interrupted stops at the same place")
  func interrupted() async throws {
    var studio = try Studio(shipped: "strategic_stock_analyst")
    let isUnderWay = Latch()
    studio.script = { request, context, onEvent in
      if request.name == "explain_operator" || request.name == "alt_recommendation_operator" {
        if request.name == "explain_operator" { await isUnderWay.open() }
        try await TimeSource.still().sleep(.seconds(1))
      }
      return try await Studio.answers(request, context, onEvent)
    }
    let running = Task { [studio] in await studio.run() }
    await isUnderWay.wait()
    running.cancel()
    let made = try await Recording.make(of: await running.value, on: studio.graph)
    #expect(made.differences == [])
    #expect(made.recording.expected.status == .parked)
    #expect(
      made.recording.effects.contains { effect in
        if case .call(let call) = effect { call.outcome == .cutOff } else { false }
      })
    try await expectFaithful(made.recording, on: studio.graph)
  }

  @Test("what was remembered is remembered again, and the conversation is as it was")
  func memory() async throws {
    let studio = try Studio(shipped: "strategic_stock_analyst")
    let first = await studio.run()
    #expect(first.last?.kind == "run.finished")
    studio.store.keep([
      MemoryItem(
        id: 1, kind: .fact, scope: .user, user: "someone", persona: "p", text: "likes\ntwo lines",
        run: Identifier("r"), time: Timestamp(milliseconds: 0), trust: .person)
    ])
    let before = studio.store.snapshot.entries.count
    _ = await studio.run()
    let entries = Array(studio.store.snapshot.entries.dropFirst(before))
    let made = try await Recording.make(of: entries, on: studio.graph)
    #expect(made.differences == [])
    #expect(made.recording.context["session"].array?.count == 1)
    #expect(made.recording.text.contains("likes"))
    try await expectFaithful(made.recording, on: studio.graph)
  }

  @Test("random personas, in whatever order their operators ended")
  func random() async throws {
    var compared = 0
    for seed in UInt64(1)...160 {
      var chance = SeededNumbers(seed: seed)
      let definition = try SequentialMeaningTests.randomPersona(&chance)
      guard var studio = try? Studio(definition) else { continue }
      let failing = chance.happens(oneIn: 3) ? 1 + chance.upTo(6) : nil
      let waits = Locked(chance)
      let asked = Locked(0)
      studio.script = { request, context, _ in
        let (number, yields) = (
          asked.withLock { count in
            count += 1
            return count
          }, waits.withLock { $0.upTo(6) }
        )
        for _ in 0..<yields { await Task.yield() }
        if number == failing { throw Failure(.provider, "call \(number) failed") }
        // What is answered follows from what was asked.
        return "\(request.messages.last?.text.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) % 7 } ?? 0)"
      }
      let made = try await Recording.make(of: await studio.run(), on: studio.graph)
      guard made.differences == [] else {
        Issue.record("seed \(seed): \(made.differences)")
        return
      }
      let replayed = try await Replay(made.recording.reread(), on: studio.graph).run()
      guard replayed.differences == [], replayed.observed == made.recording else {
        Issue.record("seed \(seed): \(replayed.differences)")
        return
      }
      compared += 1
    }
    #expect(compared > 40)
  }
}

import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("The timeline of a run")
struct TimelineTests {
  @Test("has the frames, the operators under them, and what they cost")
  func whole() throws {
    let (_, entries) = try analystJournal()
    let timeline = RunTimeline(entries)
    #expect(
      timeline.sections.map(\.frame)
        == ["stateless_frame", "session_frame", "short_term_frame", "long_term_frame"])
    let names = timeline.passes.map(\.step.operatorName)
    #expect(names.contains("preference_agent") && names.contains("critic_agent"))
    #expect(timeline.totals.answered == 5)
    #expect(timeline.totals.spent == Money(decimal: "0.005"))
    #expect(timeline.totals.usage.input == 50 && timeline.totals.held == .zero)
    guard case .finished(let output) = timeline.end else {
      Issue.record("the run has no end")
      return
    }
    #expect(output.promptText.contains("draft 1"))
    #expect(timeline.activeMilliseconds == Int64(entries.count - 1) * 1000)
  }

  @Test("has the rules where they ran, once the persona is known")
  func rules() throws {
    let (graph, entries) = try analystJournal()
    var timeline = RunTimeline(entries)
    #expect(!timeline.passes.contains { $0.isRule })
    timeline.add(JournalFold(graph, entries))
    let names = timeline.sections.last?.passes.map(\.step.operatorName) ?? []
    #expect(names.firstIndex(of: "compose").map { $0 > 0 } == true)
    let compose = try #require(timeline.passes.first { $0.step.operatorName == "compose" })
    #expect(compose.isRule && compose.updates.first?.value.promptText.contains("## Why") == true)
  }

  @Test("shows what was sent back, and by which condition")
  func loop() throws {
    let (_, entries) = try analystJournal(sendsBack: true)
    let timeline = RunTimeline(entries)
    let critic = try #require(timeline.passes.first { $0.step.operatorName == "critic_agent" })
    #expect(critic.moves.map(\.to) == ["respond"])
    #expect(critic.moves.first?.reason == "critique.verdict == 'revise'")
    #expect(timeline.sections.filter { $0.frame == "session_frame" }.map(\.visit) == [1, 2])
  }

  @Test("keeps a question and its answer together, though days lie between")
  func approval() throws {
    let graph = try compile(
      persona(
        frames: [frame("session_frame", operators: ["respond", "hitl", "compose"])],
        operators: []))
    var writer = try JournalWriter(graph, start(graph))
    try writer.drive { step, kind in kind == .human ? nil : "draft" }
    let step = Step(frame: "session_frame", visit: 1, operatorName: "hitl")
    let approval = Approval(
      run: writer.run,
      question: Question(
        key: step.effect("review"), title: "Is this right?", subject: "draft", payload: "draft"),
      askedAt: Timestamp(milliseconds: 0), expiresAt: Timestamp(milliseconds: 9_999_999_999))
    writer.write(.asked(approval))
    writer.write(.parked(Parking(.approval, waitsFor: [approval.id])))
    let parked = RunTimeline(writer.entries)
    #expect(parked.openQuestions.map(\.approval) == [approval.id])
    guard case .parked(let parking) = parked.end else {
      Issue.record("the run is not parked")
      return
    }
    #expect(parking.waitsFor == [approval.id])

    writer.pass(seconds: 3 * 86_400)
    let answer = HumanAnswer(.edit, text: "better", by: "eve")
    writer.write(.resumed(by: "eve"))
    writer.write(.answered(approval, answer))
    try writer.finish(step, .answered(answer))
    try writer.drive { _, _ in "" }
    var timeline = RunTimeline(writer.entries)
    timeline.add(JournalFold(graph, writer.entries))
    let asked = try #require(timeline.passes.flatMap(\.questions).first)
    #expect(asked.answer == answer && timeline.openQuestions.isEmpty)
    // Three days of waiting are no work.
    #expect(timeline.activeMilliseconds < 60_000)
    // What came after the answer stands below the lines that say so.
    #expect(
      timeline.items.map { item in
        switch item {
        case .section(let section):
          section.passes.map(\.step.operatorName).joined(separator: ",")
            + (section.isContinued ? " again" : "")
        case .notice: "notice"
        }
      } == ["respond,hitl", "notice", "notice", "compose again"])
    #expect(timeline.mermaid.contains("answer"))
  }

  @Test("tells calls apart that failed, were reused, or are in doubt")
  func calls() throws {
    let graph = try compile(
      persona(frames: [frame("session_frame", operators: ["respond"])], operators: []))
    var writer = try JournalWriter(graph, start(graph))
    let step = Step(frame: "session_frame", visit: 1, operatorName: "respond")
    func intent(_ id: String) -> ValueObject {
      [
        "reservation": .string(id), "provider": "made-up", "model": "small",
        "estimate": ["cost": "0.5"],
      ]
    }
    writer.write("call.intent", step.effect("call"), intent("h1"))
    writer.write(
      "call.failed", step.effect("call"),
      ["reservation": "h1", "reason": "timeout", "message": "too slow", "cost": "0.25"])
    writer.write("call.intent", step.effect("call", occurrence: 2), intent("h2"))
    writer.write(
      "call.uncertain", step.effect("call", occurrence: 2),
      ["reservation": "h2", "decision": "retry", "cost": "0.5"])
    writer.write("call.intent", step.effect("call", occurrence: 2), intent("h3"))
    writer.write(
      "call.reused", step.effect("repair"),
      ["from": "r0", "provider": "made-up", "model": "small", "text": "t", "cost": "0"])
    let timeline = RunTimeline(writer.entries)
    #expect(
      timeline.calls.map(\.outcome) == [
        .failed(reason: "timeout", message: "too slow"), .uncertain(decision: "retry"), .open,
        .reused(from: "r0"),
      ])
    #expect(timeline.totals.spent == Money(decimal: "0.75"))
    #expect(timeline.totals.held == Money(decimal: "0.5"))
  }

  @Test("a journal that breaks off or says what nobody knows is read as far as it goes")
  func broken() throws {
    let (_, entries) = try analystJournal(sendsBack: true)
    for length in entries.indices {
      let timeline = RunTimeline(entries.prefix(length))
      #expect(timeline.lines == length)
      _ = timeline.mermaid
      _ = timeline.document
    }
    let strange = [
      "frame.entered", "operator.finished", "run.moved", "run.parked", "human.asked",
      "human.answered", "call.intent", "call.result", "call.failed", "call.reused", "run.failed",
      "run.resumed", "made.up",
    ].flatMap { kind in
      [Value.null, [], ["visit": 99_999_999_999_999], ["reservation": 1, "reason": [:]]].map {
        JournalEntry(
          run: Identifier("r"), time: Timestamp(milliseconds: .min), kind: kind, key: "a:1/b/c#1",
          body: $0)
      }
    }
    let timeline = RunTimeline(strange)
    #expect(timeline.lines == strange.count)
    _ = timeline.mermaid
    _ = timeline.document
  }

  @Test("is drawn with every arrow numbered, and what came again counted")
  func drawing() throws {
    let (graph, entries) = try analystJournal(sendsBack: true)
    var timeline = RunTimeline(entries)
    timeline.add(JournalFold(graph, entries))
    let text = timeline.mermaid
    #expect(text.hasPrefix("flowchart TD\n"))
    #expect(text.contains("respond ×2"))
    #expect(text.contains("critique.verdict == 'revise'"))
    #expect(text.contains("-.->"))
    expectMermaid(text)
  }

  @Test("branches that ran side by side are drawn side by side")
  func branches() throws {
    let graph = try compile(
      persona(
        frames: [
          frame("a", operators: ["one"], parallel: ["b", "c"]), frame("b", operators: ["two"]),
          frame("c", operators: ["three"]), frame("d", operators: ["four"]),
        ],
        operators: [
          model("one", writes: [text("w1")], prompt: "one"),
          model("two", reads: ["w1"], writes: [text("w2")], prompt: "two"),
          model("three", reads: ["w1"], writes: [text("w3")], prompt: "three"),
          model("four", reads: ["w2", "w3"], writes: [text("output")], prompt: "four"),
        ]))
    var writer = try JournalWriter(graph, start(graph))
    try writer.drive { step, _ in .string(step.operatorName) }
    let text = RunTimeline(writer.entries).mermaid
    expectMermaid(text)
    for arrow in ["n0 -->|\"2\"| n1", "n0 -->|\"3\"| n2", "n1 -->|\"4\"| n3", "n2 -->|\"4\"| n3"] {
      #expect(text.contains(arrow), "\(text)")
    }
    #expect(!text.contains("n1 -->|\"3\"| n2"))
  }

  @Test(
    "labels cannot break out of the drawing",
    arguments: ["a\"]; click n0 \"x\"", "<script>", "`**bold**`", "a\nb", "#quot;", "a\\", "|x|"])
  func labels(_ text: String) throws {
    let graph = try compile(
      persona(frames: [frame("session_frame", operators: ["respond"])], operators: []))
    var writer = try JournalWriter(graph, start(graph))
    writer.write(.failed(Failure(.run, text)))
    expectMermaid(RunTimeline(writer.entries).mermaid)
  }
}

/// Every line is one of the few forms that the drawings use.
func expectMermaid(_ text: String, sourceLocation: Testing.SourceLocation = #_sourceLocation) {
  let label = #""[^"`<>\\]*""#
  let forms = [
    #"flowchart TD"#, #"  input\(\[\#(label)\]\)"#, #"  subgraph f\d+\[\#(label)\]"#,
    #"    n\d+\[\#(label)\]"#, #"    f\d+_empty\[" "\]"#, #"  end"#,
    #"  ending(\(\[\#(label)\]\)|\{\{\#(label)\}\}|\[/\#(label)/\])"#,
    #"  (n\d+|input) (-->|-\.->)(\|\#(label)\|)? (n\d+|ending)"#, #"  style ending .*"#,
  ]
  for line in text.split(separator: "\n") {
    let fits = forms.contains { form in
      guard let pattern = try? Regex(form) else { return false }
      return (try? pattern.wholeMatch(in: String(line))) != nil
    }
    #expect(fits, "\(line)", sourceLocation: sourceLocation)
  }
}

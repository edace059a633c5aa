import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// Decisions about the whole output, before it goes out.
@Suite("Reviews of the output")
struct OutputReviewTests {
  /// What a person is shown and decides, in order.
  private struct Desk {
    var graph: Graph
    var run: MachineRun
    var shown: [Value] = []

    init(_ persona: PersonaDefinition) throws {
      graph = try compile(persona)
      run = try MachineRun(graph)
    }

    mutating func decide(_ decisions: [HumanAnswer]) throws {
      let graph = graph
      var shown = shown
      var left = decisions[...]
      try run.play { invocation in
        let subject = invocation.review ?? graph.nodes[invocation.node].definition.reviewSubject
        guard let subject else { return echo(graph, invocation) }
        shown.append(graph.payload(of: subject, invocation.view))
        return .answered(left.popFirst() ?? HumanAnswer(.approve, by: "eve"))
      }
      self.shown = shown
    }
  }

  private func gate(named name: String = "gate") throws -> OperatorDefinition {
    OperatorDefinition(
      name: name, kind: .human, reads: ["output"], optionalReads: ["output"],
      writes: [Write(key: "approval", type: .object)],
      prompt: try Template.compile("May it go out?"))
  }

  private func explained(_ more: [OperatorDefinition]) throws -> PersonaDefinition {
    var explain = try shipped("explain_operator")
    explain.frame = "session_frame"
    let writers = [try shipped("respond"), explain]
    let composes = more.first?.kind == .rule
    return persona(
      frames: [frame("session_frame")], operators: composes ? writers + more : more + writers)
  }

  @Test("a person sees all that goes out, wherever the operator is listed")
  func whole() throws {
    var desk = try Desk(explained([gate()]))
    try desk.decide([])
    let text: Value = "respond:1\n\n## Why\n\nexplain_operator:1"
    #expect(desk.shown == [text])
    #expect(desk.run.machine.status == .finished(output: text))
    #expect(desk.graph.warnings.isEmpty)
  }

  @Test("an edit goes out as a whole, without what it replaced")
  func edited() throws {
    var desk = try Desk(explained([gate()]))
    try desk.decide([HumanAnswer(.edit, text: "words of a person", by: "eve")])
    #expect(desk.run.machine.status == .finished(output: "words of a person"))
    #expect(desk.run.machine.state["explanation"].isNull)
    #expect(desk.run.machine.state["draft"] == "words of a person")
  }

  @Test("nothing of the output is shown before the decision, and then what was decided")
  func held() throws {
    let graph = try compile(explained([gate()]))
    #expect(graph.nodes.allSatisfy { !$0.isLive })
    var always = try shipped("compose")
    always.review = .always
    let reviewed = try compile(explained([always]))
    #expect(reviewed.nodes.allSatisfy { !$0.isLive })
    // Without a person everything streams as before.
    #expect(try compile(explained([])).nodes.contains { $0.isLive })
  }

  @Test("a rejection with a reason goes to the writer of the draft, one without ends the run")
  func rejected() throws {
    var always = try shipped("compose")
    always.review = .always
    for persona in [try explained([gate()]), try explained([always])] {
      var desk = try Desk(persona)
      try desk.decide([HumanAnswer(.reject, text: "Name the risks.", by: "eve")])
      #expect(desk.run.order.count { $0 == "respond" } == 2)
      #expect(desk.run.machine.state["feedback"] == "Name the risks.")
      #expect(desk.shown.count == 2)
      #expect(
        desk.run.machine.status
          == .finished(output: "respond:2\n\n## Why\n\nexplain_operator:2"))

      var denied = try Desk(persona)
      try denied.decide([HumanAnswer(.reject, by: "eve")])
      guard case .failed(let failure) = denied.run.machine.status else {
        Issue.record("went on")
        continue
      }
      #expect(failure.kind == .approval && denied.shown.count == 1)
    }
  }

  @Test("an edit of a composed output that is reviewed takes the place of all of it")
  func editedComposition() throws {
    var always = try shipped("compose")
    always.review = .always
    var desk = try Desk(explained([always]))
    try desk.decide([HumanAnswer(.edit, text: "words of a person", by: "eve")])
    #expect(desk.shown == ["respond:1\n\n## Why\n\nexplain_operator:1"])
    #expect(desk.run.machine.status == .finished(output: "words of a person"))
  }

  @Test("what is written anew after an edit is shown again, and goes out")
  func editedAndWrittenAnew() throws {
    var gate = try gate()
    gate.then = [try route("respond", atMost: 1)]
    var desk = try Desk(
      persona(frames: [frame("session_frame")], operators: [try shipped("respond"), gate]))
    try desk.decide([HumanAnswer(.edit, text: "words of a person", by: "eve")])
    #expect(desk.shown == ["respond:1", "respond:2"])
    #expect(desk.run.machine.status == .finished(output: "respond:2"))
  }

  @Test("a text that only rules wrote cannot be sent back to anybody")
  func rulesOnly() throws {
    let fixed = rule("fixed", set: ["output": "always the same"])
    var desk = try Desk(
      persona(frames: [frame("session_frame")], operators: [fixed, try gate()]))
    try desk.decide([HumanAnswer(.reject, text: "Another one.", by: "eve")])
    guard case .failed(let failure) = desk.run.machine.status else {
      Issue.record("went on")
      return
    }
    #expect(failure.kind == .approval && desk.shown == ["always the same"])
  }

  @Test("what is written after the decision is told, as nobody will see it")
  func unseen() throws {
    let graph = try compile(
      persona(
        frames: [
          frame("session_frame", operators: ["respond", "gate"]), frame("short_term_frame"),
        ],
        operators: [try gate(), try shipped("respond"), try shipped("explain_operator")]))
    let warning = try #require(graph.warnings.first)
    #expect(warning.message.contains("`explain_operator` writes `explanation` after `gate`"))
  }

  @Test("each decision says where it leads")
  func consequences() throws {
    let graph = try compile(explained([gate()]))
    let node = try #require(graph.nodes.firstIndex { $0.definition.name == "gate" })
    let leads = graph.consequences(of: node, about: .output, isPending: false)
    #expect(leads.approve == "it goes out exactly as shown")
    #expect(leads.reject.contains("sent back to respond") && leads.reject.contains("denied"))
    #expect(leads.feedback.contains("session_frame"))
  }

  @Test("a decision about another text than the one that was asked about is refused")
  func shown() throws {
    let question = Question(
      key: EffectKey(frame: "a", visit: 1, operatorName: "gate", label: "review"),
      title: "May it?", subject: "output", payload: "the text")
    let approval = Approval(
      run: Identifier("r1"), question: question, askedAt: Timestamp(milliseconds: 0))
    try approval.check(HumanAnswer(.approve, by: "eve"))
    try approval.check(HumanAnswer(.approve, by: "eve", shown: approval.payloadDigest))
    #expect(throws: Failure.self) {
      try approval.check(HumanAnswer(.approve, by: "eve", shown: "another"))
    }
    #expect(throws: Failure.self) { try approval.check(HumanAnswer(.answer, text: "x", by: "eve")) }
  }

  @Test("what helps to decide is told in words")
  func words() {
    let decision: Value = ["decision": "reject", "by": "eve", "reason": "Name the risks."]
    #expect(decision.words == "eve rejected it: Name the risks.")
    #expect(
      (["decision": "approve", "by": "eve", "reason": .null] as Value).words == "eve approved it")
    let critique: Value = ["verdict": "revise", "reasons": ["too long", "no dates\nat all"]]
    #expect(critique.words == "verdict: revise\nreasons:\n  - too long\n  - no dates\n    at all")
  }
}

import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// Runs a machine without any driver: `answer` plays the outside.
struct MachineRun {
  var machine: RunMachine
  var order: [String] = []

  init(_ graph: Graph, input: String = "question") throws {
    machine = RunMachine(graph: graph)
    try machine.apply(.contextOpened(["session": [], "notes": [], "memories": []]))
    try machine.apply(.started(start(graph, input: input)))
  }

  /// Performs everything in the order it becomes due.
  mutating func play(_ answer: (Invocation) -> OperatorOutcome) throws {
    while machine.status == .running {
      let due = machine.due()
      if due.isEmpty { return }
      for invocation in due {
        order.append(invocation.step.operatorName + (invocation.review == nil ? "" : "?"))
        try machine.apply(.operatorFinished(invocation.step, answer(invocation)))
      }
    }
  }
}

/// Writes a text that tells what was seen, into everything the operator writes.
func echo(_ graph: Graph, _ invocation: Invocation) -> OperatorOutcome {
  let node = graph.nodes[invocation.node]
  return .wrote(
    node.writes.map { path in
      Update(path, .string("\(invocation.step.operatorName):\(invocation.step.visit)"))
    })
}

@Suite("Machine: scheduling, routes, people")
struct MachineTests {
  @Test("independent operators are due together, dependent ones wait")
  func overlap() throws {
    let graph = try compile(analyst())
    var run = try MachineRun(graph)
    #expect(run.machine.due().map(\.step.operatorName) == ["preference_agent", "recall"])
    #expect(run.machine.due().isEmpty)
    let step = { (frame: String, name: String) in Step(frame: frame, visit: 1, operatorName: name) }
    // Recall is done first; its turn to count comes after the preferences.
    try run.machine.apply(
      .operatorFinished(
        step("session_frame", "recall"), .wrote([Update("context.memories", ["m"])])))
    #expect(run.machine.state["context.memories"] == [])
    #expect(run.machine.due().isEmpty)
    try run.machine.apply(
      .operatorFinished(
        step("stateless_frame", "preference_agent"), .wrote([Update("constraints", ["k": 1])])))
    #expect(run.machine.state["context.memories"] == ["m"])
    let next = run.machine.due()
    #expect(next.map(\.step.operatorName) == ["respond"])
    #expect(next[0].view["constraints"] == ["k": 1])
    try run.machine.apply(
      .operatorFinished(step("session_frame", "respond"), .wrote([Update("draft", "d")])))
    #expect(run.machine.due().map(\.step.operatorName) == ["critic_agent"])
    try run.machine.apply(
      .operatorFinished(
        step("session_frame", "critic_agent"), .wrote([Update("critique", ["verdict": "pass"])])))
    #expect(
      run.machine.due().map(\.step.operatorName) == [
        "explain_operator", "alt_recommendation_operator", "remember",
      ])
  }

  @Test("the critic sends back at most twice, then the run goes on")
  func boundedRevision() throws {
    let graph = try compile(analyst())
    var run = try MachineRun(graph)
    try run.play { invocation in
      invocation.step.operatorName == "critic_agent"
        ? .wrote([Update("critique", ["verdict": "revise"])]) : echo(graph, invocation)
    }
    #expect(run.order.filter { $0 == "respond" }.count == 3)
    #expect(run.order.filter { $0 == "critic_agent" }.count == 3)
    #expect(run.order.filter { $0 == "recall" }.count == 1)
    guard case .finished(let output) = run.machine.status else {
      Issue.record("\(run.machine.status)")
      return
    }
    #expect(
      output
        == .string(
          """
          respond:3

          ## Why

          explain_operator:1

          ## Alternatives

          alt_recommendation_operator:1
          """))
  }

  @Test(
    "a person can approve, edit, send back, correct and stop what the critic escalates",
    arguments: [
      (HumanAnswer(.approve, by: "eve"), "respond:1", 1),
      (HumanAnswer(.edit, text: "mine", by: "eve"), "mine", 1),
      (HumanAnswer(.reject, text: "too bold", by: "eve"), "respond:2", 2),
      (HumanAnswer(.feedback, text: "add risks", by: "eve"), "respond:2", 2),
    ])
  func escalation(_ answer: HumanAnswer, _ draft: String, _ drafts: Int) throws {
    let graph = try compile(analyst())
    var run = try MachineRun(graph)
    var verdict = "escalate"
    try run.play { invocation in
      if invocation.review != nil {
        #expect(invocation.review == "draft")
        verdict = "pass"
        return .answered(answer)
      }
      if invocation.step.operatorName == "critic_agent" {
        return .wrote([Update("critique", ["verdict": .string(verdict)])])
      }
      if invocation.step.operatorName == "respond", drafts == 2 {
        return .wrote([
          Update("draft", .string(invocation.view["feedback"].isNull ? "respond:1" : "respond:2"))
        ])
      }
      return echo(graph, invocation)
    }
    #expect(run.machine.state["draft"] == .string(draft))
    #expect(run.order.filter { $0 == "respond" }.count == drafts)
    #expect(run.order.filter { $0 == "critic_agent?" }.count == 1)
    if drafts == 2 { #expect(run.machine.state["feedback"] == answer.text) }
    guard case .finished = run.machine.status else {
      Issue.record("\(run.machine.status)")
      return
    }
  }

  @Test("a correction re-enters at the short-term frame")
  func reentry() throws {
    let graph = try compile(analyst())
    var run = try MachineRun(graph)
    try run.play { invocation in
      if invocation.review != nil {
        return .answered(HumanAnswer(.feedback, text: "why?", by: "eve"))
      }
      if invocation.step.operatorName == "critic_agent" {
        return .wrote([Update("critique", ["verdict": "escalate"])])
      }
      return echo(graph, invocation)
    }
    #expect(
      run.order == [
        "preference_agent", "recall", "respond", "critic_agent", "critic_agent?", "respond",
        "explain_operator", "alt_recommendation_operator", "remember",
      ])
    #expect(run.machine.notes.first == "correction: why?")
  }

  @Test("a rejection without a reason ends the run as denied")
  func denied() throws {
    let graph = try compile(analyst())
    var run = try MachineRun(graph)
    try run.play { invocation in
      if invocation.review != nil { return .answered(HumanAnswer(.reject, by: "eve")) }
      if invocation.step.operatorName == "critic_agent" {
        return .wrote([Update("critique", ["verdict": "escalate"])])
      }
      return echo(graph, invocation)
    }
    guard case .failed(let failure) = run.machine.status else {
      Issue.record("\(run.machine.status)")
      return
    }
    #expect(failure.exitCode == 7)
  }

  @Test("a review before it counts holds the output back")
  func reviewBeforeItCounts() throws {
    let graph = try compile(
      persona(
        frames: [frame("a")],
        operators: [
          try model(
            "one", reads: ["input"], optional: ["feedback"], writes: [text("draft")],
            review: .always)
        ]))
    var run = try MachineRun(graph)
    let first = run.machine.due()
    try run.machine.apply(.operatorFinished(first[0].step, .wrote([Update("draft", "v1")])))
    #expect(run.machine.state["draft"].isNull)
    let review = run.machine.due()
    #expect(review.map(\.review) == ["draft"])
    #expect(review[0].view["draft"] == "v1")
    try run.machine.apply(
      .operatorFinished(first[0].step, .answered(HumanAnswer(.reject, text: "no", by: "eve"))))
    let again = run.machine.due()
    #expect(again.map(\.step.round) == [2])
    #expect(again[0].view["feedback"] == "no")
    try run.machine.apply(.operatorFinished(again[0].step, .wrote([Update("draft", "v2")])))
    try run.machine.apply(
      .operatorFinished(again[0].step, .answered(HumanAnswer(.edit, text: "v3", by: "eve"))))
    #expect(run.machine.status == .finished(output: "v3"))
  }

  @Test("branches run side by side and join")
  func branches() throws {
    let graph = try compile(
      persona(
        frames: [
          frame("a", operators: ["first"], parallel: ["b", "c"]),
          frame(
            "b", operators: ["left"],
            next: [try transition("b", when: "left == 'again'", atMost: 2)]),
          frame("c", operators: ["right"]), frame("d", operators: ["last"]),
        ],
        operators: [
          try model("first", reads: ["input"], writes: [text("plan")]),
          try model("left", reads: ["plan", "input"], writes: [text("left")]),
          try model("right", reads: ["plan", "input"], writes: [text("right")]),
          try model("last", reads: ["left", "right", "input"], writes: [text("draft")]),
        ]))
    var run = try MachineRun(graph)
    var together: [[String]] = []
    while run.machine.status == .running {
      let due = run.machine.due()
      together.append(due.map(\.step.operatorName))
      for invocation in due {
        let text = invocation.step.operatorName == "left" ? "again" : "x"
        try run.machine.apply(
          .operatorFinished(
            invocation.step,
            .wrote([Update(graph.nodes[invocation.node].writes[0], .string(text))])))
      }
    }
    #expect(together == [["first"], ["left", "right"], ["left"], ["left"], ["last"]])
  }

  @Test("guards choose the way, and the first that holds wins")
  func transitions() throws {
    let graph = try compile(
      persona(
        frames: [
          frame(
            "a",
            next: [
              try transition("c", when: "input == 'skip'"),
              try transition("end", when: "input == 'stop'"),
            ]), frame("b"), frame("c"),
        ],
        operators: [
          rule("first", in: "a", set: ["draft": "a"]), rule("second", in: "b", set: ["draft": "b"]),
          rule("third", in: "c", reads: ["draft"], set: ["third": 1]),
        ]))
    for (input, draft, third) in [("skip", "a", Value.int(1)), ("stop", "a", .null), ("", "b", 1)] {
      var run = try MachineRun(graph, input: input)
      try run.play { echo(graph, $0) }
      #expect(run.machine.status == .finished(output: .string(draft)))
      #expect(run.machine.state["third"] == third)
    }
  }

  @Test("a run that takes too many steps ends at its limit")
  func stepLimit() throws {
    let graph = try compile(
      persona(
        frames: [frame("a", next: [try transition("a", atMost: 1000)])],
        operators: [rule("tick", set: ["draft": "x"])], limits: RunLimits(steps: 10)))
    var run = try MachineRun(graph)
    try run.play { echo(graph, $0) }
    guard case .failed(let failure) = run.machine.status else {
      Issue.record("\(run.machine.status)")
      return
    }
    #expect(failure.exitCode == 8)
    #expect(run.machine.steps == 11)
  }

  @Test("a rule's condition that compares what cannot be compared counts as false, and is told")
  func ruleWarnings() throws {
    var sort = rule("sort", reads: ["thing"], set: ["draft": "never"])
    sort.rules[0].when = try Guard.compile("thing > 3")
    sort.rules.append(Rule(set: [("draft", .literal("always"))]))
    let graph = try compile(
      persona(frames: [frame("a")], operators: [rule("first", set: ["thing": "x"]), sort]))
    var run = try MachineRun(graph)
    try run.play { echo(graph, $0) }
    #expect(run.machine.status == .finished(output: "always"))
    let warnings = run.machine.drainEvents().compactMap { event in
      if case .warned(let message) = event { message } else { nil }
    }
    #expect(warnings.count == 1 && warnings.first?.contains("a rule of `sort`") == true)
  }

  @Test("an operator in a stateless frame sees input, preferences and metadata only")
  func statelessSees() throws {
    var state = State(["input": "i", "draft": "d", "metadata": ["m": 1]])
    state.write("s", at: "context.session")
    let read = state.reader(in: .stateless)
    #expect(read("input") == "i" && read("metadata.m") == 1)
    #expect(read("draft").isNull && read("context.session").isNull)
    #expect(state.reader(in: .session)("context.session") == "s")
  }
}

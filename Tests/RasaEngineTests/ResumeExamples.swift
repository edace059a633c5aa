import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// Runs of every kind, to be stopped after any line.
extension ResumeTests {
  /// A persona with what it is answered, to be stopped anywhere.
  struct Example: CustomTestStringConvertible {
    var name: String
    var persona: PersonaDefinition
    var script: FakeGate.Script = RunnerTests.script
    var decision: HumanAnswer?
    var testDescription: String { name }
  }

  private static func form() throws -> OperatorDefinition {
    try model(
      "form", reads: ["input"], writes: [Write(key: "facts", type: .object)],
      output: ["type": "object", "required": ["n"]])
  }

  static func examples() throws -> [Example] {
    [
      Example(name: "the first example", persona: try analyst()),
      Example(
        name: "approved",
        persona: persona(
          frames: [frame("session_frame")],
          operators: [try shipped("respond"), try shipped("hitl")]),
        decision: HumanAnswer(.approve, by: "eve")),
      Example(
        name: "corrected",
        persona: persona(
          frames: [frame("session_frame"), frame("short_term_frame")],
          operators: [
            try shipped("respond"), try shipped("hitl"), try shipped("explain_operator"),
          ]), decision: HumanAnswer(.edit, text: "edited", by: "eve")),
      Example(
        name: "branches",
        persona: persona(
          frames: [
            frame("a", operators: ["one"], parallel: ["b", "c"]),
            frame("b", operators: ["two", "three"]), frame("c", operators: ["four"]),
            frame("d", operators: ["five"]),
          ],
          operators: [
            try model("one", reads: ["input"], writes: [text("draft")]),
            try model("two", reads: ["draft"], writes: [text("k2")], prompt: "two {{draft}}"),
            try model("three", reads: ["k2"], writes: [text("k3")], prompt: "three {{k2}}"),
            try model("four", reads: ["draft"], writes: [text("k4")], prompt: "four {{draft}}"),
            try model(
              "five", reads: ["k3", "k4"], writes: [text("output")], prompt: "five {{k3}} {{k4}}"),
          ])),
      Example(
        name: "agents in frames, one inside another, two side by side",
        persona: persona(
          frames: [
            frame("plan", agent: "planner"), frame("build", agent: "manager"),
            frame("fork", operators: ["note"], parallel: ["l", "r"]),
            frame("l", agent: "left"), frame("r", agent: "right"),
            frame("end_note", agent: "learner"),
          ],
          operators: [rule("note", set: ["noted": "done"])]),
        script: { request, _, onEvent in try await FakeGate.stream("\(request.name) did", onEvent) }
      ),
      Example(
        name: "an agent that goes back twice",
        persona: persona(
          frames: [
            frame("o", agent: "planner"), frame("p", agent: "builder"),
            frame("q", agent: "checker"),
          ], operators: []),
        script: { request, _, onEvent in
          request.name == "loop_decision"
            ? #"{"again": true}"# : try await FakeGate.stream(request.name, onEvent)
        }),
      Example(
        name: "a person is asked inside an agent",
        persona: persona(
          frames: [frame("o", agent: "planner"), frame("p", agent: "supervised")], operators: []),
        script: { request, _, onEvent in try await FakeGate.stream(request.name, onEvent) },
        decision: HumanAnswer(.approve, by: "eve")),
      Example(
        name: "rules that lead on",
        persona: persona(
          frames: [
            frame("a", operators: ["one"]),
            frame(
              "b", operators: ["note"],
              next: [try transition("b", when: "draft != null", atMost: 3), try transition("c")]),
            frame("c", operators: ["two"]),
          ],
          operators: [
            try model("one", reads: ["input"], writes: [text("draft")]),
            rule("note", set: ["noted": "done"]),
            try model("two", reads: ["noted"], writes: [text("output")], prompt: "two {{noted}}"),
          ])),
      Example(
        name: "cut, continued, asked again with more room, cut for good",
        persona: persona(
          frames: [frame("a")],
          operators: [
            try form(),
            try model(
              "draft", reads: ["facts"], writes: [text("draft")], prompt: "draft {{facts}}"),
            try model(
              "side", reads: ["draft"], writes: [text("side")], prompt: "side {{draft}}"),
            try model(
              "output", reads: ["draft", "side"], writes: [text("output")],
              prompt: "output {{draft}} {{side}}"),
          ]),
        script: { request, context, onEvent in
          switch (request.name, context.key.label, context.key.occurrence) {
          case ("form", "call", _): return #"{"n": "# + FakeGate.cutMark
          case ("form", _, _): return #"{"n": 1}"#
          case ("side", "call", _): return "one" + FakeGate.cutMark
          case ("side", _, _): throw Failure(.budget, "nothing is left")
          case (_, "call", _): return try await FakeGate.streamCut("one two th", onEvent)
          case (_, _, 1): return try await FakeGate.streamCut("two three", onEvent)
          default: return try await FakeGate.stream("three four", onEvent)
          }
        }),
      Example(
        name: "an objection that stands, and an operator that is left out",
        persona: persona(
          frames: [frame("session_frame"), frame("short_term_frame")],
          operators: [
            try shipped("respond"), try shipped("critic_agent"),
            try model(
              "explain_operator", in: "short_term_frame", reads: ["draft"],
              writes: [text("explanation")], prompt: "why {{draft}}",
              onError: ErrorPolicy(otherwise: .skip)),
          ]),
        script: { request, _, onEvent in
          switch request.name {
          case "critic_agent": return #"{"verdict": "revise", "reasons": ["thin"]}"#
          case "explain_operator": throw Failure(.provider, "down")
          default: return try await FakeGate.stream(request.name, onEvent)
          }
        }),
      Example(
        name: "repaired, tried again, substituted",
        persona: persona(
          frames: [frame("a")],
          operators: [
            try form(),
            try model(
              "flaky", reads: ["facts"], writes: [text("draft")], prompt: "flaky {{facts}}",
              onError: ErrorPolicy(retry: 1, otherwise: .run("stand_in"))),
            try model(
              "stand_in", reads: ["facts"], writes: [text("draft")], prompt: "stand_in {{facts}}"),
          ]),
        script: { request, context, onEvent in
          switch context.key.label {
          case "call" where request.name == "form": return "no JSON"
          case "repair": return #"{"n": 1}"#
          case "call" where request.name == "flaky": throw Failure(.provider, "down")
          default: return try await FakeGate.stream(request.name, onEvent)
          }
        }),
    ]
  }
}

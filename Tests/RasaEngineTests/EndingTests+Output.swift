import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// Where the answer comes from, and how long it may take.
extension EndingTests {
  // MARK: Output

  @Test("where a way writes no output, what was written is the answer, and it is shown")
  func otherWay() async throws {
    func definition(_ first: [OperatorDefinition], _ second: OperatorDefinition) throws
      -> PersonaDefinition
    {
      persona(
        frames: [
          frame(
            "a", operators: first.map(\.name),
            next: [try transition("b", when: "input == 'more'"), try transition("end")]),
          frame("b", operators: [second.name]),
        ], operators: first + [second])
    }
    let gate = FakeGate { request, _, onEvent in try await FakeGate.stream(request.name, onEvent) }
    let draft = try model("one", reads: ["input"], writes: [text("draft")])
    let output = try model("two", reads: ["input"], writes: [text("output")])
    #expect(try await run(definition([draft], output), gate: gate).output == "one")
    let notes = try model("notes", reads: ["input"], writes: [text("notes")])
    #expect(try await run(definition([notes], output), gate: gate).output == "notes")
    // A composition that the way does not come by.
    let why = try model("why", reads: ["input"], writes: [text("explanation")])
    let composed = try await run(
      definition([draft, why], try shipped("compose")), gate: gate)
    #expect(composed.output == "one\n\n## Why\n\nwhy")
    // An output that says nothing is none.
    let empty = rule("blank", set: ["output": ""])
    #expect(
      try await run(
        persona(frames: [frame("a")], operators: [draft, empty]), gate: gate
      ).output == "one")
    await #expect(throws: Failure.self) {
      try await run(persona(frames: [frame("a")], operators: [empty]), gate: gate)
    }
  }

  // MARK: Time

  @Test("an agent has all the time of the run it works in, unless its file says less")
  func time() async throws {
    let asked = Locked<[Double?]>([])
    let gate = FakeGate { request, _, onEvent in
      asked.withLock { $0.append(request.timeout) }
      return try await FakeGate.stream(request.name, onEvent)
    }
    let definition = persona(
      frames: [frame("plan", agent: "planner"), frame("b", operators: ["one"])],
      operators: [try model("one", reads: ["input"], writes: [text("draft")])],
      limits: RunLimits(seconds: 900))
    _ = try await run(definition, gate: gate)
    _ = try await run(definition, gate: gate, options: RunOptions(seconds: 1_200))
    let hasty = persona(
      frames: [frame("plan", agent: "hasty"), frame("b", operators: ["one"])],
      operators: definition.operators, limits: RunLimits(seconds: 900))
    _ = try await run(hasty, gate: gate)
    // The last two work at the same time.
    let times = asked.withLock { $0.compactMap(\.self) }
    #expect(times.prefix(4) == [900, 900, 1_200, 1_200] && Set(times.dropFirst(4)) == [7, 900])
  }
}

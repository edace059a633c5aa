import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("Replays: every kind of change is found")
struct ReplayDifferenceTests {
  /// One operator drafts, another checks, and a person looks at it.
  static func definition(
    prompt: String = "Answer: {{input}}", schema: Value = ["type": "object"], limit: Int? = nil,
    more: [OperatorDefinition] = [], without: Set<String> = []
  ) throws -> PersonaDefinition {
    var drafter = try model(
      "respond", in: "session_frame", reads: ["input"], writes: [text("draft")], prompt: prompt)
    drafter.maxTokens = limit
    return persona(
      frames: [frame("session_frame")],
      operators: [
        drafter,
        try model(
          "critic", in: "session_frame", reads: ["draft"],
          writes: [Write(key: "critique", type: .object)], prompt: "Judge {{draft}}",
          output: schema),
        try shipped("hitl"),
      ].filter { !without.contains($0.name) } + more)
  }

  static func recorded() async throws -> Recording {
    var studio = try Studio(definition())
    studio.people = FakePeople { _ in HumanAnswer(.approve, by: "eve") }
    studio.script = { request, _, onEvent in
      request.schema == nil
        ? try await FakeGate.stream("a draft", onEvent) : #"{"verdict": "pass"}"#
    }
    return try await studio.record()
  }

  private func differences(
    _ definition: PersonaDefinition, _ edit: (inout Recording) -> Void = { _ in }
  ) async throws -> [Difference] {
    var recording = try await Self.recorded()
    edit(&recording)
    return try await recording.reread().differences(on: compile(definition))
  }

  @Test("a changed prompt is answered all the same, and its lines are told")
  func prompt() async throws {
    let found = try await differences(Self.definition(prompt: "Answer well: {{input}}"))
    guard found.count == 1, case .request(let key, let change) = found[0] else {
      Issue.record("\(found)")
      return
    }
    #expect(key.description == "session_frame:1/respond/call#1")
    #expect(
      change.messages == [
        RequestChange.Message(
          role: .user, expected: "Answer: question", found: "Answer well: question")
      ])
    #expect(change.parameters == [])
  }

  @Test("changed parameters are told one by one")
  func parameters() async throws {
    let schema: Value = ["type": "object", "properties": ["verdict": ["type": "string"]]]
    let found = try await differences(Self.definition(schema: schema, limit: 100))
    #expect(found.count == 2)
    guard case .request(_, let first) = found.first, case .request(_, let second) = found.last
    else { return }
    #expect(
      first.parameters
        == [RequestChange.Parameter(name: "max_tokens", expected: .null, found: 100)])
    #expect(second.parameters.map(\.name) == ["schema"])
  }

  @Test("a call that is new, and one that is not asked any more")
  func calls() async throws {
    let extra = try model(
      "extra", in: "session_frame", reads: ["input"], writes: [text("more")])
    let new = try await differences(Self.definition(more: [extra]))
    #expect(
      new.contains { difference in
        if case .newCall(let key, _) = difference { key.operatorName == "extra" } else { false }
      })
    // What is known of the rest is compared all the same, and the run does not come to its end.
    #expect(new.contains(.status(expected: .done, found: .parked)))
    #expect(!new.contains { if case .missingCall = $0 { true } else { false } })

    let missing = try await differences(Self.definition(without: ["critic"]))
    #expect(
      missing.contains { difference in
        if case .missingCall(let key) = difference { key.operatorName == "critic" } else { false }
      })
    #expect(missing.contains { if case .path = $0 { true } else { false } })
    #expect(missing.contains { if case .state(key: "critique", _, _) = $0 { true } else { false } })
    #expect(missing.contains(.calls(expected: 2, found: 1)))
  }

  @Test("a person would see something else; a question that is gone")
  func questions() async throws {
    let changed = try await differences(Self.definition()) { recording in
      for index in recording.effects.indices {
        if case .call(var call) = recording.effects[index], call.key.operatorName == "respond",
          case .answer(var answer) = call.outcome
        {
          answer.text = "another draft"
          call.outcome = .answer(answer)
          recording.effects[index] = .call(call)
        }
      }
    }
    #expect(
      changed.contains { difference in
        if case .question(_, "a draft", "another draft") = difference { true } else { false }
      })
    #expect(changed.contains(.output(expected: "a draft", found: "another draft")))
    let gone = try await differences(Self.definition(without: ["hitl"]))
    #expect(gone.contains { if case .missingQuestion = $0 { true } else { false } })
    let new = try await differences(Self.definition()) { recording in
      recording.effects.removeAll { $0.isQuestion }
    }
    #expect(new.contains { if case .newQuestion = $0 { true } else { false } })
  }

  @Test("expectations that were edited by hand", arguments: [0, 1, 2, 3, 4, 5])
  func expectations(_ which: Int) async throws {
    let found = try await differences(Self.definition()) { recording in
      switch which {
      case 0: recording.expected.output = "something else"
      case 1: recording.expected.state["draft"] = "something else"
      case 2: recording.expected.path.removeLast()
      case 3: recording.expected.status = .parked
      case 4: recording.expected.calls = 7
      default: recording.expected.cost = .dollar
      }
    }
    // Only a run that is done is expected to have an output.
    #expect(found.count == (which == 3 ? 2 : 1))
    switch (which, found.last) {
    case (0, .output), (1, .state), (2, .path), (3, .status), (4, .calls), (5, .cost): break
    default: Issue.record("\(which): \(found)")
    }
  }

  @Test("another failure, and none any more")
  func failures() async throws {
    var studio = try Studio(Self.definition())
    studio.script = { _, _, _ in throw Failure(.provider, "it is down") }
    var recording = try await studio.record()
    #expect(recording.expected.failure?.message == "it is down")
    recording.expected.failure?.message = "it is up"
    let found = try await recording.differences(on: studio.graph)
    #expect(found.count == 1)
    // An operator that is done without does not fail the run.
    var definition = try Self.definition()
    definition.operators[0].onError = ErrorPolicy(otherwise: .skip)
    definition.operators[1].optionalReads = ["draft"]
    let other = try await recording.differences(on: compile(definition))
    #expect(other.contains { if case .failure(_, found: nil) = $0 { true } else { false } })
  }

  @Test("memories that were not looked up before, and not any more")
  func recall() async throws {
    let plain = try Studio(
      persona(frames: [frame("session_frame"), frame("long_term_frame")], operators: []))
    let without = try Studio(persona(frames: [frame("session_frame")], operators: []))
    let gone = try await plain.record().differences(on: without.graph)
    #expect(gone.contains { if case .missingRecall = $0 { true } else { false } })
    let new = try await without.record().differences(on: plain.graph)
    #expect(new.contains { if case .newRecall = $0 { true } else { false } })
  }

  @Test("several things at once are all found, and an update takes them over")
  func update() async throws {
    let recording = try await Self.recorded()
    var definition = try Self.definition(prompt: "Say: {{input}}", limit: 5)
    definition.description = "Another description."
    definition.operators.append(rule("stamp", set: ["stamp": "done"]))
    let graph = try compile(definition)
    let replayed = try await Replay(recording, on: graph).run()
    #expect(replayed.differences.count >= 4)
    #expect(replayed.isComplete)
    let updated = try replayed.observed.reread()
    #expect(try await updated.differences(on: graph) == [])
    #expect(updated.expected.state["stamp"] == "done")
    let extra = try Self.definition(more: [
      try model("extra", in: "session_frame", reads: ["input"], writes: [text("more")])
    ])
    #expect(try await Replay(recording, on: compile(extra)).run().isComplete == false)
  }

  @Test("a request that the file leaves out is not compared")
  func leftOut() async throws {
    let found = try await differences(Self.definition(prompt: "Say: {{input}}")) { recording in
      for index in recording.effects.indices {
        if case .call(var call) = recording.effects[index] {
          call.request = nil
          recording.effects[index] = .call(call)
        }
      }
    }
    #expect(found == [])
  }

  @Test("the same replay gives the same result each time, whatever runs beside it")
  func deterministic() async throws {
    let studio = try Studio(shipped: "strategic_stock_analyst")
    var recording = try await studio.record()
    recording.expected.path.removeAll()
    let first = try await recording.differences(on: studio.graph)
    let all = try await withThrowingTaskGroup(of: [Difference].self) { group in
      for _ in 0..<20 {
        group.addTask { [recording] in try await recording.differences(on: studio.graph) }
      }
      return try await group.reduce(into: [[Difference]]()) { $0.append($1) }
    }
    #expect(all.allSatisfy { $0 == first })
  }
}

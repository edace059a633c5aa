import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// Operators that ask the user for something.
@Suite("Asking the user")
struct AskingTests {
  private static let form: Value = [
    "type": "object",
    "properties": [
      "budget": ["type": "integer"], "city": ["type": "string"],
      "flexible": ["type": "boolean"], "tags": ["type": "array", "items": ["type": "string"]],
    ], "required": ["budget", "city"],
  ]

  private func asking(form: Value? = nil, standard: Value? = nil) throws -> OperatorDefinition {
    var asking = OperatorDefinition(
      name: "clarify", kind: .human, reads: ["input"],
      writes: [form == nil ? text("wish") : Write(key: "wish", type: .object)])
    asking.ask = try Template.compile("What do you mean by “{{input}}”?")
    asking.output = form
    asking.standardAnswer = standard
    return asking
  }

  private func traveller(_ asking: OperatorDefinition) throws -> PersonaDefinition {
    persona(
      frames: [frame("session_frame")],
      operators: [
        asking,
        try model(
          "respond", reads: ["input", "wish"], writes: [text("draft")],
          prompt: "{{input}}: {{wish}}"),
      ])
  }

  private func run(
    _ definition: PersonaDefinition, gate: FakeGate, store: FakeStore = FakeStore(),
    people: FakePeople
  ) async throws -> RunResult {
    let graph = try compile(definition)
    let runner = Runner(
      RunDependencies(
        gate: gate, journal: store, memory: store, approvalHandler: people, time: .still()))
    return try await runner.run(graph, start(graph))
  }

  @Test("the answer is written to the operator's key and is in the journal; later ones read it")
  func text_() async throws {
    let store = FakeStore()
    let people = FakePeople { question in
      #expect(question.form == .answer)
      #expect(question.asks == "What do you mean by “question”?")
      return HumanAnswer(.answer, text: "A quiet place.", by: "eve")
    }
    let gate = FakeGate { request, _, onEvent in
      #expect(request.messages.last?.text.contains("A quiet place.") == true)
      return try await FakeGate.stream(request.name, onEvent)
    }
    let result = try await run(
      traveller(asking()), gate: gate, store: store, people: people)
    #expect(result.state["wish"] == "A quiet place.")
    #expect(store.kinds.filter { $0.hasPrefix("human.") } == ["human.asked", "human.answered"])
  }

  @Test("an answer with a form is checked against it")
  func form() throws {
    var question = Question(
      key: EffectKey(frame: "a", visit: 1, operatorName: "clarify", label: "ask"), title: "Where?",
      subject: "wish", payload: ["ask": "Where?", "form": Self.form], schema: Self.form)
    question.form = .answer
    #expect(question.asks == "Where?")
    #expect(question.members.map(\.name) == ["budget", "city", "flexible", "tags"])
    #expect(question.members.map(\.isRequired) == [true, true, false, false])
    let whole = try question.reply(#"{"budget": 1200, "city": "Porto"}"#, by: "eve")
    #expect(whole.text == ["budget": 1200, "city": "Porto"] && whole.decision == .answer)
    let members = try question.reply(
      members: [
        ("budget", "1200"), ("city", "12"), ("flexible", "yes"), ("tags", "sea, old town"),
      ], by: "eve")
    #expect(
      members.text
        == ["budget": 1200, "city": "12", "flexible": true, "tags": ["sea", "old town"]])
    for wrong in ["{}", "Porto", #"{"budget": "much", "city": "Porto"}"#, ""] {
      #expect(throws: Failure.self) { try question.reply(wrong, by: "eve") }
    }
    #expect(try question.problem(ofMember: "budget", "much") != nil)
    #expect(try question.problem(ofMember: "budget", "12") == nil)
    #expect(throws: Failure.self) { try question.edit("an edit", by: "eve") }
  }

  @Test("an answer that nobody gives parks the run; a refusal to answer fails it")
  func noAnswer() async throws {
    let gate = FakeGate { request, _, onEvent in try await FakeGate.stream(request.name, onEvent) }
    let parked = try await run(
      traveller(asking()), gate: gate, people: FakePeople { _ in nil })
    #expect(parked.waitsFor.map(\.question.form) == [.answer] && parked.output.isNull)
    do {
      _ = try await run(
        traveller(asking()), gate: gate,
        people: FakePeople { _ in HumanAnswer(.reject, text: "That is private.", by: "eve") })
      Issue.record("went on")
    } catch let failure as Failure {
      #expect(failure.kind == .approval && failure.message.contains("That is private."))
    }
  }

  @Test("a question is kept and read back with everything that its answer depends on")
  func coding() throws {
    var question = Question(
      key: EffectKey(frame: "a", visit: 1, operatorName: "clarify", label: "ask"), title: "Where?",
      subject: "wish", payload: "Where?", schema: Self.form)
    question.form = .answer
    question.standard = "Porto"
    question.consequences = Question.Consequences(
      approve: "a", edit: "e", reject: "r", feedback: "f")
    #expect(Question(key: question.key, question.value) == question)
  }

  @Test("who asks the user is no reviewer: nothing leads back from it")
  func graph() throws {
    let graph = try compile(traveller(asking()))
    #expect(graph.nodes.allSatisfy { !$0.mayLeave })
    #expect(graph.nodes.contains { $0.isLive })
    let other = try compile(traveller(asking(standard: "Porto")))
    #expect(graph.digest != other.digest)
  }
}

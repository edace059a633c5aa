import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("A model that asks the user")
struct AskUserTests {
  private func ask(
    _ arguments: Value, _ answer: @escaping @Sendable (ToolQuestion) -> HumanAnswer?
  ) async throws -> ToolResult {
    let step = Step(frame: "a", visit: 1, operatorName: "one")
    let use = ToolUse(
      run: Identifier("r"), step: step, key: step.effect("tool:ask_user"), name: "ask_user",
      arguments: arguments, idempotencyKey: "k")
    guard
      case .result(let result) = try await AskUserTool().perform(
        use, ToolContext(ask: { answer($0) }))
    else { throw Failure(.run, "no result") }
    return result
  }

  @Test("gets the answer, a refusal, or that nobody is there")
  func answers() async throws {
    let text = try await ask(["question": "When?"]) { question in
      #expect(question.message == "When?" && question.schema?["required"] == ["answer"])
      return HumanAnswer(.answer, text: ["answer": "In May."], by: "eve")
    }
    #expect(text.text == "In May." && !text.isError)
    let form: Value = ["type": "object", "properties": ["day": ["type": "integer"]]]
    let object = try await ask(["question": "When?", "schema": form]) { question in
      #expect(question.schema == form)
      return HumanAnswer(.answer, text: ["day": 3], by: "eve")
    }
    #expect(object.structured == ["day": 3])
    #expect(try await ask(["question": "When?"]) { _ in nil }.text.hasPrefix("Nobody answered"))
    let refused = try await ask(["question": "When?"]) { _ in
      HumanAnswer(.reject, text: "That is private.", by: "eve")
    }
    #expect(refused.text.contains("That is private."))
    for wrong in [["question": " "], ["question": "x", "schema": ["type": "object"]], [:]]
      as [Value]
    {
      #expect(try await ask(wrong) { _ in nil }.isError)
    }
  }

  @Test("is offered the tool where its operator says so, and goes on with the answer")
  func offered() async throws {
    for mayAsk in [true, false] {
      let graph = try ToolLoopTests.graph(["look"]) { $0.mayAsk = mayAsk }
      let store = FakeStore()
      let script = ToolScript(turns: [[call("ask_user", ["question": "When?"])]])
      let people = FakePeople { question in
        #expect(question.form == .answer && question.payload["ask"] == "When?")
        return HumanAnswer(.answer, text: ["answer": "In May."], by: "eve")
      }
      var outside = ResumeTests.dependencies(script.gate(store), store, people)
      outside.tools = FixedTools(["look": ToolLoopTests.look()])
      let result = try await Runner(outside).run(graph, start(graph))
      #expect(result.output.promptText.contains("In May.") == mayAsk)
      guard mayAsk else { continue }
      let made = try await Recording.make(of: store.snapshot.entries, on: graph)
      #expect(made.differences == [])
      let replayed = try await Replay(made.recording.reread(), on: graph).run()
      #expect(replayed.result?.output == result.output)
    }
  }
}

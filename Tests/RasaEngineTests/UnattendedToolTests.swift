import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("Tools that nobody is asked about")
struct UnattendedToolTests {
  private func found(
    _ rules: [String], persona theirs: [String] = [], reviewed: Bool = false
  ) throws -> [String] {
    func rule(_ text: String) throws -> ToolRule { try ToolRuleLoader.rule(text, named: "rule") }
    let use = OperatorDefinition(
      name: "use", kind: .tool, reads: ["input"], writes: [Write(key: "sent", type: .any)],
      tools: ["send"])
    let look = OperatorDefinition(
      name: "look", kind: .tool, reads: ["input"], writes: [Write(key: "seen", type: .any)],
      tools: ["look"])
    var definition = persona(
      frames: [frame("a")],
      operators: [
        try model("write", reads: ["input"], writes: [text("draft")], prompt: "{{input}}")
      ] + (reviewed ? [try shipped("hitl")] : []) + [look, use])
    definition.policy = try theirs.map(rule)
    let graph = try Graph.compile(
      definition, operators: shipped, delegates: worker, tools: ["send", "look"])
    return graph.unattendedTools(try rules.map(rule)) { $0 == "look" ? SideEffects.none : nil }
      .map { "\($0.tool)\($0.mayChange ? "!" : "")" }
  }

  @Test("are those that a rule allows and those that change nothing, with nobody on the way")
  func listed() throws {
    #expect(try found([]) == ["look"])
    #expect(try found(["{allow: send}"]) == ["look", "send!"])
    #expect(try found(["{allow: send, arguments: {input: x}}"]) == ["look", "send!"])
    #expect(try found(["{ask: '*'}"]) == [])
    #expect(try found(["{deny: send}", "{allow: send}"]) == ["look"])
    #expect(
      try found(["{deny: send, arguments: {input: x}}", "{allow: send}"]) == ["look", "send!"])
    #expect(try found(["{allow: send}"], persona: ["{ask: send}"]) == ["look"])
    #expect(try found(["{allow: send}"], reviewed: true) == [])
  }
}

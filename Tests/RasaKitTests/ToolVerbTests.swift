import RasaCore
import RasaKit
import RasaTestKit
import Testing

@Suite("RasaKit: tools", .timeLimit(.minutes(1))) struct ToolVerbTests {
  private static let user = """
    name: user
    description: Uses a tool.
    frames: [session_frame]
    operators:
      - {name: use, kind: tool, tools: [stock_level], reads: [input], arguments: {article: "{{input}}"}, writes: {draft: any}}

    """

  private func tool(_ name: String = "stock_level") -> Rasa.Tool {
    Rasa.Tool(
      name: name, description: "How many pieces are in stock.",
      parameters: [
        "type": "object", "properties": ["article": ["type": "string"]], "required": ["article"],
      ], sideEffects: .none
    ) { use in
      ["pieces": 3, "of": Rasa.JSON(use.arguments["article"].text)]
    }
  }

  @Test("a tool in Swift is listed, used by an operator, and called by itself")
  func registered() async throws {
    let kit = try Kit()
    try kit.rasa.register(tool())
    let listed = try await kit.rasa.tools()
    #expect(listed.map(\.name) == ["stock_level"] && listed[0].kind == "function")
    try await kit.rasa.register(persona: Self.user)
    let run = try await kit.rasa.run(persona: "user", input: "a chair")
    let result = try await run.result()
    #expect(result.output["of"] == "a chair" && result.output["pieces"] == 3)
    let called = try await kit.rasa.call(tool: "stock_level", arguments: ["article": "{{x}}"])
    #expect(called.output["of"] == "{{x}}")
    let totals = try await kit.rasa.timeline(ofRun: called.run).totals
    #expect(totals.tools == 1 && totals.answered == 0)
    let report = try #require(try await kit.rasa.validatePersonas(["user"]).first)
    #expect(report.mostCalls == 0 && report.mostToolUses == 1 && report.mostCost == .zero)
    #expect(report.unattendedTools.map(\.tool) == ["stock_level"])
    // Nothing in arguments means anything here.
    var echo = tool("echo")
    echo.parameters = ["type": "object"]
    echo.perform = { use in use.arguments }
    try kit.rasa.register(echo)
    let odd: Rasa.JSON = [
      "a": "{{input}}", "b": "metadata", "c": "metadata.a0", "d": ["e": ["{{ x | y }}", 1.5]],
      "f": "input", "g": 1.10, "h": .null,
    ]
    #expect(try await kit.rasa.call(tool: "echo", arguments: odd).output == odd)
    #expect(kit.rasa.unregister(tool: "stock_level"))
    await #expect(throws: RasaError.self) { try await kit.rasa.call(tool: "stock_level") }
    await kit.rasa.close()
  }

  @Test(
    "names and schemas are checked when a tool is registered, and a second one of a name is an error"
  )
  func mistakes() async throws {
    let kit = try Kit()
    #expect(throws: RasaError.self) { try kit.rasa.register(tool("Not A Name")) }
    var wrong = tool()
    wrong.parameters = ["type": "array"]
    #expect(throws: RasaError.self) { try kit.rasa.register(wrong) }
    try kit.rasa.register(tool())
    #expect(throws: RasaError.self) { try kit.rasa.register(tool()) }
    try kit.rasa.register(tool(), replacing: true)
    await kit.rasa.close()
  }

  @Test("what files declare is described without being started")
  func declared() async throws {
    let kit = try Kit(files: [
      "home/config.yaml":
        "tools:\n  quote: {kind: http, url: \"https://example.com/{symbol}\", side_effects: none}\n",
      "home/mcp.json": #"{"mcpServers": {"time": {"command": "no-such-program"}}}"#,
    ])
    let tools = try await kit.rasa.tools()
    #expect(tools.map(\.name) == ["mcp:time", "quote"])
    #expect(tools.map(\.status) == [.unapproved, .ready])
    let quote = try await kit.rasa.details(ofTool: "quote")
    #expect(quote.tools.first?.parameters["required"] == ["symbol"])
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.call(tool: "mcp:time/now")
    }
    #expect(error?.code == .approval)
    let check = try await kit.rasa.checkTools(["mcp:time"])
    #expect(check.first?.status == .broken && check.first?.problem?.code == .approval)
    await kit.rasa.close()
  }
}

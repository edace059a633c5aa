import RasaCore
import RasaEngine
import RasaPersona
import Testing

/// What operators list under `tools:` is looked up when the persona is read.
@Suite("Graph: names of tools") struct ToolNamesTests {
  private static func declared(_ name: String, isServer: Bool) -> ToolDeclaration {
    ToolDeclaration(
      name: name,
      kind: isServer
        ? .mcp(MCPServer(.stdio(command: ["x"], environment: [:], folder: nil)))
        : .http(HTTPTool(url: "https://example.com", parameters: ["type": "object"])),
      location: SourceLocation(file: "config.yaml", line: 1, column: 1))
  }

  private func graph(
    _ tools: [String], own: [ToolDeclaration] = [], isForeign: Bool = false,
    declared: @escaping DeclaredTools = {
      [Self.declared("time", isServer: true), Self.declared("quote", isServer: false)]
    }
  ) throws -> Graph {
    var work = try model("work", reads: ["input"], writes: [text("draft")])
    work.tools = tools
    work.hasForeignTools = isForeign
    var definition = persona(frames: [frame("a", operators: ["work"])], operators: [work])
    definition.tools = own
    return try Graph.compile(
      definition, operators: shipped, delegates: worker, tools: ["function"], declared: declared)
  }

  @Test(
    "declared tools, functions, operators and agents are known",
    arguments: ["mcp:time", "mcp:time/now", "mcp:time/n*", "quote", "function", "critic_agent"])
  func known(name: String) throws {
    #expect(try graph([name]).nodes.first?.definition.tools == [name])
  }

  @Test(
    "an unknown name is an error with the nearest one",
    arguments: [
      ("mcp:tiem", "did you mean `mcp:time`?"), ("qoute", "did you mean `quote`?"),
      ("mcp:quote", "rasa tools list"), ("time", "write `mcp:time`"),
      ("nothing_like", "tools list"),
      ("agent:nobody-there", "rasa agents list"),
    ])
  func unknown(name: String, suggestion: String) {
    let failure = #expect(throws: Failure.self) { try graph([name]) }
    #expect(failure?.suggestion.contains(suggestion) == true, "\(String(describing: failure))")
    #expect(failure?.kind == .configuration)
  }

  @Test("a persona's own declarations count, and change the digest that a run is pinned to")
  func own() throws {
    let one = try graph(["news"], own: [Self.declared("news", isServer: false)])
    var changed = Self.declared("news", isServer: false)
    changed.timeout = 3
    #expect(try graph(["news"], own: [changed]).digest != one.digest)
  }

  @Test("of a list that another program's file has, what only that program knows is left out")
  func foreign() throws {
    let graph = try graph(["Read", "quote", "mcp:time", "mcp:gone/x"], isForeign: true)
    #expect(graph.nodes.first?.definition.tools == ["quote", "mcp:time"])
    #expect(graph.warnings.contains { $0.description.contains("mcp:gone/x") })
  }

  @Test("without a list no file is read")
  func lazy() throws {
    _ = try graph([]) { () throws(Failure) in
      Issue.record("the files were read")
      return []
    }
  }
}

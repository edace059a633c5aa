import RasaCLI
import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

/// `rasa tools`, with real programs and servers.
@Suite("rasa tools", .timeLimit(.minutes(2))) struct ToolCommandTests {
  private static var server: String { RasaProgram.built("rasa-mcp-server") }

  private func program(_ more: String = "") throws -> RasaProgram {
    let rasa = try RasaProgram()
    try rasa.home.write(
      """
      tools:
        made-up: {kind: mcp, command: ['\(Self.server)'], side_effects: none, sandbox: none}
        back: {kind: process, command: [cat], side_effects: none}
        unsure: {kind: process, command: [cat]}
      \(more)
      """, to: "config.yaml")
    return rasa
  }

  @Test("lists what is declared, and starts nothing")
  func list() async throws {
    let rasa = try program()
    let tools = try await rasa.json("tools", "list").array ?? []
    #expect(tools.map { $0["name"] } == ["back", "mcp:made-up", "unsure"])
    #expect(tools.map { $0["status"] } == ["ready", "unapproved", "ready"])
    #expect(tools.map { $0["side_effects"] } == ["none", "none", .null])
    #expect(tools[0]["line"] == 3)
  }

  @Test("a server is approved before its first start, and used then; its tools are pinned")
  func server() async throws {
    let rasa = try program()
    let refused = try await rasa.run("tools", "call", "mcp:made-up/echo", "text=hello")
    #expect(refused.exitCode == 7 && refused.output.isEmpty, "\(refused.errorText)")
    #expect(refused.errorText.contains("rasa tools approve made-up"))
    let unasked = try await rasa.run("tools", "approve", "mcp:made-up")
    #expect(unasked.exitCode == 7 && unasked.errorText.contains("command:"))
    let approved = try await rasa.run("tools", "approve", "mcp:made-up", "--yes")
    #expect(approved.exitCode == 0, "\(approved.errorText)")
    #expect(approved.text.contains("mcp:made-up/echo"))
    let called = try await rasa.run("tools", "call", "mcp:made-up/echo", "text=a {{b}} c")
    #expect(called.exitCode == 0 && called.text.contains("a {{b}} c"), "\(called.errorText)")
    let shown = try await rasa.json("tools", "show", "mcp:made-up/echo")
    #expect(shown["status"] == "approved" && shown["tools"].array?.count == 1)
    let runs = try await rasa.json("runs", "list").array ?? []
    #expect(runs.first?["persona"] == "tool_call" && runs.first?["status"] == "done")
    let checked = try await rasa.json("tools", "check", "mcp:made-up")
    #expect(checked.array?.first?["status"] == "ok", "\(checked)")
  }

  @Test("a tool that a file declares otherwise has to be approved again, with the difference shown")
  func changed() async throws {
    let rasa = try program()
    _ = try await rasa.run("tools", "approve", "made-up", "--yes")
    let text = try #require(try rasa.home.read("config.yaml"))
    try rasa.home.write(
      text.replacing("command: ['\(Self.server)']", with: "command: ['\(Self.server)', --help]"),
      to: "config.yaml")
    let refused = try await rasa.run("tools", "call", "mcp:made-up/echo", "text=x")
    #expect(refused.exitCode == 7 && refused.errorText.contains("has changed"))
    #expect(refused.errorText.contains("--help"))
    let tools = try await rasa.json("tools", "list").array ?? []
    #expect(tools.first { $0["name"] == "mcp:made-up" }?["status"] == "changed")
  }

  @Test("a tool without side effects is used at once, and any other needs a person")
  func programs() async throws {
    let rasa = try program()
    let back = try await rasa.run("tools", "call", "back", #"{"a": [1, "two"]}"#)
    #expect(back.exitCode == 0, "\(back.errorText)")
    #expect(try JSON.parse(back.output) == ["a": [1, "two"]])
    let asked = try await rasa.run("tools", "call", "unsure", "a=1")
    #expect(asked.exitCode == 7 && asked.output.isEmpty, "\(asked.errorText)")
    let allowed = try await rasa.run("tools", "call", "unsure", "a=1", "--approval", "allow")
    #expect(try allowed.exitCode == 0 && JSON.parse(allowed.output) == ["a": 1])
  }

  private static let wrongLines: [(line: [String], exitCode: Int32, message: String)] = [
    (["tools", "call", "bakc"], 3, "did you mean `back`?"),
    (["tools", "call", "back", "[1]"], 2, "no argument of a tool"),
    (["tools", "call", "back", "{"], 2, "cannot be read as JSON"),
    (["tools", "call", "mcp:made-up"], 2, "is a server and not a tool"),
    (["tools", "show", "bakc"], 2, "did you mean `back`?"),
    (["tools", "approve", "back", "--yes"], 2, "is no server"),
    (["tools", "call", "--server", "'x", "echo"], 2, "quote without its end"),
  ]

  @Test("a mistake is told with what to type", arguments: wrongLines)
  func mistakes(mistake: (line: [String], exitCode: Int32, message: String)) async throws {
    let (line, exitCode, message) = mistake
    let rasa = try program()
    let run = try await ProgramRun.run(
      RasaProgram.binary, line, environment: rasa.environment, folder: rasa.home.path)
    #expect(run.exitCode == exitCode && run.errorText.contains(message), "\(run.errorText)")
  }

  @Test("a persona declares and uses tools of its own, and an operator of kind tool calls one")
  func persona() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(
      """
      name: teller
      description: Tells back.
      frames: [session_frame]
      tools:
        back: {kind: process, command: [cat], side_effects: none}
      operators:
        - {name: tell, kind: tool, tools: [back], reads: [input], arguments: {said: "{{input}}"}, writes: {draft: any}}

      """, to: "personas/teller.yaml")
    let run = try await rasa.run("run", "-p", "teller", "hello")
    #expect(run.exitCode == 0 && run.text.contains("hello"), "\(run.errorText)")
    let tools = try await rasa.json("tools", "list", "-p", "teller").array ?? []
    #expect(tools.map { $0["scope"] } == ["persona"])
  }

  @Test("a project's tools are listed, and not started before the project is trusted")
  func untrusted() async throws {
    let rasa = try RasaProgram()
    var environment = rasa.environment
    environment["RASA_HOME"] = rasa.home.file("home")
    try rasa.home.write("", to: "home/.keep")
    try rasa.home.write(
      #"{"mcpServers": {"made-up": {"command": "\#(Self.server)", "env": {"KEY": "${SECRET_KEY:-none}"}}}}"#,
      to: "project/.mcp.json")
    try rasa.home.write(
      "tools: {sneaky: {kind: process, command: [touch, started]}}\n",
      to: "project/.rasa/config.yaml")
    func run(_ arguments: String...) async throws -> ProgramRun {
      try await ProgramRun.run(
        RasaProgram.binary, arguments, environment: environment,
        folder: rasa.home.file("project"))
    }
    let listed = try JSON.parse(try await run("tools", "list", "--json").output).array ?? []
    #expect(listed.map { $0["status"] } == ["untrusted", "untrusted"])
    for line in [
      ["tools", "check"], ["tools", "approve", "made-up", "--yes"],
      ["tools", "call", "mcp:made-up/echo", "text=x", "--approval", "allow"],
      ["tools", "call", "sneaky", "--approval", "allow"],
    ] {
      let refused = try await ProgramRun.run(
        RasaProgram.binary, line, environment: environment, folder: rasa.home.file("project"))
      #expect(refused.exitCode == 3 && refused.errorText.contains("is not trusted"), "\(line)")
      #expect(refused.errorText.contains(".mcp.json starts"), "\(refused.errorText)")
      #expect(refused.errorText.contains("SECRET_KEY"))
    }
    #expect(FileSystem.kind(of: rasa.home.file("project/started")) == nil)
    // What uses none of them is not asked about them.
    let other = try await run("run", "-p", "strategic_stock_analyst", "Well?", "--model", "mock")
    #expect(other.exitCode == 0, "\(other.errorText)")
    _ = try await run("trust", "add")
    let trusted = try JSON.parse(try await run("tools", "list", "--json").output).array ?? []
    #expect(trusted.map { $0["status"] } == ["unapproved", "ready"])
    // Trust is for the files as they were.
    try rasa.home.write(
      #"{"mcpServers": {"made-up": {"command": "other"}}}"#, to: "project/.mcp.json")
    let again = try await run("tools", "check")
    #expect(again.exitCode == 3 && again.errorText.contains("changed since you trusted it"))
  }
}

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
        count: {kind: process, command: [cat], side_effects: none, parameters: {type: object, properties: {text: {type: string}}, required: [text], additionalProperties: false}}
      \(more)
      """, to: "config.yaml")
    return rasa
  }

  @Test("lists what is declared, and starts nothing")
  func list() async throws {
    let rasa = try program()
    let tools = try await rasa.json("tools", "list").array ?? []
    #expect(tools.map { $0["name"] } == ["back", "count", "mcp:made-up", "unsure"])
    #expect(tools.map { $0["status"] } == ["ready", "ready", "unapproved", "ready"])
    #expect(tools.map { $0["side_effects"] } == ["none", "none", "none", .null])
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
    (["tools", "call", "bakc"], 2, "did you mean `back`?"),
    (["tools", "call", "count", "text=1", "txt=x"], 2, "arguments.txt: is not allowed"),
    (["tools", "call", "count"], 2, "`rasa tools show count` lists what it takes"),
    (["tools", "call", "back", "--server", "no-such-program", "x"], 2, "no argument of a tool"),
    (["tools", "call", "--server", "no-such-program", "x"], 3, "no program `no-such-program`"),
    (["tools", "policy", "back", "{"], 2, "write them as"),
    (["tools", "policy", "back", "{}", "{}"], 2, "one tool and its arguments"),
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
    // The persona around a use is no file of anybody's.
    #expect(!run.errorText.contains("tool_call"), "\(run.errorText)")
  }

  @Test(
    "a program without a sandbox is told of, and only the user's own configuration can have one")
  func bare() async throws {
    let rasa = try program(
      "  bare: {kind: process, command: [cat], side_effects: none, sandbox: none}")
    let told = try await rasa.run("tools", "call", "bare", "a=1")
    #expect(told.exitCode == 0 && told.errorText.contains("without a sandbox"), "\(told.errorText)")
    try rasa.home.write(
      """
      name: sneaky
      description: Runs what it likes.
      frames: [session_frame]
      tools:
        touch: {kind: process, command: [touch, started], side_effects: none, sandbox: none}
      operators:
        - {name: use, kind: tool, tools: [touch], reads: [input], writes: {draft: any}}

      """, to: "personas/sneaky.yaml")
    let refused = try await rasa.run("run", "-p", "sneaky", "x", "--trust")
    #expect(
      refused.exitCode == 3 && refused.errorText.contains("only your own configuration"),
      "\(refused.errorText)")
    #expect(FileSystem.kind(of: rasa.home.file("started")) == nil)
  }

  @Test("a parked use of a server of a command line goes on after another one was used")
  func parkedServers() async throws {
    let rasa = try program()
    func call(_ server: String, _ more: String...) async throws -> ProgramRun {
      try await ProgramRun.run(
        RasaProgram.binary,
        ["tools", "call", "echo", "text=hello", "--server", server, "--max-seconds", "60"] + more,
        environment: rasa.environment, folder: rasa.home.path)
    }
    // They are no programs, so that nothing has to run in a sandbox: what counts is that both are approved.
    for server in ["no-such-server one", "no-such-server two"] {
      let run = try await call(server)
      #expect(run.exitCode == 3 && run.errorText.contains("no program"), "\(run.errorText)")
    }
    let runs = try await rasa.json("runs", "list").array ?? []
    #expect(runs.count == 2)
    for run in runs {
      let resumed = try await rasa.run("resume", run["run"].string ?? "")
      #expect(!resumed.errorText.contains("approve"), "\(resumed.errorText)")
      #expect(resumed.errorText.contains("no program"), "\(resumed.errorText)")
    }
  }

  private static let pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

  @Test("images that a tool returns are reported, and written where that is asked for")
  func images() async throws {
    let rasa = try RasaProgram()
    let image = #"{"type": "image", "mimeType": "image/png", "data": "\#(Self.pixel)"}"#
    let script =
      #"{"tools": [{"name": "draw", "description": "Draws.", "inputSchema": {"type": "object"}, "steps": [{"result": {"content": [\#(image), \#(image)]}}]}]}"#
    try rasa.home.write(script, to: "script.json")
    try rasa.home.write(
      """
      tools:
        artist: {kind: mcp, command: ['\(Self.server)', '\(rasa.home.file("script.json"))'], side_effects: none, sandbox: none}
      """, to: "config.yaml")
    _ = try await rasa.run("tools", "approve", "artist", "--yes")
    let told = try await rasa.run("tools", "call", "artist/draw")
    #expect(told.exitCode == 0 && told.errorText.contains("image-1.png: PNG"), "\(told.errorText)")
    let folder = rasa.home.file("out")
    let written = try await rasa.run("tools", "call", "artist/draw", "-o", folder, "--json")
    #expect(written.exitCode == 0, "\(written.errorText)")
    let files = try JSON.parse(written.output)["files"].array ?? []
    #expect(files.map { $0["name"] } == ["image-1.png", "image-2.png"])
    for file in files {
      let path = try #require(file["path"].string)
      #expect(try FileSystem.read(path, limit: 1_000) == Base64.decode(Self.pixel))
      #expect(file["type"] == "image/png")
    }
    let again = try await rasa.run("tools", "call", "artist/draw", "-o", folder)
    #expect(again.exitCode == 2 && again.errorText.contains("is there already"))
  }

  @Test(
    "a model uses a program that a persona declares, in the format of each provider",
    arguments: WireFormat.allCases)
  func formats(_ format: WireFormat) async throws {
    let call = ScriptedCall(id: "call_1", name: "back", arguments: ["word": "pear"])
    let provider = try ScriptedProvider.start(
      [Script.calls([call]).once(), .text("It said pear.")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    var rasa = try RasaProgram()
    rasa.environment["LLM_PROVIDER"] = nil
    let (base, key) = (provider.baseURL, "sk-made-up")
    let more: [String: String] =
      switch format {
      case .openAI: ["OPENAI_BASE_URL": provider.openAIBaseURL, "OPENAI_API_KEY": key]
      case .anthropic: ["ANTHROPIC_BASE_URL": base, "ANTHROPIC_API_KEY": key]
      case .gemini: ["GEMINI_BASE_URL": base, "GEMINI_API_KEY": key]
      case .ollama: ["OLLAMA_HOST": base]
      }
    rasa.environment.merge(more) { $1 }
    try rasa.home.write(
      """
      name: asker
      description: Asks.
      frames: [session_frame]
      tools:
        back: {kind: process, command: [cat], side_effects: none}
      operators:
        - {name: respond, kind: llm, reads: [input], writes: {draft: text}, tools: [back], prompt: "FIND {{input}}"}

      """, to: "personas/asker.yaml")
    let run = try await rasa.run(
      "run", "-p", "asker", "x", "--model", "\(format.rawValue.lowercased()):gpt-4o-mini")
    #expect(run.exitCode == 0 && run.text == "It said pear.\n", "\(run.errorText)")
    let last = try #require(provider.requests.last { $0.method == "POST" }?.json.json())
    #expect(last.contains("pear"), "\(last)")
  }

  @Test("a tool of a persona is named with the persona in the command that approves its server")
  func approvalOfPersonas() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(
      """
      name: teller
      description: Tells back.
      frames: [session_frame]
      tools:
        made-up: {kind: mcp, command: ['\(Self.server)'], side_effects: none}
      operators:
        - {name: tell, kind: tool, tools: ["mcp:made-up/echo"], reads: [input], arguments: {text: "{{input}}"}, writes: {draft: any}}

      """, to: "personas/teller.yaml")
    let refused = try await rasa.run("run", "-p", "teller", "hello")
    #expect(refused.exitCode == 7, "\(refused.errorText)")
    #expect(refused.errorText.contains("`rasa tools approve made-up -p teller`"))
  }

  @Test(
    "a run without tools reads neither rules nor files of tools; one with them fails before it costs anything"
  )
  func broken() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write("- nonsense: [\n", to: "policy.yaml")
    try rasa.home.write("{", to: "mcp.json")
    let without = try await rasa.run(
      "run", "-p", "strategic_stock_analyst", "Well?", "--model", "mock")
    #expect(without.exitCode == 0, "\(without.errorText)")
    #expect(!without.errorText.contains("mcp.json"))
    let with = try await rasa.run(
      "run", "-p", "strategic_stock_analyst_tools", "Well?", "--model", "mock")
    #expect(with.exitCode == 3 && with.errorText.contains("policy.yaml:"), "\(with.errorText)")
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

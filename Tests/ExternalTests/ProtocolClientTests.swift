import RasaCore
import RasaDocuments
import RasaKit
import RasaServer
import RasaTestKit
import Testing

/// The official clients of MCP and ACP, as `Scripts/setup.sh external` installs them, with `rasa mcp`, `/mcp` and
/// `rasa acp`.
@Suite("Official clients of MCP and ACP", .timeLimit(.minutes(5))) struct ProtocolClientTests {
  /// The newest client, which begins without `initialize`, and the newest of those that begin with it.
  static let environments = [("protocols", "2026-07-28"), ("mcp-1", "2025-11-25")]

  private static let stuck = Script.text("One moment please wait").with {
    $0.breaking = (after: 2, .silence)
  }

  private func setting(_ script: Script) throws -> (RasaProgram, ScriptedProvider) {
    let provider = try ScriptedProvider.start([script], models: ["gpt-4o-mini"])
    let program = try RasaProgram(provider)
    try program.writeSingle()
    try program.home.write(
      """
      ---
      name: careful-writer
      description: Writes what a person has to approve.
      recommended_models: {primary: "openai:gpt-4o-mini"}
      quality_gates: [human_approval]
      ---
      You write.
      """, to: "agents/careful-writer.md")
    return (program, provider)
  }

  private func client(
    _ environment: String, _ script: String, _ arguments: [String], _ program: RasaProgram
  ) async throws -> Value {
    let run = try await ProgramRun.run(
      Repository.path(".build/clients/\(environment)/bin/python"),
      [Repository.path("Tests/ExternalTests/Clients/\(script)")] + arguments,
      environment: program.environment, folder: program.home.path)
    #expect(run.exitCode == 0, "\(run.errorText.suffix(3_000))")
    return try JSON.parse(run.output)
  }

  private func status(_ program: RasaProgram) async throws -> String? {
    try JSON.parse(await program.run("runs", "list", "--json").output).array?.first?["status"]
      .string
  }

  // MARK: MCP over pipes

  private func mcp(
    _ environment: String, _ action: String, _ tool: String, _ program: RasaProgram
  ) async throws -> Value {
    try await client(
      environment, "mcp_client.py", [action, tool, "How is it?", RasaProgram.binary, "mcp"], program
    )
  }

  @Test("an MCP client lists and calls, with progress", arguments: environments)
  func call(environment: String, revision: String) async throws {
    let (program, provider) = try setting(.text("All is well."))
    let seen = try await mcp(environment, "call", "single", program)
    #expect(seen["revision"] == .string(revision))
    #expect(seen["tools"].array?.contains("single") == true)
    #expect(seen["result"]["content"].array?.first?["text"] == "All is well.", "\(seen)")
    #expect(seen["result"]["structuredContent"]["mock"] == false)
    #expect(seen["progress"].json().contains("openai:gpt-4o-mini"))
    #expect(provider.requests.count == 1)
  }

  @Test("an MCP client approves by elicitation", arguments: environments)
  func approve(environment: String, revision: String) async throws {
    let (program, provider) = try setting(.text("Draft."))
    let seen = try await mcp(environment, "approve", "careful-writer", program)
    #expect(seen["asked"].array?.count == 1 && seen["asked"].json().contains("Draft."))
    #expect(seen["result"]["content"].array?.first?["text"] == "Draft.", "\(seen)")
    #expect(provider.requests.count == 1)
    #expect(try await status(program) == "done")
  }

  @Test("an MCP client that cannot ask is told that the run waits", arguments: environments)
  func waits(environment: String, revision: String) async throws {
    let (program, provider) = try setting(.text("Draft."))
    let seen = try await mcp(environment, "call", "careful-writer", program)
    #expect(
      seen["result"]["isError"] == true && !seen["result"].json().contains("Draft."), "\(seen)")
    #expect(provider.requests.count == 1)
    #expect(try await status(program) == "parked")
  }

  @Test("an MCP client cancels a call, and the server goes on", arguments: environments)
  func cancel(environment: String, revision: String) async throws {
    let (program, provider) = try setting(Self.stuck)
    let seen = try await mcp(environment, "cancel", "single", program)
    #expect(seen["tools"].array?.contains("single") == true)
    #expect(try await status(program) == "interrupted")
    #expect(provider.requests.count <= 1)
  }

  // MARK: MCP over HTTP

  @Test("an MCP client does the same over HTTP", arguments: environments)
  func http(environment: String, revision: String) async throws {
    let (program, provider) = try setting(.text("Draft."))
    let home = program.home.path
    let rasa = try Rasa(home: home, project: home, environment: program.environment)
    var settings = ServerSettings()
    settings.port = 0
    settings.token = "the-token-of-these-tests"
    let server = try Server.start(rasa, settings)
    let target = ["http://127.0.0.1:\(server.port)/mcp", "the-token-of-these-tests"]
    for (action, tool) in [("call", "single"), ("approve", "careful-writer")] {
      let seen = try await client(
        environment, "mcp_client.py", [action, tool, "How is it?"] + target, program)
      #expect(seen["revision"] == .string(revision))
      #expect(seen["result"]["content"].array?.first?["text"] == "Draft.", "\(seen)")
      #expect(seen["progress"].array?.isEmpty == false)
    }
    #expect(provider.requests.count == 2)
    await server.stop(grace: .seconds(1))
    await rasa.close()
  }

  // MARK: ACP

  private func acp(
    _ action: String, _ who: [String], _ program: RasaProgram
  ) async throws -> (seen: Value, text: String) {
    let seen = try await client(
      "protocols", "acp_client.py", [action, "How is it?", RasaProgram.binary, "acp"] + who, program
    )
    let pieces =
      seen["updates"].array?.filter { $0["sessionUpdate"] == "agent_message_chunk" } ?? []
    return (seen, pieces.map { $0["content"]["text"].string ?? "" }.joined())
  }

  @Test("an ACP client gets an answer, and its conversation again")
  func prompt() async throws {
    let (program, provider) = try setting(.text("All is well."))
    let (seen, text) = try await acp("prompt", ["--persona", "single"], program)
    #expect(text == "All is well." && seen["stop"] == "end_turn", "\(seen)")
    #expect(seen["options"] == 1)
    let loaded = try await acp("load", ["--persona", "single"], program).seen["updates"].array
    #expect(loaded?.map { $0["content"]["text"] } == ["How is it?", "All is well."])
    #expect(provider.requests.count == 2)
  }

  @Test("an ACP client is asked for permission")
  func permission() async throws {
    let (program, provider) = try setting(.text("Draft."))
    let (seen, text) = try await acp("approve", ["--agent", "careful-writer"], program)
    #expect(seen["asked"].array?.count == 1 && text == "Draft.", "\(seen)")
    #expect(try await status(program) == "done" && provider.requests.count == 1)
  }

  /// The first pieces have arrived by then.
  @Test("an ACP client cancels a prompt")
  func cancelPrompt() async throws {
    let (program, provider) = try setting(Self.stuck)
    let (seen, _) = try await acp("cancel", ["--persona", "single"], program)
    #expect(seen["stop"] == "cancelled", "\(seen)")
    #expect(try await status(program) == "interrupted" && provider.requests.count == 1)
  }
}

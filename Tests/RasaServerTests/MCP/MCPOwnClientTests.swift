import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaKit
import RasaPersona
import RasaProcess
import RasaSystem
import RasaTestKit
import RasaTools
import Testing

@testable import RasaServer

/// rasa's own client for MCP servers, with rasa as the server.
@Suite("rasa as a server of rasa", .timeLimit(.minutes(2)))
struct MCPOwnClientTests {
  private func use(
    _ declaration: ToolDeclaration, _ setting: ServingSetting
  ) async throws {
    var own = MCPServers.Setting(
      http: HTTPClient(), environment: setting.program.environment, time: .system,
      attachment: { _, name throws(Failure) in throw Failure(.run, "\(name) is not expected") },
      launcher: BareLauncher())
    // However busy the machine is, it is not taken for a server that does not know the question.
    own.limits.probe = 60
    let servers = MCPServers(own)
    let listing = try await servers.tools(of: declaration)
    #expect(listing.agreement?.isModern == true && listing.refused.isEmpty)
    let tool = try #require(listing.tools.first { $0.definition.name == "single" })
    let step = Step(frame: "session_frame", visit: 1, operatorName: "asker")
    let progress = Locked(0)
    var context = ToolContext()
    context.progress = { _ in progress.withLock { $0 += 1 } }
    let outcome = try await tool.perform(
      ToolUse(
        run: Identifier("run_1"), step: step, key: step.effect("tool:single"),
        name: tool.description.name, arguments: ["input": "How is it?"], idempotencyKey: "run_1"),
      context)
    guard case .result(let result) = outcome else {
      Issue.record("it asks for input: \(outcome)")
      return await servers.end()
    }
    #expect(!result.isError && result.text.contains("All is well."), "\(result)")
    #expect(progress.withLock { $0 } > 0)
    await servers.end()
  }

  @Test("lists and calls over pipes")
  func program() async throws {
    let setting = try ServingSetting([.text("All is well.")])
    try await use(
      ToolDeclaration(
        name: "rasa",
        kind: .mcp(
          MCPServer(
            .stdio(
              command: [RasaProgram.binary, "mcp"], environment: setting.program.environment,
              folder: setting.program.home.path))),
        location: SourceLocation(file: "mcp.json", line: 1, column: 1)), setting)
  }

  @Test("lists and calls over HTTP")
  func http() async throws {
    let setting = try ServingSetting([.text("All is well.")])
    let home = setting.program.home.path
    let rasa = try Rasa(home: home, project: home, environment: setting.program.environment)
    var settings = ServerSettings()
    settings.port = 0
    settings.token = "the-token-of-these-tests"
    let server = try Server.start(rasa, settings)
    try await use(
      ToolDeclaration(
        name: "rasa",
        kind: .mcp(
          MCPServer(
            .http(
              url: "http://127.0.0.1:\(server.port)/mcp",
              headers: [Header(name: "Authorization", value: "Bearer the-token-of-these-tests")],
              oauth: nil))),
        location: SourceLocation(file: "mcp.json", line: 1, column: 1)), setting)
    await server.stop(grace: .seconds(1))
    await rasa.close()
  }
}

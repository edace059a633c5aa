import RasaCore
import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaSystem
import RasaTestKit
import RasaTools
import Testing

/// Servers that others wrote, of both eras, as `Scripts/setup.sh external` installs them.
@Suite("Real MCP servers", .timeLimit(.minutes(3))) struct MCPServerTests {
  private func server(_ environment: String, _ command: String...) -> ToolDeclaration {
    let program = Repository.path(".build/mcp-servers/\(environment)/bin/\(command[0])")
    return ToolDeclaration(
      name: command[0],
      kind: .mcp(
        MCPServer(
          .stdio(command: [program] + command.dropFirst(), environment: [:], folder: nil))),
      location: SourceLocation(file: "mcp.json", line: 1, column: 1))
  }

  private func servers() -> MCPServers {
    MCPServers(
      MCPServers.Setting(
        http: HTTPClient(), environment: Environment.ofProcess().variables, time: .system,
        attachment: { _, name throws(Failure) in
          throw Failure(.run, "\(name) is nothing that these tests expect")
        }, launcher: BareLauncher()))
  }

  private func call(
    _ tools: [MCPTool], _ name: String, _ arguments: Value
  ) async throws -> ToolResult {
    let tool = try #require(tools.first { $0.definition.name == name })
    let step = Step(frame: "session_frame", visit: 1, operatorName: "asker")
    let outcome = try await tool.perform(
      ToolUse(
        run: Identifier("run_1"), step: step, key: step.effect("tool:\(name)"),
        name: tool.description.name, arguments: arguments, idempotencyKey: "run_1/\(name)"),
      ToolContext())
    guard case .result(let result) = outcome else {
      throw Failure(.run, "it asks for input: \(outcome)")
    }
    return result
  }

  @Test("mcp-server-time converts times, and explains its errors")
  func time() async throws {
    let servers = servers()
    let listing = try await servers.tools(
      of: server("current", "mcp-server-time", "--local-timezone", "UTC"))
    #expect(listing.agreement?.isModern == true)
    #expect(listing.refused.isEmpty)
    let result = try await call(
      listing.tools, "convert_time",
      ["source_timezone": "Europe/Berlin", "time": "12:00", "target_timezone": "Asia/Tokyo"])
    #expect(!result.isError && result.value.json().contains("Asia/Tokyo"), "\(result)")
    let wrong = try await call(
      listing.tools, "convert_time",
      ["source_timezone": "Nowhere/Else", "time": "12:00", "target_timezone": "Asia/Tokyo"])
    #expect(wrong.isError && wrong.text.contains("Nowhere/Else"), "\(wrong)")
    let missing = try await call(listing.tools, "get_current_time", .emptyObject)
    #expect(missing.isError, "\(missing)")
    await servers.end()
  }

  @Test("mcp-server-git reads a repository, several calls at once")
  func git() async throws {
    let scratch = ScratchDirectory()
    let run = try await ProgramRun.run(
      "/bin/sh",
      [
        "-euc",
        """
        git init -q . && git config user.email ada@example.com && git config user.name Ada
        echo hello > a.txt && git add a.txt && git commit -q -m 'Add a greeting' && echo more >> a.txt
        """,
      ], environment: ["PATH": "/usr/bin:/bin", "HOME": scratch.path], folder: scratch.path)
    #expect(run.exitCode == 0, "\(run.errorText)")
    let servers = servers()
    let tools = try await servers.tools(
      of: server("current", "mcp-server-git", "--repository", scratch.path)
    ).tools
    let path: Value = .string(scratch.path)
    let texts = try await withThrowingTaskGroup(of: (String, String).self) { group in
      for name in ["git_status", "git_diff_unstaged", "git_log"] {
        group.addTask { (name, try await self.call(tools, name, ["repo_path": path]).text) }
      }
      return try await group.reduce(into: [String: String]()) { $0[$1.0] = $1.1 }
    }
    #expect(texts["git_status"]?.contains("a.txt") == true, "\(texts)")
    #expect(texts["git_diff_unstaged"]?.contains("+more") == true, "\(texts)")
    #expect(texts["git_log"]?.contains("Add a greeting") == true, "\(texts)")
    await servers.end()
  }

  /// It refuses addresses of this machine, so that what can be tried without a network is that its refusal arrives.
  @Test("mcp-server-fetch refuses a page of this machine, and says so as an error of its tool")
  func fetch() async throws {
    let web = try RawServer([
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    ])
    let servers = servers()
    let tools = try await servers.tools(
      of: server("current", "mcp-server-fetch")
    ).tools
    let result = try await call(tools, "fetch", ["url": .string("\(web.baseURL)/prices")])
    #expect(result.isError && result.text.contains("127.0.0.1"), "\(result)")
    await servers.end()
  }

  @Test("mcp-server-sqlite, of the era of `initialize`, writes and reads")
  func sqlite() async throws {
    let scratch = ScratchDirectory()
    let servers = servers()
    let listing = try await servers.tools(
      of: server("sqlite", "mcp-server-sqlite", "--db-path", scratch.file("notes.db")))
    #expect(listing.agreement?.isModern == false)
    let tools = listing.tools
    _ = try await call(
      tools, "create_table", ["query": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)"])
    _ = try await call(
      tools, "write_query", ["query": "INSERT INTO notes (text) VALUES ('tea'), ('milk')"])
    let result = try await call(
      tools, "read_query", ["query": "SELECT text FROM notes ORDER BY id"])
    #expect(result.text.contains("tea") && result.text.contains("milk"), "\(result)")
    let wrong = try await call(tools, "read_query", ["query": "DELETE FROM notes"])
    #expect(wrong.text.lowercased().contains("error"), "\(wrong)")
    await servers.end()
  }

  @Test("a server of the command line is used in the sandbox, and nothing of it is left")
  func commandLine() async throws {
    let rasa = try RasaProgram()
    let program = Repository.path(".build/mcp-servers/current/bin/mcp-server-time")
    let run = try await rasa.run(
      "tools", "call", "--server", "'\(program)' --local-timezone UTC", "convert_time",
      #"{"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}"#,
      "--approval", "allow")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(!run.errorText.contains("without a sandbox"), "\(run.errorText)")
    #expect(try JSON.parse(run.output)["time_difference"] == "+9.0h")
    #expect(try JSON.parse(await rasa.run("tools", "list", "--json").output) == [])
  }
}

import RasaCore
import RasaDocuments
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaProcess
import RasaSystem
import RasaTestKit

@testable import RasaTools

/// Servers for a test, with the programs that were started for them.
final class MCPSetting: Sendable {
  let servers: MCPServers
  let started = Locked<[ChildProcess]>([])

  init(
    limits: MCPLimits = MCPLimits(), time: TimeSource = .system,
    environment: [String: String] = ["PATH": "/usr/bin:/bin"],
    authorizer: (any RequestAuthorizer)? = nil, client: HTTPClient = HTTPClient()
  ) {
    let started = started
    var setting = MCPServers.Setting(
      http: client, environment: environment, time: time,
      attachment: imagesByTheirBeginning
    ) { (command, declaration) throws(Failure) in
      let program = try BareLauncher().start(command, in: declaration.sandbox)
      started.withLock { $0.append(program) }
      return program
    }
    setting.limits = limits
    setting.authorizer = { _ in authorizer }
    servers = MCPServers(setting)
  }

  /// The tools by their names on the server.
  func tools(_ declaration: ToolDeclaration) async throws -> [String: MCPTool] {
    let listing = try await servers.tools(of: declaration)
    return Dictionary(listing.tools.map { ($0.definition.name, $0) }) { first, _ in first }
  }

  func call(
    _ declaration: ToolDeclaration, _ tool: String, _ arguments: Value = .emptyObject,
    _ context: ToolContext = ToolContext()
  ) async throws -> ToolOutcome {
    let tools = try await tools(declaration)
    guard let tool = tools[tool] else { throw Failure(.usage, "there is no tool \(tool)") }
    return try await tool.perform(use(tool.description.name, arguments), context)
  }
}

/// Enough of a reader for what these tests send.
let imagesByTheirBeginning: MCPContent.AttachmentReading = { (bytes, name) throws(Failure) in
  guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) else {
    throw Failure(.run, "it is neither an image nor a PDF")
  }
  return Attachment(name: name, type: .png, bytes: bytes)
}

func use(_ name: String, _ arguments: Value = .emptyObject) -> ToolUse {
  let step = Step(frame: "session_frame", visit: 1, operatorName: "asker")
  return ToolUse(
    run: Identifier("run_1"), step: step, key: step.effect("tool:\(name)"), name: name,
    arguments: arguments,
    idempotencyKey: "run_1/\(name)")
}

/// A scripted server as a program.
func program(_ script: Value = .emptyObject, mayAsk: Bool = false) -> ToolDeclaration {
  var declaration = ToolDeclaration(
    name: "box",
    kind: .mcp(
      MCPServer(
        .stdio(
          command: [RasaProgram.built("rasa-mcp-server"), "--script", script.json()],
          environment: [:], folder: nil))),
    location: SourceLocation(file: "persona.yaml", line: 3, column: 5))
  declaration.mayAsk = mayAsk
  return declaration
}

/// A scripted server over HTTP.
func remote(_ server: ScriptedMCPServer, mayAsk: Bool = false) -> ToolDeclaration {
  var declaration = ToolDeclaration(
    name: "net", kind: .mcp(MCPServer(.http(url: server.url, headers: [], oauth: nil))),
    location: SourceLocation(file: "persona.yaml", line: 3, column: 5))
  declaration.mayAsk = mayAsk
  return declaration
}

func tool(_ name: String, _ steps: Value..., input: Value = ["type": "object"]) -> Value {
  [
    "name": .string(name), "description": "Made up.", "inputSchema": input,
    "steps": .array(steps),
  ]
}

extension ToolOutcome {
  var text: String {
    if case .result(let result) = self { result.text } else { "\(self)" }
  }
  var isError: Bool {
    if case .result(let result) = self { result.isError } else { false }
  }
  var request: ToolInputRequest? {
    if case .inputRequired(let request) = self { request } else { nil }
  }
}

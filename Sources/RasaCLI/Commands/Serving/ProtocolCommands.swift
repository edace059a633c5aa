import Glibc
import RasaCore
import RasaKit
import RasaServer
import RasaSystem
import RasaTerminal

/// `rasa mcp` and `rasa acp`: what a client has started to talk to, over standard input and output.
enum ProtocolCommands {
  static func mcp(_ command: ParsedCommand, _ rasa: Rasa, _ console: Console) async throws {
    let program = MCPProgram(rasa, offering: command.arguments)
    try await program.check()
    try await serve("MCP", console) {
      try await program.serve(input: STDIN_FILENO, output: console.output)
    }
  }

  static func acp(_ command: ParsedCommand, _ console: Console, trusts: Bool) async throws {
    let choice: ACPProgram.Choice
    switch (command.text("persona"), command.text("agent")) {
    case (nil, nil): choice = .best
    case (let name?, nil): choice = .persona(name)
    case (nil, let id?): choice = .agent(id)
    default:
      throw Failure(
        .usage, "`--persona` and `--agent` exclude each other", suggestion: "give one of them")
    }
    let program = ACPProgram(choice) { folder in
      var configuration = Rasa.Configuration.forCurrentUser(
        project: folder, environment: console.environment.variables)
      configuration.trustsProject = trusts
      return try Rasa(configuration, onWarning: console.warn)
    } note: { text in
      try? console.note("rasa: \(printable(text))\n")
    }
    try await serve("ACP", console) {
      try await program.serve(input: STDIN_FILENO, output: console.output)
    }
  }

  /// - Parameter serve: returns how many runs were under way when the client had gone.
  private static func serve(
    _ name: String, _ console: Console, _ serve: @escaping @Sendable () async throws -> Int
  ) async throws {
    if StandardInput.kind == .terminal {
      try console.note(
        "rasa: waiting for \(name) messages on standard input; clients start this command themselves\n"
      )
    }
    try await interruptible { _ in
      let count = try await serve()
      if count > 0 {
        let runs = count == 1 ? "1 run was" : "\(count) runs were"
        try? console.note(
          "rasa: \(runs) under way when the client left; parked: `rasa resume` lists what can go on\n"
        )
      }
      try Task.checkCancellation()
    }
  }
}

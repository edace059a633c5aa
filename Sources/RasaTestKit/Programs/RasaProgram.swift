/// The built program in a home of its own, with a provider to talk to when there is one.
package struct RasaProgram {
  package let home: ScratchDirectory
  package var environment: [String: String]

  package init(_ provider: ScriptedProvider? = nil) throws {
    home = ScratchDirectory()
    environment = [
      "RASA_HOME": home.path, "HOME": home.path, "USER": "tester", "PATH": "/usr/bin:/bin",
      "TZ": TestZone.noon,
    ]
    if let provider {
      environment["OPENAI_BASE_URL"] = provider.openAIBaseURL
      environment["OPENAI_API_KEY"] = "sk-made-up"
      environment["LLM_MODEL"] = "gpt-4o-mini"
    } else {
      environment["LLM_PROVIDER"] = "mock"
    }
  }

  package init(home: ScratchDirectory, environment: [String: String]) {
    self.home = home
    self.environment = environment
  }

  package static var binary: String { built("rasa") }

  /// A program of this package. Programs are built into the folder of the test bundle.
  package static func built(_ name: String) -> String {
    let bundle = CommandLine.arguments[0]
    return (bundle.lastIndex(of: "/").map { String(bundle[...$0]) } ?? "./") + name
  }

  package func run(_ arguments: String..., input: String = "") async throws -> ProgramRun {
    try await ProgramRun.run(
      Self.binary, arguments, environment: environment, input: Array(input.utf8),
      folder: home.path)
  }

  package func shell(_ script: String) async throws -> ProgramRun {
    try await ProgramRun.run(
      "/bin/sh", ["-c", script], environment: environment.merging(["RASA": Self.binary]) { $1 },
      folder: home.path)
  }

  package func terminal(_ arguments: String...) throws -> TerminalSession {
    try TerminalSession(
      Self.binary, arguments, environment: environment, folder: home.path)
  }

  package func terminal(columns: Int32, _ arguments: [String]) throws -> TerminalSession {
    try TerminalSession(
      Self.binary, arguments, environment: environment, folder: home.path, columns: columns)
  }

  /// A persona of one streamed answer.
  package func writeSingle(_ more: String = "") throws {
    try home.write(
      "name: single\ndescription: One answer.\nframes: [session_frame]\noperators: []\n\(more)",
      to: "personas/single.yaml")
  }
}

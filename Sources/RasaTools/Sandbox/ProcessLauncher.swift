package import RasaCore
package import RasaPersona
package import RasaProcess

/// How programs, servers and scripts are started: in what a declaration allows them, and nothing beyond.
package protocol ProcessLauncher: Sendable {
  /// - Throws: a `Failure` that says what is missing, wrong or refused, before anything has run.
  func start(
    _ command: ChildCommand, in sandbox: ToolSandbox
  ) async throws(Failure) -> ChildProcess
}

/// Starts everything without a sandbox, for tests.
package struct BareLauncher: ProcessLauncher {
  package init() {}

  package func start(
    _ command: ChildCommand, in sandbox: ToolSandbox
  ) throws(Failure) -> ChildProcess {
    try ChildProcess.start(command)
  }
}

package import RasaCore
package import RasaHTTPClient
package import RasaPersona
package import RasaProcess
package import RasaSystem

/// Looks at the machine when the first program starts, so that runs without one do not wait for that.
package struct LaterLauncher: ProcessLauncher {
  private let environment: Environment
  private let folders: RasaFolders
  private let network: @Sendable () throws(Failure) -> NetworkSettings
  private let warn: @Sendable (String) -> Void

  /// - Parameter network: the user's proxies, by which hosts are reached.
  package init(
    environment: Environment, folders: RasaFolders,
    network: @escaping @Sendable () throws(Failure) -> NetworkSettings,
    warn: @escaping @Sendable (String) -> Void
  ) {
    self.environment = environment
    self.folders = folders
    self.network = network
    self.warn = warn
  }

  package func start(
    _ command: ChildCommand, in sandbox: ToolSandbox
  ) async throws(Failure) -> ChildProcess {
    let settings = SandboxSettings(environment, folders: folders, network: try network())
    return try await SandboxLauncher(settings, warn: warn).start(command, in: sandbox)
  }
}

package import RasaCore
import RasaHTTPClient
import RasaPersona
import RasaSystem
package import RasaTools

extension CompositionRoot {
  /// What starts programs, each in what its declaration allows. The machine is looked at when the first one starts.
  package func launcher(
    onWarning: @escaping @Sendable (Warning) -> Void
  ) -> any ProcessLauncher {
    LaterLauncher(
      environment: environment, folders: folders, network: { () throws(Failure) in try network() },
      warn: { onWarning(Warning($0)) })
  }

  /// What asks hooks, with those of the configuration.
  func hookClient(
    _ launcher: any ProcessLauncher, _ client: @escaping @Sendable () throws -> HTTPClient
  ) throws(Failure) -> HookClient {
    HookClient(
      try configuration().hooks, environment: environment.variables, client: client,
      launcher: launcher)
  }
}

import RasaCore
import RasaHTTPClient
import RasaProcess
import RasaSystem

/// The way out of one sandbox that reaches hosts by name: rasa's proxy outside, and a `rasa` that opens the way inside.
final class EgressGate: Sendable {
  private let proxy: EgressProxy
  private let helper: String
  let mounts: [SandboxMount]

  private static let placeInside = "/.rasa"

  static func open(
    _ hosts: [String], privateHosts: [String], settings: SandboxSettings
  ) throws(Failure) -> EgressGate {
    let rules = try EgressRules(hosts, privateHosts: privateHosts)
    guard let helper = settings.helper else {
      throw Failure(
        .configuration,
        "`network:` with names of hosts needs the program `rasa`, and it was not found",
        suggestion: "install rasa, or say `network: all` if the program may reach everything")
    }
    let proxy = try EgressProxy(
      rules, restriction: { AddressPolicy.restriction(ofAddress: $0.description) },
      resolve: settings.resolve)
    return EgressGate(proxy, helper: helper, settings)
  }

  private init(_ proxy: EgressProxy, helper: String, _ settings: SandboxSettings) {
    self.proxy = proxy
    self.helper = helper
    let paths = SandboxPaths(home: settings.home, protected: settings.protected)
    // A build for debugging loads libraries from elsewhere; one that is installed does not.
    let libraries = LoadedLibraries.folders(outside: BubblewrapArguments.visibleFolders)
      .filter { folder in
        guard let real = FileSystem.realPath(folder) else { return false }
        return paths.refusal(of: real, isWritable: false) == nil
      }
    mounts = [SandboxMount(helper, at: Self.placeInside)] + libraries.map { SandboxMount($0) }
  }

  var descriptor: Int32 { proxy.descriptor }
  var remarks: [String] { proxy.remarks }

  /// How programs find the proxy.
  var variables: [String: String] {
    let address = "http://127.0.0.1:\(EgressProxy.port)"
    var variables = ["NO_PROXY": "", "no_proxy": ""]
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
      variables[name] = address
      variables[name.lowercased()] = address
    }
    return variables
  }

  /// The command that opens the way and becomes the program.
  func command(_ program: [String], descriptor: Int32, processes: Int) -> [String] {
    [Self.placeInside, SandboxEntry.mark, "\(descriptor)", "\(EgressProxy.port)", "\(processes)"]
      + program
  }
}

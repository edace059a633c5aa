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
    let network = settings.network
    let proxy = try EgressProxy(
      rules,
      EgressNetwork(
        restriction: { AddressPolicy.restriction(ofAddress: $0.description) },
        nameRestriction: { AddressPolicy.restriction(ofProxiedName: $0) },
        resolve: settings.resolve,
        upstream: { host, port, isTunnel in
          Result { () throws(Failure) in try network.upstream(of: host, port, isTunnel) }
        }))
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

extension NetworkSettings {
  /// The proxy that the user has for a host.
  fileprivate func upstream(
    of host: String, _ port: Int, _ isTunnel: Bool
  ) throws(Failure) -> UpstreamProxy? {
    let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    let proxy: Proxy?
    do {
      proxy = try route(to: "\(isTunnel ? "https" : "http")://\(name):\(port)/").proxy
    } catch {
      throw Failure(.configuration, error.message, suggestion: error.suggestion ?? "")
    }
    guard let proxy else { return nil }
    guard proxy.kind == .http, let place = proxy.place else {
      throw Failure(
        .configuration,
        "\(proxy.name) cannot be used by a sandbox, whose way out speaks to http:// proxies only",
        suggestion: "set it to one of them, or name the host in NO_PROXY")
    }
    return UpstreamProxy(
      host: place.host, port: Int(place.port), name: proxy.name, credentials: proxy.basicCredentials
    )
  }
}

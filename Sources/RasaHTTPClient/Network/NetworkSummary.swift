/// What of the network's settings is in force, for people who look why something does not work.
package struct NetworkSummary: Sendable {
  /// A kind of address, and the proxy that is used for it.
  package struct Route: Sendable, Hashable {
    package var scheme: String
    package var proxy: Proxy
  }

  package private(set) var ways: [Route] = []
  package private(set) var noProxy: NetworkSettings.Choice?
  package private(set) var certificates: CertificateStore?
  /// A setting that cannot be used.
  package private(set) var problem: HTTPError?

  package init(_ settings: NetworkSettings) {
    do {
      // A host that no list of exceptions can name.
      var all = settings
      all.noProxy = nil
      for scheme in ["https", "http"] {
        if let proxy = try all.route(to: "\(scheme)://host.invalid").proxy {
          ways.append(Route(scheme: scheme, proxy: proxy))
        }
      }
      if !ways.isEmpty { noProxy = settings.noProxy }
      certificates = try CertificateStore(settings)
    } catch {
      problem = error
    }
  }

  package var text: String {
    var parts: [String] = []
    if let first = ways.first {
      if ways.count == 2, ways[1].proxy == first.proxy {
        parts.append("through \(first.proxy.name)")
      } else {
        parts += ways.map { "\($0.scheme):// through \($0.proxy.name)" }
      }
      if let noProxy { parts.append("but for \(noProxy.value) (\(noProxy.origin))") }
    } else {
      parts.append("without a proxy")
    }
    if let certificates { parts.append("trusting the CAs in \(certificates.description)") }
    return parts.joined(separator: ", ")
  }
}

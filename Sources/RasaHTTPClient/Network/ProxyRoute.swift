/// Which way one request takes.
package struct ProxyRoute: Sendable, Hashable {
  /// Nil where the host is reached directly.
  package var proxy: Proxy?
  /// Which proxies are set and not used for it, and why: a clause each, for errors.
  package var passedOver: [String] = []

  static let direct = ProxyRoute()
}

extension NetworkSettings {
  /// A proxy is named somewhere.
  package var namesProxy: Bool {
    proxy != nil || httpsProxy != nil || httpProxy != nil || allProxy != nil
  }

  /// - Throws: where the proxy that is meant for this address cannot be read.
  package func route(to url: String) throws(HTTPError) -> ProxyRoute {
    guard namesProxy, let target = Target(url) else { return .direct }
    if let proxy, proxy.value.isEmpty || proxy.value.lowercased() == "none" {
      let others = [httpsProxy, httpProxy, allProxy].compactMap { $0?.origin }
      guard !others.isEmpty else { return .direct }
      return ProxyRoute(
        passedOver: ["\(others.joined(separator: " and ")) not used, as \(proxy.origin) is empty"])
    }
    let chosen = proxy ?? (target.isSecure ? httpsProxy : httpProxy) ?? allProxy
    guard let chosen else {
      let other = target.isSecure ? httpProxy : httpsProxy
      let scheme = target.isSecure ? "http://" : "https://"
      return ProxyRoute(
        passedOver: other.map { ["\($0.origin) not used, as it is for \(scheme)"] } ?? [])
    }
    if target.isLoopback, !proxiesLoopback {
      return ProxyRoute(passedOver: ["\(chosen.origin) not used on this machine"])
    }
    if let noProxy, let entry = NoProxy(noProxy.value).entry(for: target) {
      return ProxyRoute(
        passedOver: ["\(chosen.origin) not used, as \(noProxy.origin) has `\(entry)`"])
    }
    return ProxyRoute(proxy: try Proxy(chosen))
  }
}

/// What of an address decides about the way to it.
struct Target {
  let isSecure: Bool
  let host: String
  let port: UInt16
  let number: NumericAddress?

  init?(_ url: String) {
    guard let start = url.firstEnd(of: "://") else { return nil }
    isSecure = url.utf8.prefix { $0 != UInt8(ascii: ":") }.elementsEqual("https".utf8) {
      $0 | 32 == $1
    }
    var rest = url[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
    guard let place = HostAndPort(rest) else { return nil }
    host = place.host
    port = place.port ?? (isSecure ? 443 : 80)
    number = NumericAddress(place.host)
  }

  var isLoopback: Bool {
    number?.isLoopback ?? (host == "localhost" || host.hasSuffix(".localhost"))
  }
}

/// The hosts that no proxy is for, as curl reads them: names, which stand for everything below them
/// too, with or without a dot in front; addresses; networks as `10.0.0.0/8`; each with a port where
/// it is meant; `*` for all.
struct NoProxy {
  let entries: [Substring]

  init(_ text: String) {
    entries = text.split { $0 == "," || $0 == ";" || $0.isWhitespace }
  }

  /// The entry that names the host; nil where none does.
  func entry(for target: Target) -> Substring? {
    entries.first { names($0, target) }
  }

  private func names(_ entry: Substring, _ target: Target) -> Bool {
    if entry == "*" { return true }
    if let slash = entry.lastIndex(of: "/") {
      guard let number = target.number, let bits = Int(entry[entry.index(after: slash)...]),
        let network = NumericAddress(entry[..<slash].filter { $0 != "[" && $0 != "]" })
      else { return false }
      return number.isIn(network, bits: bits)
    }
    guard let place = HostAndPort(entry) else { return false }
    if let port = place.port, port != target.port { return false }
    if let number = NumericAddress(place.host) { return number == target.number }
    var name = place.host[...]
    if name.hasPrefix("*.") { name = name.dropFirst(1) }
    while name.utf8.first == UInt8(ascii: ".") { name = name.dropFirst() }
    guard !name.isEmpty, target.number == nil else { return false }
    return target.host == name || target.host.hasSuffix("." + name)
  }
}

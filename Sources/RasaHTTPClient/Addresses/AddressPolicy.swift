import Glibc
import RasaCore
import RasaSystem

/// Which addresses a request may reach, for URLs that come from files, models and other servers: those of the public
/// internet, and hosts that a user has allowed by name.
///
/// What is checked is the address that a connection is made to, before it is made, and again before a request is
/// written to a connection that stands. So it makes no difference how a name resolves, or how often.
package struct AddressPolicy: Sendable, Hashable {
  /// Hosts whose addresses do not matter, as `name` or `name:port`; an address stands for itself (`127.0.0.1:8080`,
  /// `[::1]:8080`).
  package var allowsPrivate: [String]

  package init(allowsPrivate: [String] = []) { self.allowsPrivate = allowsPrivate }

  /// For a URL that a person has written. Its own host may be on this machine or in a private network where the URL
  /// itself says so: by an address, or by a name that means nothing elsewhere. A name of the internet that leads there
  /// may not.
  package init(forWritten url: String, allowsPrivate: [String]) {
    self.allowsPrivate = allowsPrivate
    guard let parts = URLParts(url) else { return }
    let isPrivate =
      NumericAddress(exact: parts.host).map { $0.restriction != nil } ?? parts.isLocalName
    if isPrivate { self.allowsPrivate.append(parts.hostAndPort) }
  }

  /// What makes a numeric address one that strangers must not choose; nil for one of the public internet.
  package static func restriction(ofAddress text: String) -> String? {
    guard let address = NumericAddress(exact: text) else { return "no numeric address" }
    return address.restriction
  }

  /// What makes a name one that a proxy must not be asked for; nil for one of the internet.
  package static func restriction(ofProxiedName name: String) -> String? {
    guard let parts = URLParts("http://\(name)/"), parts.isLocalName else { return nil }
    return localNameRestriction
  }

  static let localNameRestriction =
    "a name of this machine or network, which a proxy would resolve"

  /// Whether an entry names this host. A name stands for itself alone, not for what is below it.
  package func allows(_ host: String, port: UInt16) -> Bool {
    allowsPrivate.contains { entry in
      guard let place = HostAndPort(entry), place.port == nil || place.port == port else {
        return false
      }
      if let number = NumericAddress(exact: place.host) {
        return number == NumericAddress(exact: host)
      }
      return place.host == host
    }
  }
}

/// What of a request's connection has to be checked.
enum AddressCheck: Sendable, Hashable {
  case none
  case publicOnly
}

extension AddressPolicy {
  /// Refuses what can be refused without a connection, and returns what there is to check about that.
  ///
  /// A proxy resolves the name by itself, and only it sees the address. So names that are not of the internet are
  /// refused then, and so are those that resolve here to a forbidden address.
  func check(
    _ url: String, through proxy: Proxy?, resolver: HTTPClientConfiguration.Resolver?
  ) async throws(HTTPError) -> AddressCheck {
    guard let parts = URLParts(url) else { throw HTTPError(.invalidURL, "the URL cannot be read") }
    if allows(parts.host, port: parts.port) { return .none }
    if let number = NumericAddress(exact: parts.host) {
      if let restriction = number.restriction {
        throw .refusedAddress(parts.host, number.text, restriction)
      }
    } else if proxy != nil {
      if parts.isLocalName {
        throw .refusedAddress(
          parts.host, parts.host, Self.localNameRestriction)
      }
      for address in await addresses(of: parts.host, resolver) {
        if let restriction = address.restriction {
          throw .refusedAddress(parts.host, address.text, restriction)
        }
      }
    }
    // The connection is one to the proxy then, which the user has chosen.
    return proxy == nil ? .publicOnly : .none
  }

  private func addresses(
    of host: String, _ resolver: HTTPClientConfiguration.Resolver?
  ) async -> [NumericAddress] {
    if let known = resolver?(host) { return known.compactMap { NumericAddress(exact: $0) } }
    return await onOwnThread { NumericAddress.resolve(host) }
  }
}

extension HTTPError {
  static func refusedAddress(_ host: String, _ address: String, _ restriction: String) -> HTTPError
  {
    let place = host == address ? host : "\(host), as \(address)"
    return HTTPError(
      .refusedAddress, "\(place) is not reached: it is \(restriction)", isLasting: true)
  }
}

extension URLParts {
  /// Names without a dot, and those that are set aside for machines and networks of one's own.
  var isLocalName: Bool {
    guard host.hasByte(".") else { return true }
    return [
      ".localhost", ".local", ".internal", ".home.arpa", ".lan", ".intranet", ".corp", ".home",
    ]
    .contains { host.hasByteSuffix($0) }
  }
}

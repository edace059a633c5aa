import RasaCore

/// A proxy, ready for libcurl, and in words that hold no password.
package struct Proxy: Sendable, Hashable {
  package enum Kind: Sendable, Hashable { case http, https, socks }

  /// With the user's name and password, where it has them.
  let url: String
  package let kind: Kind
  /// Without them.
  package let address: String
  package let origin: String
  package let hasPassword: Bool

  /// How messages name it.
  package var name: String { "the proxy \(address) (\(origin))" }

  /// Where it is; nil for what no host has.
  package var place: (host: String, port: UInt16)? {
    guard let start = address.firstEnd(of: "://"), let place = HostAndPort(address[start...]),
      let port = place.port
    else { return nil }
    return (place.host, port)
  }

  /// `user:password` in Base64, as a request's field has it; nil without them.
  package var basicCredentials: String? {
    guard let start = url.firstEnd(of: "://"), let at = url.lastIndex(of: "@"), at > start else {
      return nil
    }
    var bytes: [UInt8] = []
    var rest = Array(url[start..<at].utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(code)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    if !bytes.contains(UInt8(ascii: ":")) { bytes.append(UInt8(ascii: ":")) }
    return Base64.encode(bytes)
  }

  /// Reads `host:port` and `scheme://user:password@host:port`; without a scheme it is a proxy that
  /// speaks HTTP, and without a port libcurl's usual one is meant: 1080, or 443 for https.
  init(_ choice: NetworkSettings.Choice) throws(HTTPError) {
    func unreadable(_ problem: String) -> HTTPError {
      var error = HTTPError(
        .proxySetting, "\(choice.origin) is not the address of a proxy: \(problem)")
      error.isLasting = true
      error.suggestion =
        "write it as http://host:port, https://host:port or socks5h://host:port, or empty it"
      return error
    }
    let text = choice.value
    guard text.utf8.allSatisfy({ $0 > 32 && $0 != 127 && $0 != UInt8(ascii: "\\") }) else {
      throw unreadable("it has a space or a control character in it")
    }
    let scheme: String
    var rest: Substring
    if let end = text.firstEnd(of: "://") {
      scheme = String(text[..<text.utf8.index(end, offsetBy: -3)])
      rest = text[end...]
    } else {
      scheme = "http"
      rest = text[...]
    }
    switch scheme.lowercased() {
    case "http": kind = .http
    case "https": kind = .https
    case "socks4", "socks4a", "socks5", "socks5h", "socks":
      kind = .socks
    default: throw unreadable("rasa supports no proxy of its scheme")
    }
    if let end = rest.firstIndex(where: { $0 == "/" || $0 == "?" || $0 == "#" }) {
      rest = rest[..<end]
    }
    let at = rest.lastIndex(of: "@")
    let user = at.map { rest[..<$0] }
    if let at { rest = rest[rest.index(after: at)...] }
    guard let host = HostAndPort(rest) else { throw unreadable("its host or port cannot be read") }
    let usual: UInt16 = kind == .https ? 443 : 1080
    let name = "\(scheme.lowercased())://"
    let place = "\(host.bracketed):\(host.port ?? usual)"
    url = name + (user.map { "\($0)@" } ?? "") + place
    address = name + place
    origin = choice.origin
    hasPassword = user?.isEmpty == false
  }
}

/// `host`, `host:port`, `[::1]:port`, or an address of IPv6 without brackets.
struct HostAndPort {
  /// In small letters, without brackets and without the dot of the root.
  let host: String
  let port: UInt16?

  init?(_ text: some StringProtocol) {
    var host = Substring(text)
    var port: Substring?
    if host.utf8.first == UInt8(ascii: "[") {
      guard let close = host.firstIndex(of: "]") else { return nil }
      let tail = host[host.index(after: close)...]
      guard tail.isEmpty || tail.utf8.first == UInt8(ascii: ":") else { return nil }
      port = tail.isEmpty ? nil : tail.dropFirst()
      host = host[host.index(after: host.startIndex)..<close]
    } else if let colon = host.lastIndex(of: ":"), host.firstIndex(of: ":") == colon {
      port = host[host.index(after: colon)...]
      host = host[..<colon]
    }
    if let port {
      guard let number = UInt16(port), number > 0, port.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 })
      else { return nil }
      self.port = number
    } else {
      self.port = nil
    }
    while host.utf8.last == UInt8(ascii: ".") { host.removeLast() }
    guard !host.isEmpty else { return nil }
    self.host = host.lowercased()
  }

  var bracketed: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host }
}

extension String {
  /// Where the first appearance of a text ends.
  func firstEnd(of part: String) -> Index? {
    var index = startIndex
    while index < endIndex {
      if self[index...].utf8.starts(with: part.utf8) {
        return utf8.index(index, offsetBy: part.utf8.count)
      }
      index = utf8.index(after: index)
    }
    return nil
  }
}

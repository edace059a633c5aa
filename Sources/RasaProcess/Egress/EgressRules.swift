package import RasaCore

/// Which hosts programs in a sandbox may reach, by name.
package struct EgressRules: Sendable, Hashable {
  /// `api.example.com`, `api.example.com:8443`, `*.example.com`, `10.1.2.3:80`, `[::1]:80`. Without a port, that of
  /// HTTP and that of HTTPS.
  package struct Host: Sendable, Hashable {
    package var name: String
    package var isWildcard = false
    package var port: Int?

    /// - Throws: a `Failure` that says what is wrong with it.
    package init(_ text: String) throws(Failure) {
      guard let (host, port) = EgressRules.split(text), port != 0 else {
        throw Failure(
          .configuration, "`\(printable(text))` is no host that a sandbox can be given",
          suggestion:
            "write a name such as api.example.com or *.example.com, with a port if it is another than 80 and 443"
        )
      }
      self.port = port
      name = host
      if host.hasBytePrefix("*.") {
        name = String(host.dropFirst(2))
        isWildcard = true
      }
      guard !name.isEmpty, !name.hasByte("*"), isWildcard ? name.hasByte(".") : true else {
        throw Failure(
          .configuration, "`\(printable(text))` would give a sandbox too many hosts",
          suggestion:
            "name hosts, with `*.` only before a name with a dot; `network: all` gives them all")
      }
    }

    package func matches(_ host: String, _ port: Int) -> Bool {
      guard self.port.map({ $0 == port }) ?? (port == 80 || port == 443) else { return false }
      return isWildcard ? host.hasByteSuffix("." + name) : host == name
    }

    /// Whether it names an address of this machine, or any address, by itself.
    var isAddressItself: Bool {
      name == "localhost" || name.hasByteSuffix(".localhost") || IPAddress(name) != nil
    }
  }

  package var hosts: [Host]
  /// Those that may have an address on this machine or in a private network.
  package var privateHosts: [Host]

  package init(_ hosts: [String], privateHosts: [String] = []) throws(Failure) {
    self.hosts = []
    self.privateHosts = []
    for text in hosts { self.hosts.append(try Host(text)) }
    for text in privateHosts { self.privateHosts.append(try Host(text)) }
  }

  /// Why a program may not reach that host; nil if it may.
  package func refusal(of host: String, port: Int) -> String? {
    if hosts.contains(where: { $0.matches(host, port) }) { return nil }
    let known = hosts.first {
      host == $0.name || ($0.isWildcard && host.hasByteSuffix("." + $0.name))
    }
    if known != nil {
      return
        "port \(port) of \(printable(host)) is not among the ports that the sandbox's `network:` allows"
    }
    return "\(printable(host)) is not among the hosts of the sandbox's `network:`"
  }

  /// Why that address is not connected to; nil if it is.
  ///
  /// - Parameter restriction: what makes it one that strangers must not choose; nil for one of the public internet.
  package func refusal(
    of address: IPAddress, restriction: String?, host: String, port: Int
  ) -> String? {
    guard let restriction, !mayBePrivate(host, port: port) else { return nil }
    return
      "\(printable(host)) has the address \(address), which is \(restriction); name it under `private:` if that is meant"
  }

  /// Why another proxy is not asked for that name; nil if it is.
  package func refusal(ofName host: String, restriction: String?, port: Int) -> String? {
    guard let restriction, !mayBePrivate(host, port: port) else { return nil }
    return
      "\(printable(host)) is \(restriction); name it under `private:` if that is meant"
  }

  /// Whether it is meant that a host is on this machine or in a private network.
  private func mayBePrivate(_ host: String, port: Int) -> Bool {
    hosts.contains { $0.isAddressItself && $0.matches(host, port) }
      || privateHosts.contains { item in
        (item.port == nil || item.port == port)
          && (item.isWildcard ? host.hasByteSuffix("." + item.name) : host == item.name)
      }
  }

  /// `host`, `host:port`, `[address]:port`: the host in lower case without a final dot; nil if it is none. The port is
  /// nil where there is none.
  package static func split(_ text: String) -> (host: String, port: Int?)? {
    var host = text[...]
    var port: Int?
    if text.hasBytePrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      if !rest.isEmpty {
        guard rest.hasPrefix(":"), let number = portNumber(rest.dropFirst()) else { return nil }
        port = number
      }
      guard IPAddress(String(host))?.isVersion6 == true else { return nil }
      return (String(host).lowercased(), port)
    }
    if IPAddress(text)?.isVersion6 == true { return (text.lowercased(), nil) }
    if let colon = text.lastIndex(of: ":") {
      guard let number = portNumber(text[text.index(after: colon)...]) else { return nil }
      port = number
      host = text[..<colon]
    }
    if host.hasSuffix(".") { host = host.dropLast() }
    let allowed = host.utf8.allSatisfy { byte in
      (byte >= 0x61 && byte <= 0x7A) || (byte >= 0x41 && byte <= 0x5A)
        || (byte >= 0x30 && byte <= 0x39)
        || [0x2D, 0x2E, 0x5F, 0x2A].contains(byte)
    }
    guard !host.isEmpty, host.utf8.count <= 253, allowed, !host.hasPrefix("."), !host.hasBytes("..")
    else { return nil }
    return (host.lowercased(), port)
  }

  private static func portNumber(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.count <= 5, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
      let number = Int(text), number > 0, number < 65_536
    else { return nil }
    return number
  }
}

/// For messages: names come from programs.
private func printable(_ text: String) -> String {
  String(
    text.unicodeScalars.prefix(120).map {
      $0.isASCII && $0.value > 0x20 && $0.value < 0x7F ? Character($0) : "?"
    })
}

import RasaCore

/// The address of a model server, as people write it.
struct ProviderAddress: Hashable {
  var scheme: String
  var host: String
  var port: Int?
  var path: String

  /// Reads `host`, `host:port`, `[::1]:port`, `:port` and `http(s)://…`. `variable` is what the
  /// message names when the text is none of these.
  init(_ text: String, variable: String) throws(Failure) {
    func unreadable(_ problem: String) -> Failure {
      Failure(
        .configuration, "\(variable) is not an address: \(problem)",
        mend: "write it as host, host:port or https://host/path")
    }
    var rest = text.trimmingBlanks[...]
    scheme = "http"
    hasScheme = false
    if let range = rest.firstRange(of: "://") {
      scheme = rest[..<range.lowerBound].lowercased()
      guard scheme == "http" || scheme == "https" else {
        throw unreadable("the scheme is neither http nor https")
      }
      rest = rest[range.upperBound...]
      hasScheme = true
    }
    guard rest.utf8.allSatisfy({ $0 > 32 && $0 != 127 && $0 != UInt8(ascii: "\\") }) else {
      throw unreadable("it has a space or a control character in it")
    }
    let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
    var path = rest[end...]
    guard !path.contains(where: { $0 == "?" || $0 == "#" }) else {
      throw unreadable("it has a query")
    }
    while path.last == "/" { path.removeLast() }
    self.path = String(path)
    let authority = rest[..<end]
    guard !authority.contains("@") else {
      throw unreadable("a user name or key stands in it; keys belong in their own variable")
    }
    var host = authority
    var port: Substring? = nil
    if authority.first == "[" {
      guard let close = authority.firstIndex(of: "]") else { throw unreadable("a ']' is missing") }
      host = authority[authority.index(after: authority.startIndex)..<close]
      let tail = authority[authority.index(after: close)...]
      guard tail.isEmpty || tail.first == ":" else { throw unreadable("its port is not a number") }
      port = tail.isEmpty ? nil : tail.dropFirst()
    } else if let colon = authority.lastIndex(of: ":") {
      // More than one colon outside brackets is a bare IPv6 address.
      if authority.firstIndex(of: ":") == colon {
        host = authority[..<colon]
        port = authority[authority.index(after: colon)...]
      }
    }
    if let port {
      guard let number = Int(port), (1...65_535).contains(number) else {
        throw unreadable("its port is not a number from 1 to 65535")
      }
      self.port = number
    }
    // `0.0.0.0` is what a server listens on; a client reaches that server on the loopback.
    self.host = host.isEmpty || host == "0.0.0.0" || host == "::" ? "127.0.0.1" : String(host)
    guard !authority.isEmpty else { throw unreadable("it has no host") }
  }

  /// Whether the text itself named the scheme.
  private(set) var hasScheme: Bool

  var isLoopback: Bool {
    let name = host.lowercased()
    if name == "localhost" || name.hasSuffix(".localhost") || name == "::1" { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  var url: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return "\(scheme)://\(name)\(port.map { ":\($0)" } ?? "")\(path)"
  }
}

extension String {
  var trimmingBlanks: String {
    var text = self[...]
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}

extension Substring {
  fileprivate func firstRange(of separator: String) -> Range<Index>? {
    var index = startIndex
    while index < endIndex {
      if self[index...].hasPrefix(separator) {
        return index..<self.index(index, offsetBy: separator.count)
      }
      index = self.index(after: index)
    }
    return nil
  }
}

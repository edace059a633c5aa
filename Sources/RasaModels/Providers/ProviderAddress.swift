import RasaCore
import RasaPersona

/// The address of a model server, as people write it.
struct ProviderAddress: Hashable {
  var scheme: String
  var host: String
  var port: Int?
  var path: String
  /// What stands behind the `?`: never a key.
  var query: [QueryItem] = []

  struct QueryItem: Hashable {
    var name: String
    var value: String
  }

  /// Reads `host`, `host:port`, `[::1]:port`, `:port` and `http(s)://…`, in quotes or without.
  /// `variable` is what the message names when the text is none of these.
  init(_ text: String, variable: String) throws(Failure) {
    func unreadable(_ problem: String) -> Failure {
      Failure(
        .configuration, "\(variable) is not an address: \(problem)",
        suggestion: "write it as host, host:port or https://host/path")
    }
    var rest = text.trimmingBlanks[...]
    for (open, close) in [("\"", "\""), ("'", "'"), ("<", ">"), ("`", "`")]
    where rest.utf8.count > 2 && rest.hasPrefix(open) && rest.hasSuffix(close) {
      rest = String(rest.dropFirst().dropLast()).trimmingBlanks[...]
    }
    scheme = "http"
    hasScheme = false
    if let range = rest.firstRange(of: "://") {
      scheme = rest[..<range.lowerBound].lowercased()
      guard scheme == "http" || scheme == "https" else {
        throw unreadable("the scheme is neither http nor https")
      }
      rest = rest[range.upperBound...]
      hasScheme = true
    } else {
      let start = rest.prefix { $0 != "/" }.lowercased()
      if ["http:", "https:"].contains(start)
        || ["http", "https"].contains(start) && rest.contains("/")
      {
        throw unreadable("`://` is missing after \(start.prefix { $0 != ":" })")
      }
    }
    guard rest.utf8.allSatisfy({ $0 > 32 && $0 != 127 && $0 != UInt8(ascii: "\\") }) else {
      throw unreadable("it has a space or a control character in it")
    }
    let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
    // What stands behind a # never reaches a server.
    var path = rest[end...].prefix { $0 != "#" }
    if let mark = path.firstIndex(of: "?") {
      for item in path[mark...].dropFirst().split(separator: "&") {
        let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = Self.decoded(parts[0])
        guard !Self.mayHoldKey(name) else {
          throw unreadable("its query contains a key; keys belong in their own variable")
        }
        query.append(QueryItem(name: name, value: parts.count > 1 ? Self.decoded(parts[1]) : ""))
      }
      path = path[..<mark]
    }
    guard !path.hasPrefix("//") else { throw unreadable("its host is missing") }
    while path.last == "/" { path.removeLast() }
    self.path = String(path)
    let authority = rest[..<end]
    guard !authority.contains("@") else {
      throw unreadable("it contains a user name or key; keys belong in their own variable")
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
    switch host {
    case "", "0.0.0.0", "*": self.host = "127.0.0.1"
    case "::", "0:0:0:0:0:0:0:0": self.host = "::1"
    default: self.host = String(host)
    }
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
    // The zone of an address (`fe80::1%eth0`) is written with its sign escaped.
    let zone = host.hasBytes("%25") ? host : host.replacing(bytes: "%", with: "%25")
    let name = host.contains(":") ? "[\(zone)]" : host
    return "\(scheme)://\(name)\(port.map { ":\($0)" } ?? "")\(path)"
  }
}

extension ProviderAddress {
  private static func mayHoldKey(_ name: String) -> Bool {
    let name = name.lowercased()
    return ["key", "token", "secret", "password", "passwd", "auth", "sig", "code"].contains {
      name.hasBytes($0)
    }
  }

  /// `%41` for `A`.
  private static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(2)
      if byte == UInt8(ascii: "%"), digits.count == 2,
        let code = UInt8(String(Substring(digits)), radix: 16)
      {
        bytes.append(code)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Takes off what people copy along from an example: the place of one request below the address,
  /// as in `/v1/chat/completions`. True where there was such a thing, so that what stands before it is
  /// the whole of the address.
  mutating func dropEndpoint(of dialect: ProviderSettings.Dialect) -> Bool {
    var parts = path.split(separator: "/").map(String.init)
    let count = parts.count
    func ends(_ ending: String...) -> Bool {
      parts.count >= ending.count && zip(parts.suffix(ending.count), ending).allSatisfy(==)
    }
    func dropListOfModels() {
      // Some servers have `models` in their own address; behind a version it is the list.
      if parts.count >= 2, parts.last == "models", Self.isVersion(parts[parts.count - 2][...]) {
        parts.removeLast()
      }
    }
    switch dialect {
    case .openAI:
      if ends("chat", "completions") {
        parts.removeLast(2)
      } else if ["completions", "responses", "embeddings"].contains(where: { ends($0) }) {
        parts.removeLast()
      } else {
        dropListOfModels()
      }
    case .anthropic:
      if ends("messages", "count_tokens") {
        parts.removeLast(2)
      } else if ends("messages") || ends("complete") {
        parts.removeLast()
      } else {
        dropListOfModels()
      }
    // With the version that the request brings along.
    case .gemini:
      if let last = parts.last, last.contains(":"), parts.count >= 2,
        parts[parts.count - 2] == "models"
      {
        parts.removeLast(2)
      } else {
        dropListOfModels()
      }
    case .ollama:
      if parts.count >= 2, parts[parts.count - 2] == "api" {
        parts.removeLast(2)
      } else if ends("api") || ends("v1") {
        parts.removeLast()
      } else if ends("v1", "chat", "completions") {
        parts.removeLast(3)
      } else if ends("v1", "models") {
        parts.removeLast(2)
      }
    }
    guard parts.count < count else { return false }
    path = parts.isEmpty ? "" : "/" + parts.joined(separator: "/")
    return true
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

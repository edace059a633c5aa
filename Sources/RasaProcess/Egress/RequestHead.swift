/// The first lines of what a program asks a proxy for, and where to.
struct RequestHead: Sendable {
  enum Problem: Error { case incomplete, tooLong, malformed }

  static let mostBytes = 32 * 1024

  var host: String
  var port: Int
  /// Whether it is a tunnel; else the proxy asks the host itself.
  var isTunnel: Bool
  /// How many bytes the head had.
  var length: Int
  /// What follows the head of a plain request.
  var body = RequestBody.none

  private var method = ""
  private var authority = ""
  private var path = ""
  private var fields = ""

  init(_ bytes: [UInt8]) throws(Problem) {
    guard let end = Self.end(of: bytes) else {
      throw bytes.count > Self.mostBytes ? .tooLong : .incomplete
    }
    guard end <= Self.mostBytes else { throw .tooLong }
    length = end
    let text = bytes[..<end]
    guard Self.isPrintable(text) else { throw .malformed }
    var lines = String(decoding: text, as: UTF8.self).split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "\r\n" || $0 == "\n" })
    let words = lines.removeFirst().split(separator: " ", omittingEmptySubsequences: false)
    // TRACE would show a program what the user's proxy is told on its behalf.
    guard words.count == 3, words[2].hasPrefix("HTTP/1."), Self.isToken(words[0]),
      words[0] != "TRACE"
    else { throw .malformed }
    if words[0] == "CONNECT" {
      guard let (host, port) = EgressRules.split(String(words[1])), let port, !host.contains("*")
      else { throw .malformed }
      (self.host, self.port, isTunnel) = (host, port, true)
      return
    }
    let target = words[1]
    guard target.count > 7, target.prefix(7).lowercased() == "http://" else { throw .malformed }
    let rest = target.dropFirst(7)
    let authorityEnd = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
    authority = String(rest[..<authorityEnd])
    guard let (host, port) = EgressRules.split(authority), !host.contains("*") else {
      throw .malformed
    }
    (self.host, self.port, isTunnel) = (host, port ?? 80, false)
    method = String(words[0])
    path = String(rest[authorityEnd...].prefix { $0 != "#" })
    if !path.hasPrefix("/") { path = "/" + path }
    // The connection is for this request: the next may go to another host. And the host that is asked has to be the
    // one that was checked.
    let dropped = [
      "host", "connection", "keep-alive", "proxy-connection", "proxy-authorization", "upgrade",
      "te", "max-forwards",
    ]
    var framing = RequestBody.Framing()
    for line in lines where !line.isEmpty {
      guard let colon = line.firstIndex(of: ":"), Self.isToken(line[..<colon]) else {
        throw .malformed
      }
      let name = line[..<colon].lowercased()
      guard framing.read(name, line[line.index(after: colon)...]) else { throw .malformed }
      if !dropped.contains(name) { fields += line + "\r\n" }
    }
    guard let body = framing.body else { throw .malformed }
    self.body = body
  }

  /// What the host is asked; through another proxy, what that is asked.
  func forwarded(through upstream: UpstreamProxy?) -> [UInt8] {
    let target = upstream == nil ? path : "http://\(authority)\(path)"
    return Array(
      ("\(method) \(target) HTTP/1.1\r\nHost: \(authority)\r\nConnection: close\r\n"
        + (upstream?.authorization ?? "") + fields + "\r\n").utf8)
  }

  /// How another proxy is asked for a tunnel.
  func tunnelRequest(to upstream: UpstreamProxy) -> [UInt8] {
    let place = (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
    return Array(
      "CONNECT \(place) HTTP/1.1\r\nHost: \(place)\r\n\(upstream.authorization)\r\n".utf8)
  }

  /// Without what servers may take for the end of a line, or leave out.
  private static func isPrintable(_ text: ArraySlice<UInt8>) -> Bool {
    text.indices.allSatisfy { place in
      switch text[place] {
      case 0x0D: place + 1 < text.endIndex && text[place + 1] == 0x0A
      case 0x09, 0x0A: true
      case let byte: byte >= 0x20 && byte != 0x7F
      }
    }
  }

  private static func isToken(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
          || "!#$%&'*+-.^_`|~".utf8.contains(byte)
      }
  }

  /// Where the empty line ends.
  static func end(of bytes: [UInt8]) -> Int? {
    var lineStart = 0
    for (place, byte) in bytes.enumerated() where byte == 0x0A {
      let length = place - lineStart
      if length == 0 || (length == 1 && bytes[lineStart] == 0x0D) { return place + 1 }
      lineStart = place + 1
    }
    return nil
  }
}

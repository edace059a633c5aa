/// The first lines of what a program asks a proxy for, and where to.
struct RequestHead: Sendable {
  enum Problem: Error { case incomplete, tooLong, malformed }

  static let mostBytes = 32 * 1024

  var host: String
  var port: Int
  /// Whether it is a tunnel; else `forwarded` is what the host itself is asked.
  var isTunnel: Bool
  var forwarded: [UInt8] = []
  /// How many bytes the head had.
  var length: Int

  init(_ bytes: [UInt8]) throws(Problem) {
    guard let end = Self.end(of: bytes) else {
      throw bytes.count > Self.mostBytes ? .tooLong : .incomplete
    }
    guard end <= Self.mostBytes else { throw .tooLong }
    length = end
    let text = bytes[..<end]
    guard text.allSatisfy({ $0 != 0 && ($0 >= 0x20 || $0 == 0x0D || $0 == 0x0A || $0 == 0x09) })
    else { throw .malformed }
    var lines = String(decoding: text, as: UTF8.self).split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "\r\n" || $0 == "\n" })
    let words = lines.removeFirst().split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, words[2].hasPrefix("HTTP/1."), !words[0].isEmpty else {
      throw .malformed
    }
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
    let authority = String(rest[..<authorityEnd])
    guard let (host, port) = EgressRules.split(authority), !host.contains("*") else {
      throw .malformed
    }
    (self.host, self.port, isTunnel) = (host, port ?? 80, false)
    var path = String(rest[authorityEnd...].prefix { $0 != "#" })
    if !path.hasPrefix("/") { path = "/" + path }
    var head = "\(words[0]) \(path) HTTP/1.1\r\nHost: \(authority)\r\nConnection: close\r\n"
    // The connection is for this request: the next may go to another host. And the host that is asked has to be the
    // one that was checked.
    let dropped = [
      "host", "connection", "keep-alive", "proxy-connection", "proxy-authorization", "upgrade",
      "te",
    ]
    for line in lines where !line.isEmpty {
      guard let colon = line.firstIndex(of: ":"), colon > line.startIndex,
        line.first != " ", line.first != "\t"
      else { throw .malformed }
      let name = line[..<colon].lowercased()
      guard name.last != " ", name.last != "\t" else { throw .malformed }
      if !dropped.contains(name) { head += line + "\r\n" }
    }
    forwarded = Array((head + "\r\n").utf8)
  }

  /// Where the empty line ends.
  private static func end(of bytes: [UInt8]) -> Int? {
    var lineStart = 0
    for (place, byte) in bytes.enumerated() where byte == 0x0A {
      let length = place - lineStart
      if length == 0 || (length == 1 && bytes[lineStart] == 0x0D) { return place + 1 }
      lineStart = place + 1
    }
    return nil
  }
}

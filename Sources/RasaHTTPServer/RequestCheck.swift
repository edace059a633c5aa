import RasaCore

/// The head of a request as it came, and whether it may be answered.
///
/// libmicrohttpd accepts some heads that two servers in a row would understand differently, or that make a body
/// endless; they end here.
struct RequestHead {
  var method: String
  var target: String
  var version: String
  var headers: [(name: String, value: String)] = []
  /// A header has a NUL in it, so that part of it is missing here.
  var isCut = false

  struct Refusal: Error, Equatable {
    var status: Int
    var text: String
    init(_ status: Int, _ text: String) {
      self.status = status
      self.text = text
    }
  }

  func values(_ name: String) -> [String] {
    headers.filter { equalIgnoringCase($0.name, name) }.map(\.value)
  }

  /// - Parameter hosts: names that the server goes by; nil for all.
  func check(hosts: [String]?, port: UInt16, limits: HTTPServer.Limits) throws(Refusal)
    -> ServerRequest
  {
    guard version == "HTTP/1.1" || version == "HTTP/1.0" else {
      throw Refusal(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    }
    guard !isCut, headers.count <= limits.headers else {
      throw Refusal(431, "the headers are too many")
    }
    guard !method.isEmpty, method.utf8.count <= 20,
      method.utf8.allSatisfy({ (65...90).contains($0) })
    else { throw Refusal(400, "the method is none") }
    for name in ["host", "content-length", "transfer-encoding", "authorization", "content-type"]
    where values(name).count > 1 {
      throw Refusal(400, "the header \(name) is there twice")
    }
    for header in headers
    where header.value.utf8.contains(where: { ($0 < 32 && $0 != 9) || $0 == 127 }) {
      throw Refusal(400, "a header has a control character in it")
    }
    try checkLength(limits)
    try checkHost(hosts, port)
    return try request(limits)
  }

  private func checkLength(_ limits: HTTPServer.Limits) throws(Refusal) {
    let length = values("content-length").first
    if let coding = values("transfer-encoding").first {
      guard coding.lowercased() == "chunked" else {
        throw Refusal(501, "the only transfer coding here is chunked")
      }
      guard length == nil, version == "HTTP/1.1" else {
        throw Refusal(400, "the length of the body is ambiguous")
      }
    }
    guard let length else { return }
    guard !length.isEmpty, length.utf8.count <= 18,
      length.utf8.allSatisfy({ (48...57).contains($0) }),
      let count = Int(length)
    else { throw Refusal(400, "the length of the body is no number") }
    guard count <= limits.body else {
      throw Refusal(413, "the body is larger than \(limits.body) bytes")
    }
  }

  private func checkHost(_ hosts: [String]?, _ port: UInt16) throws(Refusal) {
    guard let host = values("host").first else {
      // No browser speaks HTTP/1.0, and only in a browser can a page of somebody else's ask.
      guard version == "HTTP/1.0" else { throw Refusal(400, "the header host is missing") }
      return
    }
    guard let hosts else { return }
    var name = host.lowercased()
    if name.hasByteSuffix(":\(port)") { name.removeLast(":\(port)".utf8.count) }
    guard hosts.contains(name) else { throw Refusal(421, "this server does not go by that name") }
  }

  private func request(_ limits: HTTPServer.Limits) throws(Refusal) -> ServerRequest {
    guard target.utf8.count <= limits.target else { throw Refusal(414, "the target is too long") }
    guard target.utf8.first == UInt8(ascii: "/") || (target == "*" && method == "OPTIONS"),
      target.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
    else { throw Refusal(400, "the target is no path") }
    let parts = target.split(atByte: "?", maxSplits: 1)
    guard let path = parts.first, !path.hasByte("#"), let plain = Self.decoded(path, isForm: false),
      !plain.utf8.contains(0)
    else { throw Refusal(400, "the path cannot be read") }
    var query: [(name: String, value: String)] = []
    if parts.count > 1 {
      for pair in parts[1].split(atByte: "&", omittingEmpty: true) {
        let sides = pair.split(atByte: "=", maxSplits: 1)
        guard let name = Self.decoded(sides[0], isForm: true),
          let value = Self.decoded(sides.count > 1 ? sides[1] : "", isForm: true),
          !name.utf8.contains(0), !value.utf8.contains(0)
        else { throw Refusal(400, "the query cannot be read") }
        query.append((name, value))
      }
    }
    return ServerRequest(
      method: method, path: String(path), query: query, headers: headers, body: [])
  }

  /// Nil where a `%` is followed by anything but two digits, or the bytes are not UTF-8.
  static func decoded(_ text: Substring, isForm: Bool) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    func digit(_ byte: UInt8?) -> UInt8? {
      switch byte {
      case .some(let byte) where (48...57).contains(byte): byte - 48
      case .some(let byte) where (97...102).contains(byte | 32): (byte | 32) - 87
      default: nil
      }
    }
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = digit(rest.popFirst()), let low = digit(rest.popFirst()) else {
          return nil
        }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+") where isForm: bytes.append(32)
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

package struct HTTPRequest: Sendable {
  package var method: String
  package var url: String
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  /// Only hosts that the user configured may be spoken to without TLS.
  package var allowsPlainHTTP: Bool
  /// When waiting for the response's headers ends, in nanoseconds of `CLOCK_MONOTONIC`, as
  /// `TimeSource.monotonic` counts.
  package var headerDeadline: UInt64?
  /// How long connecting may take, the handshakes with a proxy and of TLS included; nil for what the
  /// client is configured with.
  package var connectTimeout: Duration?
  /// Notes when the request is about to be sent.
  package var trace: RequestTrace?
  /// Asked on the loop's thread when the connection stands and nothing has been sent: the last moment
  /// at which a request can be held back. It must not wait.
  package var maySend: (@Sendable () -> Bool)?
  /// Which addresses it may reach; nil for all, where the user has chosen the host.
  package var addressPolicy: AddressPolicy?

  package init(
    method: String = "POST", url: String, headers: [(name: String, value: String)] = [],
    body: [UInt8] = [], allowsPlainHTTP: Bool = false, headerDeadline: UInt64? = nil,
    connectTimeout: Duration? = nil, trace: RequestTrace? = nil,
    maySend: (@Sendable () -> Bool)? = nil, addressPolicy: AddressPolicy? = nil
  ) {
    self.trace = trace
    self.maySend = maySend
    self.addressPolicy = addressPolicy
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.allowsPlainHTTP = allowsPlainHTTP
    self.headerDeadline = headerDeadline
    self.connectTimeout = connectTimeout
  }
}

extension HTTPRequest {
  var isSecure: Bool { url.utf8.prefix(6).elementsEqual("https:".utf8) { $0 | 32 == $1 | 32 } }

  /// Refuses what must not reach the wire: other schemes, and text that would end its line.
  func check() throws(HTTPError) {
    let scheme = url.prefix { $0 != ":" }.lowercased()
    guard url.dropFirst(scheme.count).hasPrefix("://"), !url.utf8.contains(where: isUnsafeInURL)
    else {
      throw HTTPError(.invalidURL, "the URL is not of the form https://host/path")
    }
    switch scheme {
    case "https": break
    case "http":
      if !allowsPlainHTTP {
        throw HTTPError(.refusedScheme, "plain http is not allowed for this host")
      }
    default: throw HTTPError(.refusedScheme, "only https and http URLs can be requested")
    }
    guard !method.isEmpty, method.utf8.allSatisfy(isTokenByte) else {
      throw HTTPError(.other, "the request's method is not a word")
    }
    for header in headers {
      guard !header.name.isEmpty, header.name.utf8.allSatisfy(isTokenByte) else {
        throw HTTPError(.other, "a request header has a name that HTTP does not allow")
      }
      // The value may be a key, so the message names the header only.
      guard !header.value.utf8.contains(where: { $0 == 0 || $0 == 10 || $0 == 13 }) else {
        throw HTTPError(.other, "the value of header \(header.name) has a line break in it")
      }
    }
  }
}

private func isUnsafeInURL(_ byte: UInt8) -> Bool { byte <= 32 || byte == 127 }

private func isTokenByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"):
    true
  default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
  }
}

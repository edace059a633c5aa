/// Which way requests take and whom they trust, as the user's file and the environment say.
///
/// A value: nothing is looked up, opened or resolved before the first request needs it.
package struct NetworkSettings: Sendable, Hashable {
  /// A setting and where it was made: a variable's name, or a place in a file.
  package struct Choice: Sendable, Hashable {
    package var value: String
    package var origin: String

    package init(_ value: String, from origin: String) {
      self.value = value
      self.origin = origin
    }
  }

  /// For addresses of every kind, before the environment; empty or `none` for no proxy at all.
  package var proxy: Choice?
  package var httpsProxy: Choice?
  package var httpProxy: Choice?
  package var allProxy: Choice?
  package var noProxy: Choice?
  /// This machine is reached through the proxy, too.
  package var proxiesLoopback = false
  package var caFile: Choice?
  package var caFolder: Choice?
  /// Files of other programs that may hold the CA a user is missing. They are named in messages and
  /// never read: each of them means something else to the program it is for.
  package var foreignCAFiles: [Choice] = []

  package init() {}

  /// What the environment says, with the user's own settings before it.
  package init(environment: [String: String], under own: NetworkSettings = NetworkSettings()) {
    func variable(_ names: String...) -> Choice? {
      for name in names {
        if let value = environment[name]?.trimmingSpace, !value.isEmpty {
          return Choice(value, from: name)
        }
      }
      return nil
    }
    self = own
    httpsProxy = variable("https_proxy", "HTTPS_PROXY")
    // A web server passes a client's `Proxy:` header on as HTTP_PROXY, so there it is nobody's setting.
    let isCGI = environment["REQUEST_METHOD"] != nil
    httpProxy = isCGI ? variable("http_proxy") : variable("http_proxy", "HTTP_PROXY")
    allProxy = variable("all_proxy", "ALL_PROXY")
    noProxy = own.noProxy ?? variable("no_proxy", "NO_PROXY")
    let bundle = variable("CURL_CA_BUNDLE")
    caFile = own.caFile ?? bundle ?? variable("SSL_CERT_FILE")
    // CURL_CA_BUNDLE alone says whom to trust where it is set.
    caFolder = own.caFolder ?? (bundle == nil ? variable("SSL_CERT_DIR") : nil)
    foreignCAFiles = ["NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"].compactMap { variable($0) }
  }
}

extension String {
  var trimmingSpace: String {
    let bytes = utf8.drop(while: isSpace)
    guard let last = bytes.lastIndex(where: { !isSpace($0) }) else { return "" }
    return String(decoding: bytes[...last], as: UTF8.self)
  }
}

func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

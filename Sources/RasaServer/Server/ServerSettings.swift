package import RasaCore
package import RasaHTTPServer
import RasaSystem

/// How a server is to be.
package struct ServerSettings: Sendable {
  package var address = HTTPServer.Configuration.Address.loopback
  package var port: UInt16 = 8000
  /// Names that it goes by beside those of this machine.
  package var hosts: [String] = []
  /// Origins of pages elsewhere that may ask, such as `https://chat.example`, in lower case.
  package var origins: [String] = []
  /// Whether the routes of Ollama answer without a token, on loopback only.
  package var opensOllama = false
  /// How long a stream may be silent before it gives a sign of life.
  package var heartbeat = Duration.seconds(15)
  /// The token of whoever runs the server; nil for that of the file.
  package var token: String?
  /// So many runs and calls of models at the same time.
  package var mostAtOnce = 1_000
  /// So many requests may wait to be let in.
  package var mostWaiting = 10_000
  /// Is told what is odd and does not stop the work.
  package var warn: @Sendable (String) -> Void = { _ in }
  package var tls: TLS?
  package init() {}

  /// A certificate and its key.
  package struct TLS: Sendable {
    let files: HTTPServer.Configuration.TLS

    package init(_ certificate: String, _ key: String) throws(Failure) {
      files = HTTPServer.Configuration.TLS(
        certificate: String(
          decoding: try FileSystem.read(certificate, limit: 1_000_000), as: UTF8.self),
        key: String(decoding: try FileSystem.read(key, limit: 1_000_000), as: UTF8.self))
    }
  }

  var scheme: String { tls == nil ? "http" : "https" }

  /// How a browser on this machine calls it.
  var host: String { address == .loopback6 ? "[::1]" : "127.0.0.1" }
}

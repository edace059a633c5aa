package import RasaHTTPServer

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
  package init() {}
}

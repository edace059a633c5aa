import RasaCore
package import RasaHTTPServer

/// Where a server listens, as it is written on a command line.
package struct ListenAddress: Sendable, Hashable {
  package var address: HTTPServer.Configuration.Address
  package var port: UInt16

  package var isLoopback: Bool { address != .all }

  /// - Parameter text: such as `127.0.0.1:8000`, `localhost:8000`, `[::1]:8000`, `0.0.0.0:8443`, or a port alone.
  package init?(_ text: String) {
    var name = "127.0.0.1"
    var digits = Substring(text)
    if let colon = text.lastRange(ofBytes: ":") {
      name = String(text[..<colon.lowerBound])
      digits = text[colon.upperBound...]
    }
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let port = UInt16(digits)
    else { return nil }
    switch name.lowercased() {
    case "127.0.0.1", "localhost", "": address = .loopback
    case "[::1]": address = .loopback6
    case "0.0.0.0": address = .all
    default: return nil
    }
    self.port = port
  }
}

/// Why a request failed. Messages never hold header values, so no key can show in them.
package struct HTTPError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Code: String, Sendable, Hashable, CaseIterable {
    case connect, resolve, tls, timeout
    /// The peer closed the connection before the response was complete.
    case aborted
    case protocolViolation, tooLarge, invalidURL, refusedScheme, cancelled, other
    /// Its own `maySend` held the request back: not a byte of it was sent.
    case withheld
  }

  package var code: Code
  package var message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}

extension HTTPError {
  static let cancelledByCaller = HTTPError(.cancelled, "the request was cancelled")
  static let withheld = HTTPError(.withheld, "the request was held back")
  static let shutDown = HTTPError(.cancelled, "the HTTP client has been shut down")
  static let loopUnavailable = HTTPError(.other, "the HTTP client could not start its thread")
  static func notConnected(within limit: Duration) -> HTTPError {
    let (seconds, attoseconds) = limit.components
    let milliseconds = attoseconds / 1_000_000_000_000_000
    let span =
      milliseconds == 0 ? "\(seconds) s" : "\(seconds * 1_000 + milliseconds) ms"
    return HTTPError(.connect, "nothing answered within \(span)")
  }
  static let headersLate = HTTPError(.timeout, "no response came in time")
  static let bodyLate = HTTPError(.timeout, "the response went silent")
  static let twoReaders = HTTPError(.other, "a response body can only be read by one task")
}

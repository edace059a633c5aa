/// Why a request failed. Messages never hold header values, so no key can show in them.
package struct HTTPError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Code: String, Sendable, Hashable, CaseIterable {
    case connect, resolve, tls, timeout
    /// The peer's certificate is not trusted, or not for this host, or not for this day.
    case certificate
    /// The CAs that the user named cannot be read.
    case certificateStore
    /// The proxy refuses the way, or is none.
    case proxy
    /// The proxy that the user named cannot be read.
    case proxySetting
    /// The peer closed the connection before the response was complete.
    case aborted
    case protocolViolation, tooLarge, invalidURL, refusedScheme, cancelled, other
    /// Its own `maySend` held the request back: not a byte of it was sent.
    case withheld
    /// The address is none that the request's `AddressPolicy` allows.
    case refusedAddress
    /// A redirect that is not followed.
    case redirect
  }

  package var code: Code
  package var message: String
  /// The same request would fail in the same way.
  package var isLasting = false
  /// It was waited for as long as the settings allow.
  package var isWait = false
  /// What to do, where that is known here: it names variables and settings.
  package var suggestion: String?

  package init(_ code: Code, _ message: String, isLasting: Bool = false, suggestion: String? = nil)
  {
    self.code = code
    self.message = message
    self.isLasting = isLasting
    self.suggestion = suggestion
  }

  package var description: String { message }
}

extension HTTPError {
  static let cancelledByCaller = HTTPError(.cancelled, "the request was cancelled")
  static let withheld = HTTPError(.withheld, "the request was held back")
  static let shutDown = HTTPError(.cancelled, "the HTTP client has been shut down")
  static let loopUnavailable = HTTPError(.other, "the HTTP client could not start its thread")
  static let headersLate = HTTPError(.timeout, "no response came in time")
  static let bodyLate = HTTPError(.timeout, "the response went silent")
  static let twoReaders = HTTPError(.other, "a response body can only be read by one task")
}

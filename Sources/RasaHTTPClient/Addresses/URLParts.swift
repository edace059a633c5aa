import CCurl
import RasaCore

/// An absolute URL of http or https as libcurl reads it: what is checked must be what is connected to.
package struct URLParts: Sendable, Hashable {
  package let scheme: String
  /// In small letters, without brackets and without the dot of the root; addresses in their usual notation.
  package let host: String
  package let port: UInt16
  package let hasUser: Bool
  package let path: String
  package let query: String?
  package let fragment: String?

  /// Nil for what libcurl does not accept, and for other schemes.
  package init?(_ text: String) {
    guard let handle = unsafe curl_url() else { return nil }
    defer { unsafe curl_url_cleanup(handle) }
    let flags = UInt32(CURLU_PATH_AS_IS)
    guard unsafe curl_url_set(handle, CURLUPART_URL, text, flags) == CURLUE_OK,
      let scheme = unsafe Self.part(CURLUPART_SCHEME, of: handle)?.lowercased(),
      scheme == "https" || scheme == "http",
      let host = unsafe Self.part(CURLUPART_HOST, of: handle), !host.isEmpty,
      let port = unsafe Self.part(CURLUPART_PORT, of: handle, UInt32(CURLU_DEFAULT_PORT)).flatMap({
        UInt16($0)
      }),
      let path = unsafe Self.part(CURLUPART_PATH, of: handle),
      let place = HostAndPort(host)
    else { return nil }
    self.scheme = scheme
    self.host = place.host
    self.port = port
    hasUser =
      unsafe Self.part(CURLUPART_USER, of: handle) != nil
      || Self.part(CURLUPART_PASSWORD, of: handle) != nil
    self.path = path
    query = unsafe Self.part(CURLUPART_QUERY, of: handle)
    fragment = unsafe Self.part(CURLUPART_FRAGMENT, of: handle)
  }

  private static func part(_ part: CURLUPart, of handle: OpaquePointer, _ flags: UInt32 = 0)
    -> String?
  {
    var text: UnsafeMutablePointer<CChar>?
    guard unsafe curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text = unsafe text
    else {
      return nil
    }
    defer { unsafe curl_free(text) }
    return unsafe String(cString: text)
  }

  package var isSecure: Bool { scheme == "https" }
  /// `https://host`, with the port where it is not the usual one.
  package var origin: String {
    let usual: UInt16 = isSecure ? 443 : 80
    return "\(scheme)://\(bracketedHost)" + (port == usual ? "" : ":\(port)")
  }
  /// The names and addresses of this machine.
  package var isLoopback: Bool {
    NumericAddress(host)?.isLoopback ?? (host == "localhost" || host.hasByteSuffix(".localhost"))
  }
  package var hostAndPort: String { "\(bracketedHost):\(port)" }
  private var bracketedHost: String { host.hasByte(":") ? "[\(host)]" : host }

  /// The absolute URL that a reference in a document at `base` means; nil for what is none.
  package static func resolve(_ reference: String, at base: String) -> String? {
    guard let handle = unsafe curl_url() else { return nil }
    defer { unsafe curl_url_cleanup(handle) }
    // Servers write spaces and letters of their own into `Location`.
    let flags = UInt32(CURLU_URLENCODE)
    guard unsafe curl_url_set(handle, CURLUPART_URL, base, UInt32(CURLU_PATH_AS_IS)) == CURLUE_OK,
      unsafe curl_url_set(handle, CURLUPART_URL, reference, flags) == CURLUE_OK,
      unsafe curl_url_set(handle, CURLUPART_FRAGMENT, nil, 0) == CURLUE_OK
    else { return nil }
    return unsafe part(CURLUPART_URL, of: handle)
  }
}

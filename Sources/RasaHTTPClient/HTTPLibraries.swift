import CCurl

/// The libraries that requests go through, with their versions, as libcurl names them: itself, TLS,
/// HTTP/2, compression. Those of its other protocols and of cookies are left out: nothing here uses them.
package func httpLibraries() -> [(name: String, version: String)] {
  let unused: Set = ["libpsl", "libssh2", "librtmp", "openldap"]
  guard let text = unsafe curl_version() else { return [] }
  return unsafe String(cString: text).split(separator: " ").compactMap { part in
    let words = part.split(separator: "/", maxSplits: 1)
    // Some are followed by the libraries that they are built on, in brackets.
    guard words.count == 2, !part.hasPrefix("(") else { return nil }
    let name = words[0].lowercased()
    return unused.contains(name) ? nil : (name, String(words[1]))
  }
}

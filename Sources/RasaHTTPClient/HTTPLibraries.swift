import CCurl

/// The libraries that requests go through, with their versions, as libcurl names them: itself, TLS,
/// HTTP/2, compression.
package func httpLibraries() -> [(name: String, version: String)] {
  guard let text = unsafe curl_version() else { return [] }
  return unsafe String(cString: text).split(separator: " ").compactMap { part in
    let words = part.split(separator: "/", maxSplits: 1)
    // Behind some stands in brackets what they are built on.
    guard words.count == 2, !part.hasPrefix("(") else { return nil }
    return (words[0].lowercased(), String(words[1]))
  }
}

import RasaCore

/// An address in a file: complete, with its scheme, and without anything that two parsers could
/// interpret differently.
struct AddressText {
  struct Problem: Error {
    var problem: String
    var suggestion: String
  }

  let host: String

  init(_ text: String, schemes: [String], mayNameUser: Bool = false) throws(Problem) {
    func problem(_ message: String, _ suggestion: String? = nil) -> Problem {
      Problem(problem: message, suggestion: suggestion ?? "write it as `https://host/path`")
    }
    let parts = text.split(atByte: ":", maxSplits: 1)
    guard parts.count == 2, schemes.contains(parts[0].lowercased()), parts[1].hasBytePrefix("//")
    else {
      throw problem("it does not begin with \(schemes[0])://", "start it with `https://`")
    }
    var rest = parts[1].dropFirst(2)
    let isPlain = rest.utf8.allSatisfy { byte in
      byte > 0x20 && byte < 0x7F && !"\\\"<>^`{|}".utf8.contains(byte)
    }
    guard isPlain else { throw problem("it has a character that no URL can have") }
    let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
    guard !rest[end...].contains(where: { $0 == "?" || $0 == "#" }) else {
      throw problem("it has a query", "put what follows the `?` into `query`")
    }
    rest = rest[..<end]
    if let at = rest.lastIndex(of: "@") {
      guard mayNameUser else {
        throw problem(
          "it contains a user name or a key", "name the variable that holds the key as `key`")
      }
      rest = rest[rest.index(after: at)...]
    }
    var name = rest
    var port: Substring?
    if rest.first == "[" {
      guard let close = rest.firstIndex(ofByte: "]") else { throw problem("a `]` is missing") }
      name = rest[rest.index(after: rest.startIndex)..<close]
      let tail = rest[rest.index(after: close)...]
      guard name.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }),
        tail.isEmpty || tail.first == ":"
      else { throw problem("the text in brackets is not an IPv6 address") }
      port = tail.isEmpty ? nil : tail.dropFirst()
    } else {
      if let colon = rest.firstIndex(ofByte: ":") {
        name = rest[..<colon]
        port = rest[rest.index(after: colon)...]
      }
      guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) })
      else { throw problem("its host has a character that no host can have") }
    }
    guard !name.isEmpty else { throw problem("it has no host") }
    if let port {
      guard port.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(port),
        (1...65_535).contains(number)
      else { throw problem("its port is not a number from 1 to 65535") }
    }
    host = name.lowercased()
  }

  /// Whether it is this machine, regardless of name servers.
  var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(atByte: ".")
    return parts.count == 4 && parts[0] == "127"
      && parts.allSatisfy { part in
        part.count <= 3 && !(part.count > 1 && part.first == "0") && UInt8(part) != nil
      }
  }
}

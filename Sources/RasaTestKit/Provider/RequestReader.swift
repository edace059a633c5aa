import RasaCore

struct RequestHead {
  var method: String
  var path: String
  var headers: [(name: String, value: String)]
}

/// Assembles requests from the bytes of a connection. Supports only what HTTP clients really send:
/// a length, no chunked request bodies.
struct RequestReader {
  static let headLimit = 64 * 1024
  static let bodyLimit = 64 * 1024 * 1024

  enum Problem: Error { case malformed }

  private var bytes: [UInt8] = []
  /// How far the end of the headers has been searched for.
  private var searched = 0
  private var head: RequestHead?
  private var bodyStart = 0
  private var bodyLength = 0

  mutating func append(_ more: some Sequence<UInt8>) { bytes += more }

  /// Removes and returns the next complete request; nil if more bytes are needed.
  mutating func next() throws(Problem) -> (head: RequestHead, body: [UInt8])? {
    if head == nil { try findHead() }
    guard let head, bytes.count - bodyStart >= bodyLength else { return nil }
    let body = Array(bytes[bodyStart..<(bodyStart + bodyLength)])
    bytes.removeFirst(bodyStart + bodyLength)
    self.head = nil
    searched = 0
    return (head, body)
  }

  private mutating func findHead() throws(Problem) {
    let end = Array("\r\n\r\n".utf8)
    var index = max(0, searched - 3)
    while index + 4 <= bytes.count {
      if bytes[index..<(index + 4)].elementsEqual(end) {
        try parseHead(bytes[..<index])
        bodyStart = index + 4
        return
      }
      index += 1
    }
    searched = bytes.count
    guard bytes.count <= Self.headLimit else { throw .malformed }
  }

  private mutating func parseHead(_ text: ArraySlice<UInt8>) throws(Problem) {
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\r\n")
    let words = (lines.first ?? "").split(separator: " ")
    guard words.count == 3 else { throw .malformed }
    let headers = lines.dropFirst().map { line -> (name: String, value: String) in
      let parts = line.split(separator: ":", maxSplits: 1)
      let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
      return (String(parts.first ?? ""), String(value))
    }
    let length = headers.first { $0.name.lowercased() == "content-length" }.map { Int($0.value) }
    guard let length = length ?? 0, (0...Self.bodyLimit).contains(length) else { throw .malformed }
    bodyLength = length
    head = RequestHead(method: String(words[0]), path: String(words[1]), headers: headers)
  }
}

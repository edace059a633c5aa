package struct HTTPResponse: Sendable {
  package var status: Int
  package var headers: HTTPHeaders
  package var body: HTTPBody
  /// The way that it came.
  package var route: ProxyRoute
  /// Where it came from, after redirects.
  package var url: String
}

/// Response headers in the order they came. Names compare without regard to case.
package struct HTTPHeaders: Sendable {
  package private(set) var fields: [(name: String, value: String)] = []

  package init(_ fields: [(name: String, value: String)] = []) { self.fields = fields }

  package func first(named name: String) -> String? {
    fields.first { $0.name.utf8.elementsEqual(name.utf8, by: equalIgnoringCase) }?.value
  }

  /// Takes one header line as it came, without its line end; a line that starts with a space
  /// continues the one before.
  mutating func append(line: some BidirectionalCollection<UInt8>) {
    func text(_ bytes: some BidirectionalCollection<UInt8>) -> String {
      var trimmed = bytes[...]
      while let last = trimmed.last, isBlank(last) { trimmed.removeLast() }
      return String(decoding: trimmed.drop(while: isBlank), as: UTF8.self)
    }
    if let first = line.first, isBlank(first), !fields.isEmpty {
      fields[fields.count - 1].value += " " + text(line)
    } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
      fields.append((text(line[..<colon]), text(line[line.index(after: colon)...])))
    }
  }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

private func equalIgnoringCase(_ left: UInt8, _ right: UInt8) -> Bool {
  func lowered(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 32 : byte
  }
  return lowered(left) == lowered(right)
}

/// Status and headers, before there is a body to go with them.
struct HTTPResponseHead: Sendable {
  var status: Int
  var headers: HTTPHeaders
}

import RasaCore

/// One challenge of a `WWW-Authenticate` header (RFC 9110, 11.6.1).
package struct AuthChallenge: Sendable, Hashable {
  /// In small letters: `bearer`.
  package var scheme: String
  /// By their names in small letters.
  package var parameters: [String: String] = [:]

  package var scopes: [String] { Self.scopes(parameters["scope"] ?? "") }

  static func scopes(_ text: String) -> [String] {
    text.split(atByte: " ", omittingEmpty: true).map(String.init)
  }

  /// The challenges of a header, which may hold several, or of several headers joined by commas. What cannot be read is
  /// left out.
  package static func parse(_ header: String) -> [AuthChallenge] {
    var challenges: [AuthChallenge] = []
    var reader = Reader(Array(header.utf8.prefix(16_384))[...])
    while let word = reader.word() {
      if reader.take("="), var last = challenges.popLast() {
        if let value = reader.value() {
          last.parameters[word.lowercased()] = last.parameters[word.lowercased()] ?? value
        }
        challenges.append(last)
      } else {
        challenges.append(AuthChallenge(scheme: word.lowercased()))
      }
      reader.skipSeparators()
    }
    return challenges
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>
    init(_ bytes: ArraySlice<UInt8>) {
      rest = bytes
      skipSeparators()
    }

    mutating func skipSeparators() {
      rest = rest.drop { $0 == 32 || $0 == 9 || $0 == UInt8(ascii: ",") }
    }

    mutating func word() -> String? {
      // Something that is no word ends nothing: it is skipped, up to the next comma.
      while let first = rest.first, !isWord(first) {
        rest = rest.drop { $0 != UInt8(ascii: ",") }
        skipSeparators()
        _ = first
      }
      let word = rest.prefix(while: isWord)
      guard !word.isEmpty else { return nil }
      rest = rest[word.endIndex...]
      return String(decoding: word, as: UTF8.self)
    }

    /// Spaces are allowed around the sign; what follows a scheme after a space is a parameter's name.
    mutating func take(_ sign: Unicode.Scalar) -> Bool {
      let after = rest.drop { $0 == 32 || $0 == 9 }
      guard after.first == UInt8(ascii: sign) else { return false }
      rest = after.dropFirst().drop { $0 == 32 || $0 == 9 }
      return true
    }

    mutating func value() -> String? {
      guard rest.first == UInt8(ascii: "\"") else {
        let value = rest.prefix { $0 != UInt8(ascii: ",") && $0 != 32 && $0 != 9 }
        rest = rest[value.endIndex...]
        return String(decoding: value, as: UTF8.self)
      }
      rest.removeFirst()
      var value: [UInt8] = []
      while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "\"") { return String(decoding: value, as: UTF8.self) }
        if byte == UInt8(ascii: "\\") {
          if let next = rest.popFirst() { value.append(next) }
        } else {
          value.append(byte)
        }
      }
      return nil
    }

    private func isWord(_ byte: UInt8) -> Bool {
      isWordByte(byte) || "!#$%&'*+-.^`|~".utf8.contains(byte)
    }
  }
}

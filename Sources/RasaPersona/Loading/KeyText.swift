import RasaCore

/// Recognises keys and names of variables, so that a key in the wrong place is distinguished from a
/// name, and never shown.
enum KeyText {
  private static let beginnings = [
    "sk-", "sk_", "pk-", "rk-", "AIza", "AQ.", "gsk_", "xai-", "hf_", "nvapi-", "pplx-", "ghp_",
    "github_pat_", "Bearer ", "Basic ",
  ]

  /// Whether it starts like the keys of some vendor.
  static func beginsAsKey(_ text: String) -> Bool {
    let lowered = text.lowercased()
    return beginnings.contains { lowered.hasPrefix($0.lowercased()) && text.count > $0.count }
  }

  /// Whether this is a key where a variable's name is expected: names consist of words, keys are
  /// long and do not.
  static func looksLikeKey(_ text: String) -> Bool {
    let bytes = text.utf8
    return beginsAsKey(text)
      || (bytes.count >= 24 && !bytes.contains(UInt8(ascii: "_")) && bytes.contains(where: isDigit))
  }

  static func isVariableName(_ text: String) -> Bool {
    guard let first = text.utf8.first, !isDigit(first), text.utf8.count <= 128 else { return false }
    return text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
  }

  static func isHeaderName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 128
      && text.utf8.allSatisfy { byte in
        isLetter(byte) || isDigit(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
      }
  }

  /// Headers and parameters that only carry keys.
  static func carriesKey(_ name: String) -> Bool {
    [
      "authorization", "proxy-authorization", "x-api-key", "api-key", "api_key", "apikey",
      "x-goog-api-key", "key", "access_token", "token", "cookie",
    ].contains(name.lowercased())
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}

extension Failure {
  /// The same without the rest of a line after each location that may hold a key.
  func hidingKeys(at places: [SourceLocation] = []) -> Failure {
    guard others.isEmpty else {
      var failure = self
      failure.others = []
      failure = failure.hidingKeys(at: places)
      failure.others = others.map { $0.hidingKeys(at: places) }
      return failure
    }
    guard let line = excerpt else { return self }
    let scalars = Array(line.unicodeScalars)
    var end = scalars.count
    for place in places where place.line == location?.line && place.file == location?.file {
      end = min(end, max(0, place.column - 1))
    }
    var start: Int?
    for (index, scalar) in scalars.enumerated() {
      let isPart =
        scalar.isASCII && scalar.value > 0x20 && !"\"':,{}[]()".unicodeScalars.contains(scalar)
      if isPart {
        start = start ?? index
        guard index + 1 == scalars.count else { continue }
      }
      guard let begin = start else { continue }
      var word = String.UnicodeScalarView()
      word.append(contentsOf: scalars[begin...(isPart ? index : index - 1)])
      if KeyText.beginsAsKey(String(word)) { end = min(end, begin) }
      start = nil
    }
    guard end < scalars.count else { return self }
    var kept = String.UnicodeScalarView()
    kept.append(contentsOf: scalars[..<end])
    var copy = self
    copy.excerpt = String(kept) + "***"
    return copy
  }
}

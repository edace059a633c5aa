/// Removes keys and passwords of the environment from messages and journals: a file's line, a server's
/// answer or a path may repeat them.
package struct Redaction: Sendable {
  /// Longest first, so that a secret that is the beginning of another does not leave the rest of it.
  private let secrets: [[UInt8]]

  /// - Parameters:
  ///   - environment: all variables.
  ///   - named: variables that hold keys under any name.
  package init(_ environment: [String: String], named: Set<String> = []) {
    secrets = environment.filter { named.contains($0.key) || Self.holdsSecret($0.key) }
      .map { Array($0.value.utf8) }.filter { $0.count >= Self.shortest }
      .sorted { $0.count > $1.count }
  }

  /// Shorter values would remove unrelated words from messages.
  private static let shortest = 8

  private static let words: Set<String> = [
    "KEY", "KEYS", "APIKEY", "TOKEN", "SECRET", "SECRETS", "PASSWORD", "PASSWD", "PASSPHRASE",
    "CREDENTIAL", "CREDENTIALS", "PAT",
  ]

  private static func holdsSecret(_ name: String) -> Bool {
    name.uppercased().split(separator: "_").contains { words.contains(String($0)) }
  }

  package func callAsFunction(_ text: String) -> String {
    guard !secrets.isEmpty else { return text }
    var bytes = Array(text.utf8)
    var isChanged = false
    for secret in secrets { isChanged = Self.hide(secret, in: &bytes) || isChanged }
    return isChanged ? String(decoding: bytes, as: UTF8.self) : text
  }

  package func callAsFunction(_ failure: Failure) -> Failure {
    guard !secrets.isEmpty else { return failure }
    var failure = failure
    failure.message = self(failure.message)
    failure.suggestion = self(failure.suggestion)
    failure.excerpt = failure.excerpt.map { self($0) }
    failure.details = failure.details.map { self($0) }
    failure.others = failure.others.map { self($0) }
    if let location = failure.location { failure.location?.file = self(location.file) }
    return failure
  }

  private static func hide(_ secret: [UInt8], in bytes: inout [UInt8]) -> Bool {
    guard let first = secret.first, bytes.count >= secret.count else { return false }
    var result: [UInt8] = []
    var start = 0
    var place = 0
    while place + secret.count <= bytes.count {
      if bytes[place] == first, bytes[place..<place + secret.count].elementsEqual(secret) {
        result += bytes[start..<place]
        result += "***".utf8
        place += secret.count
        start = place
      } else {
        place += 1
      }
    }
    guard start > 0 else { return false }
    bytes = result + bytes[start...]
    return true
  }
}

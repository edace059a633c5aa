import RasaCore

/// A key. Every way of printing it shows `***`; only an adapter, which puts it into a header, can
/// see what it is.
package struct Secret: Sendable, Hashable {
  let value: String
  /// Distinguishes keys without revealing them.
  let fingerprint: String

  package init(_ value: String) {
    self.value = value
    fingerprint = String(Digest.sha256(Array(value.utf8)).prefix(12))
  }

  /// The text with every appearance of the secret replaced: servers repeat what they were sent.
  func redacting(_ text: String) -> String {
    guard value.utf8.count >= 4 else { return text }
    let secret = Array(value.utf8)
    let bytes = Array(text.utf8)
    guard bytes.count >= secret.count else { return text }
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index...].starts(with: secret) {
        result += "***".utf8
        index += secret.count
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "***" }
  package var debugDescription: String { "***" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

import CCrypto

/// SHA-256, as 64 lower-case hexadecimal digits.
package enum Digest {
  /// The 32 bytes themselves.
  package static func sha256Bytes(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    unsafe ccrypto_sha256(bytes, bytes.count, &digest)
    return digest
  }

  package static func sha256(_ bytes: [UInt8]) -> String {
    let digest = sha256Bytes(bytes)
    var text: [UInt8] = []
    text.reserveCapacity(64)
    for byte in digest {
      text.append(digit(byte >> 4))
      text.append(digit(byte & 15))
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func digit(_ number: UInt8) -> UInt8 {
    number < 10 ? UInt8(ascii: "0") + number : UInt8(ascii: "a") - 10 + number
  }

  package static func sha256(_ text: String) -> String { sha256(Array(text.utf8)) }

  /// The digest of a value's canonical JSON: the order of members does not count.
  package static func of(_ value: Value) -> String { sha256(value.jsonBytes(.canonical)) }
}

import Glibc

/// The same JSON document again and again with another string at one place: what a provider's
/// stream is, token after token.
///
/// Once a document has been read, a later one that has the same bytes before and after the string
/// needs no reading: what lies between, if it is the plain inside of a string, is the string.
package struct JSONRepeat: Sendable {
  private let before: [UInt8]
  private let after: [UInt8]

  /// Learns from a document that was read, in which the member `key` had this value. Nil when that
  /// place cannot be told for certain.
  package init?(_ bytes: [UInt8], _ range: Range<Int>, key: String, value: String) {
    let opening = Array("\"\(key)\":\"".utf8)
    let document = Array(bytes[range])
    let inside = Array(value.utf8)
    var place: Int? = nil
    var index = 0
    while index + opening.count <= document.count {
      if document[index] == opening[0],
        document[index..<(index + opening.count)].elementsEqual(opening)
      {
        guard place == nil else { return nil }
        place = index + opening.count
      }
      index += 1
    }
    guard let start = place, start + inside.count < document.count,
      document[start..<(start + inside.count)].elementsEqual(inside),
      document[start + inside.count] == UInt8(ascii: "\""), Self.isPlain(inside[...])
    else { return nil }
    before = Array(document[..<start])
    after = Array(document[(start + inside.count)...])
  }

  /// The string, if this is the same document around it.
  package func string(in bytes: [UInt8], _ range: Range<Int>) -> String? {
    let length = range.count - before.count - after.count
    guard length >= 0 else { return nil }
    let start = range.lowerBound + before.count
    let isSame = unsafe bytes.withUnsafeBytes { bytes in
      guard range.upperBound <= bytes.count, let base = bytes.baseAddress else { return false }
      return unsafe memcmp(base + range.lowerBound, before, before.count) == 0
        && memcmp(base + start + length, after, after.count) == 0
    }
    guard isSame else { return nil }
    let inside = bytes[start..<(start + length)]
    return Self.isPlain(inside) ? String(validating: inside, as: UTF8.self) : nil
  }

  /// Nothing in it ends the string or stands for something else.
  private static func isPlain(_ bytes: ArraySlice<UInt8>) -> Bool {
    for byte in bytes where byte < 0x20 || byte == 0x22 || byte == 0x5C { return false }
    return true
  }
}

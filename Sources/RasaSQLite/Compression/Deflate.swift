import CZlib

/// Texts in fewer bytes (raw deflate, RFC 1951).
package enum Deflate {
  /// Deflate's own bound: nothing that is real is denser.
  private static let densest = 1032

  /// Nil when the result would not be shorter than `limit`.
  package static func compress(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
    var result = [UInt8](repeating: 0, count: max(0, limit))
    let count = unsafe czlib_deflate(bytes, bytes.count, &result, result.count)
    guard count > 0 else { return nil }
    result.removeLast(result.count - count)
    return result
  }

  /// The bytes that have become these; nil when they are not so many, or nothing has become these.
  package static func expand(_ bytes: [UInt8], count: Int) -> [UInt8]? {
    guard count > 0, count / densest <= bytes.count else { return nil }
    var result = [UInt8](repeating: 0, count: count)
    let written = unsafe czlib_inflate(bytes, bytes.count, &result, count)
    return written == count ? result : nil
  }
}

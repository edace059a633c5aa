import CZlib

/// Compresses texts (raw deflate, RFC 1951). Used by one thread.
@safe
package final class Deflate {
  /// Most texts are no longer than this. Their stream is reused: creating one takes as long as using it.
  private static let short = 4096
  private let stream: UnsafeMutablePointer<z_stream>?

  package init() { unsafe stream = czlib_begin(Self.short) }

  deinit { unsafe czlib_end(stream) }

  /// Nil if the result would not be shorter than `limit`.
  package func compress(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
    let isShort = bytes.count <= Self.short
    let stream = unsafe isShort ? stream : czlib_begin(bytes.count)
    defer { if !isShort { unsafe czlib_end(stream) } }
    var result = [UInt8](repeating: 0, count: max(0, limit))
    let count = unsafe czlib_deflate(stream, bytes, bytes.count, &result, result.count)
    guard count > 0 else { return nil }
    result.removeLast(result.count - count)
    return result
  }

  /// Deflate cannot compress better than this.
  private static let densest = 1032

  /// The original bytes; nil if they are not `count` bytes, or the input is not valid.
  package static func expand(_ bytes: [UInt8], count: Int) -> [UInt8]? {
    guard count > 0, count / densest <= bytes.count else { return nil }
    var result = [UInt8](repeating: 0, count: count)
    let written = unsafe czlib_inflate(bytes, bytes.count, &result, count)
    return written == count ? result : nil
  }

  /// The content of a zlib stream (RFC 1950) of unknown length; nil if it is not valid, is cut off, or expands to
  /// more than `limit`. Bytes after the stream are ignored.
  package static func expandWrapped(_ bytes: [UInt8], atMost limit: Int) -> [UInt8]? {
    guard !bytes.isEmpty else { return nil }
    var room = min(limit, max(4_096, bytes.count * 4))
    while true {
      var result = [UInt8](repeating: 0, count: room)
      let written = unsafe czlib_inflate_wrapped(bytes, bytes.count, &result, room)
      if written <= room {
        guard written > 0 else { return nil }
        result.removeLast(room - written)
        return result
      }
      guard room < limit else { return nil }
      room = min(limit, room * 8)
    }
  }
}

import CUnicode
import Glibc

extension String {
  /// The same text in Unicode's normalization form C: a letter and its marks are one scalar where there is one.
  package var composed: String {
    var text = self
    return text.withUTF8 { bytes in
      var result: UnsafeMutablePointer<UInt8>?
      let options = utf8proc_option_t(UTF8PROC_STABLE.rawValue | UTF8PROC_COMPOSE.rawValue)
      let count = unsafe utf8proc_map(bytes.baseAddress, bytes.count, &result, options)
      defer { unsafe free(result) }
      guard count >= 0, let result = unsafe result else { return self }
      return unsafe String(
        decoding: UnsafeBufferPointer(start: result, count: count), as: UTF8.self)
    }
  }
}

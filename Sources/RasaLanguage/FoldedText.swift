import CUnicode
import Glibc

/// Texts in forms in which what reads the same is the same.
package enum FoldedText {
  /// Lower case and compatible forms made one, as `ＡＢＣ` and `abc`; what is invisible is gone. Nil where memory has run
  /// out.
  package static func lowered(_ text: [UInt8]) -> [UInt8]? {
    mapped(
      text,
      UTF8PROC_STABLE.rawValue | UTF8PROC_COMPAT.rawValue | UTF8PROC_COMPOSE.rawValue
        | UTF8PROC_IGNORE.rawValue | UTF8PROC_CASEFOLD.rawValue)
  }

  /// Letters without their marks: `é` becomes `e`.
  package static func withoutMarks(_ text: [UInt8]) -> [UInt8]? {
    mapped(
      text,
      UTF8PROC_STABLE.rawValue | UTF8PROC_DECOMPOSE.rawValue | UTF8PROC_STRIPMARK.rawValue)
  }

  private static func mapped(_ text: [UInt8], _ options: UInt32) -> [UInt8]? {
    unsafe text.withUnsafeBufferPointer { bytes in
      var result: UnsafeMutablePointer<UInt8>?
      let count = unsafe utf8proc_map(
        bytes.baseAddress, bytes.count, &result, utf8proc_option_t(options))
      defer { unsafe free(result) }
      guard count >= 0, let result = unsafe result else { return nil }
      return unsafe Array(UnsafeBufferPointer(start: result, count: count))
    }
  }
}

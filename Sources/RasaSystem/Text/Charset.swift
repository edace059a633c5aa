import CSystem
import RasaCore

/// A charset that servers name, and text in it.
package struct Charset: Sendable, Hashable {
  /// As iconv knows it.
  package let name: String

  package static let utf8 = Charset(name: "UTF-8")

  private init(name: String) { self.name = name }

  /// Nil for a name that is not on the list: converters of rare charsets have had holes, and the name is a server's.
  package init?(_ label: some StringProtocol) {
    let label = label.lowercased().trimmedByScalars
    switch label {
    case "utf-8", "utf8", "us-ascii", "ascii": name = "UTF-8"
    // As browsers read it: pages that say Latin-1 are in the one of Windows.
    case "iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252":
      name = "WINDOWS-1252"
    case "utf-16", "utf-16le", "utf-16be", "gb18030", "big5", "euc-jp", "euc-kr", "koi8-r",
      "koi8-u":
      name = label.uppercased()
    case "gbk", "gb2312": name = "GB18030"
    case "shift_jis", "shift-jis", "sjis": name = "SHIFT_JIS"
    default:
      let families = ["iso-8859-", "windows-125"]
      guard
        let family = families.first(where: { label.hasBytePrefix($0) }),
        let number = Int(label.dropFirst(family.utf8.count)), (0...16).contains(number)
      else { return nil }
      name = label.uppercased()
    }
  }

  /// Nil for bytes that are no text in this charset. A byte order mark is dropped, and before any other charset than
  /// UTF-16 one of UTF-8 counts.
  package func decode(_ bytes: [UInt8]) -> String? {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      return String(validating: bytes[3...], as: UTF8.self)
    }
    if name == "UTF-8" { return String(validating: bytes, as: UTF8.self) }
    var source = name
    var bytes = bytes[...]
    if name.hasBytePrefix("UTF-16") {
      if bytes.starts(with: [0xFF, 0xFE]) {
        source = "UTF-16LE"
        bytes = bytes.dropFirst(2)
      } else if bytes.starts(with: [0xFE, 0xFF]) {
        source = "UTF-16BE"
        bytes = bytes.dropFirst(2)
      } else if name == "UTF-16" {
        // Without a mark it is what the standard says, big-endian.
        source = "UTF-16BE"
      }
    }
    // No charset here needs more than three bytes of UTF-8 for one of its own, or two for each of UTF-16's.
    var text = [UInt8](repeating: 0, count: bytes.count * 3 + 16)
    let count = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe text.withUnsafeMutableBufferPointer { text in
        unsafe rasa_decode(source, bytes.baseAddress, bytes.count, text.baseAddress, text.count)
      }
    }
    guard count >= 0 else { return nil }
    return String(decoding: text[..<count], as: UTF8.self)
  }
}

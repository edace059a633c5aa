import CLanguage

/// The language of a text as an ISO 639 code, as `en` or `zh-Hant`; nil where it cannot be told, as of a single word or
/// where libcld2 is not installed.
package func writtenLanguage(of text: String) -> String? {
  // Less is not enough to tell, and a page says enough.
  guard text.utf8.count >= 20 else { return nil }
  var start = text.utf8.prefix(4096)
  if start.endIndex != text.utf8.endIndex {
    let end = start.lastIndex { $0 & 0xC0 != 0x80 } ?? start.startIndex
    start = start[..<end]
  }
  var sample = String(Substring(start))
  return sample.withUTF8 { bytes in
    unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
      unsafe rasa_language(characters.baseAddress, characters.count).map {
        unsafe String(cString: $0)
      }
    }
  }
}

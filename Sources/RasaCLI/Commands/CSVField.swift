import RasaCore

/// A text that a spreadsheet shows and does not reckon with.
func csvField(_ text: String) -> String {
  var text = text
  if let first = text.unicodeScalars.first, "=+-@\t\r\n".unicodeScalars.contains(first) {
    text = "'" + text
  }
  let isPlain = !text.utf8.contains { byte in
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte < 0x20
  }
  if isPlain { return text }
  return "\""
    + text.split(atByte: "\"")
    .joined(separator: "\"\"") + "\""
}

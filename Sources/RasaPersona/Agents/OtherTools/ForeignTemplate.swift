import RasaCore

/// The prompt of another tool as a template of rasa: placeholders for the question become
/// `{{input}}`, names that take values stay names, and all other braces are text.
struct ForeignTemplate {
  private let bytes: [UInt8]

  init(_ text: String) { bytes = Array(text.utf8) }

  /// - Parameter name: rasa's name for the text between two braces, without surrounding blanks; nil
  ///   if it is plain text.
  func escaped(_ name: (String) -> String? = { _ in nil }) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count + 16)
    let brace = UInt8(ascii: "{")
    var position = 0
    while position < bytes.count {
      guard bytes[position] == brace, position + 1 < bytes.count, bytes[position + 1] == brace
      else {
        text.append(bytes[position])
        position += 1
        continue
      }
      if let (inner, end) = placeholder(at: position), let ours = name(inner) {
        text += Array("{{\(ours)}}".utf8)
        position = end
      } else {
        text += Array("\\{{".utf8)
        position += 2
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The text between two braces on one line, and its end.
  private func placeholder(at start: Int) -> (inner: String, end: Int)? {
    var position = start + 2
    while position + 1 < bytes.count, bytes[position] != 0x0A {
      if bytes[position] == UInt8(ascii: "}"), bytes[position + 1] == UInt8(ascii: "}") {
        let inner = String(decoding: bytes[(start + 2)..<position], as: UTF8.self).trimmed
        return (inner, position + 2)
      }
      position += 1
    }
    return nil
  }

  /// Whether the text contains the part.
  static func contains(_ part: String, in text: String) -> Bool {
    text.firstRange(ofBytes: part) != nil
  }
}

extension ForeignAgent {
  /// Notes what the other tool would insert into the prompt, which is left unchanged.
  mutating func leaveInsertions(_ marks: [(part: String, shown: String)]) {
    for mark in marks where prompt.firstRange(ofBytes: mark.part) != nil { leave(mark.shown) }
  }

  static let shellAndFiles = [
    (part: "!{", shown: "!{…}"), (part: "@{", shown: "@{…}"), (part: "!`", shown: "!`…`"),
  ]
}

package import RasaCore

/// Fields as lines of YAML for people to edit.
package enum FrontMatterText {
  private static let widest = 96

  package static func lines(_ proposal: AgentProposal) -> [String] {
    let key = proposal.key
    switch proposal.value {
    case .array(let elements):
      let texts = elements.map { scalar($0, isInList: true) }
      let inline = "\(key): [\(texts.joined(separator: ", "))]"
      let isShort = inline.utf8.count <= widest && !texts.contains { $0.utf8.contains(0x20) }
      return isShort ? [inline] : ["\(key):"] + elements.map { "  - \(scalar($0))" }
    case .object(let object): return ["\(key):"] + object.map { "  \($0.key): \(scalar($0.value))" }
    default: return ["\(key): \(scalar(proposal.value))"]
    }
  }

  /// Unquoted if it cannot be read as anything else.
  package static func scalar(_ value: Value, isInList: Bool = false) -> String {
    guard let text = value.string else { return value.json() }
    return isPlain(text, isInList) ? text : quoted(text)
  }

  /// In double quotes, with line ends and invisible characters escaped.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      default:
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
          let digits = String(scalar.value, radix: 16, uppercase: true)
          let (mark, count) = scalar.value > 0xFFFF ? ("U", 8) : ("u", 4)
          quoted += "\\\(mark)" + String(repeating: "0", count: count - digits.count) + digits
        default: quoted.unicodeScalars.append(scalar)
        }
      }
    }
    return quoted + "\""
  }

  private static func isPlain(_ text: String, _ isInList: Bool) -> Bool {
    let words: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
    guard let first = text.utf8.first, let last = text.utf8.last, isLetter(first),
      last != 0x20, last != UInt8(ascii: ":"), !words.contains(text.lowercased())
    else { return false }
    var previous: UInt8 = 0
    for byte in text.utf8 {
      defer { previous = byte }
      if byte >= 0x80 || isLetter(byte) || (byte >= 0x30 && byte <= 0x39) { continue }
      // A colon or `#` has a meaning only next to a blank.
      if previous == UInt8(ascii: ":"), byte == 0x20 { return false }
      if !" ._/+'()?!;-:".utf8.contains(byte), isInList || !",".utf8.contains(byte) { return false }
    }
    // Other characters (line ends, invisible ones) are quoted.
    return text.unicodeScalars.allSatisfy { scalar in
      scalar.isASCII || scalar.properties.isAlphabetic || scalar.properties.isEmoji
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z") && byte < 0x80
  }
}

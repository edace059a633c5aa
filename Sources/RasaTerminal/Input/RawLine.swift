/// A line on a terminal that can only show characters one after the other: keys go in, output and
/// the completed line come out.
///
/// The terminal's own line discipline cannot be used for this: it gives up at 4,095 bytes, and ends
/// at the first line break of a paste.
struct RawLine {
  enum Outcome: Equatable {
    case incomplete(echo: String)
    case finished(LineReader.Line)
  }

  private enum State: Equatable { case text, escape, sequence(String) }

  private var text = ""
  private var state = State.text
  private var isPasting = false
  /// Whether the last key was a return inside a paste: a line feed after it is the same break.
  private var isAfterReturn = false

  mutating func receive(_ key: Unicode.Scalar) -> Outcome {
    switch state {
    case .text: break
    case .escape:
      state = key == "[" || key == "O" ? .sequence("") : .text
      return .incomplete(echo: "")
    case .sequence(let known):
      guard ("@"..."~").contains(key) else {
        state = known.utf8.count < 16 ? .sequence(known + String(key)) : .text
        return .incomplete(echo: "")
      }
      state = .text
      if key == "~", known == "200" { isPasting = true }
      if key == "~", known == "201" { return endPaste() }
      return .incomplete(echo: "")
    }
    defer { isAfterReturn = isPasting && key == "\r" }
    switch key {
    case "\u{1B}":
      state = .escape
      return .incomplete(echo: "")
    case "\r", "\n":
      guard isPasting else { return .finished(.text(text)) }
      if key == "\n", isAfterReturn { return .incomplete(echo: "") }
      text.unicodeScalars.append("\n")
      return .incomplete(echo: "\r\n")
    case "\0": return .incomplete(echo: "")
    case _ where isPasting: break
    case "\u{3}": return .finished(.interrupted)
    case "\u{4}": return text.isEmpty ? .finished(.end) : .incomplete(echo: "")
    case "\u{7F}", "\u{8}":
      guard let last = text.popLast() else { return .incomplete(echo: "") }
      let columns = last.isNewline ? 0 : last.displayWidth
      return .incomplete(echo: String(repeating: "\u{8} \u{8}", count: columns))
    case "\u{15}":
      text = ""
      return .incomplete(echo: "\r\n(undone) ")
    case _ where key.value < 0x20 && key != "\t": return .incomplete(echo: "")
    default: break
    }
    text.unicodeScalars.append(key)
    return .incomplete(echo: printable(String(key)))
  }

  /// A line break at the end of a paste would only leave an empty line.
  private mutating func endPaste() -> Outcome {
    isPasting = false
    while text.last?.isNewline == true { text.removeLast() }
    return .incomplete(echo: "")
  }
}

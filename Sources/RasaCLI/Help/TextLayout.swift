import RasaTerminal

/// Plain text laid out in columns of a given width.
struct TextLayout {
  /// Longer labels stand on a line of their own, above their text.
  static let widestLabel = 28

  private(set) var lines: [String] = []
  let width: Int

  /// Wider than 100 nothing is pleasant to read.
  init(width: Int) { self.width = min(max(width, 20), 100) }

  var text: String { lines.joined(separator: "\n") + "\n" }

  mutating func heading(_ title: String) {
    lines.append("")
    paragraph(title, indent: 0)
  }

  mutating func paragraph(_ text: String, indent: Int) {
    lines += filled(
      text.split(separator: " "), columns: width, indent: indent, hanging: indent)
  }

  /// Labels in one column, what they mean in the other.
  mutating func rows(_ rows: [(label: String, text: String)], labelWidth: Int? = nil) {
    // Where two columns have no room, what labels mean stands below them.
    let wide = 2 + (labelWidth ?? Self.labelWidth(of: rows.map(\.label))) + 2
    let column = wide + 16 <= width ? wide : 6
    for row in rows {
      let label = "  \(row.label)"
      let text = filled(
        row.text.split(separator: " "), columns: width, indent: column, hanging: column)
      if label.count + 2 > column || text.isEmpty {
        lines.append(label)
        lines += text
      } else {
        lines.append(label + text[0].dropFirst(label.count))
        lines += text.dropFirst()
      }
    }
  }

  static func labelWidth(of labels: [String]) -> Int {
    labels.map(\.count).filter { $0 <= widestLabel }.max() ?? 0
  }

  /// A command line, broken before its options so that it can still be pasted into a shell.
  mutating func command(_ line: String, indent: Int) {
    let isNarrow = width < 60
    lines += filled(
      optionPieces(of: line), columns: width, indent: isNarrow ? 2 : indent,
      hanging: isNarrow ? 4 : indent + 4, lineEnd: " \\")
  }

  /// Cut before every ` -` that is outside quotes.
  private func optionPieces(of line: String) -> [Substring] {
    var pieces: [Substring] = []
    var start = line.startIndex
    var isQuoted = false
    var index = line.startIndex
    while index < line.endIndex {
      let next = line.index(after: index)
      if line[index] == "\"" { isQuoted.toggle() }
      if !isQuoted, line[index] == " ", next < line.endIndex, line[next] == "-" {
        pieces.append(line[start..<index])
        start = next
      }
      index = next
    }
    return pieces + [line[start...]]
  }
}

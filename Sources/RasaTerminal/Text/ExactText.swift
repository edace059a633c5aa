import RasaCore

/// Text that a person must see exactly before deciding about it, laid out for a terminal.
///
/// Deceptive characters are shown as their code, `‹U+200B›`; long lines are folded at any width;
/// and continuation rows are distinguished from lines, so that the caller can mark them.
enum ExactText {
  struct Row: Equatable {
    var text: String
    /// Whether this row continues a line.
    var isContinuation: Bool
  }

  /// The text in rows of at most this many columns.
  static func rows(_ text: String, columns: Int) -> [Row] {
    var rows: [Row] = []
    for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
      let folded = fold(pieces(of: String(line)), columns: max(columns, 1))
      for (index, row) in folded.enumerated() {
        rows.append(Row(text: row, isContinuation: index > 0))
      }
    }
    return rows
  }

  private struct Piece {
    var text: String
    var width: Int
    var isSpace = false

    /// A code is wider than the narrowest rows.
    func split(to columns: Int) -> [Piece] {
      guard width > columns, text.unicodeScalars.count > 1 else { return [self] }
      return text.unicodeScalars.map { Piece(text: String($0), width: $0.displayWidth) }
    }
  }

  private static func pieces(of line: String) -> [Piece] {
    var pieces: [Piece] = []
    var column = 0
    func add(_ text: String, _ width: Int, isSpace: Bool = false) {
      pieces.append(Piece(text: text, width: width, isSpace: isSpace))
      column += width
    }
    func add(number scalar: Unicode.Scalar) {
      let digits = String(scalar.value, radix: 16, uppercase: true)
      let padded = String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
      add("‹U+\(padded)›", padded.utf8.count + 4)
    }
    var previous: Unicode.Scalar?
    for character in line {
      if character == "\t" {
        for _ in 0..<(8 - column % 8) { add(" ", 1, isSpace: true) }
        previous = "\t"
        continue
      }
      let scalars = character.unicodeScalars
      // A code in the text itself must not be mistaken for one that stands for a hidden character.
      if scalars.allSatisfy({ !$0.needsNumber }), let first = scalars.first,
        first != "‹", !(previous == nil && first.isMark)
      {
        // The maximum width: not every terminal joins what belongs together.
        let width = scalars.reduce(0) { $0 + $1.displayWidth }
        add(
          String(character), max(width, scalars.contains { $0.value == 0xFE0F } ? 2 : 0),
          isSpace: character == " ")
        previous = scalars.last
        continue
      }
      for scalar in scalars {
        if scalar.needsNumber || scalar == "‹" || (previous == nil && scalar.isMark) {
          add(number: scalar)
        } else {
          add(String(scalar), scalar.displayWidth)
        }
        previous = scalar
      }
    }
    return pieces
  }

  /// After a space if there is one, otherwise where the row is full.
  private static func fold(_ pieces: [Piece], columns: Int) -> [String] {
    var rows: [String] = []
    var row: [Piece] = []
    var width = 0
    var afterSpace = 0
    func text(_ pieces: some Sequence<Piece>) -> String {
      var text = ""
      for piece in pieces { text += piece.text }
      return text
    }
    for piece in pieces.flatMap({ $0.split(to: columns) }) {
      while width + piece.width > columns, !row.isEmpty {
        let cut = afterSpace > 0 ? afterSpace : row.count
        rows.append(text(row[..<cut]))
        row.removeFirst(cut)
        width = row.reduce(0) { $0 + $1.width }
        afterSpace = 0
      }
      row.append(piece)
      width += piece.width
      if piece.isSpace { afterSpace = row.count }
    }
    rows.append(text(row))
    return rows
  }
}

extension TerminalText {
  /// A complete text with deceptive characters shown as their code, `‹U+200B›`: for text that a
  /// person must see exactly before approving it. Lines keep their length.
  package static func exact(_ text: String) -> String {
    ExactText.rows(text, columns: .max).map(\.text).joined(separator: "\n")
  }

  /// The same, folded, with a bar that is broken on continuation rows.
  package static func exactRows(_ text: String, columns: Int) -> [String] {
    ExactText.rows(text, columns: columns).map { ($0.isContinuation ? "┆ " : "│ ") + $0.text }
  }
}

extension Unicode.Scalar {
  fileprivate var needsNumber: Bool { looksLikeSomethingElse }

  /// It combines with the previous character, which must not be part of the frame.
  fileprivate var isMark: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .spacingMark: true
    default: false
    }
  }
}

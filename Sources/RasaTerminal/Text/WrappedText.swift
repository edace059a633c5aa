import RasaCore

/// A complete text wrapped at words. Continuation rows are indented by two columns more than the
/// line.
package func wrapped(_ text: String, columns: Int, mostColumns: Int = 100) -> String {
  var wrap = WordWrap(columns: columns, mostColumns: mostColumns)
  var isFirst = true
  for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
    if !isFirst { wrap.newLine() }
    isFirst = false
    let indent = line.utf8.prefix { $0 == 0x20 }.count
    wrap.begin([], then: [.spaces(indent + 2)])
    wrap.add(Array(line.utf8)[...], [])
  }
  wrap.endWord()
  wrap.flush()
  return String(decoding: wrap.take(), as: UTF8.self)
}

/// The text in rows of at most this many columns, wrapped at words.
package func rows(of text: String, columns: Int) -> [String] {
  // The last column stays free if text is written to a terminal; here it does not.
  wrapped(text, columns: columns + 1, mostColumns: columns).split(
    separator: "\n", omittingEmptySubsequences: false
  ).map { String($0.drop { $0 == " " }) }
}

/// Pieces joined by spaces into rows of at most this many columns. A piece that is wider than that has a row of its own.
///
/// Unlike `wrapped`, it never breaks a piece, so that words of help can be copied and command lines can be pasted.
///
/// - Parameter lineEnd: what ends every row but the last, such as the backslash of a command.
package func filled(
  _ pieces: some Sequence<Substring>, columns: Int, indent: Int = 0, hanging: Int = 0,
  lineEnd: String = ""
) -> [String] {
  var rows: [String] = []
  var row = ""
  for piece in pieces {
    if row.isEmpty {
      row = String(repeating: " ", count: indent) + piece
    } else if displayWidth(row) + 1 + displayWidth(piece) + displayWidth(lineEnd) <= columns {
      row += " " + piece
    } else {
      rows.append(row + lineEnd)
      row = String(repeating: " ", count: hanging) + piece
    }
  }
  return row.isEmpty ? rows : rows + [row]
}

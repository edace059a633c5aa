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

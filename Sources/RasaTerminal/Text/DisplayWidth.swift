import RasaCore

extension Character {
  var displayWidth: Int {
    var measure = DisplayMeasure()
    return unicodeScalars.reduce(0) { $0 + measure.add($1) }
  }
}

/// The columns that a terminal needs to show this text on one line.
package func displayWidth(_ text: some StringProtocol) -> Int {
  if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text.utf8.count }
  var measure = DisplayMeasure()
  return text.unicodeScalars.reduce(0) { $0 + measure.add($1) }
}

/// The text, or as much of its start as fits in this many columns with an ellipsis.
package func fit(_ text: String, to columns: Int, ellipsis: String = "…") -> String {
  guard displayWidth(text) > columns else { return text }
  let room = columns - displayWidth(ellipsis)
  guard room >= 0 else { return String(repeating: ".", count: max(columns, 0)) }
  var result = ""
  var width = 0
  for character in text {
    width += character.displayWidth
    if width > room { break }
    result.append(character)
  }
  return result + ellipsis
}

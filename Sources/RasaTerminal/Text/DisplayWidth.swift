import RasaCore

extension Character {
  var displayWidth: Int {
    let scalars = unicodeScalars
    guard let first = scalars.first else { return 0 }
    if scalars.count == 1 { return first.displayWidth }
    // The selector that asks for the picture form, and flags, which are two letters.
    if scalars.contains(where: { $0.value == 0xFE0F }) { return 2 }
    if (0x1F1E6...0x1F1FF).contains(first.value) { return 2 }
    return scalars.lazy.map(\.displayWidth).max() ?? 0
  }
}

/// The columns that a terminal needs to show this text on one line.
package func displayWidth(_ text: some StringProtocol) -> Int {
  if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text.utf8.count }
  return text.reduce(0) { $0 + $1.displayWidth }
}

/// The text, or as much of its beginning as fits in so many columns with an ellipsis behind it.
package func fit(_ text: String, to columns: Int) -> String {
  guard displayWidth(text) > columns else { return text }
  guard columns > 0 else { return "" }
  var result = ""
  var width = 0
  for character in text {
    width += character.displayWidth
    if width > columns - 1 { break }
    result.append(character)
  }
  return result + "…"
}

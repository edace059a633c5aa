/// The characters that rasa draws with: Unicode, or ASCII for terminals with another encoding.
package struct Glyphs: Sendable, Hashable {
  package var bar: String
  package var bentBar: String
  package var rule: String
  package var cross: String
  package var corners: (String, String, String) {
    isUnicode ? ("┌─ ", "├─ ", "└") : ("+- ", "+- ", "+")
  }
  /// Empty if the original mark is shown.
  package var bullet: String
  package var open: String
  package var done: String
  package var ellipsis: String
  package var check: String
  package var pointer: String
  package var dot: String
  package var spinner: [String]
  package private(set) var isUnicode: Bool

  package static let unicode = Glyphs(
    bar: "│", bentBar: "┆", rule: "─", cross: "┼", bullet: "•", open: "☐", done: "☑",
    ellipsis: "…", check: "✓", pointer: "▸", dot: "·",
    spinner: "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏".map { String($0) }, isUnicode: true)

  package static let ascii = Glyphs(
    bar: "|", bentBar: ":", rule: "-", cross: "+", bullet: "", open: "[ ]", done: "[x]",
    ellipsis: "...", check: "+", pointer: ">", dot: "-", spinner: ["|", "/", "-", "\\"],
    isUnicode: false)

  /// A text of rasa itself with its Unicode characters replaced by these.
  package func own(_ text: String) -> String {
    guard !isUnicode, text.utf8.contains(where: { $0 >= 0x80 }) else { return text }
    var plain = ""
    for character in text {
      switch character {
      case "·": plain += dot
      case "…": plain += ellipsis
      case "→": plain += "->"
      case "↑": plain += "^"
      case "↓": plain += "v"
      case "★": plain += "*"
      case "☆": plain += "."
      case "🥇", "🥈", "🥉": break
      case "▸", "›": plain += pointer
      case "✓": plain += check
      case "‹": plain += "<"
      case "│": plain += bar
      case "┆": plain += bentBar
      case "─": plain += rule
      case "–": plain += "-"
      default: plain.append(character)
      }
    }
    return plain
  }
}

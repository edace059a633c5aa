/// How text is emphasised: with colours and weights, or not at all.
package struct Style: Sendable, Hashable {
  package private(set) var isColored: Bool
  package var glyphs = Glyphs.unicode

  package static let plain = Style(isColored: false)
  package static let colored = Style(isColored: true)

  package init(isColored: Bool, glyphs: Glyphs = .unicode) {
    self.isColored = isColored
    self.glyphs = glyphs
  }

  package func bold(_ text: String) -> String { wrap(text, "1") }
  package func dim(_ text: String) -> String { wrap(text, "2") }
  package func red(_ text: String) -> String { wrap(text, "31") }
  package func green(_ text: String) -> String { wrap(text, "32") }
  package func yellow(_ text: String) -> String { wrap(text, "33") }
  package func cyan(_ text: String) -> String { wrap(text, "36") }

  /// In the colour with that name, if there is one.
  package func color(_ name: String, _ text: String) -> String {
    Self.codes[name.lowercased()].map { wrap(text, $0) } ?? text
  }

  private static let codes = [
    "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "purple": "35",
    "violet": "35", "cyan": "36", "teal": "36", "white": "37", "gray": "90", "grey": "90",
    "orange": "38;5;208", "pink": "38;5;205", "brown": "38;5;130", "indigo": "38;5;62",
  ]

  private func wrap(_ text: String, _ code: String) -> String {
    isColored && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}

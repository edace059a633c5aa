import RasaCore
import Testing

@Suite("Text in normalization form C")
struct ComposedTextTests {
  @Test(
    "has one scalar for a letter and its marks, where there is one",
    arguments: [
      ("", ""), ("plain", "plain"), ("e\u{301}", "\u{E9}"), ("\u{E9}", "\u{E9}"),
      ("u\u{308}\u{304}", "\u{1D6}"), ("\u{212B}", "\u{C5}"),
      ("\u{1112}\u{1161}\u{11AB}", "\u{D55C}"),
      // The order of marks that do not touch each other is fixed; those that never compose stay.
      ("q\u{307}\u{323}", "q\u{323}\u{307}"), ("\u{958}", "\u{915}\u{93C}"),
      // What is merely compatible is another character.
      ("\u{FB01}", "\u{FB01}"), ("x\0y", "x\0y"),
    ])
  func composes(text: String, composed: String) {
    #expect(Array(text.composed.unicodeScalars) == Array(composed.unicodeScalars))
  }

  @Test func `is the same text, and composed already`() {
    for value in UInt32(0)...0x2FFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let text = "a\(scalar)\u{323}\u{301}"
      let composed = text.composed
      // To `==` canonically equivalent texts are equal.
      if composed != text || !composed.composed.utf8.elementsEqual(composed.utf8) {
        Issue.record("U+\(String(value, radix: 16))")
      }
    }
  }
}

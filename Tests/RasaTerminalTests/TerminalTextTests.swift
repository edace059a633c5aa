import RasaCore
import RasaTerminal
import RasaTestKit
import Testing

@Suite struct TerminalTextTests {
  @Test(arguments: [
    ("plain text\n\twith tab", "plain text\n\twith tab"),
    ("“Grüße” — 世界 🎉", "“Grüße” — 世界 🎉"),
    ("\u{1B}[31mred\u{1B}[0m", "red"),
    ("a\u{1B}]0;title\u{07}b", "ab"),
    ("a\u{1B}]8;;http://x\u{1B}\\link\u{1B}]8;;\u{1B}\\b", "alinkb"),
    ("a\u{1B}Pq#0;2\u{1B}\\b", "ab"),
    ("a\u{1B}(Bb", "ab"),
    ("a\u{1B}cb", "ab"),
    ("a\u{9B}31mb", "ab"),
    ("a\u{9D}0;x\u{9C}b", "ab"),
    ("over\rwrite\r\n", "overwrite\n"),
    ("bell\u{07} back\u{08} null\u{00} delete\u{7F}", "bell back null delete"),
    ("user\u{202E}txt.exe", "usertxt.exe"),
    ("a\u{2066}b\u{2069}c\u{200F}d\u{61C}e", "abcde"),
    ("soft\u{AD}ly", "softly"),
    // A truncated sequence does not swallow the text after it.
    ("a\u{1B}[31\nb", "a\nb"),
    ("a\u{1B}[31\u{1B}[32mb", "ab"),
    ("a\u{1B}]0;never ended\nb", "a\nb"),
    ("ends in escape\u{1B}", "ends in escape"),
    ("é\u{1B}[1m世", "é世"),
  ])
  func hiddenThingsAreTakenOut(text: String, cleaned: String) {
    #expect(printable(text) == cleaned)
  }

  @Test(
    "zero-width characters that could hide text are shown as their code",
    arguments: [
      ("pass\u{200B}word\u{FEFF}\u{2060}!", "pass\\u{200B}word\\u{FEFF}\\u{2060}!"),
      ("tags\u{E0041}\u{E007F} selectors\u{E0100}", "tags\\u{E0041}\\u{E007F} selectors\\u{E0100}"),
      // Joiners without anything to join, or between letters that need none.
      ("pay\u{200D}pal", "pay\\u{200D}pal"), ("a\u{200C}b", "a\\u{200C}b"),
      ("\u{200D}x", "\\u{200D}x"), ("x \u{200C} y", "x \\u{200C} y"), ("می\u{200C}", "می\\u{200C}"),
      ("می\u{200C}\u{200C}روم", "می\\u{200C}\\u{200C}روم"), ("👩\u{200D}x", "👩\\u{200D}x"),
      ("👩\u{200C}👧", "👩\\u{200C}👧"),
    ])
  func zeroWidthIsShown(text: String, cleaned: String) {
    #expect(Array(printable(text).utf8) == Array(cleaned.utf8))
  }

  @Test(
    "scripts and emoji that need joiners keep them, wherever a chunk ends",
    arguments: [
      "می\u{200C}خواهم کتاب\u{200C}ها را", "PDF\u{200C}ها", "क्\u{200D}ष और क्\u{200C}ष",
      "ന്\u{200D} ",
      "👨\u{200D}👩\u{200D}👧\u{200D}👦 🏳\u{FE0F}\u{200D}🌈 👩🏽\u{200D}⚕\u{FE0F}",
      "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}", "ᠠ\u{180B}ᠨ",
    ])
  func joinersStay(text: String) {
    #expect(Array(printable(text).utf8) == Array(text.utf8))
    var cleaner = TerminalText()
    let pieces = text.utf8.map { cleaner.clean(bytes: [$0]) } + [cleaner.finish()]
    #expect(Array(pieces.joined().utf8) == Array(text.utf8))
  }

  @Test(
    "an approval shows characters that only look like a space",
    arguments: [
      ("rm\u{A0}-rf", "rm\\u{A0}-rf"), ("a\u{2800}b", "a\\u{2800}b"), ("\u{2007}", "\\u{2007}"),
      ("a\u{3000}b\u{2028}", "a\\u{3000}b\\u{2028}"), ("x\u{FE00}", "x\\u{FE00}"),
      ("❤\u{FE0F}", "❤\u{FE0F}"), ("می\u{200C}روم", "می\\u{200C}روم"), ("a b\tc", "a b\tc"),
    ])
  func blanksAreNumbers(text: String, escaped: String) {
    #expect(Array(TerminalText.escaped(text).utf8) == Array(escaped.utf8))
  }

  @Test(
    "off a terminal every byte is kept, and a cell is still one line",
    arguments: [
      ("a\r\nb\nc\td", "a b c d"), ("می\u{200C}روم\u{202E}", "می\u{200C}روم\u{202E}"),
      ("a\u{1B}[31mb\u{7}\u{2028}c", "ab c"),
    ])
  func offTheTerminal(text: String, line: String) {
    let others = UntrustedText(isOnTerminal: false)
    #expect(Array(others.whole(text).utf8) == Array(text.utf8))
    #expect(Array(others.line(text).utf8) == Array(line.utf8))
  }

  @Test func aStringThatNeverEndsDoesNotSwallowTheAnswer() {
    let answer = String(repeating: "word ", count: 2000)
    let cleaned = printable("\u{1B}]" + answer)
    #expect(cleaned.count > 5000)
    #expect(answer.hasSuffix(cleaned))
  }

  @Test(arguments: [
    ("plain\n", "plain\n"), ("a\u{200B}b", "a\\u{200B}b"), ("\u{1B}[2J", "\\u{1B}[2J"),
    ("rm\u{202E}x\r", "rm\\u{202E}x\\u{D}"),
  ])
  func hiddenThingsAreShownEscaped(text: String, escaped: String) {
    #expect(TerminalText.escaped(text) == escaped)
  }

  @Test func aLineStaysALine() {
    #expect(TerminalText.line("a\nb\tc\r\n\u{1B}[1md") == "a b c d")
  }

  /// Fragments that are combined to texts that reach every state.
  static let pieces = [
    "plain words ", "\u{1B}", "[", "]0;", "31;1m", "\u{07}", "\u{1B}\\", "\n", "é", "世", "👩‍👩‍👧",
    "\u{9B}",
    "\u{9D}", "\u{202E}", "\u{200B}", "\\", "P", "(", "B", "\t", "\u{FEFF}", "—", "\u{E0041}",
    "\r\n",
  ]

  @Test(arguments: 0..<40)
  func anySplitGivesTheSameResult(seed: Int) {
    var random = SeededNumbers(seed: UInt64(seed))
    for _ in 0..<50 {
      let text = (0..<Int.random(in: 1...20, using: &random))
        .map { _ in Self.pieces.randomElement(using: &random) ?? "" }.joined()
      let whole = printable(text)

      var byScalars = TerminalText()
      var result = ""
      var scalars = text.unicodeScalars[...]
      while !scalars.isEmpty {
        let count = Int.random(in: 1...min(5, scalars.count), using: &random)
        result += byScalars.clean(String(scalars.prefix(count)))
        scalars = scalars.dropFirst(count)
      }
      result += byScalars.finish()
      #expect(Array(result.utf8) == Array(whole.utf8))

      var byBytes = TerminalText()
      var bytes = Array(text.utf8)[...]
      result = ""
      while !bytes.isEmpty {
        let count = Int.random(in: 1...min(4, bytes.count), using: &random)
        result += byBytes.clean(bytes: bytes.prefix(count))
        bytes = bytes.dropFirst(count)
      }
      result += byBytes.finish()
      #expect(Array(result.utf8) == Array(whole.utf8))
      #expect(!whole.unicodeScalars.contains { $0.isHidden && $0 != "\u{200D}" })
    }
  }

  @Test func everyHiddenScalarIsFoundInBytes() {
    for value in UInt32(0)...0x10FFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let text = "a\(scalar)b"
      let isWhole = printable(text).unicodeScalars.count == 3
      if isWhole == scalar.isHidden { Issue.record("U+\(String(value, radix: 16))") }
    }
  }

  @Test func invalidBytesBecomeReplacementCharacters() {
    var cleaner = TerminalText()
    #expect(cleaner.clean(bytes: [0x61, 0xFF, 0x62, 0xE2, 0x82]) == "a\u{FFFD}b")
    #expect(cleaner.clean(bytes: [0xAC, 0x21]) == "€!")
  }
}

@Suite struct DisplayWidthTests {
  @Test(arguments: [
    ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("世界", 4), ("🎉", 2), ("❤\u{FE0F}", 2),
    ("👩‍👩‍👧", 2), ("🇩🇪", 2), ("ｆｕｌｌ", 8), ("…›", 2),
  ])
  func columns(text: String, width: Int) { #expect(displayWidth(text) == width) }

  @Test(arguments: [
    ("short", 10, "short"), ("exactly", 7, "exactly"), ("too long", 5, "too …"), ("世界世界", 5, "世界…"),
    ("世界", 3, "世…"), ("abc", 1, "…"), ("abc", 0, ""),
  ])
  func truncation(text: String, columns: Int, result: String) {
    #expect(fit(text, to: columns) == result)
  }
}

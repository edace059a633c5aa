import RasaCore
import RasaTestKit
import Testing

@testable import RasaTerminal

/// What a person sees of a text that arrives in these pieces.
private func screen(
  _ pieces: [String], columns: Int = 60, _ rendering: MarkdownText.Rendering = .full,
  glyphs: Glyphs = .unicode
) -> ScreenGrid {
  var text = MarkdownText(rendering, glyphs: glyphs, columns: columns)
  var grid = ScreenGrid(columns: columns)
  for piece in pieces { grid.write(text.take(piece, columns: columns)) }
  grid.write(text.finish())
  return grid
}

private func seen(
  _ text: String, columns: Int = 60, _ rendering: MarkdownText.Rendering = .full,
  glyphs: Glyphs = .unicode
) -> String {
  screen([text], columns: columns, rendering, glyphs: glyphs).text
}

@Suite("words wrap") struct WordWrapTests {
  @Test(
    "between words, by the columns they take",
    arguments: [
      ("the company valuation is rich", 20, "the company\nvaluation is rich"),
      ("one  two", 20, "one  two"), ("  indented text stays", 14, "  indented\n  text stays"),
      ("世界世界世界", 9, "世界世界\n世界"), ("你好，世界", 7, "你好，\n世界"),
      ("ab世界cd", 6, "ab世\n界cd"),
      ("a family 👩‍👩‍👧 here", 12, "a family 👩‍👩‍👧\nhere"),
      (
        "e\u{301}e\u{301}e\u{301} e\u{301}e\u{301}e\u{301}", 6,
        "e\u{301}e\u{301}e\u{301}\ne\u{301}e\u{301}e\u{301}"
      ),
      ("line\nbreaks stay", 40, "line\nbreaks stay"), ("\n\nthree", 40, "\n\nthree"),
      ("dots. And more", 6, "dots.\nAnd\nmore"),
    ])
  func wrapping(text: String, columns: Int, expected: String) {
    #expect(seen(text, columns: columns, .words) == expected)
    #expect(seen(text, columns: columns) == expected)
  }

  @Test("a word longer than a line is broken by the terminal, which copies it as one")
  func longWord() {
    let address = "https://example.com/a/very/long/path/that/fits/on/no/line"
    let grid = screen(["See \(address) now"], columns: 20, .words)
    #expect(grid.unwrappedText.contains(address))
    #expect(grid.unwrappedText.hasSuffix("now"))
    for line in grid.lines { #expect(displayWidth(line) <= 20) }
  }

  @Test("a word is shown as it arrives if there is room, and held back otherwise")
  func early() {
    var text = MarkdownText(.words, columns: 80)
    #expect(String(decoding: text.take("Hel", columns: 80), as: UTF8.self) == "Hel")
    #expect(String(decoding: text.take("lo", columns: 80), as: UTF8.self) == "lo")
    _ = text.take(" " + String(repeating: "x ", count: 30), columns: 80)
    #expect(text.take("held", columns: 80).isEmpty)
    #expect(String(decoding: text.take(" ", columns: 80), as: UTF8.self) == " held")
  }

  @Test("another width counts from the next word on")
  func resizing() {
    var text = MarkdownText(.words, columns: 60)
    var grid = ScreenGrid(columns: 60)
    grid.write(text.take("a wide window holds this whole sentence ", columns: 60))
    grid.write(text.take("and more. \n", columns: 60))
    grid.resize(columns: 20)
    grid.write(text.take("a narrow window does not hold it\n", columns: 20))
    grid.write(text.finish())
    #expect(grid.lines.first == "a wide window holds this whole sentence and more.")
    #expect(grid.lines.dropFirst() == ["a narrow window", "does not hold it"])
  }

  @Test("lines of prose have a readable length")
  func wide() {
    let text = String(repeating: "words ", count: 60)
    #expect(screen([text], columns: 400).lines.allSatisfy { displayWidth($0) <= 100 })
  }

  @Test("a line that was ended elsewhere continues on the next one")
  func interrupted() {
    var text = MarkdownText(.full, columns: 60)
    var grid = ScreenGrid(columns: 60)
    grid.write(text.take("- an item of", columns: 60))
    grid.write("\nwarning: something\n")
    text.lineWasEnded()
    grid.write(text.take(" a list", columns: 60))
    grid.write(text.finish())
    #expect(grid.text == "• an item of\nwarning: something\n  a list")
  }
}

@Suite("messages in between") struct SettlingTests {
  @Test(
    "held-back text appears before the message, and the text continues in its style",
    arguments: [
      ("a word at the end of a long line that is hel", "d.\nnext", "d.\nnext"),
      ("some **stro", "ng** words", "ng** words"), ("# Hea", "d\nnext", "d\nnext"),
      ("```\na *co", "de*\n```", "de*\n```"), ("- item", "\n- next", "\n• next"),
      ("| a | b |\n|---|---|\n", "| c | d |\n", "| c | d |"), ("#", " no", " no"),
    ])
  func settling(first: String, second: String, rest: String) {
    var text = MarkdownText(.full, columns: 60)
    var grid = ScreenGrid(columns: 60)
    grid.write(text.take(first, columns: 60))
    grid.write(text.settle())
    let before = grid.text
    let letters = first.filter { $0.isLetter }
    #expect(before.filter { $0.isLetter } == letters)
    if text.isInsideLine { grid.write("\n") }
    text.lineWasEnded()
    grid.write("told\n")
    grid.write(text.take(second, columns: 60))
    grid.write(text.finish())
    #expect(grid.text.hasPrefix(before + "\ntold"))
    let after = grid.text.dropFirst(before.count + 5)
    #expect(
      after.split(separator: "\n").joined(separator: "\n").filter { !$0.isWhitespace }
        == rest.filter { !$0.isWhitespace })
  }
}

@Suite("Markdown on a terminal") struct MarkdownTextTests {
  @Test(
    "is rendered",
    arguments: [
      ("# Title\ntext", "Title\ntext"), ("### Deep\n", "Deep"), ("#hashtag", "#hashtag"),
      ("a **strong** and *gentle* word", "a strong and gentle word"),
      ("***both***", "both"), ("~~gone~~", "gone"), ("use `a * b` here", "use a * b here"),
      ("``a ` b``", "a ` b"), ("__strong__ _gentle_", "strong gentle"),
      ("**a *b* c**", "a b c"), ("- one\n- two", "• one\n• two"), ("* one\n+ two", "• one\n• two"),
      ("1. one\n2. two", "1. one\n2. two"), ("- [ ] open\n- [x] done", "☐ open\n☑ done"),
      ("> said\n> twice", "│ said\n│ twice"), (">> deep", "│ │ deep"),
      ("see [the page](https://a.b/c_d_e)", "see the page (https://a.b/c_d_e)"),
      ("[https://a.b](https://a.b)", "https://a.b"), ("![a cat](cat.png)", "a cat (cat.png)"),
      ("a \\*star\\*", "a *star*"), ("a\n\nb", "a\n\nb"),
    ])
  func meaning(text: String, expected: String) { #expect(seen(text) == expected) }

  @Test(
    "stays as written if it is not Markdown",
    arguments: [
      "2 * 3 * 4", "snake_case_name", "f(**kwargs)", "a ** b", "**open", "`open", "[1] and [2]",
      "[a](not a link)", "C:\\new\\dir", "\\[ x^2 \\] \\( y \\)", "5 * [a", "#1 is best", "-flag",
      "--long-flag", "1.5 times", "2024-01-02", "a | b", "https://a.b/_c_/d*e*",
      "~approximately~", "!important", "x ~ y", "<b>bold</b>", "-", "$a_1 * b_2$", "\\\\*",
      "[](x)", "](", "**", "_",
    ])
  func literal(text: String) {
    #expect(seen(text) == text)
  }

  @Test("sets off headings, emphasis and code")
  func weights() {
    let grid = screen(["# Head\n## Second\na **strong** *gentle* `code` ~~gone~~ plain"])
    #expect(grid.attributes(of: "Head") == ["bold", "underlined"])
    #expect(grid.attributes(of: "Second") == ["bold"])
    #expect(grid.attributes(of: "strong") == ["bold"])
    #expect(grid.attributes(of: "gentle") == ["italic"])
    #expect(grid.attributes(of: "code") == ["36"])
    #expect(grid.attributes(of: "gone") == ["struck"])
    #expect(grid.attributes(of: "plain") == [])
  }

  @Test("code is exact and not wrapped, marks in it mean nothing")
  func code() {
    let code = "def f(**kwargs):\n    return a_b * \"a long line of code that is not wrapped\"  # x"
    let grid = screen(["```python\n\(code)\n```\nafter *it*"], columns: 30)
    #expect(grid.unwrappedText == "```python\n\(code)\n```\nafter it")
    #expect(seen("~~~\n```\n# no\n~~~") == "~~~\n```\n# no\n~~~")
    #expect(seen("    indented *code*") == "    indented *code*")
    #expect(seen("> ```\n> a *b*\n> ```\nout *of* it") == "│ ```\n│ a *b*\n│ ```\nout of it")
  }

  @Test("continuation rows align with their text")
  func hanging() {
    #expect(
      seen("- a long item of a list\n  - and a nested one\n12. numbers count", columns: 18)
        == "• a long item of\n  a list\n  • and a nested\n    one\n12. numbers count")
    #expect(seen("> a long quotation", columns: 12) == "│ a long\n│ quotation")
  }

  @Test("tables are laid out where they fit, and stay as they were written where not")
  func tables() {
    let table = "| name | price |\n|---|--:|\n| a **b** | 1.50 |\n| 世界 | 12 |\n\nafter"
    #expect(
      seen(table)
        == "name │ price\n─────┼──────\na b  │  1.50\n世界 │    12\n\nafter")
    #expect(seen("| no | table |\ntext") == "| no | table |\ntext")
    #expect(seen("| a | b |\n| c | d |\n") == "| a | b |\n| c | d |")
    let wide = "| one long column | another long column |\n|---|---|\n| x | y |"
    #expect(seen(wide, columns: 24).replacing("\n", with: " ") == wide.replacing("\n", with: " "))
    // More cells than the header: nothing is lost.
    #expect(seen("| a | b |\n|---|---|\n| 1 | 2 | 3 |").contains("3"))
  }

  @Test("a table that does not end is shown before it is too long to hold")
  func longTable() {
    var text = MarkdownText(.full, columns: 60)
    var shown = text.take("| a | b |\n|---|---|\n", columns: 60)
    for row in 0..<250 { shown += text.take("| \(row) | x |\n", columns: 60) }
    #expect(String(decoding: shown, as: UTF8.self).contains("249"))
  }

  @Test("without colours marks stay, and words wrap")
  func words() {
    let text = "# Title\n- **a** long item\n> said `x`"
    #expect(seen(text, columns: 14, .words) == "# Title\n- **a** long\n  item\n> said `x`")
    #expect(seen("```\nlong code line here\n```", columns: 10, .words).contains("```"))
  }

  @Test("as it is, it is every byte")
  func untouched() {
    let text = "# T\n\n- **a**   \n\n\n| x |\n"
    var shown = MarkdownText(.none, columns: 10)
    #expect(shown.take(text, columns: 10) + shown.finish() == Array(text.utf8))
  }

  @Test("a window of another encoding gets ASCII")
  func ascii() {
    #expect(
      seen("- a\n- [x] b\n> c\n\n---", glyphs: .ascii)
        == "- a\n[x] b\n| c\n\n" + String(repeating: "-", count: 40))
  }
}

/// Pieces of Markdown, whole and broken, in any order.
private struct RandomMarkdown {
  var numbers: SeededNumbers

  mutating func text() -> String {
    let parts = [
      "word", "two words", "**strong**", "*gentle*", "_x_", "`code`", "``", "`", "*", "**", "_",
      "~~", "~~no~~", " ", "  ", " ", " ", "\n", "\n\n", "\n- ", "\n* ", "\n1. ", "\n> ", "\n# ",
      "\n## ", "\n```\n", "\n```swift\n", "\n~~~\n", "\n---\n", "\n    ", "\n  - ", "[a](b)",
      "[text", "](", ")", "!", "\\", "\\*", "| a | b |\n", "\n|---|---|\n", "\n| c | d |", "世界",
      "，", "「", "👩‍👩‍👧", "🇩🇪", "e\u{301}", "https://example.com/a_b_c/d", "-", "+", "1.", "#",
      "supercalifragilisticexpialidocious", "\t", "x*y*z", "- [ ] ", "- [x] ", ">", "=", "12) ",
    ]
    var text = ""
    for _ in 0..<Int.random(in: 1...60, using: &numbers) {
      text += parts.randomElement(using: &numbers) ?? ""
    }
    return text
  }

  mutating func pieces(of text: String) -> [String] {
    var pieces: [String] = []
    var rest = Array(text.unicodeScalars)[...]
    while !rest.isEmpty {
      let count = Int.random(in: 1...8, using: &numbers)
      var piece = String.UnicodeScalarView()
      piece.append(contentsOf: rest.prefix(count))
      pieces.append(String(piece))
      rest = rest.dropFirst(count)
    }
    return pieces
  }
}

@Suite("random Markdown") struct RandomMarkdownTests {
  @Test(
    "how the text is split into chunks never changes the screen",
    arguments: [MarkdownText.Rendering.full, .words, .none])
  func pieces(rendering: MarkdownText.Rendering) {
    for seed in 0..<600 as Range<UInt64> {
      var random = RandomMarkdown(numbers: SeededNumbers(seed: seed))
      let text = random.text()
      let columns = [20, 36, 80, 200].randomElement(using: &random.numbers) ?? 80
      let whole = screen([text], columns: columns, rendering)
      let cut = screen(random.pieces(of: text), columns: columns, rendering)
      let single = screen(text.unicodeScalars.map { String($0) }, columns: columns, rendering)
      #expect(whole.text == cut.text, "seed \(seed): \(text.debugDescription)")
      #expect(whole == cut, "seed \(seed): \(text.debugDescription)")
      #expect(whole == single, "seed \(seed): \(text.debugDescription)")
      if whole != cut || whole != single { return }
    }
  }

  /// Letters and digits in order, without marks and white space.
  private func letters(_ text: String) -> String {
    var letters = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "☑": letters.append("x")
      case _ where scalar.properties.isAlphabetic || scalar.properties.numericType != nil,
        _ where scalar.properties.isEmojiPresentation:
        letters.append(scalar)
      default: break
      }
    }
    return String(letters)
  }

  @Test("no word is lost, doubled or moved")
  func words() {
    for seed in 0..<2000 as Range<UInt64> {
      var random = RandomMarkdown(numbers: SeededNumbers(seed: seed))
      let text = random.text()
      let columns = [20, 36, 80, 200, 5000].randomElement(using: &random.numbers) ?? 80
      let shown = screen(random.pieces(of: text), columns: columns)
      #expect(
        letters(shown.unwrappedText) == letters(text), "seed \(seed): \(text.debugDescription)")
      let plain = screen([text], columns: columns, .words)
      #expect(
        letters(plain.unwrappedText) == letters(text), "seed \(seed): \(text.debugDescription)")
      // Plain text keeps every mark.
      func bare(_ text: String) -> String { text.filter { !$0.isWhitespace } }
      let hasTable = text.contains("|")
      let hasQuote = text.contains(">")
      if !hasTable, !hasQuote {
        #expect(
          bare(plain.unwrappedText) == bare(text), "seed \(seed): \(text.debugDescription)")
      }
    }
  }

  @Test("no row is wider than the window, and words are broken only where they must be")
  func rows() {
    for seed in 0..<300 as Range<UInt64> {
      var random = RandomMarkdown(numbers: SeededNumbers(seed: seed))
      let words = (0..<80).map { _ in
        String(repeating: "w", count: Int.random(in: 1...12, using: &random.numbers))
      }
      let columns = Int.random(in: 20...120, using: &random.numbers)
      let grid = screen(random.pieces(of: words.joined(separator: " ")), columns: columns, .words)
      #expect(grid.lines.allSatisfy { displayWidth($0) < columns })
      #expect(grid.lines.flatMap { $0.split(separator: " ").map(String.init) } == words)
    }
  }
}

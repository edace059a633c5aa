import RasaCore
import RasaSystem
import RasaTestKit
import RasaTerminal
import Testing

/// What a person sees in a narrow, a usual and a wide window: the screens are snapshots, which
/// `RASA_UPDATE_SNAPSHOTS=1` writes anew.
@Suite("screens at three widths") struct ScreenTests {
  static let widths: [Int32] = [36, 80, 200]

  static let answer = """
    # Nvidia in one page

    Nvidia's **data centre** business grew faster than *anybody* expected, and its valuation leaves \
    little room for a disappointment; see [the filing](https://example.com/filings/10-k_2026).

    ## What speaks for it

    - Margins above 70 %, which nobody else in the sector reaches
      - helped by `CUDA`, whose users seldom leave
    - [x] cash for years
    - [ ] a second source for the chips
    1. First, wait for the quarter
    2. Then buy in thirds, never everything at once

    > "Price is what you pay, value is what you get."

    | year | revenue | margin |
    |------|--------:|:------:|
    | 2024 | $61 bn  | 74 %   |
    | 2025 | $130 bn | 75 %   |

    ```python
    def position(cash, price, risk=0.02):
        return int(cash * risk / price)  # **never** more
    ```
    ---
    日本語の文章も、正しく折り返されなければなりません。 2 * 3 * 4 = 24, snake_case_names stay.
    """

  /// Pieces as models send them.
  static func pieces(_ text: String, of length: Int = 7) -> [String] {
    var pieces: [String] = []
    var rest = Array(text)[...]
    while !rest.isEmpty {
      pieces.append(String(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    return pieces
  }

  /// Nobody's screen is the same twice in these.
  private func steady(_ text: String, _ rasa: RasaProgram) -> String {
    text.replacing(/r01[0-9a-z]{21}/, with: "r01…").replacing(/s01[0-9a-z]{21}/, with: "s01…")
      .replacing(rasa.home.path, with: "HOME") + "\n"
  }

  private func expectFits(
    _ grid: ScreenGrid, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) {
    for line in grid.lines {
      #expect(displayWidth(line) <= grid.columns, "\(line)", sourceLocation: sourceLocation)
    }
  }

  @Test("an answer in Markdown", arguments: widths)
  func run(columns: Int32) async throws {
    let provider = try ScriptedProvider.start([.tokens(Self.pieces(Self.answer))])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal(columns: columns, ["run", "-q", "-p", "single", "Nvidia?"])
    #expect(try await terminal.waitForExit() == 0)
    expectFits(terminal.grid)
    try expectSnapshot(named: "screens/run-\(columns)", steady(terminal.grid.text, rasa))
    #expect(terminal.grid.attributes(of: "centre") == ["bold"])
    #expect(terminal.grid.attributes(of: "CUDA") == ["36"])
  }

  @Test("`--plain`, `RASA_PLAIN`, pipes and files have the text as it is")
  func plain() async throws {
    let provider = try ScriptedProvider.start([.tokens(Self.pieces(Self.answer))])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal(columns: 36, ["run", "-q", "--plain", "-p", "single", "N?"])
    #expect(try await terminal.waitForExit() == 0)
    #expect(terminal.grid.unwrappedText == Self.answer)
    #expect(try await rasa.run("run", "-p", "single", "N?").text == Self.answer + "\n")
    let file = try await rasa.shell("$RASA run -p single N? > out; cat out")
    #expect(file.text == Self.answer + "\n")
    rasa.environment["RASA_PLAIN"] = "1"
    let second = try rasa.terminal(columns: 36, ["run", "-q", "-p", "single", "N?"])
    #expect(try await second.waitForExit() == 0)
    #expect(second.grid.unwrappedText == Self.answer)
  }

  @Test("a terminal that is dumb, or has no colour, keeps the marks; no word is broken")
  func words() async throws {
    let provider = try ScriptedProvider.start([.tokens(Self.pieces(Self.answer))])
    defer { provider.stop() }
    for variable in ["TERM": "dumb", "NO_COLOR": "1"] {
      var rasa = try RasaProgram(provider)
      try rasa.writeSingle()
      rasa.environment[variable.key] = variable.value
      let terminal = try rasa.terminal(columns: 36, ["run", "-q", "-p", "single", "N?"])
      #expect(try await terminal.waitForExit() == 0)
      #expect(!terminal.transcript.contains("\u{1B}[1m"))
      #expect(terminal.grid.text.contains("# Nvidia in one page"))
      #expect(terminal.grid.text.contains("**data centre**"))
      let words = Set(Self.answer.split(whereSeparator: \.isWhitespace).map(String.init))
      // Rows that the terminal itself has broken are longer words, and code.
      for line in terminal.grid.unwrappedText.split(separator: "\n")
      where line.allSatisfy(\.isASCII) && !line.contains("|") {
        for word in line.split(separator: " ") {
          #expect(words.contains(String(word)), "\(word)")
        }
      }
    }
  }

  @Test("a dumb terminal shows progress in permanent lines")
  func dumb() async throws {
    let provider = try ScriptedProvider.start([.text("the answer")])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    rasa.environment["TERM"] = "dumb"
    let terminal = try rasa.terminal(columns: 80, ["run", "-p", "single", "N?"])
    #expect(try await terminal.waitForExit() == 0)
    #expect(terminal.grid.lines.first == "▸ session_frame › respond")
    #expect(terminal.grid.lines.dropFirst().first == "the answer")
  }

  @Test("a window of another encoding gets ASCII of rasa's own")
  func encoding() async throws {
    let provider = try ScriptedProvider.start([
      .text("- one é\n\n| a | b |\n|---|---|\n| c | d |\n")
    ])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    rasa.environment["LANG"] = "de_DE.ISO-8859-1"
    let terminal = try rasa.terminal(columns: 80, ["run", "-p", "single", "N?"])
    #expect(try await terminal.waitForExit() == 0)
    #expect(terminal.grid.lines[0] == "- one é")
    #expect(terminal.grid.text.contains("a   | b"))
    #expect(!terminal.grid.text.replacing("é", with: "").unicodeScalars.contains { !$0.isASCII })
  }

  @Test("one line closes a run on a terminal: model, seconds, tokens, dollars, run")
  func closing() async throws {
    let provider = try ScriptedProvider.start([.text("fine")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal(columns: 120, ["run", "-p", "single", "hi"])
    #expect(try await terminal.waitForExit() == 0)
    let lines = terminal.grid.lines
    #expect(lines.count == 2)
    #expect(
      try /gpt-4o-mini · \d.* m?s · \d+ \+ \d+ tokens · \$0\.\d+ · run r01[0-9a-z]+/
        .wholeMatch(in: lines.last ?? "") != nil, "\(lines)")
    // Scripts stay clean, and so do those who want it quiet.
    let piped = try await rasa.run("run", "-p", "single", "hi")
    #expect(piped.errorText.isEmpty)
    let quiet = try rasa.terminal(columns: 120, ["run", "-q", "-p", "single", "hi"])
    #expect(try await quiet.waitForExit() == 0)
    #expect(quiet.grid.text == "fine")
    let mock = try RasaProgram()
    try mock.writeSingle()
    let made = try mock.terminal(columns: 120, ["run", "-p", "single", "hi"])
    #expect(try await made.waitForExit() == 0)
    #expect(made.grid.lines.last?.contains("mock") == true)
  }

  @Test("an approval card", arguments: widths)
  func approval(columns: Int32) async throws {
    let draft =
      "A long first line of the draft that does not fit into any narrow window at all, and goes on.\n"
      + "  indented\n" + String(repeating: "x", count: 90) + "\n[a]pprove [e]dit: a"
    let provider = try ScriptedProvider.start([.text(draft)])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.addReviewedPersona()
    let terminal = try rasa.terminal(columns: columns, ["run", "-q", "-p", "reviewed", "hello"])
    try await terminal.expect("[?]: ")
    expectFits(terminal.grid)
    try expectSnapshot(named: "screens/approval-\(columns)", steady(terminal.grid.text, rasa))
    terminal.send("a\r")
    #expect(try await terminal.waitForExit() == 0)
  }

  @Test("a chat with its commands", arguments: widths)
  func chat(columns: Int32) async throws {
    let provider = try ScriptedProvider.start([
      Script.text("the *first* answer").once(), .text("another answer"),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal(
      columns: columns, ["chat", "-q", "-p", "single", "--session", "talk"])
    for line in [
      "/retry", "/save talk.md", "hello", "/hlep", "/cost", "/model gpt-4o", "/model", "/retry",
      "/save talk.md", "/save talk.md", "/session", "/session other", "//slash", "/help",
    ] {
      try await terminal.expect("you › ")
      terminal.send(line + "\r")
    }
    try await terminal.expect("you › ")
    terminal.send("/quit\r")
    #expect(try await terminal.waitForExit() == 0)
    expectFits(terminal.grid)
    try expectSnapshot(named: "screens/chat-\(columns)", steady(terminal.grid.text, rasa))
    #expect(provider.requests.count == 3)
    #expect(
      provider.requests.map { $0.json["model"].string } == ["gpt-4o-mini", "gpt-4o", "gpt-4o"])
    #expect(provider.requests[2].lastMessage.contains("/slash"))
    let saved = try await rasa.shell("cat talk.md")
    #expect(saved.text.contains("## You,"))
    #expect(saved.text.contains("the *first* answer"))
  }

  @Test("the tab key completes commands, and shows those that fit")
  func completion() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal(columns: 80, ["chat", "-p", "single"])
    try await terminal.expect("you › ")
    terminal.send("/s\t")
    try await terminal.expect("/save  /session")
    terminal.send("e\t")
    try await terminal.expect("ssion ")
    terminal.send("\r")
    try await terminal.expect("this is the session")
    try await terminal.expect("you › ")
    terminal.send("/q\t\r")
    #expect(try await terminal.waitForExit() == 0)
    #expect(provider.requests.isEmpty)
  }

  @Test("/edit asks the edited question")
  func edit() async throws {
    let provider = try ScriptedProvider.start([Script.text("one").once(), .text("two")])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let editor = try rasa.home.write(
      "#!/bin/sh\nprintf 'again, %s' \"$(cat \"$1\")\" > \"$1.new\" && mv \"$1.new\" \"$1\"\n",
      to: "editor.sh")
    rasa.environment["EDITOR"] = "/bin/sh \(editor)"
    let terminal = try rasa.terminal(columns: 80, ["chat", "-p", "single"])
    try await terminal.expect("you › ")
    terminal.send("first question\r")
    try await terminal.expect("one")
    try await terminal.expect("you › ")
    terminal.send("/edit\r")
    try await terminal.expect("two")
    try await terminal.expect("you › ")
    terminal.send("\u{4}")
    #expect(try await terminal.waitForExit() == 0)
    #expect(provider.requests.last?.lastMessage.contains("again, first question") == true)
  }

  @Test("errors and notices", arguments: widths)
  func errors(columns: Int32) async throws {
    let provider = try ScriptedProvider.start([
      Script.text("the answer breaks off here").with { $0.finishReason = "length" }
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let cut = try rasa.terminal(columns: columns, ["run", "-p", "single", "--strict", "hi"])
    #expect(try await cut.waitForExit() == 8)
    expectFits(cut.grid)
    let unknown = try rasa.terminal(columns: columns, ["run", "-p", "singel", "hi"])
    #expect(try await unknown.waitForExit() == 3)
    expectFits(unknown.grid)
    let lines = cut.grid.lines.filter { !$0.contains(" · ") && !$0.contains("r01") }
    try expectSnapshot(
      named: "screens/errors-\(columns)",
      steady((lines + ["---"] + unknown.grid.lines).joined(separator: "\n"), rasa))
  }

  @Test("a list of agents", arguments: widths)
  func agents(columns: Int32) async throws {
    let rasa = try RasaProgram()
    let terminal = try rasa.terminal(columns: columns, ["agents", "list"])
    #expect(try await terminal.waitForExit() == 0)
    expectFits(terminal.grid)
    // A few of them stand for all: the rest changes with what ships.
    let shown = terminal.grid.text
    #expect(shown.contains("code-reviewer"))
    try rasa.home.write(
      """
      ---
      name: table-tester
      description: "Looks after tables\\nand their\\tcells, however long what is said in them may be."
      category: tabular
      ---
      You test tables.
      """, to: "agents/table-tester.md")
    let one = try rasa.terminal(columns: columns, ["agents", "list", "--category", "tabular"])
    #expect(try await one.waitForExit() == 0)
    expectFits(one.grid)
    try expectSnapshot(named: "screens/agents-\(columns)", steady(one.grid.text, rasa))
  }

  @Test("lists are readable in 40 columns")
  func lists() async throws {
    let provider = try ScriptedProvider.start([.text("fine")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    _ = try await rasa.run("run", "-p", "single", "a question that is longer than forty columns")
    for arguments in [
      ["runs", "list"], ["costs"], ["models", "list"], ["personas", "list"], ["sessions", "list"],
      ["help"], ["run", "--help"], ["agents", "info", "code-reviewer"],
    ] {
      let terminal = try rasa.terminal(columns: 40, arguments)
      #expect(try await terminal.waitForExit() == 0, "\(arguments)")
      for line in terminal.grid.unwrappedText.split(separator: "\n") where displayWidth(line) > 40 {
        // What cannot be broken is left to the terminal: paths, and options with their values.
        let isWord = line.split(separator: " ").contains { $0.utf8.count > 26 }
        #expect(isWord || line.hasPrefix("    --"), "\(arguments): \(line)")
      }
    }
  }

  @Test(
    "a window that gets narrower while an answer comes loses nothing, and wraps at its new width")
  func resize() async throws {
    let words = (0..<60).map { "word\($0) " }
    let provider = try ScriptedProvider.start([
      Script.tokens(words).with { $0.tokenDelay = .milliseconds(2) }.once(), .tokens(words),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal(columns: 80, ["chat", "-q", "-p", "single"])
    try await terminal.expect("you › ")
    terminal.send("first\r")
    try await terminal.expect("word10")
    // Where it hits the first answer nobody can say; the second one comes after it.
    terminal.resize(columns: 30)
    try await terminal.expect("you › ")
    terminal.send("second\r")
    try await terminal.expect("you › ")
    terminal.send("\u{4}")
    #expect(try await terminal.waitForExit() == 0)
    let answer = words.map { String($0.dropLast()) }
    let shown = terminal.grid.unwrappedText.split { $0 == " " || $0 == "\n" }.map(String.init)
    #expect(shown.filter { answer.contains($0) } == answer + answer)
    let second = terminal.grid.lines.split { $0.contains("second") }.last ?? []
    #expect(second.count > 10)
    #expect(second.allSatisfy { displayWidth($0) < 30 }, "\(second)")
  }

  @Test(
    "windows of 20 and of 400 columns, and one whose width nobody knows", arguments: [20, 400, 0])
  func extremes(columns: Int32) async throws {
    let provider = try ScriptedProvider.start([.tokens(Self.pieces(Self.answer))])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal(columns: columns, ["run", "-p", "single", "hi"])
    #expect(try await terminal.waitForExit() == 0)
    #expect(terminal.transcript.contains("snake_case_names"))
    let shown = columns == 0 ? nil : terminal.grid
    if let shown { expectFits(shown) }
  }

  @Test("a text that a critic sends back is reported with the reason and the count")
  func sentBack() async throws {
    let provider = try ScriptedProvider.start([
      Script.forOperator(
        "critic_agent", #"{"verdict": "revise", "reasons": ["no figures for AMD", "too long"]}"#
      )
      .once(),
      .forOperator("critic_agent", #"{"verdict": "pass", "reasons": []}"#),
      .text("a draft"),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      "name: judged\ndescription: Judged.\nframes: [session_frame]\noperators: [respond, critic_agent]\n",
      to: "personas/judged.yaml")
    let terminal = try rasa.terminal(columns: 100, ["run", "-p", "judged", "hi"])
    #expect(try await terminal.waitForExit() == 0)
    #expect(
      terminal.grid.lines.contains("sent back: no figures for AMD, and 1 more (1 of 2)"),
      "\(terminal.grid.text)")
    let piped = try await rasa.run("run", "-p", "judged", "hi")
    #expect(!piped.errorText.contains("sent back"))
  }

  @Test(
    "the text of a skipped operator does not count, and no stream is reported as broken")
  func leftOut() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("the draft").once(), Script.tokens(["because", " it"]).broken(after: 1, .reset),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      "name: told\ndescription: Told.\nframes: [session_frame]\noperators: [respond, explain_operator]\n",
      to: "personas/told.yaml")
    let terminal = try rasa.terminal(columns: 100, ["run", "-p", "told", "hi"])
    #expect(try await terminal.waitForExit() == 0, "\(terminal.grid.text)")
    let shown = terminal.grid.text
    #expect(shown.contains("the draft"), "\(shown)")
    #expect(shown.contains("`explain_operator` failed and was left out"), "\(shown)")
    let last = shown.split(separator: "\n").first { $0.contains("has written so far") }
    #expect(last == "ignore what `explain_operator` has written so far", "\(shown)")
  }

  @Test("a request to end ends the editor, too")
  func endedInEditor() async throws {
    let provider = try ScriptedProvider.start([.text("the draft")])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    try rasa.addReviewedPersona()
    let editor = try rasa.home.write(
      "#!/bin/sh\necho editing\nwhile :; do sleep 1; done\n", to: "editor.sh")
    rasa.environment["EDITOR"] = "/bin/sh \(editor)"
    let terminal = try rasa.terminal(columns: 80, ["run", "-p", "reviewed", "hello"])
    try await terminal.expect("[?]: ")
    terminal.send("e\r")
    try await terminal.expect("editing")
    terminal.signal(15)
    #expect(try await terminal.waitForExit() == 143)
  }
}

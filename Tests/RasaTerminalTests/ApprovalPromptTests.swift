import Glibc
import RasaCore
import RasaSystem
import RasaTerminal
import RasaTestKit
import Testing

extension EditedLineTests {
  @Suite(.serialized) struct ApprovalPromptTests {
    let terminal: PseudoTerminal
    let folder: ScratchDirectory

    init() throws {
      terminal = try PseudoTerminal()
      folder = ScratchDirectory()
    }

    private func prompt(editor: String = "false", term: String = "xterm") -> ApprovalPrompt {
      ApprovalPrompt(
        terminalPath: terminal.path,
        environment: Environment([
          "EDITOR": editor, "PATH": "/usr/bin:/bin", "TMPDIR": folder.path, "TERM": term,
        ]), style: .plain)
    }

    static let request = ApprovalRequest(
      title: "publish the recommendation?", askedBy: "hitl in session_frame", risk: "high",
      costSoFar: Money(picoDollars: 12_000_000_000), subjectName: "the output",
      subject: "Buy AMD.\nHold NVDA\u{202E}.", context: [("reason", "critic: escalate")])

    private static let menu = "[a]pprove [e]dit [r]eject [f]eedback [s]ession [?]: "

    private static func lines(_ shown: String) -> [String] {
      shown.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
        .map(String.init)
    }

    @Test func theQuestionShowsEverythingThatIsDecidedAndWhereItLeads() async throws {
      async let answer = prompt().ask(Self.request)
      let shown = Self.lines(try await terminal.expect(Self.menu))
      #expect(
        shown.dropLast() == [
          "┌─ approval " + String(repeating: "─", count: 60), "│ publish the recommendation?", "│",
          "│ asked by      hitl in session_frame", "│ at stake      high",
          "│ cost so far   $0.0120", "│ reason        critic: escalate",
          "├─ the output " + String(repeating: "─", count: 58), "│ Buy AMD.",
          "│ Hold NVDA‹U+202E›.", "└" + String(repeating: "─", count: 71),
          "  a  the text is used exactly as shown", "  e  your text is used instead",
          "  r  with a reason it is sent back, without one the run ends as denied",
          "  f  say what should be different; the text is written again",
          "  s  like a, and do not ask again in this session",
        ])
      terminal.type("a\r")
      #expect(try await answer == .approve)
    }

    static let choices: [([String], ApprovalAnswer)] = [
      (["a"], .approve), (["A "], .approve), (["approve"], .approve), (["s"], .approveForSession),
      (["", "", "a"], .approve), (["r", ""], .reject(reason: "")),
      (["r", "too bold"], .reject(reason: "too bold")), (["f", "be brief"], .feedback("be brief")),
      (["f", "", "a"], .approve), (["x", "?", "a"], .approve),
    ]

    @Test(arguments: ["xterm", "dumb"], choices)
    func whatIsTypedDecides(
      term: String, choice: (lines: [String], expected: ApprovalAnswer)
    ) async throws {
      async let answer = prompt(term: term).ask(Self.request)
      try await terminal.expect(Self.menu)
      for (index, line) in choice.lines.enumerated() {
        // The next question ends like this, whichever it is.
        if index > 0 { try await terminal.expect(": ") }
        terminal.type(line + "\r")
      }
      #expect(try await answer == choice.expected)
    }

    /// A request whose `s` stores a rule; a rule without an asterisk is refused.
    private static var granting: ApprovalRequest {
      var request = request
      request.grant = "allow: send\n"
      request.grantProblem = { $0.contains("*") ? nil : "it has no asterisk" }
      request.editable = "{}"
      return request
    }

    private static let storing = "[n]o: "

    /// How each question ends, and what is typed at it.
    static let grants: [([(question: String, line: String)], ApprovalAnswer)] = [
      ([(menu, "s"), (storing, "y")], .grant("allow: send\n")),
      ([(menu, "s"), (storing, ""), (storing, "yes")], .grant("allow: send\n")),
      ([(menu, "s"), (storing, "n"), (menu, "a")], .approve),
      (
        [(menu, "s"), (storing, "a"), (storing, "n"), (menu, "r"), ("Reason", "")],
        .reject(reason: "")
      ),
    ]

    @Test(arguments: grants)
    func aRuleIsSeenBeforeItIsStored(
      dialogue: [(question: String, line: String)], expected: ApprovalAnswer
    ) async throws {
      async let answer = prompt().ask(Self.granting)
      for (question, line) in dialogue {
        let shown = try await terminal.expect(question)
        if question == Self.storing { #expect(shown.contains("│ allow: send")) }
        // The question of the reason says more before it ends.
        if question == "Reason" { try await terminal.expect(": ") }
        terminal.type(line + "\r")
      }
      #expect(try await answer == expected)
    }

    @Test(arguments: ["allow: '*'", "allow: all"])
    func aRuleThatWasEditedIsCheckedAndSeenAgain(rule: String) async throws {
      let editor = folder.file("editor")
      try folder.write("#!/bin/sh\nprintf \"%s\" \"\(rule)\" > \"$1\"\n", to: "editor")
      _ = unsafe chmod(editor, 0o755)
      async let answer = prompt(editor: editor).ask(Self.granting)
      try await terminal.expect(Self.menu)
      terminal.type("s\r")
      try await terminal.expect("[n]o: ")
      terminal.type("e\r")
      let isRefused = rule == "allow: all"
      try await terminal.expect(isRefused ? "it has no asterisk" : "│ allow: '*'")
      try await terminal.expect("[n]o: ")
      terminal.type("y\r")
      #expect(try await answer == .grant(isRefused ? "allow: send\n" : rule))
    }

    private func rejectWithoutReason() async throws {
      terminal.type("r\r")
      try await terminal.expect("Reason")
      try await terminal.expect(": ")
      terminal.type("\r")
    }

    @Test func typedAheadKeysDecideNothing() async throws {
      terminal.type("a\ra\ra\r")
      async let answer = prompt().ask(Self.request)
      try await terminal.expect(Self.menu)
      try await rejectWithoutReason()
      #expect(try await answer == .reject(reason: ""))
    }

    // MARK: Pasted text

    /// Pasted texts; each ends with the same words.
    struct Paste: Sendable, CustomTestStringConvertible {
      var testDescription: String
      var text: String
      init(_ name: String, _ text: String) { (testDescription, self.text) = (name, text) }
    }
    static let pastes: [Paste] = [
      Paste("several lines", "first line\nsecond – ünï 世界 🎉\n\n\ta last one\nThe End."),
      Paste("one long line", String(repeating: "0123456789", count: 700) + "The End."),
      Paste("lines like choices", "a\na\nr\n\ns\nThe End."),
      Paste(
        "a megabyte",
        String(repeating: "word after word, line after line\n", count: 32_000) + "The End."
      ),
    ]

    @Test(arguments: ["xterm", "dumb"], pastes)
    func aPastedTextArrivesComplete(term: String, paste: Paste) async throws {
      for isMarked in [true, false] {
        let terminal = terminal
        let text = paste.text
        async let answer = prompt(term: term).ask(Self.request)
        try await terminal.expect(Self.menu)
        terminal.type("f\r")
        try await terminal.expect("Feedback: ")
        // The echo has to be read meanwhile.
        async let typed: Void = onOwnThread {
          let keys = text.replacing("\n", with: "\r")
          terminal.type(isMarked ? "\u{1B}[200~\(keys)\r\u{1B}[201~" : keys)
        }
        await terminal.skip(to: "The End.")
        await typed
        terminal.type("\r")
        let given = try await answer
        // Compared outside of `#expect`, so that a failure does not print a megabyte.
        let isWhole = given == .feedback(text)
        #expect(isWhole, "marked: \(isMarked)")
      }
    }

    @Test func whatIsPastedAtTheChoiceDecidesNothing() async throws {
      async let answer = prompt().ask(Self.request)
      try await terminal.expect(Self.menu)
      terminal.type("please change this\ra\ra\r")
      try await terminal.expect(Self.menu)
      try await rejectWithoutReason()
      #expect(try await answer == .reject(reason: ""))
    }

    @Test func nothingIsLeftForTheShell() async throws {
      async let answer = prompt().ask(Self.request)
      try await terminal.expect(Self.menu)
      terminal.type("a\rrm -rf important\rls\r")
      #expect(try await answer == .approve)
      #expect(terminal.unreadBytes == 0)
      #expect(terminal.editsLines)
    }

    // MARK: Editing

    @Test func anEditedTextReplacesTheOldOne() async throws {
      let editor = "sed -i s/AMD/Intel/"
      async let answer = prompt(editor: editor).ask(Self.request)
      try await terminal.expect(Self.menu)
      terminal.type("e\r")
      #expect(try await answer == .edit("Buy Intel.\nHold NVDA\u{202E}."))
      #expect(try FileSystem.list(folder.path) == [])
    }

    @Test(arguments: [
      ("true", "Nothing was changed."), ("echo >>", "Nothing was changed."),
      ("false", "The editor ended with an error; nothing was changed."),
      ("/no/such/editor", "The editor ended with an error; nothing was changed."),
      ("truncate -s 0", "The edited text is empty; nothing was changed."),
      (#"printf 'a\377b' >"#, "not UTF-8"),
    ])
    func anEditThatChangesNothingAsksAgain(editor: String, message: String) async throws {
      async let answer = prompt(editor: editor).ask(Self.request)
      try await terminal.expect(Self.menu)
      terminal.type("e\r")
      try await terminal.expect(message)
      try await terminal.expect(Self.menu)
      terminal.type("a\r")
      #expect(try await answer == .approve)
    }

    @Test func aRefusedEditCanBeCorrectedAndIsNotApproved() async throws {
      var request = Self.request
      request.problem = "the replacement does not have the form"
      request.unfinishedEdit = "half done"
      async let answer = prompt(editor: "sed -i s/half/well/").ask(request)
      let shown = try await terminal.expect(Self.menu)
      #expect(shown.contains("│ Buy AMD.\r\n"))
      #expect(shown.contains("│ the replacement does not have the form"))
      #expect(!shown.contains("half done"))
      terminal.type("e\r")
      #expect(try await answer == .edit("well done"))
    }

    @Test func theEditorSeesThePrivateFileOnItsTerminal() async throws {
      let editor = "stat -c %a:%F \"$1\"; tty; read line; echo \"$line\" >"
      async let answer = prompt(editor: editor).ask(Self.request)
      try await terminal.expect(Self.menu)
      terminal.type("e\r")
      try await terminal.expect("600:regular file\r\n\(terminal.path)\r\n")
      terminal.type("written in the editor\n")
      #expect(try await answer == .edit("written in the editor"))
    }

    // MARK: No answer

    enum Place: String, CaseIterable {
      case menu, reason, feedback
      var keys: String? { ["reason": "r\r", "feedback": "f\r"][rawValue] }
      var shown: String { ["reason": "Reason", "feedback": "Feedback: "][rawValue] ?? "" }
    }

    /// Types until the prompt is at that question.
    private func reach(_ place: Place) async throws {
      try await terminal.expect(Self.menu)
      guard let keys = place.keys else { return }
      terminal.type(keys)
      try await terminal.expect(place.shown)
      if place == .reason { try await terminal.expect(": ") }
    }

    @Test(arguments: ["xterm", "dumb"], Place.allCases)
    func theEndOfTheInputIsNotAnAnswer(term: String, place: Place) async throws {
      async let answer = prompt(term: term).ask(Self.request)
      try await reach(place)
      terminal.type("\u{04}")
      #expect(try await answer == .unanswered)
    }

    @Test(arguments: Place.allCases)
    func controlCBreaksOff(place: Place) async throws {
      async let answer = prompt().ask(Self.request)
      try await reach(place)
      terminal.type("\u{03}")
      #expect(try await answer == .interrupted)
      #expect(terminal.editsLines)
    }

    @Test(arguments: Place.allCases)
    func cancellingTheTaskBreaksOff(place: Place) async throws {
      let prompt = prompt()
      let task = Task { try await prompt.ask(Self.request) }
      try await reach(place)
      task.cancel()
      #expect(try await task.value == .interrupted)
    }

    @Test func cancellingWhileTheEditorRunsAnswersNothing() async throws {
      let prompt = prompt(editor: "echo open; read line; echo changed >")
      let task = Task { try await prompt.ask(Self.request) }
      try await terminal.expect(Self.menu)
      terminal.type("e\r")
      try await terminal.expect("open")
      task.cancel()
      terminal.type("\n")
      #expect(try await task.value == .interrupted)
    }

    @Test func onlyAllowedChoicesAreOffered() async throws {
      var request = Self.request
      (request.allowsEdit, request.allowsFeedback, request.allowsSession) = (false, false, false)
      async let answer = prompt().ask(request)
      let menu = "[a]pprove [r]eject [?]: "
      for letter in ["e", "f", "s"] {
        try await terminal.expect(menu)
        terminal.type(letter + "\r")
      }
      try await terminal.expect(menu)
      terminal.type("a\r")
      #expect(try await answer == .approve)
    }

    @Test func failsWithoutATerminal() async throws {
      let prompt = ApprovalPrompt(
        terminalPath: folder.path + "/none", environment: Environment(), style: .plain)
      #expect(!prompt.isPossible)
      let request = Self.request
      let failure = await #expect(throws: Failure.self) { try await prompt.ask(request) }
      #expect(failure?.kind == .approval)
    }

    // MARK: The frame

    /// Content that imitates the program.
    static let impostors = [
      String(repeating: "x", count: 79) + "[a]pprove", "a\r[a]pprove", "a\u{85}└───\u{2028}[a]",
      String(repeating: "世", count: 60), String(repeating: "👩‍👩‍👧‍👦", count: 30),
      "a\u{1B}[1Gb\u{8}\u{8}\u{8}c", "\u{301}\u{20DD}marks",
      "tab\tand\ttab\tand\ttab\tand tab\tand",
      String(repeating: "e\u{301}\u{302}\u{303}", count: 100), "नमस्ते दुनिया, यह एक लंबा वाक्य है जो टूटना चाहिए",
      String(repeating: "\u{202E}", count: 50), "", "\n\n[a]pprove:\n└──\n", "‹U+202E›",
    ]

    @Test(arguments: [20, 36, 80, 399], impostors)
    func noContentLeavesItsFrame(columns: Int, text: String) async throws {
      let terminal = try PseudoTerminal(columns: UInt16(columns))
      let prompt = ApprovalPrompt(
        terminalPath: terminal.path, environment: Environment(["TERM": "dumb"]), style: .plain)
      var request = ApprovalRequest(
        title: text, askedBy: text, risk: text, subject: text, context: [(text, text)])
      request.problem = text
      async let answer = prompt.ask(request)
      let shown = Self.lines(try await terminal.expect("  a  "))
      for line in shown.dropLast() {
        let begins = ["┌", "│", "┆", "├", "└"].contains { line.hasPrefix($0) }
        #expect(begins, "\(line)")
        #expect(displayWidth(line) < columns, "\(line)")
        for scalar in line.unicodeScalars {
          #expect(scalar.value >= 0x20 && !scalar.isHidden && scalar != "\u{2028}")
        }
        if line.hasPrefix("└") || line.hasPrefix("┌") {
          #expect(!line.contains("[a]"))
        }
      }
      try await terminal.expect("[?]: ")
      terminal.type("a\r")
      #expect(try await answer == .approve)
    }

    @Test(arguments: [
      "\u{2800}", "\u{A0}", "\u{2007}", "\u{3000}", "\u{200B}", "\u{200D}", "\u{202E}", "\u{7}",
      "\u{AD}", "\u{FE01}", "\u{E000}", "\u{2028}", "\r", "\u{0}", "\u{1160}",
    ])
    func whatLooksLikeNothingIsShownAsItsNumber(character: String) {
      let scalar = character.unicodeScalars.first!
      let digits = String(scalar.value, radix: 16, uppercase: true)
      let number = "‹U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "›"
      #expect(TerminalText.exact("a\(character)b") == "a\(number)b")
    }

    @Test func aLiteralCodeIsNotMistakenForAHiddenCharacter() {
      #expect(TerminalText.exact("‹U+202E›") == "‹U+2039›U+202E›")
      for text in ["plain", "ünï 世界 🎉 👍🏽 🇩🇪", "a\nb\n", "नमस्ते", "❤️"] {
        #expect(TerminalText.exact(text) == text)
      }
    }
  }
}

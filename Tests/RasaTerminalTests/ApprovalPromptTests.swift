import Glibc
import RasaCore
import RasaSystem
import RasaTerminal
import Testing

@Suite struct ApprovalPromptTests {
  let terminal: PseudoTerminal
  let folder: TemporaryFolder

  init() throws {
    terminal = try PseudoTerminal()
    folder = try TemporaryFolder()
  }

  private func prompt(editor: String = "false") -> ApprovalPrompt {
    ApprovalPrompt(
      terminalPath: terminal.path,
      environment: Environment([
        "EDITOR": editor, "PATH": "/usr/bin:/bin", "TMPDIR": folder.path,
      ]), style: .plain)
  }

  static let request = ApprovalRequest(
    title: "publish the recommendation?", askedBy: "hitl in session_frame", risk: "high",
    costSoFar: Money(picoDollars: 12_000_000_000), subject: "Buy AMD.\nHold NVDA\u{202E}.",
    context: [("reason", "critic: escalate")])

  private static let menu =
    "[a]pprove [e]dit [r]eject [f]eedback [s]ession [?] (Enter rejects): "

  @Test func theQuestionShowsEverythingThatIsDecided() async throws {
    async let answer = prompt().ask(Self.request)
    let shown = try await terminal.expect(Self.menu)
    #expect(
      shown.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init) == [
        "── approval " + String(repeating: "─", count: 56), "publish the recommendation?",
        "  asked by     hitl in session_frame", "  risk         high",
        "  cost so far  $0.0120", "  reason       critic: escalate", "", "  │ Buy AMD.",
        "  │ Hold NVDA\\u{202E}.", "", Self.menu,
      ])
    terminal.type("a\n")
    #expect(try await answer == .approve)
  }

  @Test(arguments: [
    (["a"], ApprovalAnswer.approve), (["A "], .approve), (["approve"], .approve),
    (["s"], .approveForSession), (["", ""], .reject(reason: "")),
    (["r", "too bold"], .reject(reason: "too bold")), (["f", "be brief"], .feedback("be brief")),
    (["f", "", "a"], .approve), (["x", "?", "a"], .approve),
    (["r", "\u{1B}[2Jsneaky"], .reject(reason: "sneaky")),
  ])
  func whatIsTypedDecides(lines: [String], expected: ApprovalAnswer) async throws {
    async let answer = prompt().ask(Self.request)
    try await terminal.expect(Self.menu)
    for (index, line) in lines.enumerated() {
      // Whichever question comes next, it ends so.
      if index > 0 { try await terminal.expect(": ") }
      terminal.type(line + "\n")
    }
    #expect(try await answer == expected)
  }

  @Test func typedAheadKeysDecideNothing() async throws {
    terminal.type("a\na\na\n")
    async let answer = prompt().ask(Self.request)
    try await terminal.expect(Self.menu)
    terminal.type("r\n")
    try await terminal.expect("Reason (Enter for none): ")
    terminal.type("\n")
    #expect(try await answer == .reject(reason: ""))
  }

  @Test func anEditedTextTakesThePlaceOfTheOld() async throws {
    let editor = "sed -i s/AMD/Intel/"
    async let answer = prompt(editor: editor).ask(Self.request)
    try await terminal.expect(Self.menu)
    terminal.type("e\n")
    #expect(try await answer == .edit("Buy Intel.\nHold NVDA\u{202E}."))
    #expect(try FileSystem.list(folder.path) == [])
  }

  @Test(arguments: [
    ("true", "Nothing was changed."), ("echo >>", "Nothing was changed."),
    ("false", "The editor ended with an error; nothing was changed."),
    ("/no/such/editor", "The editor ended with an error; nothing was changed."),
    ("truncate -s 0", "The edited text is empty; nothing was changed."),
  ])
  func anEditThatChangesNothingAsksAgain(editor: String, message: String) async throws {
    async let answer = prompt(editor: editor).ask(Self.request)
    try await terminal.expect(Self.menu)
    terminal.type("e\n")
    try await terminal.expect(message)
    try await terminal.expect(Self.menu)
    terminal.type("a\n")
    #expect(try await answer == .approve)
  }

  @Test func theEditorSeesThePrivateFileOnItsTerminal() async throws {
    let editor = "stat -c %a:%F \"$1\"; tty; read line; echo \"$line\" >"
    async let answer = prompt(editor: editor).ask(Self.request)
    try await terminal.expect(Self.menu)
    terminal.type("e\n")
    try await terminal.expect("600:regular file\r\n\(terminal.path)\r\n")
    terminal.type("written in the editor\n")
    #expect(try await answer == .edit("written in the editor"))
  }

  @Test func onlyWhatIsAllowedIsOffered() async throws {
    var request = Self.request
    (request.allowsEdit, request.allowsFeedback, request.allowsSession) = (false, false, false)
    async let answer = prompt().ask(request)
    let menu = "[a]pprove [r]eject [?] (Enter rejects): "
    for letter in ["e", "f", "s"] {
      try await terminal.expect(menu)
      terminal.type(letter + "\n")
    }
    try await terminal.expect(menu)
    terminal.type("a\n")
    #expect(try await answer == .approve)
  }

  @Test func theEndOfTheInputIsANo() async throws {
    async let answer = prompt().ask(Self.request)
    try await terminal.expect(Self.menu)
    terminal.type("\u{04}")
    #expect(try await answer == .reject(reason: ""))
  }

  @Test func cancellingTheTaskBreaksOff() async throws {
    let prompt = prompt()
    let task = Task { try await prompt.ask(Self.request) }
    try await terminal.expect(Self.menu)
    task.cancel()
    #expect(try await task.value == .interrupted)
  }

  @Test func withoutATerminalThereIsNobodyToAsk() async throws {
    let prompt = ApprovalPrompt(
      terminalPath: folder.path + "/none", environment: Environment(), style: .plain)
    #expect(!prompt.isPossible)
    let failure = await #expect(throws: Failure.self) { try await prompt.ask(Self.request) }
    #expect(failure?.kind == .approval)
  }
}

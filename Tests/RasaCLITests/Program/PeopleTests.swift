import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// A decision is a person's: what is typed at a question, and what is not.
@Suite("rasa: questions at the terminal")
struct PeopleTests {
  private func gated(_ scripts: [Script] = [.text("the draft")]) throws -> (
    RasaProgram, ScriptedProvider
  ) {
    let provider = try ScriptedProvider.start(scripts)
    let rasa = try RasaProgram(provider)
    try rasa.writeGate()
    return (rasa, provider)
  }

  // MARK: Text

  @Test("feedback of several lines arrives whole, as it was pasted")
  func pasted() async throws {
    let (rasa, provider) = try gated([Script.text("one").once(), .text("two")])
    defer { provider.stop() }
    let terminal = try rasa.terminal("run", "-p", "gate", "hello")
    try await terminal.expect("[?]: ")
    terminal.send("f\r")
    try await terminal.expect("Feedback: ")
    let long = String(repeating: "0123456789", count: 600)
    terminal.send("\u{1B}[200~first\rsecond; touch made\r\(long)\r\u{1B}[201~\r")
    try await terminal.expect("two")
    try await terminal.expect("[?]: ")
    terminal.send("a\r")
    #expect(try await terminal.waitForExit() == 0)
    let asked = try #require(provider.requests.last).lastMessage
    #expect(asked.contains("first\nsecond; touch made\n\(long)"))
  }

  @Test("nothing that is typed or pasted at a question is left for the shell")
  func nothingForTheShell() async throws {
    let (rasa, provider) = try gated([Script.text("one").once(), .text("two")])
    defer { provider.stop() }
    let terminal = try TerminalSession(
      "/bin/sh",
      ["-c", "\"$RASA\" run -p gate hello; echo the-shell; read -r line; echo \"got:$line:\""],
      environment: rasa.environment.merging(["RASA": RasaProgram.binary]) { $1 },
      folder: rasa.home.path)
    try await terminal.expect("[?]: ")
    terminal.send("f\r")
    try await terminal.expect("Feedback: ")
    // As a terminal pastes that does not mark it.
    terminal.send("shorter\rtouch made\rls\rThe End.")
    try await terminal.expect("The End.")
    terminal.send("\r")
    try await terminal.expect("[?]: ")
    terminal.send("a\rtouch made\rls\r")
    try await terminal.expect("the-shell")
    terminal.send("mine\r")
    try await terminal.expect("got:mine:")
    #expect(try await terminal.waitForExit() == 0)
    let asked = try #require(provider.requests.last).lastMessage
    #expect(asked.contains("shorter\ntouch made\nls\nThe End."))
  }

  // MARK: No answer

  enum Place: String, CaseIterable, CustomTestStringConvertible {
    case menu, reason, feedback, editor
    var keys: String? { ["reason": "r\r", "feedback": "f\r", "editor": "e\r"][rawValue] }
    var shown: String {
      ["reason": "the run): ", "feedback": "Feedback: ", "editor": "in the editor"][rawValue]
        ?? "[?]: "
    }
    var testDescription: String { rawValue }
  }

  enum End: String, CaseIterable, CustomTestStringConvertible {
    case hangUp, endOfInput, terminate, hangUpSignal, controlC
    var testDescription: String { rawValue }
  }

  @Test("leaving at a question rejects nothing", arguments: Place.allCases, End.allCases)
  func gone(place: Place, end: End) async throws {
    var (rasa, provider) = try gated()
    defer { provider.stop() }
    // It ends with what is typed, and changes nothing; when its terminal goes it leaves a change.
    try rasa.home.write(
      "#!/bin/sh\ntrap '' INT\necho in the editor\nread line && exit 0\necho changed > \"$1\"\n",
      to: "editor.sh")
    rasa.environment["EDITOR"] = "sh \(rasa.home.path)/editor.sh"
    let terminal = try rasa.terminal("run", "-p", "gate", "hello")
    try await terminal.expect("[?]: ")
    if let keys = place.keys {
      terminal.send(keys)
      try await terminal.expect(place.shown)
    }
    let code: Int32
    switch end {
    case .hangUp: code = try await terminal.hangUp()
    case .endOfInput where place == .editor, .controlC where place == .editor:
      // The editor's own affair.
      return
    case .endOfInput:
      terminal.send("\u{4}")
      code = try await terminal.waitForExit()
    case .controlC:
      terminal.send("\u{3}")
      code = try await terminal.waitForExit()
    case .terminate, .hangUpSignal:
      terminal.signal(end == .terminate ? 15 : 1)
      if place == .editor { terminal.send("\r") }
      code = try await terminal.waitForExit()
    }
    switch end {
    case .hangUp: #expect(code == 129 || code == 7)
    case .endOfInput: #expect(code == 7)
    case .terminate: #expect(code == 143)
    case .hangUpSignal: #expect(code == 129)
    case .controlC: #expect(code == 130)
    }
    let latest = try await rasa.latest()
    #expect(latest["status"] == "parked", "\(latest)")
    let lines = try await rasa.lines(of: try #require(latest["run"].string))
    #expect(!lines.contains { $0["kind"] == "human.answered" })
    let approval = try await rasa.waiting()
    let approved = try await rasa.run("approvals", "approve", approval)
    #expect(approved.text == "the draft\n", "\(approved.errorText)")
  }

  // MARK: What is approved

  @Test("after an edit that does not fit, the error and the original are shown, also beside --json")
  func misfit() async throws {
    let provider = try ScriptedProvider.start([.text(#"{"verdict":"pass"}"#)])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    try rasa.writeJudge(writing: "draft")
    try rasa.home.write(
      "#!/bin/sh\ngrep -q perhaps \"$1\" && w=revise || w=perhaps\n"
        + "sed -i -E \"s/pass|perhaps/$w/\" \"$1\"\n", to: "editor.sh")
    rasa.environment["EDITOR"] = "sh \(rasa.home.path)/editor.sh"
    let terminal = try rasa.terminal("run", "-p", "gate", "--json", "hello")
    try await terminal.expect("[?]: ")
    terminal.send("e\r")
    let again = try await terminal.expect("[?]: ")
    #expect(again.contains("the edit was refused"), "\(again)")
    #expect(again.contains("does not have the form"))
    #expect(again.contains(#""verdict": "pass""#) && !again.contains(#""verdict": "perhaps""#))
    // The edit is still there to be corrected.
    terminal.send("e\r")
    try await terminal.expect(#""verdict": "revise""#)
    #expect(try await terminal.waitForExit() == 0)
  }

  @Test("an editor gets its arguments and its own variables, but no key")
  func editor() async throws {
    var (rasa, provider) = try gated()
    defer { provider.stop() }
    try rasa.home.write(
      "#!/bin/sh\nprintf '%s %s %s' \"$1\" \"$VSCODE_IPC_HOOK_CLI\" \"${OPENAI_API_KEY:-no key}\" > \"$2\"\n",
      to: "editor.sh")
    rasa.environment["VISUAL"] = "sh \(rasa.home.path)/editor.sh --wait"
    rasa.environment["VSCODE_IPC_HOOK_CLI"] = "/run/code.sock"
    let terminal = try rasa.terminal("run", "-p", "gate", "hello")
    try await terminal.expect("[?]: ")
    terminal.send("e\r")
    try await terminal.expect("--wait /run/code.sock no key")
    #expect(try await terminal.waitForExit() == 0)
  }

  @Test("the shipped reviewer shows the whole output, and an edit replaces all of it")
  func wholeOutput() async throws {
    let (rasa, provider) = try gated([
      Script.text("the draft").once(), .text("the explanation"),
    ])
    defer { provider.stop() }
    try rasa.home.write(
      "name: gate\ndescription: d\nframes: [session_frame, short_term_frame]\n"
        + "operators: [hitl, explain_operator]\n", to: "personas/gate.yaml")
    let shown = try await rasa.json("approvals", "show", rasa.park())
    #expect(shown["payload"] == "the draft\n\n## Why\n\nthe explanation", "\(shown)")
    #expect(shown["subject"] == "output")
    #expect(shown["leads_to"]["reject"].string?.contains("sent back to respond") == true)
    let edited = try await rasa.run("approvals", "edit", rasa.waiting(), "--text", "mine")
    #expect(edited.text == "mine\n", "\(edited.errorText)")
  }

  // MARK: Programs

  @Test("an answer that is only recorded is reported as JSON")
  func laterAsJSON() async throws {
    let (rasa, provider) = try gated()
    defer { provider.stop() }
    for (verb, more) in [
      ("approve", []), ("reject", ["--reason", "No."]), ("edit", ["--text", "x"]),
      ("feedback", ["Shorter."]),
    ] {
      _ = try await rasa.run("run", "-p", "gate", "May I?", "--approval", "defer")
      let approval = try await rasa.waiting()
      let said = try await ProgramRun.run(
        RasaProgram.binary, ["approvals", verb, approval] + more + ["--later", "--json"],
        environment: rasa.environment, folder: rasa.home.path)
      #expect(said.exitCode == 0, "\(said.errorText)")
      let value = try JSON.parse(said.output)
      #expect(value["standing"] == "answered" && value["approval"] == .string(approval))
      #expect(value["answer"]["decision"] == .string(verb))
      #expect(value["resume"].string?.hasPrefix("rasa resume ") == true)
    }
  }

  // MARK: Asking the user

  private func writeAsking(_ rasa: RasaProgram, _ more: String = "", writes: String = "text") throws
  {
    try rasa.home.write(
      """
      name: clarify
      kind: human
      description: Asks what is meant.
      reads: [input]
      writes: {wish: \(writes)}
      ask: What do you mean by “{{input}}”?
      \(more)

      """, to: "operators/clarify.yaml")
    try rasa.home.write(
      """
      name: gate
      description: Asks first.
      frames: [session_frame]
      operators:
        - clarify
        - name: respond
          kind: llm
          description: Answers.
          reads: [input, wish]
          writes: {draft: text}
          prompt: "{{input}}: {{wish}}"

      """, to: "personas/gate.yaml")
  }

  private static let form = """
    output:
      type: object
      properties:
        budget: {type: integer, description: In euros}
        city: {type: string}
      required: [budget]
    """

  @Test("an operator asks the user at the terminal, and the answer reaches the model")
  func asks() async throws {
    let (rasa, provider) = try gated([.text("the answer")])
    defer { provider.stop() }
    try writeAsking(rasa)
    let terminal = try rasa.terminal("run", "-p", "gate", "trip")
    try await terminal.expect("What do you mean by “trip”?")
    try await terminal.expect("Answer: ")
    terminal.send("\r")
    try await terminal.expect("Answer: ")
    terminal.send("\u{1B}[200~the sea\rand quiet\u{1B}[201~\r")
    try await terminal.expect("the answer")
    #expect(try await terminal.waitForExit() == 0)
    #expect(provider.requests.last?.lastMessage == "trip: the sea\nand quiet")
  }

  @Test("chat: an operator asks in between, and Ctrl-C at its question stops the answer only")
  func asksInChat() async throws {
    let (rasa, provider) = try gated([.text("the answer")])
    defer { provider.stop() }
    try writeAsking(rasa)
    let terminal = try rasa.terminal("chat", "-p", "gate")
    try await terminal.expect("you ›")
    terminal.send("trip\r")
    try await terminal.expect("Answer: ")
    terminal.send("\u{3}")
    try await terminal.expect("(stopped)")
    try await terminal.expect("you ›")
    terminal.send("another trip\r")
    try await terminal.expect("Answer: ")
    terminal.send("the sea\r")
    try await terminal.expect("the answer")
    try await terminal.expect("you ›")
    terminal.send("\u{4}")
    #expect(try await terminal.waitForExit() == 0)
  }

  @Test("an answer with a schema is asked for field by field, and mistakes are reported")
  func asksForFields() async throws {
    let (rasa, provider) = try gated([.text("the answer")])
    defer { provider.stop() }
    try writeAsking(rasa, Self.form, writes: "object")
    let terminal = try rasa.terminal("run", "-p", "gate", "trip")
    try await terminal.expect("budget (a whole number)  In euros")
    try await terminal.expect("  budget: ")
    terminal.send("much\r")
    try await terminal.expect("integer")
    try await terminal.expect("  budget: ")
    terminal.send("1200\r")
    try await terminal.expect("city (text, or Enter for none)")
    try await terminal.expect("  city: ")
    terminal.send("\r")
    try await terminal.expect("the answer")
    #expect(try await terminal.waitForExit() == 0)
    #expect(provider.requests.last?.lastMessage.contains("1200") == true)
  }

  @Test(
    "a waiting question can be answered from anywhere; an answer that does not match is refused")
  func answeredFromAnywhere() async throws {
    let (rasa, provider) = try gated([.text("the answer")])
    defer { provider.stop() }
    try writeAsking(rasa, Self.form, writes: "object")
    let approval = try await rasa.park("trip")
    let shown = try await rasa.run("approvals", "show", approval)
    #expect(shown.text.contains("What do you mean by “trip”?"), "\(shown.text)")
    #expect(shown.text.contains("budget (a whole number)"))
    #expect(shown.text.contains("rasa approvals answer \(approval)"))
    #expect(try await rasa.json("approvals", "show", approval)["form"] == "answer")
    for wrong in [
      ["approve", approval], ["edit", approval, "--text", "x"], ["feedback", approval, "x"],
      ["answer", approval, "--text", "x"], ["answer", approval, "--value", "city=Porto"],
      ["answer", approval],
    ] {
      let refused = try await ProgramRun.run(
        RasaProgram.binary, ["approvals"] + wrong, environment: rasa.environment,
        folder: rasa.home.path)
      #expect(refused.exitCode != 0 && refused.output.isEmpty, "\(wrong): \(refused.text)")
      #expect(try await rasa.waiting() == approval)
    }
    let answered = try await rasa.run(
      "approvals", "answer", approval, "--value", "budget=1200", "--value", "city=Porto")
    #expect(answered.text == "the answer\n", "\(answered.errorText)")
    let run = try await rasa.latestRun()
    let told = try await rasa.run("runs", "show", run)
    #expect(told.text.contains("answered it"), "\(told.text)")

    // A fork has the answer; with another value for it the model is asked with that.
    let fork = try await rasa.run("runs", "fork", run)
    #expect(fork.text == "the answer\n" && provider.asked == 1, "\(fork.errorText)")
    let other = try await rasa.run("runs", "fork", run, "--set", "wish={\"budget\": 7}")
    #expect(other.exitCode == 0 && provider.asked == 2, "\(other.errorText)")
    #expect(provider.requests.last?.lastMessage.contains("7") == true)
    let recorded = try await rasa.run("runs", "export", run)
    #expect(recorded.exitCode == 0)
  }

  @Test("no answer is made up: allow takes the declared default or waits, deny fails")
  func noAnswerMadeUp() async throws {
    let (rasa, provider) = try gated([.text("the answer")])
    defer { provider.stop() }
    try writeAsking(rasa)
    let waits = try await rasa.run("run", "-p", "gate", "trip", "--approval", "allow")
    #expect(waits.exitCode == 7 && waits.errorText.contains("approvals answer"))
    let denied = try await rasa.run("run", "-p", "gate", "trip", "--approval", "deny")
    #expect(denied.exitCode == 7 && denied.errorText.contains("asks for an answer"))
    let refused = try await rasa.run("approvals", "reject", rasa.waiting(), "--reason", "Private.")
    #expect(refused.exitCode == 7 && refused.errorText.contains("Private."), "\(refused.errorText)")
    try writeAsking(rasa, "default: Anything.")
    let allowed = try await rasa.run("run", "-p", "gate", "trip", "--approval", "allow")
    #expect(allowed.exitCode == 0, "\(allowed.errorText)")
    #expect(provider.requests.last?.lastMessage == "trip: Anything.")
  }

  @Test("a recording has the answer, and a replay makes no call")
  func replayed() async throws {
    let (rasa, provider) = try gated([.text("the answer")])
    defer { provider.stop() }
    try writeAsking(rasa, "default: Anything.")
    let recorded = try await rasa.run(
      "run", "-p", "gate", "trip", "--approval", "allow", "--record", "trip.json")
    #expect(recorded.exitCode == 0, "\(recorded.errorText)")
    let replayed = try await rasa.run("test", "trip.json")
    #expect(replayed.exitCode == 0, "\(replayed.text)\(replayed.errorText)")
    #expect(provider.asked == 1)
  }

  @Test("a mistake in a question is reported with its location")
  func badFiles() async throws {
    let rasa = try RasaProgram()
    for (more, writes, message) in [
      ("prompt: Well?", "text", "`ask` and `prompt` are both given"),
      ("default: 12", "text", "`default` does not fit"),
      ("", "object", "the answer is text"),
      (Self.form, "text", "write `wish: object`"),
    ] {
      try writeAsking(rasa, more, writes: writes)
      let told = try await rasa.run("operators", "validate")
      let text = told.text + told.errorText
      #expect(text.contains(message) && text.contains("clarify.yaml:"), "\(text)")
    }
  }
}

import RasaCore
import RasaTestKit
import Testing

@Suite("rasa in a terminal")
struct TerminalTests {
  /// A persona whose draft a person has to approve.
  private func reviewed(_ provider: ScriptedProvider) throws -> RasaProgram {
    let rasa = try RasaProgram(provider)
    try rasa.addReviewedPersona()
    return rasa
  }

  @Test("approving lets the draft out, and it is not shown as the answer before")
  func approve() async throws {
    let provider = try ScriptedProvider.start([.text("the draft")])
    defer { provider.stop() }
    let rasa = try reviewed(provider)
    let terminal = try rasa.terminal("run", "-p", "reviewed", "hello")
    try await terminal.expect("hitl in session_frame")
    try await terminal.expect("the draft")
    try await terminal.expect("[a]pprove")
    terminal.send("a\r")
    try await terminal.expect("the draft")
    #expect(try await terminal.waitForExit() == 0)
  }

  @Test("rejecting with a reason sends the draft back, with the reason")
  func reject() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("too bold").once(), .text("more careful"),
    ])
    defer { provider.stop() }
    let rasa = try reviewed(provider)
    let terminal = try rasa.terminal("run", "-p", "reviewed", "hello")
    try await terminal.expect("[a]pprove")
    terminal.send("r\r")
    try await terminal.expect("eason")
    terminal.send("name the risks\r")
    try await terminal.expect("more careful")
    try await terminal.expect("[a]pprove")
    terminal.send("a\r")
    #expect(try await terminal.waitForExit() == 0)
    #expect(provider.requests[1].lastMessage.contains("name the risks"))
  }

  @Test("Enter alone decides nothing; a rejection without a reason ends the run as denied")
  func denied() async throws {
    let provider = try ScriptedProvider.start([.text("the draft")])
    defer { provider.stop() }
    let rasa = try reviewed(provider)
    let terminal = try rasa.terminal("run", "-p", "reviewed", "hello")
    try await terminal.expect("[?]: ")
    terminal.send("\r")
    try await terminal.expect("[?]: ")
    terminal.send("r\r")
    try await terminal.expect("eason")
    try await terminal.expect(": ")
    terminal.send("\r")
    try await terminal.expect("rejected")
    #expect(try await terminal.waitForExit() == 7)
  }

  @Test("an edit in the editor replaces the draft")
  func edit() async throws {
    let provider = try ScriptedProvider.start([.text("the draft")])
    defer { provider.stop() }
    var rasa = try reviewed(provider)
    let editor = try rasa.home.write(
      "#!/bin/sh\nprintf 'words of a person' > \"$1\"\n", to: "editor.sh")
    rasa.environment["EDITOR"] = "/bin/sh \(editor)"
    let terminal = try rasa.terminal("run", "-p", "reviewed", "hello")
    try await terminal.expect("[a]pprove")
    terminal.send("e\r")
    try await terminal.expect("words of a person")
    // Some prompts show the edited text once more before it is approved.
    #expect(try await terminal.waitForExit() == 0)
  }

  @Test("feedback re-enters at the short-term frame and reaches the draft")
  func feedback() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("first draft").once(), .text("second draft"),
    ])
    defer { provider.stop() }
    let rasa = try reviewed(provider)
    let terminal = try rasa.terminal("run", "-p", "reviewed", "hello")
    try await terminal.expect("[a]pprove")
    terminal.send("f\r")
    terminal.send("mention the dates\r")
    try await terminal.expect("second draft")
    #expect(try await terminal.waitForExit() == 0)
    #expect(provider.requests[1].lastMessage.contains("mention the dates"))
  }

  @Test("progress is shown while a model works, and gone when it is done")
  func progress() async throws {
    let provider = try ScriptedProvider.start([
      Script.words(30).with { $0.tokenDelay = .milliseconds(20) }
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    let terminal = try rasa.terminal(
      "run", "-p", "strategic_stock_analyst", "--no-stream", "Is Nvidia a buy?")
    try await terminal.expect("preference_agent")
    #expect(try await terminal.waitForExit() == 0)
    // The last thing said of any operator is that its line was cleared.
    let shown = terminal.transcript
    #expect(shown.contains("\u{1B}[2K"))
  }

  @Test("chat: Ctrl-C stops the answer and not the chat, the next turn knows the first")
  func chat() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("hello to you").once(),
      Script.tokens(["endless", " talk"]).broken(after: 1, .silence).once(), .text("still here"),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal("chat", "-p", "single")
    try await terminal.expect("you ›")
    terminal.send("hi\r")
    try await terminal.expect("hello to you")
    try await terminal.expect("you ›")
    terminal.send("tell me everything\r")
    try await terminal.expect("endless")
    terminal.send("\u{3}")
    try await terminal.expect("(stopped)")
    try await terminal.expect("you ›")
    terminal.send("are you there\r")
    try await terminal.expect("still here")
    try await terminal.expect("you ›")
    terminal.send("\u{4}")
    #expect(try await terminal.waitForExit() == 0)
    let last = try #require(provider.requests.last)
    #expect(last.messages.contains("hello to you"))
  }

  @Test("chat: a request to end leaves the terminal as it was")
  func endedWhileReading() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal("chat", "-p", "single")
    try await terminal.expect("you ›")
    terminal.signal(15)
    #expect(try await terminal.waitForExit() == 143)
    // Marking of pasted text was switched on for the line, and is off again.
    #expect(terminal.transcript.contains("\u{1B}[?2004l"))
  }
}

import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa approvals")
struct ApprovalTests {
  @Test("a run parks with its id and the command that answers it; the answer makes it go on")
  func approve() async throws {
    let provider = try ScriptedProvider.start([.text("the draft")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeGate()
    let parked = try await rasa.run("run", "-p", "gate", "May I?")
    #expect(parked.exitCode == 7 && parked.output.isEmpty)
    let approval = try await rasa.waiting()
    let run = try await rasa.latestRun()
    #expect(parked.errorText.contains(run))
    #expect(parked.errorText.contains("rasa approvals approve \(approval)"))

    let shown = try await rasa.run("approvals", "show", approval)
    for part in ["the draft", "hitl in session_frame", run, "May I?", "waits for an answer"] {
      #expect(shown.text.contains(part), "\(shown.text)")
    }
    let answered = try await rasa.run("approvals", "approve", approval, "--user", "eve")
    #expect(answered.exitCode == 0, "\(answered.errorText)")
    #expect(answered.text == "the draft\n")
    #expect(provider.asked == 1)
    let timeline = try await rasa.run("runs", "show", run)
    #expect(timeline.text.contains("eve approved it"), "\(timeline.text)")
    #expect(timeline.text.contains("resumed"), "\(timeline.text)")
    #expect(try await rasa.json("approvals", "list").array?.isEmpty == true)
  }

  @Test("an answer can be recorded for another process to continue with")
  func later() async throws {
    let provider = try ScriptedProvider.start([.text("the draft")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeGate()
    let approval = try await rasa.park()
    let recorded = try await rasa.run("approvals", "approve", approval, "--later")
    #expect(recorded.exitCode == 0 && recorded.text.contains("rasa resume"))
    let listed = try await rasa.json("resume")
    #expect(listed.array?.map(\.["status"]) == ["answered"])
    let worker = try await rasa.run("resume", "--all")
    #expect(worker.exitCode == 0 && worker.text == "the draft\n", "\(worker.errorText)")
    #expect(worker.errorText.contains("is done"))
    #expect(provider.asked == 1)
    let again = try await rasa.run("resume", "--all")
    #expect(again.exitCode == 0 && again.output.isEmpty)
  }

  @Test("a run continues with the model and the limits that it started with")
  func sameModel() async throws {
    let provider = try ScriptedProvider.start([.text("the draft")], models: ["one", "two"])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    // A server on this machine that is sent no key is free.
    rasa.environment["OPENAI_API_KEY"] = nil
    try rasa.writeGate()
    let parked = try await rasa.run(
      "run", "-p", "gate", "May I?", "--model", "openai:two", "--max-cost", "1")
    #expect(parked.exitCode == 7, "\(parked.errorText)")
    let approval = try await rasa.waiting()
    let corrected = try await rasa.run("approvals", "feedback", approval, "Shorter.")
    #expect(corrected.exitCode == 7, "\(corrected.errorText)")
    #expect(provider.requests.compactMap(\.model) == ["two", "two"])
    let other = try await rasa.waiting()
    let again = try await rasa.run(
      "approvals", "feedback", other, "Longer.", "--model", "openai:one")
    #expect(again.exitCode == 7, "\(again.errorText)")
    #expect(provider.requests.compactMap(\.model).last == "one")
  }

  @Test("a second answer is refused with the name of the first person")
  func late() async throws {
    let provider = try ScriptedProvider.start([.text("the draft")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeGate()
    let approval = try await rasa.park()
    _ = try await rasa.run("approvals", "approve", approval, "--user", "eve", "--later")
    let second = try await rasa.run("approvals", "reject", approval, "--user", "adam")
    #expect(second.exitCode == 7 && second.output.isEmpty)
    #expect(second.errorText.contains("eve already answered it: approve"), "\(second.errorText)")
    #expect(second.errorText.contains("rasa resume"))
    _ = try await rasa.run("resume", "--all")
    let third = try await rasa.run("approvals", "approve", approval)
    #expect(third.exitCode == 7 && third.errorText.contains("the run is done"))
  }

  @Test("a rejection with a reason sends the text back to its author; without one the run ends")
  func reject() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("the first draft").once(), .text("the second draft"),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeGate()
    let first = try await rasa.park()
    let sent = try await rasa.run(
      "approvals", "reject", first, "--reason", "Name the risks.", "--user", "eve")
    #expect(sent.exitCode == 7, "\(sent.errorText)")
    #expect(provider.requests.last?.lastMessage.contains("Name the risks.") == true)
    let second = try await rasa.waiting()
    #expect(second != first)
    let refused = try await rasa.run("approvals", "reject", second)
    #expect(refused.exitCode == 7 && refused.output.isEmpty)
    #expect(refused.errorText.contains("rejected it"), "\(refused.errorText)")
    #expect(try await rasa.latest()["status"] == "failed")
    let shown = try await rasa.run("runs", "show", try await rasa.latestRun())
    #expect(shown.text.contains("sent back by eve"), "\(shown.text)")
  }

  @Test("an edit replaces the shown text, from an option, a file, a pipe or an editor")
  func edit() async throws {
    let provider = try ScriptedProvider.start([.text("the draft")])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    try rasa.writeGate()
    let option = try await rasa.run("approvals", "edit", rasa.park(), "--text", "from an option")
    #expect(option.text == "from an option\n", "\(option.errorText)")
    try rasa.home.write("from a file\n", to: "answer.md")
    let file = try await rasa.run("approvals", "edit", rasa.park(), "--file", "answer.md")
    #expect(file.text == "from a file\n", "\(file.errorText)")
    let pipe = try await rasa.run(
      "approvals", "edit", rasa.park(), "--file", "-", input: "from a pipe\n")
    #expect(pipe.text == "from a pipe\n", "\(pipe.errorText)")

    let approval = try await rasa.park()
    let nobody = try await rasa.run("approvals", "edit", approval)
    #expect(nobody.exitCode == 2 && nobody.errorText.contains("--text"), "\(nobody.errorText)")
    let empty = try await rasa.run("approvals", "edit", approval, "--file", "-", input: "\n")
    #expect(empty.exitCode == 2, "\(empty.errorText)")

    rasa.environment["VISUAL"] = "true"
    let unchanged = try rasa.terminal("approvals", "edit", approval)
    #expect(try await unchanged.waitForExit() == 7)
    try rasa.home.write("#!/bin/sh\nsed -i s/draft/better/ \"$1\"\n", to: "editor.sh")
    rasa.environment["VISUAL"] = "sh editor.sh"
    let terminal = try rasa.terminal("approvals", "edit", approval)
    try await terminal.expect("the better")
    #expect(try await terminal.waitForExit() == 0)
  }

  @Test("an edit that does not fit is refused, and the question stays")
  func misfit() async throws {
    let provider = try ScriptedProvider.start([.text(#"{"verdict":"pass"}"#)])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeJudge(writing: "critique", then: ", respond")
    let approval = try await rasa.park()
    for text in ["no JSON", #"{"verdict":"perhaps"}"#, "{}"] {
      let run = try await rasa.run("approvals", "edit", approval, "--text", text)
      #expect(run.exitCode != 0 && run.output.isEmpty, "\(text): \(run.errorText)")
    }
    #expect(try await rasa.waiting() == approval)
    let fits = try await rasa.run(
      "approvals", "edit", approval, "--text", #"{"verdict":"revise"}"#, "--later")
    #expect(fits.exitCode == 0, "\(fits.errorText)")
  }

  @Test("feedback makes the answer again with it")
  func feedback() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("the first draft").once(), .text("the second draft"),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeGate()
    let corrected = try await rasa.run(
      "approvals", "feedback", rasa.park(), "the fee", "is 2 %")
    #expect(corrected.exitCode == 7, "\(corrected.errorText)")
    #expect(provider.requests.last?.lastMessage.contains("the fee is 2 %") == true)
    let approved = try await rasa.run("approvals", "approve", rasa.waiting(), "--json")
    #expect(try JSON.parse(approved.output)["output"] == "the second draft")
  }

  @Test("questions are found by the beginning of their name, and by their run")
  func finding() async throws {
    let rasa = try RasaProgram()
    try rasa.writeGate()
    let first = try await rasa.park()
    let run = try await rasa.latestRun()
    _ = try await rasa.run("run", "-p", "gate", "And I?", "--approval", "defer")
    let all = try await rasa.json("approvals", "list").array ?? []
    #expect(all.count == 2)
    let own = try await rasa.json("approvals", "list", "--run", run).array ?? []
    #expect(own.map(\.["approval"]) == [.string(first)])
    #expect(own.first?["payload"].string?.isEmpty == false)
    let byPrefix = try await rasa.json("approvals", "show", String(first.prefix(8)))
    #expect(byPrefix["approval"] == .string(first) && byPrefix["input"] == "May I?")
    let ambiguous = try await rasa.run("approvals", "show", "a")
    #expect(ambiguous.exitCode == 2 && ambiguous.errorText.contains(first))
    let unknown = try await rasa.run("approvals", "approve", "a0000")
    #expect(unknown.exitCode == 2 && unknown.errorText.contains("rasa approvals list"))
    _ = try await rasa.run("approvals", "approve", first)
    let rest = try await rasa.json("approvals", "list", "--all").array ?? []
    #expect(Set(rest.compactMap(\.["standing"].string)) == ["answered", "pending"])
  }

  @Test(
    "a question that is not answered in time expires, and is asked again when the run is resumed")
  func expiry() async throws {
    let rasa = try RasaProgram()
    try rasa.writeGate()
    try rasa.home.write(
      "name: hitl\nkind: human\ndescription: d\nreads: [draft]\nwrites: {approval: object}\n"
        + "timeout: 0.001\nprompt: Well?\n", to: "operators/hitl.yaml")
    let parked = try await rasa.run("run", "-p", "gate", "May I?", "--approval", "defer")
    #expect(parked.exitCode == 7, "\(parked.errorText)")
    let all = try await rasa.json("approvals", "list", "--all").array ?? []
    let first = try #require(all.first?["approval"].string)
    let late = try await rasa.run("approvals", "approve", first)
    #expect(late.exitCode == 7 && late.errorText.contains("has expired"), "\(late.errorText)")
    #expect(late.errorText.contains("rasa resume"))
    let resumed = try await rasa.run("resume", try await rasa.latestRun(), "--approval", "defer")
    #expect(resumed.exitCode == 7, "\(resumed.errorText)")
    #expect(try await rasa.json("approvals", "list", "--all").array?.count == 2)
  }

  @Test("characters in a question that a terminal would hide or obey are shown")
  func escapes() async throws {
    let provider = try ScriptedProvider.start([.text("pay \u{202E}001\u{1B}[2K$")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeGate()
    let approval = try await rasa.park()
    let shown = try await rasa.run("approvals", "show", approval)
    #expect(shown.text.contains("pay ‹U+202E›001‹U+001B›[2K$"), "\(shown.text)")
    #expect(!shown.output.contains(0x1B))
    for arguments in [["approvals", "list"], ["runs", "list"]] {
      let listed = try await rasa.run(arguments[0], arguments[1])
      #expect(!listed.output.contains(0x1B))
    }
  }
}

import Glibc
import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// What a program finds when it is started: descriptors, limits, signals, and who reads its output.
@Suite("rasa: the environment of its process")
struct SurroundingsTests {
  private static func silent() -> Script {
    Script.tokens(["first", " second"]).broken(after: 1, .silence)
  }

  @Test(
    "closed standard descriptors are as good as /dev/null",
    arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
  func closedDescriptors(_ closing: String) async throws {
    let provider = try ScriptedProvider.start([.text("the answer")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.shell("\"$RASA\" run -p single -v hello \(closing)")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(run.text == (closing.contains(">&- ") || closing == ">&-" ? "" : "the answer\n"))
    #expect(run.errorText.contains("the answer") == false)
    #expect(try await rasa.latest()["status"] == "done")
  }

  @Test("too few descriptors are reported at once", arguments: [17, 18, 20, 32, 48, 64])
  func fewDescriptors(_ count: Int) async throws {
    let rasa = try RasaProgram()
    for form in ["", "--json"] {
      let run = try await rasa.shell(
        "ulimit -n \(count); \"$RASA\" run -p support_triage help \(form)")
      #expect(run.exitCode == 1, "\(count): \(run.errorText)")
      #expect(run.errorText.contains("ulimit -n"), "\(run.errorText)")
      if form == "--json" { #expect(try JSON.parse(run.output)["error"]["kind"] == "run") }
    }
  }

  @Test("a low soft limit of descriptors is raised")
  func softLimit() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.shell("ulimit -S -n 20; \"$RASA\" run -p support_triage help")
    #expect(run.exitCode == 0, "\(run.errorText)")
  }

  @Test("too little address space is reported at once", arguments: [100_000, 400_000])
  func littleMemory(_ kilobytes: Int) async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.shell("ulimit -v \(kilobytes); \"$RASA\" run -p support_triage help")
    #expect(run.exitCode == 1 && run.errorText.contains("ulimit -v"), "\(run.errorText)")
  }

  @Test("a signal that is ignored when it starts stays ignored")
  func inheritedIgnore() async throws {
    let provider = try ScriptedProvider.start([Self.silent()])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let running = try RunningProgram(
      "/bin/sh", ["-c", "trap '' HUP; exec \"$RASA\" run -p single hello"],
      environment: rasa.environment.merging(["RASA": RasaProgram.binary]) { $1 },
      folder: rasa.home.path)
    try await provider.waitForRequests(1)
    running.signal(SIGHUP)
    running.signal(SIGTERM)
    let run = try await running.finish()
    // Had the first one counted, the second would have left at once, with the first one's code lost.
    #expect(run.exitCode == 143 && run.errorText.contains("continues it"), "\(run.errorText)")
    #expect(try await rasa.latest()["status"] == "interrupted")
  }

  @Test(
    "a reader that has stopped reading does not keep a signal from ending the run",
    arguments: [SIGINT, SIGTERM, SIGHUP])
  func blockedReader(_ signal: Int32) async throws {
    let provider = try ScriptedProvider.start([.text("the answer")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    // It holds both ends of the pipe itself, so that there is a reader, who never reads; and the
    // pipe is full from the beginning.
    let running = try RunningProgram(
      "/bin/sh",
      [
        "-c",
        "mkfifo full; exec 3<>full; head -c 65536 /dev/zero >&3; exec \"$RASA\" run -p single hello >&3",
      ],
      environment: rasa.environment.merging(["RASA": RasaProgram.binary]) { $1 },
      folder: rasa.home.path)
    _ = try await provider.waitForEnd(ofRequest: 0)
    // The run itself waits for nobody.
    var tries = 0
    while try await rasa.latest()["status"] != "done", tries < 400 { tries += 1 }
    running.signal(signal)
    let run = try await running.finish()
    #expect(run.exitCode == 128 + signal, "\(run.errorText)")
    let listed = try await rasa.latest()
    #expect(listed["status"] == "done")
    #expect(
      run.errorText.contains("`rasa runs show \(listed["run"].string ?? "?")`"), "\(run.errorText)")
    #expect(try await rasa.json("runs", "show", listed["run"].string ?? "")["held_usd"] == "0")
  }

  @Test("lines on standard error begin at the start of a line where both outputs are one file")
  func oneFile() async throws {
    let provider = try ScriptedProvider.start([.text("the answer")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    for redirection in [">both 2>&1", ">both 2>>both", "2>&1 | cat >both"] {
      _ = try await rasa.shell("\"$RASA\" run -p single -v hello \(redirection)")
      let text = try #require(try rasa.home.read("both"))
      let lines = text.split(separator: "\n").map(String.init)
      if redirection != ">both 2>>both" {
        #expect(lines.contains("the answer"), "\(redirection): \(text)")
        #expect(lines.contains { $0.hasPrefix("✓ ") }, "\(redirection): \(text)")
      }
    }
    let apart = try await rasa.run("run", "-p", "single", "-v", "hello")
    #expect(apart.text == "the answer\n")
    #expect(!apart.errorText.contains("\n\n"), "\(apart.errorText)")
  }

  @Test("a run is announced when it can be found, even immediately")
  func startedIsKept() async throws {
    let provider = try ScriptedProvider.start([Self.silent()])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal(
      "run", "-p", "single", "hello", "--output-format", "stream-json")
    let shown = try await terminal.expect("run.started")
    let id = try #require(
      shown.split(separator: "\"").first { $0.hasPrefix("r0") }.map(String.init))
    terminal.signal(SIGKILL)
    _ = try await terminal.waitForExit()
    #expect(try await rasa.json("runs", "show", id)["run"] == .string(id))
  }

  @Test("-v speaks on standard error beside JSON, too", arguments: ["json", "stream-json"])
  func verboseJSON(_ format: String) async throws {
    let provider = try ScriptedProvider.start([.text("the answer")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "-v", "hello", "--output-format", format)
    #expect(run.errorText.contains("✓ ") && run.errorText.contains("1 calls"), "\(run.errorText)")
    let quiet = try await rasa.run("run", "-p", "single", "hello", "--output-format", format)
    #expect(quiet.errorText.isEmpty, "\(quiet.errorText)")
  }

  @Test("a chat from a pipe ends as its last failed answer did")
  func chatFromAPipe() async throws {
    let provider = try ScriptedProvider.start([
      Script.error(401, "Incorrect API key provided", code: "invalid_api_key").once(),
      .text("an answer"),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let failed = try await rasa.run("chat", "-p", "single", input: "one\n")
    #expect(failed.exitCode == 4 && failed.errorText.contains("1 of 1"), "\(failed.errorText)")
    let well = try await rasa.run("chat", "-p", "single", input: "two\n")
    #expect(well.exitCode == 0, "\(well.errorText)")
  }

  @Test("memories are forgotten by their numbers, and by nothing else")
  func forget() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    for text in ["one", "two", "three"] {
      _ = try await rasa.run("memory", "add", "-p", "single", "I like \(text).")
    }
    let ids = try await rasa.json("memory", "list").array?.compactMap(\.["id"].int) ?? []
    #expect(ids.count == 3)
    for nonsense in [["abc"], ["\(ids[0])", "x"], ["\(ids[0]),"], ["-1"], ["1e3"]] {
      let run = try await ProgramRun.run(
        RasaProgram.binary, ["memory", "forget"] + nonsense, environment: rasa.environment,
        folder: rasa.home.path)
      #expect(run.exitCode == 2, "\(nonsense): \(run.text)\(run.errorText)")
    }
    #expect(try await rasa.json("memory", "list").array?.count == 3)
    let run = try await rasa.run("memory", "forget", "\(ids[0]),\(ids[1])", "\(ids[2])")
    #expect(run.exitCode == 0 && run.text == "forgot 3 facts\n", "\(run.errorText)")
  }

  @Test("two processes that go on with all runs ask each once, and both end well")
  func resumeAllTwice() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeGate()
    for number in 0..<6 {
      _ = try await rasa.park("May I, \(number)?", alone: false)
    }
    for approval in try await rasa.json("approvals", "list").array ?? [] {
      _ = try await rasa.run("approvals", "approve", approval["approval"].string ?? "", "--later")
    }
    let asked = provider.asked
    let first = try rasa.begin("resume", "--all", "--json")
    let second = try rasa.begin("resume", "--all", "--json")
    var documents: [Value] = []
    for running in [first, second] {
      let run = try await running.finish()
      #expect(run.exitCode == 0, "\(run.errorText)")
      documents += try JSON.parse(run.output).array ?? []
    }
    #expect(documents.count == 6 && documents.allSatisfy { $0["status"] == "done" })
    #expect(Set(documents.compactMap(\.["run"].string)).count == 6)
    #expect(provider.asked == asked)
  }
}

import RasaCore
import RasaTestKit
import Testing

/// A run waits for nobody who reads it: a pipe that takes nothing delays neither calls nor limits.
@Suite("rasa: readers that are slow, stopped or gone")
struct SlowReaderTests {
  /// More than a pipe holds, and less than the model writes at most.
  private static let words = 16_000

  /// A pipe that nobody reads, and a run that has ended as `status` although its answer is far larger.
  private func script(_ arguments: String, _ status: String) -> String {
    """
    mkfifo answer && exec 3<>answer
    "$RASA" run -p single \(arguments) hello >answer 2>errors &
    run=$!
    tries=0
    until "$RASA" runs list --json 2>/dev/null | grep -q '"status": *"\(status)"'; do
      tries=$((tries + 1)); [ $tries -lt 400 ] || { kill $run; echo never; exit 9; }
    done
    """
  }

  @Test("the run is done before anything is read, and then everything is read")
  func nobodyReads() async throws {
    let provider = try ScriptedProvider.start([.words(Self.words)])
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let other = try RasaProgram(provider)
    try other.writeSingle()
    let whole = try await other.run("run", "-p", "single", "hello")
    #expect(whole.exitCode == 0 && whole.output.count > 70_000)
    let late = try await rasa.shell(
      script("", "done") + """

        head -c \(whole.output.count) <&3 >read
        wait $run; echo $?
        """)
    #expect(late.text == "0\n", "\(late.text)\(late.errorText)")
    #expect(try rasa.home.read("read") == String(decoding: whole.output, as: UTF8.self))
  }

  @Test("a reader that is always behind, or stopped for a while, gets everything")
  func slowReaders() async throws {
    let readers = [
      // Some bytes at each look at the run, until it is done.
      ("while :", "head -c 200 <&3 >>read", "head -c $((SIZE - $(wc -c <read))) <&3 >>read"),
      // Another process, which cannot even be scheduled.
      (
        "cat <&3 >read & reader=$!; kill -STOP $reader; while :", ":",
        "kill -CONT $reader; while [ $(wc -c <read) -lt SIZE ]; do :; done; kill $reader"
      ),
    ]
    let provider = try ScriptedProvider.start([.words(Self.words)])
    let other = try RasaProgram(provider)
    try other.writeSingle()
    let whole = try await other.run("run", "-p", "single", "hello")
    #expect(whole.exitCode == 0 && whole.output.count > 70_000)
    for (loop, each, rest) in readers {
      let rasa = try RasaProgram(provider)
      try rasa.writeSingle()
      let slow = try await rasa.shell(
        """
        : >read && mkfifo answer && exec 3<>answer
        "$RASA" run -p single hello >answer 2>errors &
        run=$!
        tries=0
        \(loop); do
          \(each)
          if "$RASA" runs list --json 2>/dev/null | grep -q '"status": *"done"'; then break; fi
          tries=$((tries + 1)); [ $tries -lt 400 ] || { kill $run; echo never; exit 9; }
        done
        [ $(wc -c <read) -lt \(whole.output.count) ] && echo behind
        \(rest.replacing("SIZE", with: "\(whole.output.count)"))
        wait $run; echo $?
        """)
      #expect(slow.text == "behind\n0\n", "\(loop): \(slow.text)\(slow.errorText)")
      #expect(try rasa.home.read("read") == String(decoding: whole.output, as: UTF8.self))
    }
  }

  @Test("a terminal that was stopped with Control-S shows everything when it goes on")
  func stoppedTerminal() async throws {
    // More than a terminal holds, and less than the model writes at most.
    let words = (0..<2_000).map { "word\($0)" }
    let provider = try ScriptedProvider.start([.text(words.joined(separator: " "))])
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try TerminalSession(
      RasaProgram.binary, ["run", "-p", "single", "hello"], environment: rasa.environment,
      folder: rasa.home.path)
    terminal.send("\u{13}")
    try await provider.waitForRequests(1)
    var tries = 0
    while try await rasa.latest()["status"] != "done", tries < 400 { tries += 1 }
    #expect(try await rasa.latest()["status"] == "done")
    terminal.send("\u{11}")
    let shown = try await terminal.expect("word1999")
    let seen = Set(shown.split { !$0.isLetter && !$0.isNumber }.map(String.init))
    let missing = words.dropFirst().filter { !seen.contains($0) }
    #expect(missing.isEmpty, "\(missing.count) words, the first is \(missing.first ?? "")")
    #expect(try await terminal.waitForExit() == 0)
  }

  @Test("the time limit stops a call under way, and it is settled")
  func timeLimit() async throws {
    let provider = try ScriptedProvider.start([
      Script.words(Self.words).broken(after: Self.words - 1, .silence)
    ])
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let late = try await rasa.shell(
      script("--max-seconds 2", "failed") + """

        cat <&3 >/dev/null &
        wait $run; echo $?
        kill $!
        """)
    #expect(late.text != "0\n")
    let told = try rasa.home.read("errors") ?? ""
    #expect(told.contains("took longer than 2 seconds"), "\(told)\(late.errorText)")
    let runs = try await rasa.json("runs", "list")
    let cost = runs.array?.first?["cost_usd"].string ?? ""
    #expect(cost != "0" && !cost.isEmpty, "\(runs)")
  }

  @Test("a reader that goes away ends the run, which can be resumed")
  func readerGoes() async throws {
    let provider = try ScriptedProvider.start([.words(Self.words)])
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let cut = try await rasa.shell(
      #"{ "$RASA" run -p single hello; echo $? >code; } | head -c 100 >/dev/null; cat code"#)
    #expect(cut.text == "141\n", "\(cut.text)\(cut.errorText)")
    let status = try await rasa.json("runs", "list").array?.first?["status"].string
    #expect(status == "interrupted" || status == "done")
  }
}

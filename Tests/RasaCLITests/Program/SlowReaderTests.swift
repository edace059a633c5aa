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

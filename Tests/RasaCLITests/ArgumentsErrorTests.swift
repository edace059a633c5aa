import RasaCLI
import RasaCore
import Testing

@Suite struct ArgumentsErrorTests {
  @Test(
    arguments: [
      // Commands.
      (["rnu"], "`rasa` has no command `rnu`", "did you mean `rasa run`? `rasa help`"),
      (["persona", "list"], "no command `persona`", "`rasa personas`"),
      (["personas", "lst"], "`rasa personas` has no command `lst`", "`rasa personas list`"),
      (
        ["personas", "xyzzy"], "no command", "its commands are list, show, validate, graph and copy"
      ),
      (["help", "rnu"], "no command `rnu`", "`rasa run`"),
      (["help", "run", "x"], "`rasa run` has no command `x`", "`rasa help run`"),
      // Options.
      (["run", "--persnoa", "a"], "no option `--persnoa`", "did you mean `--persona`?"),
      (["run", "--pref", "k=v"], "no option `--pref`", "did you mean `--preferences`?"),
      (["run", "--output_format", "json"], "no option", "`--output-format`"),
      (["run", "-persona", "a"], "no option `-persona`", "write `--persona`"),
      (["run", "-pssa"], "no option `-pssa`", "write `-p ssa`"),
      (["run", "-vx"], "no option `-vx`", "write `-v -x`"),
      // Flags without values can share a hyphen.
      (["run", "-p", "a", "-vq"], "`--verbose` and `--quiet` cannot be combined", ""),
      (["run", "-x"], "no option `-x`", "`rasa help run`"),
      (["run", "---"], "no option `---`", "`rasa help run`"),
      // Only what is close is suggested: half of a short name is not.
      (["agents", "search", "a", "--nope"], "no option `--nope`", "`rasa help agents search`"),
      (["run", "--jsno"], "no option `--jsno`", "did you mean `--json`?"),
      (["run", "-p", "a", "--xyzzy=1"], "no option `--xyzzy`", "`rasa help run`"),
      (["--persona", "a", "run"], "no option `--persona`", "as in `rasa run --persona`"),
      (["personas", "--json", "list"], "no option `--json`", "`rasa personas list --json`"),
      (["doctor", "--input", "x"], "`rasa doctor` has no option `--input`", "`rasa help doctor`"),
      // Values.
      (["run", "--persona"], "`--persona` needs a value: NAME", "`rasa help run`"),
      (
        ["run", "--persona", "--stream"], "needs a value: NAME, but `--stream` follows",
        "write `--persona=--stream`"
      ),
      (["run", "-p", "--input=x"], "but `--input=x` follows", "write `-p=--input=x`"),
      (["run", "-p", "--", "x"], "but `--` follows", ""),
      (["run", "--persona="], "the value of `--persona` is empty", ""),
      (["run", "-p", "a", "--input", " \n"], "the value of `--input` is empty", ""),
      (["run", "-p", "a", ""], "argument 1 of `rasa run` is empty", ""),
      (["run", "--premium=yes"], "`--premium` takes no value", ""),
      (["run", "--stream=false"], "`--stream` takes no value", "`--no-stream`"),
      (["run", "--json=1"], "`--json` takes no value", ""),
      (
        ["run", "--profile", "fast"], "`--profile` cannot be `fast`",
        "it takes speed, balanced, thinking or expert"
      ),
      (["run", "--profile", "sped"], "cannot be `sped`", "did you mean `speed`?"),
      (["run", "--approval", "ASK"], "cannot be `ASK`", "did you mean `ask`?"),
      (["run", "--max-cost", "-1"], "amount in US dollars, not `-1`", "`--max-cost 0.05`"),
      (["run", "--max-cost", "cheap"], "amount in US dollars, not `cheap`", ""),
      (["run", "--max-cost", "99999999999999999999"], "amount in US dollars", ""),
      (["sessions", "list", "--limit", "0"], "from 1 to 100000, not `0`", ""),
      (["sessions", "list", "--limit", "9999999999999999999999"], "whole number", ""),
      (["sessions", "list", "--limit", "ten"], "whole number", "`rasa help sessions list`"),
      (["completions", "bsh"], "SHELL cannot be `bsh`", "did you mean `bash`?"),
      // Preferences.
      (["run", "--preferences", "low"], "takes key=value, not `low`", "risk_tolerance=low"),
      (["run", "--preferences", "=low"], "takes key=value, not `=low`", ""),
      (["run", "--preferences", " = "], "takes key=value", ""),
      // Ages and assignments.
      (["runs", "prune", "--older-than", "30"], "length of time, not `30`", "`--older-than 30d`"),
      (["runs", "prune", "--older-than", "-1d"], "length of time, not `-1d`", ""),
      (["runs", "prune", "--older-than", "99999999999999999d"], "length of time", ""),
      (["runs", "fork", "r", "--set", "verdict"], "takes key=value", "critique.verdict=pass"),
      (["runs", "fork", "r", "--set", "a..b=1"], "takes key=value", ""),
      (["runs", "fork", "r", "--at", "0"], "whole number from 1", ""),
      (["runs", "list", "--status", "dead"], "`--status` cannot be `dead`", "it takes running"),
      (["approvals", "edit", "a", "--text", "x", "--file", "y"], "cannot be combined", ""),
      (["approvals", "feedback", "a"], "needs TEXT", ""),
      (["resume", "r", "--all"], "`--all` and RUN cannot be combined", ""),
      (["runs", "show", "r", "--json", "--mermaid"], "cannot be combined", ""),
      (["run", "--replay", "f", "hello"], "`--replay` and TEXT cannot be combined", ""),
      (["run", "--replay", "f", "--session", "s"], "`--replay` and `--session` cannot be", ""),
      (["run", "--replay", "f", "--model", "m"], "`--replay` and `--model` cannot be", ""),
      (
        ["run", "--replay", "f", "--max-cost", "1"], "`--replay` and `--max-cost` cannot be", ""
      ),
      (
        ["run", "--replay", "f", "--preferences", "a=b"],
        "`--replay` and `--preferences` cannot be", ""
      ),
      // What is missing, what is too much, what does not go together.
      (
        ["memory", "add", "hello"], "`rasa memory add` needs `--persona NAME`",
        "`rasa personas list`"
      ),
      (["personas", "show"], "`rasa personas show` needs NAME", "show strategic_stock_analyst"),
      (["memory", "search"], "needs QUERY", ""),
      (["memory", "add", "-p", "a"], "needs TEXT", ""),
      (["memory", "forget"], "needs ID, `--all`, `--run` or `--user`", ""),
      (["memory", "forget", "1", "--all"], "ID and `--all` cannot be combined", ""),
      (
        ["memory", "forget", "1", "-p", "a"], "`--persona` requires `--all`", ""
      ),
      (["doctor", "now"], "unexpected argument `now`", "`rasa help doctor`"),
      (["personas", "show", "a", "b"], "unexpected argument `b`", "quote an argument"),
      (["run", "-p", "a", "-p", "b"], "`--persona` is given twice, as `a` and as `b`", ""),
      (
        ["run", "-p", "a", "--json", "--output-format", "text"],
        "`--output-format` is given twice, as `json` and as `text`", ""
      ),
      (["run", "-p", "a", "--input", "x", "y"], "`--input` and TEXT cannot be combined", ""),
      (["run", "-p", "a", "-v", "-q"], "`--verbose` and `--quiet` cannot be combined", ""),
      (["run", "-p", "a", "--mode", "remote"], "cannot be `remote`", "local, direct or api"),
      // What a message shows is printable and short.
      (["run", "--a\u{1b}[31m"], "no option `--a [31m`", ""),
      (["\u{202e}nur\n"], "no command ` nur `", ""),
      ([String(repeating: "x", count: 1_000)], "`\(String(repeating: "x", count: 60))…`", ""),
    ] as [([String], String, String)])
  func saysWhatIsWrongAndWhatToDo(words: [String], message: String, suggestion: String) throws {
    let failure = try #require(throws: Failure.self) { try CommandLineInterface.parse(words) }
    #expect(failure.kind == .usage)
    #expect(failure.exitCode == 2)
    #expect(failure.message.contains(message), "\(failure)")
    #expect(failure.suggestion.contains(suggestion), "\(failure)")
    #expect(failure.suggestion.contains("rasa help"), "\(failure)")
    #expect(!failure.message.contains("\n"))
  }

  @Test(
    arguments: ["rasa", "run", "-", "--", "---", "-=", "--=", "=", "-p", "--persona=", "-h=", "-5"])
  func everyWordAnywhereIsReadOrRefused(word: String) {
    let commands = [
      [], ["run"], ["run", "-p", "a"], ["memory", "forget"], ["help"], ["personas"],
    ]
    for command in commands {
      for words in [[word] + command, command + [word], command + [word, word]] {
        do throws(Failure) {
          _ = try CommandLineInterface.parse(words)
        } catch {
          #expect(error.kind == .usage)
        }
      }
    }
  }
}

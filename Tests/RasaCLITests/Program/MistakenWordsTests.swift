import RasaCLI
import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// What people type by mistake leads on: one error, with a command that works as it stands, and
/// nothing that costs money is run by guess.
@Suite("Words that people type by mistake") struct MistakenWordsTests {
  /// What was typed, and what of the error says what to type.
  typealias Row = (words: [String], says: [String])

  @Test(
    "lead on by themselves",
    arguments: [
      // A question where a command is wanted.
      (["Is Nvidia a buy?"], ["`rasa run --auto \"Is Nvidia a buy?\"`", "-p NAME"]),
      (["Is", "Nvidia", "a", "buy"], ["`rasa run --auto \"Is Nvidia a buy\"`"]),
      (["buy?"], ["`rasa run --auto \"buy?\"`"]),
      (["Is it?", "-p", "ssa"], ["`rasa run \"Is it?\" -p ssa`"]),
      (["It's $5, isn't it?"], [#"`rasa run --auto 'It'\''s $5, isn'\''t it?'`"#]),
      (["ask", "Is it?"], ["`rasa run --auto \"Is it?\"`"]),
      (
        ["strategic_stock_analyst", "Is it?"], ["`rasa run -p strategic_stock_analyst \"Is it?\"`"]
      ),
      (["code-reviewer"], ["`rasa run -p code-reviewer"]),
      // Commands of other programs, or of another place.
      (["list"], ["`rasa personas list`", "`rasa agents list`", "`rasa models list`"]),
      (["ls"], ["`rasa personas list`", "`rasa runs list`"]),
      (["models", "ls"], ["`rasa models list`"]), (["agents", "ls"], ["`rasa agents list`"]),
      (["show", "r0123"], ["`rasa runs show`", "`rasa personas show`"]),
      (["recommend", "x"], ["`rasa agents recommend`"]),
      (["cancel", "r1"], ["`rasa runs cancel`"]),
      (["approve", "a1"], ["`rasa approvals approve`"]),
      (["search", "x"], ["`rasa agents search`"]),
      (["budget"], ["`rasa agents budget`"]), (["history"], ["`rasa runs list`"]),
      (["config"], ["`rasa llm info`"]), (["login"], ["OPENAI_API_KEY", "`rasa llm info`"]),
      (["create"], ["`rasa init --name NAME`", "`rasa agents create ID`"]),
      (
        ["agents", "run", "code-reviewer", "see here"],
        ["`rasa run --agent code-reviewer \"see here\"`"]
      ),
      (["agents", "new", "x"], ["`rasa agents create`"]),
      (["agents", "rm", "x"], ["delete its file"]),
      (
        ["agents", "code-reviewer"], ["its commands are list", "`rasa agents info code-reviewer`"]
      ),
      (["personas", "run", "ssa", "what?"], ["`rasa run -p ssa \"what?\"`"]),
      (["personas", "new"], ["`rasa init --name NAME`"]),
      (["personas", "get", "x"], ["`rasa personas show`"]),
      (["personas", "strategic_stock_analyst"], ["`rasa personas show strategic_stock_analyst`"]),
      (["runs", "r0123"], ["`rasa runs show r0123`"]), (["runs", "resume"], ["`rasa resume RUN`"]),
      (["runs", "rm", "r1"], ["`rasa runs delete`"]),
      (["memory", "rm", "1"], ["`rasa memory forget`"]),
      (["sessions", "resume"], ["`rasa chat -p NAME --session ID`"]),
      (["operators", "new"], ["`rasa init --name NAME`"]),
      (["help", "nonsense"], ["`rasa` has no command `nonsense`", "its commands are run"]),
      (["help", "agents", "ls"], ["`rasa agents list`"]),
      (["persona", "list"], ["did you mean `rasa personas`?"]),
      // Options.
      (["run", "hello", "-p"], ["`-p` needs a value", "`rasa personas list`"]),
      (["run", "-p", "a", "--modle", "x", "hi"], ["did you mean `--model`?"]),
      (["run", "-p", "a", "--system", "Be nice.", "hi"], ["`rasa agents create ID`"]),
      (["run", "-p", "a", "--temperature", "0", "hi"], ["`temperature:`", "operator"]),
      (["run", "-p", "a", "--max-tokens", "9", "hi"], ["`max_tokens:`", "`--max-cost`"]),
      (["run", "-p", "a", "--prompt", "hi"], ["`--input TEXT`"]),
      (["run", "-p", "a", "--file", "x"], ["`--input - < FILE`"]),
      (["run", "-p", "a", "-m", "gpt-4o", "hi"], ["`--model [ENGINE:]MODEL`"]),
      (["run", "-p", "a", "--timeout", "9", "hi"], ["`--max-seconds N`"]),
      (["run", "-p", "a", "-o", "x", "hi"], ["`--output-format FORMAT`"]),
      (["chat", "-p", "a", "--temperature", "0"], ["`temperature:`"]),
      (["chat", "-p", "a", "--prompt", "x"], ["`rasa help chat`"]),
      (["run", "--replay", "f", "--model", "x"], ["`--replay` and `--model` cannot be combined"]),
      (["run", "--replay", "f", "--session", "x"], ["`--replay` and `--session`"]),
      (["run", "--replay", "f", "--preferences", "a=b"], ["`--replay` and `--preferences`"]),
      (["run", "--replay", "f", "--max-cost", "1"], ["takes everything from the recording"]),
      // Too much.
      (["chat", "-p", "a", "hello", "there"], ["`rasa run -p NAME \"hello there\"`"]),
      (["init", "my_helper"], ["`rasa init --name my_helper`"]),
      (["costs", "ssa"], ["`rasa costs --persona ssa`"]),
    ] as [Row])
  func parsed(row: Row) throws {
    let failure = try #require(throws: Failure.self) {
      try CommandLineInterface.parse(row.words)
    }
    #expect(failure.exitCode == 2)
    for part in row.says {
      #expect("\(failure.message) → \(failure.suggestion)".contains(part), "\(failure)")
    }
  }

  @Test(
    "suggest what exists",
    arguments: [
      (
        ["run", "Is it?"],
        [
          "no persona or agent", "`rasa run -p contract_reviewer \"Is it?\"`",
          "`rasa run --auto \"Is it?\"`", "incident_responder", "`rasa agents list`",
        ]
      ),
      (["run"], ["`rasa run -p contract_reviewer \"…\"`"]),
      (["chat"], ["no persona or agent", "`rasa chat -p contract_reviewer`"]),
      (
        ["run", "--agent", "strategic_stock_analyst", "hi"],
        ["that is a persona", "`--persona strategic_stock_analyst`"]
      ),
      (["run", "--agent", "contracts", "hi"], ["`--persona contracts`"]),
      (
        ["agents", "info", "strategic_stock_analyst"],
        ["`rasa personas show strategic_stock_analyst`"]
      ),
      (["run", "-p", "code-reviewr", "hi"], ["did you mean the agent `code-reviewer`?"]),
      (["run", "-p", "./contract_reviewer.yaml", "hi"], ["write `contract_reviewer`"]),
      (["run", "-p", "my.yaml", "hi"], ["check the path", "`rasa personas list`"]),
      (["operators", "show", "contract_reviewer"], ["`rasa personas show contract_reviewer`"]),
      (["run", "--replay", "contract_reviewer"], ["cannot read contract_reviewer"]),
    ] as [Row])
  func answered(row: Row) async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.shell(
      "\"$RASA\" " + row.words.map { "'\($0)'" }.joined(separator: " ") + " < /dev/null")
    #expect(run.exitCode != 0 && run.text.isEmpty, "\(run.text)")
    for part in row.says { #expect(run.errorText.contains(part), "\(run.errorText)") }
    // Nothing was asked.
    #expect(try await rasa.run("runs", "list", "--json").text == "[]\n")
  }

  @Test(
    "a fork takes no value that its operator could not have written",
    arguments: [
      ("critique.verdict=accept", "`critic_agent` writes `pass`, `revise` or `escalate` there"),
      ("critique.verdct=pass", "did you mean `verdict`?"),
      ("constraints.goals=x", "did you mean `goal`?"),
    ])
  func fork(_ row: (set: String, says: String)) async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run("run", "-p", "strategic_stock_analyst", "x", "--json")
    let id = try #require(try JSON.parse(run.text)["run"].string)
    let fork = try await rasa.run("runs", "fork", id, "--set", row.set)
    #expect(fork.exitCode == 2 && fork.errorText.contains(row.says), "\(fork.errorText)")
    let right = try await rasa.run("runs", "fork", id, "--set", "critique.verdict=pass")
    #expect(right.exitCode == 0, "\(right.errorText)")
  }

  @Test("an agent named with `-p` runs if there is no persona of that name")
  func agentAsPersona() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run("run", "-p", "code-reviewer", "x = 1")
    #expect(run.exitCode == 0 && !run.text.isEmpty, "\(run.errorText)")
  }

  @Test("flags without values can share a hyphen")
  func sharedHyphen() throws {
    guard case .run(let command) = try CommandLineInterface.parse(["agents", "list", "-w"]) else {
      return
    }
    #expect(command.flag("watch"))
    let both = try CommandLineInterface.parse(["agents", "budget", "x", "--reset", "-y"])
    guard case .run(let reset) = both else { return }
    #expect(reset.flag("yes"))
    let failure = #expect(throws: Failure.self) {
      try CommandLineInterface.parse(["run", "-p", "a", "-qv"])
    }
    #expect(failure?.message == "`--verbose` and `--quiet` cannot be combined")
  }
}

import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

/// The shipped personas that use tools, as their files and pages say.
@Suite("Shipped personas with tools", .timeLimit(.minutes(3))) struct ShippedPersonaTests {
  @Test("the analyst looks up what it writes about in the example's data, without a key")
  func analyst() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.shell(
      """
      python3 '\(Repository.path("Examples/market-data/server.py"))' --port 0 >address 2>log & server=$!
      trap 'kill $server' EXIT
      until [ -s address ]; do kill -0 $server || exit 1; done
      address=$(cat address)
      mkdir -p personas
      sed "s/8750/${address##*:}/g" '\(Repository.path("personas/strategic_stock_analyst_tools.yaml"))' \
        >personas/strategic_stock_analyst_tools.yaml
      $RASA run -p strategic_stock_analyst_tools "Is Brightwater Semiconductor a buy?" --json
      """)
    #expect(run.exitCode == 0, "\(run.errorText)")
    let document = try JSON.parse(run.output)
    #expect(document["status"] == "done" && document["mock"] == true)
    let shown = try await rasa.run("runs", "show", document["run"].string ?? "")
    for tool in ["find_symbols", "quote", "price_history", "fundamentals", "company_news"] {
      #expect(shown.text.contains("tool:\(tool)"), "\(tool): \(shown.text)")
    }
    #expect(shown.text.contains("BRGT"))
  }

  @Test(
    "the steward looks by itself, and commits what a person approves in the sandbox of its server")
  func steward() async throws {
    let calls = [
      ScriptedCall(id: "1", name: "git_git_status", arguments: ["repo_path": "."]),
      ScriptedCall(
        id: "2", name: "git_git_add", arguments: ["repo_path": ".", "files": ["a.txt"]]),
      ScriptedCall(
        id: "3", name: "git_git_commit",
        arguments: ["repo_path": ".", "message": "Greet twice"]),
    ]
    let provider = try ScriptedProvider.start(
      calls.map { Script.calls([$0]).once() } + [.text("Committed.")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    // No sandbox may have rasa's own folder, and what is around it.
    rasa.environment["RASA_HOME"] = rasa.home.file("rasa")
    rasa.environment["PATH"] =
      "\(Repository.path(".build/mcp-servers/current/bin")):/usr/bin:/bin"
    // Whose commits they are stands in the user's own configuration of git.
    try rasa.home.write("[user]\nname = Ada\nemail = ada@example.com\n", to: ".gitconfig")
    let made = try await rasa.shell(
      """
      set -eu
      mkdir work && cd work && git init -q . && echo hello >a.txt && git add . && git commit -q -m 'Add a greeting'
      echo more >>a.txt
      """)
    #expect(made.exitCode == 0, "\(made.errorText)")
    func run(_ arguments: String...) async throws -> ProgramRun {
      try await ProgramRun.run(
        RasaProgram.binary, arguments, environment: rasa.environment,
        folder: rasa.home.file("work"))
    }
    let approved = try await run("tools", "approve", "git", "-p", "repository_steward", "--yes")
    #expect(approved.exitCode == 0, "\(approved.errorText)")
    let asked = try await run("run", "-p", "repository_steward", "Commit what I have changed.")
    #expect(asked.exitCode == 7 && asked.output.isEmpty, "\(asked.errorText)")
    // One for what is staged, one for the commit.
    var last = asked
    for _ in 0..<2 {
      let open = try JSON.parse(try await run("approvals", "list", "--json").output).array ?? []
      #expect(open.count == 1, "\(last.errorText)")
      last = try await run("approvals", "approve", open.first?["approval"].string ?? "")
    }
    #expect(last.exitCode == 0 && last.text == "Committed.\n", "\(last.errorText)")
    let log = try await rasa.shell("cd work && git log -1 --format='%an: %s' && git status --short")
    #expect(log.text == "Ada: Greet twice\n")
  }

  @Test("without anybody to ask, the steward changes nothing, and its reader learns that")
  func stewardAlone() async throws {
    let call = ScriptedCall(
      id: "1", name: "git_git_add", arguments: ["repo_path": ".", "files": ["a.txt"]])
    let provider = try ScriptedProvider.start(
      [Script.calls([call]).once(), .text("Staged.")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    // No sandbox may have rasa's own folder, and what is around it.
    rasa.environment["RASA_HOME"] = rasa.home.file("rasa")
    rasa.environment["PATH"] =
      "\(Repository.path(".build/mcp-servers/current/bin")):/usr/bin:/bin"
    let made = try await rasa.shell("mkdir work && cd work && git init -q . && echo hello >a.txt")
    #expect(made.exitCode == 0, "\(made.errorText)")
    let run = try await rasa.shell(
      """
      cd work && $RASA tools approve git -p repository_steward --yes >/dev/null
      $RASA run -p repository_steward "Stage it." --approval deny --json && git status --short
      """)
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(run.text.hasSuffix("?? a.txt\n"), "\(run.text)")
    #expect(run.text.contains(#""kind": "refused""#) && run.text.contains("mcp:git/git_add"))
    #expect(run.errorText.contains("may not use `mcp:git/git_add`"), "\(run.errorText)")
  }
}

import Glibc
import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// Hooks and skills of the program, with real programs in the sandbox.
@Suite("rasa: hooks and skills")
struct HookProgramTests {
  private static func rasa(
    _ provider: ScriptedProvider, _ script: String, at point: String, more: String = ""
  ) async throws -> RasaProgram {
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle("hooks:\n  \(point): {run: [sh, guard.sh], name: guard\(more)}\n")
    try rasa.home.write(script, to: "personas/guard.sh")
    return rasa
  }

  @Test(
    "a program changes the answer; it is shown whole, recorded, and replayed without the program")
  func change() async throws {
    let provider = try ScriptedProvider.start([.text("an answer")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let rasa = try await Self.rasa(
      provider,
      "cat > /dev/null; echo '{\"change\": {\"output\": \"another answer\"}}'", at: "before_output")
    let run = try await rasa.run("run", "-p", "single", "Well?", "--record", "r.json")
    #expect(run.exitCode == 0 && run.text == "another answer\n", "\(run.text)\(run.errorText)")
    #expect(run.errorText.contains("the hook `guard` changed `output` of the answer"))
    let shown = try await rasa.run("runs", "show", try await rasa.latestRun())
    #expect(shown.text.contains("hook guard at before_output"), "\(shown.text)")
    try rasa.home.write("exit 1", to: "personas/guard.sh")
    let replayed = try await rasa.run("run", "--replay", "r.json")
    #expect(replayed.exitCode == 0 && replayed.text == "another answer\n", "\(replayed.errorText)")
    let checked = try await rasa.run("personas", "validate", "single")
    #expect(checked.exitCode == 0 && checked.text.contains("is shown when it is complete"))
  }

  @Test("the answer is shown once the program has seen it, and not only when facts are kept")
  func before() async throws {
    let isExtraction: @Sendable (ReceivedRequest) -> Bool = {
      $0.messages.contains { $0.contains("List what will still be worth knowing") }
    }
    let provider = try ScriptedProvider.start(
      [
        Script.text(#"{"facts": []}"#).with {
          $0.matches = isExtraction
          $0.headersDelay = .seconds(50)
        }, .text("an answer"),
      ], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      """
      name: single
      description: d
      frames: [session_frame, long_term_frame]
      operators: []
      memory: {extract: {model: "openai:gpt-4o-mini", max_cost: 0.05}}
      hooks:
        before_output: {run: [sh, guard.sh], name: guard}

      """, to: "personas/single.yaml")
    try rasa.home.write(
      "cat > /dev/null; echo '{\"change\": {\"output\": \"another answer\"}}'",
      to: "personas/guard.sh")
    let program = try RunningProgram(
      RasaProgram.binary, ["run", "-p", "single", "I moved to Oslo."],
      environment: rasa.environment, folder: rasa.home.path, atLimit: .kill)
    try await provider.invoice.wait(for: "the extraction") {
      $0.requests.contains(where: isExtraction)
    }
    program.signal(SIGKILL)
    let killed = try await program.finish()
    #expect(killed.text.contains("another answer"), "\(killed.text)\(killed.errorText)")
  }

  @Test("a program refuses a call before it is made: exit code 7, for people and for programs")
  func refusal() async throws {
    let provider = try ScriptedProvider.start([.text("an answer")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let rasa = try await Self.rasa(
      provider, "cat > /dev/null; echo '{\"refuse\": \"not on Sundays\"}'", at: "before_model")
    let run = try await rasa.run("run", "-p", "single", "Well?")
    #expect(run.exitCode == 7 && run.text.isEmpty)
    #expect(
      run.errorText.contains("the hook `guard` refused a call to a model: not on Sundays"),
      "\(run.errorText)")
    let json = try await rasa.run("run", "-p", "single", "Well?", "--json")
    let error = try JSON.parse(json.output)["error"]
    #expect(error["kind"] == "approval" && error["exit_code"] == 7 && error["reason"] == "hook")
    let resumed = try await rasa.run("resume", try await rasa.latestRun())
    #expect(resumed.exitCode == 7, "\(resumed.errorText)")
  }

  @Test("a program that fails stops the run, until it is mended")
  func failure() async throws {
    let provider = try ScriptedProvider.start([.text("an answer")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let rasa = try await Self.rasa(provider, "echo broken >&2; exit 3", at: "before_model")
    let run = try await rasa.run("run", "-p", "single", "Well?")
    #expect(run.exitCode == 1 && run.errorText.contains("it ended with exit code 3"))
    #expect(run.errorText.contains("broken"), "\(run.errorText)")
    try rasa.home.write("echo '{}'", to: "personas/guard.sh")
    let resumed = try await rasa.run("resume", try await rasa.latestRun())
    #expect(resumed.exitCode == 0 && resumed.text == "an answer\n", "\(resumed.errorText)")
  }

  @Test("a program has no network and no keys, and cannot read the user's other files")
  func sandbox() async throws {
    let provider = try ScriptedProvider.start([.text("an answer")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let rasa = try await Self.rasa(
      provider,
      """
      cat > /dev/null
      [ -e "$HOME/secret.txt" ] && { echo '{"refuse": "it reads files"}'; exit; }
      [ -n "$OPENAI_API_KEY" ] && { echo '{"refuse": "it has keys"}'; exit; }
      echo '{}'
      """, at: "before_model")
    try rasa.home.write("secret", to: "secret.txt")
    let run = try await rasa.run("run", "-p", "single", "Well?")
    #expect(run.exitCode == 0, "\(run.errorText)")
  }

  @Test("a project's hooks run only once it is trusted")
  func trust() async throws {
    let provider = try ScriptedProvider.start([.text("an answer")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    rasa.environment["RASA_HOME"] = rasa.home.file("own")
    try rasa.home.write(
      "name: helper\ndescription: d\nframes: [session_frame]\noperators: []\nhooks:\n  run_start: {run: [sh, mark.sh]}\n",
      to: "personas/helper.yaml")
    try rasa.home.write("echo '{\"refuse\": \"ran\"}'", to: "personas/mark.sh")
    let refused = try await rasa.run("run", "-p", "helper", "Well?")
    #expect(
      refused.exitCode == 3
        && refused.errorText.contains("runs programs as hooks: sh at run_start"),
      "\(refused.errorText)")
    let trusted = try await rasa.run("run", "-p", "helper", "Well?", "--trust")
    #expect(trusted.exitCode == 7 && trusted.errorText.contains(": ran"), "\(trusted.errorText)")
    #expect(try await rasa.run("trust", "add").exitCode == 0)
    #expect(try await rasa.run("run", "-p", "helper", "Well?").exitCode == 7)
    try rasa.home.write("echo '{}'", to: "personas/mark.sh")
    let changed = try await rasa.run("run", "-p", "helper", "Well?")
    #expect(
      changed.exitCode == 3 && changed.errorText.contains("personas/mark.sh"),
      "\(changed.errorText)")
  }

  @Test("a project's skills are left out until it is trusted; its AGENTS.md is shown and said")
  func skills() async throws {
    let provider = try ScriptedProvider.start(
      [.text("one"), .text("two")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    rasa.environment["RASA_HOME"] = rasa.home.file("own")
    try rasa.home.write(
      "name: helper\ndescription: d\nframes: [session_frame]\noperators: []\nskills: all\ncontext: project\n",
      to: "personas/helper.yaml")
    try rasa.home.write(
      "---\nname: release-notes\ndescription: Writes release notes.\n---\nGroup them.\n",
      to: "skills/release-notes/SKILL.md")
    try rasa.home.write("Use tabs.\n", to: "AGENTS.md")
    let first = try await rasa.run("run", "-p", "helper", "Well?")
    #expect(first.exitCode == 0, "\(first.errorText)")
    #expect(
      first.errorText.contains("`release-notes` of this project are left out"), "\(first.errorText)"
    )
    #expect(first.errorText.contains("AGENTS.md (10 bytes)"), "\(first.errorText)")
    #expect(
      try await rasa.run("trust", "add").text.contains("offers models the skill `release-notes`"))
    let second = try await rasa.run("run", "-p", "helper", "Well?")
    #expect(second.exitCode == 0 && !second.errorText.contains("left out"), "\(second.errorText)")
    let bodies = provider.invoice.requests.filter { $0.method == "POST" }.map {
      String(decoding: $0.body, as: UTF8.self)
    }
    #expect(bodies.count == 2)
    #expect(bodies.first?.contains("release-notes") == false)
    #expect(bodies.last?.contains("- release-notes: Writes release notes.") == true)
    #expect(bodies.last?.contains("load_skill") == true)
    #expect(bodies.allSatisfy { $0.contains("Use tabs.") })
    let listed = try await rasa.run("skills", "list")
    #expect(listed.text.contains("release-notes"))
  }
}

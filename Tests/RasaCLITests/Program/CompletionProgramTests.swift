import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

/// Completion scripts in the shells that they are for, with the program behind them.
@Suite("Completions in a shell") struct CompletionProgramTests {
  /// What is typed, with the cursor at its end; some of what is offered, and what is not.
  struct Typed: Sendable, CustomTestStringConvertible {
    var line: String
    var offers: [String]
    var not: [String] = []
    var testDescription: String { line }
  }

  private static let lines: [Typed] = [
    Typed(line: "rasa run -p ", offers: ["contract_reviewer", "contracts", "own_persona"]),
    Typed(line: "rasa run --persona own", offers: ["own_persona"], not: ["contracts"]),
    Typed(line: "rasa chat --agent code-r", offers: ["code-reviewer"], not: ["code-explainer"]),
    Typed(line: "rasa personas show own", offers: ["own_persona"]),
    Typed(line: "rasa operators show cri", offers: ["critic_agent"]),
    Typed(line: "rasa agents info own", offers: ["own-agent"]),
    Typed(line: "rasa agents validate ./no", offers: ["./notes.md"]),
    Typed(line: "rasa run --replay no", offers: ["notes.md"]),
    Typed(line: "rasa run --model mo", offers: ["mock"]),
    Typed(line: "rasa runs show ", offers: ["RUN"]),
    Typed(line: "rasa runs compare RUN ", offers: ["RUN"]),
    Typed(line: "rasa run --session tr", offers: ["travel"]),
    Typed(line: "rasa sessions delete tr", offers: ["travel"]),
    Typed(line: "rasa approvals approve ", offers: ["QUESTION"]),
    Typed(line: "rasa agents budget ever", offers: ["everyone"]),
    Typed(line: "rasa models list --provider op", offers: ["openai"]),
    Typed(line: "rasa help agents se", offers: ["search"]),
    Typed(line: "rasa run --output-format s", offers: ["stream-json"]),
  ]

  /// A home with a run, a conversation and a question in it.
  private func setting() async throws -> (rasa: RasaProgram, names: [(String, String)]) {
    var rasa = try RasaProgram()
    rasa.environment["OPENAI_API_KEY"] = "sk-made-up"
    let persona = "description: Mine.\nframes: [session_frame]\n"
    try rasa.home.write(
      "name: own_persona\n\(persona)operators: [hitl]\n", to: "personas/own_persona.yaml")
    try rasa.home.write(
      "---\nname: own-agent\ndescription: Mine.\n---\nAnswer.\n", to: "agents/own-agent.md")
    try rasa.home.write("notes", to: "notes.md")
    try FileSystem.write(
      "#!/bin/sh\nexec '\(RasaProgram.binary)' \"$@\"\n", to: rasa.home.file("rasa"), mode: 0o755)
    rasa.environment["PATH"] = "\(rasa.home.path):/usr/bin:/bin"
    _ = try await rasa.run(
      "run", "-p", "own_persona", "--session", "travel", "--approval", "defer", "a 'quoted'\ttext")
    let pending = try JSON.parse(try await rasa.run("approvals", "list", "--json").output)
    let one = pending.array?.first ?? .null
    return (
      rasa,
      [("RUN", one["run"].string ?? "?"), ("QUESTION", one["approval"].string ?? "?")]
    )
  }

  private func offers(_ typed: Typed, as output: String, _ names: [(String, String)]) {
    let offered = output.split(separator: "\n").map { line in
      String(line.split(separator: "\t")[0])
    }
    for word in typed.offers {
      let word = names.first { $0.0 == word }?.1 ?? word
      #expect(offered.contains(word), "\(typed.line): \(output)")
    }
    for word in typed.not { #expect(!offered.contains(word), "\(typed.line): \(output)") }
  }

  private func filled(_ line: String, _ names: [(String, String)]) -> String {
    names.reduce(line) { $0.replacing($1.0, with: $1.1) }
  }

  @Test("bash", .enabled(if: has("bash")))
  func bash() async throws {
    let (rasa, names) = try await setting()
    for typed in Self.lines {
      let line = filled(typed.line, names)
      let run = try await rasa.shell(
        """
        exec bash -uc 'source <("$RASA" completions bash); line="$1"
        read -ra COMP_WORDS <<< "$line"; [[ $line == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _rasa; printf "%s\\n" "${COMPREPLY[@]}"' - '\(line)'
        """)
      #expect(run.exitCode == 0 && run.errorText.isEmpty, "\(line): \(run.errorText)")
      offers(typed, as: run.text, names)
    }
  }

  @Test(
    "bash cuts words at colons, and gets back what stands behind them", .enabled(if: has("bash")))
  func colons() async throws {
    let (rasa, _) = try await setting()
    let run = try await rasa.shell(
      """
      exec bash -uc 'source <("$RASA" completions bash); COMP_WORDBREAKS=":="
      COMP_WORDS=(rasa run --model openai : gpt-4o-mi); COMP_CWORD=5; _rasa
      printf "%s\\n" "${COMPREPLY[@]}"'
      """)
    #expect(run.text.split(separator: "\n").contains("gpt-4o-mini"), "\(run.text)\(run.errorText)")
  }

  @Test("fish, with what each means", .enabled(if: has("fish")))
  func fish() async throws {
    let (rasa, names) = try await setting()
    _ = try await rasa.shell("\"$RASA\" completions fish > rasa.fish")
    for typed in Self.lines {
      let line = filled(typed.line, names)
      let run = try await rasa.shell("exec fish -N -c 'source rasa.fish; complete -C \"\(line)\"'")
      #expect(run.errorText.isEmpty, "\(line): \(run.errorText)")
      offers(typed, as: run.text, names)
    }
    let status = try await rasa.shell(
      "exec fish -N -c 'source rasa.fish; complete -C \"rasa runs list --status \"'")
    #expect(status.text.contains("cancelled\tit was cancelled\n"), "\(status.text)")
    let runs = try await rasa.shell(
      "exec fish -N -c 'source rasa.fish; complete -C \"rasa runs show \"'")
    #expect(runs.text.contains("parked · a 'quoted' text"), "\(runs.text)")
  }

  @Test("zsh, in a terminal", .enabled(if: has("zsh")))
  func zsh() async throws {
    let (rasa, _) = try await setting()
    _ = try await rasa.shell("mkdir f && \"$RASA\" completions zsh > f/_rasa")
    var environment = rasa.environment
    environment["TERM"] = "dumb"
    environment["ZDOTDIR"] = rasa.home.file("nowhere")
    let zsh = try TerminalSession(
      "/usr/bin/zsh", ["-f", "-i"], environment: environment, folder: rasa.home.path)
    zsh.send(
      "PS1='> '; fpath=($PWD/f $fpath); autoload -U compinit; compinit -u -D; LISTMAX=1000; "
        + "echo rea''dy\r")
    try await zsh.expect("ready")
    for (line, offer) in [
      ("rasa run -p own", "own_persona"), ("rasa runs list --status ", "it was cancelled"),
      ("rasa help agents ", "Recommend agents"), ("rasa run --model=mo", "--model=mock"),
      ("rasa agents validate ./no", "./notes.md"),
    ] {
      zsh.send("\(line)\t")
      try await zsh.expect(offer)
      // Not Ctrl-C, which would take what is typed next along.
      zsh.send("\u{15}")
    }
    zsh.send("exit\r")
    _ = try await zsh.waitForExit()
  }

  @Test("names come without a word where something is wrong, and nothing is written")
  func silent() async throws {
    let rasa = try RasaProgram()
    for kind in ["runs", "sessions", "approvals", "nonsense", ""] {
      let run = try await rasa.run("__names", kind)
      #expect(
        run.exitCode == 0 && run.text.isEmpty && run.errorText.isEmpty, "\(kind): \(run.errorText)")
    }
    #expect(FileSystem.kind(of: rasa.home.file("rasa.db")) == nil)
    try rasa.home.write("a: [", to: "config.yaml")
    try rasa.home.write("name: broken\nframes: 7\n", to: "personas/broken.yaml")
    let models = try await rasa.run("__names", "models")
    #expect(models.exitCode == 0 && models.errorText.isEmpty, "\(models.errorText)")
    let personas = try await rasa.run("__names", "personas", "bro")
    #expect(personas.text == "broken\t\n" && personas.errorText.isEmpty)
    // A folder that is not trusted is not asked about.
    try rasa.home.write(
      "name: respond\nkind: rule\nwrites: {draft: text}\nrules: []\n",
      to: "p/operators/respond.yaml")
    let inside = try await rasa.shell("cd p && \"$RASA\" __names operators respo")
    #expect(inside.text.hasPrefix("respond\t") && inside.errorText.isEmpty, "\(inside.errorText)")
  }
}

private func has(_ program: String) -> Bool {
  FileSystem.kind(of: "/usr/bin/\(program)") == .file
    || FileSystem.kind(of: "/bin/\(program)") == .file
}

import RasaSystem
import RasaTestKit
import Testing

/// Completion scripts in shells that not everybody has.
@Suite("Completions in fish and zsh") struct ShellCompletionTests {
  @Test("fish, with descriptions")
  func fish() async throws {
    let (rasa, names) = try await CompletionExample.setting()
    _ = try await rasa.shell("\"$RASA\" completions fish > rasa.fish")
    for typed in CompletionExample.lines {
      let line = typed.filled(names)
      let run = try await rasa.shell("exec fish -N -c 'source rasa.fish; complete -C \"\(line)\"'")
      #expect(run.errorText.isEmpty, "\(line): \(run.errorText)")
      #expect(typed.problems(in: run.text, names) == [], "\(line)")
    }
    let status = try await rasa.shell(
      "exec fish -N -c 'source rasa.fish; complete -C \"rasa runs list --status \"'")
    #expect(status.text.contains("cancelled\tit was cancelled\n"), "\(status.text)")
    let runs = try await rasa.shell(
      "exec fish -N -c 'source rasa.fish; complete -C \"rasa runs show \"'")
    #expect(runs.text.contains("parked · a 'quoted' text"), "\(runs.text)")
  }

  @Test("zsh, in a terminal")
  func zsh() async throws {
    let (rasa, _) = try await CompletionExample.setting()
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

  @Test("the shell accepts its script", arguments: ["fish", "zsh"])
  func isAccepted(shell: String) async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.shell("\"$RASA\" completions \(shell) > script && \(shell) -n script")
    #expect(run.exitCode == 0 && run.errorText.isEmpty, "\(run.errorText)")
  }
}

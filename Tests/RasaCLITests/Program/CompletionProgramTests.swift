import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

/// Completion scripts in the shells that they are for, with the program behind them.
@Suite("Completions in a shell") struct CompletionProgramTests {
  @Test("bash")
  func bash() async throws {
    let (rasa, names) = try await CompletionExample.setting()
    for typed in CompletionExample.lines {
      let line = typed.filled(names)
      let run = try await rasa.shell(
        """
        exec bash -uc 'source <("$RASA" completions bash); line="$1"
        read -ra COMP_WORDS <<< "$line"; [[ $line == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _rasa; printf "%s\\n" "${COMPREPLY[@]}"' - '\(line)'
        """)
      #expect(run.exitCode == 0 && run.errorText.isEmpty, "\(line): \(run.errorText)")
      #expect(typed.problems(in: run.text, names) == [], "\(line)")
    }
  }

  @Test("bash splits words at colons, and gets the part after them")
  func colons() async throws {
    let (rasa, _) = try await CompletionExample.setting()
    let run = try await rasa.shell(
      """
      exec bash -uc 'source <("$RASA" completions bash); COMP_WORDBREAKS=":="
      COMP_WORDS=(rasa run --model openai : gpt-4o-mi); COMP_CWORD=5; _rasa
      printf "%s\\n" "${COMPREPLY[@]}"'
      """)
    #expect(run.text.split(separator: "\n").contains("gpt-4o-mini"), "\(run.text)\(run.errorText)")
  }

  @Test("completions are silent about errors, and write nothing")
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

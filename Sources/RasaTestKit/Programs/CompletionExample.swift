import RasaCore
import RasaDocuments
import RasaSystem

/// A command line whose last word is being completed, with the cursor at its end.
package struct CompletionExample: Sendable {
  package var line: String
  /// Some of the expected completions.
  var offers: [String]
  /// Some words that must not be completed.
  var not: [String] = []

  package static let lines: [CompletionExample] = [
    Self(line: "rasa run -p ", offers: ["contract_reviewer", "contracts", "own_persona"]),
    Self(line: "rasa run --persona own", offers: ["own_persona"], not: ["contracts"]),
    Self(line: "rasa chat --agent code-r", offers: ["code-reviewer"], not: ["code-explainer"]),
    Self(line: "rasa personas show own", offers: ["own_persona"]),
    Self(line: "rasa operators show cri", offers: ["critic_agent"]),
    Self(line: "rasa agents info own", offers: ["own-agent"]),
    Self(line: "rasa agents validate ./no", offers: ["./notes.md"]),
    Self(line: "rasa run --replay no", offers: ["notes.md"]),
    Self(line: "rasa run --model mo", offers: ["mock"]),
    Self(line: "rasa runs show ", offers: ["RUN"]),
    Self(line: "rasa runs compare RUN ", offers: ["RUN"]),
    Self(line: "rasa run --session tr", offers: ["travel"]),
    Self(line: "rasa sessions delete tr", offers: ["travel"]),
    Self(line: "rasa approvals approve ", offers: ["QUESTION"]),
    Self(line: "rasa agents budget ever", offers: ["everyone"]),
    Self(line: "rasa models list --provider op", offers: ["openai"]),
    Self(line: "rasa help agents se", offers: ["search"]),
    Self(line: "rasa run --output-format s", offers: ["stream-json"]),
  ]

  /// A home with a run, a conversation and a question, and the values of `RUN` and `QUESTION` in
  /// the lines.
  package static func setting() async throws -> (rasa: RasaProgram, names: [(String, String)]) {
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

  /// The line with its placeholders replaced.
  package func filled(_ names: [(String, String)]) -> String {
    names.reduce(line) { $0.replacing($1.0, with: $1.1) }
  }

  /// The expected completions that are missing and the unexpected ones that appear in a shell's
  /// output, which has one completion per line, followed by a tab and its description.
  package func problems(in output: String, _ names: [(String, String)]) -> [String] {
    let offered = output.split(separator: "\n").map { line in
      String(line.split(separator: "\t")[0])
    }
    let wanted = offers.map { word in names.first { $0.0 == word }?.1 ?? word }
    return wanted.filter { !offered.contains($0) }.map { "`\($0)` is missing: \(output)" }
      + not.filter(offered.contains).map { "`\($0)` is offered: \(output)" }
  }
}

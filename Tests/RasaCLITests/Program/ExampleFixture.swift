import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit

/// A made-up project in which every example of the help and of the documentation can be run: with a
/// scripted provider, files of the names that examples use, and runs, questions, memories and a
/// conversation from before.
final class ExampleFixture: Sendable {
  let base: ScratchDirectory
  let provider: ScriptedProvider
  /// What stands for the made-up names in the examples.
  let names: Names

  struct Names: Sendable {
    var done: [String] = []
    var waiting = ""
    var answered = ""
    var review = ""
    var textQuestion = ""
    var formQuestion = ""
    var memories: [String] = []
  }

  /// Made once, by whoever comes first.
  static let shared = Task { try await ExampleFixture() }

  private init() async throws {
    let base = ScratchDirectory()
    let provider = try ScriptedProvider.start(
      [], models: ["gpt-4o-mini", "gpt-4o", "llama3.2", "text-embedding-3-small"])
    self.base = base
    self.provider = provider
    try Self.writeFiles(base)
    var names = Names()
    func run(_ line: String) async throws -> ProgramRun {
      try await Self.run(line, in: base.path, provider)
    }
    _ = try await run("rasa tools approve mcp:time --yes")
    for question in ["Buy or sell Nvidia?", "And what about AMD?"] {
      let run = try await run(
        "rasa run -p strategic_stock_analyst --session nvidia --json "
          + "--preferences risk_tolerance=low \"\(question)\"")
      names.done.append(try JSON.parse(run.output)["run"].string ?? run.errorText)
    }
    for (persona, count) in [("contract_reviewer", 2), ("when", 1), ("trip", 1)] {
      for _ in 0..<count {
        _ = try await run("rasa run -p \(persona) --approval defer \"a text\"")
      }
    }
    let pending = try JSON.parse(try await run("rasa approvals list --json").output).array ?? []
    for one in pending {
      let (id, run) = (one["approval"].string ?? "", one["run"].string ?? "")
      switch one["operator"].string {
      case "ask_when": names.textQuestion = id
      case "ask_trip": names.formQuestion = id
      default:
        if names.review.isEmpty {
          names.review = id
          names.waiting = run
        } else {
          names.answered = run
          _ = try await Self.run("rasa approvals approve \(id) --later", in: base.path, provider)
        }
      }
    }
    _ = try await run("rasa run -p my_analyst --record nvidia.json \"Buy or sell Nvidia?\"")
    _ = try await run("rasa runs export \(names.done[0]) --as-test tests")
    _ = try await run("rasa memory export --output memories.jsonl")
    _ = try await run("rasa stats export --output records.jsonl")
    let memories = try JSON.parse(try await run("rasa memory list --json").output).array ?? []
    names.memories = memories.compactMap { memory in memory["id"].int.map { "\($0)" } }
    self.names = names
  }

  /// Runs an example in a copy of its own.
  func run(_ line: String) async throws -> ProgramRun {
    let copy = ScratchDirectory()
    let copied = try await ProgramRun.run(
      "/bin/cp", ["-a", "\(base.path)/.", copy.path], environment: [:])
    guard copied.exitCode == 0 else { throw Failure(.storage, copied.errorText) }
    return try await Self.run(filled(line), in: copy.path, provider)
  }

  /// The line with what is there in the place of the made-up names.
  func filled(_ line: String) -> String {
    let done =
      line.contains("rasa resume")
      ? names.answered
      : line.contains("runs cancel") ? names.waiting : names.done[0]
    let question =
      !line.contains("approvals answer")
      ? names.review
      : line.contains("--value") ? names.formQuestion : names.textQuestion
    var words = line
    for (from, to) in [
      ("r01h5", done), ("r01h9", names.done[1]), ("r01m7y2bg23837zma65zc9r9", done),
      ("r01m7y2bg", done), ("r01m7y2bf", done), ("r01m7y2m2", names.done[1]), ("a3f9", question),
      ("forget 12 15", "forget " + names.memories.prefix(2).joined(separator: " ")),
      ("memory show 12", "memory show \(names.memories[0])"),
      ("memory edit 12", "memory edit \(names.memories[0])"),
      ("forget --run RUN", "forget --run \(done)"),
      ("export RUN", "export \(done)"),
      ("show RUN --reward", "show \(done) --reward"),
    ] { words.replace(from, with: to) }
    for verb in ["approve", "edit", "reject", "feedback", "answer", "show"] {
      words.replace("approvals \(verb) ID", with: "approvals \(verb) \(question)")
    }
    return words
  }

  static func run(
    _ line: String, in folder: String, _ provider: ScriptedProvider
  ) async throws -> ProgramRun {
    try await ProgramRun.run(
      "/bin/sh", ["-c", "cd project && exec </dev/null && \(line)"],
      environment: [
        "HOME": "\(folder)/home", "RASA_HOME": "\(folder)/home/rasa", "USER": "ada",
        "TZ": TestZone.noon,
        "PATH": "\(folder)/bin:/usr/bin:/bin", "EDITOR": "true",
        "OPENAI_BASE_URL": provider.openAIBaseURL, "OPENAI_API_KEY": "sk-made-up",
        "OLLAMA_HOST": provider.baseURL,
      ], folder: folder)
  }

  private static func writeFiles(_ base: ScratchDirectory) throws {
    try base.write(
      "---\nname: release-notes\ndescription: Writes release notes from a list of changes. Use when a release is described.\nallowed-tools: Read Bash(git log:*)\n---\nGroup the changes by what users notice.\n",
      to: "project/skills/release-notes/SKILL.md")
    // The results of an earlier evaluation, without a trial.
    try base.write("\n", to: "project/.rasa/eval/main.jsonl")
    for folder in [
      "home/rasa", "home/.local/share/bash-completion/completions", "home/.zfunc",
      "home/.config/fish/completions", "home/src/app", "home/.radium/agents",
      "home/.radium/budgets",
      "project", "bin",
    ] { try FileSystem.makeFolder(base.file(folder)) }
    // What stands before or behind a pipe in an example.
    for (name, text) in [
      ("git", "printf -- '-old\\n+new\\n'"), ("dot", "cat"),
      ("rasa", "exec '\(RasaProgram.binary)' \"$@\""),
    ] { try FileSystem.write("#!/bin/sh\n\(text)\n", to: base.file("bin/\(name)"), mode: 0o755) }
    let agent = """
      ---
      name: %
      description: Writes release notes from a list of changes, for users.
      capabilities: [documentation]
      ---
      You write release notes.

      """
    let persona = "name: %\ndescription: Answers.\nframes: [session_frame]\noperators: []\n"
    try base.write(
      """
      tools:
        quote: {kind: process, command: [cat], side_effects: none, description: Knows a price.}
        time:
          kind: mcp
          side_effects: none
          sandbox: none
          command: ['\(RasaProgram.built("rasa-mcp-server"))', --script, '{"tools": [
            {"name": "get_current_time", "inputSchema": {"type": "object"}},
            {"name": "convert_time", "inputSchema": {"type": "object"}}]}']
        tickets: {kind: mcp, url: "http://127.0.0.1:1/mcp"}

      """, to: "home/rasa/config.yaml")
    let files = [
      "contract.txt": "4. The landlord may end this lease at any time without notice.\n",
      "task.txt": "Review this change for security problems.\n",
      "routing.yaml": "exploration: 0.5\n",
      "answer.md": "Hold what you have.\n", "better.md": "Hold what you have.\n",
      "profile.txt": "main 90 %, render 9 %\n", "change.diff": "-old\n+new\n",
      "agents/my-agent.md": agent.replacing("%", with: "my-agent"),
      "my-agent.md": agent.replacing("%", with: "my-agent"),
      "drafts/other-agent.md": agent.replacing("%", with: "other-agent"),
      "personas/my_analyst.yaml": persona.replacing("%", with: "my_analyst"),
      "personas/my_persona.yaml": persona.replacing("%", with: "my_persona"),
      "my_analyst.yaml": persona.replacing("%", with: "my_analyst"),
      "operators/my_operator.yaml":
        "name: my_operator\nkind: llm\nreads: [input]\nwrites: {notes: text}\nprompt: \"{{input}}\"\n",
      "personas/when.yaml": asking("when", "{when: text}", ""),
      "personas/trip.yaml": asking(
        "trip", "{wish: object}",
        """

            output:
              type: object
              properties: {budget: {type: integer}, city: {type: string}}
              required: [budget]
        """),
      ".claude/agents/tide-watcher.md":
        "---\nname: tide-watcher\ndescription: Watches the tide.\n---\nSay how high the tide is.\n",
      "prompts/shorten.md": "Shorten the text to a third, and keep its meaning.\n",
      "recipes/brief.yaml":
        "version: 1.0.0\ntitle: Brief\ndescription: Writes briefs.\ninstructions: Write a brief.\n",
      "build.log": "error: made up\n",
      "data.json": """
      [{"id": "groq", "name": "Groq", "models": [
        {"id": "made-up", "match": {"equals": "made-up"},
         "prices": {"input_mtok": 0.5, "output_mtok": 1}}]},
       {"id": "mistral", "name": "Mistral", "models": []}]
      """,
      "model_prices_and_context_window.json": """
      {"gpt-4o": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 7.5e-08,
                  "output_cost_per_token": 3e-07}}
      """,
    ]
    for (name, text) in files { try base.write(text, to: "project/\(name)") }
    try base.write(MadeUpFiles.pdf(pages: 2), to: "project/contract.pdf")
    try base.write(MadeUpFiles.png(), to: "project/screenshot.png")
    try base.write(MadeUpFiles.png(), to: "project/plan.png")
    try base.write(
      """
      {"agent_id": "my_analyst", "daily": {"date": "2026-01-01", "spent": 1.5},
       "monthly": {"month": "2026-01", "spent": 2.5}}
      """, to: "home/.radium/budgets/my_analyst.json")
  }

  private static func asking(_ name: String, _ writes: String, _ more: String) -> String {
    """
    name: \(name)
    description: Asks the user back.
    frames: [session_frame]
    operators:
      - name: ask_\(name)
        kind: human
        reads: [input]
        writes: \(writes)
        ask: What is it to be?\(more)
      - name: answer_it
        kind: llm
        reads: [input]
        writes: {draft: text}
        prompt: "{{input}}"

    """
  }
}

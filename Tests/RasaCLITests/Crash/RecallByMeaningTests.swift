import Glibc
import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// A run that recalls by vectors and has some made after its answer, killed on its way.
@Suite("rasa recalls by meaning after a crash", .timeLimit(.minutes(2)))
struct RecallByMeaningTests {
  private static let question = "Is my better half well?"
  private static let known = ["Married to Berta since 1990.", "Her brother sails."]

  private func home(_ scripts: [Script]) async throws -> (RasaProgram, ScriptedProvider) {
    let provider = try ScriptedProvider.start(scripts.map { $0.rememberingKeys() })
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      """
      name: keeper
      description: Keeps things in mind.
      frames: [session_frame, long_term_frame]
      operators: []
      memory: {embeddings: "openai:text-embedding-3-small"}

      """, to: "personas/keeper.yaml")
    // However slow the machine is.
    try rasa.home.write("memory: {wait_ms: 60000, linger_ms: 60000}\n", to: "config.yaml")
    for text in Self.known {
      let run = try await rasa.run("memory", "add", "-p", "keeper", text)
      #expect(run.exitCode == 0, "\(run.errorText)")
    }
    let run = try await rasa.run("memory", "embed", "-p", "keeper")
    #expect(run.exitCode == 0, "\(run.errorText)")
    return (rasa, provider)
  }

  private func ask(_ rasa: RasaProgram, fault: String? = nil) async throws -> ProgramRun {
    var rasa = rasa
    if let fault { rasa.environment["RASA_FAULT"] = fault }
    return try await rasa.run(
      "run", "-p", "keeper", "--session", "s", Self.question, "--model", "openai:gpt-4o-mini",
      "--json")
  }

  /// How often it was asked about and billed.
  private func billed(_ provider: ScriptedProvider, _ text: String) -> Int {
    provider.requests.count { request in
      request.isBilled && request.textsToEmbed?.contains { $0.hasSuffix(text) } == true
    }
  }

  @Test(
    "killed at any place, it answers once, recalls by the vector, and pays for each vector once",
    arguments: [
      // The vector of the question, …
      "reserve.before:1", "reserve.after:1", "call.sent:1", "call.complete:1", "settle.before:1",
      "settle.after:1",
      // … the answer, …
      "reserve.before:2", "call.complete:2", "settle.after:2",
      // … and the vectors of what was said.
      "reserve.before:3", "reserve.after:3", "settle.after:3",
    ])
  func killed(_ fault: String) async throws {
    let (rasa, provider) = try await home([.text("Berta is well.")])
    defer { provider.stop() }
    let first = try await ask(rasa, fault: fault)
    #expect(first.exitCode == 128 + SIGKILL, "\(first.errorText)")
    if let run = try await rasa.json("runs", "list").array?.first {
      if run["status"] != "done" {
        let resumed = try await rasa.run("resume", run["run"].string ?? "", "--json")
        #expect(resumed.exitCode == 0, "\(resumed.errorText)")
      }
    } else {
      let again = try await ask(rasa)
      #expect(again.exitCode == 0, "\(again.errorText)")
    }
    let runs = try await rasa.json("runs", "list").array ?? []
    #expect(runs.count == 1)
    let shown = try await rasa.json("runs", "show", try #require(runs.first?["run"].string))
    #expect(shown.json().contains("\"vector\""), "recalled by the vector")
    #expect(!shown.json().contains("by words alone"))
    let turns = try await rasa.json("sessions", "show", "s").array ?? []
    #expect(turns.map { $0["output"] } == ["Berta is well."])

    let filled = try await rasa.run("memory", "embed", "-p", "keeper", "--json")
    #expect(try JSON.parse(filled.output)["complete"] == true, "\(filled.errorText)")
    let stats = try await rasa.json("memory", "stats")
    #expect(stats["vectors"].object?.map(\.value) == [4], "\(stats)")
    #expect(billed(provider, Self.question) == 2, "as a question, and as what was said")
    for text in Self.known + ["Berta is well."] { #expect(billed(provider, text) == 1, "\(text)") }
    let answers = provider.requests.count { $0.isBilled && $0.textsToEmbed == nil }
    #expect(answers == 1)
  }

  @Test("a vector on record needs no provider: the run goes on, forks and replays without one")
  func withoutProvider() async throws {
    let embedding = Script().with { $0.matches = { $0.textsToEmbed != nil } }
    let (rasa, provider) = try await home([
      embedding.once(), embedding.once(),
      Script.error(503, "out of order").with { $0.matches = { $0.textsToEmbed != nil } },
      .text("Berta is well."),
    ])
    defer { provider.stop() }
    func questions() -> Int {
      provider.requests.count { $0.textsToEmbed == [Self.question] }
    }
    let first = try await ask(rasa, fault: "reserve.before:2")
    #expect(first.exitCode == 128 + SIGKILL && questions() == 1, "\(first.errorText)")
    let id = try #require(try await rasa.json("runs", "list").array?.first?["run"].string)
    let resumed = try await rasa.run("resume", id, "--json")
    #expect(resumed.exitCode == 0 && !resumed.errorText.contains("words"), "\(resumed.errorText)")
    let memories = try await rasa.json("runs", "show", id)
    #expect(memories.json().contains("\"vector\""))
    let fork = try await rasa.run("runs", "fork", id, "--json")
    #expect(fork.exitCode == 0 && !fork.errorText.contains("words"), "\(fork.errorText)")
    let export = try await rasa.run("runs", "export", id, "--as-test", "tests")
    #expect(export.exitCode == 0, "\(export.errorText)")
    let replayed = try await rasa.run("test", "tests")
    #expect(replayed.exitCode == 0, "\(replayed.text)\(replayed.errorText)")
    #expect(questions() == 1, "nobody asks again")
  }
}

import Glibc
import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// Vectors of what is remembered: by a command and after an answer, also where the process is killed.
@Suite("rasa: vectors of memories", .timeLimit(.minutes(2)))
struct VectorCommandTests {
  private static let keeper = """
    name: keeper
    description: Keeps things in mind.
    frames: [session_frame, long_term_frame]
    operators: []
    memory: {embeddings: "openai:text-embedding-3-small"}

    """
  private static let model = "openai:text-embedding-3-small"

  private func home(_ provider: ScriptedProvider, facts: Int = 0) async throws -> RasaProgram {
    let rasa = try RasaProgram(provider)
    try rasa.home.write(Self.keeper, to: "personas/keeper.yaml")
    for number in 0..<facts {
      let run = try await rasa.run(
        "memory", "add", "-p", "keeper", "Number \(number) is a number.")
      #expect(run.exitCode == 0, "\(run.errorText)")
    }
    return rasa
  }

  @Test(
    "killed at any place, it loses nothing that was paid for and kept",
    arguments: [
      "reserve.before", "reserve.after", "call.sent", "call.complete", "settle.before",
      "settle.after", "close.before", "close.after",
    ])
  func killed(_ point: String) async throws {
    let provider = try ScriptedProvider.start([Script()])
    defer { provider.stop() }
    let rasa = try await home(provider, facts: 5)
    var dying = rasa
    dying.environment["RASA_FAULT"] = "\(point):1"
    let first = try await dying.run("memory", "embed", "-p", "keeper", "--json")
    #expect(first.exitCode == 128 + SIGKILL, "\(first.errorText)")
    let second = try await rasa.run("memory", "embed", "-p", "keeper", "--json")
    #expect(second.exitCode == 0, "\(second.errorText)")
    let outcome = try JSON.parse(second.output)
    #expect(outcome["complete"] == true)
    let stats = try await rasa.json("memory", "stats")
    #expect(stats["vectors"].object?.map(\.value) == [5], "\(stats)")
    let texts = provider.requests.compactMap(\.textsToEmbed).flatMap(\.self)
    let isKept = ["settle.after", "close.before", "close.after"].contains(point)
    #expect(outcome["made"] == (isKept ? 0 : 5))
    if isKept { #expect(Set(texts).count == texts.count, "asked for twice") }
  }

  @Test("after an answer, what was said gets its vectors, and nobody waits for them in vain")
  func afterAnAnswer() async throws {
    let provider = try ScriptedProvider.start([.text("Blue, you said.")])
    defer { provider.stop() }
    let rasa = try await home(provider)
    let run = try await rasa.run(
      "run", "-p", "keeper", "--session", "s", "My favourite colour is blue.", "--model",
      "openai:gpt-4o-mini", "--no-stdin")
    #expect(run.exitCode == 0 && run.errorText.isEmpty, "\(run.errorText)")
    let texts = provider.requests.compactMap(\.textsToEmbed).flatMap(\.self)
    #expect(
      Set(texts) == ["tester: My favourite colour is blue.", "keeper: Blue, you said."],
      "with the name of who said it")
    let stats = try await rasa.json("memory", "stats")
    #expect(stats["vectors"].object?.map(\.value) == [2], "\(stats)")
  }

  @Test("whoever waits for no vectors gets none, and those that are missing come later")
  func withoutWaiting() async throws {
    let provider = try ScriptedProvider.start([.text("Blue, you said.")])
    defer { provider.stop() }
    let rasa = try await home(provider)
    try rasa.home.write("memory: {linger_ms: 0}\n", to: "config.yaml")
    let run = try await rasa.run(
      "run", "-p", "keeper", "--session", "s", "My favourite colour is blue.", "--model",
      "openai:gpt-4o-mini", "--no-stdin")
    #expect(run.exitCode == 0 && run.errorText.isEmpty, "\(run.errorText)")
    #expect(provider.requests.allSatisfy { $0.textsToEmbed == nil })
    let later = try await rasa.run("memory", "embed", "-p", "keeper", "--json")
    #expect(try JSON.parse(later.output)["made"] == 2)
  }

  @Test("a model that takes too long keeps nobody waiting after the answer")
  func slow() async throws {
    let provider = try ScriptedProvider.start([
      Script().with {
        $0.matches = { $0.textsToEmbed != nil }
        $0.headersDelay = .seconds(600)
      },
      .text("Blue."),
    ])
    defer { provider.stop() }
    let rasa = try await home(provider)
    try rasa.home.write("memory: {linger_ms: 200}\n", to: "config.yaml")
    let run = try await rasa.run(
      "run", "-p", "keeper", "--session", "s", "My favourite colour is blue.", "--model",
      "openai:gpt-4o-mini", "--no-stdin")
    #expect(run.exitCode == 0 && run.text == "Blue.\n")
    #expect(run.errorText.contains("the model takes too long"), "\(run.errorText)")
  }

  @Test("a provider without vectors costs the answer nothing, and is reported")
  func providerWithout() async throws {
    let provider = try ScriptedProvider.start([
      Script.error(503, "out of order").with { $0.matches = { $0.textsToEmbed != nil } },
      .text("Blue."),
    ])
    defer { provider.stop() }
    let rasa = try await home(provider)
    let run = try await rasa.run(
      "run", "-p", "keeper", "--session", "s", "My favourite colour is blue.", "--model",
      "openai:gpt-4o-mini", "--no-stdin")
    #expect(run.exitCode == 0 && run.text == "Blue.\n")
    #expect(run.errorText.contains("not everything has its vector yet"), "\(run.errorText)")
  }

  @Test("without a model that makes them, it says which setting there is")
  func withoutModel() async throws {
    let provider = try ScriptedProvider.start([Script()])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      Self.keeper.replacing("memory: {embeddings: \"\(Self.model)\"}", with: ""),
      to: "personas/keeper.yaml")
    let run = try await rasa.run("memory", "embed", "-p", "keeper")
    #expect(run.exitCode == 3 && run.errorText.contains("embeddings"), "\(run.errorText)")
  }
}

import Glibc
import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@testable import RasaCLI

/// Agents that are found by vectors, in the built program.
@Suite("rasa: agents near to a task by their vectors")
struct EmbeddingTests {
  /// Says which direction a text has, whatever its language.
  private static let meanings = Script().with {
    $0.vector = { text in
      let text = text.lowercased()
      func has(_ words: String...) -> Double { words.contains { text.contains($0) } ? 1 : 0 }
      return [has("zymurgy", "keller"), has("calligraphy", "schönschrift"), 0.1]
    }
  }

  private func program(_ provider: ScriptedProvider) throws -> RasaProgram {
    var rasa = try RasaProgram(provider)
    rasa.environment["RASA_AGENTS_PATH"] = nil
    try write("brewer", "Brews by zymurgy, and nothing else.", "zymurgy", rasa)
    try write("writer", "Practises calligraphy.", "calligraphy", rasa)
    return rasa
  }

  private func write(
    _ name: String, _ description: String, _ capability: String, _ rasa: RasaProgram
  ) throws {
    try rasa.home.write(
      """
      ---
      name: \(name)
      description: \(description)
      capabilities: [\(capability)]
      ---
      You do it.
      """, to: "agents/\(name).md")
  }

  /// How many texts each request has brought.
  private func counts(_ provider: ScriptedProvider) -> [Int] {
    provider.requests.map { $0.textsToEmbed?.count ?? -1 }
  }

  private let model = "openai:text-embedding-3-small"

  @Test("a task in other words finds its agent, and each agent is paid for once")
  func finds() async throws {
    let provider = try ScriptedProvider.start([Self.meanings])
    let rasa = try program(provider)
    let first = try await rasa.run(
      "agents", "recommend", "--embeddings", model, "--explain", "Braue", "im", "Keller")
    #expect(first.exitCode == 0, "\(first.errorText)")
    #expect(first.text.contains("1. brewer (Score: "), "\(first.text)")
    #expect(first.text.contains("related (1.00 near)"), "\(first.text)")
    #expect(!first.text.contains("writer (Score"))
    let all = try #require(provider.requests.first?.textsToEmbed)
    #expect(all.last == "Braue im Keller" && all.contains { $0.contains("zymurgy") })
    #expect(
      first.errorText.contains("asking \(model) for vectors of \(all.count) texts, $0.00"),
      "\(first.errorText)")

    let second = try await rasa.run(
      "agents", "recommend", "--embeddings", model, "--json", "Schönschrift")
    let found = try JSON.parse(second.text)["recommendations"].array ?? []
    #expect(found.map { $0["agent"].string } == ["writer"], "\(second.text)")
    #expect(counts(provider).last == 1, "only the task is new")
    #expect(second.errorText.isEmpty, "\(second.errorText)")

    try write("brewer", "Brews by zymurgy, and malts.", "zymurgy", rasa)
    _ = try await rasa.run("agents", "recommend", "--embeddings", model, "Keller")
    #expect(counts(provider).last == 2, "one agent has changed")
    _ = try await rasa.run(
      "agents", "recommend", "--embeddings", "openai:text-embedding-3-large", "Keller")
    #expect(counts(provider).last == all.count, "another model has vectors of its own")
    _ = try await rasa.run("agents", "recommend", "--embeddings", model, "Keller")
    #expect(counts(provider).last == 1)
  }

  @Test("an embedding request is a run with its cost")
  func isARun() async throws {
    let provider = try ScriptedProvider.start([Self.meanings])
    let rasa = try program(provider)
    _ = try await rasa.run("agents", "recommend", "--embeddings", model, "Keller")
    let runs =
      try JSON.parse(try await rasa.run("runs", "list", "--all", "--json").text).array ?? []
    #expect(runs.count == 1)
    #expect(try await rasa.json("runs", "list").array?.isEmpty == true)
    #expect(try await rasa.json("runs", "list", "--status", "done").array?.isEmpty == true)
    #expect(try await rasa.json("runs", "list", "-p", "embeddings").array?.count == 1)
    let run = try #require(runs.first)
    #expect(run["persona"] == "embeddings" && run["status"] == "done", "\(run.json())")
    let bill = provider.invoice.bill([
      "text-embedding-3-small": Tariff(input: Money(decimal: "0.02") ?? .zero, output: .zero)
    ])
    let id = try #require(run["run"].string ?? run["id"].string)
    let shown = try await rasa.run("runs", "show", id)
    #expect(shown.exitCode == 0 && shown.text.contains("text-embedding-3-small"), "\(shown.text)")
    let costs = try await rasa.run("costs", "--by", "persona", "--json")
    #expect(costs.text.contains("embeddings"), "\(costs.text)")
    #expect(costs.text.contains(bill.total.decimalText), "\(costs.text), \(bill.total)")
    let resumed = try await rasa.run("resume", id)
    #expect(resumed.exitCode == 2 && resumed.errorText.contains("cannot be resumed"))
  }

  @Test("nothing is sent to a provider that was not named")
  func isOff() async throws {
    let provider = try ScriptedProvider.start([Self.meanings])
    let rasa = try program(provider)
    try rasa.home.write("recommend: {embeddings: \"\(model)\"}\n", to: ".rasa/config.yaml")
    let cloned = try await rasa.run("agents", "recommend", "zymurgy")
    #expect(cloned.exitCode == 0 && provider.requests.isEmpty)
    #expect(cloned.errorText.contains("`recommend` is ignored in a project's file"))
    try rasa.home.write("recommend: {embeddings: \"\(model)\"}\n", to: "config.yaml")
    _ = try await rasa.run("agents", "recommend", "--embeddings", "off", "zymurgy")
    #expect(provider.requests.isEmpty)
    _ = try await rasa.run("agents", "recommend", "zymurgy")
    #expect(provider.requests.count == 1)
  }

  @Test("no more is paid than was allowed")
  func isLimited() async throws {
    let provider = try ScriptedProvider.start([Self.meanings])
    let rasa = try program(provider)
    let run = try await rasa.run(
      "agents", "recommend", "--embeddings", model, "--max-cost", "0.0000001", "Keller")
    #expect(run.exitCode == 6)
    #expect(
      provider.requests.isEmpty && run.errorText.contains("the call needs"), "\(run.errorText)")
    let runs = try await rasa.run("runs", "list", "--all", "--json")
    #expect(runs.text.contains("failed"), "\(runs.text)")
  }

  @Test("kept vectors that are damaged are asked for again", arguments: [0, 8, 40, 49, 4_000])
  func damaged(place: Int) async throws {
    let provider = try ScriptedProvider.start([Self.meanings])
    let rasa = try program(provider)
    _ = try await rasa.run("agents", "recommend", "--embeddings", model, "Keller")
    let found = try await rasa.shell("find . -name vectors.bin")
    let path = try #require(found.text.split(separator: "\n").first.map(String.init))
    let damage =
      place < 4_000
      ? "printf '\\377' | dd of=\(path) bs=1 seek=\(place) conv=notrunc 2>/dev/null"
      : "truncate -s -3 \(path)"
    _ = try await rasa.shell(damage)
    let run = try await rasa.run("agents", "recommend", "--embeddings", model, "Keller")
    #expect(run.text.contains("1. brewer"), "\(run.errorText)")
    let counts = counts(provider)
    #expect(counts.count == 2 && counts[0] == counts[1])
    _ = try await rasa.run("agents", "recommend", "--embeddings", model, "Keller")
    #expect(self.counts(provider).last == 1)
  }

  @Test("what came before a failure is kept")
  func partly() async throws {
    let provider = try ScriptedProvider.start([
      Self.meanings.once(), Script.error(401, "no such key").once(), Self.meanings,
    ])
    let rasa = try program(provider)
    for number in 0..<70 {
      try write("agent\(number)", "Does the thing number \(number).", "thing\(number)", rasa)
    }
    let failed = try await rasa.run("agents", "recommend", "--embeddings", model, "Keller")
    #expect(failed.exitCode != 0 && failed.errorText.contains("made no vectors"))
    #expect(failed.errorText.contains("OPENAI_API_KEY"), "\(failed.errorText)")
    let run = try await rasa.run("agents", "recommend", "--embeddings", model, "Keller")
    #expect(run.text.contains("1. brewer"), "\(run.text)\(run.errorText)")
    let counts = counts(provider)
    #expect(counts[0] == 64 && counts[1...].reduce(0, +) == 2 * counts[1], "\(counts)")
  }

  @Test("Ctrl-C ends it, and what it may have cost is settled")
  func interrupted() async throws {
    let provider = try ScriptedProvider.start([
      Self.meanings.with { $0.headersDelay = .seconds(600) }
    ])
    let rasa = try program(provider)
    let running = try RunningProgram(
      RasaProgram.binary, ["agents", "recommend", "--embeddings", model, "Keller"],
      environment: rasa.environment, folder: rasa.home.path)
    try await provider.waitForRequests(1)
    running.signal(SIGINT)
    let run = try await running.finish()
    #expect(run.exitCode == 130, "\(run.errorText)")
    let runs = try await rasa.run("runs", "list", "--all", "--json")
    #expect(runs.text.contains("cancelled"), "\(runs.text)")
    let costs = try await rasa.run("costs", "--json")
    #expect(!costs.text.contains("\"held\":\"0.00"), "\(costs.text)")
  }

  @Test("a provider without embeddings is reported")
  func none() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run("agents", "recommend", "--embeddings", "mock", "Keller")
    #expect(run.exitCode != 0 && run.errorText.contains("the mock makes no vectors"))
    #expect(run.errorText.contains("openai:text-embedding-3-small"))
  }
}

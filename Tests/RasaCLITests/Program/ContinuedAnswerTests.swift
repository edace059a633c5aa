import Glibc
import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// An answer that needs more than was held for it, from a provider that keeps to its cap: the whole
/// way through gate, engine, store and screen.
@Suite("rasa: answers that are held for again and continued")
struct ContinuedAnswerTests {
  /// A text in which each place is told apart, longer than any first hold.
  private static let essay = text { letters($0) }
  /// The same in long words, each of them one token of the server's: it has more letters than our own
  /// measure takes for its tokens, so that we stop it before the server does.
  private static let dense = text { "word\(letters($0))" }

  /// A word of three letters for each number.
  private static func letters(_ number: Int) -> String {
    String(
      decoding: [676, 26, 1].map { UInt8(ascii: "a") + UInt8(number / $0 % 26) }, as: UTF8.self)
  }

  private static func text(_ word: (Int) -> String) -> String {
    (1...12_000).map(word).joined(separator: " ") + " — and that was the end 家族👨‍👩‍👧."
  }

  private static func home(_ provider: ScriptedProvider, _ format: String) throws -> RasaProgram {
    var rasa = try RasaProgram(provider)
    for name in ["OPENAI_BASE_URL", "OPENAI_API_KEY", "LLM_MODEL"] { rasa.environment[name] = nil }
    switch format {
    case "openai":
      rasa.environment["OPENAI_BASE_URL"] = provider.openAIBaseURL
      rasa.environment["OPENAI_API_KEY"] = "sk-made-up"
      rasa.environment["LLM_MODEL"] = "gpt-4o-mini"
    case "anthropic":
      rasa.environment["ANTHROPIC_BASE_URL"] = provider.baseURL
      rasa.environment["ANTHROPIC_API_KEY"] = "made-up"
      rasa.environment["LLM_MODEL"] = "claude-haiku-4-5"
    default:
      rasa.environment["GEMINI_BASE_URL"] = provider.baseURL
      rasa.environment["GEMINI_API_KEY"] = "made-up"
      rasa.environment["LLM_MODEL"] = "gemini-2.5-flash"
    }
    try rasa.writeSingle()
    return rasa
  }

  @Test(
    "the text arrives whole, byte for byte, and costs less than the limit",
    arguments: ["openai", "anthropic", "gemini"])
  func whole(format: String) async throws {
    let provider = try ScriptedProvider.start([Script(.essay(Self.essay))])
    defer { provider.stop() }
    let rasa = try Self.home(provider, format)
    let run = try await rasa.run("run", "-p", "single", "Write it.", "--max-cost", "2", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let answer = try JSON.parse(run.output)
    #expect(answer["output"].string == Self.essay, "\(run.errorText)")
    #expect(answer["finish"] == "stop", "\(run.errorText)")
    let asked = provider.requests.filter { $0.method == "POST" }
    #expect(asked.count > 1 && answer["continued"] == .int(Int64(asked.count - 1)))
    // A model that thinks has as much again for its thoughts.
    #expect(asked.first?.cap == (format == "gemini" ? 8_192 : 4_096))
    #expect(answer["notices"].array?.map { $0["kind"] } == ["continued"])
    #expect(run.errorText.contains("came in \(asked.count) parts"), "\(run.errorText)")

    // What such an answer needs is known now, so further ones are held for at once when it is known
    // well enough; until then they are continued again and arrive whole as well.
    let again = try await rasa.run("run", "-p", "single", "Write it.", "--max-cost", "2")
    #expect(again.text == Self.essay + "\n", "\(again.errorText)")
  }

  @Test(
    "if the money runs out, the text so far is delivered and marked, and nothing more is paid")
  func ends() async throws {
    let provider = try ScriptedProvider.start([Script(.essay(Self.essay))])
    defer { provider.stop() }
    let rasa = try Self.home(provider, "openai")
    // Some 5,000 tokens of output at gpt-4o-mini's price.
    let run = try await rasa.run(
      "run", "-p", "single", "Write it.", "--max-cost", "0.0035", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let answer = try JSON.parse(run.output)
    let text = answer["output"].string ?? ""
    #expect(text.utf8.count > 16_000 && Self.essay.hasPrefix(text))
    #expect(answer["finish"] == "length")
    #expect(answer["notices"].array?.contains { $0["kind"] == "cut" } == true)
    #expect(run.errorText.contains("is cut off at"), "\(run.errorText)")
    let cost = try #require(answer["cost_usd"].string.flatMap { Money(decimal: $0) })
    #expect(cost <= Money(decimal: "0.0035")!)
    #expect(
      try await rasa.run("run", "-p", "single", "Write it.", "--max-cost", "0.0035", "--strict")
        .exitCode == 8)
  }

  @Test("a text of long words arrives whole, too")
  func dense() async throws {
    let provider = try ScriptedProvider.start([Script(.essay(Self.dense))])
    defer { provider.stop() }
    let rasa = try Self.home(provider, "openai")
    let run = try await rasa.run("run", "-p", "single", "Write it.", "--max-cost", "2", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let answer = try JSON.parse(run.output)
    #expect(answer["output"].string == Self.dense)
    #expect(answer["finish"] == "stop" && (answer["continued"].int ?? 0) > 1, "\(run.errorText)")
  }

  @Test("killed between two parts, it continues with the next one and pays for none twice")
  func killed() async throws {
    let provider = try ScriptedProvider.start([Script(.essay(Self.essay))])
    defer { provider.stop() }
    let rasa = try Self.home(provider, "openai")
    var killed = rasa
    killed.environment["RASA_FAULT"] = "settle.after:1"
    let first = try await killed.run(
      "run", "-p", "single", "Write it.", "--max-cost", "2", "--json")
    #expect(first.exitCode == 128 + SIGKILL)
    let run = try await rasa.run("resume", try await rasa.latestRun(), "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(try JSON.parse(run.output)["output"].string == Self.essay)
    let billed = provider.requests.filter(\.isBilled)
    #expect(Set(billed.map(\.messages)).count == billed.count)
  }
}

import RasaCore
import RasaTestKit
import Testing

/// What a server does not take of a request is learnt once, and by every process.
@Suite("rasa: requests that servers have refused")
struct LearntFormTests {
  private static let persona = """
    name: warm
    description: One answer.
    frames: [{name: main, kind: session, operators: [speak]}]
    operators:
      - name: speak
        kind: llm
        reads: [input]
        writes: {draft: text}
        temperature: 0.5
        prompt: "Say something to {{input}}"
    """

  /// A provider that takes no temperature, and a persona that sends one.
  private static func refusing() throws -> (ScriptedProvider, RasaProgram) {
    let provider = try ScriptedProvider.start([
      .error(400, "Unsupported value: 'temperature' does not support 0.5").with {
        $0.matches = { !$0.json["temperature"].isNull }
      },
      .text("an answer"),
    ])
    let rasa = try RasaProgram(provider)
    try rasa.home.write(Self.persona, to: "personas/warm.yaml")
    return (provider, rasa)
  }

  @Test("a refused part of a request costs one request ever")
  func onceEver() async throws {
    let (provider, rasa) = try Self.refusing()
    defer { provider.stop() }
    for _ in 0..<3 {
      let run = try await rasa.run("run", "-p", "warm", "hello")
      #expect(run.exitCode == 0, "\(run.errorText)")
      #expect(run.text == "an answer\n")
    }
    let tries = provider.requests.map { !$0.json["temperature"].isNull }
    #expect(tries == [true, false, false, false])
    let shown = try await rasa.run("models", "show", "gpt-4o-mini")
    #expect(shown.text.contains("no_temperature"))
  }

  @Test("a chat learns it in its first turn")
  func chat() async throws {
    let (provider, rasa) = try Self.refusing()
    defer { provider.stop() }
    let chat = try await rasa.run("chat", "-p", "warm", input: "one\ntwo\nthree\n")
    #expect(chat.exitCode == 0, "\(chat.errorText)")
    let tries = provider.requests.map { !$0.json["temperature"].isNull }
    #expect(tries == [true, false, false, false])
  }
}

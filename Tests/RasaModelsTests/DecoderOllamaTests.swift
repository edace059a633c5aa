import RasaCore
import RasaEngine
import RasaPersona
import Testing

@testable import RasaModels

@Suite struct OllamaDecoderTests {
  static let golden = """
    {"model":"llama3:8b","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"","thinking":"Hm. "},"done":false}
    {"model":"llama3:8b","message":{"role":"assistant","content":"Grüße"},"done":false}
    {"model":"llama3:8b","created_at":"2026-01-01T00:00:01.5Z","message":{"role":"assistant","content":" 🌍"},"done":false}
    {"model":"llama3:8b","created_at":"2026-01-01T00:00:01.75Z","message":{"role":"assistant","content":" and\\n"},"done":false}
    {"model":"llama3:8b","created_at":"2026-01-01T00:00:02Z","message":{"role":"assistant","content":"more"},"done":false}
    {"model":"llama3:8b","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":5589157167,"prompt_eval_count":26,"eval_count":298}

    """

  @Test func readsAStreamHoweverItIsCut() {
    var expected = Decoded()
    expected.text = "Grüße 🌍 and\nmore"
    expected.reasoning = "Hm. "
    expected.contentEvents = 5
    expected.usage = ReportedUsage(input: 26, output: 298)
    expected.finish = .stop
    expected.isDone = true
    expectEverywhere(.ollama, Self.golden, is: expected)
    expectEverywhere(.ollama, Self.golden.with(lineEnds: "\r\n"), is: expected)
  }

  @Test func takesMissingCountsForUnknown() {
    let decoded = Dialect.ollama.decode(
      "{\"message\":{\"content\":\"a\"},\"done\":true,\"done_reason\":\"length\"}\n")
    #expect(decoded.usage == ReportedUsage())
    #expect(decoded.finish == .length)
  }

  @Test func readsTheLastLineWithoutItsEnd() {
    let decoded = Dialect.ollama.decode("{\"message\":{\"content\":\"a\"},\"done\":true}")
    #expect(decoded.isDone)
    #expect(decoded.problem == nil)
  }

  @Test(arguments: [
    (
      "an error", "{\"message\":{\"content\":\"a\"}}\n{\"error\":\"ran out of memory\"}\n",
      ProviderProblem.Kind.server
    ),
    ("a missing model", "{\"error\":\"model 'x' not found\"}\n", .modelNotFound),
    ("no last line", "{\"message\":{\"content\":\"a\"},\"done\":false}\n", .brokenStream),
    ("a cut line", "{\"message\":{\"content\":\"a\"},\"do", .brokenStream),
    ("nonsense", "<html>\n", .blocked),
    ("nothing", "", .brokenStream),
  ])
  func notices(_ row: (name: String, stream: String, problem: ProviderProblem.Kind)) {
    #expect(Dialect.ollama.decode(row.stream).problem == row.problem)
  }

  @Test func givesCallsWithoutIdentifiersSome() {
    let stream = """
      {"message":{"role":"assistant","content":"","thinking":"Both."},"done":false}
      {"message":{"role":"assistant","content":"","tool_calls":[{"function":{"index":0,"name":"weather","arguments":{"city":"Ulm","days":2}}}]},"done":false}
      {"message":{"role":"assistant","content":"","tool_calls":[{"id":"c7","function":{"name":"time","arguments":"{}"}}]},"done":false}
      {"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":9}

      """
    var expected = Decoded()
    expected.reasoning = "Both."
    expected.contentEvents = 3
    expected.usage = ReportedUsage(output: 9)
    expected.finish = .toolCalls
    expected.isDone = true
    expected.calls = [
      ToolCall(id: "call_rasa_0_0", name: "weather", arguments: ["city": "Ulm", "days": 2]),
      ToolCall(id: "c7", name: "time", arguments: [:]),
    ]
    expectEverywhere(.ollama, stream, is: expected)
  }

  @Test(arguments: [
    ("null", "null"), ("an empty object", "{}"), ("no object", "7"),
    ("a null message", "{\"message\":null}"), ("unknown members", "{\"x\":[{\"y\":1}]}"),
    ("a null error", "{\"error\":null}"), ("a blank line", " "),
    ("null calls", "{\"message\":{\"tool_calls\":null}}"),
  ])
  func passesOver(_ row: (name: String, line: String)) {
    let decoded = Dialect.ollama.decode(
      row.line + "\n{\"message\":{\"content\":\"yes\"}}\n" + row.line + "\n{\"done\":true}\n")
    #expect(decoded.text == "yes")
    #expect(decoded.problem == nil)
    #expect(decoded.isDone)
  }

  @Test func readsNumbersAsServersWriteThem() {
    let decoded = Dialect.ollama.decode(
      "{\"done\":true,\"prompt_eval_count\":\"7\",\"eval_count\":8.0,\"eval_duration\":1}\n")
    #expect(decoded.usage == ReportedUsage(input: 7, output: 8))
  }
}

import RasaKit
import RasaTestKit
import Testing

/// The whole way: from a program's call over the store, the choice of turns and the wire, and back.
@Suite("A conversation of 500 turns, for a program")
struct LongTalkTests {
  @Test("stays within the model's window by the provider's count, and all of it is found")
  func goesOn() async throws {
    let window = 8_000
    let kit = try Kit(
      provider: [Script(.words(40)).with { $0.window = window }],
      files: [
        "home/personas/single.yaml":
          "name: single\ndescription: d\nframes: [session_frame]\noperators: []\n"
      ])
    var options = Rasa.RunOptions()
    options.session = "long"
    var shown: [Int] = []
    for number in 1...500 {
      let question =
        "Question \(number) is about harbour\(number): "
        + (0..<(20 + number % 60)).map { "item\($0)" }.joined(separator: " ")
      let run = try await kit.rasa.run(persona: "single", input: question, options: options)
      #expect(try await run.result().text.isEmpty == false)
      let request = try #require(kit.provider?.requests.last { $0.method == "POST" })
      #expect(request.status == 200 && request.promptTokens <= window)
      // Whole turns without a gap, the newest of them last.
      shown = request.messages.flatMap(Self.questions)
      #expect(shown == Array((shown.first ?? 0)...number))
      let answers = request.messages.count {
        Self.questions(in: $0).isEmpty && !$0.contains("item")
      }
      #expect(answers >= shown.count - 1)
    }
    let requests = kit.provider?.requests.filter { $0.method == "POST" } ?? []
    #expect(requests.count { $0.status != 200 } <= 1)
    #expect(shown.count > 20 && shown.count < 200)
    for number in [1, 77, 311] {
      let found = try await kit.rasa.searchMemories("harbour\(number)", session: "long", limit: 3)
      #expect(found.first?.memory.text.hasPrefix("Question \(number) ") == true)
    }
    await kit.rasa.close()
    kit.provider?.stop()
  }

  private static func questions(in message: String) -> [Int] {
    message.split(separator: "Question ", omittingEmptySubsequences: false).dropFirst()
      .compactMap { Int($0.prefix { $0.isNumber }) }
  }
}

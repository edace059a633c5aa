import RasaCore
import RasaEngine
import RasaTestKit
import Testing

@testable import RasaModels

/// What was shown in a pipe cannot be taken back, so a broken answer is gone on with.
@Suite struct BrokenAnswerTests {
  static let joints: [(name: String, shown: String, rest: String, new: String)] = [
    ("goes on", "One two ", "three four.", "three four."),
    ("begins again", "One two ", "One two three.", "three."),
    ("repeats some words", "One two three ", "two three four.", "four."),
    ("repeats the broken word", "The answer is forty-t", "is forty-two.", "wo."),
    ("looks alike by accident", "until", "l now", "l now"),
    ("repeats all and nothing more", "One two three", "One two three", ""),
    ("other letters", "Grüße an ", "Grüße an 🌍!", "🌍!"), ("says nothing", "One two ", "", ""),
  ]

  @Test(arguments: joints)
  func repeatsNothingHoweverTheRestIsCut(
    _ row: (name: String, shown: String, rest: String, new: String)
  ) {
    let answer = BrokenAnswer(text: row.shown)
    #expect(answer.new(in: row.rest) == row.new)
    var dice = SeededNumbers(seed: 3)
    for _ in 0..<40 {
      var joint = BrokenAnswerRest(of: answer)
      var shown = ""
      var rest = row.rest.unicodeScalars.map { String($0) }[...]
      while !rest.isEmpty {
        let length = Int.random(in: 1...5, using: &dice)
        shown += joint.take(rest.prefix(length).joined())
        rest = rest.dropFirst(length)
      }
      #expect(shown + joint.finish() == row.new)
    }
  }

  private func words(_ setting: GateSetting) -> String {
    setting.shown.compactMap { if case .text(let text) = $0 { text } else { nil } }.joined()
  }

  @Test(arguments: ["answer, and more.", "half an answer, and more."])
  func aPipeGetsOneAnswer(_ rest: String) async throws {
    let setting = try GateSetting(
      [
        Script.tokens(["half ", "an ", "lost"]).broken(after: 2, .close).for(model: "cheap"),
        .text(rest),
      ], options: { $0.finishesBrokenAnswers = true })
    let answer = try await setting.ask(.plain, .test("cheap", fallback: "thinker"))
    #expect(answer.text == "half an answer, and more.")
    #expect(words(setting) == answer.text)
    #expect(!setting.shown.contains { if case .restarted = $0 { true } else { false } })
    #expect(setting.shown.contains { if case .continued = $0 { true } else { false } })
    let messages = setting.provider.requests[1].json["messages"].array ?? []
    #expect(messages.dropFirst().first?["content"] == "half an ")
    let result = try #require(setting.ledger.entries.last { $0.kind == "call.result" })
    #expect(result.body["text"].string == answer.text)
    // The next call begins where every call begins.
    #expect(setting.ledger.settlements.map(\.outcome) == [.failed, .answered])
  }

  @Test func breaksTwiceAndIsOneAnswerAllTheSame() async throws {
    let setting = try GateSetting(
      [
        Script.tokens(["one ", "lost"]).broken(after: 1, .close).for(model: "cheap"),
        Script.tokens(["two ", "lost"]).broken(after: 1, .close).for(model: "thinker"),
        .text("three"),
      ], options: { $0.finishesBrokenAnswers = true })
    let answer = try await setting.ask(
      .plain, .test("cheap", fallback: "thinker", premium: "dear"))
    #expect(answer.text == "one two three" && words(setting) == answer.text)
  }

  @Test func beginsAnewWhatIsNoText() async throws {
    let setting = try GateSetting(
      [
        Script.tokens(["{\"a\"", ":1}"]).broken(after: 1, .close).once(),
        .tokens(["{\"a\":2}"]),
      ], options: { $0.finishesBrokenAnswers = true })
    var request = ModelRequest.plain
    request.schema = ["type": "object"]
    #expect(try await setting.ask(request).text == "{\"a\":2}")
    #expect(setting.shown.contains { if case .restarted = $0 { true } else { false } })
  }

  @Test func beginsAnewBehindAFilter() async throws {
    let setting = try GateSetting(
      [
        Script.text("half ").with { $0.finishReason = "content_filter" }.for(model: "cheap"),
        .text("whole"),
      ], options: { $0.finishesBrokenAnswers = true })
    #expect(try await setting.ask(.plain, .test("cheap", fallback: "thinker")).text == "whole")
    #expect(setting.shown.contains { if case .restarted = $0 { true } else { false } })
  }
}

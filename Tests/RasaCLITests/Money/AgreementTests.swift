import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("What a run has cost")
struct AgreementTests {
  /// One attempt fails, or all of a call and the operator tries once more, or nobody knows.
  private static let troubles: [(name: String, breaks: Int, fault: String?)] = [
    ("one attempt", 1, nil), ("a whole call", 2, nil), ("a call in doubt", 0, "call.sent:1"),
  ]

  @Test("the same figure everywhere, whatever failed on the way", arguments: 0..<3)
  func agree(_ row: Int) async throws {
    let trouble = Self.troubles[row]
    var scripts = [Script.text("an answer")]
    if trouble.breaks > 0 {
      scripts.insert(
        Script.words(400).broken(after: 300, .close).with { $0.limit = trouble.breaks }, at: 0)
    }
    let provider = try ScriptedProvider.start(scripts)
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    try rasa.home.write(
      """
      name: single
      description: One answer.
      frames: [session_frame]
      operators: [{name: respond, on_error: {retry: 1}}]
      """, to: "personas/single.yaml")
    rasa.environment["RASA_FAULT"] = trouble.fault
    var answered = try await rasa.run("run", "-p", "single", "--json", "hello")
    if trouble.fault != nil {
      rasa.environment["RASA_FAULT"] = nil
      answered = try await rasa.run("resume", try await rasa.latestRun(), "--json")
    }
    #expect(answered.exitCode == 0, "\(answered.errorText)")
    let told = try #require(try JSON.parse(answered.output)["cost_usd"].string)
    let run = try await rasa.latestRun()
    let shown = try await rasa.json("runs", "show", run)
    #expect(shown["cost_usd"].string == told)
    let costs = try await rasa.json("costs", "--by", "run")
    #expect(costs["rows"].array?.first?["spent_usd"].string == told)
    let events = try await rasa.run("runs", "events", run, "--json")
    let booked = try events.text.split(separator: "\n").map { try JSON.parse(String($0)) }
      .filter {
        ["call.result", "call.failed", "call.uncertain"].contains($0["kind"].string ?? "")
      }
      .compactMap { Money(decimal: ($0["cost"].string ?? $0["body"]["cost"].string) ?? "") }
    #expect(booked.count == 1 + max(1, trouble.breaks) && booked.allSatisfy { $0 > .zero })
    #expect(booked.reduce(.zero, +).decimalText == told)
  }
}

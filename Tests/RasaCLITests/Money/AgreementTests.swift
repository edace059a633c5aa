import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("What a run has cost")
struct AgreementTests {
  @Test("the same figure everywhere, failed attempts included")
  func agree() async throws {
    let provider = try ScriptedProvider.start([
      Script.words(400).broken(after: 300, .close).once(), .text("an answer"),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let answered = try await rasa.run("run", "-p", "single", "--json", "hello")
    #expect(answered.exitCode == 0, "\(answered.errorText)")
    let told = try #require(try JSON.parse(answered.output)["cost_usd"].string)
    let run = try await rasa.latestRun()
    let shown = try await rasa.json("runs", "show", run)
    #expect(shown["cost_usd"].string == told)
    #expect(shown["calls"]["failed"] == 1)
    let costs = try await rasa.json("costs", "--by", "run")
    #expect(costs["rows"].array?.first?["spent_usd"].string == told)
    let events = try await rasa.run("runs", "events", run, "--json")
    let booked = try events.text.split(separator: "\n").map { try JSON.parse(String($0)) }
      .filter { ["call.result", "call.failed"].contains($0["kind"].string ?? "") }
      .compactMap { Money(decimal: ($0["cost"].string ?? $0["body"]["cost"].string) ?? "") }
    #expect(booked.count == 2 && booked.allSatisfy { $0 > .zero })
    #expect(booked.reduce(.zero, +).decimalText == told)
  }
}

import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("Limits that hold although processes are killed")
struct KilledSpendingTests {
  /// 0.15 and 0.60 dollars for a million tokens, as the catalogue has it.
  private static let tariffs = [
    "gpt-4o-mini": Tariff(
      input: Money(decimal: "0.15") ?? .max, output: Money(decimal: "0.60") ?? .max)
  ]

  @Test(
    "the books cover the provider's bill and never pass the limit", arguments: [1, 2] as [UInt64])
  func covered(seed: UInt64) async throws {
    var numbers = SeededNumbers(seed: seed)
    let provider = try ScriptedProvider.start([
      Script.words(20).with { $0.tokenDelay = .milliseconds(1) }.rememberingKeys()
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    // Room for some of the calls, whatever becomes of them.
    let limit = try #require(Money(decimal: "0.004"))
    try rasa.writeSingle("cost_budget: {max_daily: \(limit.decimalText)}")
    let lives = (0..<32).map { _ in
      Bool.random(using: &numbers) ? Int.random(in: 3...120, using: &numbers) : nil
    }
    for batch in stride(from: 0, to: lives.count, by: 8) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for life in lives[batch..<min(batch + 8, lives.count)] {
          group.addTask {
            let program = try RunningProgram(
              RasaProgram.binary, ["run", "-p", "single", "hello"], environment: rasa.environment,
              folder: rasa.home.path, limit: life.map { .milliseconds($0) } ?? .seconds(60),
              atLimit: life == nil ? .fail : .kill)
            _ = try await program.finish()
          }
        }
        try await group.waitForAll()
      }
      try await expectCovered(rasa, provider, limit)
    }
    // What was killed goes on: answers that were paid are not paid again.
    _ = try await rasa.run("resume", "--all")
    try await expectCovered(rasa, provider, limit)
    #expect(provider.asked > 0)
  }

  /// What the provider wants for all that it has sent is in the books, spent or held, and they are
  /// within the limit.
  private func expectCovered(
    _ rasa: RasaProgram, _ provider: ScriptedProvider, _ limit: Money
  ) async throws {
    let day = try await rasa.budget()["daily"]
    let spent = try #require(Money(day["spent"]))
    let held = try #require(Money(day["held"]))
    let bill = provider.invoice.bill(Self.tariffs).total
    #expect(bill <= spent + held)
    #expect(spent + held <= limit)
  }
}

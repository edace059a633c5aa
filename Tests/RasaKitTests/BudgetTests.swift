import RasaKit
import RasaTestKit
import Testing

@Suite("Budgets and costs from a program", .timeLimit(.minutes(1))) struct BudgetTests {
  private static func spent() async throws -> Kit {
    let kit = try Kit(
      provider: [.text("All is new.")],
      files: ["home/config.yaml": "budget:\n  max_daily: 5.00\n  time_zone: \(TestZone.noon)\n"])
    var writer = Kit.writer
    writer.maxDailyCost = 2
    try await kit.rasa.register(writer)
    _ = try await kit.rasa.run(agent: "note-writer", input: "What is new?").result()
    return kit
  }

  @Test func listsWhatWasSpentUnderEachLimit() async throws {
    let kit = try await Self.spent()
    let budgets = try await kit.rasa.budgets()
    #expect(budgets.last?.owner == "everyone" && budgets.last?.day.limit == 5)
    let own = try #require(budgets.first { $0.owner == "note-writer" })
    #expect(own.day.spent > 0 && own.day.spent == own.month.spent && own.day.held == 0)
    #expect(own.day.limit == 2 && own.day.remaining == 2 - own.day.spent)
    #expect(own.month.limit == nil && own.month.remaining == nil)
    let today = try await kit.rasa.today()
    #expect(own.day.name == "\(today)" && own.day.countedSinceDay == today)
    #expect(try await kit.rasa.budget(of: nil).day.spent == own.day.spent)
    await kit.rasa.close()
  }

  @Test func resetsAndImportsWithoutCountingTwice() async throws {
    let kit = try await Self.spent()
    let before = try await kit.rasa.budget(of: "note-writer")
    let reset = try await kit.rasa.reset(before, [.day])
    #expect(reset.map(\.change) == [.zero - before.day.spent])
    let after = try await kit.rasa.budget(of: "note-writer")
    #expect(after.day.spent == 0 && after.month.spent == before.month.spent)
    #expect(after.day.countedSince >= before.day.countedSince)
    let file = Array(before.file([.day]).utf8)
    let first = try await kit.rasa.importBudget(file)
    #expect(first.periods.map(\.change.change) == [before.day.spent])
    #expect(first.warnings.isEmpty)
    #expect(try await kit.rasa.importBudget(file).periods.map(\.change.change) == [0])
    #expect(try await kit.rasa.budget(of: "note-writer").day.spent == before.day.spent)
    await kit.rasa.close()
  }

  @Test func addsUpByWhatIsAskedFor() async throws {
    let kit = try await Self.spent()
    let costs = try await kit.rasa.costs(
      by: [.persona, .model, .persona], model: "openai:gpt-4o-mini")
    #expect(costs.keys == [.persona, .model])
    #expect(costs.rows.map(\.keys) == [["note-writer", "gpt-4o-mini"]])
    #expect(costs.total.calls == 1 && costs.total.spent == costs.rows.first?.spent)
    let none = try await kit.rasa.costs(model: "another-model")
    #expect(none.rows.isEmpty && none.total.calls == 0)
    let today = try await kit.rasa.today()
    await #expect(throws: RasaError.self) {
      try await kit.rasa.costs(from: today, to: today.advanced(byDays: -1))
    }
    await kit.rasa.close()
  }

  @Test(arguments: [
    ("{}", "has no owner"), ("{", "the file"),
    (#"{"agent_id":"a","daily":{"date":"x","spent":1}}"#, "a day"),
  ])
  func saysWhatIsWrongWithAFile(text: String, part: String) async throws {
    let kit = try Kit()
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.importBudget(Array(text.utf8), named: "the file")
    }
    #expect(error?.code == .configuration && error?.description.contains(part) == true)
    await kit.rasa.close()
  }

  @Test func namesWhoWasMeant() async throws {
    let kit = try await Self.spent()
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.budget(of: "note-writter")
    }
    #expect(error?.suggestion.contains("note-writer") == true)
    await kit.rasa.close()
  }

  @Test(arguments: [
    ("0.5", "1", 50), ("0", "1", 0), ("1.999", "2", 99), ("3", "2", 150), ("1", "0", 100),
    ("9000000", "0.000000000001", Int.max),
  ])
  func comparesAmounts(amount: String, whole: String, percent: Int) throws {
    let amount = try #require(Rasa.Dollars(amount))
    #expect(amount.percent(of: try #require(Rasa.Dollars(whole))) == percent)
  }
}

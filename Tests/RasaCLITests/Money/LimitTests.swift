import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("Limits that hold")
struct LimitTests {
  /// What one question is reckoned at before it is asked: tokens and dollars.
  private struct Estimate {
    var input: Value
    var output: Value
    var cost: Money
  }

  /// Asks once where nothing is limited, and reads in the journal what was held for it.
  private func estimate() async throws -> Estimate {
    let provider = try ScriptedProvider.start([.text("an answer")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    try await rasa.ask()
    let events = try await rasa.run("runs", "events", try await rasa.latestRun(), "--json")
    let intent = try #require(
      try events.text.split(separator: "\n").map { try JSON.parse(String($0)) }
        .first { $0["kind"] == "call.intent" })
    let estimate = intent["body"]["estimate"]
    return Estimate(
      input: estimate["input"], output: estimate["output"],
      cost: try #require(Money(decimal: estimate["cost"].string ?? "")))
  }

  /// An answer that is billed at exactly what was held for it.
  private func answer(_ estimate: Estimate) -> Script {
    Script.text("an answer").with {
      $0.usage = .exactly(prompt: estimate.input, completion: estimate.output)
    }
  }

  /// Asks as often as that, all at once; how often each exit code came.
  private func ask(_ rasa: RasaProgram, _ personas: [String]) async throws -> [Int32: Int] {
    try await withThrowingTaskGroup(of: Int32.self) { group in
      for persona in personas {
        group.addTask { try await rasa.run("run", "-p", persona, "hello").exitCode }
      }
      return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
  }

  @Test("a budget worth 10 calls, and 50 at once: 10 are served, and all of it is spent")
  func exactly() async throws {
    let estimate = try await estimate()
    let limit = Money(picoDollars: estimate.cost.picoDollars * 10)
    let provider = try ScriptedProvider.start([answer(estimate)])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle("cost_budget: {max_daily: \(limit.decimalText)}")
    let codes = try await ask(rasa, Array(repeating: "single", count: 50))
    #expect(codes == [0: 10, 6: 40])
    #expect(provider.asked == 10)
    let file = try await rasa.budget()
    #expect(Money(file["daily"]["spent"]) == limit && file["daily"]["held"].double == 0)
    let text = try await rasa.run("agents", "budget", "single", "--daily").text
    #expect(text.contains("(100% used)"))
    let total = try await rasa.json("costs")["total"]
    #expect(total["calls"] == 10 && total["spent_usd"] == .string(limit.decimalText))
  }

  @Test("the shared limit applies across personas, whatever each of them may spend")
  func everyone() async throws {
    let estimate = try await estimate()
    let limit = Money(picoDollars: estimate.cost.picoDollars * 4)
    let provider = try ScriptedProvider.start([answer(estimate)])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle("cost_budget: {max_daily: 100}")
    // The same letters give the same prompt but for the name, which has as many.
    try rasa.home.write(
      "name: second\ndescription: One answer.\nframes: [session_frame]\noperators: []\n",
      to: "personas/second.yaml")
    try rasa.home.write("budget: {max_daily: \(limit.decimalText)}\n", to: "config.yaml")
    let personas = (0..<12).map { $0 % 2 == 0 ? "single" : "second" }
    #expect(try await ask(rasa, personas) == [0: 4, 6: 8])
    let file = try await rasa.budget("everyone")
    #expect(Money(file["daily"]["spent"]) == limit)
    #expect(Money(file["monthly"]["spent"]) == limit && file["monthly"]["limit"] == .null)
  }

  @Test(
    "a limit of zero lets nothing through but free calls",
    arguments: [
      ("cost_budget: {max_daily: 0}", ""), ("cost_budget: {max_monthly: 0.00}", ""),
      ("", "budget: {max_daily: 0}"), ("", "budget: {max_monthly: 0}"),
      ("", "budget: {max_per_execution: 0}"),
    ])
  func zero(persona: String, configuration: String) async throws {
    let provider = try ScriptedProvider.start([RasaProgram.answer])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle(persona)
    try rasa.home.write(configuration, to: "config.yaml")
    let run = try await rasa.run("run", "-p", "single", "hello")
    #expect(run.exitCode == 6, "\(run.errorText)")
    #expect(provider.asked == 0)
    #expect(try await rasa.run("run", "-p", "single", "hello", "--model", "mock").exitCode == 0)
  }

  @Test("a project narrows what its user allows, and a wider limit there changes nothing")
  func project() async throws {
    let provider = try ScriptedProvider.start([RasaProgram.answer])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    try rasa.home.write("budget: {max_daily: 0}\n", to: "config.yaml")
    try rasa.home.write("budget: {max_daily: 100}\n", to: ".rasa/config.yaml")
    #expect(try await rasa.run("run", "-p", "single", "hello").exitCode == 6)
    try rasa.home.write("budget: {max_daily: 100}\n", to: "config.yaml")
    #expect(try await rasa.run("run", "-p", "single", "hello").exitCode == 0)
    try rasa.home.write("budget: {max_daily: 0}\n", to: ".rasa/config.yaml")
    #expect(try await rasa.run("run", "-p", "single", "hello").exitCode == 6)
    #expect(provider.asked == 1)
  }

  @Test("a day is that of its time zone: after midnight there the whole limit is available")
  func days() async throws {
    let provider = try ScriptedProvider.start([RasaProgram.answer])
    defer { provider.stop() }
    var east = try RasaProgram(provider)
    try east.writeSingle("cost_budget: {max_daily: 5.00}")
    var west = east
    // Twenty-five hours apart, so never the same day.
    east.environment["TZ"] = "EAST-14"
    west.environment["TZ"] = "WEST+11"
    let day = try await east.writeBudget(spent: "5")
    #expect(try await east.run("agents", "budget", "--import", "b.json").exitCode == 0)
    #expect(try await east.run("run", "-p", "single", "hello").exitCode == 6)
    #expect(try await west.run("run", "-p", "single", "hello").exitCode == 0)
    let other = try await west.budget()
    #expect(other["daily"]["date"] != .string(day))
    #expect(Money(other["daily"]["spent"]) == Money(decimal: RasaProgram.answerCost))
    let rows = try await west.json("costs", "--by", "day", "--since", "2d")["rows"]
    #expect(rows.array?.map { $0["day"] } == [other["daily"]["date"]])
    #expect(try await east.run("costs", "--since", "today").text.hasPrefix("nothing was spent"))
  }

  @Test("the budget's time zone overrides the machine's")
  func zones() async throws {
    let provider = try ScriptedProvider.start([RasaProgram.answer])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    rasa.environment["TZ"] = "Pacific/Pago_Pago"
    let west = try await rasa.budget("everyone")["daily"]["date"]
    try rasa.home.write("budget: {time_zone: Pacific/Kiritimati}\n", to: "config.yaml")
    try await rasa.ask()
    let file = try await rasa.budget()
    #expect(file["daily"]["date"] != west)
    #expect(Money(file["daily"]["spent"]) == Money(decimal: RasaProgram.answerCost))
    #expect(file["last_reset_daily"].string?.hasSuffix("T10:00:00Z") == true)
    try rasa.home.write("budget: {time_zone: Atlantis/Poseidonis}\n", to: "config.yaml")
    let unknown = try await rasa.run("run", "-p", "single", "hello")
    #expect(unknown.exitCode == 3 && unknown.errorText.contains("config.yaml:1:21"))
  }
}

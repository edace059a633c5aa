import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

@Suite("rasa agents budget")
struct BudgetTests {
  private static let limits = "cost_budget: {max_daily: 5.00, max_monthly: 100.00}"

  @Test("it prints the documented lines")
  func lines() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle(Self.limits)
    let day = try await rasa.writeBudget()
    let imported = try await rasa.run("agents", "budget", "--import", "b.json")
    #expect(imported.exitCode == 0, "\(imported.errorText)")
    #expect(imported.errorText.isEmpty)
    let run = try await rasa.run("agents", "budget", "single")
    #expect(
      run.text == """
        Agent: single
        Daily Budget: $2.45 / $5.00 (49% used)
        Monthly Budget: $45.20 / $100.00 (45% used)
        Last Reset: Daily: \(day), Monthly: \(day.prefix(8))01

        """)
    let daily = try await rasa.run("agents", "budget", "single", "--daily")
    #expect(
      daily.text
        == "Agent: single\nDaily Budget: $2.45 / $5.00 (49% used)\nLast Reset: Daily: \(day)\n")
    let monthly = try await rasa.run("agents", "budget", "single", "--monthly")
    #expect(!monthly.text.contains("Daily") && monthly.text.contains("$45.20 / $100.00"))
  }

  @Test("an unused period starts on its first day")
  func untouched() async throws {
    var rasa = try RasaProgram()
    rasa.environment["TZ"] = "EAST-05:30"
    try rasa.writeSingle(Self.limits)
    let file = try await rasa.budget()
    let day = try #require(file["daily"]["date"].string)
    let run = try await rasa.run("agents", "budget", "single")
    #expect(
      run.text == """
        Agent: single
        Daily Budget: $0.00 / $5.00 (0% used)
        Monthly Budget: $0.00 / $100.00 (0% used)
        Last Reset: Daily: \(day), Monthly: \(day.prefix(7))-01

        """)
    #expect(file["agent_id"] == "single" && file["monthly"]["month"] == .string("\(day.prefix(7))"))
    // Midnight there, in UTC.
    let begins = try #require(LocalDay(day))
    #expect(
      file["last_reset_daily"] == .string("\(begins.advanced(byDays: -1))T18:30:00Z"))
    #expect(
      file["last_reset_monthly"]
        == .string("\(begins.firstOfMonth.advanced(byDays: -1))T18:30:00Z"))
    #expect(file["daily"]["limit"].double == 5 && file["daily"]["held"].double == 0)
  }

  @Test("what a run spends is shown to the last decimal")
  func spending() async throws {
    let provider = try ScriptedProvider.start([RasaProgram.answer])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle(Self.limits)
    try await rasa.ask()
    try await rasa.ask()
    let file = try await rasa.budget()
    #expect(Money(file["daily"]["spent"]) == Money(decimal: "0.000009"))
    #expect(Money(file["monthly"]["spent"]) == Money(decimal: "0.000009"))
    let run = try await rasa.run("agents", "budget", "single", "--daily")
    #expect(run.text.contains("Daily Budget: $0.000009 / $5.00 (0% used)"))
  }

  @Test("everyone with a limit or a balance is listed, even if only the ledger has the name")
  func everybody() async throws {
    let rasa = try RasaProgram()
    let nothing = try await rasa.run("agents", "budget")
    #expect(nothing.exitCode == 0 && nothing.text.contains("there are no daily or monthly limits"))
    #expect(try JSON.parse(try await rasa.run("agents", "budget", "--json").output) == [])
    try rasa.writeSingle(Self.limits)
    try rasa.home.write("budget: {max_daily: 0}\n", to: "config.yaml")
    _ = try await rasa.writeBudget("gone-agent", daily: "null", monthly: "null")
    #expect(try await rasa.run("agents", "budget", "--import", "b.json").exitCode == 0)
    let all = try await rasa.run("agents", "budget")
    let blocks = all.text.split(separator: "\n\n").map { $0.prefix { $0 != "\n" } }
    #expect(blocks == ["Agent: gone-agent", "Agent: single", "Agent: everyone"])
    #expect(all.text.contains("Daily Budget: $2.45 (no limit)"))
    #expect(all.text.contains("Daily Budget: $0.00 / $0.00 (100% used)"))
    let documents = try JSON.parse(try await rasa.run("agents", "budget", "--json").output)
    #expect(
      documents.array?.map { $0["agent_id"].string } == ["gone-agent", "single", "everyone"])
    #expect(documents.array?[0]["daily"]["limit"] == .null)
    #expect(try await rasa.run("agents", "budget", "gone-agent").text.contains("$45.20"))
  }

  @Test("an unknown name is reported with a suggestion")
  func unknown() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    let run = try await rasa.run("agents", "budget", "singel")
    #expect(run.exitCode == 3 && run.errorText.contains("did you mean `single`?"))
    #expect(try await rasa.run("agents", "budgett").exitCode == 2)
    let costs = try await rasa.run("costs", "-p", "singel")
    #expect(costs.exitCode == 3 && costs.errorText.contains("did you mean `single`?"))
  }

  @Test("an alias shows its persona, and a broken persona its ledger entries")
  func names() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle("alias: one\n" + Self.limits)
    #expect(try await rasa.budget("one")["agent_id"] == "single")
    _ = try await rasa.writeBudget()
    #expect(try await rasa.run("agents", "budget", "--import", "b.json").exitCode == 0)
    try rasa.home.write("name: single\nframes: 5\n", to: "personas/single.yaml")
    let run = try await rasa.run("agents", "budget", "single")
    #expect(run.exitCode == 0 && run.text.contains("$2.45 (no limit)"))
    #expect(run.errorText.contains("cannot be read"))
  }
}

@Suite("rasa agents budget: personas from elsewhere, and periods")
struct BudgetElsewhereTests {
  @Test("a persona that was run by its path has the limits of the copy that its run keeps")
  func elsewhere() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(
      "name: far\ndescription: Far.\nframes: [session_frame]\noperators: []\n"
        + "cost_budget: {max_daily: 5.00}\n", to: "elsewhere/far.yaml")
    let run = try await rasa.run("run", "-p", "elsewhere/far.yaml", "hello")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let budget = try await rasa.run("agents", "budget", "far")
    #expect(budget.exitCode == 0 && budget.text.contains("/ $5.00"), "\(budget.text)")
  }

  @Test("JSON has the periods that are asked for")
  func periods() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle("cost_budget: {max_daily: 5.00, max_monthly: 100.00}")
    let day = try await rasa.json("agents", "budget", "single", "--daily")
    #expect(!day["daily"].isNull && day["monthly"].isNull && day["last_reset_monthly"].isNull)
    let both = try await rasa.json("agents", "budget", "single")
    #expect(!both["daily"].isNull && !both["monthly"].isNull)
  }
}

@Suite("rasa agents budget --reset")
struct BudgetResetTests {
  private func spent() async throws -> RasaProgram {
    let rasa = try RasaProgram()
    try rasa.writeSingle("cost_budget: {max_daily: 5.00, max_monthly: 100.00}")
    _ = try await rasa.writeBudget()
    #expect(try await rasa.run("agents", "budget", "--import", "b.json").exitCode == 0)
    return rasa
  }

  @Test("it resets the chosen periods, and says what no longer counts")
  func chosen() async throws {
    let rasa = try await spent()
    let run = try await rasa.run("agents", "budget", "single", "--daily", "--reset", "--yes")
    #expect(run.exitCode == 0 && run.text.contains("$2.45 no longer counts"), "\(run.errorText)")
    let file = try await rasa.budget()
    #expect(file["daily"]["spent"].double == 0 && file["monthly"]["spent"].double == 45.2)
    let both = try await rasa.run("agents", "budget", "single", "--reset", "-y", "--json")
    let changes = try JSON.parse(both.output)
    #expect(changes.array?.map { $0["changed_by_usd"].string } == ["0", "-45.2"])
    #expect(try await rasa.budget()["monthly"]["spent"].double == 0)
  }

  @Test("nothing is reset without a yes")
  func unconfirmed() async throws {
    let rasa = try await spent()
    let run = try await rasa.run("agents", "budget", "single", "--reset")
    #expect(run.exitCode == 7 && run.errorText.contains("--yes"), "\(run.errorText)")
    let terminal = try rasa.terminal("agents", "budget", "single", "--reset")
    try await terminal.expect("[y/N]")
    terminal.send("n\r")
    #expect(try await terminal.waitForExit() == 7)
    #expect(try await rasa.budget()["daily"]["spent"].double == 2.45)
    let agreed = try rasa.terminal("agents", "budget", "single", "--reset")
    try await agreed.expect("[y/N]")
    agreed.send("y\r")
    #expect(try await agreed.waitForExit() == 0)
    #expect(try await rasa.budget()["daily"]["spent"].double == 0)
  }

  @Test("where nothing was spent there is nothing to confirm, and all at once is not offered")
  func nothing() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    let run = try await rasa.run("agents", "budget", "single", "--reset")
    #expect(run.exitCode == 0 && run.text.contains("nothing was spent"))
    #expect(try await rasa.run("agents", "budget", "--reset", "--yes").exitCode == 2)
    #expect(try await rasa.run("agents", "budget", "single", "--yes").exitCode == 2)
  }
}

@Suite("Budget files in and out")
struct BudgetFilesTests {
  @Test("importing twice changes nothing, nor does importing a smaller amount")
  func twice() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle("cost_budget: {max_daily: 4.00}")
    let day = try await rasa.writeBudget()
    let first = try await rasa.run("agents", "budget", "--import", "b.json")
    #expect(first.text.contains("single, \(day): counts $2.45 now, $2.45 more than before"))
    #expect(first.errorText.contains("daily limit of $5.00 is not imported"))
    #expect(first.errorText.contains("that of `single` is $4.00"))
    #expect(first.errorText.contains("monthly limit of $100.00 is not imported"))
    let again = try await rasa.run("agents", "budget", "--import", "b.json", "--json")
    let changes = try JSON.parse(again.output)
    #expect(changes.array?.map { $0["changed_by_usd"] } == ["0", "0"])
    _ = try await rasa.writeBudget(spent: "1", monthSpent: "46")
    #expect(try await rasa.run("agents", "budget", "--import", "b.json").exitCode == 0)
    let file = try await rasa.budget()
    #expect(file["daily"]["spent"].double == 2.45 && file["monthly"]["spent"].double == 46)
  }

  @Test("a file of the past counts in its own day and month")
  func past() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(
      """
      {"agent_id": "old", "daily": {"date": "2024-02-29", "spent": 1.5},
       "monthly": {"month": "2024-02", "spent": 2.5}}
      """, to: "old.json")
    let run = try await rasa.run("agents", "budget", "--import", "old.json")
    #expect(run.exitCode == 0 && run.text.contains("old, 2024-02-29: counts $1.50 now"))
    #expect(
      try await rasa.run("agents", "budget").text.contains("there are no daily or monthly limits"))
    let unknown = try await rasa.run("agents", "budget", "nobody-here")
    #expect(unknown.exitCode != 0)
    #expect(unknown.errorText.contains("there is no agent or persona `nobody-here`"))
    let again = try await rasa.run("agents", "budget", "--import", "old.json")
    #expect(again.text.contains("already counts $1.50 or more"))
  }

  @Test("every broken file is reported with its location, and the rest is imported")
  func broken() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    _ = try await rasa.writeBudget(to: ".radium/budgets/single.json")
    let files = [
      "cut": "{\"agent_id\": \"cut\",",
      "negative":
        "{\"agent_id\": \"n\",\n \"daily\": {\"date\": \"2025-12-07\", \"spent\": -1}}",
      "empty": "", "list": "[1]",
    ]
    for (name, text) in files { try rasa.home.write(text, to: ".radium/budgets/\(name).json") }
    try rasa.home.write("not a budget", to: ".radium/budgets/notes.txt")
    let run = try await rasa.run(
      "agents", "budget", "--import", "\(rasa.home.path)/.radium/budgets")
    #expect(run.exitCode == 3)
    #expect(run.errorText.contains("4 of 5 files cannot be imported"), "\(run.errorText)")
    #expect(run.errorText.contains("negative.json:2:43"))
    for name in files.keys { #expect(run.errorText.contains("/\(name).json:")) }
    #expect(try await rasa.budget()["daily"]["spent"].double == 2.45)
    let one = try await rasa.run("agents", "budget", "--import", ".radium/budgets/list.json")
    #expect(one.exitCode == 3 && one.errorText.contains("list.json:1:1"))
    let none = try await rasa.run("agents", "budget", "--import", "nowhere.json")
    #expect(none.exitCode == 3 && none.errorText.contains("nowhere.json"))
  }

  @Test("an export can be imported unchanged elsewhere, and is private")
  func export() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle("cost_budget: {max_daily: 5}")
    _ = try await rasa.writeBudget(spent: "2.450000000001")
    #expect(try await rasa.run("agents", "budget", "--import", "b.json").exitCode == 0)
    let run = try await rasa.run("agents", "budget", "--export", "out")
    #expect(run.exitCode == 0 && run.text.contains("out/single.json"), "\(run.errorText)")
    let modes = try await rasa.shell("stat -c %a out out/*; ls out")
    #expect(modes.text == "700\n600\nsingle.json\n")
    let other = try RasaProgram()
    let imported = try await other.run("agents", "budget", "--import", "\(rasa.home.path)/out")
    #expect(imported.exitCode == 0, "\(imported.errorText)")
    let file = try await other.budget()
    #expect(Money(file["daily"]["spent"]) == Money(decimal: "2.450000000001"))
    let one = try await rasa.run("agents", "budget", "everyone", "--export", "all")
    #expect(one.text.contains("all/everyone.json"))
  }
}

import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa costs")
struct CostsTests {
  private func spent(_ calls: Int = 2) async throws -> (RasaProgram, ScriptedProvider) {
    let provider = try ScriptedProvider.start([RasaProgram.answer])
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    for _ in 0..<calls { try await rasa.ask() }
    return (rasa, provider)
  }

  @Test("the three formats say the same")
  func formats() async throws {
    let (rasa, provider) = try await spent()
    defer { provider.stop() }
    let table = try await rasa.run("costs")
    #expect(table.exitCode == 0, "\(table.errorText)")
    #expect(table.text.contains("PERSONA") && table.text.contains("$0.000009"))
    #expect(table.text.contains("single") && table.text.contains("gpt-4o-mini"))
    let value = try await rasa.json("costs")
    let row = try #require(value["rows"].array?.first)
    #expect(row["persona"] == "single" && row["model"] == "gpt-4o-mini" && row["calls"] == 2)
    #expect(row["spent_usd"] == "0.000009" && row["input_tokens"] == 20)
    #expect(value["total"]["output_tokens"] == 10 && value["total"]["unpriced_calls"] == 0)
    let csv = try await rasa.run("costs", "--format", "csv")
    #expect(csv.text.contains("\r\nsingle,gpt-4o-mini,2,0,20,10,0,0,0,0.000009,0,0\r\n"))
  }

  @Test(
    "it adds up by anything, in the order that was asked for",
    arguments: [
      (["--by", "model"], ["model"]), (["--by", "day,persona"], ["day", "persona"]),
      (["--by", "run", "--by", "operator"], ["run", "operator"]),
      (["--by", "provider, month"], ["provider", "month"]),
      (["--by", "day", "--by", "day"], ["day"]),
    ])
  func keys(arguments: [String], keys: [String]) async throws {
    let (rasa, provider) = try await spent()
    defer { provider.stop() }
    let run = try await ProgramRun.run(
      RasaProgram.binary, ["costs", "--json"] + arguments, environment: rasa.environment,
      folder: rasa.home.path)
    let value = try JSON.parse(run.output)
    #expect(value["by"].array?.compactMap(\.string) == keys)
    let rows = try #require(value["rows"].array)
    #expect(rows.count == (keys.contains("run") ? 2 : 1))
    for key in keys { #expect(rows.first?[key].string?.isEmpty == false) }
  }

  @Test("days and names filter, and missing ones give nothing")
  func filters() async throws {
    let (rasa, provider) = try await spent(1)
    defer { provider.stop() }
    func calls(_ arguments: String...) async throws -> Value {
      let run = try await ProgramRun.run(
        RasaProgram.binary, ["costs", "--json"] + arguments, environment: rasa.environment,
        folder: rasa.home.path)
      #expect(run.exitCode == 0, "\(run.errorText)")
      return try JSON.parse(run.output)["total"]["calls"]
    }
    for since in ["today", "month", "0d", "7d", "30d", "2000-01-01"] {
      #expect(try await calls("--since", since) == 1)
    }
    #expect(try await calls("--since", "2000-01-01", "--until", "1d") == 0)
    #expect(try await calls("-p", "single", "--model", "gpt-4o-mini") == 1)
    #expect(try await calls("--model", "openai:gpt-4o-mini") == 1)
    #expect(try await calls("--model", "gpt-4o") == 0)
    #expect(try await calls("-p", "support_triage") == 0)
    let none = try await rasa.run("costs", "-p", "support_triage")
    #expect(none.exitCode == 0 && none.text.hasPrefix("nothing was spent"))
  }

  @Test(
    "an impossible value is a usage error",
    arguments: [
      ["--by", "colour"], ["--by", "model,"], ["--since", "yesterday"], ["--since", "2026-02-30"],
      ["--since", "2026-01-31", "--until", "2026-01-30"], ["--format", "xml"], ["x"],
    ])
  func usage(arguments: [String]) async throws {
    let rasa = try RasaProgram()
    let run = try await ProgramRun.run(
      RasaProgram.binary, ["costs"] + arguments, environment: rasa.environment,
      folder: rasa.home.path)
    #expect(run.exitCode == 2, "\(run.text)\(run.errorText)")
  }

  @Test("calls that failed are counted")
  func failures() async throws {
    let provider = try ScriptedProvider.start([.error(400, "no").once(), RasaProgram.answer])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    #expect(try await rasa.run("run", "-p", "single", "hello").exitCode != 0)
    try await rasa.ask()
    let total = try await rasa.json("costs")["total"]
    #expect(total["failures"] == 1 && total["calls"] == 2)
    #expect(total["spent_usd"] == .string(RasaProgram.answerCost))
  }
}

import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// A program whose one persona spends, and what it then says about the money.
extension RasaProgram {
  /// An answer that costs a ten-thousandth of a cent and more at the price of gpt-4o-mini:
  /// 10 × 0.15 + 5 × 0.60 millionths of a dollar.
  static let answer = Script.text("five words are the answer").with {
    $0.usage = .exactly(prompt: 10, completion: 5)
  }
  static let answerCost = "0.0000045"

  func ask(_ question: String = "hello") async throws {
    let run = try await run("run", "-p", "single", question)
    #expect(run.exitCode == 0, "\(run.errorText)")
  }

  /// The budget file's document.
  func budget(_ id: String = "single") async throws -> Value {
    let run = try await run("agents", "budget", id, "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    return try JSON.parse(run.output)
  }

  /// Writes a budget file of the day that it is for the program, and returns the day.
  func writeBudget(
    _ id: String = "single", spent: String = "2.45", monthSpent: String = "45.20",
    daily: String = "5.00", monthly: String = "100.00", to path: String = "b.json"
  ) async throws -> String {
    let day = try #require(try await budget("everyone")["daily"]["date"].string)
    try home.write(
      """
      {"agent_id": "\(id)", "daily": {"date": "\(day)", "spent": \(spent), "limit": \(daily)},
      "monthly": {"month": "\(day.prefix(7))", "spent": \(monthSpent), "limit": \(monthly)},
      "last_reset_daily": "\(day)T00:00:00Z", "last_reset_monthly": "\(day)T00:00:00Z"}
      """, to: path)
    return day
  }
}

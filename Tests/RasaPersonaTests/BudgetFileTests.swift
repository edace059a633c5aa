import RasaCore
import RasaPersona
import Testing

@Suite("Budget files")
struct BudgetFileTests {
  private static let seed = """
    {
      "agent_id": "arch-agent",
      "daily": {
        "date": "2025-12-07",
        "spent": 2.45,
        "limit": 5.00
      },
      "monthly": {
        "month": "2025-12",
        "spent": 45.20,
        "limit": 100.00
      },
      "last_reset_daily": "2025-12-07T00:00:00Z",
      "last_reset_monthly": "2025-12-01T00:00:00Z"
    }
    """

  private static func read(_ text: String) -> Reading<BudgetFile> {
    BudgetFile.read(ConfigurationLoaderTests.document(text, "b.json"))
  }

  @Test("the documented form is read")
  func documented() throws {
    let reading = Self.read(Self.seed)
    let file = try reading.get()
    #expect(reading.warnings.isEmpty)
    #expect(file.agentID == "arch-agent")
    #expect(file.daily?.date == LocalDay(year: 2025, month: 12, day: 7))
    #expect(file.daily?.amounts.spent == Money(decimal: "2.45"))
    #expect(file.daily?.amounts.limit == Money(decimal: "5"))
    #expect(file.monthly?.month == "2025-12")
    #expect(file.monthly?.amounts.spent == Money(decimal: "45.2"))
  }

  @Test("a written file is read back to the last digit, and looks as documented")
  func back() throws {
    let file = BudgetFile(
      agentID: "a",
      daily: .init(
        date: LocalDay(year: 2025, month: 12, day: 7),
        amounts: .init(spent: Money(picoDollars: 1_234_567_890_123_456_789), limit: nil)),
      monthly: .init(
        month: "2025-12",
        amounts: .init(
          spent: Money(picoDollars: 3), limit: .dollar, held: Money(picoDollars: 100_000_000_000))),
      lastResetDaily: Timestamp(milliseconds: 1_765_065_600_000),
      lastResetMonthly: Timestamp(milliseconds: 0))
    #expect(
      file.text == """
        {
          "agent_id": "a",
          "daily": {
            "date": "2025-12-07",
            "spent": 1234567.890123456789,
            "limit": null,
            "held": 0.00
          },
          "monthly": {
            "month": "2025-12",
            "spent": 0.000000000003,
            "limit": 1.00,
            "held": 0.10
          },
          "last_reset_daily": "2025-12-07T00:00:00Z",
          "last_reset_monthly": "1970-01-01T00:00:00Z"
        }

        """)
    let read = try Self.read(file.text).get()
    #expect(read.daily?.amounts.spent == file.daily?.amounts.spent)
    #expect(read.monthly?.amounts.spent == file.monthly?.amounts.spent)
    #expect(read.daily?.amounts.limit == nil)
  }

  @Test(
    "computed amounts count at their value",
    arguments: [
      ("0.30000000000000004", "0.3"), ("3e-07", "0.0000003"), ("1e1", "10"), ("7", "7"),
    ])
  func reckoned(text: String, amount: String) throws {
    let file = try Self.read(
      "{\"agent_id\": \"a\", \"daily\": {\"date\": \"2025-12-07\", \"spent\": \(text)}}"
    ).get()
    #expect(file.daily?.amounts.spent == Money(decimal: amount))
    #expect(file.monthly == nil)
  }

  static let mistakes: [Mistake] = [
    Mistake("", "1:1", ""), Mistake("{", "1:2", ""), Mistake("[]", "1:1", "must be a mapping"),
    Mistake("{\"daily\": {}}", "1:1", "has no owner"),
    Mistake("{\"agent_id\": \"a\"}", "1:1", "neither `daily` nor `monthly`"),
    Mistake("{\"agent_id\": 5}", "1:14", "`agent_id` must be text"),
    Mistake("{\"agent_id\": \"../x\"}", "1:14", "`agent_id` must be a name"),
    Mistake("{\"agent_id\": \"*\"}", "1:14", "`agent_id` must be a name"),
    Mistake("{\"agent_id\": \"a\",\n \"daily\": {\"spent\": 1}}", "2:11", "has no `date`"),
    Mistake(
      "{\"agent_id\": \"a\",\n \"daily\": {\"date\": \"2025-02-30\", \"spent\": 1}}", "2:20",
      "must be a day such as 2025-12-07"),
    Mistake(
      "{\"agent_id\": \"a\",\n \"monthly\": {\"month\": \"2025-13\", \"spent\": 1}}", "2:23",
      "must be a month such as"),
    Mistake(
      "{\"agent_id\": \"a\",\n \"daily\": {\"date\": \"2025-12-07\", \"spent\": -1}}", "2:43",
      "must be an amount"),
    Mistake(
      "{\"agent_id\": \"a\",\n \"daily\": {\"date\": \"2025-12-07\", \"spent\": 1e300}}", "2:43",
      "must be an amount"),
    Mistake(
      "{\"agent_id\": \"a\",\n \"daily\": {\"date\": \"2025-12-07\", \"spent\": 1, \"limit\": []}}",
      "2:55", "must be an amount"),
  ]

  @Test("a broken file is reported with line and column", arguments: mistakes)
  func broken(_ mistake: Mistake) {
    let reading = Self.read(mistake.text)
    #expect(reading.definition == nil)
    #expect(mistake.isTold(by: reading.failures), "\(reading.failures)")
  }
}

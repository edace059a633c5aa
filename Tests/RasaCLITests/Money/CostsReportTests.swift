import RasaCLI
import RasaCore
import RasaDocuments
import RasaKit
import RasaTerminal
import Testing

@Suite("rasa costs: the report")
struct CostsReportTests {
  private static let days = ["2026-01-01", "2026-01-31"].compactMap { Rasa.Day($0) }

  private static func row(
    _ keys: [String], calls: Int64, failures: Int64 = 0, spent: Rasa.Dollars = .zero,
    held: Rasa.Dollars = .zero, input: Int64 = 0, output: Int64 = 0, unpriced: Int64 = 0
  ) -> Rasa.Costs.Row {
    var row = Rasa.Costs.Row(keys: keys)
    row.calls = calls
    row.failures = failures
    row.spent = spent
    row.held = held
    row.inputTokens = input
    row.outputTokens = output
    row.unpricedCalls = unpriced
    return row
  }

  private static func report(
    _ rows: [Rasa.Costs.Row], keys: [Rasa.Costs.Key] = [.persona, .model],
    total: Rasa.Costs.Row? = nil
  ) -> CostsReport {
    var sum = Rasa.Costs.Row()
    for row in rows {
      sum.calls += row.calls
      sum.failures += row.failures
      sum.spent += row.spent
      sum.held += row.held
      sum.unpricedCalls += row.unpricedCalls
      sum.inputTokens += row.inputTokens
      sum.outputTokens += row.outputTokens
    }
    return CostsReport(
      Rasa.Costs(from: days[0], to: days[1], keys: keys, rows: rows, total: total ?? sum))
  }

  private static let two = report([
    row(
      ["strategic_stock_analyst", "gpt-4o-mini"], calls: 12, failures: 1, spent: 2.45, held: 0.12,
      input: 123_456, output: 7890),
    row(
      ["critic", "a-model-with-a-very-long-name-indeed"], calls: 1,
      spent: Rasa.Dollars("0.000000000003") ?? .zero, input: 5, output: 6, unpriced: 1),
  ])

  @Test("the table shows amounts, a total, shares and calls without a price")
  func table() {
    let text = Self.two.table(width: 200)
    let lines = text.split(separator: "\n")
    #expect(lines[0].hasPrefix("PERSONA") && lines[0].hasSuffix("SHARE"))
    for title in ["MODEL", "CALLS", "FAILED", "INPUT", "OUTPUT", "CACHED", "REASONING", "HELD"] {
      #expect(lines[0].contains(title))
    }
    #expect(lines[1].contains("$2.45") && lines[1].contains("123456") && lines[1].hasSuffix("99%"))
    #expect(lines[2].contains("<$0.000001") && lines[2].hasSuffix("<1%"))
    #expect(lines[3].hasPrefix("total") && lines[3].hasSuffix("100%"))
    #expect(lines[3].contains(" 13 ") && lines[3].contains("$0.12"))
    #expect(lines[4] == "the price of 1 call is unknown and not included")
  }

  @Test("the table fits the terminal, and keeps the important columns", arguments: 50...140)
  func width(_ width: Int) {
    let text = Self.two.table(width: width)
    for line in text.split(separator: "\n").prefix(4) { #expect(displayWidth(line) <= width) }
    for word in ["PERSONA", "CALLS", "SPENT", "$2.45", "total"] { #expect(text.contains(word)) }
    if width >= 100 { #expect(text.contains("strategic_stock_analyst")) }
  }

  @Test(
    "a terminal that is too narrow for anything gets the least there is", arguments: [-5, 0, 1])
  func narrow(_ width: Int) {
    #expect(Self.two.table(width: width).contains("total"))
  }

  @Test("an empty result is reported as such")
  func nothing() throws {
    let report = Self.report([])
    #expect(report.table(width: 80) == "nothing was spent from 2026-01-01 to 2026-01-31\n")
    #expect(report.costs.document["rows"] == [] && report.costs.document["total"]["calls"] == 0)
    #expect(report.csv.split(separator: "\r\n").count == 1)
  }

  @Test("omitted rows are in the total, and are reported")
  func truncated() {
    let total = Self.row([], calls: 20, spent: 1)
    let report = Self.report([Self.row(["a", "b"], calls: 3)], total: total)
    #expect(report.table(width: 100).contains("only the first 1 rows are listed"))
  }

  @Test("programs get every decimal")
  func exact() throws {
    let value = Self.two.costs.document
    #expect(value["rows"].array?[1]["spent_usd"] == "0.000000000003")
    #expect(value["total"]["spent_usd"] == "2.450000000003")
    #expect(value["by"] == ["persona", "model"] && value["from"] == "2026-01-01")
    let lines = Self.two.csv.split(separator: "\r\n", omittingEmptySubsequences: false)
    #expect(
      lines[0]
        == "persona,model,calls,failures,input_tokens,output_tokens,cached_tokens,"
        + "cache_write_tokens,reasoning_tokens,spent_usd,held_usd,unpriced_calls")
    #expect(
      lines[1] == "strategic_stock_analyst,gpt-4o-mini,12,1,123456,7890,0,0,0,2.45,0.12,0")
    #expect(lines.count == 4 && lines[3].isEmpty)
  }

  @Test(
    "a spreadsheet shows names and does not evaluate them",
    arguments: [
      ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@sum", "'@sum"), ("a=b", "a=b"),
      ("=a,\"b\"", "\"'=a,\"\"b\"\"\""), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""),
      ("a\nb", "\"a\nb\""), ("\t=1", "\"'\t=1\""), ("", ""),
    ])
  func formulas(name: String, field: String) {
    let report = Self.report([Self.row([name], calls: 1)], keys: [.model])
    #expect(report.csv.contains("\r\n\(field),1,0,"))
  }

  @Test("hidden characters in a name do not reach the terminal")
  func hidden() {
    let report = Self.report(
      [Self.row(["evil\u{1B}[2J\nname"], calls: 1)], keys: [.model])
    let text = report.table(width: 100)
    #expect(text.contains("evil name") && !text.contains("\u{1B}"))
  }
}

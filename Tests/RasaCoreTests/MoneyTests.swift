import RasaCore
import Testing

@Suite("Money")
struct MoneyTests {
  private static let limit = "9223372.036854775807"

  @Test(
    "is read from decimal text without floating point",
    arguments: [
      ("0", 0), ("-0", 0), ("1", 1_000_000_000_000), ("0.075", 75_000_000_000),
      ("0.000000000001", 1), ("-0.000000000001", -1), ("0.1000000000000000", 100_000_000_000),
      (".5", 500_000_000_000), ("5.", 5_000_000_000_000), ("007", 7_000_000_000_000),
      (limit, .max), ("-\(limit)", -.max),
    ] as [(String, Int64)])
  func isRead(text: String, picoDollars: Int64) {
    #expect(Money(decimal: text)?.picoDollars == picoDollars)
  }

  @Test(
    "is not read from anything else",
    arguments: [
      "", ".", "-", "-.", "+1", "1e3", "1,5", "1.2.3", " 1", "1 ", "$1", "--1", "1-", "٣",
      "0.0000000000001", "9223372.036854775808", "9223373", "99999999999999999999",
      "0.9999999999999", "inf", "nan",
    ])
  func isNotRead(text: String) {
    #expect(Money(decimal: text) == nil)
  }

  @Test(
    "is read from a document's value as the author wrote it",
    arguments: [
      (0.1, 100_000_000_000), (2.5, 2_500_000_000_000), (3, 3_000_000_000_000),
      ("0.10", 100_000_000_000), (0.00001, 10_000_000), (1e-12, 1), (-0.5, -500_000_000_000),
      (.double(0.1 + 0.2), 300_000_000_000), (8_999_999.5, 8_999_999_500_000_000_000),
      (.null, nil), (true, nil), (.double(.infinity), nil), (.double(.nan), nil), (1e7, nil),
      (10_000_000, nil), ("ten", nil), ([1], nil),
    ] as [(Value, Int64?)])
  func isReadFromValues(value: Value, picoDollars: Int64?) {
    #expect(Money(value)?.picoDollars == picoDollars)
  }

  @Test(
    "for tokens at a price per million is rounded up",
    arguments: [
      ("2.5", 1, 2_500_000), ("2.5", 1_000_000, 2_500_000_000_000), ("0.000001", 1, 1),
      ("0.000001", 3, 3), ("0.0000015", 1, 2), ("0.000000000001", 1, 1),
      ("0.000000000001", 1_000_000, 1), ("0.000000000001", 1_000_001, 2),
      ("0", 10, 0), ("1", 0, 0), ("1", -5, 0), ("-1", 5, 0),
      ("1", .max, .max), ("9000000", 2_000_000, .max), (limit, 1_000_000, .max),
      (limit, 999_999, 9_223_362_813_482_738_953),
      ("1", 9_223_372_036_854, 9_223_372_036_854_000_000),
    ] as [(String, Int64, Int64)])
  func perMillion(price: String, count: Int64, picoDollars: Int64) {
    let cost = Money(decimal: price)?.perMillion(times: count)
    #expect(cost == Money(picoDollars: picoDollars))
  }

  @Test func sumsSaturate() {
    let least = Money(picoDollars: .min)
    #expect(Money.max + .dollar == .max)
    #expect(least + Money(picoDollars: -1) == least)
    #expect(least - .dollar == least)
    #expect(Money.max - Money(picoDollars: -1) == .max)
    #expect(Money.zero - least == .max)
    #expect(Money.dollar - .dollar == .zero)
    #expect(Money.dollar + Money(picoDollars: -1) < .dollar)
    var total = Money.max
    total += .max
    #expect(total == .max)
  }

  @Test(
    "is written exactly and reads back",
    arguments: [
      (0, "0"), (1, "0.000000000001"), (-1, "-0.000000000001"), (1_000_000_000_000, "1"),
      (75_000_000_000, "0.075"), (-2_500_000_000_000, "-2.5"), (.max, limit),
      (10_000_000_000_000, "10"),
    ] as [(Int64, String)])
  func isWritten(picoDollars: Int64, text: String) {
    let money = Money(picoDollars: picoDollars)
    #expect(money.decimalText == text)
    #expect(Money(decimal: text) == money)
  }

  @Test(
    "is shown with as many digits as it takes to see it",
    arguments: [
      (0, "$0"), (1, "<$0.000001"), (-1, ">-$0.000001"), (499_999, "<$0.000001"),
      (500_000, "$0.000001"), (1_000_000, "$0.000001"), (1_234_567_890, "$0.001235"),
      (9_999_999_999, "$0.010000"), (10_000_000_000, "$0.0100"), (123_456_000_000, "$0.1235"),
      (9_999_960_000_000, "$10.0000"), (10_000_000_000_000, "$10.00"),
      (1_234_567_000_000_000, "$1234.57"), (-2_500_000_000_000, "-$2.5000"),
      (.max, "$9223372.04"), (.min, "-$9223372.04"),
    ] as [(Int64, String)])
  func isShown(picoDollars: Int64, text: String) {
    #expect(Money(picoDollars: picoDollars).displayText == text)
    #expect("\(Money(picoDollars: picoDollars))" == text)
  }

  @Test func theLeastAmountIsWrittenToo() {
    #expect(Money(picoDollars: .min).decimalText == "-9223372.036854775808")
  }
}

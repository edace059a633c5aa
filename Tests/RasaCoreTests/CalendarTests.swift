import RasaCore
import Testing

@Suite("The calendar")
struct CalendarTests {
  @Test(
    "days are read when there are such days",
    arguments: ["2026-01-31", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"])
  func days(text: String) throws {
    #expect(try #require(LocalDay(text)).description.hasSuffix(String(text.suffix(5))))
  }

  @Test(
    "and refused when there are none",
    arguments: [
      "", "2026", "2026-1-31", "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10",
      "2026-04-31", "2026-01-00", "2026-01-32", "26-01-01", "2026/01/01", "2026-01-01 ",
      "+026-01-01", "2026-01-0١", "2026-01-01-01", "0000-01-01",
    ])
  func noDays(text: String) { #expect(LocalDay(text) == nil) }

  @Test("months are read alike")
  func months() {
    #expect(LocalDay(month: "2025-12") == LocalDay(year: 2025, month: 12, day: 1))
    for text in ["2025-13", "2025", "2025-1", "2025-12-01", ""] {
      #expect(LocalDay(month: text) == nil)
    }
  }

  @Test("a day's number leads back to it, and the next day has the next number")
  func numbers() {
    #expect(LocalDay(year: 1970, month: 1, day: 1).ordinal == 0)
    #expect(LocalDay(year: 2000, month: 3, day: 1).ordinal == 11_017)
    var before: LocalDay?
    for ordinal in Int64(-800_000)...800_000 where ordinal % 7 < 3 || abs(ordinal) < 40_000 {
      let day = LocalDay(ordinal: ordinal)
      #expect(day.ordinal == ordinal)
      if let before { #expect(before < day) }
      before = day
    }
  }

  @Test(
    "moments are written in UTC",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (1_765_065_600_000, "2025-12-07T00:00:00Z"),
      (-1, "1969-12-31T23:59:59Z"), (951_827_696_789, "2000-02-29T12:34:56Z"),
      (-86_400_000, "1969-12-31T00:00:00Z"),
    ] as [(Int64, String)])
  func moments(milliseconds: Int64, text: String) {
    #expect(Timestamp(milliseconds: milliseconds).utcText == text)
  }

  @Test("days are counted over the ends of months and years")
  func advancing() {
    let day = LocalDay(year: 2026, month: 3, day: 1)
    #expect(day.advanced(byDays: -1).description == "2026-02-28")
    #expect(day.advanced(byDays: 306).description == "2027-01-01")
    #expect(LocalDay(year: 2026, month: 3, day: 9).firstOfMonth == day)
  }
}

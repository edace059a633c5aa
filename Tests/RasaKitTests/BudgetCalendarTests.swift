import RasaCore
import RasaKit
import RasaSystem
import Testing

@Suite("The calendar of budgets")
struct BudgetCalendarTests {
  @Test(
    "a day begins when its zone says so, also where clocks change at midnight",
    arguments: [
      ("UTC", "2025-12-07", "2025-12-07T00:00:00Z"),
      ("Europe/Berlin", "2026-01-01", "2025-12-31T23:00:00Z"),
      ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"),
      ("Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z"),
      ("Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00Z"),
      ("America/New_York", "2026-03-09", "2026-03-09T04:00:00Z"),
      // Midnight is left out there.
      ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
      // The hour before midnight comes twice.
      ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"),
      ("Pacific/Kiritimati", "2026-06-01", "2026-05-31T10:00:00Z"),
      ("Pacific/Pago_Pago", "2026-06-01", "2026-06-01T11:00:00Z"),
      ("Asia/Kathmandu", "2026-06-01", "2026-05-31T18:15:00Z"),
      // A whole day is left out there: what would be its beginning is that of the next.
      ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
      ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
    ])
  func beginnings(zone: String, day: String, moment: String) throws {
    let calendar = BudgetCalendar(time: .system, zone: zone)
    let begins = calendar.beginning(of: try #require(LocalDay(day)))
    #expect(begins.utcText == moment)
  }

  @Test("every moment of a day is after its beginning and before that of the next")
  func days() throws {
    for zone in ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"] {
      let calendar = BudgetCalendar(time: .system, zone: zone)
      for ordinal in Int64(17_500)..<17_900 where ordinal % 5 == 0 {
        let day = LocalDay(ordinal: ordinal)
        let begins = calendar.beginning(of: day)
        #expect(calendar.day(of: begins) == day)
        #expect(calendar.day(of: Timestamp(milliseconds: begins.milliseconds - 1)) < day)
      }
    }
  }

  @Test("without a zone it is the machine's")
  func machine() {
    let calendar = BudgetCalendar(time: .system, zone: nil)
    let today = calendar.today
    #expect(calendar.day(of: calendar.beginning(of: today)) == today)
  }
}

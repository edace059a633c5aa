import Glibc
import RasaCore
import RasaTestKit
import Testing

@testable import RasaSystem

/// The time in UTC, calculated by the C library.
private func utc(_ text: String) -> Timestamp {
  let numbers = text.split { !$0.isNumber }.compactMap { Int32($0) }
  var parts = unsafe tm()
  unsafe parts.tm_year = numbers[0] - 1900
  unsafe parts.tm_mon = numbers[1] - 1
  unsafe (parts.tm_mday, parts.tm_hour) = (numbers[2], numbers[3])
  unsafe (parts.tm_min, parts.tm_sec) = (numbers[4], numbers[5])
  return Timestamp(milliseconds: Int64(unsafe timegm(&parts)) * 1000)
}

extension Timestamp {
  fileprivate func moved(milliseconds: Int64) -> Timestamp {
    Timestamp(milliseconds: self.milliseconds + milliseconds)
  }
}

@Suite struct `A day in a zone` {
  private static let zones = Zones()

  /// The last day before a time in UTC, and the first day from it on.
  private static let edges: [(zone: String, moment: String, before: String, after: String)] = [
    // Plain midnights, summer and winter, ahead of UTC and behind it.
    ("Europe/Berlin", "2026-01-14 23:00:00", "2026-01-14", "2026-01-15"),
    ("Europe/Berlin", "2026-07-14 22:00:00", "2026-07-14", "2026-07-15"),
    ("America/New_York", "2026-01-15 05:00:00", "2026-01-14", "2026-01-15"),
    ("America/New_York", "2026-07-15 04:00:00", "2026-07-14", "2026-07-15"),
    ("UTC", "2026-02-28 00:00:00", "2026-02-27", "2026-02-28"),
    ("Etc/GMT+5", "2026-02-28 05:00:00", "2026-02-27", "2026-02-28"),
    // The midnights around days of 23 and 25 hours.
    ("Europe/Berlin", "2026-03-28 23:00:00", "2026-03-28", "2026-03-29"),
    ("Europe/Berlin", "2026-03-29 22:00:00", "2026-03-29", "2026-03-30"),
    ("Europe/Berlin", "2026-10-24 22:00:00", "2026-10-24", "2026-10-25"),
    ("Europe/Berlin", "2026-10-25 23:00:00", "2026-10-25", "2026-10-26"),
    ("America/New_York", "2026-03-08 05:00:00", "2026-03-07", "2026-03-08"),
    ("America/New_York", "2026-11-02 05:00:00", "2026-11-01", "2026-11-02"),
    // Clocks that skip midnight: the day begins at one o'clock.
    ("America/Sao_Paulo", "2018-11-04 03:00:00", "2018-11-03", "2018-11-04"),
    ("Africa/Cairo", "2023-04-27 22:00:00", "2023-04-27", "2023-04-28"),
    ("Asia/Beirut", "2022-03-26 22:00:00", "2022-03-26", "2022-03-27"),
    // Clocks that go back across midnight: the day before ends an hour later.
    ("America/Sao_Paulo", "2018-02-18 03:00:00", "2018-02-17", "2018-02-18"),
    ("Africa/Cairo", "2023-10-26 22:00:00", "2023-10-26", "2023-10-27"),
    // A day that was skipped, and one that occurred twice.
    ("Pacific/Apia", "2011-12-30 10:00:00", "2011-12-29", "2011-12-31"),
    ("Pacific/Kwajalein", "1993-08-21 12:00:00", "1993-08-20", "1993-08-22"),
    ("America/Juneau", "1867-10-19 00:31:13", "1867-10-19", "1867-10-18"),
    // Offsets of half and quarter hours, and a summer time of half an hour.
    ("Asia/Kolkata", "2026-06-01 18:30:00", "2026-06-01", "2026-06-02"),
    ("Asia/Kathmandu", "2026-06-01 18:15:00", "2026-06-01", "2026-06-02"),
    ("Pacific/Chatham", "2026-01-01 10:15:00", "2026-01-01", "2026-01-02"),
    ("Pacific/Chatham", "2026-06-01 11:15:00", "2026-06-01", "2026-06-02"),
    ("Australia/Lord_Howe", "2026-06-01 13:30:00", "2026-06-01", "2026-06-02"),
    ("Pacific/Kiritimati", "2026-01-01 10:00:00", "2026-01-01", "2026-01-02"),
    // Before standard time, before 1970, and at the epoch.
    ("Europe/Berlin", "1890-06-01 23:06:32", "1890-06-01", "1890-06-02"),
    ("Europe/London", "1969-12-31 23:00:00", "1969-12-31", "1970-01-01"),
    ("America/New_York", "1969-12-31 05:00:00", "1969-12-30", "1969-12-31"),
    // After the last transition in the files.
    ("Europe/Berlin", "2080-01-14 23:00:00", "2080-01-14", "2080-01-15"),
    ("Europe/Berlin", "2080-07-14 22:00:00", "2080-07-14", "2080-07-15"),
    ("America/New_York", "2500-07-15 04:00:00", "2500-07-14", "2500-07-15"),
    ("Australia/Sydney", "2080-01-14 13:00:00", "2080-01-14", "2080-01-15"),
    ("Australia/Sydney", "2080-07-14 14:00:00", "2080-07-14", "2080-07-15"),
    ("Europe/Dublin", "2080-07-14 23:00:00", "2080-07-14", "2080-07-15"),
    ("Asia/Tokyo", "2080-07-14 15:00:00", "2080-07-14", "2080-07-15"),
  ]

  @Test(arguments: edges)
  func `ends where its midnight is`(
    edge: (zone: String, moment: String, before: String, after: String)
  ) {
    let moment = utc(edge.moment)
    let before = Self.zones.day(of: moment.moved(milliseconds: -1), in: edge.zone)
    #expect(before?.description == edge.before)
    #expect(Self.zones.day(of: moment, in: edge.zone)?.description == edge.after)
  }

  @Test func `is the one that the C library finds, in every zone and at any time`() async {
    // The C library has one zone at a time, that of the process.
    await #expect(processExitsWith: .success) {
      var numbers = SystemRandomNumberGenerator()
      let zones = Zones()
      let names = zoneNames(in: "/usr/share/zoneinfo")
      #expect(names.count > 300)
      var compared = 0
      for name in names {
        guard let bytes = try? FileSystem.read("/usr/share/zoneinfo/\(name)", limit: 1_000_000),
          let data = ZoneData(bytes)
        else {
          Issue.record("\(name) cannot be read")
          continue
        }
        unsafe setenv("TZ", name, 1)
        tzset()
        var moments = data.transitions.flatMap { [$0 - 1, $0, $0 + 86_399] }
        for _ in 0..<200 {
          // From 1800 to 2600, most of them around now.
          moments.append(Int64.random(in: -5_364_662_400...19_880_899_200, using: &numbers))
          moments.append(Int64.random(in: 0...4_102_444_800, using: &numbers))
        }
        // Times before the file's first transition are undefined.
        for moment in moments where moment >= -5_364_662_400 {
          var (time, parts) = (time_t(moment), unsafe tm())
          unsafe localtime_r(&time, &parts)
          let expected = LocalDay(
            year: Int(unsafe parts.tm_year) + 1900, month: Int(unsafe parts.tm_mon) + 1,
            day: Int(unsafe parts.tm_mday))
          let found = zones.day(of: Timestamp(milliseconds: moment * 1000), in: name)
          if found != expected {
            Issue.record("\(name) at \(moment): \(expected), not \(String(describing: found))")
          }
          compared += 1
        }
      }
      #expect(compared > 100_000)
    }
  }

  @Test(arguments: [
    "", "/", "Nowhere/City", "europe/berlin", "Europe", "Europe/", "/Europe/Berlin",
    "../zoneinfo/UTC",
    "Europe/../UTC", "./UTC", "Europe//Berlin", "Europe/Berlin\0", "zone.tab", "Europe/Berlin ",
    "CET-1CEST", "right/UTC", "Ünter/den", String(repeating: "a/", count: 400) + "a",
  ])
  func `is none where there is no such zone`(name: String) {
    #expect(Self.zones.day(of: utc("2026-01-01 00:00:00"), in: name) == nil)
  }

  @Test func `is found by the machine's own clock too`() {
    let now = TimeSource.system.now()
    #expect(TimeSource.system.dayInZone(now, "UTC") != nil)
    #expect(TimeSource.system.dayInZone(now, "Nowhere/City") == nil)
    for moment in [Int64.min, .max] {
      // Beyond any calendar; it only has to return.
      _ = TimeSource.system.dayInZone(Timestamp(milliseconds: moment), "America/New_York")
    }
  }
}

/// All zone files below a folder, except those with leap seconds and duplicates.
private func zoneNames(in folder: String, below: String = "") -> [String] {
  let entries = (try? FileSystem.list(folder)) ?? []
  return entries.flatMap { entry -> [String] in
    if ["right", "posix"].contains(entry.name) { return [] }
    let (name, path) = (below + entry.name, "\(folder)/\(entry.name)")
    switch entry.kind {
    case .folder: return zoneNames(in: path, below: name + "/")
    default:
      let bytes = (try? FileSystem.read(path, limit: 1_000_000)) ?? []
      return Zones.isName(name) && bytes.starts(with: Array("TZif".utf8)) ? [name] : []
    }
  }
}

@Suite struct `A zone file` {
  private static let berlin =
    (try? FileSystem.read("/usr/share/zoneinfo/Europe/Berlin", limit: 1_000_000)) ?? []

  @Test func `that is cut short anywhere is none`() {
    #expect(ZoneData(Self.berlin) != nil)
    for count in 0..<Self.berlin.count { #expect(ZoneData(Array(Self.berlin[..<count])) == nil) }
  }

  @Test func `that is damaged anywhere is read or refused, and nothing else happens`() {
    var numbers = SystemRandomNumberGenerator()
    for place in Self.berlin.indices {
      for value in [0, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &numbers)] {
        var bytes = Self.berlin
        bytes[place] = value
        guard let zone = ZoneData(bytes) else { continue }
        for moment in [Int64.min, -1, 0, 1_800_000_000, 5_000_000_000, .max] {
          #expect(abs(zone.offset(at: moment)) <= 2 * ZoneData.largestOffset)
        }
      }
    }
  }

  /// A file of one type, one hour ahead of UTC, with that footer.
  private static func file(version: UInt8 = UInt8(ascii: "2"), footer: String) -> [UInt8] {
    let head =
      Array("TZif".utf8) + [version] + Array(repeating: 0, count: 15)
      + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4]
    let block: [UInt8] = [0, 0, 0x0E, 0x10, 0, 0] + Array("CET\0".utf8)
    return head + block + (version == 0 ? [] : head + block + Array("\n\(footer)\n".utf8))
  }

  /// Seconds ahead of UTC in January and in July of 2026.
  private static let rules: [(footer: String, january: Int64, july: Int64)] = [
    ("", 3600, 3600), ("CET-1", 3600, 3600), ("<+0330>-3:30", 12_600, 12_600),
    ("CET-1CEST,M3.5.0,M10.5.0/3", 3600, 7200), ("EST5EDT,M3.2.0,M11.1.0", -18_000, -14_400),
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", 39_600, 36_000), ("IST-1GMT0,M10.5.0,M3.5.0/1", 0, 3600),
    ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", -7200, -3600),
    ("CET-1CEST,J60/0,J300/0", 3600, 7200), ("CET-1CEST,59/0,300/25:30:15", 3600, 7200),
    ("EST5EDT,0/0,J365/25", -14_400, -14_400), ("LHST-10:30LHDT-11,M10.1.0,M4.1.0", 39_600, 37_800),
  ]

  @Test(arguments: rules)
  func `goes on as its last line says`(rule: (footer: String, january: Int64, july: Int64)) throws {
    let zone = try #require(ZoneData(Self.file(footer: rule.footer)))
    #expect(zone.offset(at: utc("2026-01-15 12:00:00").wholeSeconds) == rule.january)
    #expect(zone.offset(at: utc("2026-07-15 12:00:00").wholeSeconds) == rule.july)
  }

  @Test(arguments: [
    "X", "CET", "CET-1CEST", "CET-1CEST,", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.0/3,",
    "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
    "CET-1CEST,J0,J5", "CET-1CEST,J366,J5", "CET-1CEST,366,5", "CET-25", "CET-1:60", "<+0-1",
    "<>-1",
    "CET-99999999999999999999", "CET-1CEST,M3.5.0/168,M10.5.0", ":Europe/Berlin", "CET-1 ",
  ])
  func `whose last line makes no sense is none`(footer: String) {
    #expect(ZoneData(Self.file(footer: footer)) == nil)
  }

  @Test func `of the first version is read too`() throws {
    let zone = try #require(ZoneData(Self.file(version: 0, footer: "")))
    #expect(zone.offset(at: 0) == 3600)
  }

  @Test func `is looked for where it is said to be`() throws {
    let folder = ScratchDirectory()
    try FileSystem.write(Self.file(footer: "CET-1"), to: "\(folder.path)/Here")
    let zones = Zones(environment: Environment(["TZDIR": folder.path]))
    let moment = utc("2026-01-14 23:00:00")
    #expect(zones.day(of: moment, in: "Here")?.description == "2026-01-15")
    #expect(zones.day(of: moment, in: "Europe/Berlin") == nil)
    let others = Zones(environment: Environment(["TZDIR": "elsewhere"]))
    #expect(others.day(of: moment, in: "Europe/Berlin")?.description == "2026-01-15")
  }
}

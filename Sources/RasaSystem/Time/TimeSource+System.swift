import CSystem
import Glibc
package import RasaCore

extension TimeSource {
  /// The machine's clocks. Local days come from the C library, which knows `TZ` and the zone files.
  package static let system = TimeSource(
    now: {
      let time = clock(CLOCK_REALTIME)
      return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    },
    localDay: { timestamp in
      var seconds = time_t(timestamp.wholeSeconds)
      var parts = unsafe tm()
      guard unsafe localtime_r(&seconds, &parts) != nil else {
        return LocalDay(year: 1970, month: 1, day: 1)
      }
      return LocalDay(
        year: Int(unsafe parts.tm_year) + 1900, month: Int(unsafe parts.tm_mon) + 1,
        day: Int(unsafe parts.tm_mday))
    },
    dayInZone: { zones.day(of: $0, in: $1) },
    monotonic: {
      let time = clock(CLOCK_MONOTONIC)
      return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    },
    sleep: { try await Task.sleep(for: $0) })
}

private let zones = Zones(environment: .ofProcess())

private func clock(_ identifier: clockid_t) -> timespec {
  var time = timespec()
  unsafe clock_gettime(identifier, &time)
  return time
}

/// 64 bits of chance from the kernel, for identifiers.
package func systemRandom() -> UInt64 { .random(in: .min ... .max) }

import RasaCore
import RasaSystem

/// The machine's clock, moved on at once by whoever sleeps: waiting is recorded, not done.
final class TestClock: Sendable {
  /// The day's clock stands still but for what is waited, so that a slow machine changes nothing.
  private let start = TimeSource.system.now().milliseconds
  private let state = Locked<(offset: Duration, sleeps: [Duration])>((.zero, []))

  var sleeps: [Duration] { state.withLock { $0.sleeps } }

  func advance(by duration: Duration) { state.withLock { $0.offset += duration } }

  var source: TimeSource {
    let system = TimeSource.system
    return TimeSource(
      now: { [self] in
        let offset = state.withLock { $0.offset }
        return Timestamp(milliseconds: start + Self.milliseconds(offset))
      },
      localDay: { _ in LocalDay(year: 2026, month: 9, day: 15) },
      dayInZone: { _, zone in
        zone == "Pacific/Kiritimati" ? LocalDay(year: 2026, month: 9, day: 16) : nil
      },
      monotonic: { [self] in
        let offset = state.withLock { $0.offset }
        return system.monotonic() + UInt64(Self.milliseconds(offset)) * 1_000_000
      },
      sleep: { [self] duration in
        try Task.checkCancellation()
        state.withLock { state in
          state.offset += duration
          state.sleeps.append(duration)
        }
      })
  }

  private static func milliseconds(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
  }
}

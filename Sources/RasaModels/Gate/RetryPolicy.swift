import RasaCore

/// How long to wait before the chain is gone through again.
struct RetryPolicy: Sendable, Hashable {
  var base: Duration
  var longest: Duration

  /// Doubles with every round, with half of it left to chance so that many clients do not come back
  /// at once.
  func delay(round: Int, random: UInt64) -> Duration {
    var delay = base
    for _ in 0..<min(max(round, 0), 16) { delay = min(delay * 2, longest) }
    let share = Int64(random % 1_001)
    return min(delay / 2 + (delay / 2) * share / 1_000, longest)
  }
}

extension Duration {
  /// Whole nanoseconds, without trapping on what does not fit.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0 else { return 0 }
    let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return .max / 2 }
    return min(scaled, .max / 2) + UInt64(max(0, attoseconds) / 1_000_000_000)
  }
}

extension UInt64 {
  /// A moment of the monotonic clock, so much later.
  func advanced(by duration: Duration) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(duration.nanoseconds)
    return overflow ? .max : sum
  }
}

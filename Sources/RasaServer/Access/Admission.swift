import RasaCore
import RasaKit
import RasaSystem

/// Lets requests in before any of their deadlines starts: so many of a token at a time and in a minute, and so many of all.
final class Admission: Sendable {
  /// A request that was let in.
  struct Place: Sendable {
    /// How long it waited.
    let waited: Duration
    fileprivate let onLeave: @Sendable () -> Void
    /// May be called more than once.
    func leave() { onLeave() }
  }

  private struct Waiter {
    var number: UInt64
    var client: String
    var limit: Int
    var begin: @Sendable () -> Void
  }

  private struct State {
    var inside: [String: Int] = [:]
    var total = 0
    var waiting: [Waiter] = []
    var lastNumber: UInt64 = 0
    /// When each of the last requests of a token came, as far as its minute goes.
    var times: [String: [UInt64]] = [:]

    func hasRoom(for client: String, _ limit: Int, _ most: Int) -> Bool {
      total < most && (inside[client] ?? 0) < limit
    }

    mutating func take(_ client: String) {
      total += 1
      inside[client, default: 0] += 1
    }

    mutating func give(_ client: String) {
      total -= 1
      inside[client, default: 1] -= 1
      if inside[client] == 0 { inside[client] = nil }
    }
  }

  /// So many runs and calls at the same time.
  let most: Int
  /// So many may wait; more are refused.
  let mostWaiting: Int
  private let state = Locked(State())
  private let now: @Sendable () -> UInt64

  init(most: Int, mostWaiting: Int, now: @escaping @Sendable () -> UInt64) {
    self.most = most
    self.mostWaiting = mostWaiting
    self.now = now
  }

  var standing: (inside: Int, waiting: Int) { state.withLock { ($0.total, $0.waiting.count) } }

  /// Returns when the request may begin.
  ///
  /// - Throws: 429 where the token has asked too often, or too many wait already.
  func enter(_ client: Client) async throws -> Place {
    enum Decision { case enter, refuse, wait(UInt64, OneTimeSignal) }
    let begun = now()
    try count(client, at: begun)
    let limit = client.concurrency ?? .max
    let decision = state.withLock { state -> Decision in
      if state.hasRoom(for: client.name, limit, most) {
        state.take(client.name)
        return .enter
      }
      guard state.waiting.count < mostWaiting else { return .refuse }
      state.lastNumber += 1
      let (signal, begin) = OneTimeSignal.make()
      state.waiting.append(
        Waiter(number: state.lastNumber, client: client.name, limit: limit, begin: begin))
      return .wait(state.lastNumber, signal)
    }
    switch decision {
    case .enter: return place(of: client, waited: .zero)
    case .refuse:
      throw ServerProblem(429, "busy", "too many requests wait already", retryAfter: 5)
    case .wait(let number, let signal):
      // Ends as well when the client has gone.
      await signal.wait()
      let isIn = state.withLock { state in
        guard let index = state.waiting.firstIndex(where: { $0.number == number }) else {
          return true
        }
        state.waiting.remove(at: index)
        return false
      }
      guard !Task.isCancelled else {
        if isIn { leave(client.name) }
        throw CancellationError()
      }
      return place(of: client, waited: .nanoseconds(Int64(clamping: now() &- begun)))
    }
  }

  private func place(of client: Client, waited: Duration) -> Place {
    let hasLeft = Locked(false)
    return Place(waited: waited) { [self] in
      let isFirst = hasLeft.withLock { left in
        defer { left = true }
        return !left
      }
      if isFirst { leave(client.name) }
    }
  }

  private func count(_ client: Client, at moment: UInt64) throws(ServerProblem) {
    guard let most = client.requestsPerMinute else { return }
    let oldest = state.withLock { state -> UInt64? in
      var times = (state.times[client.name] ?? []).filter { moment &- $0 < 60_000_000_000 }
      defer { state.times[client.name] = times }
      guard times.count >= most else {
        times.append(moment)
        return nil
      }
      return times.first ?? moment
    }
    guard let oldest else { return }
    let left = 60_000_000_000 &- (moment &- oldest)
    throw ServerProblem(
      429, "rate", "the token \(quoted(client.name)) may make \(most) requests in a minute",
      retryAfter: Int(left / 1_000_000_000) + 1)
  }

  private func leave(_ client: String) {
    let ready = state.withLock { state -> [Waiter] in
      state.give(client)
      var ready: [Waiter] = []
      var left: [Waiter] = []
      for waiter in state.waiting {
        guard state.hasRoom(for: waiter.client, waiter.limit, most) else {
          left.append(waiter)
          continue
        }
        state.take(waiter.client)
        ready.append(waiter)
      }
      state.waiting = left
      return ready
    }
    for waiter in ready { waiter.begin() }
  }
}

import RasaCore
import RasaKit

/// One run at a time in a conversation.
final class Turns: Sendable {
  /// The right to speak in a conversation.
  struct Turn: Sendable {
    fileprivate let onLeave: @Sendable () -> Void
    /// May be called more than once.
    func leave() { onLeave() }
  }

  private struct Key: Hashable {
    var user: String
    var session: String
  }

  private struct Standing {
    /// Who has the turn, by number.
    var holder: UInt64
    var waiting: [(number: UInt64, begin: @Sendable () -> Void)] = []
  }

  private let state = Locked((lastNumber: UInt64(0), open: [Key: Standing]()))
  private let hub: RunHub

  init(_ hub: RunHub) { self.hub = hub }

  /// How many wait for their turn.
  var waiting: Int { state.withLock { $0.open.values.reduce(0) { $0 + $1.waiting.count } } }

  /// Returns when the run may begin.
  ///
  /// - Throws: 409 where another run has the turn, and it is not to be waited for.
  func take(
    _ session: String?, of user: String, _ busy: RunRequest.Busy
  ) async throws -> Turn {
    guard let session else { return Turn {} }
    let key = Key(user: user, session: session)
    enum Decision { case mine(UInt64), wait(UInt64, OneTimeSignal), refuse }
    let decision = state.withLock { state -> Decision in
      state.lastNumber += 1
      let number = state.lastNumber
      guard state.open[key] != nil else {
        state.open[key] = Standing(holder: number)
        return .mine(number)
      }
      guard busy != .reject else { return .refuse }
      let (signal, begin) = OneTimeSignal.make()
      state.open[key]?.waiting.append((number, begin))
      return .wait(number, signal)
    }
    switch decision {
    case .mine(let number): return turn(key, number)
    case .refuse:
      var problem = ServerProblem(
        409, "busy", "a run of the session \(quoted(session)) is under way",
        suggestion: "wait for its end, or send `when_busy`: `enqueue` or `interrupt`")
      problem.run = hub.live(inSession: session, of: user)?.id
      throw problem
    case .wait(let number, let signal):
      if busy == .interrupt { hub.live(inSession: session, of: user)?.stop() }
      await signal.wait()
      let isMine = state.withLock { state in
        guard state.open[key]?.holder != number else { return true }
        state.open[key]?.waiting.removeAll { $0.number == number }
        return false
      }
      guard isMine, !Task.isCancelled else {
        if isMine { leave(key, number) }
        throw CancellationError()
      }
      return turn(key, number)
    }
  }

  private func turn(_ key: Key, _ number: UInt64) -> Turn { Turn { [self] in leave(key, number) } }

  private func leave(_ key: Key, _ number: UInt64) {
    let next = state.withLock { state -> (@Sendable () -> Void)? in
      guard var standing = state.open[key], standing.holder == number else { return nil }
      guard !standing.waiting.isEmpty else {
        state.open[key] = nil
        return nil
      }
      let first = standing.waiting.removeFirst()
      standing.holder = first.number
      state.open[key] = standing
      return first.begin
    }
    next?()
  }
}

import CSQLite
import Glibc
import RasaCore
import Synchronization

/// A queue with one consumer: a thread of its own, not one of the cooperative pool, because it blocks in disk
/// writes.
@safe
final class WorkQueue<Work: Sendable>: Sendable {
  private struct State {
    var waiting: [Work] = []
    /// Whether something of it may not wait.
    var isUrgent = false
    /// When the rest is to be taken at the latest.
    var due: ContinuousClock.Instant?
    var hasSignal = false
    var isClosed = false

    /// Whether the sleeping thread has to be woken for it.
    mutating func signals() -> Bool {
      if hasSignal { return false }
      hasSignal = true
      return true
    }
  }

  private static var many: Int { 128 }

  private let state = Locked(State())
  private nonisolated(unsafe) let signal: UnsafeMutablePointer<sem_t>

  init() {
    unsafe signal = .allocate(capacity: 1)
    unsafe sem_init(signal, 0, 0)
  }

  deinit {
    unsafe sem_destroy(signal)
    unsafe signal.deallocate()
  }

  /// False when the queue is closed and the work will not be done. Work that is not urgent lies
  /// until urgent work comes, much has gathered, or the delay is over.
  func add(_ work: Work, urgent: Bool = true, within delay: Duration? = nil) -> Bool {
    let (accepted, wakes) = state.withLock { state -> (Bool, Bool) in
      guard !state.isClosed else { return (false, false) }
      state.waiting.append(work)
      if urgent || state.waiting.count >= Self.many {
        state.isUrgent = true
        return (true, state.signals())
      }
      guard let delay, state.due == nil else { return (true, false) }
      // The thread may be asleep for longer.
      state.due = .now + delay
      return (true, !state.isUrgent && state.signals())
    }
    if wakes { unsafe sem_post(signal) }
    return accepted
  }

  /// The number of waiting items.
  var count: Int { state.withLock { $0.waiting.count } }

  /// Adds the last item.
  func close(with work: Work) -> Bool {
    let accepted = state.withLock { state -> Bool in
      guard !state.isClosed else { return false }
      state.isClosed = true
      state.waiting.append(work)
      return true
    }
    if accepted { unsafe sem_post(signal) }
    return accepted
  }

  /// What has gathered, at most `limit`; waits until something of it is urgent or due, or until the
  /// deadline and then gives nothing. Nil when the queue is closed and everything has been taken.
  func take(_ limit: Int, until deadline: ContinuousClock.Instant? = nil) -> [Work]? {
    while true {
      let (batch, isOver, due) = state.withLock {
        state -> ([Work], Bool, ContinuousClock.Instant?) in
        guard state.isUrgent || state.isClosed || state.due.map({ $0 <= .now }) ?? false else {
          state.hasSignal = false
          return ([], false, state.due)
        }
        if state.waiting.count <= limit {
          defer { state.waiting = [] }
          state.isUrgent = false
          state.due = nil
          state.hasSignal = false
          return (state.waiting, state.isClosed, nil)
        }
        let batch = Array(state.waiting.prefix(limit))
        state.waiting.removeFirst(limit)
        state.isUrgent = true
        return (batch, false, nil)
      }
      if !batch.isEmpty { return batch }
      if isOver { return nil }
      if let due, deadline.map({ due < $0 }) ?? true {
        sleep(until: due)
        continue
      }
      guard let deadline else {
        while unsafe sem_wait(signal) != 0, errno == EINTR {}
        continue
      }
      if !sleep(until: deadline) { return [] }
    }
  }

  /// False when nobody has given a signal until then.
  @discardableResult
  private func sleep(until deadline: ContinuousClock.Instant) -> Bool {
    let left = max(.zero, ContinuousClock.now.duration(to: deadline)).components
    let nanoseconds =
      min(left.seconds, 1_000_000) * 1_000_000_000 + left.attoseconds / 1_000_000_000
    return unsafe csqlite_wait(signal, nanoseconds) == 0
  }
}

/// Starts a thread that blocks all signals: they are for the main thread.
func startThread(_ body: @escaping @Sendable () -> Void) throws {
  final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
  var all = sigset_t()
  var before = sigset_t()
  unsafe sigfillset(&all)
  unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
  defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }

  let passed = unsafe Unmanaged.passRetained(Body(body))
  var thread = pthread_t()
  let code = unsafe pthread_create(
    &thread, nil,
    { argument in
      if let argument = unsafe argument {
        unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
      }
      return nil
    }, passed.toOpaque())
  guard code == 0 else {
    unsafe passed.release()
    throw Failure(
      .storage, "no thread could be started for the database",
      suggestion: "raise the limit of processes (`ulimit -u`)")
  }
  pthread_detach(thread)
}

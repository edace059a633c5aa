import CSQLite
import Glibc
import RasaCore
import Synchronization

/// Hands work to the one thread that does it, in the order it came.
///
/// The thread is the system's and not the cooperative pool's: it blocks in disk writes.
@safe
final class WorkQueue<Work: Sendable>: Sendable {
  private struct State {
    var waiting: [Work] = []
    var hasSignal = false
    var isClosed = false
  }

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
  /// until urgent work comes, or much has gathered.
  func add(_ work: Work, urgent: Bool = true) -> Bool {
    let (accepted, wakes) = state.withLock { state -> (Bool, Bool) in
      guard !state.isClosed else { return (false, false) }
      state.waiting.append(work)
      guard !state.hasSignal, urgent || state.waiting.count >= 128 else { return (true, false) }
      state.hasSignal = true
      return (true, true)
    }
    if wakes { unsafe sem_post(signal) }
    return accepted
  }

  /// How much waits.
  var count: Int { state.withLock { $0.waiting.count } }

  /// Adds the last work there will be.
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

  /// What has gathered, at most `limit`; waits until there is something, or until the deadline and
  /// then gives nothing. Nil when the queue is closed and everything has been taken.
  func take(_ limit: Int, until deadline: ContinuousClock.Instant? = nil) -> [Work]? {
    while true {
      let (batch, isOver) = state.withLock { state -> ([Work], Bool) in
        if state.waiting.count <= limit {
          defer { state.waiting = [] }
          state.hasSignal = false
          return (state.waiting, state.isClosed)
        }
        let batch = Array(state.waiting.prefix(limit))
        state.waiting.removeFirst(limit)
        return (batch, false)
      }
      if !batch.isEmpty { return batch }
      if isOver { return nil }
      guard let deadline else {
        while unsafe sem_wait(signal) != 0, errno == EINTR {}
        continue
      }
      let left = max(.zero, ContinuousClock.now.duration(to: deadline)).components
      let nanoseconds =
        min(left.seconds, 1_000_000) * 1_000_000_000 + left.attoseconds / 1_000_000_000
      if unsafe csqlite_wait(signal, nanoseconds) != 0 { return [] }
    }
  }
}

/// Starts a thread that takes no signals: they belong to the main thread.
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

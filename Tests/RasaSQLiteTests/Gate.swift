import Glibc
import RasaCore

/// Closed until it is opened; threads and tasks may wait for it.
@safe
final class Gate: Sendable {
  private struct State {
    var isOpen = false
    var waiting: [CheckedContinuation<Void, Never>] = []
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

  func open() {
    let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.isOpen = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
    unsafe sem_post(signal)
  }

  /// Blocks the thread.
  func wait() {
    while unsafe sem_wait(signal) != 0, errno == EINTR {}
  }

  func opened() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state -> Bool in
        if !state.isOpen { state.waiting.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }
}

import Glibc

/// Runs something that blocks (a read from a terminal, waiting for a child) on a thread of its own,
/// so that the few threads of the task pool are never blocked by it.
package func onOwnThread<Result: Sendable>(
  _ body: @escaping @Sendable () -> Result
) async -> Result {
  await withCheckedContinuation { continuation in
    startThread { continuation.resume(returning: body()) }
  }
}

/// Starts a detached thread. If the system has no more threads, the work is done on the
/// calling one: slower for others, but done.
package func startThread(_ body: @escaping @Sendable () -> Void) {
  if !startThreadIfPossible(body) { body() }
}

/// Starts a detached thread; false if the system has no more.
package func startThreadIfPossible(_ body: @escaping @Sendable () -> Void) -> Bool {
  final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  let work = unsafe Unmanaged.passRetained(Work(body))
  var thread = pthread_t()
  var attributes = pthread_attr_t()
  unsafe pthread_attr_init(&attributes)
  unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  defer { unsafe pthread_attr_destroy(&attributes) }
  let status = unsafe pthread_create(
    &thread, &attributes,
    { pointer in
      guard let pointer = unsafe pointer else { return nil }
      unsafe Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
      return nil
    }, work.toOpaque())
  if status != 0 { unsafe work.release() }
  return status == 0
}
